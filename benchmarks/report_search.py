"""Tables of the benchmarks that compare searches: ``natural`` and ``beside``, ``embedders``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.common import median, percentile
from benchmarks.scores import MEASURES, interval, mean_of_means, only, said

Row = dict[str, Any]
Markdown = Callable[[Sequence[str], Sequence[Sequence[object]], Row], str]
CODEMOAT = "codemoat"
NAMES = {"bm25-50-lines": "BM25, 50 lines", "bm25-files": "BM25, whole files", "semble": "semble 0.7.0"}


def natural(rows: list[Row], markdown: Markdown) -> str:
    """NDCG@10 a repository, the means of all measures, and paired differences."""
    if not rows:
        return ""
    rows = sorted(rows, key=lambda row: (row["language"], row["repo"]))
    systems = list(rows[0]["systems"])
    each = {s: {r["repo"]: r["systems"][s]["ndcg10_each"] for r in rows} for s in systems}
    body: list[Sequence[object]] = [
        (r["repo"], r["language"], r["tasks"], *(f"{r['systems'][s]['ndcg10']:.3f}" for s in systems)) for r in rows
    ]
    for measure, name in zip(MEASURES, ("NDCG@10", "recall@10", "MRR@10"), strict=True):
        means = (sum(r["systems"][s][measure] for r in rows) / len(rows) for s in systems)
        body.append((f"**mean {name}**", "", "", *(f"**{mean:.3f}**" for mean in means)))
    groups = {
        "source files to find": {r["repo"]: [not side for side in r["side"]] for r in rows},
        "tests or examples to find": {r["repo"]: r["side"] for r in rows},
        "the query holds a file's stem": {r["repo"]: r["named"] for r in rows},
        "it does not": {r["repo"]: [not named for named in r["named"]] for r in rows},
    }
    for name, kept in groups.items():
        count = sum(map(sum, kept.values()))
        if count:
            parts = (shown(only(each[s], kept)) for s in systems)
            body.append((f"NDCG@10, {name}", "", count, *parts))
    head = ("repository", "language", "tasks", *(NAMES.get(s, s) for s in systems))
    tasks = sum(r["tasks"] for r in rows)
    text = f"{tasks} commits of {len(rows)} histories in {len({r['language'] for r in rows})} languages, NDCG@10:\n\n"
    told = differences(each)
    if any(map(any, groups["tests or examples to find"].values())):
        source = {s: only(each[s], groups["source files to find"]) for s in systems}
        told += f"\nOnly where source files are to be found: {differences(source)}"
    return text + markdown(head, body, rows[-1]) + "\n" + told


def differences(each: dict[str, dict[str, list[float]]]) -> str:
    """Codemoat minus every other system, with intervals."""
    others = [system for system in each if system != CODEMOAT]
    both = {s: [name for name in each[CODEMOAT] if name in each[s]] for s in others}
    told = []
    for system, names in both.items():
        ours, theirs = ({name: each[s][name] for name in names} for s in (CODEMOAT, system))
        told.append(f"{NAMES.get(system, system)} {said(interval(ours, theirs))}")
    return f"NDCG@10 of codemoat minus that of (95 % bootstrap, paired): {'; '.join(told)}.\n" if told else ""


def beside(rows: list[Row], markdown: Markdown) -> str:
    """Quality by kind of query, times and their ratios; then quality by language."""
    judged = [row for row in rows if row.get("ndcg10_each")]
    if not judged:
        return ""
    systems = list(dict.fromkeys(row["system"] for row in judged))
    own = {s: [row for row in judged if row["system"] == s] for s in systems}
    each = {s: {r["repo"]: r["ndcg10_each"] for r in own[s]} for s in systems}
    kinds = sorted({kind for row in judged for kind in row["categories"]})
    timed = {s: spent([row for row in rows if row["system"] == s and "index_s" in row]) for s in systems}
    body: list[Sequence[object]] = []
    for system in systems:
        parts = []
        for kind in kinds:
            kept = {r["repo"]: [category == kind for category in r["categories"]] for r in own[system]}
            parts.append(shown(only(each[system], kept)))
        runs = timed[system]
        cells = (
            [f"{median(x[i] for x in runs):.{places}f}" for i, places in ((0, 2), (1, 2), (2, 1))] if runs else [""] * 3
        )
        body.append((NAMES.get(system, system), f"{mean_of_means(each[system]):.3f}", *parts, *cells))
    if timed.get(CODEMOAT) and timed.get("semble"):
        pairs = list(zip(timed[CODEMOAT], timed["semble"], strict=False))
        ratios = [f"{median(ours[i] / theirs[i] for ours, theirs in pairs):.2f}" for i in range(3)]
        body.append(("codemoat ÷ semble", "", *([""] * len(kinds)), *ratios))
    head = (
        "system",
        "NDCG@10",
        *(f"{kind} queries" for kind in kinds),
        "query p50, ms",
        "query p95, ms",
        "cold index of all, s",
    )
    languages = sorted({row["language"] for row in judged})
    by_language = [(name, *(shown(languages_of(own[s], name)) for s in systems)) for name in languages]
    count = sum(len(row["ndcg10_each"]) for row in own[CODEMOAT])
    runs = len(timed[CODEMOAT])
    first = (
        f"{len(own[CODEMOAT])} repositories, {count} queries; times are medians of {runs} run{'s' * (runs > 1)}.\n\n"
    )
    second = markdown(("language", *(NAMES.get(s, s) for s in systems)), by_language, rows[-1])
    return first + markdown(head, body, rows[-1]) + "\n" + differences(each) + "\n" + second


def languages_of(rows: Sequence[Row], name: str) -> dict[str, list[float]]:
    """NDCG@10 task by task of the repositories in one language."""
    return {row["repo"]: row["ndcg10_each"] for row in rows if row["language"] == name}


def shown(values: dict[str, list[float]]) -> str:
    """Mean of repositories' means, empty where there is none."""
    return f"{mean_of_means(values):.3f}" if any(values.values()) else ""


