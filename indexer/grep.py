"""Exact search of one generation: signatures say which files may hold a match, their indexed texts say which do.

Texts are those of the index (``bodies``), not the files as they are now: a match is of the same generation as
everything else, unsaved buffers count, and a secret that the index masks can neither be found nor shown. docs/exact.md
says where that differs from ripgrep.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from indexer.errors import CancelledError
from indexer.exact import Line, LineOptions, Pattern
from indexer.filters import Allowed
from indexer.reports import GrepResult, Match
from indexer.required import ANYTHING, Query
from indexer.signature import places, trigrams_of

if TYPE_CHECKING:
    from indexer.control import Cancel
    from indexer.segment import Segment
    from indexer.snapshot import Snapshot

_COUNTED_FILES = 500
"""Files that are still read, after the last match to show, to say how many there are."""
_PLAIN = LineOptions()
_BITS_AT_ONCE = 1 << 12
_MANY_FILES = 2_000
"""From here on all paths are read at once."""


def grep(
    snapshot: Snapshot,
    pattern: Pattern,
    allowed: Allowed,
    kinds: tuple[str, ...] = (),
    options: LineOptions = _PLAIN,
    *,
    limit: int | None = None,
    count: bool = False,
    stale: bool = False,
    cancel: Cancel | None = None,
) -> GrepResult:
    """The first ``limit`` matching lines by path and place (None: all), and how many there are.

    ``kinds``: only lines within definitions of these kinds. ``count``: read on to the end, so that totals are exact;
    otherwise counting stops ``_COUNTED_FILES`` files after the last match to show (``GrepResult.complete`` says so).
    Raises CancelledError when ``cancel`` is set, which is looked at before every file.
    """
    found = candidates(snapshot, ANYTHING if options.invert else pattern.required, allowed.files)
    ordered = _by_path(snapshot, found)
    shown: list[Match] = []
    total = files = read = 0
    stop = len(ordered)
    for number, (path, file_id) in enumerate(ordered):
        if number >= stop:
            break
        if cancel is not None and cancel.cancelled:
            raise CancelledError("The search was cancelled.")
        read += 1
        text = snapshot.text_bytes(file_id)
        wanted = None if limit is None else max(0, limit - len(shown))
        own = 0
        if kinds or wanted is None or wanted:
            lines = pattern.other_lines(text) if options.invert else pattern.lines(text)
            if kinds:
                lines = _within(lines, _stretches(snapshot, path, kinds))
            chosen = [*islice(lines, wanted)]
            shown += _matches(path, text, chosen, pattern, options)
            own = len(chosen) + sum(1 for _ in lines)
        else:
            own = pattern.count(text, invert=options.invert)
        total += own
        files += bool(own)
        if limit is not None and len(shown) >= limit and not count and stop == len(ordered):
            stop = min(stop, number + 1 + _COUNTED_FILES)
    return GrepResult(
        tuple(shown), total, files, len(ordered), read, snapshot.generation.id, stale, snapshot.damaged
    )  # fmt: skip


def _matches(path: str, text: bytes, chosen: list[Line], pattern: Pattern, options: LineOptions) -> Iterator[Match]:
    if not options.before and not options.after:
        for line in chosen:
            raw = text[line.start : line.end]
            spans = () if options.invert else pattern.spans(raw)
            yield Match(path, line.number, spans, raw.decode("utf-8", "replace"))
        return
    lines = text.decode("utf-8", "replace").removesuffix("\n").split("\n")
    shown = 0  # number of the last line that was given
    for n, line in enumerate(chosen):
        number = line.number
        first = max(shown, number - 1 - options.before)
        following = chosen[n + 1].number - 1 if n + 1 < len(chosen) else len(lines)
        shown = min(number + options.after, following)
        raw = text[line.start : line.end]
        spans = () if options.invert else pattern.spans(raw)
        around = tuple(lines[first : number - 1]), tuple(lines[number:shown])
        yield Match(path, number, spans, raw.decode("utf-8", "replace"), *around)


def candidates(snapshot: Snapshot, required: Query, allowed: NDArray[np.int64] | None) -> NDArray[np.int64]:
    """Ids of the living files that may hold what is required, of those ``allowed``; ascending."""
    parts = [np.empty(0, np.int64)]
    for segment, dead in snapshot.parts():
        files = segment.column("signature_file").astype(np.int64)
        start = np.arange(len(files))
        if len(dead):
            start = start[~np.isin(files, dead)]
        if allowed is not None:
            start = start[np.isin(files[start], allowed)]
        parts.append(files[_Signatures(segment).holding(required, start)])
    return np.sort(np.concatenate(parts))


class _Signatures:
    """The bit arrays of a segment's files, side by side in the memory map."""

    def __init__(self, segment: Segment) -> None:
        ends = segment.column("signature_end").astype(np.int64)
        self._starts, self._bits = ends[:-1], np.diff(ends) * 8
        self._array = segment.column("signature_bits")

    def holding(self, query: Query, files: NDArray[Any]) -> NDArray[Any]:
        """Of the files (as places in the segment, ascending), those whose signatures have what the query wants."""
        if query.all:
            # Long literals first: they leave the fewest files for the rest.
            for part in sorted(query.parts, key=lambda part: -len(part) if isinstance(part, bytes) else 0):
                files = self._one(part, files)
            return files
        found = [self._one(part, files) for part in query.parts]
        return np.unique(np.concatenate(found)) if found else files

    def _one(self, part: Query | bytes, files: NDArray[Any]) -> NDArray[Any]:
        if isinstance(part, Query):
            return self.holding(part, files)
        files = files[self._bits[files] > 0]
        trigrams = np.array(trigrams_of(part), np.uint32)[:, np.newaxis]
        while len(trigrams) and len(files):
            # As many at once as the files are few: what numpy takes for a step hardly depends on its size then.
            step = max(1, _BITS_AT_ONCE // len(files))
            place = places(trigrams[:step], self._bits[files]).astype(np.int64)
            held = self._array[self._starts[files] + (place >> 3)] >> (place & 7).astype(np.uint8)
            files = files[(held & 1).all(axis=0)]
            trigrams = trigrams[step:]
        return files


def _by_path(snapshot: Snapshot, files: NDArray[np.int64]) -> list[tuple[str, int]]:
    if len(files) < _MANY_FILES:
        return sorted((snapshot.path(file_id), file_id) for file_id in files.tolist())
    wanted = set(files.tolist())
    return sorted((path, file_id) for file_id, path in snapshot.all_files() if file_id in wanted)


def _stretches(snapshot: Snapshot, path: str, kinds: tuple[str, ...]) -> list[tuple[int, int]]:
    symbols = snapshot.file_symbols(path)
    return [(s.span.start_line, s.span.end_line) for s in symbols if s.kind in kinds]


def _within(lines: Iterator[Line], stretches: list[tuple[int, int]]) -> Iterator[Line]:
    return (line for line in lines if any(first <= line.number <= last for first, last in stretches))
