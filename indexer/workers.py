"""Parse processes with a deadline: a grammar that hangs or crashes costs one file, and only its syntax.

The parent holds one pipe pair a worker and never blocks on one of them. Workers are separate interpreters started with
a fixed command line (not forks, not ``multiprocessing``), so that this works from threads, from an asyncio server and
without importing the caller's main module. A worker ends when its input ends, and at once when its parent is gone
(``lifeline.py``); so none outlives its parent.
"""

from __future__ import annotations

import os
import select
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from indexer.bounded import cpu_seconds
from indexer.config import IndexConfig
from indexer.control import Cancel
from indexer.errors import CancelledError, CodemoatError
from indexer.frames import BY_LINES_SHARE, Answer, Job, Setup, frame, take_frames
from indexer.reports import Skipped

if TYPE_CHECKING:
    from indexer.analysis import Analysis

_WINDOW = 16
"""Files under way in one worker: enough that it never waits, few enough that the last ones spread over all."""
_BATCH = 4
_WINDOW_BYTES = 16_384
"""Request bytes under way in one worker; below any pipe's capacity, so that sending never blocks."""
_PIPE_BYTES = 1 << 20
_START_SECONDS = 60.0
_STARVED = 4
"""A worker that got hardly any processor time is given this many deadlines before it counts as hanging."""
Results = Generator["Analysis | Skipped", None, None]
_MAX_FAILED_STARTS = 3
_MAX_WORKERS = 8
_POLL_SECONDS = 0.1
_LEAVE_SECONDS = 2.0

# -P: the current folder (the user's repository) must not be where a worker imports modules from.
_COMMAND = "import sys; sys.path.insert(0, sys.argv[1]); from indexer.analyse import main; main()"


