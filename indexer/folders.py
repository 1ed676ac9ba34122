"""The times of folders, by which ``stale`` sees that files came or went without listing anything."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from indexer.reasons import encodable
from indexer.stale import folder_mtime
from indexer.store import Database


def known_folders(database: Database) -> dict[str, int]:
    """Every recorded folder and its time."""
    return dict(database.rows("SELECT path, mtime_ns FROM directories"))


def folder_times(root: Path, folders: Iterable[str]) -> dict[str, int]:
    """Modification times (ns) of the folders that exist; names that are no UTF-8 cannot be recorded."""
    times = ((path, folder_mtime(root / path)) for path in folders if path.isascii() or encodable(path))
    return {path: mtime for path, mtime in times if mtime is not None}


def folders_near(paths: Collection[str], known: Collection[str]) -> set[str]:
    """Folders whose times the change of these paths may have moved: themselves and those they are in.

    Where they are in folders that are not ``known``, these are new too, and moved the time of the one above.
    """
    near = {"."}
    for path in paths:
        near.add(path)
        folder = path.rpartition("/")[0] or "."
        while folder not in near:
            near.add(folder)
            if folder in known:
                break
            folder = folder.rpartition("/")[0] or "."
    return near if any("/" not in path or path.partition("/")[0] not in known for path in paths) else near - {"."}


def note_all(database: Database, now: dict[str, int]) -> None:
    """Record these folders and no others."""
    _replace(database, known_folders(database), now)


def note_some(database: Database, paths: Collection[str], listed: Iterable[str], now: dict[str, int]) -> None:
    """Record what the change of ``paths`` moved: folders near them, and ``listed`` ones below them.

    ``now``: times of those that exist. Other folders keep their recorded times: nobody looked into them.
    """
    known = known_folders(database)
    near = folders_near(paths, known)
    gone = {path for path in paths if path not in now}
    kept = {path: mtime for path, mtime in known.items() if not _below(path, gone) and path not in near - now.keys()}
    fresh = {path for path in listed if path in near or _below(path, paths)} | (near & known.keys())
    _replace(database, known, kept | {path: now[path] for path in fresh if path in now})


def _below(path: str, tops: Collection[str]) -> bool:
    """Whether ``path`` is one of ``tops`` or lies below one."""
    while path:
        if path in tops:
            return True
        path = path.rpartition("/")[0]
    return False


def _replace(database: Database, known: dict[str, int], now: dict[str, int]) -> None:
    many = database.connection.executemany
    many("DELETE FROM directories WHERE path = ?", [(path,) for path in known.keys() - now.keys()])
    changed = [(path, mtime) for path, mtime in now.items() if known.get(path) != mtime]
    many("INSERT OR REPLACE INTO directories VALUES (?, ?)", changed)
