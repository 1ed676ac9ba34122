"""Writing segments: from analysed files, or by merging segments that grew small or hollow.

Everything is written to a temporary folder, flushed to the disk and only then given its name, so that a folder
``segments/NNNN`` is whole or not there.
"""

from __future__ import annotations

import json
import os
import shutil
import zlib
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from indexer import segment as seg
from indexer.analysis import Analysis, Definitions, Uses
from indexer.postings import Postings, blocks, encode
from indexer.segment import segment_folder

TEMPORARY = ".tmp-"
"""Folders of this prefix are unfinished; the next writer removes them."""
_SLICE = 1 << 20
"""Numbers of a column converted at a time."""


class SegmentWriter:
    """Writes the files of one segment into a temporary folder; ``finish`` names it, ``discard`` removes it."""

    def __init__(self, folder: Path, dimension: int, *, durable: bool = True) -> None:
        """``durable``: whether it has to survive a power cut."""
        self.folder = folder
        self.dimension = dimension
        self._durable = durable
        self._temporary = folder.parent / f"{TEMPORARY}{folder.name}"
        shutil.rmtree(self._temporary, ignore_errors=True)
        self._temporary.mkdir(parents=True)
        self._columns: dict[str, tuple[str, int, int]] = {}
        self._files = {name: _Summed(self._temporary / name, durable) for name in (seg.COLUMNS, seg.VECTORS)}
        self._vector_rows = 0
        self._code_sum = np.zeros(dimension, np.int64)
        self._files[seg.VECTORS].write(seg.vector_header(0, dimension))

    def scratch(self, name: str, count: int, dtype: Any) -> NDArray[Any]:
        """An array on the disk for what may be larger than memory; it goes with ``finish``."""
        if not count:
            return np.empty(0, dtype)
        path = self._temporary / f"{name}.scratch"
        with path.open("wb") as file:
            # A hole in a full disk would end the process at the first write into its memory map.
            os.posix_fallocate(file.fileno(), 0, count * np.dtype(dtype).itemsize)
        return np.memmap(path, dtype, "r+", shape=(count,))

    def column(self, name: str, values: NDArray[Any]) -> None:
        """Append a column of whole numbers, none negative, in the narrowest unsigned type that holds them."""
        top = int(values.max()) if len(values) else 0
        self._append(name, values, np.min_scalar_type(top))

    def floats(self, name: str, values: NDArray[np.float32]) -> None:
        """Append a column of float32."""
        self._append(name, values, np.dtype("<f4"))

    def strings(self, name: str, values: Sequence[bytes]) -> None:
        """Append a table of strings, sorted by the caller."""
        self.column(f"{name}_text", np.frombuffer(b"".join(values), np.uint8))
        self.column(f"{name}_end", ends(np.fromiter(map(len, values), np.int64, len(values))))

    def postings(self, parts: Iterable[Postings]) -> None:
        """Append the postings of all terms, which come in order, some terms at a time."""
        counts_path = self._temporary / "posting_count.scratch"
        firsts: list[NDArray[np.int64]] = [np.zeros(1, np.int64)]
        with counts_path.open("wb") as counts:

            def gaps() -> Iterator[NDArray[np.uint16]]:
                done = 0
                for part in parts:
                    packed = encode(part)
                    counts.write(packed.counts.data)
                    firsts.append(packed.first[1:] + done)
                    done += int(packed.first[-1])
                    yield packed.gaps

            self._stream("posting_gap", np.dtype("<u2"), gaps())
        total = counts_path.stat().st_size
        self.column("posting_count", np.memmap(counts_path, np.uint8, "r") if total else np.empty(0, np.uint8))
        self.column("posting_first", np.concatenate(firsts))

    def _append(self, name: str, values: NDArray[Any], dtype: np.dtype[Any]) -> None:
        self._stream(name, dtype, (values[start : start + _SLICE] for start in range(0, len(values), _SLICE)))

    def _stream(self, name: str, dtype: np.dtype[Any], parts: Iterable[NDArray[Any]]) -> None:
        file, count = self._files[seg.COLUMNS], 0
        file.write(bytes(-file.size % 8))
        at = file.size
        for part in parts:
            file.write(np.ascontiguousarray(part, dtype).data)
            count += len(part)
        self._columns[name] = (dtype.str, at, count)

    def codes(self, codes: NDArray[np.uint8]) -> None:
        """Append codes of vectors, shape (n, dimension)."""
        self._files[seg.VECTORS].write(np.ascontiguousarray(codes).data)
        self._vector_rows += len(codes)
        self._code_sum += codes.sum(axis=0, dtype=np.int64)

    def finish(self, rows: int) -> None:
        """Complete the files, flush them to the disk, and give the folder its name."""
        if self._vector_rows != rows:
            raise ValueError(f"{self._vector_rows} vectors for {rows} rows")
        # Decoding is linear, so the mean of the vectors is the decoded mean of their codes.
        self.floats("mean_vector", seg.decode(self._code_sum / max(1, rows)))
        vectors = self._files[seg.VECTORS]
        vectors.patch(seg.vector_header(rows, self.dimension))
        vectors.close()
        lists = None
        if rows >= seg.IVF_ROWS:
            flat = self._temporary / "flat.scratch"
            (self._temporary / seg.VECTORS).rename(flat)
            lists, list_end = seg.cluster(flat, self._temporary / seg.VECTORS, rows, self.dimension)
            self.column("list_end", list_end)
            vectors.measure()
        self._files[seg.COLUMNS].close()
        for leftover in self._temporary.glob("*.scratch"):
            leftover.unlink()
        manifest = {
            "format": seg.FORMAT,
            "rows": rows,
            "dimension": self.dimension,
            "lists": lists and lists._asdict(),
            "columns": self._columns,
            "files": {name: file.sums() for name, file in self._files.items()},
        }
        # Kept with the others, so that it is closed whatever happens.
        file = self._files[seg.MANIFEST] = _Summed(self._temporary / seg.MANIFEST, self._durable)
        file.write(json.dumps(manifest).encode())
        file.close()
        if self._durable:
            _sync_folder(self._temporary)
        self._temporary.rename(self.folder)
        if self._durable:
            _sync_folder(self.folder.parent)

    def discard(self) -> None:
        """Remove what was written so far."""
        for file in self._files.values():
            file.abandon()
        shutil.rmtree(self._temporary, ignore_errors=True)


