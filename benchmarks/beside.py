"""Code search on the public benchmark, codemoat and semble in turns: quality, query times and cold index times.

usage: python -m benchmarks.beside --shared ../shared/bench/retrieval --repos DIR [--runs N] [--no-semble] [--fresh]

Repository by repository and run by run, each system indexes the tree into an empty cache and is asked all queries of
the repository, in one process each that lives on, so that neither starts anew: no import and no model load is in any
time. Which system goes first changes from run to run. Query times are of the ten best, after three queries to warm up.
Quality is judged by the benchmark's own scorer on 20 results; plain BM25 (``plain_bm25.py``, 50-line pieces of source
files) is judged beside them, without times. A line a repository, run and system in ``results/beside.jsonl``.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.common import ROOT, Results
from benchmarks.natural_tasks import is_source
from benchmarks.plain_bm25 import PIECE_LINES, PlainBm25
from benchmarks.retrieval import RESULTS_EACH, by_repository, root_of
from benchmarks.semble_peer import Semble
from indexer.config import IndexConfig
from indexer.index import Index

SHARED = ROOT.parent / "shared" / "bench" / "retrieval"
CODEMOAT, SEMBLE, BM25 = "codemoat", "semble", f"bm25-{PIECE_LINES}-lines"
_WARM_UP = 3
_TIMED_RESULTS = 10
Query = dict[str, Any]
Answer = list[dict[str, Any]]


def main(arguments: list[str] | None = None) -> int:
    """Measure what has no row yet; 1 when a repository is not there, 2 when the benchmark is not."""
    options = parse(arguments)
    if not (options.shared / "queries.jsonl").exists():
        print(f"beside: skipped. The benchmark's queries, repos.json and score.py are not in {options.shared}; they are"
              " not part of this repository. Give their folder with --shared.", file=sys.stderr)  # fmt: skip
        return 2
    queries = by_repository(options.shared / "queries.jsonl")
    repositories = json.loads((options.shared / "repos.json").read_text("utf-8"))
    missing = [r["name"] for r in repositories if not root_of(options.repos, r).is_dir()]
    results = Results(options.results, fresh=options.fresh)
    judge = scorer(options.shared / "score.py")
    with ExitStack() as stack:
        semble = None if options.no_semble else stack.enter_context(Semble())
        for run in range(options.runs):
            for repository in repositories:
                name, root = repository["name"], root_of(options.repos, repository)
                if name in missing or (options.only and name not in options.only):
                    continue
                systems = [CODEMOAT, *([SEMBLE] if semble else [])]
                for system in systems[::-1] if run % 2 else systems:
                    if results.done(repo=name, run=run, system=system):
                        continue
                    row, found = measure(system, root, queries[name], semble)
                    scored = judge(queries[name], found) if run == 0 else {}
                    results.add({"repo": name, "run": run, "system": system, **row, **scored}, options.seed)
                if run == 0 and not results.done(repo=name, system=BM25):
                    scored = judge(queries[name], plain(root, queries[name]))
                    results.add({"repo": name, "run": 0, "system": BM25, **scored}, options.seed)
                print(line(name, run, results.rows), file=sys.stderr)
    if missing:
        print(f"Not in {options.repos}, so left out: {', '.join(missing)}.", file=sys.stderr)
    return int(bool(missing))


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Command line of this script."""
    parser = argparse.ArgumentParser(description="codemoat and semble in turns on the public code search benchmark.")
    parser.add_argument("--shared", type=Path, default=SHARED, help="folder of queries.jsonl, repos.json and score.py")
    parser.add_argument("--repos", type=Path, required=True, help="folder with a folder for each repository")
    parser.add_argument("--runs", type=int, default=3, help="runs whose times are taken (default 3)")
    parser.add_argument("--only", action="append", help="name of a repository; again for more (default: all)")
    parser.add_argument("--results", default="beside", help="name of the file of raw results")
    parser.add_argument("--no-semble", action="store_true")
    parser.add_argument("--fresh", action="store_true", help="forget earlier rows")
    parser.add_argument("--seed", type=int, default=0, help="recorded; nothing is drawn at random")
    return parser.parse_args(arguments)


