"""What a change costs in a repository of 10,000 files: one edit until search sees it, no change, a branch switch.

usage: python -m benchmarks.changes [--repeats N]

The tree is linux-core of benchmarks/trees.py, committed to git. ``edit``: a file is saved and the index is told, as a
watcher or a language server does, with parse processes kept. ``watched``: a file is saved and nothing is told; the
clock stops when a search finds the new text. ``command``: ``codemoat index`` as a whole process.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.common import CODEMOAT, Results, median, percentile, run_measured
from benchmarks.trees import tree
from indexer.config import IndexConfig
from indexer.index import Index
from indexer.watch import Watcher

SWITCHED = 100
"""Files that differ between the two branches."""
PATIENCE = 30.0


def main() -> None:
    """Measure everything once; each figure is a median of several."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=21)
    repeats = parser.parse_args().repeats
    results = Results("changes", fresh=True)
    with tempfile.TemporaryDirectory(dir=tree("linux-core").parent) as work:
        root, cache = repository(Path(work) / "repository"), Path(work) / "cache"
        config = IndexConfig(cache_dir=cache)
        with Index.open(root, config, create=True) as index:
            files = index.update().files
            index.keep_workers()
            index.search("warm up")
            edited = sorted((root / "kernel").rglob("*.c"))[: repeats + 1]
            for name, seconds in (
                ("edit", edits(index, root, edited)),
                ("watched", watched(index, root, config, edited)),
                ("no change", [timed(index.update) for _ in range(repeats)]),
                ("branch switch", switches(index, root, repeats)),
                ("no change, command", commands(root, cache, min(repeats, 7))),
            ):
                row = {"what": name, "files": files, "runs": len(seconds), **figures(seconds)}
                results.add(row)
                print(row, flush=True)


def figures(seconds: list[float]) -> dict[str, Any]:
    """Median and 95th percentile in milliseconds."""
    return {"ms_p50": round(median(seconds) * 1000, 1), "ms_p95": round(percentile(seconds, 0.95) * 1000, 1)}


def repository(root: Path) -> Path:
    """The tree as a git repository with a second branch on which some files differ."""
    shutil.copytree(tree("linux-core"), root, symlinks=True)
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "the tree")
    git(root, "checkout", "-q", "-b", "other")
    for path in sorted((root / "fs").rglob("*.c"))[:SWITCHED]:
        path.write_bytes(path.read_bytes() + b"\nint of_the_other_branch(void)\n{\n\treturn 1;\n}\n")
    git(root, "commit", "-qam", "some files differ")
    git(root, "checkout", "-q", "main")
    return root


def git(root: Path, *arguments: str) -> None:
    """Run git with a name of its own."""
    names = {f"GIT_{who}_{what}": "benchmark" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    subprocess.run(["git", "-C", str(root), *arguments], check=True, capture_output=True, env=os.environ | names)


def timed(action: Callable[[], object]) -> float:
    """Seconds that ``action`` takes."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def save(path: Path, name: str) -> None:
    """As an editor saves: with a definition that was not there before."""
    path.write_bytes(path.read_bytes() + f"\nint {name}(void)\n{{\n\treturn 0;\n}}\n".encode())


def edits(index: Index, root: Path, paths: list[Path]) -> list[float]:
    """Seconds from a save to a search that finds what was added; the first one starts the parse process."""
    spent = []
    for number, path in enumerate(paths):
        save(path, f"added_by_edit_{number}")
        relative = path.relative_to(root).as_posix()

        def until_seen(relative: str = relative, number: int = number) -> None:
            index.update(paths=[relative])
            found = index.search(f"added_by_edit_{number}")
            assert found.hits[0].chunk.path == relative

        spent.append(timed(until_seen))
    return spent[1:]


def watched(index: Index, root: Path, config: IndexConfig, paths: list[Path]) -> list[float]:
    """The same with a watcher that notices by itself; its wait for quiet (50 ms) is part of it."""
    updated = threading.Event()

    def update(changed: frozenset[str] | None) -> None:
        index.update(paths=changed)
        updated.set()

    watcher = Watcher(root, config, update)
    watcher.start()
    try:
        assert updated.wait(PATIENCE)
        spent = []
        for number, path in enumerate(paths):
            updated.clear()

            def until_seen(path: Path = path, name: str = f"added_while_watched_{number}") -> None:
                save(path, name)
                while True:
                    assert updated.wait(PATIENCE)
                    updated.clear()
                    if index.symbols(name):
                        return

            spent.append(timed(until_seen))
    finally:
        watcher.stop()
    return spent[1:]


def switches(index: Index, root: Path, repeats: int) -> list[float]:
    """Seconds of an update after ``git checkout`` changed ``SWITCHED`` files."""
    git(root, "checkout", "-q", "--", ".")
    index.update()
    spent = []
    for number in range(repeats):
        git(root, "checkout", "-q", ("other", "main")[number % 2])
        spent.append(timed(index.update))
        assert bool(index.symbols("of_the_other_branch")) == (number % 2 == 0)
    return spent


def commands(root: Path, cache: Path, repeats: int) -> list[float]:
    """Seconds of the whole command when nothing changed."""
    command = [str(CODEMOAT), "index", str(root), "--json"]
    return [run_measured(command, env={"CODEMOAT_CACHE_DIR": str(cache)}).seconds for _ in range(repeats)]


if __name__ == "__main__":
    main()
