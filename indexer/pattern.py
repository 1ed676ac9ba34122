r"""A regular expression as ripgrep takes it (the syntax of Rust's ``regex``) → what RE2 runs, and what it requires.

RE2 needs time linear in the text whatever the pattern, so that none can hang a server. Its syntax is nearly Rust's;
what differs is translated here: ``\w``, ``\d`` and ``\s`` are those of Unicode, classes may be nested, and what cannot
be translated is refused with its place. Nothing matches a line's end.
"""

from __future__ import annotations

import string
from typing import NamedTuple

from indexer.errors import BadInputError
from indexer.pattern_class import (
    DIGIT,
    POSIX,
    SPACE,
    SPACE_NOT,
    WORD,
    class_char,
    complement_of_word,
    property_class,
)  # fmt: skip
from indexer.required import ANYTHING, Query, Sequence_, character, characters, either, query_of, repeated

_MOST_CHARACTERS = 5_000
_MOST_DEPTH = 100
_MOST_REPEATS = 1_000
_FEW_CHARACTERS = 8
"""Characters of a class whose spellings are followed."""
_ESCAPES = {"a": "\a", "f": "\f", "t": "\t", "r": "\r", "v": "\v"}
_CLASSES = {"d": DIGIT, "w": WORD, "s": SPACE}
HINT = r"Patterns are those of ripgrep; \ before a sign takes its meaning, and -e searches for a text as it is."


class Translated(NamedTuple):
    """A pattern for RE2 (multi-line), what a text must hold, and whether it has word boundaries."""

    text: str
    required: Query
    boundaries: bool


class _Part(NamedTuple):
    text: str
    ignore_case: bool
    parts: Sequence_


def translate(pattern: str, *, ignore_case: bool = False) -> Translated:
    """Raises BadInputError, with the place in characters from 1, for what is wrong or not supported."""
    if len(pattern) > _MOST_CHARACTERS:
        raise BadInputError(f"The pattern has more than {_MOST_CHARACTERS:,} characters.", "Give a shorter one.")
    parser = _Parser(pattern, ignore_case)
    text, parts = parser.all()
    return Translated(text, query_of(parts), parser.boundaries)


