"""Work beside the event loop: a few daemon threads a kind of work, bounded queues, the latest of a key wins.

Each kind has a lane of its own, so that completions never keep a chat waiting, nor a long search an edit.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Hashable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from assistant.llm import Cancel

Result = TypeVar("Result")


class DroppedError(Exception):
    """The job never ran: a newer one took its place, the queue was full, or the server leaves."""


@dataclass(slots=True)
class _Job:
    work: Callable[[], Any]
    key: Hashable
    future: Future[Any]


class Lane:
    """A queue with threads of its own, started when first needed. They are daemons: none keeps the process alive."""

    def __init__(self, name: str, *, threads: int = 1, waiting: int = 64) -> None:
        """``waiting``: jobs that may wait; of more, the one that waits longest is dropped."""
        self._name = name
        self._most_threads = threads
        self._most_waiting = waiting
        self._jobs: deque[_Job] = deque()
        self._changed = threading.Condition()
        self._threads = 0
        self._idle = 0
        self._closed = False

    def submit(self, work: Callable[[], Result], key: Hashable = None) -> Future[Result]:
        """Run ``work`` in its turn. A job of the same ``key`` that still waits is dropped (DroppedError)."""
        future: Future[Result] = Future()
        dropped: list[_Job] = []
        with self._changed:
            if self._closed:
                future.set_exception(DroppedError())
                return future
            if key is not None:
                dropped = [job for job in self._jobs if job.key == key]
                for job in dropped:
                    self._jobs.remove(job)
            if len(self._jobs) >= self._most_waiting:
                dropped.append(self._jobs.popleft())
            self._jobs.append(_Job(work, key, future))
            if self._idle < len(self._jobs) and self._threads < self._most_threads:
                self._threads += 1
                threading.Thread(target=self._run, name=f"codemoat-{self._name}", daemon=True).start()
            self._changed.notify()
        _drop(dropped)
        return future

    def close(self) -> None:
        """Drop what waits and let the threads end after what they do; does not wait for them."""
        with self._changed:
            self._closed = True
            dropped = list(self._jobs)
            self._jobs.clear()
            self._changed.notify_all()
        _drop(dropped)

    def _run(self) -> None:
        while (job := self._next()) is not None:
            if not job.future.set_running_or_notify_cancel():
                continue
            try:
                result = job.work()
            except BaseException as exc:  # noqa: BLE001
                # The edge of a thread: whoever waits for the job gets it.
                job.future.set_exception(exc)
            else:
                job.future.set_result(result)

    def _next(self) -> _Job | None:
        with self._changed:
            self._idle += 1
            while not self._jobs and not self._closed:
                self._changed.wait()
            self._idle -= 1
            return self._jobs.popleft() if self._jobs else None


class Jobs:
    """The lanes of a server."""

    def __init__(self) -> None:
        self.completion = Lane("completion", threads=3, waiting=3)
        """More than one: a newer request makes the suggester answer an older one, which so gives its thread back."""
        self.chat = Lane("chat", threads=2, waiting=8)
        self.reading = Lane("reading", threads=2, waiting=64)
        """Searches, symbols, status."""
        self.typing = Lane("typing", waiting=256)
        """Telling the suggester of edits: short, and nothing else, since requests wait for it."""
        self.ahead = Lane("ahead", waiting=16)
        """What nobody waits for: warming a prompt, generating ahead."""
        self.buffers = Lane("buffers", waiting=256)
        """Parsing unsaved text."""
        self.model = Lane("model", waiting=4)
        """Loading and fetching."""

    def close(self) -> None:
        """Drop what waits in every lane."""
        for lane in (self.completion, self.chat, self.reading, self.typing, self.ahead, self.buffers, self.model):
            lane.close()


class Debounce:
    """Calls that wait until it was quiet for a key; on the event loop."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._timers: dict[Hashable, asyncio.TimerHandle] = {}

    def call(self, key: Hashable, action: Callable[[], object]) -> None:
        """Call ``action`` once nothing was asked for ``key`` for the time."""
        self.cancel(key)

        def due() -> None:
            self._timers.pop(key, None)
            action()

        self._timers[key] = asyncio.get_running_loop().call_later(self._seconds, due)

    def cancel(self, key: Hashable) -> None:
        """Forget what waits for ``key``."""
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()

    def close(self) -> None:
        """Forget everything."""
        for key in list(self._timers):
            self.cancel(key)


async def result(future: Future[Result], cancel: Cancel | None = None) -> Result:
    """Wait for a job on the event loop; ``cancel`` is set if whoever waits is cancelled (``$/cancelRequest``)."""
    try:
        return await asyncio.wrap_future(future)
    except asyncio.CancelledError:
        if cancel is not None:
            cancel.cancel()
        raise


def _drop(jobs: list[_Job]) -> None:
    for job in jobs:
        with suppress(InvalidStateError):
            if job.future.set_running_or_notify_cancel():
                job.future.set_exception(DroppedError())
