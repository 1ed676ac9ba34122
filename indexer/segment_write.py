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
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from indexer import segment as seg
from indexer.analysis import Analysis
from indexer.segment import Segment

TEMPORARY = ".tmp-"
"""Folders of this prefix are unfinished; the next writer removes them."""


class SegmentWriter:
    """Writes the files of one segment into a temporary folder; ``finish`` names it, ``discard`` removes it."""

    def __init__(self, folder: Path, dimension: int) -> None:
        self.folder = folder
        self.dimension = dimension
        self._temporary = folder.parent / f"{TEMPORARY}{folder.name}"
        shutil.rmtree(self._temporary, ignore_errors=True)
        self._temporary.mkdir(parents=True)
        self._columns: dict[str, tuple[str, int, int]] = {}
        self._files = {name: _Summed(self._temporary / name) for name in (seg.COLUMNS, seg.VECTORS)}
        self._vector_rows = 0
        self._files[seg.VECTORS].write(seg.vector_header(0, dimension))

    def scratch(self, name: str, count: int, dtype: Any) -> NDArray[Any]:
        """An array on the disk for what may be larger than memory; it goes with ``finish``."""
        if not count:
            return np.empty(0, dtype)
        return np.memmap(self._temporary / f"{name}.scratch", dtype, "w+", shape=(count,))

    def column(self, name: str, values: NDArray[Any]) -> None:
        """Append a column of whole numbers, none negative, in the narrowest unsigned type that holds them."""
        top = int(values.max()) if len(values) else 0
        dtype = np.min_scalar_type(top)
        file = self._files[seg.COLUMNS]
        file.write(bytes(-file.size % 8))
        self._columns[name] = (dtype.str, file.size, len(values))
        for start in range(0, len(values), 1 << 20):
            file.write(np.ascontiguousarray(values[start : start + (1 << 20)], dtype).data)

    def strings(self, name: str, values: Sequence[bytes]) -> None:
        """Append a table of strings, sorted by the caller."""
        self.column(f"{name}_text", np.frombuffer(b"".join(values), np.uint8))
        self.column(f"{name}_end", ends(np.fromiter(map(len, values), np.int64, len(values))))

    def codes(self, codes: NDArray[np.uint8]) -> None:
        """Append codes of vectors, shape (n, dimension)."""
        self._files[seg.VECTORS].write(np.ascontiguousarray(codes).data)
        self._vector_rows += len(codes)

    def finish(self, rows: int) -> None:
        """Complete the files, flush them to the disk, and give the folder its name."""
        if self._vector_rows != rows:
            raise ValueError(f"{self._vector_rows} vectors for {rows} rows")
        self._files[seg.VECTORS].patch(seg.vector_header(rows, self.dimension))
        for file in self._files.values():
            file.close()
        clustered = rows >= seg.IVF_ROWS
        if clustered:
            flat = self._temporary / "flat.scratch"
            (self._temporary / seg.VECTORS).rename(flat)
            seg.cluster(flat, self._temporary / seg.VECTORS, rows, self.dimension)
            self._files[seg.VECTORS].measure()
        for leftover in self._temporary.glob("*.scratch"):
            leftover.unlink()
        manifest = {
            "format": seg.FORMAT,
            "rows": rows,
            "dimension": self.dimension,
            "clustered": clustered,
            "columns": self._columns,
            "files": {name: {"size": file.size, "crc32": file.crc32} for name, file in self._files.items()},
        }
        path = self._temporary / seg.MANIFEST
        with path.open("w") as out:
            json.dump(manifest, out)
            out.flush()
            os.fsync(out.fileno())
        _sync_folder(self._temporary)
        shutil.rmtree(self.folder, ignore_errors=True)
        self._temporary.rename(self.folder)
        _sync_folder(self.folder.parent)

    def discard(self) -> None:
        """Remove what was written so far."""
        for file in self._files.values():
            file.abandon()
        shutil.rmtree(self._temporary, ignore_errors=True)


