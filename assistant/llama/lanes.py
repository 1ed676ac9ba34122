"""Queues of generations, one for each context: within a lane they run one after the other, in the order they came."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from assistant.llama.cancel import InterruptingCancel
from assistant.llm import Answered, Cancel, Finished
from indexer.errors import CodemoatError

Report = Callable[[Answered | CodemoatError], None]
"""Gets every event of a job, on the lane's thread; the last is a Finished or an error."""


@dataclass(eq=False, slots=True)
class Job:
    """A generation that waits or runs. ``kind`` is its operation: "chat" or "fill".

    Nobody waits for an idle one, which only evaluates, nor yet for one that is generated ahead.
    """

    kind: str
    start: Callable[[Cancel], Iterator[Answered]]
    cancel: InterruptingCancel = field(default_factory=InterruptingCancel)
    idle: bool = False
    ahead: bool = False
    begun: bool = False
    """Whether its first text was sent."""


class Lane:
    """A thread that runs jobs one at a time."""

    def __init__(self, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._running: Job | None = None
        self._since = 0.0
        self._worked = 0.0
        self._jobs: queue.SimpleQueue[tuple[Job, Report] | None] = queue.SimpleQueue()
        self._pending = 0
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    @property
    def busy(self) -> bool:
        """Whether a job runs or waits."""
        return self._pending > 0

    @property
    def running(self) -> Job | None:
        """The job that runs."""
        return self._running

    @property
    def worked(self) -> float:
        """Seconds that jobs ran for which somebody waited, up to now."""
        with self._lock:
            running = self._running
            return self._worked + (self._clock() - self._since if running is not None and not running.idle else 0.0)

    def submit(self, job: Job, report: Report) -> None:
        """Run ``job`` after those before it."""
        with self._lock:
            self._pending += 1
        self._jobs.put((job, report))

    def close(self) -> None:
        """Finish what is queued (cancelled jobs end at once) and end the thread."""
        self._jobs.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (item := self._jobs.get()) is not None:
            with self._lock:
                self._running, self._since = item[0], self._clock()
            run(*item)
            with self._lock:
                if not item[0].idle:
                    self._worked += self._clock() - self._since
                self._running = None
                self._pending -= 1


def run(job: Job, report: Report) -> None:
    """Run a job to its end. One that was cancelled while it waited is not started."""
    if job.cancel.cancelled:
        report(Finished("cancelled"))
        return
    try:
        for event in job.start(job.cancel):
            report(event)
    except CodemoatError as exc:
        report(exc)
