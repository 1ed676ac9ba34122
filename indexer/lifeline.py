"""Ending with the parent process, however that ends.

The end of its input tells a process that its parent is gone, but only where it reads. One that is busy in a grammar's
code, or stopped, is ended by the kernel.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from contextlib import suppress

_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of Linux."""


def end_with_reader(descriptor: int) -> None:
    """Let the kernel kill this process as soon as nobody can read the pipe ``descriptor`` any more; Linux only.

    For a pipe that only the parent reads, and only after this process has ended. The descriptor must stay open. Unlike
    a death signal, this does not depend on the thread of the parent that started the process.
    """
    if sys.platform != "linux":
        return
    import fcntl

    with suppress(OSError):  # a sandbox may refuse it; the end of the input remains
        fcntl.fcntl(descriptor, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) | os.O_ASYNC)
    poll = select.poll()
    poll.register(descriptor, 0)
    if poll.poll(0):  # the reader was gone before
        os._exit(0)


def continue_without_parent() -> None:
    """Let this process go on if it is stopped (SIGSTOP) when its parent ends, so that it can leave; Linux only.

    Harmless when the signal comes early: Linux sends it when the thread that started this process ends.
    """
    if sys.platform != "linux":
        return
    import ctypes

    ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGCONT, 0, 0, 0)
