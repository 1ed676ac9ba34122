"""Exact search beside ripgrep: the same patterns on the same tree, as whole processes and within one that stays.

usage: python -m benchmarks.grep [--repeats N] [--fresh] TREE…

The two take turns, caches of the file system warm. ripgrep writes every matching line into a pipe; codemoat shows 100
and counts, as by default, or with ``all`` writes every line too. Before anything is timed, both must find the same
lines in the files that both look at (those of the index, without the few in which it masks secrets). Rows say how many
files were read: that, not a time, is what an index is for. The index is made in a folder of its own in the cache
directory and kept there.
"""

from __future__ import annotations

import argparse
import subprocess
import time
from pathlib import Path
from typing import Any

from benchmarks.common import CODEMOAT, Results, median, run_timed
from indexer.config import IndexConfig
from indexer.index import Index
from indexer.location import cache_dir

MANY_LINES = 20_000
"""From here on all lines are written out once only: nobody reads them, and it takes long."""
PATTERNS = {
    "linux": [
        ("-e", "kmem_cache_alloc_bulk"), ("-e", "no such text anywhere"), ("-e", "container_of("),
        ("-e", "ENOSPC"), ("-e", "return"), ("-i -e", "ext4_fill_super"), ("-i -e", "todo"),
        ("-E", r"mutex_(un)?lock_\w+\("), ("-E", r"struct \w+_operations \w+ = \{"), ("-E", r"\bspin_lock_irq\b"),
        ("-E", r"^static int \w+_probe\(struct pci_dev"), ("-E", r"[a-z]+_[a-z]+_deadlock"), ("-E", r"\d{9,}UL"),
        ("-i -E", r"fixme|xxx:"),
    ],
    "": [
        ("-e", "get_queryset"), ("-e", "no such text anywhere"), ("-e", "return"), ("-i -e", "queryset("),
        ("-E", r"class \w+Mixin\b"), ("-E", r"raise (\w+)Error\("), ("-i -E", r"todo|fixme"),
    ],
}  # fmt: skip
"""By the beginning of the tree's name; codemoat's options with each."""


def main() -> None:
    """Measure every pattern on every tree; one row each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trees", nargs="+", type=Path)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--fresh", action="store_true")
    args = parser.parse_args()
    results = Results("grep", fresh=args.fresh)
    for tree in (path.resolve() for path in args.trees):
        cache = cache_dir() / "benchmarks-grep"
        with Index.open(tree, IndexConfig(cache_dir=cache), create=True) as index:
            index.update()
            status = index.status()
            for options, pattern in PATTERNS["linux" if tree.name.startswith("linux") else ""]:
                key = {"tree": tree.name, "options": options, "pattern": pattern}
                if not results.done(**key):
                    row = key | compared(index, tree, options, pattern)
                    row |= timed(index, tree, cache, row, args.repeats)
                    row |= {"files_indexed": status.files, "source_bytes": status.bytes}
                    results.add(row | {"index_bytes": status.bytes_on_disk})
                    print(row, flush=True)


def asked(options: str, pattern: str) -> dict[str, Any]:
    """The keywords of ``Index.grep``."""
    return {"pattern": pattern, "regex": "-E" in options, "ignore_case": "-i" in options}


def ripgrep(options: str, pattern: str) -> list[str]:
    """The same for rg: also hidden and ignored files, since what counts is the index's list."""
    case = ["-i"] if "-i" in options else []
    fixed = [] if "-E" in options else ["-F"]
    return ["rg", "-n", "--no-heading", "--with-filename", "--color=never", *case, *fixed, "-e", pattern]


def compared(index: Index, tree: Path, options: str, pattern: str) -> dict[str, Any]:
    """How many lines there are and how many files are read for them; SystemExit if ripgrep finds other lines."""
    found = index.grep(**asked(options, pattern))
    with index._view() as snapshot:
        masked = {path for (path,) in snapshot.database.rows("SELECT path FROM files WHERE masked > 0")}
    known = set(index.paths()) - masked
    ours = {(m.path, m.line, m.text) for m in found.matches if m.path in known}
    theirs = set()
    command = [*ripgrep(options, pattern), "--null", "--hidden", "--no-ignore", "."]
    output = subprocess.run(command, cwd=tree, capture_output=True, check=False).stdout
    for line in output.split(b"\n")[:-1]:
        path, _, rest = line.partition(b"\0")
        number, _, text = rest.partition(b":")
        name = path.decode("utf-8", "surrogateescape").removeprefix("./")
        if name in known:
            theirs.add((name, int(number), text.decode("utf-8", "replace")))
    if ours != theirs:
        raise SystemExit(f"{options} {pattern}: not what ripgrep finds: {sorted(ours ^ theirs)[:3]}")
    first = index.grep(**asked(options, pattern), limit=100)
    return {"lines": found.total, "candidates": found.candidates, "files": found.files, "read_for_100": first.read}


def timed(index: Index, tree: Path, cache: Path, row: dict[str, Any], repeats: int) -> dict[str, Any]:
    """Medians in seconds: both as processes in turns, and the open index."""
    options, pattern = row["options"], row["pattern"]
    ours = [str(CODEMOAT), "search", "--path", str(tree), *options.split(), pattern]
    every = [*ours, "-k", "100000000"]
    env = {"CODEMOAT_CACHE_DIR": str(cache)}
    times: dict[str, list[float]] = {"rg_s": [], "codemoat_s": [], "codemoat_all_s": [], "inside_s": []}
    for _ in range(repeats):
        started = time.perf_counter()
        subprocess.run([*ripgrep(options, pattern), "."], cwd=tree, capture_output=True, check=False)
        times["rg_s"].append(time.perf_counter() - started)
        times["codemoat_s"].append(run_timed(ours, env=env))
        if row["lines"] < MANY_LINES or not times["codemoat_all_s"]:
            times["codemoat_all_s"].append(run_timed(every, env=env))
        started = time.perf_counter()
        index.grep(**asked(options, pattern), limit=100)
        times["inside_s"].append(time.perf_counter() - started)
    return {name: round(median(values), 4) for name, values in times.items()} | {"runs": repeats}


if __name__ == "__main__":
    main()
