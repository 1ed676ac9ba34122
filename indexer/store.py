"""The one transaction domain of an index: a SQLite file with all that is not in segments, and the list of those.

One commit publishes one generation. The journal is a write-ahead log, so that readers go on with the last generation
while a writer works. docs/store.md explains the tables.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from indexer.errors import (
    REPAIR,
    CodemoatError,
    CorruptIndexError,
    EmbedderMismatchError,
    IndexStoreError,
    NewerIndexError,
    NoIndexError,
    OlderIndexError,
    StorageError,
    UnsafeIndexError,
)
from indexer.index_folder import DATABASE as DATABASE
from indexer.index_folder import DATABASE_FILES, check, ensure_file, prepare, remove_files
from indexer.index_folder import SEGMENTS as SEGMENTS
from indexer.index_folder import VECTORS as VECTORS
from indexer.probing import is_full
from indexer.reasons import encodable
from indexer.schema import create_tables, harden, is_schema
from indexer.seal import ID_KEY, SECRET_KEY, check_seal, make_seal

FORMAT = 3
"""Version of the tables and segments. A reader refuses a higher one; an update makes a lower one again."""
SYNCHRONOUS = "FULL"
"""A commit is on the disk when it returns: a power cut loses no published generation."""
_APPLICATION = 0x636D6F61
"""The file's application id (``cmoa``)."""
_BUSY_SECONDS = 10.0
_FREE_SHARE = 0.03
"""More unused pages than this in the file are given back to the disk."""

LAST_SEGMENT = 10**12 - 1
"""The highest number of a segment: folders of more digits are not known for one."""
KEPT_GENERATIONS = 20
"""Rows of ``generations`` that stay; only the last one's segments do."""


class Generation(NamedTuple):
    """One published state and its totals."""

    id: int
    created: float
    files: int
    chunks: int
    symbols: int
    refs: int
    bytes: int


class KnownFile(NamedTuple):
    """A row of the manifest. ``settled`` is 0 while equal times do not prove equal contents; ``skipped`` the reason."""

    path: str
    id: int
    size: int
    mtime_ns: int
    ctime_ns: int
    sha256: str
    settled: int
    skipped: str | None
    segment: int | None


_KNOWN = ", ".join(KnownFile._fields)


@contextmanager
def mapped_errors(doing: str, path: Path) -> Iterator[None]:
    """Turn what SQLite and the system raise into the project's errors; ``doing`` is a gerund phrase."""
    try:
        yield
    except sqlite3.Error as exc:
        raise _mapped(exc, doing, path) from exc
    except OSError as exc:
        raise StorageError.from_os_error(exc, doing, path) from exc


def _mapped(exc: sqlite3.Error, doing: str, path: Path) -> IndexStoreError | StorageError:
    code = getattr(exc, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_SCHEMA):
        return CorruptIndexError(f"The index is damaged: {path}.", REPAIR)
    if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and is_full(path)):
        return StorageError(f"The disk is full: {doing} at {path} stopped.", "Free some space and run it again.")
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return StorageError(
            f"No permission: {doing} at {path} was refused.",
            "Check the owner and mode of that folder, or set CODEMOAT_CACHE_DIR to one that you may write.",
        )
    if code == sqlite3.SQLITE_IOERR:
        return StorageError(f"{doing[:1].upper()}{doing[1:]} at {path} failed: {exc}.", "Check the disk.")
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StorageError(f"{doing[:1].upper()}{doing[1:]} at {path} waited too long for another process.")
    if isinstance(exc, sqlite3.OperationalError | sqlite3.DatabaseError) and "no such" in str(exc):
        return CorruptIndexError(f"The index is damaged: {path}: {exc}.", REPAIR)
    return StorageError(f"{doing[:1].upper()}{doing[1:]} at {path} failed: {exc}.")


