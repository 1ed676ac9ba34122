"""Merging segments: the rows that still live, in one segment, as if it had been written at once.

Columns that may be larger than memory pass through arrays on the disk.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.postings import Packed, Postings, blocks, decode_terms
from indexer.segment import Segment
from indexer.segment_write import DEFINITION_COLUMNS, REFERENCE_COLUMNS, SegmentWriter, ends, stable_order
from indexer.strings import Strings, folded

MOST_SEGMENTS = 8
"""More than this are merged: every query visits every segment."""


def choose(sizes: Sequence[tuple[int, int, int]]) -> list[int]:
    """Which segments to merge, given (number, rows, live rows) of each; none, or those of the answer into one.

    Hollow ones (more than half dead) always. When there are too many, the smallest ones, up to the first that is more
    than twice as large as all smaller ones together: so every row is merged a logarithmic number of times.
    """
    hollow = {number for number, rows, live in sizes if live * 2 < rows}
    if len(sizes) <= MOST_SEGMENTS:
        return sorted(hollow)
    by_size = sorted(sizes, key=lambda size: size[2])
    chosen, total = set(hollow), 0
    for position, (number, _, live) in enumerate(by_size):
        if position >= 2 and live > 2 * total:
            break
        chosen.add(number)
        total += live
    return sorted(chosen)


def merge(sources: Sequence[tuple[Segment, NDArray[np.int64]]], folder: Path) -> tuple[int, dict[int, int]]:
    """Merge ``sources``, each with the ids of its dead files, into ``folder``.

    Returns the number of rows and, for each live file, its first row.
    """
    writer = SegmentWriter(folder, sources[0][0].dimension)
    try:
        parts = [_Part(segment, dead) for segment, dead in sources]
        first = 0
        for part in parts:
            part.first_row = first
            first += part.live_rows
        files = np.concatenate([part.segment.column("row_file")[part.row_lives] for part in parts])
        writer.column("row_file", files)
        writer.column("row_length", np.concatenate([p.segment.column("row_length")[p.row_lives] for p in parts]))
        _merge_signatures(writer, parts)
        _merge_postings(writer, parts)
        _merge_named(writer, parts)
        for part in parts:
            for start in range(0, part.segment.rows, 65_536):
                window = slice(start, start + 65_536)
                writer.codes(part.codes[window][part.row_lives[window]])
        writer.finish(first)
    except BaseException:
        writer.discard()
        raise
    ids, rows = np.unique(files, return_index=True)
    return first, dict(zip(ids.tolist(), rows.tolist(), strict=True))


class _Part:
    """One source: which of its rows live, and where they go."""

    def __init__(self, segment: Segment, dead: NDArray[np.int64]) -> None:
        self.segment = segment
        self.dead = dead
        self.row_lives = ~np.isin(segment.column("row_file"), dead)
        self.live_rows = int(self.row_lives.sum())
        self.first_row = 0
        self.codes = segment.codes()
        self._before = np.cumsum(self.row_lives, dtype=np.int64) - 1

    def new_rows(self, rows: NDArray[Any]) -> NDArray[np.int64]:
        """Row numbers after merging, for rows that live."""
        moved: NDArray[np.int64] = self._before[rows] + self.first_row
        return moved


def _merge_signatures(writer: SegmentWriter, parts: Sequence[_Part]) -> None:
    """Bit arrays of the files that live, copied as they are."""
    lives = [~np.isin(part.segment.column("signature_file"), part.dead) for part in parts]
    sizes: list[NDArray[Any]] = [np.diff(part.segment.column("signature_end").astype(np.int64)) for part in parts]
    files = [part.segment.column("signature_file")[live] for part, live in zip(parts, lives, strict=True)]
    writer.column("signature_file", np.concatenate(files))
    writer.column("signature_end", ends(np.concatenate([own[live] for own, live in zip(sizes, lives, strict=True)])))
    bits = [
        part.segment.column("signature_bits")[np.repeat(live, own)]
        for part, live, own in zip(parts, lives, sizes, strict=True)
    ]
    writer.column("signature_bits", np.concatenate(bits))


def _merge_postings(writer: SegmentWriter, parts: Sequence[_Part]) -> None:
    """Terms in blocks, so that memory does not grow with the segments: equal terms stand together in every part."""
    terms = [_Terms(part) for part in parts]
    strings: list[bytes] = sorted(set().union(*(own.kept() for own in terms)))
    numbers = {string: number for number, string in enumerate(strings)}
    sizes = np.zeros(len(strings), np.int64)
    for own in terms:
        sizes += own.settle(numbers)
    writer.strings("term", strings)
    writer.postings(_merged_block(terms, block.first_term, block.end_term) for block in blocks(ends(sizes)))


def _merged_block(terms: Sequence[_Terms], first: int, end: int) -> Postings:
    """Postings of the merged terms ``first`` up to ``end``."""
    found = [own.postings(first, end) for own in terms]
    owners = np.concatenate([owner for owner, _, _ in found])
    # Stable: the rows of a later part are higher, and ascend within each.
    order = stable_order(owners.astype(np.uint32))
    first_of = ends(np.bincount(owners, minlength=end - first))
    rows, counts = (np.concatenate([column[i] for column in found])[order] for i in (1, 2))
    return Postings(first_of, rows, counts)


class _Terms:
    """The terms of one part, how many living postings each has, and which merged term each is."""

    def __init__(self, part: _Part) -> None:
        segment = part.segment
        self._part = part
        self._strings = segment.terms
        self._first = segment.column("posting_first").astype(np.int64)
        self._gaps, self._counts = segment.column("posting_gap"), segment.column("posting_count")
        self._live = np.zeros(len(self._strings), np.int64)
        for block in blocks(self._first):
            first, rows, _ = self._decoded(block.first_term, block.end_term)
            self._live[block.first_term : block.end_term] = _counts(first, part.row_lives[rows])
        self._terms = np.flatnonzero(self._live)
        self._owners = np.empty(0, np.int64)

    def kept(self) -> list[bytes]:
        """Terms that living rows hold, in order."""
        everything = self._strings.all()
        return [everything[number] for number in self._terms.tolist()]

    def settle(self, numbers: Mapping[bytes, int]) -> NDArray[np.int64]:
        """Take the numbers of the merged terms; how many postings this part gives to each."""
        self._owners = np.fromiter((numbers[term] for term in self.kept()), np.int64, len(self._terms))
        sizes = np.zeros(len(numbers), np.int64)
        sizes[self._owners] = self._live[self._terms]
        return sizes

    def postings(self, first: int, end: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]]:
        """Of the merged terms ``first`` up to ``end``: which one (counted from ``first``), new rows, counts."""
        low, high = np.searchsorted(self._owners, (first, end)).tolist()
        if low == high:
            return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.uint8)
        start, stop = int(self._terms[low]), int(self._terms[high - 1]) + 1
        own_first, rows, counts = self._decoded(start, stop)
        owner = np.zeros(stop - start, np.int64)
        owner[self._terms[low:high] - start] = self._owners[low:high] - first
        owners = np.repeat(owner, np.diff(own_first))
        live = self._part.row_lives[rows]
        return owners[live], self._part.new_rows(rows[live]), counts[live]

    def _decoded(self, start: int, stop: int) -> Postings:
        within = self._first[start : stop + 1]
        entries = slice(int(within[0]), int(within[-1]))
        return decode_terms(Packed(within - within[0], self._gaps[entries], self._counts[entries]))


def _merge_named(writer: SegmentWriter, parts: Sequence[_Part]) -> None:
    """References and definitions, which share the table of scopes."""
    union = sorted(set().union(*(set(part.segment.scopes.all()) for part in parts)))
    numbers = {scope: number for number, scope in enumerate(union)}
    renumbered = [
        np.fromiter(map(numbers.__getitem__, own), np.uint32, len(own))
        for own in (part.segment.scopes.all() for part in parts)
    ]
    uses = _MergedEntries(writer, parts, "name", REFERENCE_COLUMNS, renumbered)
    definitions = _MergedEntries(writer, parts, "def", DEFINITION_COLUMNS, renumbered, key=folded)
    used = np.union1d(uses.columns["ref_scope"], definitions.columns["def_scope"])
    writer.strings("scope", [union[number] for number in used])
    for merged in (uses, definitions):
        merged.write(used)


class _MergedEntries:
    """Entries below names (references, definitions) of several segments as one."""

    def __init__(
        self,
        writer: SegmentWriter,
        parts: Sequence[_Part],
        table: str,
        labels: Sequence[str],
        scopes: Sequence[NDArray[np.uint32]],
        *,
        key: Callable[[bytes], Any] | None = None,
    ) -> None:
        self._writer, self._table = writer, table
        file_label, scope_label = labels[0], next(label for label in labels if label.endswith("_scope"))
        lives = [~np.isin(part.segment.column(file_label), part.dead) for part in parts]
        firsts = [part.segment.column(f"{table}_first") for part in parts]
        tables = [part.segment.names if table == "name" else part.segment.defined for part in parts]
        self._strings = _MergedStrings(tables, firsts, lives, key)
        self.columns = {label: writer.scratch(label, self._strings.total, np.uint32) for label in labels}
        for part, live, place, numbers in zip(parts, lives, self._strings.places, scopes, strict=True):
            for label, out in self.columns.items():
                values = part.segment.column(label)[live]
                if label == scope_label:
                    values = numbers[values]
                elif label == "def_row":
                    values = part.new_rows(values)
                out[place] = values

    def write(self, used_scopes: NDArray[Any]) -> None:
        """Append names and columns; scopes as places among ``used_scopes``."""
        self._writer.strings(self._table, self._strings.strings)
        self._writer.column(f"{self._table}_first", self._strings.first)
        for label, values in self.columns.items():
            self._writer.column(label, np.searchsorted(used_scopes, values) if label.endswith("_scope") else values)


class _MergedStrings:
    """Several string tables with entries below each string, as one: what remains, and where each live entry goes."""

    def __init__(
        self,
        tables: Sequence[Strings],
        firsts: Sequence[NDArray[Any]],
        lives: Sequence[NDArray[np.bool_]],
        key: Callable[[bytes], Any] | None = None,
    ) -> None:
        counts = [_counts(first, live) for first, live in zip(firsts, lives, strict=True)]
        kept = [
            [string for string, count in zip(table.all(), own.tolist(), strict=True) if count]
            for table, own in zip(tables, counts, strict=True)
        ]
        self.strings: list[bytes] = sorted(set().union(*kept), key=key)
        numbers = {string: number for number, string in enumerate(self.strings)}
        owners = [np.fromiter(map(numbers.__getitem__, own), np.int64, len(own)) for own in kept]
        sizes = np.zeros(len(self.strings), np.int64)
        for owner, count in zip(owners, counts, strict=True):
            sizes[owner] += count[count > 0]
        self.first = ends(sizes)
        self.total = int(self.first[-1])
        self.places: list[NDArray[np.int64]] = []
        """For each table, where its live entries go, in their order."""
        free = self.first[:-1].copy()
        for owner, count in zip(owners, counts, strict=True):
            own_sizes = count[count > 0]
            starts = ends(own_sizes)[:-1]
            self.places.append(np.repeat(free[owner] - starts, own_sizes) + np.arange(int(own_sizes.sum())))
            free[owner] += own_sizes


def _counts(first: NDArray[Any], live: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How many live entries each string has."""
    running = np.zeros(len(live) + 1, np.int64)
    np.cumsum(live, out=running[1:])
    bounds: NDArray[np.int64] = running[first.astype(np.int64)]
    return np.diff(bounds)
