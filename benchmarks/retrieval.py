"""Code search on a public benchmark: which files answer which queries, in the format that its scorer reads.

usage: python -m benchmarks.retrieval --queries F --repos-json F --repos DIR --out RESULTS.jsonl [--times T.json]

Every repository (its ``benchmark_root``, where given) is indexed through ``Index`` and asked each of its queries. One
line a query: ``repo``, ``query``, 20 ``results`` with paths relative to what was indexed, and commit, machine, seed
and milliseconds. A run that was stopped goes on where it stopped; another commit's lines are measured again.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.common import environment, median, percentile, read_rows
from indexer.config import IndexConfig
from indexer.index import Index

RESULTS_EACH = 20
_WARM_UP = 3
"""Queries asked before times count: the first ones read files into memory."""


def main(arguments: list[str] | None = None) -> int:
    """Measure what is missing in ``--out``; 1 when a repository is not there, 2 when none is."""
    options = parse(arguments)
    queries = by_repository(options.queries)
    repositories = json.loads(options.repos_json.read_text("utf-8"))
    seen = environment(options.seed)
    done = {(r["repo"], r["query"]) for r in read_rows(options.out) if r.get("commit") == seen["commit"]}
    missing, times = [], {}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    with options.out.open("a", encoding="utf-8") as out, cache_folder(options.cache) as cache:
        for repository in repositories:
            name = repository["name"]
            root = root_of(options.repos, repository)
            if not root.is_dir():
                missing.append(name)
                continue
            waiting = [q for q in queries.get(name, ()) if (name, q["query"]) not in done]
            if not waiting and not options.times:
                continue
            config = IndexConfig(cache_dir=cache, embedder=options.embedder)
            with Index.open(root, config, create=True) as index:
                started = time.perf_counter()
                report = index.update()
                seconds = time.perf_counter() - started
                for row in answers(index, name, waiting):
                    out.write(json.dumps({**row, **seen}) + "\n")
                    out.flush()
                if options.times and queries.get(name):
                    spent = query_times(index, [q["query"] for q in queries[name]])
                    times[name] = {"index_s": seconds, "files": report.files, "chunks": report.chunks, **spent}
            print(
                f"{name:18} {report.files:6} files {report.chunks:7} chunks {len(waiting):4} queries", file=sys.stderr
            )
    if options.times:
        options.times.write_text(json.dumps({**seen, "repositories": times}, indent=1), "utf-8")
    if missing:
        print(f"Not in {options.repos}, so left out: {', '.join(missing)}.", file=sys.stderr)
        return 2 if len(missing) == len(repositories) else 1
    return 0


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Command line of this script."""
    parser = argparse.ArgumentParser(description="Answer the queries of the public code search benchmark.")
    parser.add_argument("--queries", type=Path, required=True, help="one query a line, with repo and query")
    parser.add_argument("--repos-json", type=Path, required=True, help="name and benchmark_root of each repository")
    parser.add_argument("--repos", type=Path, required=True, help="folder with a folder for each repository")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--times", type=Path, help="write index seconds and query milliseconds here")
    parser.add_argument("--cache", type=Path, help="keep the indexes here (default: a temporary folder)")
    parser.add_argument("--embedder", default="static")
    parser.add_argument("--seed", type=int, default=0, help="recorded; nothing is drawn at random")
    return parser.parse_args(arguments)


def by_repository(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Queries of a file by the name of their repository, in order."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in path.read_text("utf-8").splitlines():
        query = json.loads(line)
        found[query["repo"]].append(query)
    return found


def root_of(repos: Path, repository: dict[str, Any]) -> Path:
    """The folder to index of a repository."""
    return repos / repository["name"] / (repository.get("benchmark_root") or ".")


@contextmanager
def cache_folder(given: Path | None) -> Iterator[Path]:
    """``given``, or a folder that is gone afterwards."""
    if given is not None:
        yield given
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def answers(index: Index, name: str, queries: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """One row for each query."""
    for query in queries:
        started = time.perf_counter()
        hits = index.search(query["query"], RESULTS_EACH).hits
        spent = time.perf_counter() - started
        results = [
            {"path": h.chunk.path, "start_line": h.chunk.span.start_line, "end_line": h.chunk.span.end_line}
            for h in hits
        ]
        yield {"repo": name, "query": query["query"], "results": results, "milliseconds": round(spent * 1e3, 3)}


def query_times(index: Index, queries: list[str]) -> dict[str, float]:
    """Median and 95th percentile of warm queries in this process, milliseconds."""
    for query in queries[:_WARM_UP]:
        index.search(query, 10)
    spent = []
    for query in queries:
        started = time.perf_counter()
        index.search(query, 10)
        spent.append((time.perf_counter() - started) * 1e3)
    return {"query_ms_p50": median(spent), "query_ms_p95": percentile(spent, 0.95)}


if __name__ == "__main__":
    raise SystemExit(main())