class Database:
    """A connection to an index's SQLite file. Reads are shared by the writer and the readers."""

    def __init__(self, folder: Path, connection: sqlite3.Connection, state: tuple[int, ...] = ()) -> None:
        """``state``: what of ``file_state`` must stay the same for the connection to be good."""
        self.state = state
        self.folder = folder
        self.path = folder / DATABASE
        self.connection = connection
        self._log_index = f"{self.path}-shm"
        self._log_index_seen = (0, 0)
        """Its inode and size."""

    def guard(self) -> None:
        """Keep SQLite from touching what is missing of its log's index, which it maps: that would end the process.

        Called before the database is used after a pause. A file that got shorter since is emptied and made as long as
        it was: SQLite makes the contents again from the log. By path: closing a descriptor of the file would
        release the locks that SQLite holds on it.
        """
        with suppress(OSError, UnsafeIndexError):
            found = os.lstat(self._log_index)
            inode, size = self._log_index_seen
            # Another file is that of a database which took the place of this one: others are at work on it.
            if found.st_ino != inode or found.st_size >= size:
                self._log_index_seen = found.st_ino, found.st_size
                return
            check(self.folder)
            os.truncate(self._log_index, 0)
            os.truncate(self._log_index, size)

    def rows(self, sql: str, parameters: Iterable[Any] = ()) -> list[Any]:
        """All rows of a query; errors as this project's."""
        try:  # a context manager would take as long as the query
            return self.connection.execute(sql, tuple(parameters)).fetchall()
        except sqlite3.Error as exc:
            raise _mapped(exc, "reading the index", self.path) from exc

    def row(self, sql: str, parameters: Iterable[Any] = ()) -> Any:
        """The first row of a query or None."""
        try:
            return self.connection.execute(sql, tuple(parameters)).fetchone()
        except sqlite3.Error as exc:
            raise _mapped(exc, "reading the index", self.path) from exc

    def meta(self) -> dict[str, Any]:
        """Everything recorded about the index as a whole."""
        return dict(self.rows("SELECT key, value FROM meta"))

    def generation(self) -> Generation | None:
        """The last published generation."""
        found = self.row("SELECT * FROM generations ORDER BY id DESC LIMIT 1")
        return Generation(*found) if found else None

    def segments(self) -> list[int]:
        """Numbers of the generation's segments, in row order."""
        return self._numbers("SELECT number FROM segments WHERE NOT staged ORDER BY number")

    def all_segments(self) -> list[int]:
        """Numbers of these and of those that an update under way, or an interrupted one, has finished."""
        return self._numbers("SELECT number FROM segments ORDER BY number")

    def _numbers(self, sql: str) -> list[int]:
        numbers = [number for (number,) in self.rows(sql)]
        if any(not 0 < number <= LAST_SEGMENT for number in numbers):
            raise CorruptIndexError(f"The index is damaged: {self.path} has an invalid segment number.", REPAIR)
        return numbers

    def tombstones(self) -> dict[int, list[int]]:
        """Files whose rows are dead, by segment."""
        dead: dict[int, list[int]] = {}
        for segment, file_id in self.rows("SELECT segment, file_id FROM tombstones"):
            dead.setdefault(segment, []).append(file_id)
        return dead

    def manifest(self) -> dict[str, KnownFile]:
        """Every known file by path, in path order, skipped ones included."""
        found = self.rows(f"SELECT {_KNOWN} FROM files ORDER BY path")
        return {row[0]: KnownFile(*row) for row in found}

    def known(self, paths: Iterable[str]) -> dict[str, KnownFile]:
        """The manifest's rows of these paths and of everything below them."""
        found: dict[str, KnownFile] = {}
        sql = f"SELECT {_KNOWN} FROM files WHERE path = ? OR (path > ? AND path < ?)"
        for path in paths:
            if not encodable(path):
                continue
            # "0" is the character after "/": what starts with "path/" lies between the two.
            found |= {row[0]: KnownFile(*row) for row in self.rows(sql, (path, f"{path}/", f"{path}0"))}
        return found

    def close(self) -> None:
        """Close the connection; closing twice is no error."""
        self.guard()
        self.connection.close()


def open_reader(folder: Path) -> Database:
    """Open for reading. NoIndexError without a published generation, NewerIndexError, CorruptIndexError.

    UnsafeIndexError for a folder or file that is a link or not this user's.
    """
    path = folder / DATABASE
    with mapped_errors("reading the index", folder):
        check(folder)
    state = file_state(folder)
    if os.path.lexists(f"{path}-journal"):
        # Killed before it had a write-ahead log, and so before any generation; only a writer can roll that back.
        raise no_index(folder)
    with mapped_errors("reading the index", path):
        mode = _reading_mode(folder)
        database = Database(folder, _connect(path, mode), state if mode == "immutable" else state[:1])
    try:
        check_format(database)
        if not database.row("SELECT 1 FROM sqlite_master WHERE name = 'generations'") or database.generation() is None:
            raise no_index(folder)
    except BaseException:
        database.close()
        raise
    return database


def file_state(folder: Path) -> tuple[int, int, int]:
    """Inode, modification time and size of the SQLite file, of a link those of the link.

    Raises NoIndexError, StorageError, UnsafeIndexError.
    """
    try:
        found = (folder / DATABASE).lstat()
    except (FileNotFoundError, NotADirectoryError):
        with mapped_errors("reading the index", folder):
            check(folder)  # a link to nowhere is not merely no index
        raise no_index(folder) from None
    except OSError as exc:
        raise StorageError.from_os_error(exc, "reading the index", folder) from exc
    return found.st_ino, found.st_mtime_ns, found.st_size


