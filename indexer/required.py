"""What a text must hold to match a pattern: literals joined by *and* and *or*, asked of the files' signatures.

The analysis is that of Russ Cox, "Regular Expression Matching with a Trigram Index" (2012), simplified: stretches of
which all spellings are known (up to a number), between gaps of which nothing is known. It only ever leaves out what
cannot match; when in doubt everything may.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from indexer.signature import fold

_MOST_SPELLINGS = 64
"""Spellings of one stretch that are kept apart."""
_MOST_BYTES = 128
"""Length from which a stretch is followed no further: its start tells enough."""
_MOST_PARTS = 256
"""Parts in a row that repetition may make."""
_MOST_COPIES = 4
"""Copies of what is repeated that are followed."""


class Query(NamedTuple):
    """``all`` or any of ``parts``; a part that is bytes is a folded literal of three bytes or more."""

    all: bool
    parts: tuple[Query | bytes, ...]


ANYTHING = Query(True, ())
"""Every text qualifies."""

Stretch = frozenset[bytes]
"""All spellings, folded, of a part of the pattern."""
Sequence_ = list[Stretch | Query]
"""Parts in a row: known stretches, and gaps that may be anything that fulfils a query."""


def character(char: str, *, ignore_case: bool) -> Stretch | Query:
    """One character; a gap where other characters that no folding of ASCII knows may stand for it."""
    if ignore_case and not char.isascii() and not char == char.lower() == char.upper() == char.casefold():
        return ANYTHING
    return frozenset([fold(char.encode("utf-8", "replace"))])


def characters(chars: Iterable[str], *, ignore_case: bool) -> Stretch | Query:
    """One of several characters."""
    found: set[bytes] = set()
    for char in chars:
        one = character(char, ignore_case=ignore_case)
        if isinstance(one, Query):
            return ANYTHING
        found |= one
    return frozenset(found)


def either(branches: Sequence[Sequence_]) -> Sequence_:
    """Alternatives."""
    spelled = [_spellings(branch) for branch in branches]
    known = [own for own in spelled if own is not None]
    if len(known) == len(spelled):
        union = frozenset().union(*known)
        if len(union) <= _MOST_SPELLINGS:
            return [union]
    queries = [query_of(branch) for branch in branches]
    return [ANYTHING if ANYTHING in queries else Query(False, tuple(queries))]


def repeated(part: Sequence_, least: int, most: int | None) -> Sequence_:
    """``part`` from ``least`` to ``most`` times (None: any number)."""
    if least == 0:
        spelled = _spellings(part) if most == 1 else None
        return [ANYTHING] if spelled is None else [spelled | {b""}]
    if len(part) * min(least, _MOST_COPIES) > _MOST_PARTS:
        return [query_of(part)]
    copies = part * min(least, _MOST_COPIES)
    return copies if most == least <= _MOST_COPIES else [*copies, ANYTHING, *copies]


def query_of(parts: Sequence_) -> Query:
    """What a text must hold to have all the parts in a row."""
    needed: list[Query | bytes] = []
    run = frozenset([b""])
    for part in parts:
        if isinstance(part, Query):
            needed += _need(run)
            needed += [part] if part.parts else []
            run = frozenset([b""])
        elif len(run) * len(part) > _MOST_SPELLINGS or max(map(len, run), default=0) > _MOST_BYTES:
            needed += _need(run)
            run = part
        else:
            run = frozenset(a + b for a in run for b in part)
    needed += _need(run)
    return Query(True, tuple(dict.fromkeys(needed)))


def _need(run: Stretch) -> list[Query | bytes]:
    if not run or min(map(len, run)) < 3:
        return []
    return [next(iter(run))] if len(run) == 1 else [Query(False, tuple(sorted(run)))]


def _spellings(parts: Sequence_) -> Stretch | None:
    """All spellings of the parts in a row; None where they are unknown or many."""
    run = frozenset([b""])
    for part in parts:
        if isinstance(part, Query) or len(run) * len(part) > _MOST_SPELLINGS:
            return None
        if max(map(len, run), default=0) > _MOST_BYTES:
            return None
        run = frozenset(a + b for a in run for b in part)
    return run
