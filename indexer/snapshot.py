"""One generation as search sees it: rows numbered over all of its segments, files and texts read as they are asked for.

Valid within one read transaction of the database; ``Index`` opens that around every use.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from indexer.search import Definition
from indexer.segment import Segment
from indexer.store import Database, Generation
from indexer.types import Chunk, Reference, Span, Symbol

_KEPT_TEXTS = 32
"""Texts of files that stay unpacked while a query's hits are shown."""
CHUNKS_A_FILE = 1 << 20
"""``Chunk.id`` is the file's id times this, plus the chunk's number in the file."""


class _File(NamedTuple):
    path: str
    language: str
    first_row: int
    """Row of its first chunk, over all segments."""


class Snapshot:
    """Implements ``search.Corpus`` and the look-ups of ``Index``."""

    def __init__(
        self, database: Database, generation: Generation, segments: dict[int, Segment], dead: dict[int, list[int]]
    ) -> None:
        """``segments`` by number, in row order; ``dead``: ids of dead files by segment."""
        self.generation = generation
        self._database = database
        self._segments = list(segments.values())
        self._dead = [np.array(dead.get(number, ()), np.int64) for number in segments]
        self._bases = np.cumsum([0, *(segment.rows for segment in self._segments)]).tolist()
        self._base_of = dict(zip(segments, self._bases, strict=False))
        self._files: dict[int, _File] = {}
        self._texts: dict[int, bytes] = {}

    @property
    def rows(self) -> int:
        """Number of rows, dead ones included."""
        return int(self._bases[-1])

    @property
    def file_count(self) -> int:
        """Number of live files."""
        return self.generation.files

    @cached_property
    def lengths(self) -> NDArray[np.float32]:
        """Terms in the chunk of each row, shape (rows,)."""
        return self._concatenated("row_length", np.float32)

    @cached_property
    def file_ids(self) -> NDArray[np.int32]:
        """File of each row, shape (rows,)."""
        return self._concatenated("row_file", np.int32)

    @cached_property
    def alive(self) -> NDArray[np.bool_] | None:
        """Which rows still exist, shape (rows,); None when all do."""
        if not any(len(dead) for dead in self._dead):
            return None
        parts = [
            ~np.isin(segment.column("row_file"), dead) for segment, dead in zip(self._segments, self._dead, strict=True)
        ]
        return np.concatenate(parts)

    def postings(self, term: str) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Live rows that hold ``term``, ascending, and how often each does."""
        parts = [segment.postings(term) for segment in self._segments]
        if not parts:
            return np.empty(0, np.int32), np.empty(0, np.float32)
        rows = np.concatenate([own + np.int32(base) for (own, _), base in zip(parts, self._bases, strict=False)])
        counts = np.concatenate([own for _, own in parts])
        if self.alive is not None:
            live = self.alive[rows]
            rows, counts = rows[live], counts[live]
        return rows, counts

    def similarities(self, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        """Cosine of every row with ``vector``, shape (rows,); -inf where it was not looked at, and for dead rows."""
        vector = np.ascontiguousarray(vector, np.float32)
        parts = [segment.similarities(vector) for segment in self._segments]
        scores = np.concatenate(parts) if parts else np.empty(0, np.float32)
        if self.alive is not None:
            scores[~self.alive] = -np.inf
        return scores

    def files_with_path_term(self, term: str) -> NDArray[np.int32]:
        """Live files whose ``path_terms`` hold ``term``, ascending."""
        found = self._database.rows("SELECT file_id FROM path_terms WHERE term = ? ORDER BY file_id", (term,))
        return np.array([file_id for (file_id,) in found], np.int32)

    def definitions(self, name: str) -> list[Definition]:
        """Live definitions by bare name: the exact ones first, then those in another ASCII case; each by path."""
        found = self._database.rows(
            "SELECT s.file_id, f.segment, f.first_row + s.chunk, s.name, s.parent, s.kind, s.start_line, s.end_line,"
            " f.language FROM symbols s JOIN files f ON f.id = s.file_id WHERE s.name = ? ORDER BY f.path, s.n",
            (name,),
        )
        definitions = [
            Definition(
                file_id, self._base_of[segment] + row, own, f"{parent}.{own}" if parent else own, kind, start, end,
                _exported(own, language),
            )
            for file_id, segment, row, own, parent, kind, start, end, language in found
        ]  # fmt: skip
        return sorted(definitions, key=lambda definition: definition.name != name)

    def path(self, file_id: int) -> str:
        """Path of a file, relative to the root."""
        return self._file(file_id).path

    def language(self, file_id: int) -> str:
        """Language of a file."""
        return self._file(file_id).language

    def chunk(self, row: int) -> Chunk:
        """The chunk of a row."""
        file_id = int(self.file_ids[row])
        file = self._file(file_id)
        n = int(row) - file.first_row
        start, end, first, last, symbol = self._database.row(
            "SELECT start_byte, end_byte, start_line, end_line, symbol FROM chunks WHERE file_id = ? AND n = ?",
            (file_id, n),
        )
        text = self._text(file_id)[start:end].decode("utf-8", "replace")
        span = Span(start, end, first, last)
        return Chunk(file_id * CHUNKS_A_FILE + n, file.path, file.language, span, text, symbol)

    def rows_of(self, path: str) -> slice:
        """Rows of a file's chunks; none for a file that is not in the index."""
        found = self._database.row("SELECT id, chunks FROM files WHERE path = ? AND skipped IS NULL", (path,))
        if found is None:
            return slice(0, 0)
        first = self._file(found[0]).first_row
        return slice(first, first + found[1])

    def symbols(self, name: str) -> list[Symbol]:
        """Definitions of a bare or qualified name (``search``, ``Index.search``), exact case first, then by path."""
        *scope, bare = name.replace("::", ".").replace("#", ".").split(".")
        found = self._symbols("s.name = ?", (bare,))
        wanted = ".".join((*scope, bare)).lower()
        found = [s for s in found if not scope or f".{s.qualified}".lower().endswith("." + wanted)]
        return sorted(found, key=lambda symbol: symbol.name != bare)

    def file_symbols(self, path: str) -> list[Symbol]:
        """Definitions in a file, in its order."""
        return self._symbols("f.path = ?", (path,))

    def references(self, name: str) -> list[Reference]:
        """Uses of a bare name, by path and place."""
        found: list[Reference] = []
        for segment, dead in zip(self._segments, self._dead, strict=True):
            where = segment.references(name)
            files = segment.column("ref_file")[where].astype(np.int64)
            live = ~np.isin(files, dead)
            columns = [
                segment.column(label)[where][live].tolist()
                for label in ("ref_start", "ref_size", "ref_line", "ref_scope")
            ]
            for file_id, start, size, line, scope in zip(files[live].tolist(), *columns, strict=True):
                enclosing = segment.scopes[scope].decode("utf-8", "surrogatepass") or None
                found.append(Reference(name, self.path(file_id), Span(start, start + size, line, line), enclosing))
        return sorted(found, key=lambda reference: (reference.path, reference.span.start_byte))

    def imports(self, path: str) -> tuple[str, ...]:
        """What a file imports, as written, in its order."""
        sql = "SELECT i.name FROM imports i JOIN files f ON f.id = i.file_id WHERE f.path = ? ORDER BY i.n"
        return tuple(name for (name,) in self._database.rows(sql, (path,)))

    def text(self, path: str) -> str | None:
        """A file's text as indexed, or None if it is not in the index."""
        found = self._database.row("SELECT id FROM files WHERE path = ? AND skipped IS NULL", (path,))
        return self._text(found[0]).decode("utf-8", "replace") if found else None

    def paths(self) -> list[str]:
        """Paths of all files, sorted."""
        found = self._database.rows("SELECT path FROM files WHERE skipped IS NULL ORDER BY path")
        return [path for (path,) in found]

    def verify(self) -> None:
        """Compare the segments' checksums; CorruptIndexError names the first damaged file."""
        for segment in self._segments:
            segment.verify()

    def _symbols(self, condition: str, parameters: Sequence[Any]) -> list[Symbol]:
        found = self._database.rows(
            "SELECT s.name, s.kind, f.path, s.start_byte, s.end_byte, s.start_line, s.end_line, s.parent, s.signature"
            f" FROM symbols s JOIN files f ON f.id = s.file_id WHERE {condition} ORDER BY f.path, s.n",
            parameters,
        )
        return [Symbol(row[0], row[1], row[2], Span(*row[3:7]), row[7], row[8]) for row in found]

    def _file(self, file_id: int) -> _File:
        file = self._files.get(file_id)
        if file is None:
            path, language, segment, first = self._database.row(
                "SELECT path, language, segment, first_row FROM files WHERE id = ?", (file_id,)
            )
            base = self._base_of[segment] + first if segment is not None else 0
            file = self._files[file_id] = _File(path, language, base)
        return file

    def _text(self, file_id: int) -> bytes:
        text = self._texts.get(file_id)
        if text is None:
            (body,) = self._database.row("SELECT body FROM texts WHERE file_id = ?", (file_id,))
            if len(self._texts) >= _KEPT_TEXTS:
                self._texts.clear()
            text = self._texts[file_id] = zlib.decompress(body)
        return text

    def _concatenated(self, column: str, dtype: Any) -> NDArray[Any]:
        parts = [segment.column(column).astype(dtype) for segment in self._segments]
        return np.concatenate(parts) if parts else np.empty(0, dtype)


def _exported(name: str, language: str) -> bool:
    """Whether other files are meant to use the name, by the convention of its language, as far as the name shows."""
    return name[:1].isupper() if language == "go" else not name.startswith("_")
