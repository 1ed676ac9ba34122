"""Whose files and sockets these are: nothing is read from, or connected to, that another user could have put there.

The model host's folder holds a token and a socket to which prompts are sent. It must be a real folder (no link) of
this user with mode 0700; a file in it must be a regular file of this user with mode 0600, and a socket this user's.
Where the system tells (Linux), the process at the other end of a socket must be this user's too: that holds even if
the path was swapped between the check and the connection. Windows has no owners of this kind; there its profile
folders protect the files.
"""

from __future__ import annotations

import os
import socket
import stat
import struct
from contextlib import suppress
from pathlib import Path

from indexer.errors import StorageError

_OTHERS = 0o077
_HINT = "Set CODEMOAT_RUNTIME_DIR to a folder of your own."


def make_private(folder: Path) -> None:
    """Make ``folder``, for this user alone. Raises StorageError if it cannot be, or is a link or another user's."""
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_parent(folder.parent)
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode):
            kind = "a symbolic link" if stat.S_ISLNK(found.st_mode) else "not a folder"
            raise StorageError(f"{folder} is {kind}, so the model host does not use it.", f"Remove it. {_HINT}")
        if not _own(found):
            raise StorageError(f"The folder {folder} belongs to another user.", _HINT)
        if _closed(found):
            return
        if not hasattr(os, "O_NOFOLLOW"):  # Windows
            folder.chmod(0o700)
            return
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            os.fchmod(descriptor, 0o700)
        finally:
            os.close(descriptor)
    except OSError as exc:
        raise StorageError.from_os_error(exc, "preparing the model host's directory", folder) from exc


def is_private(folder: Path) -> bool:
    """Whether ``folder`` is a real folder of this user that nobody else may enter."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and _own(found) and _closed(found)


def read_private(path: Path, most: int) -> bytes | None:
    """The content of a small file of this user; None if it is not there or not to be trusted.

    Not trusted: links, pipes and other special files, files of other users, files that others may read or write, files
    of more than ``most`` bytes, and anything in a folder that is not private.
    """
    if not is_private(path.parent):
        return None
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        descriptor = os.open(path, flags)
    except OSError:
        return None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or not _own(found) or not _closed(found):
            return None
        data = b""
        while len(data) <= most and (more := os.read(descriptor, most + 1 - len(data))):
            data += more
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return data if len(data) <= most else None


def create_private(path: Path) -> int:
    """A descriptor of a new, empty file for writing, readable for this user alone.

    What is at ``path`` is removed first, never written to: it may be a link or a pipe. Raises OSError.
    """
    path.unlink(missing_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)


def is_own_socket(path: Path) -> bool:
    """Whether ``path`` is a socket of this user in a private folder."""
    try:
        found = path.lstat()
    except OSError:
        return False
    return stat.S_ISSOCK(found.st_mode) and _own(found) and is_private(path.parent)


def peer_is_user(connection: socket.socket) -> bool:
    """Whether the process at the other end of a Unix-domain socket is this user's; true where nobody can tell."""
    if not hasattr(socket, "SO_PEERCRED") or connection.family != socket.AF_UNIX:
        return True
    size = struct.calcsize("3i")
    _pid, user, _group = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
    return bool(user == os.getuid())


def _check_parent(folder: Path) -> None:
    """Refuse a folder in which another user could replace the host's folder."""
    found = folder.stat()
    foreign = hasattr(os, "getuid") and found.st_uid not in (os.getuid(), 0)
    if foreign:
        raise StorageError(f"The folder {folder} belongs to another user.", _HINT)
    if hasattr(os, "getuid") and found.st_mode & stat.S_IWOTH and not found.st_mode & stat.S_ISVTX:
        raise StorageError(f"Every user may write to the folder {folder}.", f"Change its mode to 700. {_HINT}")


def _own(found: os.stat_result) -> bool:
    return not hasattr(os, "getuid") or found.st_uid == os.getuid()


def _closed(found: os.stat_result) -> bool:
    return not hasattr(os, "getuid") or not found.st_mode & _OTHERS
