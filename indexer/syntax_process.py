"""Asks the process that judges syntax (``syntax_child``), and never waits long for it.

The process is started on first use, ends with this one (``lifeline``), and is replaced when it dies or does not answer.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from indexer.bounded import cpu_seconds
from indexer.frames import frame, take_frames
from indexer.syntax import Candidate, Verdict
from indexer.syntax_child import HANGING, Question, Reply

SECONDS = 0.03
"""Processor time for one place while somebody types; one parse of 64 KB takes a third of it at most."""
_WAIT = 10
"""So many times that is waited for an answer of a process that gets processor time."""
_STARVED_SECONDS = 2.0
"""For an answer where the process is only loading, or the machine is too busy to let it run."""
_START_SECONDS = 10.0
"""After which a process that has not answered is replaced."""
_LEAVE_SECONDS = 2.0
_PIPE_BYTES = 1 << 20
# -P: the current folder (the user's repository) must not be where modules are imported from.
_COMMAND = "import sys; sys.path.insert(0, sys.argv[1]); from indexer.syntax_child import main; main()"
_LATE = Verdict(late=True)


class SyntaxProcess:
    """A process that judges syntax. Threads may share it; they wait for each other."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._buffer = bytearray()
        self._number = 0
        self._ready = False
        """Whether the process has answered before."""
        self._since = 0.0
        """When the first question was sent that has no reply yet; 0 if all have."""

    @property
    def pid(self) -> int | None:
        """Its process id, None while none runs."""
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        """Start the process, if it does not run, so that it is ready when the first question comes."""
        with self._lock:
            self._running()

    def first_fit(
        self,
        before: bytes,
        after: bytes,
        language: str,
        candidates: Sequence[Candidate],
        *,
        seconds: float = SECONDS,
        patience: float | None = None,
    ) -> Verdict:
        """As ``Judge.first_fit``; late if no answer comes within ``patience`` seconds.

        By default that is ten times ``seconds``, and more on a machine that hardly lets the process run.
        """
        soon = _WAIT * seconds if patience is None else patience
        until = time.monotonic() + max(soon, _STARVED_SECONDS if patience is None else 0.0)
        if not self._lock.acquire(timeout=max(0.0, until - time.monotonic())):
            return _LATE
        try:
            process = self._running()
            if process is None:
                return Verdict(known=False)
            self._number += 1
            question = Question(self._number, before, after, language, list(candidates), seconds)
            used = cpu_seconds(process.pid) if patience is None and self._ready else None
            if not self._send(process, question, until):
                return _LATE
            found = self._answer(process, min(until, time.monotonic() + soon))
            while found is None and time.monotonic() < until:
                if used is not None and ((now := cpu_seconds(process.pid)) is None or now - used > 2 * seconds):
                    break  # it had its time
                found = self._answer(process, min(until, time.monotonic() + soon))
            return found or _LATE
        finally:
            self._lock.release()

    def close(self) -> None:
        """End the process. It is started again when it is needed."""
        with self._lock:
            self._end()

    def _running(self) -> subprocess.Popen[bytes] | None:
        """The process, a new one where the last died or hangs; None if none can be started."""
        if self._process is not None:
            hangs = self._since and time.monotonic() - self._since > max(_START_SECONDS, 2 * HANGING)
            if self._process.poll() is None and not hangs:
                return self._process
            self._end()
        command = [sys.executable, "-P", "-c", _COMMAND, str(Path(__file__).parent.parent)]
        pipe = subprocess.PIPE
        try:
            process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0)
        except OSError:
            return None
        assert process.stdin is not None
        os.set_blocking(process.stdin.fileno(), False)
        if sys.platform == "linux":
            import fcntl

            with suppress(OSError):  # a whole question fits; optional
                fcntl.fcntl(process.stdin.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._process, self._buffer, self._since, self._ready = process, bytearray(), 0.0, False
        return process

    def _send(self, process: subprocess.Popen[bytes], question: Question, until: float) -> bool:
        import msgspec

        assert process.stdin is not None
        self._since = self._since or time.monotonic()
        view = memoryview(frame(msgspec.msgpack.encode(question)))
        sent = 0
        while sent < len(view):
            if not _ready(process.stdin.fileno(), select.POLLOUT, until):
                if sent:
                    self._end()  # half a question is none, and the next would follow it
                return False
            try:
                sent += os.write(process.stdin.fileno(), view[sent:])
            except BlockingIOError:
                continue
            except OSError:  # it died
                self._end()
                return False
        return True

    def _answer(self, process: subprocess.Popen[bytes], until: float) -> Verdict | None:
        """The reply to the latest question, None if none comes before the moment ``until``; older ones are dropped."""
        from indexer.decoders import decoder

        assert process.stdout is not None
        while _ready(process.stdout.fileno(), select.POLLIN, until):
            data = os.read(process.stdout.fileno(), _PIPE_BYTES)
            if not data:
                self._end()
                return _LATE
            self._buffer += data
            for payload in take_frames(self._buffer):
                reply: Reply = decoder(Reply).decode(payload)
                self._ready = True
                if reply.number == self._number:
                    self._since = 0.0
                    return reply.verdict
        return None

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout, process.stderr):
            assert pipe is not None
            with suppress(OSError):
                pipe.close()
        with suppress(subprocess.TimeoutExpired):  # one that even a kill does not end is left to itself
            process.wait(_LEAVE_SECONDS)


def _ready(descriptor: int, event: int, until: float) -> bool:
    """Whether a descriptor is ready before the moment ``until``."""
    poll = select.poll()
    poll.register(descriptor, event)
    return bool(poll.poll(max(0.0, 1000 * (until - time.monotonic()))))


@lru_cache(maxsize=1)
def shared() -> SyntaxProcess:
    """The one of this process."""
    return SyntaxProcess()
