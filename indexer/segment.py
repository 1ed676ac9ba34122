"""Immutable, memory-mapped parts of an index: postings, vectors and packed references of a number of chunks.

A segment is a folder ``segments/NNNN`` of three files. ``columns.bin`` holds every column one after the other,
``vectors.faiss`` is a FAISS index of the chunks' vectors, ``manifest.json`` says what lies where, and the sizes and
checksums that the two must have. A row is a chunk; all rows of a file stand together, in the order of the file.
docs/store.md explains the columns and why they are ours.

A flat vector file is scored with numpy over the memory map, so that a search need not import faiss.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
import zlib
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.errors import CorruptIndexError, StorageError

COLUMNS, VECTORS, MANIFEST = "columns.bin", "vectors.faiss", "manifest.json"
FORMAT = 1

IVF_ROWS = 400_000
"""From here on vectors lie in inverted lists: a scan of all would take more than about 30 ms."""
PROBES = 32
"""Inverted lists that a query looks at."""
CANDIDATES = 2_048
"""Most rows that one query takes from inverted lists."""

_SCAN_ROWS = 1_024
"""Rows decoded at a time in a flat scan: 1 MiB at 256 dimensions, so that the block stays in the cache."""
_STEP = 2.0 / 255
_HEADER = struct.Struct("<4siqqq?iiifQQQffQ")
"""FAISS's IndexScalarQuantizer (``IxSQ``): index header, quantiser, its range, size of the code area that follows."""
_DUMMY = 1 << 20


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


class Strings:
    """A sorted table of distinct byte strings in one stretch of memory; ``offsets`` has one entry more than strings."""

    def __init__(self, data: NDArray[Any], offsets: NDArray[Any]) -> None:
        self._data = memoryview(np.ascontiguousarray(data, np.uint8).data)
        self._offsets = offsets

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __getitem__(self, number: int) -> bytes:
        return bytes(self._data[self._offsets[number] : self._offsets[number + 1]])

    def find(self, key: bytes) -> int | None:
        """Number of ``key``, or None."""
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            if self[middle] < key:
                low = middle + 1
            else:
                high = middle
        return low if low < len(self) and self[low] == key else None

    def all(self) -> list[bytes]:
        """Every string, in order."""
        data, ends = bytes(self._data), self._offsets.tolist()
        return [data[a:b] for a, b in pairwise(ends)]


