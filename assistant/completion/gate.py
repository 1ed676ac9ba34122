"""The gate that every suggestion passes: what it leaves in the file parses no worse than the file did before.

Rules on lines (``trim``) say how much of a generated text may be wanted. From that, candidates are made, the wanted
first, then shorter ones; a parser in a process of its own chooses the first that fits (``indexer.syntax``). So brackets
and quotes count as the language has them: no lifetime, ``case`` label or regular expression is taken for one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter
from pathlib import PurePosixPath

from assistant.completion.brackets import open_after, unmatched_closers
from assistant.completion.request import CompletionRequest
from assistant.completion.trim import MARKUP, Trimmed, reads_like_prose
from assistant.completion.window import Window
from indexer.syntax import Candidate
from indexer.syntax_process import SECONDS, SyntaxProcess, shared

SYNTAX = "syntax"
"""``Completion.stop_reason``: nothing of the text fits the file's syntax."""
_WHOLE = 64_000
"""Characters of a file that is parsed whole, in 10 ms at most."""
_BEFORE, _AFTER = 40_000, 24_000
"""Characters around the cursor that are parsed of a longer one."""
_MOST, _MOST_CUTS = 30, 20
_NEAR_LINES = 40
"""Lines on each side that are looked at for brackets left open, where no parser can tell."""
_TEXT_ENDINGS = ("", ".txt", ".text", ".log", ".org")
"""Of files of no known language that hold prose; others may hold code of a language without a grammar."""
_CLOSING_WORDS = {"lua": {}, "ruby": {}, "bash": {"then": "fi", "do": "done"}}
"""Languages whose blocks end with a word: by the word that opens one, "end" by default."""
_OPENS = re.compile(
    r"\b(?:then|do)(?=\s*$|\s*\|[^|]*\|\s*$)|\bfunction\b[^()]{0,200}\([^()]{0,400}\)\s*$"
    r"|^\s*(?:def|class|module|if|unless|while|case)\b"
)
_CLOSES = re.compile(r"\s*(?:end|fi|done)\b")
_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")
_WORD = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class _Option:
    text: str
    replaces: int = 0
    """Characters of the cursor line's rest."""


class Gate:
    """Fits texts into files. Threads may share it."""

    def __init__(
        self, process: SyntaxProcess | None = None, *, seconds: float = SECONDS, patience: float | None = None
    ) -> None:
        """``seconds`` of processor time for one text; ``patience``: seconds that an answer is waited for."""
        self._process = process or shared()
        self._seconds = seconds
        self._patience = patience

    def start(self) -> None:
        """Get the parser ready, in the time in which a model writes."""
        self._process.start()

    def fit(self, asked: CompletionRequest, trimmed: Trimmed, window: Window, *, most: int = _MOST) -> Trimmed:
        """As much of ``trimmed`` as fits at ``asked``'s place; empty, with the reason, where nothing does.

        ``most``: candidates that are tried. Where there is no grammar, brackets are counted instead. Where the answer
        is late, the first line counts, if its brackets balance.
        """
        if not trimmed.text:
            return trimmed
        options = list(dict.fromkeys(_options(trimmed.text, window, asked.language)))[:most]
        if not options:
            return Trimmed("", "repeats", done=trimmed.done)
        before, after = _around(asked)
        prose = asked.language not in MARKUP
        verdict = self._process.first_fit(
            before.encode(errors="replace"),
            after.encode(errors="replace"),
            asked.language,
            [_candidate(option, after, prose=prose) for option in options],
            seconds=self._seconds,
            patience=self._patience,
        )
        if verdict.chosen >= 0:
            chosen = options[verdict.chosen]
        elif not verdict.known:
            chosen = _by_brackets(options, window, asked)
        elif verdict.late:
            chosen = _first_line(options[0])
        else:
            chosen = _Option("")
        if not chosen.text.strip():
            return Trimmed("", SYNTAX, done=trimmed.done)
        return replace(trimmed, text=chosen.text, replaces=chosen.replaces)


def _around(asked: CompletionRequest) -> tuple[str, str]:
    """What is parsed of the file before and after the cursor: whole lines, unless these are longer than that."""
    before, after = asked.prefix, asked.suffix
    if len(before) + len(after) <= _WHOLE:
        return before, after
    if len(before) > _BEFORE:
        before = before[-_BEFORE:]
        before = before[before.find("\n") + 1 :]  # all of it where the whole is one line
    if len(after) > _AFTER:
        after = after[: after.rfind("\n", 0, _AFTER) + 1 or _AFTER]
    return before, after


def _candidate(option: _Option, after: str, *, prose: bool) -> Candidate:
    """An option in bytes, with the places where prose would begin."""
    text = option.text.encode(errors="replace")
    at: list[int] = []
    start = 0
    for line in option.text.split("\n") if prose else ():
        if reads_like_prose(line):
            at.append(start + len(line[: len(line) - len(line.lstrip())].encode()))
        start += len(line.encode(errors="replace")) + 1
    return Candidate(text, len(after[: option.replaces].encode(errors="replace")), tuple(at))


def _options(text: str, window: Window, language: str) -> Iterator[_Option]:
    """What may be inserted of ``text``, the best first; nothing where it only says what stands after the cursor."""
    if "\n" in text:
        yield from _blocks(text, window, language)
        return
    rest = window.line_after.rstrip()
    said = rest.strip()
    whole = len(window.line_after)
    repeated = _overlap(text, said)
    if repeated:
        kept = text[: len(text) - repeated].rstrip()
        if not kept.strip():
            return
        yield _Option(kept)
        if any(c.isalnum() for c in text[-repeated:]):
            text = kept
    elif said and (again := _closes_again(text, said)):
        yield _Option(again)
    if _retypes(text, said):
        # It retyped the rest of the line and went on, or has it in its midst.
        yield _Option(text, whole)
        if any(c.isalnum() for c in said) and len(said) > 2:
            return
    yield _Option(text)
    yield from map(_Option, [] if said else _closed(text, window, language))
    yield from _cuts(text)


