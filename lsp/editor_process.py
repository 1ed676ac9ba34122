"""Leaving when the client's process is gone, also while another process holds the pipe open.

``initialize`` names the process that started the server. A number that cannot be that process is ignored: it may be
one of another container, which names nobody here or somebody else.
"""

from __future__ import annotations

import asyncio
import os
import select
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

_LOOK = 5.0
"""Seconds between looks where the system does not tell."""


class EditorProcess:
    """Waits for the end of a process. On the event loop; POSIX only, elsewhere the end of the input has to do."""

    def __init__(self, gone: Callable[[], object]) -> None:
        """``gone`` is called once the process has ended."""
        self._gone = gone
        self._descriptor: int | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def watched(self) -> bool:
        """Whether a process is waited for."""
        return self._descriptor is not None or self._timer is not None

    def watch(self, pid: Any) -> None:
        """Wait for this process, if it can be the one that started the server."""
        if sys.platform == "win32" or type(pid) is not int or self.watched or not _may_be_the_editor(pid):
            return
        if sys.platform == "linux":
            try:
                descriptor = os.pidfd_open(pid)
            except (OSError, OverflowError):
                self._look_at(pid)
                return
            if select.select([descriptor], [], [], 0)[0]:  # it was gone before it could be watched
                os.close(descriptor)
                return
            self._descriptor = descriptor
            asyncio.get_running_loop().add_reader(descriptor, self._ended)
        else:
            self._look_at(pid)

    def close(self) -> None:
        """Wait no longer."""
        if self._descriptor is not None:
            asyncio.get_running_loop().remove_reader(self._descriptor)
            os.close(self._descriptor)
        if self._timer is not None:
            self._timer.cancel()
        self._descriptor = self._timer = None

    def _look_at(self, pid: int) -> None:
        if not _lives(pid):
            self._timer = None
            self._gone()
            return
        self._timer = asyncio.get_running_loop().call_later(_LOOK, self._look_at, pid)

    def _ended(self) -> None:
        self.close()
        self._gone()


def _may_be_the_editor(pid: int) -> bool:
    """Whether a living process of this user has the number, other than this one and the system's first."""
    if pid <= 1 or pid == os.getpid() or not _lives(pid):
        return False
    if sys.platform != "linux":
        return True
    with suppress(OSError):
        return Path(f"/proc/{pid}").stat().st_uid == os.getuid()
    return False


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True
