"""Fit the weights of ranking on the public benchmark, and say honestly what fitting is worth.

usage: python -m benchmarks.fit_ranking --queries F --repos-json F --repos DIR --cache DIR [--out FIGURES.json] [--docs]

Loss: softmax cross-entropy between the scores of a query's files and those that answer it, repositories counting alike,
with an L2 pull towards ``BEFORE``, weights set by hand. Features come out of ``Hit.reasons``
(a part divided by its weight), so what is fitted is what users get. Reported, as NDCG@10: leave-one-repository-out
(each repository scored with weights that never saw it), ``BEFORE``, what each feature adds to the held-out figure, and
95 % bootstrap intervals over repositories of paired differences. The figure of the fitted weights on what they were
fitted to is not reported: it would flatter.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import ROOT, environment
from benchmarks.retrieval import by_repository, root_of
from indexer.config import IndexConfig
from indexer.index import Index
from indexer.ranking import FIXED, WEIGHTS

DOCS = ROOT / "docs" / "search.md"
Floats = NDArray[np.float64]
NAMES = list(WEIGHTS)
BEFORE = {
    "words": 1.0,
    "words_sum": 1.0,
    "meaning": 0.5,
    "meaning_sum": 0.3,
    "symbol_query": 2.0,
    "symbol": 1.5,
    "symbol_word": 0.5,
    "symbol_compound": 0.5,
    "file_name": 0.7,
    "file_name_words": 0.7,
    "folder": 0.3,
    "test": -0.8,
    "example": -0.5,
    "vendored": -0.5,
    "generated": -0.5,
    "documentation": -0.4,
    "configuration": -0.4,
    "shim": -0.3,
}
MANY = 5_000
"""More hits than any query has candidates."""
_PULL = 2e-3
_SHARPNESS = 4.0
"""Scores are differences of about one; times this, the softmax over files is neither flat nor a maximum."""


class Asked(NamedTuple):
    """A query with its candidate files: features, shape (files, weights), and which of them answer it."""

    repo: str
    language: str
    category: str
    paths: list[str]
    features: Floats
    right: NDArray[np.bool_]
    targets: list[str]


def main(arguments: list[str] | None = None) -> None:
    """Print the figures, and write them with all weights to ``--out``."""
    parser = argparse.ArgumentParser(description="Fit the weights of ranking and cross-validate them.")
    for name in ("queries", "repos-json", "repos", "cache"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--docs", action="store_true", help="write the figures into docs/search.md")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    asked = read(options)
    start = np.array([BEFORE[n] for n in NAMES])
    fitted = {r: fit([a for a in asked if a.repo != r], start) for r in sorted({a.repo for a in asked})}
    before = [ndcg(a, start) for a in asked]
    held_out = [ndcg(a, fitted[a.repo]) for a in asked]
    figures: dict[str, Any] = {
        **environment(options.seed),
        "before": by_group(asked, before, "category"),
        "leave_one_repository_out": by_group(asked, held_out, "category"),
        "leave_one_repository_out_by_language": by_group(asked, held_out, "language"),
        "held_out_minus_before": interval(asked, held_out, before, options.seed),
        "weights": {n: round(float(w), 2) for n, w in zip(NAMES, fit(asked, start), strict=True)},
        "adds": {},
    }
    for number, name in enumerate(NAMES):
        keep = np.arange(len(NAMES)) != number
        less = [ndcg(a, fitted[a.repo] * keep) for a in asked]
        figures["adds"][name] = interval(asked, held_out, less, options.seed)
    print(json.dumps(figures, indent=1))
    if options.out:
        options.out.write_text(json.dumps(figures, indent=1), "utf-8")
    if options.docs:
        DOCS.write_text(documented(DOCS.read_text("utf-8"), figures), "utf-8")


def documented(text: str, figures: dict[str, Any]) -> str:
    """``docs/search.md`` with these figures in its tables; what a feature means is written there by hand."""
    for name, (mean, low, high) in figures["adds"].items():
        row = rf"(?m)^\| `{name}` \| [^|]+ \| [^|]+ \|"
        text = re.sub(row, f"| `{name}` | {WEIGHTS[name]:.2f} | {mean:+.3f} [{low:+.3f}, {high:+.3f}] |", text)
    for label, key in (("set by hand", "before"), ("leave-one-repository-out", "leave_one_repository_out")):
        groups = [figures[key][g] for g in ("all", "semantic", "architecture", "symbol")]
        text = re.sub(rf"(?m)^\| {label} \|.*$", f"| {label} | {' | '.join(f'{g:.3f}' for g in groups)} |", text)
    languages = figures["leave_one_repository_out_by_language"]
    listed = " · ".join(f"{name} {value:.3f}" for name, value in languages.items() if name != "all")
    text = re.sub(r"(?m)(?<=each\): ).*$", f"{listed}.", text)
    held_out, before = (figures[key]["all"] for key in ("leave_one_repository_out", "before"))
    mean, low, high = figures["held_out_minus_before"]
    text = re.sub(r"(?<=leave-one-repository-out: )[\d.]+(?=\*\*)", f"{held_out:.3f}", text)
    gained = f"gave {before:.3f} (paired difference {mean:+.3f} [{low:+.3f}, {high:+.3f}])"
    return re.sub(r"gave [\d.]+ \(paired difference [^)]*\)", gained, text)


def read(options: argparse.Namespace) -> list[Asked]:
    """Every query's candidates from the indexes in ``--cache``, which are brought up to date first."""
    queries = by_repository(options.queries)
    found = []
    for repository in json.loads(options.repos_json.read_text("utf-8")):
        root = root_of(options.repos, repository)
        if not root.is_dir():
            print(f"{root} is not there, so left out.", file=sys.stderr)
            continue
        prefix = f"{repository['benchmark_root']}/" if repository.get("benchmark_root") else ""
        with Index.open(root, IndexConfig(cache_dir=options.cache), create=True) as index:
            index.update()
            found += [candidates(index, query, prefix) for query in queries.get(repository["name"], ())]
    return found


