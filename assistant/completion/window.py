"""What of the document goes into the prompt: windows of whole lines whose edges stay where they are while one types.

The upper edge of the prefix moves in steps of ``ANCHOR`` lines counted from the file's beginning, the lower edge of the
suffix in steps counted from its end: inserting lines at the cursor moves neither. The line that is being typed counts
for nothing in either budget.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from assistant.stretches import LINE

ANCHOR = 16
"""Lines that an edge moves at once. A move evaluates the whole window anew on models whose memory cannot shift."""
_MOST_LINES = 512
"""Lines looked at on either side; a budget of some thousand tokens holds fewer."""
_LONG_LINE = 2_000
"""Characters of a line's rest that are kept next to the cursor (minified files)."""

Count = Callable[[Sequence[str]], list[int]]
"""Tokens of each text."""


@dataclass(frozen=True, slots=True)
class Window:
    """The parts of the document that stand in the prompt, and the lines around the cursor."""

    prefix: str
    suffix: str
    line_before: str
    """The cursor's line up to the cursor."""
    line_after: str
    """The rest of the cursor's line, without its end."""
    above: tuple[str, ...]
    """Whole lines of ``prefix`` before the cursor's line, ends included."""
    below: tuple[str, ...]
    """Whole lines of ``suffix`` after the cursor's line, ends included."""


def window(prefix: str, suffix: str, prefix_tokens: int, suffix_tokens: int, count: Count) -> Window:
    """The windows around a cursor between ``prefix`` and ``suffix``, within the two budgets.

    The cursor's own line is always there (its nearest 2,000 characters), whatever it costs.
    """
    above, line_before = _last_line(prefix)
    below, line_after, end = _first_line(suffix)
    near_above, near_below = above[-_MOST_LINES:], below[:_MOST_LINES]
    tokens = count([*near_above, *near_below])
    kept_above = _keep_above(near_above, tokens[: len(near_above)], len(above) - len(near_above), prefix_tokens)
    kept_below = near_below[: _keep_below(tokens[len(near_above) :], len(below), suffix_tokens)]
    return _joined(line_before[-_LONG_LINE:], line_after[:_LONG_LINE], end, kept_above, kept_below)


def same_lines(prefix: str, suffix: str, shown: Window) -> Window:
    """The window of another text of the same lines: as many lines around the cursor as ``shown`` has."""
    above, line_before = _last_line(prefix)
    below, line_after, end = _first_line(suffix)
    kept_above, kept_below = above[len(above) - len(shown.above) :], below[: len(shown.below)]
    return _joined(line_before[-_LONG_LINE:], line_after[:_LONG_LINE], end, kept_above, kept_below)


def _joined(before: str, after: str, end: str, above: Sequence[str], below: Sequence[str]) -> Window:
    prefix, suffix = "".join(above) + before, after + end + "".join(below)
    return Window(prefix, suffix, before, after, tuple(above), tuple(below))


def _last_line(prefix: str) -> tuple[list[str], str]:
    """Whole lines and the unfinished last one."""
    lines = LINE.findall(prefix)
    return (lines[:-1], lines[-1]) if lines and not lines[-1].endswith("\n") else (lines, "")


def _first_line(suffix: str) -> tuple[list[str], str, str]:
    """Whole lines after the first, the first without its end, and that end."""
    first, newline, rest = suffix.partition("\n")
    return LINE.findall(rest), first, newline


def _keep_above(lines: list[str], tokens: list[int], skipped: int, budget: int) -> list[str]:
    """The last lines that fit, beginning at a multiple of ``ANCHOR`` lines from the file's beginning.

    Where even the nearest anchor is too far (long lines), as many lines as fit.
    """
    first, used = len(lines), 0
    while first > 0 and used + tokens[first - 1] <= budget:
        first -= 1
        used += tokens[first]
    number = skipped + first
    anchored = first + (-number) % ANCHOR
    return lines[anchored if number and anchored < len(lines) else first :]


def _keep_below(tokens: list[int], whole: int, budget: int) -> int:
    """How many lines fit, such that a multiple of ``ANCHOR`` lines is left out at the file's end, or as many as fit."""
    kept, used = 0, 0
    while kept < len(tokens) and used + tokens[kept] <= budget:
        used += tokens[kept]
        kept += 1
    left_out = whole - kept
    anchored = kept - (-left_out) % ANCHOR
    return anchored if left_out and anchored > 0 else kept
