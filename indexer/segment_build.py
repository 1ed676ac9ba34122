"""Analysed files → one segment: collected in memory, sorted by name and term, written."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from indexer import segment as seg
from indexer.analysis import Analysis, Definitions, Uses
from indexer.postings import Postings, blocks
from indexer.segment_write import DEFINITION_COLUMNS, REFERENCE_COLUMNS, SegmentWriter, ends, stable_order
from indexer.strings import folded
from indexer.words import ChunkWords

if TYPE_CHECKING:
    from indexer.embed import PieceEmbedder


class SegmentBuilder:
    """Collects analysed files into one segment. Rows are numbered in the order of ``add``."""

    def __init__(
        self, folder: Path, dimension: int, *, durable: bool = True, embedder: PieceEmbedder | None = None
    ) -> None:
        """With an ``embedder`` vectors follow from the words; without one they come by ``add_vectors``."""
        self._writer = SegmentWriter(folder, dimension, durable=durable)
        self.rows = 0
        self.held = 0
        """Entries held in memory (postings, references, definitions), about 10 bytes each."""
        self._summed_rows = 0
        self._row_file = array("q")
        self._row_length: list[NDArray[np.uint32]] = []
        self._signatures: list[tuple[int, bytes]] = []
        self._words = ChunkWords(embedder)
        self._postings: tuple[list[NDArray[Any]], ...] = ([], [], [])
        self._scopes: dict[str, int] = {"": 0}
        self._uses = _Named(REFERENCE_COLUMNS)
        self._definitions = _Named(DEFINITION_COLUMNS)

    def add(self, file_id: int, analysis: Analysis) -> int:
        """Take the words, definitions and references of a file; the row of its first chunk."""
        first, count = self.rows, len(analysis.chunks)
        self.rows += count
        self._row_file.extend([file_id] * count)
        self._signatures.append((file_id, analysis.signature))
        self.held += len(analysis.signature) // 10
        self._words.add(analysis)
        if self._words.is_due:
            self._sum_words()
        self._add_uses(file_id, analysis.uses)
        self._add_definitions(file_id, first, analysis.definitions)
        return first

    def add_vectors(self, vectors: NDArray[np.float32]) -> None:
        """Append the vectors of the next rows, shape (n, dimension)."""
        self._writer.codes(seg.encode(vectors))

    def finish(self) -> None:
        """Sort, write, flush and name the segment."""
        self._sum_words()
        writer = self._writer
        writer.column("row_file", np.frombuffer(self._row_file, np.int64))
        writer.column("row_length", _concatenate(self._row_length, np.uint32))
        writer.column("signature_file", np.array([file for file, _ in self._signatures], np.int64))
        sizes = np.array([len(bits) for _, bits in self._signatures], np.int64)
        writer.column("signature_end", ends(sizes))
        writer.column("signature_bits", np.frombuffer(b"".join(bits for _, bits in self._signatures), np.uint8))
        self._finish_postings()
        scopes, rank = _sorted_names(self._scopes)
        writer.strings("scope", scopes)
        self._uses.finish(writer, "name", rank)
        self._definitions.finish(writer, "def", rank, key=folded)
        writer.finish(self.rows)

    def discard(self) -> None:
        """Remove what was written so far."""
        self._writer.discard()

    def _sum_words(self) -> None:
        """Turn the words that came together into postings, and vectors."""
        found = self._words.take()
        terms, rows, counts = self._postings
        terms.append(found.terms)
        rows.append(found.rows + np.uint32(self._summed_rows))
        counts.append(np.minimum(found.counts, 255).astype(np.uint8))
        self._row_length.append(found.lengths)
        self._summed_rows += len(found.lengths)
        self.held += len(found.terms)
        if found.vectors is not None:
            self.add_vectors(found.vectors)

    def _add_uses(self, file_id: int, uses: Uses) -> None:
        count = uses.total
        if count:
            names = self._uses.numbers(uses.names)[_numbers(uses.name_numbers)]
            file, scopes = np.full(count, file_id, np.uint32), self._scope_numbers(uses)
            self._uses.add(names, (file, _numbers(uses.starts), _numbers(uses.lines), scopes))
            self.held += 2 * count

    def _add_definitions(self, file_id: int, first_row: int, found: Definitions) -> None:
        count = len(found.names)
        if count:
            file = np.full(count, file_id, np.uint32)
            rows = _numbers(found.chunk_numbers) + np.uint32(first_row)
            kinds, exported = (np.frombuffer(column, np.uint8) for column in (found.kinds, found.exported))
            columns = (file, rows, _numbers(found.starts), _numbers(found.lines), self._scope_numbers(found), kinds)
            self._definitions.add(self._definitions.numbers(found.names), (*columns, exported))
            self.held += 3 * count

    def _scope_numbers(self, columns: Uses | Definitions) -> NDArray[np.uint32]:
        scopes = self._scopes
        numbers = np.array([scopes.setdefault(s, len(scopes)) for s in columns.scopes], np.uint32)
        return numbers[_numbers(columns.scope_numbers)]

    def _finish_postings(self) -> None:
        order, rank = _sorted_names(self._words.vocabulary)
        self._words.vocabulary.clear()
        columns = []
        for parts, dtype in zip(self._postings, (np.uint32, np.uint32, np.uint8), strict=True):
            columns.append(_concatenate(parts, dtype))
            parts.clear()
        terms, rows, counts = columns
        terms = rank[terms]
        first = ends(np.bincount(terms, minlength=len(order)))
        place = stable_order(terms)
        self._writer.strings("term", order)
        self._writer.postings(_in_blocks(first, rows[place], counts[place]))


class _Named:
    """Entries below names, collected file by file: columns that ``finish`` sorts by name, stable within a name."""

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels = labels
        self._known: dict[str, int] = {}
        self._names: list[NDArray[np.uint32]] = []
        self._columns: list[list[NDArray[Any]]] = [[] for _ in labels]

    def numbers(self, names: Sequence[str]) -> NDArray[np.uint32]:
        """A number for each name, the same for equal names."""
        known = self._known
        return np.array([known.setdefault(name, len(known)) for name in names], np.uint32)

    def add(self, names: NDArray[np.uint32], columns: Sequence[NDArray[Any]]) -> None:
        """Entries with the numbers of their names, columns in the order of the labels."""
        self._names.append(names)
        for parts, column in zip(self._columns, columns, strict=True):
            parts.append(column)

    def finish(
        self,
        writer: SegmentWriter,
        table: str,
        scope_rank: NDArray[np.uint32],
        *,
        key: Callable[[bytes], Any] | None = None,
    ) -> None:
        """Write names as ``table``, where each one's entries start as ``table_first``, and the columns."""
        strings, rank = _sorted_names(self._known, key)
        names = rank[_concatenate(self._names, np.uint32)]
        place = stable_order(names)
        writer.strings(table, strings)
        writer.column(f"{table}_first", ends(np.bincount(names, minlength=len(strings))))
        for label, parts in zip(self._labels, self._columns, strict=True):
            values = _concatenate(parts, np.uint32)
            parts.clear()
            writer.column(label, (scope_rank[values] if label.endswith("_scope") else values)[place])


def _in_blocks(first: NDArray[np.int64], rows: NDArray[Any], counts: NDArray[np.uint8]) -> Iterator[Postings]:
    """Postings of all terms, some terms at a time."""
    for block in blocks(first):
        entries = slice(block.start, block.end)
        within = first[block.first_term : block.end_term + 1] - block.start
        yield Postings(within, rows[entries].astype(np.int64), counts[entries])


def _numbers(column: bytes) -> NDArray[np.uint32]:
    return np.frombuffer(column, "<u4")


def _sorted_names(
    numbered: dict[str, int], key: Callable[[bytes], Any] | None = None
) -> tuple[list[bytes], NDArray[np.uint32]]:
    """The names as bytes sorted by ``key``, and for each old number its place among them."""
    encoded = {name.encode("utf-8", "surrogatepass"): number for name, number in numbered.items()}
    ordered = sorted(encoded, key=key)
    rank = np.zeros(len(numbered), np.uint32)
    rank[[encoded[name] for name in ordered]] = np.arange(len(ordered), dtype=np.uint32)
    return ordered, rank


def _concatenate(parts: list[NDArray[Any]], dtype: Any) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.empty(0, dtype)
