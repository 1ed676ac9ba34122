"""Whose files and sockets these are: nothing is read from, or connected to, that another user could have put there.

The model host's folder holds a token and a socket to which prompts are sent. It must be a real folder (no link) of
this user with mode 0700; a file in it must be a regular file of this user with mode 0600, and a socket this user's.
Where the system tells (Linux), the process at the other end of a socket must be this user's too: that holds even if
the path was swapped between the check and the connection.
"""

from __future__ import annotations

import os
import socket
import stat
import struct
from contextlib import suppress
from pathlib import Path

from indexer.errors import StorageError
from indexer.private import FOLDER_MODE, is_closed, is_mine, is_private

_HINT = "Set CODEMOAT_RUNTIME_DIR to a folder of your own."


def make_private(folder: Path) -> None:
    """Make ``folder``, for this user alone. Raises StorageError if it cannot be, or is a link or another user's."""
    try:
        folder.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        _check_parent(folder.parent)
        with suppress(FileExistsError):
            folder.mkdir(mode=FOLDER_MODE)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode):
            kind = "a symbolic link" if stat.S_ISLNK(found.st_mode) else "not a folder"
            raise StorageError(f"{folder} is {kind}, so the model host does not use it.", f"Remove it. {_HINT}")
        if not is_mine(found):
            raise StorageError(f"The folder {folder} belongs to another user.", _HINT)
        if is_closed(found):
            return
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            os.fchmod(descriptor, FOLDER_MODE)
        finally:
            os.close(descriptor)
    except OSError as exc:
        raise StorageError.from_os_error(exc, "preparing the model host's directory", folder) from exc


def is_own_socket(path: Path) -> bool:
    """Whether ``path`` is a socket of this user in a private folder."""
    try:
        found = path.lstat()
    except OSError:
        return False
    return stat.S_ISSOCK(found.st_mode) and is_mine(found) and is_private(path.parent)


def peer_is_user(connection: socket.socket) -> bool:
    """Whether the process at the other end of a Unix-domain socket is this user's; true where nobody can tell."""
    if not hasattr(socket, "SO_PEERCRED") or connection.family != socket.AF_UNIX:
        return True
    size = struct.calcsize("3i")
    _pid, user, _group = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
    return bool(user == os.geteuid())


def _check_parent(folder: Path) -> None:
    """Refuse a folder in which another user could replace the host's folder."""
    found = folder.stat()
    if not is_mine(found) and found.st_uid != 0:
        raise StorageError(f"The folder {folder} belongs to another user.", _HINT)
    if found.st_mode & stat.S_IWOTH and not found.st_mode & stat.S_ISVTX:
        raise StorageError(f"Every user may write to the folder {folder}.", f"Change its mode to 700. {_HINT}")