class SegmentBuilder:
    """Collects analysed files into one segment. Rows are numbered in the order of ``add``."""

    def __init__(self, folder: Path, dimension: int, *, durable: bool = True) -> None:
        self._writer = SegmentWriter(folder, dimension, durable=durable)
        self.rows = 0
        self.held = 0
        """Entries held in memory (postings, references, definitions), about 10 bytes each."""
        self._row_file = array("q")
        self._row_length: list[NDArray[np.uint32]] = []
        self._vocabulary: dict[str, int] = {}
        self._postings: tuple[list[NDArray[Any]], ...] = ([], [], [])
        self._scopes: dict[str, int] = {"": 0}
        self._uses = _Named(REFERENCE_COLUMNS)
        self._definitions = _Named(DEFINITION_COLUMNS)

    def add(self, file_id: int, analysis: Analysis) -> int:
        """Take the postings, definitions and references of a file; the row of its first chunk."""
        first, count = self.rows, len(analysis.chunks)
        self.rows += count
        self._row_file.extend([file_id] * count)
        self._row_length.append(_numbers(analysis.postings.lengths))
        vocabulary = self._vocabulary
        numbers = np.array([vocabulary.setdefault(t, len(vocabulary)) for t in analysis.postings.terms], np.uint32)
        terms, rows, counts = self._postings
        terms.append(numbers[_numbers(analysis.postings.term_numbers)])
        rows.append(_numbers(analysis.postings.chunk_numbers) + np.uint32(first))
        counts.append(np.minimum(_numbers(analysis.postings.counts), 255).astype(np.uint8))
        self.held += len(rows[-1])
        self._add_uses(file_id, analysis.uses)
        self._add_definitions(file_id, first, analysis.definitions)
        return first

    def add_vectors(self, vectors: NDArray[np.float32]) -> None:
        """Append the vectors of the next rows, shape (n, dimension)."""
        self._writer.codes(seg.encode(vectors))

    def finish(self) -> None:
        """Sort, write, flush and name the segment."""
        writer = self._writer
        writer.column("row_file", np.frombuffer(self._row_file, np.int64))
        writer.column("row_length", _concatenate(self._row_length, np.uint32))
        self._finish_postings()
        scopes, rank = _sorted_names(self._scopes)
        writer.strings("scope", scopes)
        self._uses.finish(writer, "name", rank)
        self._definitions.finish(writer, "def", rank, key=seg.folded)
        writer.finish(self.rows)

    def discard(self) -> None:
        """Remove what was written so far."""
        self._writer.discard()

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
        order, rank = _sorted_names(self._vocabulary)
        self._vocabulary.clear()
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