def open_writer(folder: Path, seals: Path | None = None) -> Database:
    """Open for writing, creating folder, file and tables as needed; the caller holds the writer's lock.

    A new database gets a seal, where there is a folder for ``seals`` (``indexer.seal``).
    CorruptIndexError, NewerIndexError, OlderIndexError, StorageError, UnsafeIndexError.
    """
    path = folder / DATABASE
    with mapped_errors("writing the index", path):
        prepare(folder)
        if os.path.lexists(f"{path}-journal"):
            # Ours has one only before there is any table. SQLite would believe one that came with a repository: what
            # it says of a super-journal makes SQLite remove a file by name.
            remove_database(folder)
        ensure_file(folder, DATABASE)  # SQLite would make one that others may read
        connection = _connect(path, "rw")
    database = Database(folder, connection)
    try:
        with mapped_errors("writing the index", path):
            if check_format(database) == 0:
                connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # before the first table, or not at all
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {SYNCHRONOUS}")
            connection.execute("PRAGMA cache_size = -65536")
            connection.execute("PRAGMA temp_store = MEMORY")
            connection.execute("BEGIN IMMEDIATE")
            if check_format(database) == 0:
                create_tables(connection)
                connection.execute(f"PRAGMA application_id = {_APPLICATION}")
                connection.execute(f"PRAGMA user_version = {FORMAT}")
                if seals is not None:
                    seal = make_seal(seals)
                    connection.execute(
                        "INSERT INTO meta VALUES (?, ?), (?, ?)", (ID_KEY, seal.id, SECRET_KEY, seal.secret)
                    )
            connection.execute("COMMIT")
            check(folder)  # what SQLite has opened and made by now
    except BaseException:
        database.close()
        raise
    return database


def proven_seal(folder: Path, seals: Path) -> str:
    """The id of the seal that a database of this format holds; empty if it holds none or cannot be read."""
    path = folder / DATABASE
    with suppress(OSError, sqlite3.Error, CodemoatError):
        check(folder)
        if not os.path.lexists(f"{path}-journal"):  # see open_writer
            with closing(_connect(path, "ro")) as connection:
                database = Database(folder, connection)
                check_format(database)  # other tables than ours may be views without end
                return check_seal(database, seals)
    return ""


def remove_database(folder: Path) -> None:
    """Remove the SQLite file and what SQLite keeps beside it; the log first, so that it never meets a new file."""
    with mapped_errors("writing the index", folder):
        remove_files(folder, DATABASE_FILES)


def check_format(database: Database) -> int:
    """The file's format version, 0 for an empty file.

    NewerIndexError, OlderIndexError, or CorruptIndexError for something else.
    """
    (application,), (version,) = database.row("PRAGMA application_id"), database.row("PRAGMA user_version")
    (tables,) = database.row("SELECT count(*) FROM sqlite_master")
    if not tables:
        return 0
    if application != _APPLICATION:
        raise CorruptIndexError(f"{database.path} is not an index of codemoat.", REPAIR)
    if version > FORMAT:
        raise NewerIndexError(
            f"The index at {database.folder} was made by a newer codemoat (format {version}, this one knows {FORMAT}).",
            "Update codemoat, or run `codemoat index --rebuild` to make the index again with this version.",
        )
    if version < FORMAT:
        raise OlderIndexError(
            f"The index at {database.folder} was made by an older codemoat.", "Run `codemoat index` to make it again."
        )
    if not is_schema(database.rows("SELECT type, sql FROM sqlite_master")):
        raise CorruptIndexError(f"The index is damaged: {database.path} has other tables than an index.", REPAIR)
    return int(version)


def no_index(folder: Path) -> NoIndexError:
    """The error for a folder without a published generation."""
    return NoIndexError(f"There is no index at {folder} yet.", "Run `codemoat index` to make one.")


def mismatch(recorded: str, wanted: str) -> EmbedderMismatchError:
    """The error for an index of another embedding model."""
    return EmbedderMismatchError(
        f"The index was made with the embedding model {recorded}, and the settings say {wanted}.",
        "Run `codemoat index --rebuild` to embed everything again, or set the model back.",
    )


def publish(database: Database) -> int:
    """Write the generation row of the transaction under way, with totals counted from ``files``; its number."""
    counted = database.row(
        "SELECT count(*), coalesce(sum(chunks), 0), coalesce(sum(symbols), 0), coalesce(sum(refs), 0),"
        " coalesce(sum(size), 0) FROM files WHERE skipped IS NULL"
    )
    last = database.generation()
    number = last.id + 1 if last else 1
    execute = database.connection.execute
    execute("INSERT INTO generations VALUES (?, ?, ?, ?, ?, ?, ?)", (number, time.time(), *counted))
    execute("DELETE FROM generations WHERE id <= ?", (number - KEPT_GENERATIONS,))
    return number


def shrink(database: Database) -> None:
    """Give unused pages back to the disk when there are many; outside of any transaction."""
    (free,), (pages,) = database.row("PRAGMA freelist_count"), database.row("PRAGMA page_count")
    if free > _FREE_SHARE * pages:
        with mapped_errors("writing the index", database.path):
            # Each step frees one page, and ``execute`` takes the first step only.
            database.connection.executescript("PRAGMA incremental_vacuum")


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{'mode=ro&immutable=1' if mode == 'immutable' else f'mode={mode}'}",
        uri=True,
        timeout=_BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    harden(connection)
    connection.execute(f"PRAGMA query_only = {int(mode != 'rw')}")
    return connection


def _reading_mode(folder: Path) -> str:
    """How to open for reading: SQLite wants to write its log's index, which it cannot in a read-only folder.

    There, with nothing in the log, the file is as its last writer left it; ``file_state`` tells when that changes.
    """
    log = folder / f"{DATABASE}-wal"
    if os.access(folder, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
        return "ro"
    return "ro" if log.exists() and log.lstat().st_size else "immutable"
