"""Readers beside a writer: eight processes search while a whole tree is indexed anew, against the same with no writer.

usage: python -m benchmarks.concurrency [--readers N] [--pause S] [--rebuilds N] TREE

Every reader asks one query after the other with a pause in between, as people do: without it eight readers alone would
keep any small machine busy, and the figures would be about its scheduler. Times are of the search call, warm.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.common import ROOT, Results, percentile
from indexer import Index, IndexConfig

QUERIES = """
where is a form field validated
csrf token check in middleware
open a database connection
template loader
QuerySet.filter
def get_queryset
migration autodetector
class Model
how are sessions stored
parse multipart upload
cache key prefix
admin changelist ordering
resolve url pattern
send mail with smtp
translate a string lazily
password hasher upgrade
serialize objects to json
signal receivers weak reference
static files manifest
test client login
geometry field srid
aggregate annotations
prefetch_related
HttpResponse streaming
paginate a list
timezone aware datetime
generic foreign key
run management command
""".strip().splitlines()
IDLE_SECONDS = 10.0


def main() -> None:
    """Measure both and append a raw row each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tree", type=Path)
    parser.add_argument("--readers", type=int, default=8)
    parser.add_argument("--pause", type=float, default=0.2, help="seconds between a reader's queries")
    parser.add_argument("--rebuilds", type=int, default=3)
    parser.add_argument("--reader", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--cache", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.reader is not None:
        read(args.tree, args.cache, args.reader, args.pause)
        return
    results = Results("concurrency", fresh=True)
    for row in measure(args.tree, args.readers, args.pause, args.rebuilds):
        results.add(row)
        print(row)


def measure(tree: Path, readers: int, pause: float, rebuilds: int) -> list[dict[str, Any]]:
    """Rows ``idle`` and ``full re-index``: queries, errors, milliseconds."""
    with tempfile.TemporaryDirectory() as cache:
        config = IndexConfig(cache_dir=Path(cache))
        with Index.open(tree, config, create=True) as index:
            index.update()
            with reading(tree, cache, readers, pause) as answers:
                windows = {"idle": [_window(lambda: time.sleep(IDLE_SECONDS))]}
                windows["full re-index"] = [_window(index.rebuild) for _ in range(rebuilds)]
    rows = []
    for phase, spans in windows.items():
        own = [a for a in answers if any(start <= a["at"] and a["at"] + a["ms"] / 1000 <= end for start, end in spans)]
        times = [answer["ms"] for answer in own if not answer["error"]]
        errors = sorted({answer["error"] for answer in own if answer["error"]})
        rows.append({
            "tree": tree.name, "phase": phase, "readers": readers, "pause_s": pause,
            "seconds": round(sum(end - start for start, end in spans), 1), "queries": len(own),
            "errors": len(own) - len(times), "error_texts": errors[:5],
            "generations": len({answer["generation"] for answer in own}),
            "p50_ms": round(percentile(times, 0.5), 1), "p95_ms": round(percentile(times, 0.95), 1),
        })  # fmt: skip
    return rows


def _window(work: Any) -> tuple[float, float]:
    started = time.monotonic()
    work()
    return started, time.monotonic()


@contextmanager
def reading(tree: Path, cache: str, readers: int, pause: float) -> Iterator[list[dict[str, Any]]]:
    """Readers that search for as long as the block runs; the list is filled at its end."""
    command = [sys.executable, "-m", "benchmarks.concurrency", str(tree), "--cache", cache, "--pause", str(pause)]
    processes = [
        subprocess.Popen(
            [*command, "--reader", str(n)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for n in range(readers)
    ]
    answers: list[dict[str, Any]] = []
    outputs: list[str] = []
    try:
        for process in processes:
            assert process.stdout is not None
            process.stdout.readline()  # it has opened the index and searched once
        yield answers
    finally:
        outputs += [process.communicate()[0] for process in processes]
    for output in outputs:
        answers += [json.loads(line) for line in output.splitlines()]


def read(tree: Path, cache: Path, seed: int, pause: float) -> None:
    """One reader: search until standard input ends, then write a line a query."""
    import select

    rng = random.Random(seed)
    with Index.open(tree, IndexConfig(cache_dir=cache)) as index:
        answers = [_ask(index, query) for query in QUERIES]  # warm
        print("ready", flush=True)
        answers.clear()
        # Readers that all ask at once would measure each other.
        while not select.select([sys.stdin], [], [], pause * rng.uniform(0.5, 1.5))[0]:
            answers.append(_ask(index, rng.choice(QUERIES)))
    _write(answers)


def _ask(index: Index, query: str) -> dict[str, Any]:
    started = time.monotonic()
    error, generation = "", 0
    try:
        found = index.search(query, 10)
        generation = found.generation
        if not found.hits:
            error = "no hits"
    except Exception as exc:  # noqa: BLE001
        error = f"{type(exc).__name__}: {exc}"
    return {"at": started, "ms": (time.monotonic() - started) * 1000, "error": error, "generation": generation}


def _write(answers: Sequence[dict[str, Any]]) -> None:
    sys.stdout.write("".join(json.dumps(answer) + "\n" for answer in answers))


if __name__ == "__main__":
    main()
