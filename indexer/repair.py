"""What a writer does about damage: find it, say it, and take what it hit as not yet indexed.

Sizes of segments and the database's header are looked at by every update. Contents are read and compared with their
checksums only when somebody met damage (the mark ``suspect``): that costs as much as reading the whole index.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from indexer.body import unpack
from indexer.errors import CorruptIndexError, NewerIndexError, NoIndexError, UnsafeIndexError
from indexer.index_folder import MARK, SEGMENTS, ensure_file, remove_files, remove_segments
from indexer.manifest import damaged
from indexer.seal import check_seal, make_seal
from indexer.segment import Segment, segment_folder
from indexer.store import Database, mapped_errors, open_writer, remove_database


@dataclass(slots=True)
class Damage:
    """What of an index cannot be used. Its files are analysed anew; everything else stays."""

    segments: set[int] = field(default_factory=set)
    files: set[int] = field(default_factory=set)
    """Ids of files whose bodies cannot be read."""
    reasons: list[str] = field(default_factory=list)
    """One sentence each."""


def mark_suspect(folder: Path) -> None:
    """Ask the next writer to check everything. Where nothing can be written, nobody could repair either."""
    with suppress(OSError, UnsafeIndexError):
        ensure_file(folder, MARK)


def is_suspect(folder: Path) -> bool:
    """Whether somebody met damage since the last repair."""
    return os.path.lexists(folder / MARK)


def clear_mark(folder: Path) -> None:
    """After a repair."""
    with mapped_errors("writing the index", folder):
        remove_files(folder, (MARK,))


def open_or_begin_anew(
    folder: Path, announce: Callable[[str], None], *, rebuild: bool, seal: Path | None = None
) -> Database:
    """Open for writing; a database that is damaged, of an older format or not this user's is replaced by a new one.

    ``announce`` is told why in one sentence. One of a newer format is removed only with ``rebuild``. ``seal``: the
    user's file for an index inside its repository (``indexer.seal``). Raises NewerIndexError, StorageError,
    UnsafeIndexError.
    """
    secret = ""
    if seal is not None:
        with mapped_errors("writing the index", seal):
            secret = make_seal(seal)
    try:
        database = open_writer(folder, secret)
        try:
            if seal is not None:
                check_seal(database, secret)
            if (rebuild or is_suspect(folder)) and not _sound(database):
                raise CorruptIndexError(f"The index at {folder} is damaged.")
        except BaseException:
            database.close()
            raise
        return database
    except (CorruptIndexError, NoIndexError, NewerIndexError) as exc:
        if isinstance(exc, NewerIndexError) and not rebuild:
            raise
        announce(f"{exc.message} It is made again.")
    begin_anew(folder)
    return open_writer(folder, secret)


def begin_anew(folder: Path) -> None:
    """Remove the database and with it all that it listed."""
    remove_database(folder)
    with mapped_errors("writing the index", folder):
        remove_segments(folder / SEGMENTS, ())
    clear_mark(folder)


def find_damage(database: Database, segments: Path, *, thorough: bool) -> Damage:
    """Segments that are missing or of the wrong size; with ``thorough`` every checksum of segments and bodies."""
    damage = Damage()
    for number in database.all_segments():
        try:
            segment = Segment(segment_folder(segments, number))
            if thorough:
                segment.verify()
                _check_files(database, number, segment)
        except FileNotFoundError as exc:
            damage.segments.add(number)
            damage.reasons.append(f"{exc.filename} is missing.")
        except CorruptIndexError as exc:
            damage.segments.add(number)
            damage.reasons.append(exc.message)
    if thorough:
        for file_id, body in database.connection.execute("SELECT file_id, body FROM bodies"):
            try:
                unpack(body)
            except CorruptIndexError as exc:
                damage.files.add(file_id)
                if exc.message not in damage.reasons:
                    damage.reasons.append(exc.message)
        sql = "SELECT id FROM {} WHERE skipped IS NULL AND id NOT IN (SELECT file_id FROM bodies)"
        without = [i for table in ("files", "staged") for (i,) in database.rows(sql.format(table))]
        if without:
            damage.files.update(without)
            damage.reasons.append(f"The texts of {len(without)} files are missing.")
    return damage


def _check_files(database: Database, number: int, segment: Segment) -> None:
    """CorruptIndexError if a segment holds rows of files that the tables do not know there."""
    known = {
        file_id
        for table, column in (("files", "id"), ("staged", "id"), ("tombstones", "file_id"))
        for (file_id,) in database.rows(f"SELECT {column} FROM {table} WHERE segment = ?", (number,))
    }
    if not known.issuperset(segment.column("row_file").tolist()):
        raise damaged(segment.folder, "it holds rows of files that are not there")


def _sound(database: Database) -> bool:
    """Whether SQLite finds its file whole."""
    try:
        return database.rows("PRAGMA quick_check(1)") == [("ok",)]
    except CorruptIndexError:
        return False
