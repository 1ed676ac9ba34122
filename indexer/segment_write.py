"""Writing the files of a segment.

Everything is written to a temporary folder, flushed to the disk and only then given its name, so that a folder
``segments/NNNN`` is whole or not there.
"""

from __future__ import annotations

import json
import mmap
import os
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from indexer import segment as seg
from indexer.index_folder import COLUMNS, MANIFEST, VECTORS, Folder, open_segments, remove_segments
from indexer.index_folder import TEMPORARY as TEMPORARY
from indexer.manifest import Lists
from indexer.postings import Postings, encode
from indexer.segment import segment_folder
from indexer.store import FORMAT

REFERENCE_COLUMNS = ("ref_file", "ref_start", "ref_line", "ref_scope")
DEFINITION_COLUMNS = ("def_file", "def_row", "def_start", "def_lines", "def_scope", "def_kind", "def_exported")
_SLICE = 1 << 20
"""Numbers of a column converted at a time."""


class SegmentWriter:
    """Writes the files of one segment into a temporary folder; ``finish`` names it, ``discard`` removes it."""

    def __init__(self, folder: Path, dimension: int, *, durable: bool = True) -> None:
        """``durable``: whether it has to survive a power cut."""
        self.folder = folder
        self.dimension = dimension
        self._durable = durable
        self._name = f"{TEMPORARY}{folder.name}"
        self._columns: dict[str, tuple[str, int, int]] = {}
        self._segments = open_segments(folder.parent, create=True)
        try:
            self._segments.remove_segment(self._name)
            self._segments.make_folder(self._name)
            self._temporary = self._segments.folder(self._name)
        except BaseException:
            self._segments.close()
            raise
        self._closed = False
        self._files: dict[str, _Summed] = {}
        try:
            for name in (COLUMNS, VECTORS):
                self._files[name] = _Summed(self._temporary, name, durable)
        except BaseException:
            self.discard()
            raise
        self._vector_rows = 0
        self._code_sum = np.zeros(dimension, np.int64)
        self._files[VECTORS].write(seg.vector_header(0, dimension))

    def scratch(self, name: str, count: int, dtype: Any) -> NDArray[Any]:
        """An array on the disk for what may be larger than memory; it goes with ``finish``."""
        if not count:
            return np.empty(0, dtype)
        with self._temporary.new_file(f"{name}.scratch") as file:
            # A hole in a full disk would end the process at the first write into its memory map.
            os.posix_fallocate(file.fileno(), 0, count * np.dtype(dtype).itemsize)
            return np.memmap(file, dtype, "r+", shape=(count,))

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
        firsts: list[NDArray[np.int64]] = [np.zeros(1, np.int64)]
        with self._temporary.new_file("posting_count.scratch") as counts:

            def gaps() -> Iterator[NDArray[np.uint16]]:
                done = 0
                for part in parts:
                    packed = encode(part)
                    counts.write(packed.counts.data)
                    firsts.append(packed.first[1:] + done)
                    done += int(packed.first[-1])
                    yield packed.gaps

            self._stream("posting_gap", np.dtype("<u2"), gaps())
            counts.flush()
            total = counts.tell()
            self.column("posting_count", np.memmap(counts, np.uint8, "r") if total else np.empty(0, np.uint8))
        self.column("posting_first", np.concatenate(firsts))

    def _append(self, name: str, values: NDArray[Any], dtype: np.dtype[Any]) -> None:
        self._stream(name, dtype, (values[start : start + _SLICE] for start in range(0, len(values), _SLICE)))

    def _stream(self, name: str, dtype: np.dtype[Any], parts: Iterable[NDArray[Any]]) -> None:
        file, count = self._files[COLUMNS], 0
        file.write(bytes(-file.size % 8))
        at = file.size
        for part in parts:
            file.write(np.ascontiguousarray(part, dtype).data)
            count += len(part)
        self._columns[name] = (dtype.str, at, count)

    def codes(self, codes: NDArray[np.uint8]) -> None:
        """Append codes of vectors, shape (n, dimension)."""
        self._files[VECTORS].write(np.ascontiguousarray(codes).data)
        self._vector_rows += len(codes)
        self._code_sum += codes.sum(axis=0, dtype=np.int64)

    def finish(self, rows: int) -> None:
        """Complete the files, flush them to the disk, and give the folder its name."""
        if self._vector_rows != rows:
            raise ValueError(f"{self._vector_rows} vectors for {rows} rows")
        # Decoding is linear, so the mean of the vectors is the decoded mean of their codes.
        self.floats("mean_vector", seg.decode(self._code_sum / max(1, rows)))
        vectors = self._files[VECTORS]
        vectors.patch(seg.vector_header(rows, self.dimension))
        lists = None
        if rows >= seg.IVF_ROWS:
            lists = self._cluster(vectors, rows)
        self._files[VECTORS].close()
        self._files[COLUMNS].close()
        for name in self._temporary.names():
            if name.endswith(".scratch"):
                self._temporary.remove_file(name)
        manifest = {
            "format": FORMAT,
            "rows": rows,
            "dimension": self.dimension,
            "lists": lists and lists._asdict(),
            "columns": self._columns,
            "files": {name: file.sums() for name, file in self._files.items()},
        }
        # Kept with the others, so that it is closed whatever happens.
        file = self._files[MANIFEST] = _Summed(self._temporary, MANIFEST, self._durable)
        text = json.dumps(manifest).encode()
        file.write(b"%b\n%08x" % (text, zlib.crc32(text)))
        file.close()
        if self._durable:
            self._temporary.sync()
        self._segments.rename(self._name, self.folder.name)
        if self._durable:
            self._segments.sync()
        self._close()

    def _cluster(self, flat: _Summed, rows: int) -> Lists:
        """Replace the flat vector file by one with inverted lists."""
        self._temporary.rename(VECTORS, "flat.scratch")
        clustered = _Summed(self._temporary, VECTORS, self._durable)
        self._files[VECTORS] = clustered
        try:
            centroids, list_end = seg.cluster(flat.file, clustered.write, rows, self.dimension)
        finally:
            flat.abandon()
        self.column("list_end", list_end)
        with clustered.mapped() as data:
            return seg.locate(data, centroids, rows)

    def discard(self) -> None:
        """Remove what was written so far; after ``finish``, or twice, nothing."""
        if self._closed:
            return
        for file in self._files.values():
            file.abandon()
        self._segments.remove_segment(self._name)
        self._close()

    def _close(self) -> None:
        self._closed = True
        self._temporary.close()
        self._segments.close()


