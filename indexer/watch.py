"""Keeping an index up to date while people work: file events, gathered until it is quiet → ``update``.

One thread watches, gathers and calls ``update``, so that never two calls run at once; what happens during a call is
kept for the next one. ``docs/watching.md`` says what is seen and what is not.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from indexer.config import IndexConfig
from indexer.control import Control
from indexer.errors import CodemoatError
from indexer.events import ADDED, DELETED, EventSource, LostEventsError, NoWatchesError
from indexer.files import INDEX_FOLDER, checked_root, list_files
from indexer.git import repository_folder
from indexer.ignore import CODEMOAT_IGNORE, GIT_IGNORE
from indexer.kinds import JUNK_FOLDERS, refuse_kind
from indexer.listing_part import MAX_PATHS, list_some
from indexer.location import index_folder
from indexer.network import eventless_file_system
from indexer.polling import PollSource
from indexer.probing import exists, is_folder

_STORM_WAIT = 30.0
"""Seconds that a storm or a running git may keep an update waiting."""

_RETRY, _LONGEST_RETRY = 2.0, 300.0
"""Seconds before a failed update is tried again; doubled each time it fails."""

_LOCK_QUIET = 5.0
"""Seconds without a change after which git's lock is taken for a commit that waits for its message, or a leftover."""

_FORGIVEN = 120.0
"""Seconds after which it is forgotten that events were lost."""

_POLL_PAUSE = 2.0

_DECISIVE = frozenset([GIT_IGNORE, CODEMOAT_IGNORE, ".gitmodules", ".git"])
_DECISIVE_IN_GIT = frozenset(["HEAD", "config", "info/exclude"])
_PASSING = re.compile(
    r"\.#.*|#.*#|.*~|4913|\.goutputstream-.*|___jb_(?:tmp|old)___|.*\.(?:tmp|part|crswap)|\.~.*|\.nfs.*"
)
"""Names that editors give to files of a moment. Some match too much to be left out while there is such a file."""


