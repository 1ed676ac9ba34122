"""What watching costs: the part of a listing, the start, a save until it is told, a look without events, rest.

usage: python -m benchmarks.watching TREE [TREE ...]      writes a file of a moment into each tree
"""

from __future__ import annotations

import queue
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.common import Results, median
from indexer.config import IndexConfig
from indexer.events import EventSource
from indexer.files import list_files
from indexer.listing_part import MAX_PATHS, list_some
from indexer.polling import PollSource
from indexer.watch import Watcher

CONFIG = IndexConfig()
REST = 5.0
"""Seconds at rest that are measured."""


def main() -> None:
    """Measure a made repository of 10,000 files and each tree named on the command line."""
    results = Results("watching", fresh=True)
    with tempfile.TemporaryDirectory() as folder:
        for row in (repository(Path(folder)), *(tree(Path(name).resolve()) for name in sys.argv[1:])):
            results.add(row)
            print(*(f"{key} {value}" for key, value in row.items()), sep="  ")


def milliseconds(action: Callable[[], object], times: int = 11) -> float:
    """Median wall time."""
    found = []
    for _ in range(times):
        started = time.perf_counter()
        action()
        found.append((time.perf_counter() - started) * 1e3)
    return round(median(found), 2)


def repository(root: Path) -> dict[str, Any]:
    """One path and many of them in a git repository, and the full listing."""
    names = [f"d{number % 100}/s{number % 7}/f{number}.py" for number in range(10_000)]
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x = 1\n")
    for command in ("init -q", "add -A"):
        subprocess.run(["git", *command.split()], cwd=root, check=True)
    return {
        "tree": "10,000 files in git",
        "one_ms": milliseconds(lambda: list_some(root, CONFIG, names[:1])),
        "many_ms": milliseconds(lambda: list_some(root, CONFIG, names[:MAX_PATHS])),
        "all_ms": milliseconds(lambda: list_files(root, CONFIG), 3),
    }


def tree(root: Path) -> dict[str, Any]:
    """Watches on a whole tree, a save and a new folder told, rest, and what polling would cost."""
    listing = list_files(root, CONFIG)
    folders = [root / name for name in listing.directories]
    path = next(file.path for file in listing.files if "/" in file.path and not file.path.endswith("ignore"))
    told: queue.Queue[object] = queue.Queue()
    watcher = Watcher(root, CONFIG, told.put)
    started = time.perf_counter()
    watcher.start()
    told.get()
    row = {"tree": root.name, "folders": len(folders), "start_s": round(time.perf_counter() - started, 2)}
    probe = (root / path).parent / "codemoat_probe.py"

    def save() -> None:
        probe.write_text("x = 1\n")
        told.get()

    row["save_told_ms"] = milliseconds(save)
    probe.unlink()
    told.get()
    row["folder_told_ms"] = milliseconds(lambda: (probe.mkdir(), told.get()), 1)
    probe.rmdir()
    told.get()
    before = time.process_time()
    time.sleep(REST)
    row["rest_percent"] = round((time.process_time() - before) / REST * 100, 2)
    watcher.stop()
    row["watches_ms"] = milliseconds(lambda: EventSource(folders, lambda: False).close(), 3)
    row["recursive_ms"] = milliseconds(lambda: recursive(root), 3)
    row["one_ms"] = milliseconds(lambda: list_some(root, CONFIG, [path]))
    source = PollSource(root, CONFIG, None, 2.0)
    row["look_ms"] = milliseconds(lambda: source.look(lambda: False), 3)
    return row


def recursive(root: Path) -> None:
    """The other way to watch, for comparison."""
    from watchfiles._rust_notify import RustNotify

    RustNotify([str(root)], False, False, 0, True, False).close()


if __name__ == "__main__":
    main()
