"""Whether an index inside a repository was made by this user on this machine.

A repository can ship a prepared index, which after a clone belongs to the user like every other file. So an index that
lies in its repository holds a secret which the user's cache folder holds too; one that does not is made again. What it
says is never believed, least of all its texts, which a user would take for those of the repository.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.errors import NoIndexError
from indexer.private import ensure_file, make_folder

if TYPE_CHECKING:
    from indexer.store import Database

KEY = "seal"
"""Under which ``meta`` keeps it."""
_BYTES = 16


def read_seal(path: Path) -> str:
    """The secret in the user's file; empty where there is none. OSError if it cannot be read."""
    with suppress(FileNotFoundError):
        return path.read_text("ascii", "replace")
    return ""


def make_seal(path: Path) -> str:
    """The same, made where there is none. OSError."""
    make_folder(path.parent)
    ensure_file(path)
    found = read_seal(path)
    if not found:
        found = os.urandom(_BYTES).hex()
        path.write_text(found, "ascii")
    return found


def check_seal(database: Database, seal: str) -> None:
    """NoIndexError unless the database holds this seal."""
    found = database.row("SELECT value FROM meta WHERE key = ?", (KEY,))
    if not seal or found is None or found[0] != seal:
        raise NoIndexError(
            f"The index at {database.folder} was not made by this user on this machine, so it is not used.",
            "Run `codemoat index` to make it again.",
        )