REFERENCE_COLUMNS = ("ref_file", "ref_start", "ref_line", "ref_scope")
DEFINITION_COLUMNS = ("def_file", "def_row", "def_start", "def_lines", "def_scope", "def_kind", "def_exported")


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


class _Summed:
    """A file that is written once from front to back, with its size and checksum."""

    def __init__(self, path: Path, durable: bool) -> None:
        self._path = path
        self._durable = durable
        self._file: IO[bytes] = path.open("w+b")
        self.size = 0
        self.crc32 = 0

    def write(self, data: Any) -> None:
        self._file.write(data)
        self.size += memoryview(data).nbytes
        self.crc32 = zlib.crc32(data, self.crc32)

    def patch(self, head: bytes) -> None:
        """Replace the first bytes. The checksum is taken again, over the pages that were just written."""
        self._file.seek(0)
        self._file.write(head)
        self._file.flush()
        self.measure()

    def measure(self) -> None:
        """Size and checksum of what lies at the path now, flushed to the disk."""
        self.size = self.crc32 = 0
        with self._path.open("rb") as file:
            while block := file.read(1 << 20):
                self.size += len(block)
                self.crc32 = zlib.crc32(block, self.crc32)
            self._sync(file)

    def close(self) -> None:
        self._file.flush()
        self._sync(self._file)
        self._file.close()

    def _sync(self, file: IO[bytes]) -> None:
        if self._durable:
            os.fsync(file.fileno())

    def sums(self) -> dict[str, int]:
        """What an opened segment compares; of a closed file."""
        with self._path.open("rb") as file:
            file.seek(max(0, self.size - seg.TAIL_BYTES))
            return {"size": self.size, "crc32": self.crc32, "tail_crc32": zlib.crc32(file.read())}

    def abandon(self) -> None:
        """Close without caring for what the buffer still holds: the folder is removed next."""
        try:
            self._file.close()
        except OSError:
            return


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _concatenate(parts: list[NDArray[Any]], dtype: Any) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.empty(0, dtype)


def ends(sizes: NDArray[Any]) -> NDArray[np.int64]:
    """Where each of consecutive stretches starts, and where the last ends."""
    out = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=out[1:])
    return out


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


def stable_order(keys: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Like ``argsort(kind="stable")``, several times as fast: key and place sort as one 64-bit number."""
    packed = keys.astype(np.uint64)
    packed <<= np.uint64(32)
    packed |= np.arange(len(keys), dtype=np.uint64)
    packed.sort()
    packed &= np.uint64(0xFFFFFFFF)
    return packed.view(np.int64)


def remove_leftovers(folder: Path, listed: Iterable[int]) -> None:
    """Remove segments that no generation lists and unfinished folders; readers that map them keep their pages."""
    keep = {segment_folder(folder, number).name for number in listed}
    if folder.is_dir():
        for entry in folder.iterdir():
            if entry.name not in keep:
                shutil.rmtree(entry, ignore_errors=True)
