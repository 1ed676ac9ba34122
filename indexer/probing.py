"""Whether something is there, without an error: a link of a repository may name what nobody can look at.

``pathlib`` raises where a link's target is too long for the system or lies in a folder that is not ours to enter. Where
a path comes from a repository or from a client, that is no reason to fail: it counts as not there.
"""

from __future__ import annotations

import os
from pathlib import Path


def exists(path: Path) -> bool:
    """Whether there is anything at ``path``, links followed."""
    return os.path.exists(path)  # noqa: PTH110 - see above


def is_folder(path: Path) -> bool:
    """Whether there is a folder at ``path``, links followed."""
    return os.path.isdir(path)  # noqa: PTH112


def is_file(path: Path) -> bool:
    """Whether there is a regular file at ``path``, links followed."""
    return os.path.isfile(path)  # noqa: PTH113