class Segment:
    """One opened segment; the memory map lives as long as an array of it does, even when the folder is gone."""

    def __init__(self, folder: Path) -> None:
        """Map the files of ``folder``; FileNotFoundError if it is gone, CorruptIndexError if a size is wrong."""
        self.folder = folder
        self._manifest = _read_manifest(folder)
        self.rows: int = self._manifest["rows"]
        self.dimension: int = self._manifest["dimension"]
        self.clustered: bool = self._manifest["clustered"]
        self._columns = self._map(COLUMNS)
        self._vectors = self._map(VECTORS)
        self._ivf: Any = None
        self.terms = self._strings("term")
        self.names = self._strings("name")
        self.scopes = self._strings("scope")

    def column(self, name: str) -> NDArray[Any]:
        """A column as a read-only view of the memory map, in the narrowest unsigned type that held its values."""
        dtype, offset, count = self._manifest["columns"][name]
        return np.frombuffer(self._columns, np.dtype(dtype), count, offset) if count else np.empty(0, dtype)

    def postings(self, term: str) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Rows (dead ones too) that hold ``term``, ascending, and how often each does (255 means at least)."""
        number = self.terms.find(term.encode("utf-8", "surrogatepass"))
        if number is None:
            return np.empty(0, np.int32), np.empty(0, np.float32)
        start, end = self.column("posting_first")[number : number + 2].tolist()
        rows = self.column("posting_row")[start:end].astype(np.int32)
        return rows, self.column("posting_count")[start:end].astype(np.float32)

    def references(self, name: str) -> slice:
        """Where the uses of ``name`` stand in the ``ref_*`` columns, by file and place."""
        number = self.names.find(name.encode("utf-8", "surrogatepass"))
        if number is None:
            return slice(0, 0)
        start, end = self.column("name_first")[number : number + 2].tolist()
        return slice(start, end)

    def codes(self) -> NDArray[np.uint8]:
        """Codes of all vectors, shape (rows, dimension), in row order."""
        if self.clustered:
            return self._clustered_codes()
        return np.frombuffer(self._vectors, np.uint8, self.rows * self.dimension, _HEADER.size).reshape(self.rows, -1)

    def similarities(self, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        """Inner product of every row with ``vector``, shape (rows,); -inf where inverted lists were not looked at."""
        if self.clustered:
            return self._probe(vector)
        out = np.empty(self.rows, np.float32)
        codes = self.codes()
        block = np.empty((min(_SCAN_ROWS, self.rows), self.dimension), np.float32)
        for start in range(0, self.rows, _SCAN_ROWS):
            part = codes[start : start + _SCAN_ROWS]
            np.copyto(block[: len(part)], part)
            np.dot(block[: len(part)], vector, out=out[start : start + len(part)])
        out *= _STEP
        out += (_STEP / 2 - 1) * vector.sum(dtype=np.float32)
        return out

    def verify(self) -> None:
        """Read everything and compare checksums; CorruptIndexError names the damaged file."""
        for name, data in ((COLUMNS, self._columns), (VECTORS, self._vectors)):
            if zlib.crc32(data) != self._manifest["files"][name]["crc32"]:
                raise damaged(self.folder / name, "its contents changed")

    def bytes_on_disk(self) -> int:
        """Size of the segment's files."""
        return sum(entry["size"] for entry in self._manifest["files"].values())

    def _strings(self, name: str) -> Strings:
        return Strings(self.column(f"{name}_text"), self.column(f"{name}_end"))

    def _map(self, name: str) -> mmap.mmap | bytes:
        path, size = self.folder / name, self._manifest["files"][name]["size"]
        try:
            with path.open("rb") as file:
                found = os.fstat(file.fileno()).st_size
                if found != size:
                    raise damaged(path, f"it has {found} bytes instead of {size}")
                return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
        except FileNotFoundError:
            raise
        except OSError as exc:
            raise StorageError.from_os_error(exc, "reading the index", path) from exc

    def _index(self) -> Any:
        if self._ivf is None:
            import faiss

            try:
                self._ivf = faiss.read_index(str(self.folder / VECTORS), faiss.IO_FLAG_MMAP)
            except RuntimeError as exc:
                raise damaged(self.folder / VECTORS, "FAISS cannot read it") from exc
            self._ivf.nprobe = PROBES
        return self._ivf

    def _probe(self, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        out = np.full(self.rows, -np.inf, np.float32)
        scores, rows = self._index().search(vector.reshape(1, -1), min(CANDIDATES, self.rows))
        found = rows[0] >= 0
        out[rows[0][found]] = scores[0][found]
        return out

    def _clustered_codes(self) -> NDArray[np.uint8]:
        import faiss

        lists = self._index().invlists
        codes = np.empty((self.rows, self.dimension), np.uint8)
        for number in range(lists.nlist):
            size = lists.list_size(number)
            if size:
                ids = faiss.rev_swig_ptr(lists.get_ids(number), size)
                codes[ids] = faiss.rev_swig_ptr(lists.get_codes(number), size * self.dimension).reshape(size, -1)
        return codes


def cluster(flat: Path, out: Path, rows: int, dimension: int) -> None:
    """Rewrite a flat vector file as inverted lists of the same codes (k-means by FAISS over a sample of the rows).

    About 4 √rows lists, trained on 40 vectors a list. Deterministic: FAISS seeds its k-means.
    """
    import faiss

    codes = np.memmap(flat, np.uint8, "r", _HEADER.size, (rows, dimension))
    lists = int(4 * rows**0.5)
    quantizer = faiss.IndexFlatIP(dimension)
    index = faiss.IndexIVFScalarQuantizer(
        quantizer, dimension, lists, faiss.ScalarQuantizer.QT_8bit_uniform, faiss.METRIC_INNER_PRODUCT, False
    )
    sample = codes[:: max(1, rows // (40 * lists))]
    index.cp.niter = 10
    index.cp.spherical = True
    index.train(_decode(sample))
    # The range is fixed, not the one that training found: codes stay those of the flat file, byte for byte.
    faiss.copy_array_to_vector(np.array([-1.0, 2.0], np.float32), index.sq.trained)
    for start in range(0, rows, 50_000):
        index.add(_decode(codes[start : start + 50_000]))
    faiss.write_index(index, str(out))


def _decode(codes: NDArray[np.uint8]) -> NDArray[np.float32]:
    decoded: NDArray[np.float32] = codes.astype(np.float32)
    decoded += 0.5
    decoded *= _STEP
    decoded -= 1.0
    return decoded


def damaged(path: Path, why: str) -> CorruptIndexError:
    """The error for a file of the index that is not as it was written."""
    return CorruptIndexError(
        f"The index is damaged: {path}: {why}.", "Run `codemoat index --rebuild` to make it again."
    )


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise
    except OSError as exc:
        raise StorageError.from_os_error(exc, "reading the index", path) from exc
    except ValueError as exc:
        raise damaged(path, "it cannot be read") from exc
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise damaged(path, "it is not a manifest")
    return manifest
