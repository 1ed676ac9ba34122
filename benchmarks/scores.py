"""Figures of a ranking of files, and how sure a difference between two systems is. Every file to find has gain 1."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

DEPTH = 10
MEASURES = ("ndcg10", "recall10", "mrr10")
_DRAWS = 10_000


def ndcg(found: Sequence[str], targets: Collection[str]) -> float:
    """Normalised discounted cumulative gain of the first ten files (Järvelin, Kekäläinen, 2002); 0 … 1."""
    gain = sum(1 / math.log2(rank + 2) for rank, path in enumerate(found[:DEPTH]) if path in targets)
    return gain / sum(1 / math.log2(rank + 2) for rank in range(min(DEPTH, len(targets))))


def recall(found: Sequence[str], targets: Collection[str]) -> float:
    """Share of the files to find that are among the first ten."""
    return len(set(found[:DEPTH]) & set(targets)) / len(targets)


def reciprocal_rank(found: Sequence[str], targets: Collection[str]) -> float:
    """1 over the place of the first file to find, 0 where it is not among the first ten."""
    return next((1 / rank for rank, path in enumerate(found[:DEPTH], 1) if path in targets), 0.0)


def measured(found: Sequence[str], targets: Collection[str]) -> dict[str, float]:
    """All three for one task."""
    values = (ndcg(found, targets), recall(found, targets), reciprocal_rank(found, targets))
    return dict(zip(MEASURES, values, strict=True))


def distinct(paths: Iterable[str]) -> list[str]:
    """Files in the order of their first chunks."""
    return list(dict.fromkeys(paths))


def interval(
    one: Mapping[str, Sequence[float]], other: Mapping[str, Sequence[float]], seed: int = 0
) -> tuple[float, float, float]:
    """Mean of repositories' mean difference ``one - other``, and its 95 % bootstrap interval.

    Both hold a value a task under each repository, in one order: the differences are paired. Drawn are repositories,
    and in each its tasks, so that neither a lucky repository nor a lucky task looks like certainty.
    """
    pairs = [np.array(one[name]) - np.array(other[name]) for name in one if len(one[name])]
    draw = np.random.default_rng(seed)
    # Means of each repository under its own draws; then repositories are drawn among them.
    means = np.stack([d[draw.integers(0, len(d), (_DRAWS, len(d)))].mean(axis=1) for d in pairs])
    picked = draw.integers(0, len(pairs), (_DRAWS, len(pairs)))
    totals = means[picked, np.arange(_DRAWS)[:, None]].mean(axis=1)
    low, high = np.percentile(totals, [2.5, 97.5])
    return float(np.mean([d.mean() for d in pairs])), float(low), float(high)


def said(difference: tuple[float, float, float]) -> str:
    """An interval as the tables write it."""
    return f"{difference[0]:+.3f} [{difference[1]:+.3f}, {difference[2]:+.3f}]"


def mean_of_means(values: Mapping[str, Sequence[float]]) -> float:
    """Mean over repositories of the mean over tasks; those without tasks do not count."""
    return float(np.mean([np.mean(each) for each in values.values() if len(each)]))


def only(values: Mapping[str, Sequence[float]], kept: Mapping[str, Sequence[Any]]) -> dict[str, list[float]]:
    """The values of tasks whose entry in ``kept`` is true."""
    return {n: [v for v, keep in zip(values[n], kept[n], strict=True) if keep] for n in values}
