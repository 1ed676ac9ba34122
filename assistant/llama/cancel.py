"""A cancel flag that acts at once instead of waiting to be looked at."""

from __future__ import annotations

import threading
from collections.abc import Callable

from assistant.llm import Cancel


class InterruptingCancel(Cancel):
    """Also calls what it was told to when cancelled: that is how evaluation stops within milliseconds."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._interrupt: Callable[[], None] | None = None

    def cancel(self) -> None:
        """Ask for the work to stop, and interrupt it."""
        with self._lock:
            super().cancel()
            if self._interrupt is not None:
                self._interrupt()

    def on_cancel(self, interrupt: Callable[[], None] | None) -> None:
        """Call ``interrupt`` when cancelled, now if that has happened. None detaches."""
        with self._lock:
            self._interrupt = interrupt
            if interrupt is not None and self.cancelled:
                interrupt()