def spent(rows: list[Row]) -> list[tuple[float, float, float]]:
    """Of each whole run: median and 95th percentile of all queries' milliseconds, and seconds to index everything."""
    most = max((len({r["repo"] for r in rows if r["run"] == run}) for run in {r["run"] for r in rows}), default=0)
    found = []
    for run in sorted({row["run"] for row in rows}):
        own = [row for row in rows if row["run"] == run]
        if len(own) == most:
            queries = [value for row in own for value in row["query_ms"]]
            found.append((median(queries), percentile(queries, 0.95), sum(row["index_s"] for row in own)))
    return found


def embedders(rows: list[Row], markdown: Markdown) -> str:
    """What each embedding model costs and gives."""
    if not rows:
        return ""
    body: list[Sequence[object]] = []
    models = list(dict.fromkeys(row["embedder"] for row in rows))
    # Like with like: repositories that every model has been tried on.
    tried = [{row["repo"] for row in rows if row["embedder"] == name} for name in models]
    rows = [row for row in rows if row["repo"] in set.intersection(*tried)]
    for name in models:
        own = [row for row in rows if row["embedder"] == name]
        chunks, seconds = sum(r["chunks"] for r in own), sum(r["embed_s"] for r in own)
        alone = mean_of_means({r["repo"]: r["alone_each"] for r in own})
        ranked = (
            mean_of_means({r["repo"]: r["ndcg10_each"] for r in own if r.get("ndcg10_each")})
            if own[0].get("ndcg10_each")
            else None
        )
        query = median(value for r in own for value in r["query_ms"])
        cells = (
            f"{alone:.3f}",
            "" if ranked is None else f"{ranked:.3f}",
            f"{seconds / chunks * 1000:.1f} s",
            f"{query:.2f} ms",
        )
        body.append((own[0]["what"], *cells, f"{own[0]['megabytes']:.0f} MB", own[0]["dimension"]))
    repos = list(dict.fromkeys(row["repo"] for row in rows))
    count = sum(len(r["alone_each"]) for r in rows if r["embedder"] == rows[0]["embedder"])
    head = (
        "embedding",
        "alone, NDCG@10",
        "in the whole ranking",
        "1,000 chunks",
        "a query's vector",
        "on disk",
        "dimensions",
    )
    return f"{len(repos)} repositories ({', '.join(repos)}), {count} queries.\n\n" + markdown(head, body, rows[-1])
