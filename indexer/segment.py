"""Immutable, memory-mapped parts of an index: postings, vectors, definitions and references of a number of chunks.

A segment is a folder ``segments/NNNN`` of three files. ``columns.bin`` holds every column one after the other,
``vectors.faiss`` is a FAISS index of the chunks' vectors, ``manifest.json`` says what lies where, and the sizes and
checksums that the two must have. A row is a chunk; all rows of a file stand together, in the order of the file.
docs/store.md explains the columns and why they are ours.

Vectors, flat or in inverted lists, are scored with numpy over the memory map, so that a search need not import faiss.
"""

from __future__ import annotations

import mmap
import os
import struct
import zlib
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from indexer.errors import REPAIR, CorruptIndexError, StorageError, UnsafeIndexError
from indexer.index_folder import COLUMNS, VECTORS, Folder, open_segments
from indexer.manifest import Lists, damaged, read_manifest
from indexer.postings import decode as decode_postings
from indexer.strings import FoldedStrings, Strings

if TYPE_CHECKING:
    from collections.abc import Callable

IVF_ROWS = 32_768
"""From here on vectors lie in inverted lists: a scan of all would take more than about 3 ms."""
PROBES = 64
"""Inverted lists that a query looks at; docs/store.md has the recall."""

TAIL_BYTES = 4_096
"""End of each file that is compared whenever it is opened: what a power cut lost is missing there first."""
_SCAN_ROWS = 1_024
"""Rows decoded at a time in a flat scan: 1 MiB at 256 dimensions, so that the block stays in the cache."""
_STEP = 2.0 / 255
_HEADER = struct.Struct("<4siqqq?iiifQQQffQ")
"""FAISS's IndexScalarQuantizer (``IxSQ``): index header, quantiser, its range, size of the code area that follows."""
_DUMMY = 1 << 20
_MAPPED_BYTES = 1 << 18
"""Files from this size on are mapped; smaller ones are read into memory of our own, where nobody can cut them short."""


def vector_header(rows: int, dimension: int) -> bytes:
    """Head of a FAISS file of ``rows`` vectors with 8 bits a component over the range -1..1, inner product.

    The layout is that of ``faiss.write_index`` for ``IndexScalarQuantizer(QT_8bit_uniform)``. One fixed range makes
    codes independent of the other vectors: merging segments copies bytes and never quantises twice.
    """
    return _HEADER.pack(
        b"IxSQ", dimension, rows, _DUMMY, _DUMMY, True, 0,
        2, 0, 0.0, dimension, dimension, 2, -1.0, 2.0, rows * dimension,
    )  # fmt: skip


