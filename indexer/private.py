"""Folders and files for their owner alone, whatever the umask: what codemoat keeps was in somebody's files or mind."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

FOLDER_MODE, FILE_MODE = 0o700, 0o600
_OTHERS = 0o077


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


def ensure_file(path: Path) -> None:
    """Create an empty file where there is none; make an old one private. OSError if there is a link or no file."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE))
    except FileExistsError:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.ELOOP, "it is a link or not a file", str(path)) from None
        tighten_found(path, found)


def tighten(path: Path) -> None:
    """Take the rights of group and others from a folder or file of this user; links are left alone. Raises nothing."""
    with suppress(OSError):
        tighten_found(path, path.lstat())


def tighten_found(path: str | Path, found: os.stat_result, dir_fd: int | None = None) -> None:
    """The same where ``lstat`` of ``path``, which may be relative to a folder's descriptor, is known. OSError."""
    mode = stat.S_IMODE(found.st_mode)
    mine = not hasattr(os, "geteuid") or found.st_uid == os.geteuid()
    if mode & _OTHERS and mine and not stat.S_ISLNK(found.st_mode) and os.name == "posix":
        os.chmod(path, mode & ~_OTHERS, dir_fd=dir_fd)
