"""The gatekeeper of index folders: the one place that opens, creates and removes anything in them.

A repository may ship whatever it likes where its index would be: a link in the place of a folder or file, a named pipe,
a second name of a file outside. So a folder is opened by descriptor without following links, what lies in it is reached
from that descriptor, everything must belong to this user (or root), and only names that an index itself makes are ever
removed. Folders above the index folder may be links: they are the user's own settings.

Folders are made with mode 0700 and files with 0600, whatever the umask.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Self

from indexer.errors import UnsafeIndexError
from indexer.private import FILE_MODE, FOLDER_MODE, SAFE, is_mine, make_folder, tighten_found

DATABASE, SEGMENTS = "index.sqlite", "segments"
DATABASE_FILES = tuple(f"{DATABASE}{suffix}" for suffix in ("-wal", "-shm", "-journal", ""))
"""What SQLite opens by name; the log first, so that it never meets a new database when all are removed in order."""
COLUMNS, VECTORS, MANIFEST = "columns.bin", "vectors.faiss", "manifest.json"
"""Files of a segment."""
TEMPORARY = ".tmp-"
"""Prefix of the folders of unfinished segments."""
LOCK, MARK, IGNORE = "lock", "suspect", ".gitignore"

_FILES = (*DATABASE_FILES, LOCK, MARK, IGNORE)
_SEGMENT = re.compile(rf"(?:{re.escape(TEMPORARY)})?[0-9]{{4,12}}")
_SEGMENT_FILE = re.compile(rf"{re.escape(COLUMNS)}|{re.escape(VECTORS)}|{re.escape(MANIFEST)}|[a-z_]+\.scratch")
_WRITABLE_BY_OTHERS = 0o022


class IndexFolder:
    """An open folder of an index. Names are those of entries in it; a context manager closes it.

    Methods raise OSError with the whole path, and UnsafeIndexError for what is a link, belongs to another user or is of
    the wrong kind.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        """Use ``open_top``, ``open_segments`` or ``folder``."""
        self.path = path
        self._descriptor = descriptor
        self._open = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close it; closing twice is no error."""
        if self._open:
            self._open = False
            os.close(self._descriptor)

    def names(self) -> list[str]:
        """Names of all entries."""
        return os.listdir(self._descriptor)  # noqa: PTH208

    def look(self, name: str) -> os.stat_result | None:
        """``lstat`` of an entry; None where there is none."""
        try:
            with self._naming(name):
                return os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def folder(self, name: str, *, create: bool = False) -> IndexFolder:
        """Open a folder in it; ``create``: make it where it is missing."""
        if create:
            with suppress(FileExistsError):
                self.make_folder(name)
        with self._naming(name):
            return _open_folder(name, self.path / name, self._descriptor)

    def make_folder(self, name: str) -> None:
        """Create a folder. FileExistsError if there is anything of that name."""
        with self._naming(name):
            os.mkdir(name, FOLDER_MODE, dir_fd=self._descriptor)

    def open_file(self, name: str) -> IO[bytes]:
        """Open a regular file for reading."""
        return self._opened(name, os.O_RDONLY, "rb")

    def new_file(self, name: str) -> IO[bytes]:
        """Create a file for reading and writing. FileExistsError if there is anything of that name."""
        return self._opened(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, "w+b")

    def check_file(self, name: str) -> os.stat_result | None:
        """Make sure that an entry, where there is one, is a regular file without another name; its ``lstat``."""
        found = self.look(name)
        if found is not None:
            _check(self.path / name, found, stat.S_ISREG, "not a regular file")
            if found.st_nlink > 1:
                raise _unsafe(self.path / name, "is a hard link: the same file has another name")
        return found

    def ensure_file(self, name: str) -> None:
        """Create an empty file where there is none."""
        if self.check_file(name) is None:
            with suppress(FileExistsError):
                self.new_file(name).close()

    def rename(self, old: str, new: str) -> None:
        """Rename an entry. OSError if ``new`` is a file or a folder that is not empty."""
        with self._naming(new):
            os.rename(old, new, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)

    def remove_file(self, name: str) -> None:
        """Remove a name, never what a link leads to; no error where there is none."""
        with suppress(FileNotFoundError), self._naming(name):
            os.unlink(name, dir_fd=self._descriptor)

    def remove_segment(self, name: str) -> None:
        """Remove the folder of a segment, finished or not, as far as it can be.

        Other names than a segment's, links, and what an index did not put there are left alone.
        """
        if not _SEGMENT.fullmatch(name):
            return
        with suppress(OSError, UnsafeIndexError), self.folder(name) as own:
            for file in own.names():
                if _SEGMENT_FILE.fullmatch(file):
                    with suppress(OSError):
                        own.remove_file(file)
        self.remove_folder(name)

    def remove_folder(self, name: str) -> None:
        """Remove an empty folder, if it can be."""
        with suppress(OSError):
            os.rmdir(name, dir_fd=self._descriptor)

    def sync(self) -> None:
        """Flush its entries to the disk."""
        os.fsync(self._descriptor)

    def tighten(self, names: Iterable[str]) -> None:
        """Take the rights of group and others from these entries, where they are there and this user's."""
        for name in names:
            with suppress(OSError):
                found = self.look(name)
                if found is not None:
                    tighten_found(name, found, self._descriptor)

    def _opened(self, name: str, flags: int, mode: str) -> IO[bytes]:
        path = self.path / name
        try:
            with self._naming(name):
                handle = os.open(name, flags | SAFE, FILE_MODE, dir_fd=self._descriptor)
        except OSError as exc:
            if exc.errno in (errno.ELOOP, errno.EMLINK, errno.ENXIO, errno.ENODEV):
                raise _unsafe(path, "is a link or not a regular file") from exc
            raise
        try:
            _check(path, os.fstat(handle), stat.S_ISREG, "not a regular file")
            return os.fdopen(handle, mode)
        except BaseException:
            os.close(handle)
            raise

    @contextmanager
    def _naming(self, name: str) -> Iterator[None]:
        """Let the errors of the system name the whole path."""
        try:
            yield
        except OSError as exc:
            exc.filename, exc.filename2 = str(self.path / name), None
            raise