def _overlap(text: str, rest: str) -> int:
    """Length of the longest end of ``text`` with which ``rest`` begins, blanks aside; it may not cut a word in two."""
    bare = "".join(rest.split())
    longest = 0
    for start in range(len(text) - 1, -1, -1):
        tail = "".join(text[start:].split())
        if len(tail) > len(bare):
            break
        cuts_word = start > 0 and _WORD.match(text[start]) and _WORD.match(text[start - 1])
        ends_word = len(tail) < len(bare) and _WORD.match(tail[-1:] or " ") and _WORD.match(bare[len(tail)])
        if tail and bare.startswith(tail) and not text[start].isspace() and not cuts_word and not ends_word:
            longest = len(text) - start
    return longest


def _retypes(text: str, said: str) -> bool:
    """Whether ``text`` holds the rest of the line and goes on after it."""
    if not said or text.endswith(said):
        return False
    if any(c.isalnum() for c in said):
        return len(said) > 2 and said in text
    extra = unmatched_closers(text)
    return bool(extra) and _in_order(said, text[extra[0] :]) and len(text) - extra[0] > len(said)


def _closes_again(text: str, said: str) -> str:
    """``text`` without the closers at its end that it does not owe and that the rest of the line has; or ""."""
    extra = unmatched_closers(text)
    tail = text[extra[0] :] if extra else ""
    only_closers = all(char in ")]}\"'`>;, " for char in tail)
    return text[: extra[0]].rstrip() if tail and only_closers and _in_order("".join(tail.split()), said) else ""


def _in_order(few: str, many: str) -> bool:
    """Whether the characters of ``few`` occur in ``many`` in their order."""
    rest = iter(many)
    return all(char in rest for char in few)


def _blocks(text: str, window: Window, language: str) -> Iterator[_Option]:
    """First lines of a block, the most first: those whose brackets balance before the others."""
    lines = text.split("\n")
    yield _Option(text)
    fewer = ["\n".join(lines[:count]).rstrip() for count in range(len(lines) - 1, 0, -1)]
    fewer = [shorter for shorter in fewer if shorter.strip()]
    yield from (_Option(shorter) for shorter in fewer if not open_after(shorter))
    yield from map(_Option, _closed(text, window, language))
    yield from (_Option(shorter) for shorter in fewer if open_after(shorter))


def _closed(text: str, window: Window, language: str) -> list[str]:
    """``text`` with what it leaves open closed, each block on a line of its own; and the same with a semicolon."""
    lines = text.split("\n")
    owed: list[tuple[int, str, str]] = []
    for number, line in enumerate((window.line_before + lines[0], *lines[1:])):
        margin = line[: len(line) - len(line.lstrip())]
        if language in _CLOSING_WORDS:
            if _CLOSES.match(line) and owed:
                owed.pop()
            elif found := _OPENS.search(line):
                owed.append((number, margin, _CLOSING_WORDS[language].get(found[0], "end")))
            continue
        del owed[max(0, len(owed) - len(unmatched_closers(line))) :]
        opened = open_after(line)
        if opened and line.rstrip()[-1] not in "([{":
            return []  # in the midst of a line: what is missing is more than a closer
        owed += [(number, margin, closer) for closer in opened]
    if not owed:
        return []
    closing = []
    for _, group in groupby(reversed(owed), key=itemgetter(0)):
        entries = list(group)
        closing.append(entries[0][1] + "".join(closer for _, _, closer in entries))
    closed = "\n".join([*lines, *closing])
    return [closed, closed + ";"] if owed[0][2] in ")]" else [closed]


def _cuts(text: str) -> Iterator[_Option]:
    """First parts of a line that leave no bracket open, the longest first; those that end at a closer before all."""
    for closer in reversed(unmatched_closers(text)):
        yield from (_Option(text[:end].rstrip()) for end in (closer + 1, closer) if text[:end].strip())
    ends = [found.start() for found in _TOKEN.finditer(text)][1:]
    parts = dict.fromkeys(text[:end].rstrip() for end in reversed(ends))
    whole = [part for part in parts if any(c.isalnum() for c in part) and not open_after(part)]
    yield from map(_Option, whole[:_MOST_CUTS])


def _by_brackets(options: list[_Option], window: Window, asked: CompletionRequest) -> _Option:
    """The option whose brackets fit best, as far as that can be seen without a grammar."""
    markup = asked.language in MARKUP
    if markup and not (asked.language == "text" and PurePosixPath(asked.path).suffix.lower() not in _TEXT_ENDINGS):
        return options[0]
    above = open_after("".join(window.above[-_NEAR_LINES:]) + window.line_before)
    below = unmatched_closers(window.line_after + "\n" + "".join(window.below[:_NEAR_LINES]))
    owed = max(0, len(above) - len(below))
    best, most = _Option(""), -1
    for option in options:
        closed = len(unmatched_closers(option.text))
        prose = not markup and not window.line_before.strip() and reads_like_prose(option.text.split("\n")[0])
        if most < closed <= owed and not open_after(option.text) and not prose:
            best, most = option, closed
    return best


def _first_line(option: _Option) -> _Option:
    """The first line, if its brackets balance."""
    line = option.text.split("\n")[0].rstrip()
    balanced = not open_after(line) and not unmatched_closers(line)
    return _Option(line, option.replaces) if balanced else _Option("")
