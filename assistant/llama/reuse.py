"""Which evaluated tokens the next prompt can keep beyond the common prefix: pure planning, carried out by ``context``.

A context's keys and values belong to positions. When the next prompt has a run of the same tokens at other positions
(the cursor moved by lines, a snippet in front was replaced), the run can be moved there and only what lies between is
evaluated. What a moved run was evaluated after is not what it now stands after; `benchmarks/shifting.py` measures what
that does to completions. The idea is llama.cpp's ``--cache-reuse``; that one handles text that went away only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MINIMUM = 32
"""Tokens from which a run is worth moving: each gap costs a step of its own, as much as some five tokens."""
HOLE = -1
"""Stands at a position where nothing is held."""
_OCCURRENCES = 8
"""Places of the same tokens that are looked at."""
_MOST = 256
"""Candidates that are chained at most."""
_LOOKS = 8
"""Tokens compared for each of the prompt's: text that repeats itself must not cost quadratic time."""


@dataclass(frozen=True, slots=True)
class Run:
    """``length`` tokens held at position ``source`` that the prompt has at ``target``."""

    source: int
    target: int
    length: int

    @property
    def source_end(self) -> int:
        """The position behind the last held token."""
        return self.source + self.length

    @property
    def target_end(self) -> int:
        """The position behind the last one in the prompt."""
        return self.target + self.length

    @property
    def shift(self) -> int:
        """By how much positions grow."""
        return self.target - self.source

    def without(self, first: int) -> Run:
        """The run less its first tokens."""
        return Run(self.source + first, self.target + first, self.length - first)


def common_prefix(left: Sequence[int], right: Sequence[int]) -> int:
    """Length of the longest common prefix of two token lists."""
    shorter = min(len(left), len(right))
    if left[:shorter] == right[:shorter]:
        return shorter
    return next(i for i in range(shorter) if left[i] != right[i])


def find_runs(held: Sequence[int], prompt: Sequence[int], keep: int, minimum: int = MINIMUM) -> list[Run]:
    """Runs to move, in order and without overlap on either side, that together save most.

    ``held`` has a token or ``HOLE`` for each position. The first ``keep`` tokens stay where they are and are no part of
    a run, nor is the last token of ``prompt``, which must be evaluated for its logits.
    """
    if len(held) - keep < minimum or len(prompt) - 1 - keep < minimum:
        return []
    return _chain(_candidates(held, prompt, keep, minimum), minimum)


def moves(runs: Sequence[Run]) -> list[Run]:
    """The runs that change position, ordered so that none is moved onto one that still waits.

    Those that go up from the last to the first, then those that go down from the first to the last.
    """
    return [run for run in reversed(runs) if run.shift > 0] + [run for run in runs if run.shift < 0]


def _candidates(held: Sequence[int], prompt: Sequence[int], keep: int, minimum: int) -> list[Run]:
    """The longest runs between any two places, ordered by target."""
    places: dict[tuple[int, ...], list[int]] = {}
    for at in range(keep, len(held) - minimum + 1):
        found = places.setdefault(tuple(held[at : at + minimum]), [])
        if len(found) < _OCCURRENCES:
            found.append(at)
    end = len(prompt) - 1
    covered: dict[int, int] = {}  # by shift: where its last run ends
    runs: list[Run] = []
    looks = _LOOKS * len(prompt)
    for at in range(keep, end - minimum + 1):
        for source in places.get(tuple(prompt[at : at + minimum]), ()):
            if covered.get(at - source, 0) > at or looks < 0:
                continue
            length = minimum
            while at + length < end and source + length < len(held) and held[source + length] == prompt[at + length]:
                length += 1
            looks -= length
            covered[at - source] = at + length
            runs.append(Run(source, at, length))
    if len(runs) > _MOST:
        runs = sorted(sorted(runs, key=lambda run: -run.length)[:_MOST], key=lambda run: run.target)
    return runs


def _chain(runs: list[Run], minimum: int) -> list[Run]:
    """The chain of runs, increasing on both sides, with most tokens; where two overlap the later one is shortened."""
    best: list[tuple[int, list[Run]]] = []
    for run in runs:
        total, chain = run.length, [run]
        for earlier_total, earlier in best:
            last = earlier[-1]
            rest = run.without(max(0, last.target_end - run.target, last.source_end - run.source))
            if rest.length >= minimum and earlier_total + rest.length > total:
                total, chain = earlier_total + rest.length, [*earlier, rest]
        best.append((total, chain))
    return max(best, key=lambda entry: entry[0])[1] if best else []