def encode(vectors: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Unit vectors → codes, both of shape (n, dimension); 0.0 comes back as exactly 0.0."""
    codes: NDArray[np.uint8] = np.clip((vectors + 1.0) * (255 / 2), 0, 255).astype(np.uint8)
    return codes


class Segment:
    """One opened segment; the memory map lives as long as an array of it does, even when the folder is gone."""

    def __init__(self, folder: Path) -> None:
        """Open the files of ``folder``; FileNotFoundError if it is gone, CorruptIndexError if a size is wrong.

        UnsafeIndexError if a folder above it, up to the index's own, is a link or another user's.
        """
        self.folder = folder
        self._mapped: list[tuple[str, Callable[[], int], int]] = []
        with open_segments(folder.parent) as segments:
            try:
                with segments.folder(folder.name) as own:
                    self._manifest = read_manifest(own, _HEADER.size)
                    self._columns = self._open(own, COLUMNS)
                    self._vectors = self._open(own, VECTORS)
            except UnsafeIndexError as exc:
                # The folder of a segment is repaired as any damage is: what lies there instead is not touched.
                raise CorruptIndexError(exc.message, REPAIR) from exc
            except FileNotFoundError:
                raise
            except OSError as exc:
                raise StorageError.from_os_error(exc, "reading the index") from exc
        self.rows: int = self._manifest.rows
        self.dimension: int = self._manifest.dimension
        self.lists: Lists | None = self._manifest.lists
        self._opened: dict[str, NDArray[Any]] = {}
        self.terms = Strings(*self._strings("term"))
        self.names = Strings(*self._strings("name"))
        self.scopes = Strings(*self._strings("scope"))
        self.defined = FoldedStrings(*self._strings("def"))

    def column(self, name: str) -> NDArray[Any]:
        """A column as a read-only view of the memory map; whole numbers in the narrowest unsigned type that fits."""
        found = self._opened.get(name)
        if found is None:
            dtype, offset, count = self._manifest.columns[name]
            found = np.frombuffer(self._columns, np.dtype(dtype), count, offset) if count else np.empty(0, dtype)
            found.flags.writeable = False
            self._opened[name] = found
        return found

    def postings(self, term: str) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
        """Rows (dead ones too) that hold ``term``, ascending, and how often each does (255 means at least)."""
        number = self.terms.find(term.encode("utf-8", "surrogatepass"))
        if number is None:
            return np.empty(0, np.int32), np.empty(0, np.uint8)
        start, end = self.column("posting_first")[number : number + 2].tolist()
        return decode_postings(self.column("posting_gap")[start:end], self.column("posting_count")[start:end])

    def references(self, name: str) -> slice:
        """Where the uses of ``name`` stand in the ``ref_*`` columns, by file and place."""
        number = self.names.find(name.encode("utf-8", "surrogatepass"))
        if number is None:
            return slice(0, 0)
        start, end = self.column("name_first")[number : number + 2].tolist()
        return slice(start, end)

    def definitions(self, name: str) -> list[tuple[str, slice]]:
        """Names that equal ``name`` but for ASCII case, and where their definitions stand in the ``def_*`` columns."""
        numbers = self.defined.find_all(name.encode("utf-8", "surrogatepass"))
        if not numbers:
            return []
        first = self.column("def_first")[numbers.start : numbers.stop + 1].tolist()
        names = [self.defined[number].decode("utf-8", "surrogatepass") for number in numbers]
        return [(name, slice(start, end)) for name, (start, end) in zip(names, pairwise(first), strict=True)]

    @cached_property
    def no_scope(self) -> int:
        """Number of the empty scope; -1 where everything has one."""
        return 0 if len(self.scopes) and not self.scopes[0] else -1

    def scope(self, number: int) -> str:
        """A qualified name by its number in ``ref_scope`` or ``def_scope``; empty for no scope."""
        return self.scopes[number].decode("utf-8", "surrogatepass")

    def codes(self) -> NDArray[np.uint8]:
        """Codes of all vectors, shape (rows, dimension), in row order."""
        if self.lists is None:
            return self._flat(_HEADER.size, self.rows)
        codes = np.empty((self.rows, self.dimension), np.uint8)
        for part, rows in map(self._list, range(self.lists.total)):
            codes[rows] = part
        return codes

    def similarities(self, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        """Inner product of every row with ``vector``, shape (rows,)."""
        codes = self.codes()
        return self._scored(codes, vector)

    def nearest_lists(
        self, vector: NDArray[np.float32], only: NDArray[np.bool_] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Rows of the inverted lists nearest to ``vector``, and the inner product of each with it.

        ``only``, shape (rows,): these rows instead, in whatever lists they are.
        """
        lists = self.lists
        assert lists is not None
        if only is not None:
            kept = [
                (codes[own], rows[own])
                for codes, rows in map(self._list, range(lists.total))
                if (own := only[rows]).any()
            ]
            rows = np.concatenate([np.empty(0, np.int64), *(rows for _, rows in kept)])
            empty = np.empty((0, self.dimension), np.uint8)
            return rows, self._scored(np.concatenate([empty, *(codes for codes, _ in kept)]), vector)
        nearness = self._centroids @ vector
        probed = np.argpartition(-nearness, PROBES)[:PROBES] if lists.total > PROBES else np.arange(lists.total)
        parts = [self._list(number) for number in sorted(probed.tolist())]
        rows = np.concatenate([rows for _, rows in parts])
        return rows, self._scored(np.concatenate([codes for codes, _ in parts]), vector)

    @property
    def mean(self) -> NDArray[np.float32]:
        """Mean of all vectors, shape (dimension,)."""
        return self.column("mean_vector")

    def verify(self) -> None:
        """Read everything and compare checksums; CorruptIndexError names the damaged file."""
        for name, data in ((COLUMNS, self._columns), (VECTORS, self._vectors)):
            if zlib.crc32(data) != self._manifest.files[name].crc32:
                raise damaged(self.folder / name, "its contents changed")

    def check_sizes(self) -> None:
        """CorruptIndexError if a mapped file is shorter than its map: touching what is missing would end the process.

        Costs one ``fstat`` a mapped file.
        """
        for name, size_now, size in self._mapped:
            if size_now() < size:
                raise damaged(self.folder / name, f"it has {size_now()} bytes instead of {size}")

    def bytes_on_disk(self) -> int:
        """Size of the segment's files."""
        return sum(entry.size for entry in self._manifest.files.values())

    def _strings(self, name: str) -> tuple[mmap.mmap | bytes, int, NDArray[Any]]:
        return self._columns, self._manifest.columns[f"{name}_text"].offset, self.column(f"{name}_end")

    def _open(self, own: Folder, name: str) -> mmap.mmap | bytes:
        path, expected = self.folder / name, self._manifest.files[name]
        with own.open_file(name) as file:
            found = os.fstat(file.fileno()).st_size
            if found != expected.size:
                raise damaged(path, f"it has {found} bytes instead of {expected.size}")
            try:
                data = _contents(file, found)
            except ValueError as exc:  # a file that is empty by now cannot be mapped
                raise damaged(path, "it got shorter while it was opened") from exc
        if len(data) != found:
            raise damaged(path, "it got shorter while it was opened")
        if zlib.crc32(data[-TAIL_BYTES:]) != expected.tail_crc32:
            raise damaged(path, "its end changed")
        if found >= _MAPPED_BYTES and isinstance(data, mmap.mmap):
            # The map keeps a descriptor of its own, and ``size`` asks that for the file's size of the moment.
            self._mapped.append((name, data.size, found))
        return data

    def _flat(self, offset: int, count: int) -> NDArray[np.uint8]:
        found = np.frombuffer(self._vectors, np.uint8, count * self.dimension, offset)
        return found.reshape(count, self.dimension)

    def _list(self, number: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Codes and rows of one inverted list."""
        assert self.lists is not None
        before, after = self._list_ends[number : number + 2].tolist()
        at, size = self.lists.at + before * (self.dimension + 8), after - before
        rows = np.frombuffer(self._vectors, "<i8", size, at + size * self.dimension)
        return self._flat(at, size), rows

    @cached_property
    def _list_ends(self) -> NDArray[np.int64]:
        return self.column("list_end").astype(np.int64)

    @cached_property
    def _centroids(self) -> NDArray[np.float32]:
        """Centroids of the inverted lists, shape (lists, dimension), copied: in the file they are not aligned."""
        assert self.lists is not None
        found = np.frombuffer(self._vectors, "<f4", self.lists.total * self.dimension, self.lists.centroids_at)
        return found.reshape(-1, self.dimension).astype(np.float32)

    def _scored(self, codes: NDArray[np.uint8], vector: NDArray[np.float32]) -> NDArray[np.float32]:
        """Inner products of decoded ``codes`` with ``vector``, block by block."""
        out = np.empty(len(codes), np.float32)
        block = np.empty((min(_SCAN_ROWS, len(codes)), self.dimension), np.float32)
        for start in range(0, len(codes), _SCAN_ROWS):
            part = codes[start : start + _SCAN_ROWS]
            np.copyto(block[: len(part)], part)
            np.dot(block[: len(part)], vector, out=out[start : start + len(part)])
        out *= _STEP
        out += (_STEP / 2 - 1) * vector.sum(dtype=np.float32)
        return out


def cluster(
    flat: IO[bytes], write: Callable[[bytes], None], rows: int, dimension: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Write a flat vector file again as inverted lists of the same codes (k-means by FAISS over a sample of the rows).

    About 4 √rows lists, trained on 40 vectors a list. Deterministic: FAISS seeds its k-means. Returns the centroids,
    shape (lists, dimension), and where each list's vectors end, counted in vectors, from 0.
    """
    import faiss

    codes = np.memmap(flat, np.uint8, "r", _HEADER.size, (rows, dimension))
    count = int(4 * rows**0.5)
    quantizer = faiss.IndexFlatIP(dimension)
    index = faiss.IndexIVFScalarQuantizer(
        quantizer, dimension, count, faiss.ScalarQuantizer.QT_8bit_uniform, faiss.METRIC_INNER_PRODUCT, False
    )
    sample = codes[:: max(1, rows // (40 * count))]
    index.cp.niter = 8
    index.cp.spherical = True
    index.train(decode(sample))
    # The range is fixed, not the one that training found: codes stay those of the flat file, byte for byte.
    faiss.copy_array_to_vector(np.array([-1.0, 2.0], np.float32), index.sq.trained)
    for start in range(0, rows, 50_000):
        index.add(decode(codes[start : start + 50_000]))
    # FAISS would open a path by itself, through links and readable for everybody.
    faiss.write_index(index, faiss.PyCallbackIOWriter(write))  # type: ignore[attr-defined]
    lists = index.invlists
    assert lists is not None
    sizes = np.array([lists.list_size(number) for number in range(count)], np.int64)
    return quantizer.reconstruct_n(0, count), np.r_[0, np.cumsum(sizes)]


def locate(data: mmap.mmap, centroids: NDArray[np.float32], rows: int) -> Lists:
    """Find the parts of what ``cluster`` wrote: centroids by their bytes; lists (codes, then 64-bit rows) end it."""
    count, dimension = centroids.shape
    centroids_at = data.find(np.ascontiguousarray(centroids, "<f4").tobytes())
    if centroids_at < 0:
        raise RuntimeError("this version of FAISS writes inverted lists in another form")
    return Lists(count, centroids_at, len(data) - rows * (dimension + 8))


def decode(codes: NDArray[Any]) -> NDArray[np.float32]:
    """Codes (or means of codes) → vectors of the same shape: ``encode`` undone but for its rounding."""
    decoded: NDArray[np.float32] = codes.astype(np.float32)
    decoded += 0.5
    decoded *= _STEP
    decoded -= 1.0
    return decoded


def segment_folder(folder: Path, number: int) -> Path:
    """``segments/NNNN`` of a segment's number."""
    return folder / f"{number:04d}"


def _contents(file: IO[bytes], size: int) -> mmap.mmap | bytes:
    """The bytes of a file: mapped; small ones copied, into pages that go back to the system when they are closed."""
    if not size:
        return b""
    if size >= _MAPPED_BYTES:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    copy = mmap.mmap(-1, size)
    copy.write(file.read(size))
    return copy
