"""Wait for a process that a stranger's data may keep busy: within a time, an amount of memory and of output."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, NamedTuple

MAX_OUTPUT = 256 << 20
"""Bytes; four million paths."""

_MAX_MEMORY = 2 << 30
"""Bytes that the process may allocate; mapped files do not count. Git reads an attributes file whole, and that can be
a link to /dev/zero."""

_MAX_ERRORS = 4_096
_LEAVE_SECONDS = 5.0


class Ended(NamedTuple):
    """What a process wrote, and its exit status."""

    status: int
    output: bytes
    errors: bytes


def wait_bounded(process: subprocess.Popen[bytes], seconds: float) -> Ended:
    """Read both pipes of a process that leads a session of its own, until it ends.

    Raises TimeoutError after ``seconds`` and OverflowError for more than ``MAX_OUTPUT`` bytes; then it is killed with
    all that it started.
    """
    ends = time.monotonic() + seconds
    assert process.stdout is not None
    assert process.stderr is not None
    _limit_memory(process.pid)
    finished = False
    try:
        output, errors = _gather(process.stdout, process.stderr, ends)
        status = process.wait(max(0.0, ends - time.monotonic()))
        finished = True
        return Ended(status, output, errors)
    except subprocess.TimeoutExpired:
        raise TimeoutError from None
    finally:
        process.stdout.close()
        process.stderr.close()
        if not finished:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            # One that reads from a file system that hangs cannot be killed: it is left behind, and ends some day.
            with suppress(subprocess.TimeoutExpired):
                process.wait(_LEAVE_SECONDS)


def _limit_memory(pid: int) -> None:
    """Where the system can limit another process: setting limits between fork and exec is not safe with threads."""
    import resource

    if hasattr(resource, "prlimit"):
        with suppress(OSError, ValueError):
            resource.prlimit(pid, resource.RLIMIT_DATA, (_MAX_MEMORY, _MAX_MEMORY))


def _gather(output: IO[bytes], errors: IO[bytes], ends: float) -> tuple[bytes, bytes]:
    """All that is written to both. Raises TimeoutError after the time ``ends`` and OverflowError for too much."""
    taken = {output.fileno(): bytearray(), errors.fileno(): bytearray()}
    with selectors.DefaultSelector() as selector:
        for stream in (output, errors):
            selector.register(stream, selectors.EVENT_READ)
        while selector.get_map():
            left = ends - time.monotonic()
            ready = selector.select(left) if left > 0 else []
            if not ready:
                raise TimeoutError
            for key, _ in ready:
                data = os.read(key.fd, 1 << 16)
                if not data:
                    selector.unregister(key.fileobj)
                elif key.fd == output.fileno():
                    taken[key.fd] += data
                    if len(taken[key.fd]) > MAX_OUTPUT:
                        raise OverflowError
                else:
                    taken[key.fd] += data[: _MAX_ERRORS - len(taken[key.fd])]
    return bytes(taken[output.fileno()]), bytes(taken[errors.fileno()])


def cpu_seconds(pid: int) -> float | None:
    """Processor time of a process in seconds, None where /proc does not tell."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
