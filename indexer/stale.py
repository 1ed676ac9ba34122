"""Whether an index is behind its folder, by sizes and times alone: nothing is listed, nothing read."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

from indexer.timestamps import storable

_CLOCK_EVERY = 256
"""Files looked at between two looks at the clock."""


def any_changed(
    root: Path, folders: Iterable[tuple[str, int]], files: Iterable[tuple[str, int, int]], budget: float
) -> bool:
    """Whether a folder (path, mtime) or file (path, size, mtime) differs from the disk; times in nanoseconds.

    A new or deleted file changes its folder's time, an edit the file's own. A size below 0 is not compared. Stops
    after ``budget`` seconds and then says what it knows: nothing changed so far.
    """
    deadline = time.monotonic() + budget
    base = os.fspath(root)
    known = chain(((path, -1, mtime_ns) for path, mtime_ns in folders), files)
    try:
        for number, (path, size, mtime_ns) in enumerate(known, 1):
            found = os.stat(f"{base}/{path}")  # noqa: PTH116  (a Path a file costs more than the call)
            differs = found.st_mtime_ns != mtime_ns and storable(found.st_mtime_ns) != mtime_ns
            if differs or (size >= 0 and found.st_size != size):
                return True
            if number % _CLOCK_EVERY == 0 and time.monotonic() > deadline:
                return False
    except OSError:
        return True
    return False


def folder_mtime(path: Path) -> int | None:
    """Modification time of a folder in nanoseconds, as ``storable`` gives it, or None if it is gone."""
    try:
        return storable(path.stat().st_mtime_ns)
    except OSError:
        return None