class SegmentBuilder:
    """Collects analysed files into one segment. Rows are numbered in the order of ``add``."""

    def __init__(self, folder: Path, dimension: int) -> None:
        self._writer = SegmentWriter(folder, dimension)
        self.rows = 0
        self.postings = 0
        """Postings held in memory, about 9 bytes each."""
        self.references = 0
        self._row_file = array("q")
        self._row_length: list[NDArray[np.uint32]] = []
        self._vocabulary: dict[str, int] = {}
        self._postings: tuple[list[NDArray[Any]], ...] = ([], [], [])
        self._names: dict[str, int] = {}
        self._scopes: dict[str, int] = {"": 0}
        self._references = [array(kind) for kind in ("I", "q", "I", "I", "I", "I")]

    def add(self, file_id: int, analysis: Analysis) -> int:
        """Take the postings and references of a file; the row of its first chunk."""
        first, count = self.rows, len(analysis.chunks)
        self.rows += count
        self._row_file.extend([file_id] * count)
        self._row_length.append(np.frombuffer(analysis.postings.lengths, "<u4"))
        vocabulary = self._vocabulary
        numbers = np.array([vocabulary.setdefault(t, len(vocabulary)) for t in analysis.postings.terms], np.uint32)
        terms, rows, counts = self._postings
        terms.append(numbers[np.frombuffer(analysis.postings.term_numbers, "<u4")])
        rows.append(np.frombuffer(analysis.postings.chunk_numbers, "<u4") + np.uint32(first))
        counts.append(np.minimum(np.frombuffer(analysis.postings.counts, "<u4"), 255).astype(np.uint8))
        self.postings += len(rows[-1])
        self._add_references(file_id, analysis)
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
        self._finish_references()
        writer.finish(self.rows)

    def discard(self) -> None:
        """Remove what was written so far."""
        self._writer.discard()

    def _add_references(self, file_id: int, analysis: Analysis) -> None:
        names, scopes = self._names, self._scopes
        name, file, start, size, line, scope = self._references
        found = analysis.references
        name.extend([names.setdefault(r.name, len(names)) for r in found])
        file.extend([file_id] * len(found))
        start.extend([r.start_byte for r in found])
        size.extend([max(0, r.end_byte - r.start_byte) for r in found])
        line.extend([r.line for r in found])
        scope.extend([scopes.setdefault(r.enclosing or "", len(scopes)) for r in found])
        self.references += len(found)

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
        place = _stable_order(terms)
        self._writer.strings("term", order)
        self._writer.column("posting_first", first)
        self._writer.column("posting_row", rows[place])
        self._writer.column("posting_count", counts[place])

    def _finish_references(self) -> None:
        names, name_rank = _sorted_names(self._names)
        scopes, scope_rank = _sorted_names(self._scopes)
        kinds = (np.uint32, np.int64, np.uint32, np.uint32, np.uint32, np.uint32)
        name, *rest = (np.frombuffer(a, t) for a, t in zip(self._references, kinds, strict=True))
        name = name_rank[name]
        rest[-1] = scope_rank[rest[-1]]
        place = _stable_order(name)
        self._writer.strings("name", names)
        self._writer.strings("scope", scopes)
        self._writer.column("name_first", ends(np.bincount(name, minlength=len(names))))
        for label, values in zip(REFERENCE_COLUMNS, rest, strict=True):
            self._writer.column(label, values[place])


REFERENCE_COLUMNS = ("ref_file", "ref_start", "ref_size", "ref_line", "ref_scope")


class _Summed:
    """A file that is written once from front to back, with its size and checksum."""

    def __init__(self, path: Path) -> None:
        self._path = path
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
            os.fsync(file.fileno())

    def close(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

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


def _sorted_names(numbered: dict[str, int]) -> tuple[list[bytes], NDArray[np.uint32]]:
    """The names as sorted bytes, and for each old number its place among them."""
    encoded = {name.encode("utf-8", "surrogatepass"): number for name, number in numbered.items()}
    ordered = sorted(encoded)
    rank = np.zeros(len(numbered), np.uint32)
    rank[[encoded[name] for name in ordered]] = np.arange(len(ordered), dtype=np.uint32)
    return ordered, rank


def _stable_order(keys: NDArray[np.uint32]) -> NDArray[np.int64]:
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


def segment_folder(folder: Path, number: int) -> Path:
    """``segments/NNNN`` of a segment's number."""
    return folder / f"{number:04d}"


__all__ = ["Segment", "SegmentBuilder", "SegmentWriter", "remove_leftovers", "segment_folder"]