def open_top(path: Path, *, create: bool = False) -> IndexFolder:
    """Open an index's folder. Those above it may be links, it may not. OSError, UnsafeIndexError."""
    if create:
        make_folder(path.parent)
        with suppress(FileExistsError):
            path.mkdir(FOLDER_MODE)
    return _open_folder(path, path, None)


def open_segments(path: Path, *, create: bool = False) -> IndexFolder:
    """Open the folder of an index's segments. One of another name stands for itself: that of unsaved buffers."""
    if path.name != SEGMENTS:
        return open_top(path, create=create)
    with open_top(path.parent, create=create) as top:
        return top.folder(SEGMENTS, create=create)


def check(path: Path) -> None:
    """Make sure that what will be opened by name in an index's folder is this user's own; it need not be there.

    SQLite and the lock open by path, and SQLite follows links. OSError, UnsafeIndexError.
    """
    try:
        top = open_top(path)
    except (FileNotFoundError, NotADirectoryError):
        return
    with top:
        _check_entries(top)


def prepare(path: Path) -> None:
    """Create an index's folder, check it as ``check`` does, and make it and what is in it private."""
    with open_top(path, create=True) as top:
        _check_entries(top)
        top.ensure_file(LOCK)
        with suppress(OSError):
            tighten_found(path, path.lstat())
        top.tighten((*_FILES, SEGMENTS))


def ensure_file(path: Path, name: str, text: bytes = b"") -> None:
    """Create a file in an index's folder with these contents where there is none. OSError, UnsafeIndexError."""
    with open_top(path) as top:
        if top.check_file(name) is None:
            with suppress(FileExistsError), top.new_file(name) as file:
                file.write(text)


def remove_files(path: Path, names: Iterable[str]) -> None:
    """Remove files of an index's folder in this order, where they are there. OSError, UnsafeIndexError."""
    with suppress(FileNotFoundError), open_top(path) as top:
        for name in names:
            top.remove_file(name)


def remove_segments(path: Path, keep: Collection[str]) -> None:
    """Remove what an index made in its folder of segments ``path``, apart from the segments named ``keep``.

    Readers that have removed segments mapped keep their pages. OSError, UnsafeIndexError.
    """
    with suppress(FileNotFoundError), open_segments(path) as segments:
        for name in segments.names():
            if name not in keep:
                segments.remove_segment(name)


def _check_entries(top: IndexFolder) -> None:
    for name in _FILES:
        top.check_file(name)
    found = top.look(SEGMENTS)
    if found is not None:
        _check(top.path / SEGMENTS, found, stat.S_ISDIR, "not a folder")


def _open_folder(place: str | Path, path: Path, at: int | None) -> IndexFolder:
    try:
        handle = os.open(place, os.O_RDONLY | os.O_DIRECTORY | SAFE, dir_fd=at)
    except OSError as exc:
        if exc.errno in (errno.ENOTDIR, errno.ELOOP, errno.EMLINK):
            found = os.stat(place, dir_fd=at, follow_symlinks=False)
            _check(path, found, stat.S_ISDIR, "not a folder")
        raise
    try:
        _check(path, os.fstat(handle), stat.S_ISDIR, "not a folder")
    except BaseException:
        os.close(handle)
        raise
    return IndexFolder(path, handle)


def _check(path: Path, found: Any, is_kind: Any, otherwise: str) -> None:
    if stat.S_ISLNK(found.st_mode):
        raise _unsafe(path, "is a link")
    if not is_kind(found.st_mode):
        raise _unsafe(path, f"is {otherwise}")
    if not is_mine(found) and found.st_uid != 0:
        raise _unsafe(path, "belongs to another user")
    if not is_mine(found) and found.st_mode & _WRITABLE_BY_OTHERS:
        # What root alone may write is as good as one's own: an index that came with a machine.
        raise _unsafe(path, "may be written by other users")


def _unsafe(path: Path, why: str) -> UnsafeIndexError:
    return UnsafeIndexError(
        f"The index is not used: {path} {why}.",
        "Remove it and run `codemoat index`; with index.in_repository = false the index is kept in the cache folder.",
    )
