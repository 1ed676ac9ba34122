r"""Which lines of a text match: a literal by ``bytes.find``, a regular expression by RE2, as ripgrep finds them.

A line ends with ``\n``, which nothing matches; ``\r`` before it is a character of the line. What ripgrep's word
boundaries mean beside characters beyond ASCII, RE2 does not know: such lines, few in any tree, go to ``regex``.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from functools import cached_property
from typing import Any, NamedTuple

from indexer.errors import BadInputError
from indexer.pattern import HINT, translate
from indexer.pattern_class import WORD
from indexer.reasons import encodable
from indexer.required import Query, Sequence_, character, query_of

_SLOW_SECONDS = 10.0
"""Time that a pattern may take in ``regex``, which may backtrack, over all lines; RE2's answers hold after that."""
_PROGRAM_BYTES = 64 << 20
_WORD = f"(?:^|[^{WORD}])({{}})(?:[^{WORD}]|$)"
"""A whole word for RE2, which cannot look around: group 1 is the match."""
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")


class LineOptions(NamedTuple):
    """Which lines are shown for a pattern, as grep's options -w, -v, -B and -A say it."""

    word: bool = False
    """Only matches with no letter, digit or underscore beside them."""
    invert: bool = False
    """Lines without a match."""
    before: int = 0
    """Lines to show before each line that is found."""
    after: int = 0


class Line(NamedTuple):
    """A line that matches: its number from 1, and where it stands in the text, without its end."""

    number: int
    start: int
    end: int


