"""Queues of generations, one for each context: within a lane they run one after the other, in the order they came."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from assistant.llama.cancel import InterruptingCancel
from assistant.llm import Cancel, Finished, Generated
from indexer.errors import CodemoatError

Report = Callable[[Generated | CodemoatError], None]
"""Gets every event of a job, on the lane's thread; the last is a Finished or an error."""


@dataclass(frozen=True, slots=True)
class Job:
    """A generation that waits or runs. ``kind`` is its operation: "chat" or "fill"; nobody waits for an idle one."""

    kind: str
    start: Callable[[Cancel], Iterator[Generated]]
    cancel: InterruptingCancel = field(default_factory=InterruptingCancel)
    idle: bool = False


class Lane:
    """A thread that runs jobs one at a time."""

    def __init__(self, name: str) -> None:
        self._jobs: queue.SimpleQueue[tuple[Job, Report] | None] = queue.SimpleQueue()
        self._pending = 0
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    @property
    def busy(self) -> bool:
        """Whether a job runs or waits."""
        return self._pending > 0

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
            run(*item)
            with self._lock:
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
