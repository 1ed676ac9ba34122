"""Whose turn it is to compute: completion before chat.

Two contexts that compute at once spin against each other's threads, and both crawl. So one computes at a time. Chat
takes a turn for every step (a micro-batch or a token) and steps aside in the middle of one when a completion arrives;
it loses that step and nothing else.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_POLL_SECONDS = 0.02


class Gate:
    """At most one turn at a time; urgent ones interrupt and overtake the others."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._busy = False
        self._urgent = 0
        self._interrupt: Callable[[], None] | None = None

    @contextmanager
    def urgent(self) -> Iterator[None]:
        """A turn as soon as the running step has been interrupted."""
        with self._changed:
            self._urgent += 1
            try:
                if self._interrupt is not None:
                    self._interrupt()
                while self._busy:
                    self._changed.wait()
            finally:
                self._urgent -= 1
            self._busy = True
        try:
            yield
        finally:
            self._leave()

    @contextmanager
    def patient(self, interrupt: Callable[[], None], given_up: Callable[[], bool]) -> Iterator[bool]:
        """A turn when nothing urgent runs or waits; ``interrupt`` stops it. False if ``given_up`` before it came."""
        with self._changed:
            while self._busy or self._urgent:
                if given_up():
                    break
                self._changed.wait(_POLL_SECONDS)
            mine = not (self._busy or self._urgent)
            if mine:
                self._busy = True
                self._interrupt = interrupt
        try:
            yield mine
        finally:
            if mine:
                self._leave()

    def _leave(self) -> None:
        with self._changed:
            self._busy = False
            self._interrupt = None
            self._changed.notify_all()
