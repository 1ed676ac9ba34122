"""Bracket arithmetic on stretches of code; strings are skipped as far as one can see without a parser."""

from __future__ import annotations

from collections.abc import Iterator

_CLOSER = {"(": ")", "[": "]", "{": "}"}
_QUOTES = "\"'`"


def brackets(text: str) -> Iterator[tuple[int, str]]:
    """Every bracket of ``text`` outside strings, with its position; a quote without its pair on the line is none."""
    at = 0
    alone: dict[str, int] = {}  # where a line ends on which a quote has no pair: no later one has
    while at < len(text):
        char = text[at]
        if char in _QUOTES:
            if at >= alone.get(char, 0):
                end = _string_end(text, at)
                if end == at:
                    line_end = text.find("\n", at)
                    alone[char] = line_end if line_end >= 0 else len(text)
                at = end
        elif char in "()[]{}":
            yield at, char
        at += 1


def open_after(text: str) -> list[str]:
    """Closers that ``text`` leaves owing, outermost first; closers without an opener count for nothing."""
    owed: list[str] = []
    for _, char in brackets(text):
        if char in _CLOSER:
            owed.append(_CLOSER[char])
        elif owed and owed[-1] == char:
            owed.pop()
    return owed


def unmatched_closers(text: str) -> list[int]:
    """Positions of the closers in ``text`` that close nothing in it."""
    owed: list[str] = []
    out: list[int] = []
    for at, char in brackets(text):
        if char in _CLOSER:
            owed.append(_CLOSER[char])
        elif owed and owed[-1] == char:
            owed.pop()
        else:
            out.append(at)
    return out


def _string_end(text: str, start: int) -> int:
    """Position of the closing quote, or ``start`` if the line has none."""
    at = start + 1
    while at < len(text) and text[at] != "\n":
        if text[at] == "\\":
            at += 1
        elif text[at] == text[start]:
            return at
        at += 1
    return start
