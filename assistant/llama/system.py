"""What comes from the operating system: the C library, and pages of mapped files."""

from __future__ import annotations

import ctypes
import functools
import os
import sys
from pathlib import Path

_DONT_NEED = 4  # MADV_DONTNEED on Linux
_PATH = 5  # column of /proc/self/maps


@functools.cache
def libc() -> ctypes.CDLL:
    """The C library of this process."""
    return ctypes.CDLL("msvcrt") if sys.platform == "win32" else ctypes.CDLL(None)


def give_back(path: Path) -> None:
    """Let go of the resident pages of a file that this process has mapped; what is read again comes back by itself.

    Linux only; elsewhere, and where the system refuses, nothing changes.
    """
    if sys.platform != "linux":
        return
    name = os.path.realpath(path)
    try:
        lines = Path("/proc/self/maps").read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return
    for line in lines:
        columns = line.split(maxsplit=_PATH)
        if columns[_PATH:] == [name]:
            start, end = (int(address, 16) for address in columns[0].split("-"))
            libc().madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), _DONT_NEED)
