"""Errors of codemoat: one root, so that an edge needs one ``except``.

CodemoatError                     exit 1
├── BadInputError                 exit 2   a path, option or position that cannot be used
│   └── UnknownSettingError                a configuration key that does not exist (names the nearest one)
├── IndexStoreError               exit 3
│   ├── NoIndexError                       there is no index here yet
│   │   └── OlderIndexError                only one that this version makes again
│   ├── CorruptIndexError                  its files are damaged
│   ├── NewerIndexError                    made by a newer codemoat
│   ├── UnsafeIndexError                   its folder or a file in it is a link, or another user's
│   ├── BusyIndexError                     another process is writing it
│   └── EmbedderMismatchError              made with another embedding model or dimension
├── ModelError                    exit 4   (assistant.errors)
│   ├── NoModelError                       the model file is not on this machine
│   ├── DamagedModelError                  truncated, wrong hash, not a GGUF file
│   ├── UnsupportedModelError              lacks what was asked (fill-in-the-middle, chat)
│   ├── PromptTooLongError                 does not fit the model's context
│   ├── HostError                          the model host could not start or died
│   └── RemoteError                        the server that model.url names fails, refuses or answers nonsense
├── BrokenInstallError            exit 1   a file that ships with codemoat is missing or damaged
├── StorageError                  exit 5   disk full, no permission, read-only
├── NetworkError                  exit 6   (assistant.errors) a source that was asked for could not be reached
└── CancelledError                exit 130 the user or client stopped the work

Every error carries ``code`` (stable, for machines), ``message`` (one sentence) and ``hint`` (what to do next).
"""

from __future__ import annotations

import errno
from pathlib import Path
from typing import ClassVar

REPAIR = "Run `codemoat index` to repair it."
"""The hint of every error about damage."""


class CodemoatError(Exception):
    """Root of every error that codemoat raises on purpose."""

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class BadInputError(CodemoatError):
    """A path, option or position that cannot be used."""

    code = "bad_input"
    exit_code = 2


class UnknownSettingError(BadInputError):
    """A configuration key that does not exist, or a value of the wrong type."""

    code = "unknown_setting"


class BrokenInstallError(CodemoatError):
    """A file that ships with codemoat is missing or damaged."""

    code = "broken_install"


class IndexStoreError(CodemoatError):
    """Something about the index on disk."""

    code = "index"
    exit_code = 3


class NoIndexError(IndexStoreError):
    """There is no index at this place yet."""

    code = "no_index"


class OlderIndexError(NoIndexError):
    """The index was made by an older codemoat in another format; an update makes it again."""


class CorruptIndexError(IndexStoreError):
    """The files of the index are damaged."""

    code = "corrupt_index"


class NewerIndexError(IndexStoreError):
    """The index was made by a newer codemoat."""

    code = "newer_index"


class UnsafeIndexError(IndexStoreError):
    """The folder of the index, or something in it, is a link, belongs to another user or is of the wrong kind."""

    code = "unsafe_index"


class BusyIndexError(IndexStoreError):
    """Another process is writing the index."""

    code = "busy_index"


class EmbedderMismatchError(IndexStoreError):
    """The index was made with another embedding model or dimension."""

    code = "embedder_mismatch"


class StorageError(CodemoatError):
    """The disk is full, or a place cannot be read or written."""

    code = "storage"
    exit_code = 5

    @classmethod
    def from_os_error(cls, exc: OSError, doing: str, path: str | Path | None = None) -> StorageError:
        """One sentence for ``exc`` met while ``doing`` something (a gerund phrase, e.g. "writing the index")."""
        where = str(path or exc.filename or "")
        at = f" at {where}" if where else ""
        match exc.errno:
            case errno.ENOSPC | errno.EDQUOT:
                return cls(f"The disk is full: {doing}{at} stopped.", "Free some space and run the command again.")
            case errno.EROFS:
                return cls(
                    f"The file system is read-only: {doing}{at} is not possible.",
                    "Set CODEMOAT_CACHE_DIR or CODEMOAT_DATA_DIR to a folder that you may write.",
                )
            case errno.EACCES | errno.EPERM:
                return cls(f"No permission: {doing}{at} was refused.", "Check the owner and mode of that path.")
            case _:
                return cls(f"{doing[:1].upper()}{doing[1:]}{at} failed: {exc.strerror or exc}.", "")


class CancelledError(CodemoatError):
    """The user or a client stopped the work."""

    code = "cancelled"
    exit_code = 130