class _Parser:
    def __init__(self, pattern: str, ignore_case: bool) -> None:
        self._pattern = pattern
        self._at = 0
        self._ignore_case = ignore_case
        self._verbose = False
        self._depth = 0
        self.boundaries = False

    def all(self) -> tuple[str, Sequence_]:
        found = self._alternatives()
        if self._at < len(self._pattern):
            raise self._error("closes a group that was not opened")
        return found

    def _error(self, what: str, at: int | None = None) -> BadInputError:
        place = self._at if at is None else at
        return BadInputError(f"The pattern {what}, at character {place + 1}.", HINT)

    def _next(self) -> str:
        return self._pattern[self._at : self._at + 1]

    def _take(self, wanted: str) -> bool:
        if self._pattern.startswith(wanted, self._at):
            self._at += len(wanted)
            return True
        return False

    def _alternatives(self) -> tuple[str, Sequence_]:
        """Up to the end of the group; flags that are set in it end with it."""
        before = self._ignore_case, self._verbose
        self._depth += 1
        if self._depth > _MOST_DEPTH:
            raise self._error(f"nests more than {_MOST_DEPTH} groups")
        texts, branches = [], []
        while True:
            text, parts = self._row()
            texts.append(text)
            branches.append(parts)
            if not self._take("|"):
                break
        self._depth -= 1
        self._ignore_case, self._verbose = before
        return "|".join(texts), branches[0] if len(branches) == 1 else either(branches)

    def _row(self) -> tuple[str, Sequence_]:
        found: list[_Part] = []
        while self._at < len(self._pattern) and self._next() not in "|)":
            if self._verbose and self._skip_blank():
                continue
            atom = self._atom()
            if atom is not None:
                found.append(self._quantified(atom))
        texts: list[str] = []
        for number, part in enumerate(found):
            if part.ignore_case and (not number or not found[number - 1].ignore_case):
                texts.append("(?i:")
            texts.append(part.text)
            if part.ignore_case and (number + 1 == len(found) or not found[number + 1].ignore_case):
                texts.append(")")
        return "".join(texts), [item for part in found for item in part.parts]

    def _skip_blank(self) -> bool:
        char = self._next()
        if char == "#":
            end = self._pattern.find("\n", self._at)
            self._at = len(self._pattern) if end < 0 else end + 1
        elif char.isspace():
            self._at += 1
        else:
            return False
        return True

    def _atom(self) -> _Part | None:
        start, char = self._at, self._next()
        self._at += 1
        if char == "(":
            return self._group(start)
        if char == "[":
            text, members = self._class(start)
            known = members is not None and len(members) <= _FEW_CHARACTERS
            one = characters(sorted(members), ignore_case=self._ignore_case) if members and known else ANYTHING
            return _Part(text, self._ignore_case, [one])
        if char in "*+?{":
            raise self._error("repeats nothing", start)
        if char in "^$":
            return _Part(char, False, [])
        if char == ".":
            return _Part(char, False, [ANYTHING])
        if char == "\\":
            return self._escape(start)
        return self._literal(char, start)

    def _literal(self, char: str, start: int) -> _Part:
        if char == "\n":
            raise self._error("holds a line's end, and lines are searched one by one", start)
        text = "\\" + char if char in string.punctuation and char != "_" else char
        return _Part(text, self._ignore_case, [character(char, ignore_case=self._ignore_case)])

    def _group(self, start: int) -> _Part | None:
        before = self._ignore_case, self._verbose
        if self._take("?P<") or (self._pattern.startswith("?<", self._at) and self._is_name(self._at + 2)):
            self._at = self._pattern.find(">", self._at) + 1
            if not self._at:
                raise self._error("has a group whose name does not end", start)
        elif self._take("?"):
            if self._next() in ("=", "!", "<", "P"):
                raise self._error("looks around, which ripgrep's patterns cannot either", start)
            if not self._flags(start):
                return None
        text, parts = self._alternatives()
        self._ignore_case, self._verbose = before
        if not self._take(")"):
            raise self._error("has a group that is not closed", start)
        return _Part(f"(?:{text})", False, parts)

    def _is_name(self, at: int) -> bool:
        return self._pattern[at : at + 1].isalpha() or self._pattern[at : at + 1] == "_"

    def _flags(self, start: int) -> bool:
        """Flags of ``(?i)`` or ``(?i:``; whether a group follows."""
        on = True
        while True:
            char = self._next()
            self._at += 1
            if char == "i":
                self._ignore_case = on
            elif char == "x":
                self._verbose = on
            elif char == "-" and on:
                on = False
            elif char in (":", ")") and char:
                return char == ":"
            elif char not in ("m", "s") and not (char == "u" and on):
                # m is always on, and s only lets the dot match line ends, which nothing does.
                raise self._error("has a flag that is not known or not supported here", self._at - 1)

    def _quantified(self, atom: _Part) -> _Part:
        count = 0
        while True:
            while self._verbose and self._skip_blank():
                pass
            bounds = self._bounds()
            if bounds is None:
                return atom
            sign, least, most = bounds
            lazy = "?" if self._take("?") else ""
            text = f"(?:{atom.text})" if count or not atom.text else atom.text
            atom = _Part(f"{text}{sign}{lazy}", atom.ignore_case, repeated(atom.parts, least, most))
            count += 1
            if count > _MOST_DEPTH:
                raise self._error("repeats a repetition too often")

    def _bounds(self) -> tuple[str, int, int | None] | None:
        start, char = self._at, self._next()
        if char and char in "*+?":
            self._at += 1
            return (char, int(char == "+"), 1 if char == "?" else None)
        if char != "{":
            return None
        end = self._pattern.find("}", start)
        low, comma, high = (part.strip() for part in self._pattern[start + 1 : max(end, 0)].partition(","))
        if end < 0 or not low.isdecimal() or not low.isascii() or (high and not (high.isdecimal() and high.isascii())):
            raise self._error(r"has a { that is no number of repetitions (write \{ for the sign)", start)
        least = int(low[:9])
        most = least if not comma else int(high[:9]) if high else None
        if max(least, most or 0) > _MOST_REPEATS:
            raise self._error(f"repeats more than {_MOST_REPEATS:,} times", start)
        if most is not None and most < least:
            raise self._error("has repetitions whose end lies before their start", start)
        self._at = end + 1
        return f"{{{least}{',' if comma else ''}{'' if most is None or not comma else most}}}", least, most

    def _escape(self, start: int) -> _Part:
        char = self._next()
        if not char:
            raise self._error(r"ends with a lone \ ", start)
        if char in "bB":
            self._at += 1
            self.boundaries = True
            return _Part("\\" + char, False, [])
        if char in "Az":
            self._at += 1
            return _Part("^" if char == "A" else "$", False, [])
        content = self._class_escape(start)
        if content is not None:
            return _Part(content, self._ignore_case, [ANYTHING])
        return self._literal(self._char_escape(start), start)

    def _class_escape(self, start: int, *, inside: bool = False) -> str | None:
        r"""A class such as ``\w`` or ``\p{L}``, at its letter; ``inside`` of brackets."""
        char = self._next()
        if char.lower() in _CLASSES:
            self._at += 1
            if not inside:
                return f"[{'^' if char.isupper() else ''}{_CLASSES[char.lower()]}]"
            if char == "W":
                return complement_of_word()
            return {"D": r"\P{Nd}", "S": SPACE_NOT}.get(char) or _CLASSES[char]
        if char not in ("p", "P"):
            return None
        self._at += 1
        if self._take("{"):
            end = self._pattern.find("}", self._at)
            name, self._at = self._pattern[self._at : end], end + 1
            if end < 0:
                raise self._error("has a Unicode property that is not closed", start)
        else:
            name = self._next()
            self._at += 1
        found = property_class(name, negated=char == "P")
        if found is None:
            raise self._error("names a Unicode property that is not known or not supported here", start)
        return found

    def _char_escape(self, start: int) -> str:
        r"""The character that an escape means, at its letter: ``\.``, ``\t``, ``\x41``, ``\u{1F600}``."""
        char = self._next()
        self._at += 1
        if char == "n":
            return "\n"
        if char in _ESCAPES:
            return _ESCAPES[char]
        if (char in string.punctuation or char == " ") and char not in "<>":
            return char
        if char in "xuU":
            if self._take("{"):
                end = self._pattern.find("}", self._at)
                digits, self._at = self._pattern[self._at : max(end, self._at)], end + 1
            else:
                size = {"x": 2, "u": 4, "U": 8}[char]
                digits = self._pattern[self._at : self._at + size]
                self._at += size
                digits = digits if len(digits) == size else ""
            if digits and len(digits) <= 8 and not set(digits) - set(string.hexdigits):
                code = int(digits, 16)
                if code < 0xD800 or 0xDFFF < code <= 0x10FFFF:
                    return chr(code)
            raise self._error("has an escape that is no character", start)
        if char.isdecimal():
            raise self._error("refers back to a group, which ripgrep's patterns cannot either", start)
        raise self._error(f"has an escape that is not known: \\{char}", start)

    def _class(self, start: int, depth: int = 0) -> tuple[str, set[str] | None]:
        """A class in brackets, its ``[`` taken: its text, and its members if they are single characters."""
        negated = self._take("^")
        content, members = self._class_content(start, depth)
        if negated and depth:
            raise self._error("has a negated class within a class, which is not supported", start)
        if depth:
            return content, members
        return f"[{'^' if negated else ''}{content}]", None if negated else members

    def _class_content(self, start: int, depth: int) -> tuple[str, set[str] | None]:
        if depth > _MOST_DEPTH:
            raise self._error(f"nests more than {_MOST_DEPTH} classes", start)
        content: list[str] = []
        members: set[str] | None = set()
        first = True
        while first or self._next() != "]":
            here, char = self._at, self._next()
            if not char:
                raise self._error("has a class that is not closed", start)
            if self._verbose and self._skip_blank():
                continue
            if self._pattern.startswith(("&&", "--", "~~"), here) and not (first and char == "-"):
                raise self._error("intersects or subtracts classes, which is not supported", here)
            first = False
            if char == "[":
                self._at += 1
                text, inner = self._posix(here) or self._class(here, depth + 1)
            else:
                text, inner = self._class_item(here)
            content.append(text)
            members = None if members is None or inner is None else members | inner
        self._at += 1
        return "".join(content), members

    def _posix(self, start: int) -> tuple[str, set[str] | None] | None:
        if self._next() != ":":
            return None
        end = self._pattern.find(":]", self._at)
        name = self._pattern[self._at + 1 : end].removeprefix("^") if end > 0 else ""
        if name not in POSIX:
            return None
        if self._pattern[self._at + 1] == "^":
            raise self._error("has a negated class within a class, which is not supported", start)
        self._at = end + 2
        return POSIX[name], None

    def _class_item(self, start: int) -> tuple[str, set[str] | None]:
        """A character, a range or an escape."""
        escaped = self._take("\\")
        found = self._class_escape(start, inside=True) if escaped else None
        if found is not None:
            return found, None
        low = self._class_char(start, escaped=escaped)
        if self._next() != "-" or self._pattern[self._at + 1 : self._at + 2] in ("]", "-", ""):
            return class_char(low), {low}
        self._at += 1
        middle = self._at
        escaped = self._take("\\")
        if escaped and self._next() and self._next() in "dDsSwWpP":
            raise self._error("has a range to a class", middle)
        high = self._class_char(middle, escaped=escaped)
        if high < low:
            raise self._error("has a range whose end lies before its start", start)
        few = ord(high) - ord(low) < _FEW_CHARACTERS
        return f"{class_char(low)}-{class_char(high)}", set(map(chr, range(ord(low), ord(high) + 1))) if few else None

    def _class_char(self, start: int, *, escaped: bool) -> str:
        """One character of a class; after a backslash the one that it means."""
        if not self._next():
            raise self._error("has a class that is not closed", start)
        if escaped:
            char = self._char_escape(start)
        else:
            char = self._next()
            self._at += 1
        if char == "\n":
            raise self._error("holds a line's end, and lines are searched one by one", start)
        return char