def measure(
    system: str, root: Path, queries: Sequence[Query], semble: Semble | None
) -> tuple[dict[str, Any], list[Answer]]:
    """Seconds to index, milliseconds of each query, and the answers in the order of the queries."""
    texts = [query["query"] for query in queries]
    if system == SEMBLE:
        assert semble
        seconds, chunks = semble.index(root)
        milliseconds = times(texts, lambda text: semble.search(text, _TIMED_RESULTS)[0])
        found = [semble.search(text, RESULTS_EACH)[1] for text in texts]
    else:
        with tempfile.TemporaryDirectory() as cache:
            started = time.perf_counter()
            with Index.open(root, IndexConfig(cache_dir=Path(cache)), create=True) as index:
                chunks = index.update().chunks
                seconds = time.perf_counter() - started
                milliseconds = times(texts, lambda text: clocked(lambda: index.search(text, _TIMED_RESULTS)))
                found = [hits_of(index, text) for text in texts]
    return {"index_s": round(seconds, 3), "chunks": chunks, "query_ms": milliseconds}, found


def times(texts: Sequence[str], ask: Callable[[str], float]) -> list[float]:
    """Milliseconds of every query, after a few that do not count."""
    for text in texts[:_WARM_UP]:
        ask(text)
    return [round(ask(text) * 1e3, 3) for text in texts]


def clocked(what: Callable[[], object]) -> float:
    """Seconds that a call takes."""
    started = time.perf_counter()
    what()
    return time.perf_counter() - started


def hits_of(index: Index, text: str) -> Answer:
    """Results of one query as the scorer reads them."""
    return [
        {"path": h.chunk.path, "start_line": h.chunk.span.start_line, "end_line": h.chunk.span.end_line}
        for h in index.search(text, RESULTS_EACH).hits
    ]


def plain(root: Path, queries: Sequence[Query]) -> list[Answer]:
    """Answers of plain BM25."""
    paths = [p for p in sorted(root.rglob("*")) if p.is_file() and not p.is_symlink()]
    names = {p.relative_to(root).as_posix(): p for p in paths}
    texts = {n: p.read_text("utf-8", "replace") for n, p in names.items() if is_source(n) and not n.startswith(".git/")}
    search = PlainBm25(texts, PIECE_LINES)
    return [
        [{"path": path, "start_line": None, "end_line": None} for path in search.files(query["query"], RESULTS_EACH)]
        for query in queries
    ]


def scorer(path: Path) -> Callable[[Sequence[Query], Sequence[Answer]], dict[str, Any]]:
    """The benchmark's own judgement of one repository's answers: NDCG@10 a query, and the kinds of the queries."""
    spec = importlib.util.spec_from_file_location("benchmark_scorer", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def judge(queries: Sequence[Query], answers: Sequence[Answer]) -> dict[str, Any]:
        rows = [{"repo": q["repo"], "query": q["query"], "results": a} for q, a in zip(queries, answers, strict=True)]
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "results.jsonl")
            file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
            scored = list(module.evaluate(str(file), repos={queries[0]["repo"]}))
        return {
            "language": queries[0]["language"],
            "ndcg10_each": [round(found["ndcg10"], 4) for _, found, _ in scored],
            "categories": [query["category"] for query, _, _ in scored],
        }

    return judge


def line(name: str, run: int, rows: Sequence[dict[str, Any]]) -> str:
    """What is printed for a repository."""
    own = [row for row in rows if row["repo"] == name and row["run"] == run]
    said = [f"{r['system']} {r['index_s']:.2f} s" for r in own if "index_s" in r]
    said += [f"{r['system']} {sum(r['ndcg10_each']) / len(r['ndcg10_each']):.3f}" for r in own if r.get("ndcg10_each")]
    return f"{name:18} run {run}  {'  '.join(said)}"


if __name__ == "__main__":
    raise SystemExit(main())
