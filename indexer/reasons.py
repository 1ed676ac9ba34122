"""Sentences for why something on disk is left out."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


def os_reason(exc: OSError) -> str:
    """One sentence for an operating system error met while reading a file."""
    match exc.errno:
        case errno.ENOENT:
            return "It does not exist (any more)."
        case errno.EACCES | errno.EPERM:
            return "No permission to read it."
        case errno.ELOOP | errno.ENOTDIR:
            return "Symbolic link: links are not followed."
        case errno.ENAMETOOLONG:
            return "Its path is too long for this system."
        case _:
            return f"It could not be read: {exc.strerror or exc}."


def special_reason(mode: int) -> str:
    """One sentence for a file mode that is no regular file."""
    if stat.S_ISDIR(mode):
        return "A folder, not a file."
    if stat.S_ISFIFO(mode):
        return "Named pipe, not a file."
    if stat.S_ISSOCK(mode):
        return "Socket, not a file."
    return "Device, not a file."


def printable(path: str) -> str:
    r"""A path that can be stored and shown: bytes that are no UTF-8 appear as ``\\xNN``."""
    return path if path.isascii() else os.fsencode(path).decode("utf-8", "backslashreplace")


def link_reason(root: Path, path: str) -> str:
    """One sentence for a symbolic link, by where it leads."""
    link = root / path
    try:
        target = link.resolve(strict=True)
    except (OSError, RuntimeError):
        return "Symbolic link that leads nowhere."
    if not target.is_relative_to(root):
        return "Symbolic link that leads out of the indexed folder."
    kind = "folder" if target.is_dir() else "file"
    return f"Symbolic link to a {kind} that is found at its own place: {target.relative_to(root).as_posix()}."


def encodable(path: str) -> bool:
    """Whether a path read from disk is valid UTF-8."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
