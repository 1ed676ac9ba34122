"""Looking through bytes in time linear in their number, and the lines around what is found."""

from __future__ import annotations

from typing import Any

Span = tuple[int, int]

WINDOW = 2_000
"""Bytes on either side of a candidate that are looked at when its line is longer."""
_MEMORY = 32 << 20
"""Bytes that RE2 may use for the states of an expression; it drops them and goes on slower when they are full."""


def linear(expression: bytes) -> Any:
    """An RE2 expression over bytes."""
    import re2

    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.max_mem = _MEMORY
    return re2.compile(expression, options)


def line_around(text: bytes, start: int, end: int) -> Span:
    """The line or lines that ``text[start:end]`` lies in, or a window of them where they are very long."""
    lowest, highest = max(0, start - WINDOW), min(len(text), end + WINDOW)
    before = text.rfind(b"\n", lowest, start)
    after = text.find(b"\n", end, highest)
    return (lowest if before < 0 else before + 1), (highest if after < 0 else after)


def done_until(text: bytes, candidate_end: int, end: int) -> int:
    """Up to where a line or window that ends at ``end`` need not be looked at again.

    Where a window cuts a line, what is near the cut is looked at again, whole, in the next one.
    """
    return end if text[end : end + 1] in (b"", b"\n") else max(candidate_end, end - WINDOW // 2)
