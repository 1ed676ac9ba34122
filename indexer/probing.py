"""Whether something is there, or room for more, without an error.

A link of a repository may name what nobody can look at. ``pathlib`` raises where a link's target is too long for the
system or lies in a folder that is not ours to enter. Where a path comes from a repository or from a client, that is no
reason to fail: it counts as not there.
"""

from __future__ import annotations

import os
from pathlib import Path

_SHM_BYTES = 32_768
"""The file that SQLite makes beside a write-ahead log (``-shm``), for readers too."""


def exists(path: Path) -> bool:
    """Whether there is anything at ``path``, links followed."""
    return os.path.exists(path)  # noqa: PTH110 - see above


def is_folder(path: Path) -> bool:
    """Whether there is a folder at ``path``, links followed."""
    return os.path.isdir(path)  # noqa: PTH112


def is_file(path: Path) -> bool:
    """Whether there is a regular file at ``path``, links followed."""
    return os.path.isfile(path)  # noqa: PTH113


def is_full(path: Path) -> bool:
    """Whether the disk that holds the file ``path`` lacks the room for SQLite's ``-shm`` file.

    SQLite reports that it could not make that file as an input/output error.
    """
    try:
        disk = os.statvfs(path.parent)
    except (OSError, AttributeError):  # Windows has no statvfs
        return False
    return disk.f_bavail * disk.f_frsize < _SHM_BYTES or (disk.f_files > 0 and disk.f_favail == 0)
