"""The C library's heap, kept small over long sessions; on glibc only, elsewhere nothing is done."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from contextlib import suppress

from lsp.jobs import Debounce, Lane

_ARENA_MAX = -8  # M_ARENA_MAX of malloc.h
_QUIET = 1.5
"""Seconds without a message after which somebody thinks or reads."""
_PAUSE = 60.0
"""Seconds between two times that memory is given back: it is asked for again soon."""


def few_arenas() -> None:
    """Let all threads share two heaps.

    glibc gives threads heaps of their own, eight a core, and hardly gives back what a short-lived thread leaves in one:
    memory grew with every hundred suggestions.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 2)


def give_back() -> None:
    """Return the unused pages between what is in use to the system: they were a quarter of a long session's memory."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


class Housekeeping:
    """Gives memory back while the client is quiet; on the event loop, the work itself in ``lane``."""

    def __init__(
        self,
        lane: Lane,
        *,
        quiet: float = _QUIET,
        clock: Callable[[], float] = time.monotonic,
        work: Callable[[], None] = give_back,
    ) -> None:
        self._lane = lane
        self._quiet = Debounce(quiet)
        self._clock = clock
        self._work = work
        self._not_before = 0.0

    def heard(self) -> None:
        """The client said something."""
        self._quiet.call("quiet", self._due)

    def close(self) -> None:
        """Do nothing more."""
        self._quiet.close()

    def _due(self) -> None:
        if self._clock() >= self._not_before:
            self._not_before = self._clock() + _PAUSE
            self._lane.submit(self._work, "memory")
