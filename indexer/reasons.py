"""Sentences for why something on disk is left out, and how text of a repository is shown in a sentence."""

from __future__ import annotations

import errno
import stat
import unicodedata
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
    r"""A path that can be stored: bytes that are no UTF-8 appear as ``\xNN``."""
    if path.isascii() or encodable(path):
        return path
    return "".join(_escape(c) if unicodedata.category(c) == "Cs" else c for c in path)


def visible(text: str, keep: str = "") -> str:
    r"""``text`` on one line, safe for a terminal and a log: what commands a terminal or hides text appears as ``\xNN``.

    That is control characters (line ends and tabs among them), marks that turn or hide text, line separators, and what
    is no UTF-8. Characters in ``keep`` stay. Every path, name or pattern of a repository that is shown passes here.
    """
    if text.isprintable():
        return text
    return "".join(c if c in keep or not _hidden(c) else _escape(c) for c in text)


def _hidden(character: str) -> bool:
    # Cc: terminal commands. Cf: bidirectional overrides and zero-width characters, which hide what code does.
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")


def _escape(character: str) -> str:
    number = ord(character)
    if 0xDC80 <= number < 0xDD00:  # how Python keeps a byte that is no UTF-8
        number -= 0xDC00
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


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
    return f"Symbolic link to a {kind} that is found at its own place: {visible(target.relative_to(root).as_posix())}."


def encodable(path: str) -> bool:
    """Whether a path read from disk is valid UTF-8."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
