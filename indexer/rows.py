"""A file's rows in the tables of the store: put, removed, renamed, all within the writer's transaction."""

from __future__ import annotations

import zlib
from bisect import bisect_right
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.analysis import Analysis
from indexer.plan import digest, settled
from indexer.store import Database, KnownFile
from indexer.terms import path_terms
from indexer.types import Skipped

if TYPE_CHECKING:
    from indexer.files import ListedFile


class FileRows:
    """Writes what the tables say of files. ``started_ns``: when the update began, by which times are trusted."""

    def __init__(self, database: Database, root: Path, started_ns: int) -> None:
        self._execute = database.connection.execute
        self._many = database.connection.executemany
        self._root = root
        self.started_ns = started_ns

    def put(self, analysis: Analysis) -> int:
        """Insert an analysed file; its id. Where its rows stand in a segment is said by ``place``."""
        columns = (
            analysis.path, analysis.size, analysis.mtime_ns, analysis.sha256, self._settled(analysis.mtime_ns),
            analysis.language, analysis.problem, analysis.masked, len(analysis.text), len(analysis.chunks),
            len(analysis.symbols), len(analysis.references),
        )  # fmt: skip
        file_id = self._execute(
            "INSERT INTO files (path, size, mtime_ns, sha256, settled, language, problem, masked, bytes, chunks,"
            " symbols, refs) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            columns,
        ).lastrowid
        if file_id is None:
            raise RuntimeError("SQLite gave no row id")
        self._execute("INSERT INTO texts VALUES (?, ?)", (file_id, zlib.compress(analysis.text, 1)))
        self._many(
            "INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?)",
            ((file_id, n, *chunk) for n, chunk in enumerate(analysis.chunks)),
        )
        starts = [chunk.start_byte for chunk in analysis.chunks]
        self._many(
            "INSERT INTO symbols VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            ((file_id, n, *s, max(0, bisect_right(starts, s.start_byte) - 1)) for n, s in enumerate(analysis.symbols)),
        )
        self._many(
            "INSERT INTO imports VALUES (?, ?, ?)", ((file_id, n, name) for n, name in enumerate(analysis.imports))
        )
        self._put_path_terms(file_id, analysis.path)
        return file_id

    def place(self, file_id: int, segment: int, first_row: int) -> None:
        """Say where the file's chunks stand; ``first_row`` counts within the segment."""
        self._execute("UPDATE files SET segment = ?, first_row = ? WHERE id = ?", (segment, first_row, file_id))

    def put_skipped(self, file: ListedFile, skipped: Skipped, limit: int) -> None:
        """Remember what was refused, so that it is not read again; not what could not be read: that may change."""
        hashed = digest(self._root / file.path, limit)
        self._execute(
            "INSERT INTO files (path, size, mtime_ns, sha256, settled, skipped) VALUES (?, ?, ?, ?, ?, ?)",
            (
                file.path, file.size if hashed else -1, file.mtime_ns, hashed or "", self._settled(file.mtime_ns),
                skipped.reason,
            ),
        )  # fmt: skip

    def remove(self, known: KnownFile) -> None:
        """Delete a file's rows and leave a tombstone for those in its segment."""
        if known.segment is not None:
            self._execute("INSERT INTO tombstones SELECT segment, id, chunks FROM files WHERE id = ?", (known.id,))
        self._drop_path_terms(known)
        for table in ("texts", "chunks", "symbols", "imports"):
            self._execute(f"DELETE FROM {table} WHERE file_id = ?", (known.id,))
        self._execute("DELETE FROM files WHERE id = ?", (known.id,))

    def move(self, old: KnownFile, new: ListedFile) -> None:
        """Give a file another path."""
        self._drop_path_terms(old)
        self._execute("UPDATE files SET path = ? WHERE id = ?", (new.path, old.id))
        self._put_path_terms(old.id, new.path)
        self.touch(old, new)

    def touch(self, old: KnownFile, new: ListedFile) -> None:
        """Note the time of a file whose contents are the same."""
        self._execute(
            "UPDATE files SET mtime_ns = ?, settled = ? WHERE id = ?",
            (new.mtime_ns, self._settled(new.mtime_ns), old.id),
        )

    def _settled(self, mtime_ns: int) -> int:
        return int(settled(mtime_ns, self.started_ns))

    def _put_path_terms(self, file_id: int, path: str) -> None:
        self._many("INSERT OR IGNORE INTO path_terms VALUES (?, ?)", ((term, file_id) for term in path_terms(path)))

    def _drop_path_terms(self, known: KnownFile) -> None:
        self._many(
            "DELETE FROM path_terms WHERE term = ? AND file_id = ?", ((t, known.id) for t in path_terms(known.path))
        )
