"""Writing the files of a segment.

Everything is written to a temporary folder, flushed to the disk and only then given its name, so that a folder
``segments/NNNN`` is whole or not there.
"""

from __future__ import annotations

import json
import os
import shutil
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from indexer import segment as seg
from indexer.postings import Postings, encode
from indexer.segment import segment_folder
from indexer.store import COLUMNS, FORMAT, MANIFEST, VECTORS

REFERENCE_COLUMNS = ("ref_file", "ref_start", "ref_line", "ref_scope")
DEFINITION_COLUMNS = ("def_file", "def_row", "def_start", "def_lines", "def_scope", "def_kind", "def_exported")
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
        self._files = {name: _Summed(self._temporary / name, durable) for name in (COLUMNS, VECTORS)}
        self._vector_rows = 0
        self._code_sum = np.zeros(dimension, np.int64)
        self._files[VECTORS].write(seg.vector_header(0, dimension))

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
        vectors.close()
        lists = None
        if rows >= seg.IVF_ROWS:
            flat = self._temporary / "flat.scratch"
            (self._temporary / VECTORS).rename(flat)
            lists, list_end = seg.cluster(flat, self._temporary / VECTORS, rows, self.dimension)
            self.column("list_end", list_end)
            vectors.measure()
        self._files[COLUMNS].close()
        for leftover in self._temporary.glob("*.scratch"):
            leftover.unlink()
        manifest = {
            "format": FORMAT,
            "rows": rows,
            "dimension": self.dimension,
            "lists": lists and lists._asdict(),
            "columns": self._columns,
            "files": {name: file.sums() for name, file in self._files.items()},
        }
        # Kept with the others, so that it is closed whatever happens.
        file = self._files[MANIFEST] = _Summed(self._temporary / MANIFEST, self._durable)
        text = json.dumps(manifest).encode()
        file.write(b"%b\n%08x" % (text, zlib.crc32(text)))
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
    """Remove segments that no generation lists and unfinished folders; readers that map them keep their pages."""
    keep = {segment_folder(folder, number).name for number in listed}
    if folder.is_dir():
        for entry in folder.iterdir():
            if entry.name not in keep:
                shutil.rmtree(entry, ignore_errors=True)
