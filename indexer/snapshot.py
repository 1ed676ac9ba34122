"""One generation as search sees it: rows numbered over all of its segments, files and texts read as they are asked for.

Valid within one read transaction of the database; ``Index`` opens that around every use.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from indexer.body import Body, unpack, unpack_text
from indexer.corpus import Definitions, Near
from indexer.errors import REPAIR, CorruptIndexError
from indexer.file_table import FileTable
from indexer.kept import Kept
from indexer.nearest import nearest
from indexer.overlay import EMPTY, Overlay
from indexer.ranking import PathLook, PathWords
from indexer.reports import Skipped
from indexer.segment import Segment
from indexer.store import Database, Generation, mapped_errors
from indexer.terms import path_terms
from indexer.types import Chunk, Span, Symbol

if TYPE_CHECKING:
    from indexer.analysis import SymbolRow
    from indexer.lookups import Lookups
    from indexer.spelling import Spelling

_KEPT_BODIES = 8 << 20
"""Bytes of text that stay unpacked: the files that neighbouring queries hit are often the same."""
_KEPT_POSTINGS = 1 << 21
"""Decoded postings that are kept, 5 bytes each: neighbouring queries share words."""
_KEPT_DEFINITIONS = 1 << 16  # some 50 bytes each, for the same reason
_KEPT_PATH_TERMS = 256
_SCOPES_A_SEGMENT = 1 << 32
CHUNKS_A_FILE = 1 << 20
"""``Chunk.id`` is the file's id times this, plus the chunk's number in the file."""


class Snapshot:
    """Implements ``search.Corpus`` and the look-ups of ``Index``."""

    def __init__(
        self,
        database: Database,
        generation: Generation,
        segments: Mapping[int, Segment],
        dead: Mapping[int, list[int]],
        damaged: tuple[str, ...] = (),
        overlay: Overlay = EMPTY,
    ) -> None:
        """``segments`` by number, in row order; ``dead``: ids of dead files by segment; ``damaged``: see types."""
        self.generation = generation
        self.damaged = damaged
        self.overlay = overlay
        self.database = database
        self._segments = list(segments.values())
        hidden = self._hidden() if overlay.ids else {}
        self._dead = [np.array([*dead.get(n, ()), *hidden.get(n, ())], np.int64) for n in segments]
        if overlay.segment is not None:
            self._segments.append(overlay.segment)
            self._dead.append(np.empty(0, np.int64))
        self._bases = np.cumsum([0, *(segment.rows for segment in self._segments)]).tolist()
        overlay_base = self._bases[len(segments)]
        self._files = FileTable(database, dict(zip(segments, self._bases, strict=False)), overlay, overlay_base)
        self._overlaid = {file_id for found in hidden.values() for file_id in found}
        """Files that a buffer stands for."""
        self._bodies = Kept[int, Body](_KEPT_BODIES)
        self._postings = Kept[str, tuple[NDArray[np.int32], NDArray[np.uint8]]](_KEPT_POSTINGS)
        self._defined = Kept[str, Definitions](_KEPT_DEFINITIONS)
        self._path_terms: dict[str, NDArray[np.int32]] = {}
        self._accumulator = np.zeros(self.rows, np.float32)

    @property
    def rows(self) -> int:
        """Number of rows, dead ones included."""
        return int(self._bases[-1])

    @cached_property
    def embedder(self) -> tuple[str | None, int | None]:
        """Name and dimension of the embedding that the index was made with; nothing before it has any vector."""
        meta = self.database.meta()
        return meta.get("embedder"), meta.get("dimension")

    @cached_property
    def live_rows(self) -> int:
        """Number of rows that still exist."""
        return self.rows if self.alive is None else int(np.count_nonzero(self.alive))

    @cached_property
    def mean_length(self) -> float:
        """Terms in the average living chunk, at least 1."""
        lengths = self.lengths if self.alive is None else self.lengths[self.alive]
        return max(1.0, float(lengths.mean(dtype=np.float64)) if len(lengths) else 1.0)

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

    def accumulator(self) -> NDArray[np.float32]:
        """Zeros, shape (rows,), to add scores up in; whoever takes it leaves zeros behind."""
        return self._accumulator

    def postings(self, term: str) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
        """Live rows that hold ``term``, ascending, and how often each does (255: at least that)."""
        found = self._postings.get(term)
        if found is None:
            found = self._read_postings(term)
            self._postings.put(term, found, len(found[0]))
        return found

    def _read_postings(self, term: str) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
        found = [(segment.postings(term), base) for segment, base in zip(self._segments, self._bases, strict=False)]
        parts = [(own + np.int32(base), counts) for (own, counts), base in found if len(own)]
        if not parts:
            return np.empty(0, np.int32), np.empty(0, np.uint8)
        rows, counts = parts[0]
        if len(parts) > 1:
            rows = np.concatenate([own for own, _ in parts])
            counts = np.concatenate([own for _, own in parts])
        if self.alive is not None:
            live = self.alive[rows]
            rows, counts = rows[live], counts[live]
        return rows, counts

    def nearest(self, vector: NDArray[np.float32], n: int, allowed: NDArray[np.bool_] | None) -> Near:
        """The ``n`` live rows (of those ``allowed``) nearest to a unit vector, best first, equal ones by row."""
        return nearest(self._segments, self._bases, self.alive, vector, n, allowed)

    def files_with_path_term(self, term: str) -> NDArray[np.int32]:
        """Live files whose ``path_terms`` hold ``term``, ascending."""
        files = self._path_terms.get(term)
        if files is None:
            found = self.database.rows("SELECT file_id FROM path_terms WHERE term = ? ORDER BY file_id", (term,))
            own = list(self._visible(found))
            own += [i for path, i in self.overlay.ids.items() if term in path_terms(path)]
            files = np.array(own, np.int32)
            if len(self._path_terms) >= _KEPT_PATH_TERMS:
                self._path_terms.clear()
            self._path_terms[term] = files
        return files

    def files_in(self, language: str) -> NDArray[np.int32]:
        """Live files in a language, ascending."""
        found = self.database.rows("SELECT id FROM files WHERE language = ? ORDER BY id", (language,))
        own = [i for i, buffer in self.overlay.files.items() if buffer.analysis.language == language]
        return np.array([*self._visible(found), *own], np.int32)

    def all_files(self) -> list[tuple[int, str]]:
        """Ids and paths of all live files."""
        found = self.database.rows("SELECT id, path FROM files WHERE skipped IS NULL")
        if self._overlaid:
            found = [row for row in found if row[0] not in self._overlaid]
        return found + [(file_id, path) for path, file_id in self.overlay.ids.items()]

    def rows_of_kinds(self, kinds: Sequence[int]) -> NDArray[np.int64]:
        """Live rows that hold the first line of a definition of one of these kinds; one may come several times."""
        wanted = np.zeros(256, np.bool_)
        wanted[kinds] = True
        parts = [np.empty(0, np.int64)]
        for segment, dead, base in zip(self._segments, self._dead, self._bases, strict=False):
            meant = wanted[segment.column("def_kind")]
            meant[meant] = ~np.isin(segment.column("def_file")[meant], dead)
            parts.append(segment.column("def_row")[meant].astype(np.int64) + base)
        return np.concatenate(parts)

    def definitions(self, name: str) -> Definitions:
        """Live definitions by bare name, in whatever ASCII case."""
        found = self._defined.get(name)
        if found is None:
            parts = [
                self._definitions(number, where, exact=spelled == name)
                for number, segment in enumerate(self._segments)
                for spelled, where in segment.definitions(name)
            ]
            found = Definitions.joined(parts)
            self._defined.put(name, found, 1 + found.total)
        return found

    def _definitions(self, number: int, where: slice, *, exact: bool) -> Definitions:
        segment, dead, base = self._segments[number], self._dead[number], self._bases[number]

        def column(label: str, dtype: type[np.generic]) -> NDArray[Any]:
            return segment.column(label)[where].astype(dtype)

        files = column("def_file", np.int64)
        found = Definitions(
            files,
            column("def_row", np.int64) + base,
            column("def_kind", np.uint8),
            column("def_start", np.int64),
            column("def_lines", np.int64),
            column("def_exported", np.bool_),
            np.full(len(files), exact, np.bool_),
            self._scopes(segment, number, column("def_scope", np.int64)),
        )
        return found.take(~np.isin(files, dead)) if len(dead) else found

    def _scopes(self, segment: Segment, number: int, scopes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Scopes of a segment as numbers over all segments; 0, the first in every segment, is no scope."""
        return np.where(scopes == segment.no_scope, 0, scopes + (number + 1) * _SCOPES_A_SEGMENT)

    def close_terms(self, term: str, edits: int) -> tuple[Spelling, ...]:
        """The terms of living rows likeliest to be meant by one that no row holds, at most ``edits`` from it."""
        from indexer.spelling import close

        return close([s.terms for s in self._segments], term, edits, lambda word: len(self.postings(word)[0]))

    def close_names(self, name: str, edits: int) -> tuple[Spelling, ...]:
        """The same among names of living definitions, in whatever ASCII case."""
        from indexer.spelling import close

        return close([s.defined for s in self._segments], name, edits, lambda word: self.definitions(word).total)

    def lookups(self) -> Lookups:
        """Texts by the bytes in them; names and terms by their beginnings."""
        from indexer.lookups import Lookups

        return Lookups(self)

    def scope(self, number: int) -> str:
        """Qualified name of a scope of ``Definitions``; empty for 0."""
        return self._segments[number // _SCOPES_A_SEGMENT - 1].scope(number % _SCOPES_A_SEGMENT) if number else ""

    def path(self, file_id: int) -> str:
        """Path of a file, relative to the root."""
        return self._files[file_id].path

    def language(self, file_id: int) -> str:
        """Language of a file."""
        return self._files[file_id].language

    def path_looks(self, file_ids: Sequence[int]) -> list[PathLook]:
        """What the path of each file says at a glance."""
        return self._files.looks(file_ids)

    def path_words(self, file_id: int) -> PathWords:
        """The terms of a file's path."""
        return self._files.words(file_id)

    def first_row(self, file_id: int) -> int | None:
        """Row of a file's first chunk; None if it has none."""
        return self._files[file_id].first_row

    def chunk(self, row: int) -> Chunk:
        """The chunk of a row."""
        file_id = int(self.file_ids[row])
        file = self._files[file_id]
        assert file.first_row is not None
        n, body = int(row) - file.first_row, self._body(file_id)
        start, end, first, last, symbol = body.chunks[n]
        text = body.text[start:end].decode("utf-8", "replace")
        span = Span(start, end, first, last)
        return Chunk(file_id * CHUNKS_A_FILE + n, file.path, file.language, span, text, symbol)

    def chunk_symbols(self, row: int) -> list[Symbol]:
        """Definitions that overlap the chunk of a row, in the file's order."""
        file_id = int(self.file_ids[row])
        file, body = self._files[file_id], self._body(file_id)
        assert file.first_row is not None
        return _as_symbols(file.path, body.symbols_in(body.chunks[int(row) - file.first_row]))

    def chunk_starts(self, file_id: int) -> tuple[int, list[int]]:
        """The row of a living file's first chunk, and the byte at which each of its chunks starts."""
        first = self._files[file_id].first_row
        assert first is not None, "whoever asks has found a chunk's text in it"
        return first, [chunk.start_byte for chunk in self._body(file_id).chunks]

    def rows_of(self, path: str) -> slice:
        """Rows of a file's chunks; none for a file that is not in the index."""
        file_id = self._id(path)
        first = None if file_id is None else self._files[file_id].first_row
        if file_id is None or first is None:
            return slice(0, 0)
        return slice(first, first + len(self._body(file_id).chunks))

    def symbols(self, name: str) -> list[Symbol]:
        """Definitions of a bare or qualified name (``search``, ``Index.search``), exact case first, then by path."""
        *scope, bare = name.replace("::", ".").replace("#", ".").split(".")
        wanted = ".".join((*scope, bare)).lower()
        found: list[Symbol] = []
        for file_id in sorted(set(self.definitions(bare).files.tolist())):
            own = [s for s in self._symbols(file_id) if s.name.lower() == bare.lower()]
            found += [s for s in own if not scope or f".{s.qualified}".lower().endswith("." + wanted)]
        return sorted(found, key=lambda symbol: (symbol.name != bare, symbol.path, symbol.span.start_byte))

    def file_symbols(self, path: str) -> list[Symbol]:
        """Definitions in a file, in its order."""
        file_id = self._id(path)
        return [] if file_id is None else self._symbols(file_id)

    def imports(self, path: str) -> tuple[str, ...]:
        """What a file imports, as written, in its order."""
        file_id = self._id(path)
        return () if file_id is None else self._body(file_id).imports

    def text(self, path: str) -> str | None:
        """A file's text as indexed, or None if it is not in the index."""
        file_id = self._id(path)
        return None if file_id is None else self._body(file_id).text.decode("utf-8", "replace")

    def text_bytes(self, file_id: int) -> bytes:
        """A living file's text as indexed; unlike ``text`` it does not keep what it reads."""
        return body.text if (body := self._bodies.get(file_id)) else unpack_text(self._blob(file_id))

    def parts(self) -> Iterator[tuple[Segment, NDArray[np.int64]]]:
        """Every segment with the ids of its dead files."""
        return zip(self._segments, self._dead, strict=True)

    def paths(self) -> list[str]:
        """Paths of all files, sorted."""
        found = self.database.rows("SELECT path FROM files WHERE skipped IS NULL ORDER BY path")
        paths = [path for (path,) in found]
        return sorted({*paths, *self.overlay.ids}) if self.overlay.ids else paths

    def skipped(self) -> list[Skipped]:
        """Files that were listed and not read, and why, sorted by path."""
        found = self.database.rows("SELECT path, skipped FROM files WHERE skipped IS NOT NULL ORDER BY path")
        return [Skipped(path, reason) for path, reason in found if path not in self.overlay.ids]

    def holds(self, folder: str) -> bool:
        """Whether any file is in a folder, or is it."""
        overlaid = any(path == folder or path.startswith(f"{folder}/") for path in self.overlay.ids)
        inside = "SELECT 1 FROM files WHERE skipped IS NULL AND (path = ? OR (path > ? AND path < ?)) LIMIT 1"
        return overlaid or bool(self.database.rows(inside, (folder, f"{folder}/", f"{folder}0")))

    def verify(self) -> None:
        """Compare the segments' checksums and read all bodies; CorruptIndexError names the first damage."""
        for segment in self._segments:
            segment.verify()
        with mapped_errors("reading the index", self.database.path):
            for (body,) in self.database.connection.execute("SELECT body FROM bodies"):
                unpack(body)

    def _symbols(self, file_id: int) -> list[Symbol]:
        return _as_symbols(self.path(file_id), self._body(file_id).symbols)

    def _hidden(self) -> dict[int | None, list[int]]:
        """Files that a buffer stands for, by segment."""
        hidden: dict[int | None, list[int]] = {}
        for path in self.overlay.ids:
            found = self.database.row("SELECT id, segment FROM files WHERE path = ?", (path,))
            if found is not None:
                hidden.setdefault(found[1], []).append(found[0])
        return hidden

    def _visible(self, rows: list[tuple[int]]) -> Iterator[int]:
        return (file_id for (file_id,) in rows if file_id not in self._overlaid)

    def _id(self, path: str) -> int | None:
        if path in self.overlay.ids:
            return self.overlay.ids[path]
        found = self.database.row("SELECT id FROM files WHERE path = ? AND skipped IS NULL", (path,))
        return int(found[0]) if found else None

    def _body(self, file_id: int) -> Body:
        body = self._bodies.get(file_id)
        if body is None:
            body = unpack(self._blob(file_id))
            self._bodies.put(file_id, body, len(body.text))
        return body

    def _blob(self, file_id: int) -> bytes:
        if file_id in self.overlay.files:
            return self.overlay.files[file_id].analysis.body
        found = self.database.row("SELECT body FROM bodies WHERE file_id = ?", (file_id,))
        if found is None:
            raise CorruptIndexError("The index is damaged: the text of a file is missing.", REPAIR)
        return bytes(found[0])

    def _concatenated(self, column: str, dtype: Any) -> NDArray[Any]:
        parts = [segment.column(column).astype(dtype) for segment in self._segments]
        return np.concatenate(parts) if parts else np.empty(0, dtype)


def _as_symbols(path: str, rows: Sequence[SymbolRow]) -> list[Symbol]:
    spans = (Span(s.start_byte, s.end_byte, s.start_line, s.end_line) for s in rows)
    return [Symbol(s.name, s.kind, path, span, s.parent, s.signature) for s, span in zip(rows, spans, strict=True)]
