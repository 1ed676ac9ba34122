"""Whether an index is behind its folder: by sizes and times, and where these differ by contents."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.timestamps import storable

if TYPE_CHECKING:
    from indexer.ignore import IgnoreRules
    from indexer.store import Database

_CLOCK_EVERY = 256
"""Files looked at between two looks at the clock."""
_GIT = ".git"
_FILES_WITHIN = "SELECT path FROM files WHERE path > ? AND path < ? AND instr(substr(path, ?), '/') = 0"
_FOLDERS_WITHIN = _FILES_WITHIN.replace("files", "directories")

Stamp = tuple[int, int, int]
"""Size, and both times in nanoseconds, of a file or folder as it was found."""


class Recorded:
    """What an index knows of files and folders whose times differ, and what of that was found to be the same.

    An editor that saves through a temporary file, an undone edit, a branch switched forth and back: the times are new,
    the contents are not. Such a file is hashed once, and then known by its new times.
    """

    def __init__(self, root: Path, database: Database, same: dict[str, Stamp]) -> None:
        """``same``: kept by the caller from one look to the next; files and folders by path, as they were found."""
        self._root = root
        self._database = database
        self._same = same
        self._rules: IgnoreRules | None = None

    def same_file(self, path: str, size: int, found: os.stat_result) -> bool:
        """Whether a file with another time has the contents that were indexed; reads it if its size fits."""
        stamp = (found.st_size, found.st_mtime_ns, found.st_ctime_ns)
        if found.st_size != size or self._same.get(path) == stamp:
            return found.st_size == size
        from indexer.plan import digest

        row = self._database.row("SELECT sha256 FROM files WHERE path = ?", (path,))
        if row is None or digest(self._root / path, size) != row[0]:
            return False
        self._same[path] = stamp
        return True

    def same_folder(self, path: str, mtime_ns: int, found: os.stat_result) -> bool:
        """Whether nothing that counts came to or went from a folder since ``mtime_ns``, its recorded time.

        A file that was there before and is not indexed has been left out on purpose; so is one that is ignored.
        """
        stamp = (found.st_size, found.st_mtime_ns, found.st_ctime_ns)
        if self._same.get(path) == stamp:
            return True
        known = self._children(path)
        with os.scandir(self._root / path) as entries:
            present = {entry.name: entry for entry in entries}
        if known - present.keys():
            return False
        for name in present.keys() - known - {_GIT}:
            entry = present[name]
            new = entry.stat(follow_symlinks=False).st_ctime_ns > mtime_ns
            if new and not self._ignored(path, name, folder=entry.is_dir(follow_symlinks=False)):
                return False
        self._same[path] = stamp
        return True

    def _children(self, folder: str) -> set[str]:
        """Names of the files and folders of the index directly in ``folder``."""
        before = "" if folder == "." else f"{folder}/"
        # "0" follows "/": all paths that begin with ``before``, or all paths.
        between = (before, f"{folder}0" if before else "\U0010ffff", len(before) + 1)
        return {
            path[len(before) :]
            for table in (_FILES_WITHIN, _FOLDERS_WITHIN)
            for (path,) in self._database.rows(table, between)
            if path != "."
        }

    def _ignored(self, parent: str, name: str, *, folder: bool) -> bool:
        """Whether ignore files leave a new entry out; not where the settings include what they leave out."""
        from indexer.errors import BadInputError
        from indexer.ignore import IgnoreRules

        if self._rules is None:
            self._rules = IgnoreRules(self._root, (), gitignore=True)
        path = name if parent == "." else f"{parent}/{name}"
        try:
            if self._rules.folder(parent) is not None:
                return False
            return (self._rules.folder(path) if folder else self._rules.file(path)) is not None
        except (BadInputError, UnicodeError):
            return False


def any_changed(
    root: Path,
    folders: Iterable[tuple[str, int]],
    files: Iterable[tuple[str, int, int]],
    budget: float,
    recorded: Recorded,
) -> bool:
    """Whether a folder (path, mtime) or file (path, size, mtime) differs from the disk; times in nanoseconds.

    A new or deleted file changes its folder's time, an edit the file's own; where a time differs, ``recorded`` tells
    whether the contents do. A size below 0 is a folder's. Stops after ``budget`` seconds and then says what it knows:
    that something changed, if times differ that there was no time to look into, or else that nothing did so far.
    """
    deadline = time.monotonic() + budget
    base = os.fspath(root)
    known = chain(((path, -1, mtime_ns) for path, mtime_ns in folders), files)
    try:
        for number, (path, size, mtime_ns) in enumerate(known, 1):
            found = os.stat(f"{base}/{path}")  # noqa: PTH116  (a Path a file costs more than the call)
            if found.st_mtime_ns != mtime_ns and storable(found.st_mtime_ns) != mtime_ns:
                if time.monotonic() > deadline:
                    return True
                same = (
                    recorded.same_file(path, size, found) if size >= 0 else recorded.same_folder(path, mtime_ns, found)
                )
                if not same:
                    return True
            elif size >= 0 and found.st_size != size:
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