class _Summed:
    """A file that is written once from front to back, with its size and checksum."""

    def __init__(self, folder: Folder, name: str, durable: bool) -> None:
        self._folder = folder
        self._name = name
        self._durable = durable
        self.file: IO[bytes] = folder.new_file(name)
        self.size = 0
        self.crc32 = 0

    def write(self, data: Any) -> None:
        self.file.write(data)
        self.size += memoryview(data).nbytes
        self.crc32 = zlib.crc32(data, self.crc32)

    def patch(self, head: bytes) -> None:
        """Replace the first bytes. The checksum is taken again, over the pages that were just written."""
        self.file.seek(0)
        self.file.write(head)
        self.file.seek(0)
        self.size = self.crc32 = 0
        while block := self.file.read(1 << 20):
            self.size += len(block)
            self.crc32 = zlib.crc32(block, self.crc32)

    def mapped(self) -> mmap.mmap:
        """What was written so far as a memory map."""
        self.file.flush()
        return mmap.mmap(self.file.fileno(), 0, access=mmap.ACCESS_READ)

    def close(self) -> None:
        self.file.flush()
        if self._durable:
            os.fsync(self.file.fileno())
        self.file.close()

    def sums(self) -> dict[str, int]:
        """What an opened segment compares; of a closed file."""
        with self._folder.open_file(self._name) as file:
            file.seek(max(0, self.size - seg.TAIL_BYTES))
            return {"size": self.size, "crc32": self.crc32, "tail_crc32": zlib.crc32(file.read())}

    def abandon(self) -> None:
        """Close without caring for what the buffer still holds: the folder is removed next."""
        try:
            self.file.close()
        except OSError:
            return


def ends(sizes: NDArray[Any]) -> NDArray[np.int64]:
    """Where each of consecutive stretches starts, and where the last ends."""
    out = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=out[1:])
    return out


def stable_order(keys: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Like ``argsort(kind="stable")``, several times as fast: key and place sort as one 64-bit number."""
    packed = keys.astype(np.uint64)
    packed <<= np.uint64(32)
    packed |= np.arange(len(keys), dtype=np.uint64)
    packed.sort()
    packed &= np.uint64(0xFFFFFFFF)
    return packed.view(np.int64)


def remove_leftovers(folder: Path, listed: Iterable[int]) -> None:
    """Remove segments that no generation lists and unfinished ones; readers that map them keep their pages."""
    remove_segments(folder, {segment_folder(folder, number).name for number in listed})