class Watcher:
    """Watches a root and calls ``update`` in a thread of its own: with changed paths, or None for "look at everything".

    Paths are relative to the root, POSIX, files or folders, there or gone (``list_some`` takes them). The first call is
    None, once watching has begun: nobody knows what happened before. A failed update is kept in ``last_error``,
    reported, and its paths come again.
    """

    def __init__(
        self,
        root: Path,
        config: IndexConfig,
        update: Callable[[frozenset[str] | None], None],
        *,
        quiet: float = 0.02,
        longest: float = 2.0,
        poll: bool | None = None,
        poll_pause: float = _POLL_PAUSE,
        on_mode: Callable[[str, str], None] | None = None,
        on_error: Callable[[CodemoatError], None] | None = None,
        control: Control | None = None,
    ) -> None:
        """``quiet``: seconds without a change that end a group of changes; ``longest``: how long one may go on.

        ``poll``: compare times every ``poll_pause`` seconds instead of waiting for events; None decides by what the
        system can do. ``on_mode(mode, reason)`` and ``on_error`` are called from the watcher's thread. ``control`` is
        cancelled by ``stop``, so that a running update ends soon.
        Raises BadInputError or StorageError when the root cannot be listed.
        """
        self._root = checked_root(root)
        self._config = config
        self._update = update
        self._quiet, self._longest, self._poll, self._poll_pause = quiet, longest, poll, poll_pause
        self._on_mode, self._on_error, self._control = on_mode, on_error, control
        self.failure: BaseException | None = None
        """What ended watching, where that was not ``stop``: an error of ours, or of a callback."""
        self.mode = ""
        """``events`` or ``polling``; empty until watching has begun."""
        self.reason = ""
        """Why it polls, as a phrase; empty while it has events."""
        self.last_error: CodemoatError | None = None
        """Of the last update, None when it succeeded."""
        self._git = repository_folder(self._root)
        self._index = str(index_folder(self._root, config))
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._source: EventSource | PollSource | None = None
        self._folders: set[str] = set()
        self._paths: set[str] = set()
        self._came: set[str] = set()
        self._went: set[str] = set()
        self._everything = True
        self._stale_lock: tuple[int, int] | None = None
        self._pause = 0.0
        self._loss_pause = 0.0
        self._lost_at = -_FORGIVEN

    def start(self) -> None:
        """Begin, in a thread of its own; returns at once."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="codemoat-watch", daemon=True)
            self._thread.start()

    def stop(self, timeout: float | None = None) -> bool:
        """End watching and wait for the thread, which first ends a running update; whether it ended in ``timeout``."""
        self._stop.set()
        if self._control is not None:
            self._control.cancel()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout)
            return not self._thread.is_alive()
        return True

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._round()
        except BaseException as exc:  # noqa: BLE001
            # The edge of a thread: whoever started it is told, by ``failure``.
            self.failure = exc
        finally:
            self._close()

    def _round(self) -> None:
        """Wait for a group of changes and hand it over."""
        try:
            if self._source is not None:
                self._gather()
            else:
                self._stop.wait(self._pause)
            if self._stop.is_set():
                return
            if self._everything:
                self._watch_all()
            if not self._everything and not self._paths:
                return
            paths = None if self._everything else frozenset(self._paths)
            self._update(paths)
        except LostEventsError:
            self._lost()
        except NoWatchesError:
            # Met while a new folder was to be watched: the next round decides how to go on.
            self._everything = True
        except CodemoatError as exc:
            if not self._stop.is_set():
                self._failed(exc)
        else:
            self._everything, self._pause, self.last_error = False, 0.0, None
            self._paths.clear()
            self._went.clear()

    def _failed(self, error: CodemoatError) -> None:
        self.last_error = error
        if self._on_error is not None:
            self._on_error(error)
        self._pause = min(max(_RETRY, 2 * self._pause), _LONGEST_RETRY)

    def _lost(self) -> None:
        """Everything must be looked at, by new watches; ever later, since what could not be told may go on."""
        self._close()
        self._everything = True
        now = time.monotonic()
        recent = now - self._lost_at < _FORGIVEN
        self._loss_pause = min(max(self._quiet, 2 * self._loss_pause), _STORM_WAIT) if recent else self._quiet
        self._lost_at = now
        self._pause = self._loss_pause

    # --- gathering -------------------------------------------------------------------------------------------------

    def _gather(self) -> None:
        """Wait for a first change, then until it is quiet; keep what matters and watch the new folders in it."""
        owed = self._everything or bool(self._paths)
        self._read(self._pause if owed else None)
        began = last = time.monotonic()
        while not self._stop.is_set():
            more = self._read(self._quiet)
            now = time.monotonic()
            last = now if more else last
            if self._git_works():
                if now - began > _STORM_WAIT or now - last > _LOCK_QUIET:
                    self._stale_lock = self._lock()
                continue
            storm = self._everything or len(self._paths) > MAX_PATHS
            if more and now - began < (_STORM_WAIT if storm else self._longest):
                continue
            if self._everything or not self._judge():
                return

    def _judge(self) -> bool:
        """Drop paths that do not matter and watch new folders; whether there were any, so that more may come."""
        self._paths = {path for path in self._paths if not self._has_passed(path)}
        part = list_some(self._root, self._config, self._paths) if self._paths else None
        if part is None:
            self._everything = bool(self._paths)
            return False
        refused = {skip.path for skip in part.skipped if not skip.reason.startswith("Excluded by ")}
        listed = {*part.directories, *(file.path for file in part.files), *refused}
        # There, not listed, and it did not take the place of something else: it is ignored and always was. What was
        # refused for what it is now, by its size say, may have been listed before.
        self._paths = {path for path in self._paths if path in listed or path in self._went or not self._exists(path)}
        # A folder that was there before may have been made anew, and its watch is lost.
        new = {folder for folder in part.directories if folder not in self._folders or self._has_come(folder)}
        self._came.clear()
        if new and isinstance(self._source, EventSource):
            self._folders |= new
            self._replace()
            return True
        return False

    def _has_come(self, folder: str) -> bool:
        while folder:
            if folder in self._came:
                return True
            folder = folder.rpartition("/")[0]
        return False

    def _exists(self, path: str) -> bool:
        return os.path.lexists(self._root / path)

    def _read(self, seconds: float | None) -> bool:
        """Take in what happens, until something does or ``seconds`` have passed; whether something did."""
        if isinstance(self._source, PollSource):
            return self._look(seconds)
        assert self._source is not None
        found = self._source.read(seconds)
        for kind, path in found:
            self._note(kind, path)
        return bool(found)

    def _look(self, seconds: float | None) -> bool:
        """The same by polling: a look tells all at once, so that after one there is nothing to wait for."""
        assert isinstance(self._source, PollSource)
        if seconds is not None:
            self._stop.wait(seconds)
            return False
        found: frozenset[str] = frozenset()
        while not found and not self._stop.wait(self._source.pause):
            found = self._source.look(self._stop.is_set)
        self._paths |= found
        self._everything |= any(path.rpartition("/")[2] in _DECISIVE for path in found)
        return bool(found)

    def _note(self, kind: int, path: str) -> None:
        if self._git is not None and path.startswith(f"{self._git}/"):
            self._everything |= path[len(str(self._git)) + 1 :] in _DECISIVE_IN_GIT
            return
        if path == self._index or path.startswith(self._index + "/"):
            return
        if path == str(self._root):
            self._everything |= not is_folder(self._root)
            return
        relative = path.removeprefix(f"{self._root}/".replace("//", "/"))
        name = relative.rpartition("/")[2]
        if name in _DECISIVE:
            self._everything = True
        elif not relative.startswith("/") and (relative in self._folders or not self._never_counts(relative, name)):
            self._paths.add(relative)
            if kind == ADDED:
                self._came.add(relative)
            elif kind == DELETED:
                self._went.add(relative)

    def _never_counts(self, path: str, name: str) -> bool:
        if name in JUNK_FOLDERS or name == INDEX_FOLDER:
            return True
        return refuse_kind(path, 0, self._config) is not None and not is_folder(self._root / path)

    def _has_passed(self, path: str) -> bool:
        """Whether an editor made the file for a moment, or it is the link by which one marks a file as open."""
        if not _PASSING.fullmatch(path.rpartition("/")[2]):
            return False
        place = self._root / path
        return place.is_symlink() or not exists(place)

    def _lock(self) -> tuple[int, int] | None:
        """What tells git's lock from an earlier one; None while there is none."""
        if self._git is None:
            return None
        try:
            info = (self._git / "index.lock").stat()
        except OSError:
            return None
        return info.st_ino, info.st_ctime_ns

    def _git_works(self) -> bool:
        """Whether git is changing files; a lock that a killed one left does not count once it was waited for."""
        lock = self._lock()
        return lock is not None and lock != self._stale_lock

    # --- which folders are watched ---------------------------------------------------------------------------------

    def _watch_all(self) -> None:
        """Put watches on the folders as they are now, before everything is looked at: what comes later is seen."""
        self._git = repository_folder(self._root)
        self._folders = set(list_files(self._root, self._config).directories)
        self._came.clear()
        why = None
        if self._poll is None and (kind := eventless_file_system(self._root)) is not None:
            why = f"changes on this file system ({kind}) come without events"
        elif self._poll:
            why = "polling was asked for"
        if why is None:
            try:
                self._replace()
            except NoWatchesError as exc:
                why = str(exc)
            else:
                self._set_mode("events", "")
                return
        if not isinstance(self._source, PollSource):
            self._close()
            self._source = PollSource(self._root, self._config, self._git, self._poll_pause)
        self._set_mode("polling", why)

    def _replace(self) -> None:
        """Watch the folders by a new source. The old one tells first what it still has. Raises NoWatchesError."""
        source = EventSource(self._places(), self._stop.is_set)
        old, self._source = self._source, source
        if isinstance(old, EventSource):
            try:
                for kind, path in old.read(self._quiet):
                    self._note(kind, path)
            finally:
                old.close()

    def _places(self) -> Iterable[Path]:
        for folder in sorted(self._folders):
            place = self._root / folder
            if not f"{place}/".startswith(self._index + "/"):
                yield place
        if self._git is not None:
            yield self._git
            yield self._git / "info"

    def _set_mode(self, mode: str, reason: str) -> None:
        if (mode, reason) != (self.mode, self.reason):
            self.mode, self.reason = mode, reason
            if self._on_mode is not None:
                self._on_mode(mode, reason)

    def _close(self) -> None:
        if isinstance(self._source, EventSource):
            self._source.close()
        self._source = None