class WorkerPool:
    """Analyses files in parallel processes. Not for use from several threads at once.

    Processes start when work arrives, as many as it is worth, and stay for the next ``analyse`` until ``close``.
    """

    def __init__(self, root: Path, config: IndexConfig) -> None:
        self._root = root
        self._config = config
        self._limit = config.workers or min(_MAX_WORKERS, _cores())
        self._workers: list[_Worker] = []
        self._selector = selectors.PollSelector()  # holds no descriptor of its own that would need closing
        self._failed_starts = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def start(self) -> None:
        """Start one worker before there is work, so that it gets ready while the caller does something else."""
        if not self._workers:
            self._start_worker()

    def close(self) -> None:
        """End all workers and reap them. The pool can be used again afterwards; it starts new ones."""
        for worker in self._workers:
            worker.hang_up()
        for worker in list(self._workers):
            self._discard(worker)

    @property
    def pids(self) -> list[int]:
        """Process ids of the running workers."""
        return [worker.process.pid for worker in self._workers]

    def analyse(self, paths: Iterable[str], cancel: Cancel | None = None) -> Results:
        """One result for every path (relative to the root, POSIX), in the order in which they get ready.

        A file whose parse exceeds ``config.parse_deadline`` or kills its worker is taken by lines, ``problem`` saying
        why; if even that fails, it comes back as ``Skipped``. Raises ``CancelledError`` soon after ``cancel`` is set.
        """
        return self._run((Job(path, None) for path in paths), cancel)

    def analyse_buffer(self, path: str, raw: bytes) -> Analysis | Skipped:
        """What ``analyse`` would give for a file ``path`` that holds ``raw``."""
        (result,) = self._run(iter([Job(path, None, raw)]), None)
        return result

    def _run(self, upcoming: Iterator[Job], cancel: Cancel | None) -> Results:
        waiting: deque[Job] = deque()
        try:
            while True:
                if cancel is not None and cancel.cancelled:
                    raise CancelledError("The indexing was cancelled.")
                waiting.extend(islice(upcoming, max(0, self._limit * _WINDOW - len(waiting))))
                self._hand_out(waiting)
                if not waiting and not any(worker.jobs for worker in self._workers):
                    return
                yield from self._collect()
                for job, reason in self._bury():
                    if job.problem is None and reason:
                        waiting.appendleft(job._replace(problem=f"{reason}; taken by lines."))
                    elif reason:
                        yield Skipped(job.path, f"{reason}, even by lines.")
                    else:
                        waiting.appendleft(job)
        finally:
            for worker in [w for w in self._workers if w.jobs]:
                self._discard(worker)

    def _hand_out(self, waiting: deque[Job]) -> None:
        """Start the workers that the waiting jobs are worth and fill each one's window, a few jobs in turn."""
        busy = sum(len(worker.jobs) for worker in self._workers)
        wanted = min(self._limit, -(-(len(waiting) + busy) // _BATCH))
        while len(self._workers) < wanted:
            self._start_worker()
        batches: dict[_Worker, list[Job]] = {worker: [] for worker in self._workers}
        progress = True
        while waiting and progress:
            progress = False
            for worker, batch in batches.items():
                room = worker.room(batch)
                for _ in range(min(_BATCH, room, len(waiting))):
                    batch.append(waiting.popleft())
                    progress = True
        for worker, batch in batches.items():
            if batch:
                worker.send(batch)

    def _start_worker(self) -> None:
        try:
            worker = _Worker(self._root, self._config)
        except OSError as exc:
            raise _start_error(exc.strerror or str(exc)) from exc
        self._workers.append(worker)
        self._selector.register(worker.output, selectors.EVENT_READ, worker)

    def _collect(self) -> Iterator[Analysis | Skipped]:
        """Whatever the workers have ready; waits a moment for the first."""
        for key, _ in self._selector.select(_POLL_SECONDS):
            worker: _Worker = key.data
            for answer in worker.receive():
                self._failed_starts = 0
                found = answer.analysis or answer.skipped
                if found is not None:
                    yield found

    def _bury(self) -> Iterator[tuple[Job, str | None]]:
        """Remove workers that died or hang. Yields their jobs, last first, the one to blame with the reason."""
        for worker in list(self._workers):
            reason = worker.failure(self._config.parse_deadline)
            if reason is None:
                continue
            self._discard(worker)
            if not worker.ready:
                self._failed_starts += 1
                if self._failed_starts >= _MAX_FAILED_STARTS:
                    raise _start_error(reason)
            while worker.jobs:
                job = worker.jobs.pop()
                yield job, None if worker.jobs or not worker.ready else reason

    def _discard(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        self._selector.unregister(worker.output)
        worker.end()


_alive: set[_Worker] = set()


def kill_workers() -> None:
    """Kill every worker of this process, for one that leaves without closing its pools.

    Workers end by themselves when this process does, but not while they are stopped before they have begun.
    """
    for worker in list(_alive):
        worker.process.kill()


def _start_error(reason: str) -> CodemoatError:
    return CodemoatError(
        f"The parse processes do not start: {reason.rstrip('.')}.", "Run `codemoat doctor`; is there enough memory?"
    )


class _Worker:
    """One process: its pipes, the jobs that it has not answered yet, and when it was last heard of."""

    def __init__(self, root: Path, config: IndexConfig) -> None:
        command = [sys.executable, "-P", "-c", _COMMAND, str(Path(__file__).parent.parent)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
        )
        _alive.add(self)
        assert self.process.stdin is not None and self.process.stdout is not None
        self._input = self.process.stdin
        os.set_blocking(self._input.fileno(), False)
        self.output = self.process.stdout.fileno()
        _widen(self.output)
        self.jobs: deque[Job] = deque()
        self.ready = False
        self.ended = False
        self._buffer = bytearray()
        self._sent = 0
        """Bytes of the jobs that are under way."""
        self._since = time.monotonic()
        self._cpu = 0.0
        self._patience = _START_SECONDS
        """Seconds that it may take nothing in while there is something to send."""
        self._write(_encode(Setup(os.fsencode(root), replace(config, cache_dir=None))))

    def room(self, batch: list[Job]) -> int:
        """How many more jobs it takes on top of ``batch``."""
        used = self._sent + sum(map(_job_bytes, batch))
        return 0 if self.ended or used > _WINDOW_BYTES else _WINDOW - len(self.jobs) - len(batch)

    def send(self, jobs: list[Job]) -> None:
        """Hand over ``jobs``; the clock of an idle worker starts now."""
        if not self.jobs:
            self._since = time.monotonic()
        self.jobs.extend(jobs)
        self._sent += sum(map(_job_bytes, jobs))
        self._write(_encode(jobs))

    def receive(self) -> Iterator[Answer]:
        """Answers that have arrived, after ``select`` said that there is something to read."""
        data = os.read(self.output, _PIPE_BYTES)
        self._since = time.monotonic()
        if not data:
            self.ended = True
        self._buffer += data
        decode = _decoder()
        for payload in take_frames(self._buffer):
            answer = decode(payload)
            self._cpu = answer.cpu
            if self.ready:
                self._sent -= _job_bytes(self.jobs.popleft())
            self.ready = True
            yield answer

    def failure(self, deadline: float) -> str | None:
        """Why this worker is of no use any more, as a clause, or None."""
        if self.ended:
            how = _exit_text(self._reap())
            return f"The parser crashed ({how})" if self.ready else self._last_words() or how
        waited = time.monotonic() - self._since
        if self.jobs and self.jobs[0].problem is not None:
            deadline *= BY_LINES_SHARE  # what is left is one's own code, whose time grows with the file
        if not self.ready:
            return "no answer" if waited > _START_SECONDS else None
        if not self.jobs or waited <= deadline or self._has_output():
            return None  # what is there to read may be old: the caller may have been away
        used = cpu_seconds(self.process.pid)
        if used is not None and used - self._cpu < deadline / 2 and waited <= _STARVED * deadline:
            return None
        return f"Parsing took longer than {deadline:g} s"

    def _has_output(self) -> bool:
        poll = select.poll()  # select.select() refuses descriptors above 1023
        poll.register(self.output, select.POLLIN)
        return bool(poll.poll(0))

    def hang_up(self) -> None:
        """Close its input: an idle worker ends by itself."""
        with suppress(BrokenPipeError):
            self._input.close()

    def end(self) -> None:
        """Close its pipes and reap it, by force unless it is idle."""
        _alive.discard(self)
        self.hang_up()
        if self.jobs or not self.ready:
            self.process.kill()
        self._reap()
        for pipe in (self.process.stdout, self.process.stderr):
            assert pipe is not None
            pipe.close()

    def _reap(self) -> int:
        """Exit status of a process that is leaving; one that does not is killed.

        One that reads from a file system that hangs cannot even be killed: nobody waits for it, and it ends some day.
        """
        for _ in range(2):
            with suppress(subprocess.TimeoutExpired):
                return self.process.wait(_LEAVE_SECONDS)
            self.process.kill()
        return -signal.SIGKILL

    def _last_words(self) -> str:
        """The last line of what a worker that did not even start wrote to its standard error."""
        assert self.process.stderr is not None
        os.set_blocking(self.process.stderr.fileno(), False)
        lines = (self.process.stderr.read() or b"").decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else ""

    def _write(self, payload: bytes) -> None:
        """Send a frame. A worker that died or takes nothing in for a long time counts as ended."""
        view = memoryview(frame(payload))
        poll = select.poll()
        poll.register(self._input, select.POLLOUT)
        try:
            while view:
                if not poll.poll(1000 * self._patience):
                    self.ended = True
                    return
                view = view[self._input.write(view) or 0 :]
        except BrokenPipeError:
            return  # noticed at the end of its output


def _cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _widen(descriptor: int) -> None:
    """A larger pipe lets a worker go on while the parent is busy with something else; Linux only, and optional."""
    if sys.platform == "linux":
        import fcntl

        with suppress(OSError):
            fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def _job_bytes(job: Job) -> int:
    return 16 + 4 * len(job.path) + (4 * len(job.problem) if job.problem else 0) + len(job.raw or b"")


def _exit_text(code: int) -> str:
    if code >= 0:
        return f"exit status {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"


def _encode(value: Setup | list[Job]) -> bytes:
    import msgspec

    return msgspec.msgpack.encode(value)


def _decoder() -> Callable[[bytes], Answer]:
    from indexer.decoders import decoder

    return decoder(Answer).decode