class Pattern:
    """What to look for."""

    def __init__(self, pattern: str, *, regex: bool, ignore_case: bool, word: bool = False) -> None:
        """``word``: see ``LineOptions``.

        Raises BadInputError for a pattern that is empty, is wrong or too large, or cannot match within a line.
        """
        if not pattern:
            raise BadInputError("The pattern is empty.", "Give a text, or a pattern such as ^$ for empty lines.")
        if not encodable(pattern):
            raise BadInputError("The pattern is no valid text.", "Give it in UTF-8.")
        if not regex and "\n" in pattern:
            raise BadInputError("The text has several lines, and lines are searched one by one.", "Give one of them.")
        self.required: Query
        self._literal = None if regex or ignore_case or word else pattern.encode()
        self._word = word
        self._boundaries = False
        self._patience = _SLOW_SECONDS
        if regex:
            translated = translate(pattern, ignore_case=ignore_case)
            self._text, self.required, self._boundaries = translated
        else:
            parts: Sequence_ = [character(char, ignore_case=ignore_case) for char in pattern]
            self._text, self.required = _quoted(pattern, ignore_case=ignore_case), query_of(parts)
        # For ``regex``, which knows what stands beside a match.
        self._whole = f"(?<![{WORD}])(?:{self._text})(?![{WORD}])" if word else self._text
        if word:
            self._text = _WORD.replace("{}", self._text)
        if self._literal is None:
            _ = self._compiled

    def lines(self, text: bytes) -> Iterator[Line]:
        """Matching lines of a UTF-8 text, in order."""
        number, counted = 1, 0
        for start, end in self._places(text):
            number += text.count(b"\n", counted, start)
            counted = start
            yield Line(number, start, end)

    def other_lines(self, text: bytes) -> Iterator[Line]:
        """Lines without a match, in order."""
        matching = self._places(text)
        skipped = next(matching, None)
        number = start = 0
        while start < len(text):
            number += 1
            end = text.find(b"\n", start)
            end = len(text) if end < 0 else end
            if skipped is not None and skipped[0] == start:
                skipped = next(matching, None)
            else:
                yield Line(number, start, end)
            start = end + 1

    def count(self, text: bytes, *, invert: bool = False) -> int:
        """How many lines match, or do not."""
        found = sum(1 for _ in self._places(text))
        return text.count(b"\n") + (not text.endswith(b"\n") and bool(text)) - found if invert else found

    def spans(self, line: bytes) -> tuple[tuple[int, int], ...]:
        """Where in a line the matches are, in bytes; none of them overlap."""
        if self._literal is not None:
            size, places, at = len(self._literal), [], line.find(self._literal)
            while at >= 0:
                places.append((at, at + size))
                at = line.find(self._literal, at + size)
            return tuple(places)
        if self._word or (self._boundaries and not line.isascii()):
            found = self._by_regex(line)
            if found is not None:
                return found
        return tuple(match.span(int(self._word)) for match in self._compiled.finditer(line))

    def _places(self, text: bytes) -> Iterator[tuple[int, int]]:
        if self._literal is not None:
            return _literal_places(self._literal, text)
        if self._boundaries and not text.isascii():
            return self._bounded_places(text)
        return self._regex_places(text)

    def _regex_places(self, text: bytes) -> Iterator[tuple[int, int]]:
        search, at, size = self._compiled.search, 0, len(text)
        while at < size:
            match = search(text, at)
            if match is None:
                return
            place = match.start()
            start = text.rfind(b"\n", at, place) + 1 or at
            if start == size:
                return  # after the last line's end
            end = text.find(b"\n", match.end())
            end = size if end < 0 else end
            yield start, end
            at = end + 1

    def _bounded_places(self, text: bytes) -> Iterator[tuple[int, int]]:
        beyond = {*_lines_beyond_ascii(text)}
        found = dict.fromkeys(self._regex_places(text))
        fitting = [place for place in beyond if self._fits(text[slice(*place)], by_re2=place in found)]
        yield from sorted({*(found.keys() - beyond), *fitting})

    def _fits(self, line: bytes, *, by_re2: bool) -> bool:
        found = self._by_regex(line)
        return by_re2 if found is None else bool(found)

    def _by_regex(self, line: bytes) -> tuple[tuple[int, int], ...] | None:
        """The matches in a line by Unicode's word boundaries; None when there is no time left for that."""
        started = time.monotonic()
        text = line.decode("utf-8", "replace")
        try:
            if self._patience <= 0:
                return None
            found, at, place = [], 0, 0
            for match in self._unicode.finditer(text, timeout=self._patience):
                start = place + len(text[at : match.start()].encode())
                at, place = match.end(), start + len(match[0].encode())
                found.append((start, place))
            return tuple(found)
        except TimeoutError:
            return None
        finally:
            self._patience -= time.monotonic() - started

    @cached_property
    def _compiled(self) -> Any:
        import re2

        options = re2.Options()
        options.never_nl = True
        options.log_errors = False
        options.max_mem = _PROGRAM_BYTES
        try:
            return re2.compile(f"(?m){self._text}".encode(), options)
        except re2.error as exc:
            what = exc.args[0].decode("utf-8", "replace") if isinstance(exc.args[0], bytes) else str(exc)
            raise BadInputError(f"The pattern cannot be used: {what}.", HINT) from exc

    @cached_property
    def _unicode(self) -> Any:
        import regex

        return regex.compile(self._whole, regex.VERSION0)


def _literal_places(literal: bytes, text: bytes) -> Iterator[tuple[int, int]]:
    size, at = len(text), text.find(literal)
    while at >= 0:
        start = text.rfind(b"\n", 0, at) + 1
        end = text.find(b"\n", at)
        end = size if end < 0 else end
        yield start, end
        at = text.find(literal, end + 1)


def _lines_beyond_ascii(text: bytes) -> Iterator[tuple[int, int]]:
    """Where lines with characters beyond ASCII stand."""
    match = _BEYOND_ASCII.search(text)
    while match is not None:
        start, end = text.rfind(b"\n", 0, match.start()) + 1, text.find(b"\n", match.end())
        end = len(text) if end < 0 else end
        yield start, end
        match = _BEYOND_ASCII.search(text, end)


def _quoted(text: str, *, ignore_case: bool) -> str:
    """A pattern that matches a text as it is."""
    import re2

    quoted: str = re2.escape(text)
    return f"(?i:{quoted})" if ignore_case else quoted
