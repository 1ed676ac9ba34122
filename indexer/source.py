"""Reading one file safely: bytes on disk → UTF-8 text as indexed, or the reason why it is left out.

Runs in parse workers on files that may be hostile: links, pipes, devices, files that vanish or grow meanwhile. Imports
neither git nor a parser.
"""

from __future__ import annotations

import codecs
import errno
import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from indexer.config import IndexConfig
from indexer.kinds import extension, looks_binary, refuse_content, refuse_kind
from indexer.notebook import NotebookError, code_of_notebook
from indexer.reasons import os_reason, special_reason
from indexer.reports import Skipped
from indexer.secrets import mask_secrets, refuse_secret_content, refuse_secret_name
from indexer.timestamps import storable


@dataclass(slots=True)
class SourceText:
    """A file as indexed. ``text`` is UTF-8 without BOM, secrets masked by ``*`` with lengths and line ends kept."""

    path: str
    text: bytes
    language: str | None
    """Only when the content decides (a notebook's kernel language, lower case), else None."""
    size: int
    """Bytes on disk."""
    mtime_ns: int
    ctime_ns: int
    sha256: str
    """Hash of the raw bytes, hexadecimal."""
    masked: int
    """Number of secrets masked in ``text``."""


class _SkipError(Exception):
    """A reason to leave the file out, found midway."""


def read_source(root: Path, path: str, config: IndexConfig) -> SourceText | Skipped:
    """Read ``root/path`` as it is to be indexed, or say why not. Never raises for what a file or disk may do.

    Follows no symbolic link below ``root``, does not block on pipes or devices, and reads at most
    ``config.max_file_bytes`` (plus one, to notice a file that grew).
    """
    try:
        return _read(root, path, config)
    except _SkipError as exc:
        return Skipped(path, str(exc))
    except OSError as exc:
        return Skipped(path, os_reason(exc))


def _read(root: Path, path: str, config: IndexConfig) -> SourceText:
    _skip_if(refuse_secret_name(path))
    descriptor = _open_below(root, path)
    try:
        info = os.fstat(descriptor)
        if not stat.S_ISREG(info.st_mode):
            raise _SkipError(special_reason(info.st_mode))
        _skip_if(refuse_kind(path, info.st_size, config))
        raw = _read_all(descriptor, config.max_file_bytes)
    finally:
        os.close(descriptor)
    if len(raw) > config.max_file_bytes:
        raise _SkipError(f"Larger than the limit: it grew beyond {config.max_file_bytes:,} bytes while it was read.")
    return _judged(path, raw, info.st_size, storable(info.st_mtime_ns), storable(info.st_ctime_ns))


def buffer_source(path: str, raw: bytes, config: IndexConfig) -> SourceText | Skipped:
    """The same of an editor's buffer for ``path``, by the same rules; its times are 0."""
    try:
        _skip_if(refuse_secret_name(path))
        _skip_if(refuse_kind(path, len(raw), config))
        return _judged(path, raw, len(raw), 0, 0)
    except _SkipError as exc:
        return Skipped(path, str(exc))


def _judged(path: str, raw: bytes, size: int, mtime_ns: int, ctime_ns: int) -> SourceText:
    """What is indexed of a file's bytes."""
    text = to_utf8(raw)
    if text is None:
        raise _SkipError("Binary content.")
    _skip_if(refuse_secret_content(path, text))
    language = None
    if extension(path) == "ipynb":
        try:
            text, language = code_of_notebook(text)
        except NotebookError as exc:
            raise _SkipError(f"Not a readable notebook: {exc}.") from exc
    else:
        _skip_if(refuse_content(path, text))
    text, masked = mask_secrets(text, path)
    digest = hashlib.sha256(raw).hexdigest()
    return SourceText(path, text, language, size, mtime_ns, ctime_ns, digest, masked)


def _skip_if(reason: str | None) -> None:
    if reason is not None:
        raise _SkipError(reason)


def _open_below(root: Path, path: str) -> int:
    """Open a file component by component, so that no link on the way, not even one put there meanwhile, is followed."""
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts) or "\0" in path:
        raise _SkipError("Its path does not lie below the indexed folder.")
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts[:-1]:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
            os.close(folder)
            folder = inner
        # O_NONBLOCK: opening a pipe without a writer would wait for ever.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
        return os.open(parts[-1], flags, dir_fd=folder)
    except OSError as exc:
        if exc.errno == errno.ENXIO:
            raise _SkipError("Socket or device, not a file.") from exc
        raise
    finally:
        os.close(folder)


def _read_all(descriptor: int, limit: int) -> bytes:
    """At most ``limit + 1`` bytes."""
    parts: list[bytes] = []
    left = limit + 1
    while left > 0 and (part := os.read(descriptor, left)):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def to_utf8(raw: bytes) -> bytes | None:
    """Raw bytes as UTF-8 without BOM: UTF-16 and UTF-32 transcoded, invalid bytes as U+FFFD; None when no text."""
    if raw.startswith(codecs.BOM_UTF8):
        raw = raw[len(codecs.BOM_UTF8) :]
    elif encoding := _wide_encoding(raw):
        raw = raw.decode(encoding, "replace").removeprefix("\ufeff").encode("utf-8", "replace")
    if looks_binary(raw):
        return None
    if raw.isascii():
        return raw
    return raw.decode("utf-8", "replace").encode("utf-8")


def _wide_encoding(raw: bytes) -> str | None:
    """The UTF-32 or UTF-16 encoding of bytes by their BOM, or by where their NULs stand; None for anything else."""
    # UTF-32's little-endian mark starts with UTF-16's.
    for mark, encoding in (
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if raw.startswith(mark):
            return encoding
    head = raw[:8_192]
    if len(raw) % 2 or b"\0" not in head:
        return None
    # Without a mark only the unmistakable case: nearly all characters ASCII, so every second byte is NUL and no other.
    low, high = head[0::2], head[1::2]
    if high.count(0) > 0.8 * len(high) and 0 not in low:
        return "utf-16-le"
    if low.count(0) > 0.8 * len(low) and 0 not in high:
        return "utf-16-be"
    return None