def candidates(index: Index, query: dict[str, Any], prefix: str) -> Asked:
    """One query's candidate files with features, in the order of their paths."""
    hits = [h for h in index.search(query["query"], MANY).hits if "further_chunk" not in h.reasons]
    hits.sort(key=lambda h: h.chunk.path)
    features = np.array([[h.reasons.get(n, 0.0) / WEIGHTS[n] for n in NAMES] for h in hits]).reshape(-1, len(NAMES))
    targets = [t["path"].removeprefix(prefix) for t in query["relevant"] + query["secondary"]]
    paths = [h.chunk.path for h in hits]
    right = np.array([any(same(p, t) for t in targets) for p in paths], np.bool_)
    return Asked(query["repo"], query["language"], query["category"], paths, features, right, targets)


def same(path: str, target: str) -> bool:
    """The benchmark's rule: equal, or one the tail of the other."""
    return path == target or path.endswith("/" + target) or target.endswith("/" + path)


def ndcg(asked: Asked, weights: Floats) -> float:
    """NDCG@10 of one query under ``weights``, as the benchmark defines it."""
    scores = np.round(asked.features @ weights, 6)
    best = [asked.paths[i] for i in np.argsort(-scores, kind="stable")[:10]]
    ranks = {next((i for i, p in enumerate(best) if same(p, t)), None) for t in asked.targets} - {None}
    gained = sum(1 / np.log2(rank + 2) for rank in ranks if rank is not None)
    return float(gained / sum(1 / np.log2(i + 2) for i in range(min(10, len(asked.targets)))))


def fit(asked: list[Asked], start: Floats, steps: int = 300) -> Floats:
    """Weights of least loss near ``start``, by Adam; those in ``FIXED`` stay."""
    known = [a for a in asked if a.right.any()]
    repos = [a.repo for a in known]
    share = {r: 1 / repos.count(r) / len(set(repos)) for r in repos}
    free = np.array([n not in FIXED for n in NAMES])
    weights = start * _SHARPNESS
    mean, square = np.zeros_like(weights), np.zeros_like(weights)
    for step in range(1, steps + 1):
        gradient = _PULL * (weights - start * _SHARPNESS)
        for a in known:
            scores = a.features @ weights
            likely = np.exp(scores - scores.max())
            gradient += share[a.repo] * (a.features.T @ (likely / likely.sum() - a.right / a.right.sum()))
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        weights = weights - free * 0.1 * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
    return weights / _SHARPNESS


def repository_mean(asked: list[Asked], values: list[float]) -> float:
    """Mean over repositories of their means."""
    groups: dict[str, list[float]] = {}
    for a, value in zip(asked, values, strict=True):
        groups.setdefault(a.repo, []).append(value)
    return float(np.mean([np.mean(g) for g in groups.values()]))


def by_group(asked: list[Asked], values: list[float], field: str) -> dict[str, float]:
    """Repository means over all queries and within each value of a field of ``Asked``."""
    out = {"all": round(repository_mean(asked, values), 4)}
    for group in sorted({getattr(a, field) for a in asked}):
        chosen = [(a, v) for a, v in zip(asked, values, strict=True) if getattr(a, field) == group]
        out[group] = round(repository_mean([a for a, _ in chosen], [v for _, v in chosen]), 4)
    return out


def interval(asked: list[Asked], new: list[float], old: list[float], seed: int) -> list[float]:
    """Mean paired difference and its 95 % bootstrap interval over repositories."""
    groups: dict[str, list[float]] = {}
    for a, x, y in zip(asked, new, old, strict=True):
        groups.setdefault(a.repo, []).append(x - y)
    means = np.array([np.mean(g) for g in groups.values()])
    draws = np.random.default_rng(seed).choice(means, (10_000, len(means))).mean(1)
    low, high = np.percentile(draws, [2.5, 97.5])
    return [round(float(x), 4) for x in (means.mean(), low, high)]


if __name__ == "__main__":
    main()
