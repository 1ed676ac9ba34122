"""Steering an update from another thread: cancel, pause, resume; and how fast it goes."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import deque
from contextlib import suppress
from typing import Protocol

_LOWEST = 19
_WINDOW_SECONDS = 10.0
"""What the rate is measured over: long enough to be calm, short enough to follow a machine that got busy."""


class Cancel(Protocol):
    """Anything with a ``cancelled`` flag."""

    @property
    def cancelled(self) -> bool:
        """Whether the work is to stop."""
        ...


class Control:
    """Cancels, pauses and resumes an update that runs in another thread; a ``Cancel`` too."""

    def __init__(self) -> None:
        self._cancelled = False
        self._lock = threading.Lock()
        self._running = threading.Event()
        self._running.set()

    @property
    def cancelled(self) -> bool:
        """Whether the work is to stop."""
        return self._cancelled

    @property
    def paused(self) -> bool:
        """Whether the work is to wait."""
        return not self._running.is_set()

    def cancel(self) -> None:
        """Stop; what is done so far is kept and the next update goes on from there."""
        with self._lock:
            self._cancelled = True
            self._running.set()

    def pause(self) -> None:
        """Wait after the file under way. What is done is on the disk; the writer's lock stays held."""
        with self._lock:
            if not self._cancelled:
                self._running.clear()

    def resume(self) -> None:
        """Go on."""
        self._running.set()

    def wait(self) -> None:
        """Return once the work may go on: resumed or cancelled."""
        self._running.wait()


class Linked(Control):
    """A control of one's own over work that somebody else may cancel, and pause, too."""

    def __init__(self, other: Cancel | None) -> None:
        super().__init__()
        self._other = other

    @property
    def cancelled(self) -> bool:
        """Whether either side stopped the work."""
        return self._cancelled or (self._other is not None and self._other.cancelled)

    @property
    def paused(self) -> bool:
        """Whether the other side wants it to wait."""
        return not self._cancelled and isinstance(self._other, Control) and self._other.paused

    def cancel(self) -> None:
        """Stop, and let go of a pause of the other side."""
        super().cancel()
        if isinstance(self._other, Control):
            self._other.cancel()

    def wait(self) -> None:
        """Return once the work may go on: resumed or cancelled."""
        if isinstance(self._other, Control):
            self._other.wait()


def give_way() -> None:
    """Let this thread run only when nothing else wants the processor; for good, since only root may take that back."""
    if sys.platform == "linux":
        with suppress(OSError):
            # On Linux a thread has a priority of its own, by its number among the processes.
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LOWEST)


class Pace:
    """Bytes a second over the last seconds, and the time that is left at that rate."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def at(self, bytes_done: int, bytes_total: int) -> tuple[float, float | None]:
        """(bytes a second, seconds left or None while nothing can be said) when ``bytes_done`` are done."""
        now = time.monotonic()
        self._seen.append((now, bytes_done))
        while len(self._seen) > 2 and now - self._seen[0][0] > _WINDOW_SECONDS:
            self._seen.popleft()
        (since, before) = self._seen[0]
        if now - since < 0.2 or bytes_done <= before:
            return 0.0, None
        rate = (bytes_done - before) / (now - since)
        return rate, max(0.0, bytes_total - bytes_done) / rate

    def rest(self) -> None:
        """Forget the past: a pause is no slowness."""
        self._seen.clear()
