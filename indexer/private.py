"""Folders and files for their owner alone, whatever the umask: what codemoat keeps was in somebody's files or mind.

The one place that says whose a file is and who else may use it. No function here follows a link at the end of a path.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

FOLDER_MODE, FILE_MODE = 0o700, 0o600
SAFE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
"""Flags for opening what somebody else may have put there. Without ``O_NONBLOCK`` opening a named pipe waits."""
_OTHERS = 0o077
_REPLACE_ATTEMPTS = 1000


def is_mine(found: os.stat_result) -> bool:
    """Whether it belongs to this user."""
    return found.st_uid == os.geteuid()


def is_closed(found: os.stat_result) -> bool:
    """Whether group and others have no right to it."""
    return not found.st_mode & _OTHERS


def is_private(folder: Path) -> bool:
    """Whether ``folder`` is a real folder of this user that nobody else may enter."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and is_mine(found) and is_closed(found)


def make_folder(path: Path) -> None:
    """Create ``path`` and what is missing above it, each with mode 0700. Folders that exist keep theirs. OSError."""
    missing = []
    folder = path
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for folder in reversed(missing):
        # Another process may be doing the same.
        folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
    if not path.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))


def create_file(path: Path) -> int:
    """A descriptor of a new, empty file for writing. FileExistsError if there is anything of that name."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)


def replace_file(path: Path) -> int:
    """The same; what is at ``path`` is removed first, never written to: it may be a link or a pipe. OSError."""
    for _ in range(_REPLACE_ATTEMPTS):
        path.unlink(missing_ok=True)
        # Another process may replace the same file at the same moment, and create it between our two calls.
        with suppress(FileExistsError):
            return create_file(path)
    return create_file(path)


def open_file(path: Path, flags: int) -> int:
    """A descriptor of a regular file; with ``O_CREAT`` a new one is private. OSError if it is a link or no file."""
    with suppress(FileNotFoundError):
        _check_regular(path, path.lstat())
    descriptor = os.open(path, flags | SAFE, FILE_MODE)
    try:
        # Asked again of what was opened: the path may mean something else by now.
        _check_regular(path, os.fstat(descriptor))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def ensure_file(path: Path) -> None:
    """Create an empty file where there is none; make an old one private. OSError if there is a link or no file."""
    try:
        os.close(create_file(path))
    except FileExistsError:
        found = path.lstat()
        _check_regular(path, found)
        tighten_found(path, found)


def read_own(path: Path, most: int) -> bytes:
    """The content of a regular file of this user. OSError, also for one of more than ``most`` bytes."""
    return _read(path, most, is_mine)


def read_private(path: Path, most: int) -> bytes | None:
    """The content of a small file of this user; None if it is not there or not to be trusted.

    Not trusted: links, pipes and other special files, files of other users, files that others may read or write, files
    of more than ``most`` bytes, and anything in a folder that is not private.
    """
    if not is_private(path.parent):
        return None
    try:
        return _read(path, most, lambda found: is_mine(found) and is_closed(found))
    except OSError:
        return None


def tighten(path: Path) -> None:
    """Take the rights of group and others from a folder or file of this user; links are left alone. Raises nothing."""
    with suppress(OSError):
        tighten_found(path, path.lstat())


def tighten_found(path: str | Path, found: os.stat_result, dir_fd: int | None = None) -> None:
    """The same where ``lstat`` of ``path``, which may be relative to a folder's descriptor, is known. OSError."""
    if is_mine(found) and not is_closed(found) and not stat.S_ISLNK(found.st_mode):
        os.chmod(path, stat.S_IMODE(found.st_mode) & ~_OTHERS, dir_fd=dir_fd)


def _check_regular(path: Path, found: os.stat_result) -> None:
    if stat.S_ISLNK(found.st_mode):
        raise OSError(errno.ELOOP, "it is a link", str(path))
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "it is no regular file", str(path))


def _read(path: Path, most: int, is_trusted: Callable[[os.stat_result], bool]) -> bytes:
    with os.fdopen(open_file(path, os.O_RDONLY), "rb") as file:
        if not is_trusted(os.fstat(file.fileno())):
            raise PermissionError(errno.EPERM, "other users may change or read it", str(path))
        data = file.read(most + 1)
    if len(data) > most:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return data
