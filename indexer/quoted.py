"""What a query quotes: texts to be found as they stand, and lines of files (``lib/view.js:84``). Pure functions."""

from __future__ import annotations

import re
from typing import NamedTuple

_MOST_LITERALS = 6
_MOST_PLACES = 8
_LONGEST = 400
"""Characters of a text that is looked for as it stands; what is longer was not copied from one line."""
_SHORTEST = 3
"""Characters from which a text beside others is looked for: signatures know no shorter ones."""
_PLAIN_WORDS = {1: 0.0, 2: 0.15, 3: 0.4}
"""How much a phrase of so many plain words means its very text; four in that order are no accident."""
_PIECE_WORDS = 2
_PIECE_CHARACTERS = 10
_MESSAGE_WORDS = 3

_QUOTES = "\"'`“”‘’«»"
_QUOTED = re.compile(r"""^(["'`])(.+)\1$""")
_PLAIN = re.compile(r"[\w\s]+")
_OPTION = re.compile(r"--?([A-Za-z][\w-]*)")
_CODE = re.compile(r"[^\w\s.,;:'\"()/?!-]|\w[-:]{2}\w")
"""What prose does not have."""
# What a message is filled with when it is written: numbers, addresses, names in quotes or brackets.
_FILLED = re.compile(
    r"""'[^']*'|"[^"]*"|`[^`]*`|<[^>]*>|\([^()]*\)|\[[^\[\]]*\]|\{[^{}]*\}|\b0x[0-9a-fA-F]+|\b\d[\d.,]*"""
)
_LEAD = re.compile(r"^(?:[\w.$/-]+(?:\s+\w+)?:\s+)+")
"""Before the message: ``TypeError:``, ``jq: error:``, ``thread 'main' panicked:``."""

_PATH = r"((?:[A-Za-z]:)?[\w@.+~/\\-]*[\w+-]\.[A-Za-z]\w{0,9})"
_PLACES = (
    re.compile(_PATH + r"[\"']?,? (?:on )?line (\d+)"),
    re.compile(_PATH + r":(?:line )?(\d+)"),
    re.compile(_PATH + r"\((\d+)(?:,\d+)?\)"),
)


class Literal(NamedTuple):
    """A text to be found as it stands. ``strength``: how sure it is that the query means that, up to 1."""

    text: str
    strength: float


class Place(NamedTuple):
    """A line of a file, by the path of the machine where it was written down."""

    path: str
    line: int


def literals(text: str, *, wordless: bool) -> tuple[Literal, ...]:
    """Texts of a query to look for as they stand: all of it, then what of it looks copied.

    ``wordless``: there is nothing else to look for, so that any text counts, however short.
    """
    if not text:
        return ()
    if wordless:
        return (Literal(text[:_LONGEST], 1.0),)
    found: dict[str, float] = {}

    def add(part: str, strength: float) -> None:
        part = part.strip()
        if _SHORTEST <= len(part) <= _LONGEST and strength > found.get(part, 0.0):
            found[part] = strength

    add(text, _phrase(text))
    if quoted := _QUOTED.match(text):
        add(quoted[2], 1.0)
    if option := _OPTION.fullmatch(text):
        # Where a program declares it, the dashes are often left out.
        add(f'"{option[1]}"', 0.9)
        add(f"'{option[1]}'", 0.9)
    if " " in text:
        for part in _copied(text):
            add(part, 1.0)
        for word in text.split():
            word = word.strip(".,;:").strip(_QUOTES)
            if _CODE.search(word) or (_OPTION.fullmatch(word) and word.startswith("--")):
                add(word, 0.6)
    return tuple(Literal(*pair) for pair in [*found.items()][:_MOST_LITERALS])


def _phrase(text: str) -> float:
    """How sure it is that a query means its own text."""
    if not _PLAIN.fullmatch(text):
        return 1.0
    return _PLAIN_WORDS.get(len(text.split()), 1.0)


def _copied(text: str) -> list[str]:
    """Parts of a message that its source holds as they are: after what leads it, between what it is filled with."""
    message = _LEAD.sub("", text)
    found = [message] if message != text and _words(message) >= _MESSAGE_WORDS else []
    pieces = [piece.strip(" :,.;") for piece in _FILLED.split(message)]
    if len(pieces) > 1:
        long = [p for p in pieces if _words(p) >= _PIECE_WORDS and len(p) >= _PIECE_CHARACTERS]
        found += sorted(long, key=lambda piece: -len(piece))[:2]
    return found


def _words(text: str) -> int:
    return len(text.split())


def places(text: str) -> tuple[Place, ...]:
    """Lines of files that a query names in the ways of compilers and stack traces, in its order."""
    found = sorted((match.start(), match) for pattern in _PLACES for match in pattern.finditer(text))
    named = (Place(match[1].replace("\\", "/"), int(match[2][:9])) for _, match in found)
    return tuple(dict.fromkeys(named))[:_MOST_PLACES]
