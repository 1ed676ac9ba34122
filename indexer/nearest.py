"""The rows of several segments nearest to a vector."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from indexer.corpus import Near
from indexer.segment import Segment

_FEW_ROWS = 100_000
"""Allowed rows that are all scored, about 30 ms: the lists nearest to a query need not hold any of them."""


def nearest(
    segments: Sequence[Segment],
    bases: Sequence[int],
    alive: NDArray[np.bool_] | None,
    vector: NDArray[np.float32],
    n: int,
    allowed: NDArray[np.bool_] | None,
) -> Near:
    """The ``n`` living rows (of those ``allowed``) nearest to a unit vector, best first, equal ones by row.

    ``bases``: number of each segment's first row; ``alive`` and ``allowed``: masks over all rows, or None. Exact in
    segments without inverted lists, and where few rows are allowed.
    """
    vector = np.ascontiguousarray(vector, np.float32)
    parts: list[tuple[NDArray[np.int64], NDArray[np.float32]]] = []
    few = allowed is not None and np.count_nonzero(allowed) <= _FEW_ROWS
    total, counted = 0.0, 0
    for segment, base in zip(segments, bases, strict=False):
        if segment.lists is None:
            rows, cosines = np.arange(segment.rows, dtype=np.int64), segment.similarities(vector)
        else:
            own = allowed[base : base + segment.rows] if allowed is not None and few else None
            rows, cosines = segment.nearest_lists(vector, own)
            total += float(segment.mean @ vector) * segment.rows
            counted += segment.rows
        if base:
            rows = rows + base
        if alive is not None:
            live = alive[rows]
            rows, cosines = rows[live], cosines[live]
        if segment.lists is None:
            total += float(cosines.sum(dtype=np.float64))
            counted += len(cosines)
        if allowed is not None:
            rows, cosines = rows[allowed[rows]], cosines[allowed[rows]]
        parts.append(_highest(rows, cosines, n))
    if len(parts) == 1:
        return Near(*parts[0], total / max(1, counted))
    rows = np.concatenate([np.empty(0, np.int64), *(rows for rows, _ in parts)])
    cosines = np.concatenate([np.empty(0, np.float32), *(cosines for _, cosines in parts)])
    return Near(*_highest(rows, cosines, n), total / max(1, counted))


def _highest(
    rows: NDArray[np.int64], cosines: NDArray[np.float32], n: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The ``n`` highest, best first, equal ones by row."""
    if 0 < n < len(rows):
        keep = cosines >= np.partition(cosines, -n)[-n]
        rows, cosines = rows[keep], cosines[keep]
    order = np.lexsort((rows, -cosines))[: max(n, 0)]
    return rows[order], cosines[order]
