"""Whether an index inside a repository was made by this user on this machine.

A repository can ship a prepared index, which after a clone belongs to the user like every other file. So an index that
lies in its repository holds a secret, which the user's cache folder holds too, in a file named by a random id; the
index names the id, so that it is found wherever the repository is moved. An index without that is built again. What it
says is never believed, least of all its texts, which a user would take for those of the repository; its id least of
all, which becomes a part of a path.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from indexer.errors import NoIndexError
from indexer.private import create_file, make_folder, read_own

if TYPE_CHECKING:
    from indexer.store import Database

ID_KEY, SECRET_KEY = "seal_id", "seal"
"""Under which ``meta`` keeps them."""
_BYTES = 16
_HEX = re.compile(rf"[0-9a-f]{{{2 * _BYTES}}}")
"""Ids and secrets."""


class Seal(NamedTuple):
    """``id``: the name of the user's file; ``secret``: its contents."""

    id: str
    secret: str


def make_seal(folder: Path) -> Seal:
    """A new seal, kept in the user's ``folder``. OSError."""
    seal = Seal(os.urandom(_BYTES).hex(), os.urandom(_BYTES).hex())
    make_folder(folder)
    with os.fdopen(create_file(folder / seal.id), "w", encoding="ascii") as file:
        file.write(seal.secret)
    return seal


def check_seal(database: Database, folder: Path) -> str:
    """The id of the database's seal. NoIndexError unless the user's ``folder`` holds the same; OSError."""
    from hmac import compare_digest  # loads the whole of OpenSSL

    rows = database.rows("SELECT key, value FROM meta WHERE key IN (?, ?)", (ID_KEY, SECRET_KEY))
    found = {key: value for key, value in rows if isinstance(value, str) and _HEX.fullmatch(value)}
    if len(found) == 2:
        secret = b""
        with suppress(FileNotFoundError, NotADirectoryError):
            secret = read_own(folder / found[ID_KEY], 2 * _BYTES)
        if compare_digest(secret, found[SECRET_KEY].encode("ascii")):
            return found[ID_KEY]
    raise NoIndexError(
        f"The index at {database.folder} cannot be checked: it was made elsewhere, or codemoat's cache was emptied.",
        "`codemoat index` builds it again.",
    )


def remove_seal(folder: Path, seal_id: str) -> None:
    """Remove the user's file of a seal that ``check_seal`` found, as far as it can be."""
    with suppress(OSError):
        (folder / seal_id).unlink()
