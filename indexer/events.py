"""File events of the system: what changed below a root. The only importer of watchfiles.

One watch for each folder that counts, none below them. Watching recursively would be one call, but it also takes a
watch for every folder of ``node_modules`` and ``.git/objects``, and it is slower even without those: Linux with 5,096
folders takes 45 ms this way and 200 ms the other (measured), because the folders need not be looked for.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.reasons import encodable

if TYPE_CHECKING:
    from watchfiles._rust_notify import RustNotify

ADDED, DELETED = 1, 3
"""watchfiles' numbers for what came and what went, by a rename too; a change is 2."""

_IDLE_STEP_MS, _STEP_MS = 15, 5
"""How often watchfiles looks whether the system told it something: 66 times a second are 0.4 % of a core."""

_GROUP_MS = 100
"""watchfiles hands over what it has after so long, even when more keeps coming."""

_TRIES = 5
"""Folders may vanish while watches are put on them; so often they are looked at again."""


class NoWatchesError(Exception):
    """The system gives no watches; the message is a phrase that says why. ``Watcher`` polls then."""


class LostEventsError(Exception):
    """Something happened that could not be told; this source is of no more use."""


class EventSource:
    """Watches on some folders. What happens while nobody reads is kept."""

    def __init__(self, folders: Iterable[Path], stopped: Callable[[], bool]) -> None:
        """``folders``: absolute; those that are gone are left out. Raises NoWatchesError."""
        self._stopped = stopped
        self._notify = _open(list(folders))

    def read(self, seconds: float | None) -> set[tuple[int, str]]:
        """(kind, absolute path) of what happened, as soon as something did; empty after ``seconds`` or when stopped.

        Raises LostEventsError.
        """
        # Its inner class, because its public ``watch`` cannot be waited for and then read on without losing something.
        from watchfiles._rust_notify import WatchfilesRustInternalError

        waiting = _Waiting(None if seconds is None else time.monotonic() + seconds, self._stopped)
        try:
            found = self._notify.watch(_GROUP_MS, _IDLE_STEP_MS if seconds is None else _STEP_MS, 0, waiting)
        except _EnoughError:
            return set()
        except WatchfilesRustInternalError as exc:
            # A name that is no UTF-8, above all. Every later read would fail the same way.
            raise LostEventsError(str(exc)) from exc
        return found if isinstance(found, set) else set()

    def close(self) -> None:
        """Give the watches back."""
        self._notify.close()


class _EnoughError(Exception):
    """Ends a wait."""


class _Waiting:
    """Ends a wait by raising. watchfiles' own timeout and stop event forget what came in at that very moment."""

    def __init__(self, deadline: float | None, stopped: Callable[[], bool]) -> None:
        self._deadline = deadline
        self._stopped = stopped

    def is_set(self) -> bool:
        if self._stopped() or (self._deadline is not None and time.monotonic() >= self._deadline):
            raise _EnoughError
        return False


def _open(folders: list[Path]) -> RustNotify:
    from watchfiles._rust_notify import RustNotify, WatchfilesRustInternalError

    for _ in range(_TRIES):
        # watchfiles takes only names that are valid text, and nothing below others is ever listed.
        there = [str(path) for path in folders if encodable(str(path)) and os.access(path, os.R_OK) and path.is_dir()]
        try:
            # Never with ignore_permission_denied: it hides every other error too, such as the limit.
            return RustNotify(there, False, False, 0, False, False)
        except (FileNotFoundError, PermissionError):
            continue
        except (OSError, WatchfilesRustInternalError) as exc:
            raise NoWatchesError(_why(str(exc), len(there))) from exc
    raise NoWatchesError("its folders come and go too fast")


def _why(problem: str, folders: int) -> str:
    if "watch limit" in problem:
        return f"the system has no watches left for {folders:,} folders (fs.inotify.max_user_watches)"
    if "os error 24" in problem:
        return "this user has too many watchers already (fs.inotify.max_user_instances)"
    return f"the system refuses to watch it: {problem.partition(' (')[0]}"
