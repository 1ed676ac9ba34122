"""Changes below a root without events: sizes and times compared every few seconds."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from indexer.config import IndexConfig
from indexer.files import list_files
from indexer.ignore import CODEMOAT_IGNORE, GIT_IGNORE
from indexer.stale import folder_mtime
from indexer.timestamps import storable

_SHARE = 20
"""Looking takes at most one part in so many of the time."""

_LONGEST_PAUSE = 60.0
_SETTLED_NS = 1_000_000_000
_AHEAD_NS = 86_400 * 10**9
"""By how much a file server's clock may be ahead; later times were set by somebody."""
_STOP_EVERY = 256
"""Files looked at between two looks whether to stop."""


class PollSource:
    """Remembers a listing and tells what became different.

    Files are compared one by one; all is listed again when a folder, an ignore file or git's index changed.
    """

    def __init__(self, root: Path, config: IndexConfig, git: Path | None, pause: float) -> None:
        """``git``: the repository's own folder. ``pause``: seconds between two looks, more where looking takes long.

        Raises BadInputError and StorageError as ``list_files`` does.
        """
        self._root, self._config, self._git = root, config, git
        self._least = pause
        self.pause = pause
        """Seconds to the next look."""
        self._remember()

    def look(self, stopped: Callable[[], bool]) -> frozenset[str]:
        """Paths that came, went or changed since the last look; raises as the constructor does."""
        started = time.monotonic()
        changed = self._edited(stopped)
        if not stopped() and (self._marks() != self._marked or any(_decides(path) for path in changed)):
            old = self._files
            self._remember()
            changed |= {path for path in old.keys() | self._files.keys() if old.get(path) != self._files.get(path)}
        self.pause = min(max(self._least, _SHARE * (time.monotonic() - started)), _LONGEST_PAUSE)
        return frozenset(changed)

    def _remember(self) -> None:
        now = time.time_ns()
        doubtful = range(now - _SETTLED_NS + 1, now + _AHEAD_NS)
        listing = list_files(self._root, self._config)
        self._folders = listing.directories
        self._files = {file.path: (file.size, file.mtime_ns) for file in listing.files}
        # What changed just now may have changed again since it was listed, within one tick of the clock: look again.
        self._marked = {name: None if time_ns in doubtful else time_ns for name, time_ns in self._marks().items()}

    def _marks(self) -> dict[str, int | None]:
        """Times of the folders, and of what decides in git about which files count."""
        marks = {folder: folder_mtime(self._root / folder) for folder in self._folders}
        if self._git is not None:
            marks |= {f".git/{name}": folder_mtime(self._git / name) for name in ("index", "info/exclude")}
        return marks

    def _edited(self, stopped: Callable[[], bool]) -> set[str]:
        base = os.fspath(self._root)
        changed = set()
        for number, (path, known) in enumerate(self._files.items(), 1):
            try:
                info = os.lstat(f"{base}/{path}")
            except OSError:
                changed.add(path)
                continue
            now = info.st_size, storable(info.st_mtime_ns)
            if now != known:
                changed.add(path)
                self._files[path] = now
            if number % _STOP_EVERY == 0 and stopped():
                break
        for path in changed:
            if not os.path.lexists(f"{base}/{path}"):
                self._files.pop(path)
        return changed


def _decides(path: str) -> bool:
    return path.rpartition("/")[2] in (GIT_IGNORE, CODEMOAT_IGNORE)
