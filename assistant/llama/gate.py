"""Whose turn it is to compute: completion before chat, but chat never starves; what nobody waits for comes last.

Two contexts that compute at once spin against each other's threads, and both crawl. So one computes at a time. Chat
takes a turn for every step (a micro-batch or a token) and steps aside in the middle of one when a completion arrives;
it loses that step and nothing else. Completions can follow each other without a pause, so a chat that got nothing
done for ``PATIENCE`` seconds is granted ``GRANT`` seconds, in small steps that nothing interrupts. Beside short
completions that is a fifth of the time, and one completion a second waits for the grant.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PATIENCE = 1.0
"""Seconds without a finished step after which chat goes first."""
GRANT = 0.3
"""Seconds for which it then does."""
UNLIMITED = 1 << 30
"""Tokens of a turn at most that can be interrupted: as many as a step of the context has."""
GRANTED_STEP = 16
"""Tokens of a turn while a completion waits for its end."""
_POLL_SECONDS = 0.02


class Gate:
    """At most one turn at a time; urgent ones interrupt and overtake the others, within limits."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._busy = False
        self._urgent = 0
        self._conversations = 0
        self._interrupt: Callable[[], None] | None = None
        self._interrupted = False
        self._starving_since: float | None = None
        """Since when patient turns were asked for and none was finished."""
        self._granted_until = float("-inf")

    @contextmanager
    def urgent(self) -> Iterator[None]:
        """A turn as soon as the running step has been interrupted, or what chat was granted is over."""
        with self._changed:
            self._urgent += 1
            try:
                if self._interrupt is not None:
                    self._interrupt()
                    self._interrupted = True
                while self._busy or self._chat_first():
                    self._changed.wait(_POLL_SECONDS)
            finally:
                self._urgent -= 1
            self._busy = True
        try:
            yield
        finally:
            self._leave()

    @contextmanager
    def conversation(self) -> Iterator[None]:
        """Surrounds the patient turns of one answer: only while there is one can chat go first, and nothing is idle."""
        with self._changed:
            self._conversations += 1
            if self._interrupt is not None:
                self._interrupt()
        try:
            yield
        finally:
            with self._changed:
                self._conversations -= 1
                if not self._conversations:
                    self._starving_since, self._granted_until = None, float("-inf")
                self._changed.notify_all()

    @contextmanager
    def patient(self, interrupt: Callable[[], None], given_up: Callable[[], bool]) -> Iterator[int]:
        """A turn when nothing urgent runs or waits, unless that lasts too long; ``interrupt`` stops it.

        Gives the most tokens that may be evaluated in it; 0 if ``given_up`` before it came.
        """
        with self._changed:
            if self._starving_since is None:
                self._starving_since = self._clock()
            while not self._patient_may():
                if given_up():
                    break
                self._changed.wait(_POLL_SECONDS)
            most = self._enter(interrupt) if self._patient_may() else 0
        try:
            yield most
        finally:
            if most:
                self._leave(finished=not self._interrupted)

    @contextmanager
    def idle(self, interrupt: Callable[[], None], given_up: Callable[[], bool]) -> Iterator[int]:
        """A turn when nothing else runs or waits and no answer is being written; otherwise as ``patient``."""
        with self._changed:
            while (others := self._busy or self._urgent or self._conversations) and not given_up():
                self._changed.wait(_POLL_SECONDS)
            if not others:
                self._busy, self._interrupt = True, interrupt
        try:
            yield 0 if others else UNLIMITED
        finally:
            if not others:
                self._leave()

    def _enter(self, interrupt: Callable[[], None]) -> int:
        """Begin a patient turn."""
        granted = bool(self._urgent)  # it goes before one that waits
        if granted and self._clock() >= self._granted_until:
            self._granted_until = self._clock() + GRANT
        self._busy, self._interrupted = True, False
        self._interrupt = None if granted else interrupt
        return GRANTED_STEP if granted else UNLIMITED

    def _patient_may(self) -> bool:
        return not self._busy and (not self._urgent or self._chat_first())

    def _chat_first(self) -> bool:
        if not self._conversations:
            return False
        now, since = self._clock(), self._starving_since
        return now < self._granted_until or (since is not None and now - since >= PATIENCE)

    def _leave(self, *, finished: bool = False) -> None:
        with self._changed:
            self._busy = False
            self._interrupt = None
            if finished:
                self._starving_since = None
            self._changed.notify_all()
