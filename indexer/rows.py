"""A file's rows in the tables of the store, all within the writer's transaction.

New analyses go to ``staged``, which no reader looks at, until ``publish`` moves them into ``files``: so an update may
commit on the way, and one that is stopped is not lost.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from indexer.analysis import Analysis
from indexer.plan import digest, settled, times
from indexer.reports import Skipped
from indexer.store import Database, KnownFile
from indexer.terms import path_terms
from indexer.timestamps import storable

if TYPE_CHECKING:
    from indexer.files import ListedFile

_COLUMNS = (
    "id, path, size, mtime_ns, ctime_ns, sha256, settled, skipped, language, problem, masked, bytes, segment,"
    " first_row, chunks, symbols, refs"
)


class StagedFile(NamedTuple):
    """A file that an interrupted update has analysed already."""

    path: str
    id: int
    size: int
    mtime_ns: int
    ctime_ns: int
    sha256: str
    settled: int
    segment: int | None
    chunks: int


def _listed_again(root: Path, path: str) -> ListedFile | None:
    from indexer.files import ListedFile

    try:
        info = (root / path).lstat()
    except OSError:
        return None
    return ListedFile(path, info.st_size, storable(info.st_mtime_ns), storable(info.st_ctime_ns))


class FileRows:
    """Writes what the tables say of files. ``started_ns``: when the update began, by which times are trusted."""

    def __init__(self, database: Database, root: Path, started_ns: int) -> None:
        self._database = database
        self._execute = database.connection.execute
        self._many = database.connection.executemany
        self._root = root
        self.started_ns = started_ns

    def stage(self, analysis: Analysis) -> int:
        """Insert an analysed file; its id. Where its rows stand in a segment is said by ``place``."""
        columns = (
            analysis.path, analysis.size, analysis.mtime_ns, analysis.ctime_ns, analysis.sha256,
            self._settled(analysis.mtime_ns),
            analysis.language, analysis.problem, analysis.masked, len(analysis.text), len(analysis.chunks),
            len(analysis.definitions.names), analysis.uses.total,
        )  # fmt: skip
        file_id = self._execute(
            "INSERT INTO staged (path, size, mtime_ns, ctime_ns, sha256, settled, language, problem, masked, bytes,"
            " chunks, symbols, refs) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            columns,
        ).lastrowid
        if file_id is None:
            raise RuntimeError("SQLite gave no row id")
        self._execute("INSERT INTO bodies VALUES (?, ?)", (file_id, analysis.body))
        return file_id

    def place(self, file_id: int, segment: int, first_row: int) -> None:
        """Say where a staged file's chunks stand; ``first_row`` counts within the segment."""
        self._execute("UPDATE staged SET segment = ?, first_row = ? WHERE id = ?", (segment, first_row, file_id))

    def stage_skipped(self, file: ListedFile, skipped: Skipped, limit: int) -> None:
        """Remember what was refused, so that it is not read again; not what could not be read: that may change.

        Nor a file that changed since it was listed: what was refused then need not be what lies there now.
        """
        hashed = digest(self._root / file.path, limit)
        if _listed_again(self._root, file.path) != file:
            hashed = None
        self._execute(
            "INSERT INTO staged (path, size, mtime_ns, ctime_ns, sha256, settled, skipped)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                file.path, file.size if hashed else -1, file.mtime_ns, file.ctime_ns, hashed or "",
                self._settled(file.mtime_ns), skipped.reason,
            ),
        )  # fmt: skip

    def staged(self) -> dict[str, StagedFile]:
        """What is staged, by path."""
        rows = self._database.rows(f"SELECT {', '.join(StagedFile._fields)} FROM staged")
        return {row[0]: StagedFile(*row) for row in rows}

    def unstage(self, files: list[StagedFile]) -> None:
        """Forget staged files; their rows in segments are dead."""
        self._bury((file.segment, file.id, file.chunks) for file in files)
        self._many("DELETE FROM bodies WHERE file_id = ?", ((file.id,) for file in files))
        self._many("DELETE FROM staged WHERE id = ?", ((file.id,) for file in files))

    def publish(self) -> None:
        """Make what is staged part of the generation that is being written."""
        for file_id, path in self._database.rows("SELECT id, path FROM staged"):
            self._put_path_terms(file_id, path)
        self._execute(f"INSERT INTO files ({_COLUMNS}) SELECT {_COLUMNS} FROM staged")
        self._execute("DELETE FROM staged")
        self._execute("UPDATE segments SET staged = 0 WHERE staged")

    def move_rows(self, first_rows: dict[int, int], segment: int) -> None:
        """Say where published files' chunks stand after a merge."""
        self._many(
            "UPDATE files SET segment = ?, first_row = ? WHERE id = ?",
            ((segment, first, file_id) for file_id, first in first_rows.items()),
        )

    def remove(self, known: list[KnownFile]) -> None:
        """Delete files and leave tombstones for their rows in segments."""
        self._many(
            "INSERT INTO tombstones SELECT segment, id, chunks FROM files WHERE id = ? AND segment IS NOT NULL",
            ((file.id,) for file in known),
        )
        for file in known:
            self._drop_path_terms(file)
        self._many("DELETE FROM bodies WHERE file_id = ?", ((file.id,) for file in known))
        self._many("DELETE FROM files WHERE id = ?", ((file.id,) for file in known))

    def move(self, old: KnownFile, new: ListedFile) -> None:
        """Give a file another path."""
        self._drop_path_terms(old)
        self._execute("UPDATE files SET path = ? WHERE id = ?", (new.path, old.id))
        self._put_path_terms(old.id, new.path)
        self.touch(old, new)

    def touch(self, old: KnownFile, new: ListedFile) -> None:
        """Note the time of a file whose contents are the same."""
        self._execute(
            "UPDATE files SET mtime_ns = ?, ctime_ns = ?, settled = ? WHERE id = ?",
            (*times(new), self._settled(new.mtime_ns), old.id),
        )

    def _bury(self, rows: Iterable[tuple[int | None, int, int]]) -> None:
        self._many("INSERT INTO tombstones VALUES (?, ?, ?)", (row for row in rows if row[0] is not None))

    def _settled(self, mtime_ns: int) -> int:
        return int(settled(mtime_ns, self.started_ns))

    def _put_path_terms(self, file_id: int, path: str) -> None:
        self._many("INSERT OR IGNORE INTO path_terms VALUES (?, ?)", ((term, file_id) for term in path_terms(path)))

    def _drop_path_terms(self, known: KnownFile) -> None:
        self._many(
            "DELETE FROM path_terms WHERE term = ? AND file_id = ?", ((t, known.id) for t in path_terms(known.path))
        )
