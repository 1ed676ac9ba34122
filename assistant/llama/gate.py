"""Whose turn it is to compute: completions before a question, but each gets its share; what nobody waits for is last.

Two contexts that compute at once spin against each other's threads, and both crawl. So one computes at a time. A
question takes a turn for every step (a micro-batch or a token) and steps aside in the middle of one when a completion
arrives; it loses that step and nothing else.

Completions can follow each other without a pause, so time is counted while a question is there: what completions
compute is owed to it, what it gets done is paid back. Once ``SLICE`` seconds are owed the question goes first until all
of it is paid, in small steps that nothing interrupts. So it has half of the time from its arrival on, and no completion
waits much longer than ``MOST_OWED`` at a time: not at its beginning, and not between two of its own steps, where a long
one makes room. A question that has the model to itself while nobody types is ahead by up to ``LEAD``: then completions
are not delayed at all until they took that much time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

SLICE = 0.25
"""Seconds that completions may be ahead of a question before it goes first."""
MOST_OWED = 0.5
"""Seconds that are owed to a question at most, so that no completion waits longer after a step that took long."""
LEAD = 1.0
"""Seconds that a question gets ahead of completions at most while none waits."""
UNLIMITED = 1 << 30
"""Tokens of a turn at most that can be interrupted: as many as a step of the context has."""
GRANTED_STEP = 32
"""Tokens of a turn while a completion waits for its end: 0.2 s with 0.5 B parameters on two cores."""
_ABSENT_SECONDS = 0.05
"""A question that asked for no turn for so long does not hold up completions; between two steps it needs 1 ms."""
_POLL_SECONDS = 0.02

Turns = Callable[[], AbstractContextManager[int]]
"""Makes a turn for one step; gives the most tokens that may be evaluated in it, 0 if the work was given up."""


def _never() -> bool:
    return False


class Gate:
    """At most one turn at a time; urgent ones interrupt and overtake the others, within limits."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._busy = False
        self._urgent = 0
        """Completions that wait."""
        self._conversations = 0
        self._asking = 0
        """Patient turns that wait."""
        self._interrupt: Callable[[], None] | None = None
        self._interrupted = False
        self._began = 0.0
        """When the running turn began, or was counted last."""
        self._left = float("-inf")
        """When the last patient turn ended."""
        self._owed = 0.0
        self._catching_up = False
        self._granted = False

    @property
    def asking(self) -> bool:
        """Whether a question waits for a turn."""
        return self._asking > 0

    @property
    def question_first(self) -> bool:
        """Whether a question goes before completions now."""
        return bool(self._conversations and self._catching_up and self._present)

    @contextmanager
    def urgent(self, given_up: Callable[[], bool] = _never) -> Iterator[Turns]:
        """A completion, as soon as the running step was interrupted, or the question has what is owed to it.

        Gives the turns of its steps: between two of them a question may catch up.
        """
        held = self._take(given_up)

        @contextmanager
        def step() -> Iterator[int]:
            nonlocal held
            if held:
                held = self._make_room(given_up)
            yield UNLIMITED if held else 0

        try:
            yield step
        finally:
            if held:
                self._release()

    @contextmanager
    def conversation(self) -> Iterator[None]:
        """Surrounds the patient turns of one answer: only while there is one can it go first, and nothing is idle."""
        with self._changed:
            if not self._conversations:
                self._began = self._clock()  # what ran before it came is not owed to it
            self._conversations += 1
            if self._interrupt is not None:
                self._interrupt()
        try:
            yield
        finally:
            with self._changed:
                self._conversations -= 1
                if not self._conversations:
                    self._owed, self._catching_up = 0.0, False
                self._changed.notify_all()

    @contextmanager
    def patient(self, interrupt: Callable[[], None], given_up: Callable[[], bool]) -> Iterator[int]:
        """A turn when nothing urgent runs or waits, unless time is owed; ``interrupt`` stops it.

        Gives the most tokens that may be evaluated in it; 0 if ``given_up`` before it came.
        """
        with self._changed:
            self._asking += 1
            self._changed.notify_all()
            try:
                while not self._patient_may() and not given_up():
                    self._changed.wait(_POLL_SECONDS)
                most = self._enter(interrupt) if self._patient_may() else 0
            finally:
                self._asking -= 1
        try:
            yield most
        finally:
            if most:
                with self._changed:
                    self._left = self._clock()
                    if not self._interrupted:
                        self._pay(self._left - self._began)
                    self._leave()

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
                with self._changed:
                    self._leave()

    def _take(self, given_up: Callable[[], bool]) -> bool:
        """Wait for the model as a completion does; False if it was given up meanwhile."""
        with self._changed:
            self._urgent += 1
            try:
                if self._interrupt is not None:
                    self._interrupt()
                    self._interrupted = True
                while self._busy or self.question_first:
                    if given_up():
                        return False
                    self._changed.wait(_POLL_SECONDS)
            finally:
                self._urgent -= 1
            self._busy, self._began = True, self._clock()
            return True

    def _make_room(self, given_up: Callable[[], bool]) -> bool:
        """Between two steps of a completion: let a question catch up; False if the completion was given up then."""
        with self._changed:
            self._count_urgent()
            if not self.question_first:
                return True
            self._leave()
            return self._take(given_up)  # in one go: the question must see that a completion waits

    def _release(self) -> None:
        with self._changed:
            self._count_urgent()
            self._leave()

    def _count_urgent(self) -> None:
        now = self._clock()
        if self._conversations:
            self._owe(self._owed + now - self._began)
        self._began = now

    def _pay(self, seconds: float) -> None:
        """The question got so much done. What completions waited for counts in full, however long a step takes."""
        least = float("-inf") if self._granted else min(self._owed, -LEAD)
        self._owe(max(least, self._owed - seconds))

    def _owe(self, seconds: float) -> None:
        """So much is owed to the question now."""
        self._owed = min(MOST_OWED, seconds)
        self._catching_up = self._owed >= SLICE or (self._catching_up and self._owed > 0)

    def _enter(self, interrupt: Callable[[], None]) -> int:
        """Begin a patient turn."""
        self._granted = bool(self._urgent)  # it goes before one that waits
        self._busy, self._interrupted, self._began = True, False, self._clock()
        self._interrupt = None if self._granted else interrupt
        return GRANTED_STEP if self._granted else UNLIMITED

    def _patient_may(self) -> bool:
        return not self._busy and (not self._urgent or self.question_first)

    @property
    def _present(self) -> bool:
        return self._asking > 0 or self._clock() - self._left < _ABSENT_SECONDS

    def _leave(self) -> None:
        self._busy = False
        self._interrupt = None
        self._changed.notify_all()
