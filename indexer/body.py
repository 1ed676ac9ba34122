"""The body of a file as the store keeps it: text, chunks, symbols and imports in one compressed, checksummed blob.

One blob a file instead of a row a symbol: a kernel has millions of symbols, and what search asks of all files at once
stands in segments. Compression is zstd's: at this level as small as deflate's best, and twice as fast.
"""

from __future__ import annotations

import re
import threading
from bisect import bisect_left
from functools import cached_property, lru_cache
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import msgspec

from indexer.analysis import ChunkRow, SymbolRow
from indexer.decoders import decoder
from indexer.errors import REPAIR, CorruptIndexError
from indexer.types import KINDS

if TYPE_CHECKING:
    from collections.abc import Sequence

_LEVEL = 6
_NEWLINE = re.compile(b"\n")
_OF_THREAD = threading.local()
Decoded = TypeVar("Decoded")
_KIND_NUMBERS = {kind: number for number, kind in enumerate(KINDS)}


class _Symbols(msgspec.Struct, array_like=True, frozen=True):
    """Definitions column by column, places as distances: half the size of rows once compressed."""

    names: list[str]
    kinds: bytes
    starts: list[int]
    """Bytes from the start of the definition before."""
    sizes: list[int]
    parents: list[str | None]
    signatures: list[str]


class _Columns(NamedTuple):
    """Definitions of a file column by column, in its order, so sorted by ``starts`` (bytes)."""

    names: list[str]
    kinds: bytes
    starts: list[int]
    ends: list[int]
    parents: list[str | None]
    signatures: list[str]


class _Text(msgspec.Struct, array_like=True, frozen=True):
    """The first field of a body; the decoder passes over the others."""

    text: bytes


class Body(msgspec.Struct, array_like=True, frozen=True, dict=True):
    """What is stored of one file. ``text`` is UTF-8 as indexed."""

    text: bytes
    chunks: list[ChunkRow]
    imports: tuple[str, ...]
    packed_symbols: msgspec.Raw

    @property
    def symbols(self) -> list[SymbolRow]:
        """Definitions in the file's order; decoded when asked for, since most readers want text and chunks."""
        packed = decoder(_Symbols).decode(self.packed_symbols)
        newlines = [match.start() for match in _NEWLINE.finditer(self.text)]
        rows = []
        start = 0
        for name, kind, distance, size, parent, signature in zip(
            packed.names, packed.kinds, packed.starts, packed.sizes, packed.parents, packed.signatures, strict=True
        ):
            start += distance
            end = start + size
            first, last = bisect_left(newlines, start) + 1, bisect_left(newlines, max(start, end - 1)) + 1
            rows.append(SymbolRow(name, KINDS[kind], start, end, first, last, parent, signature))
        return rows

    @cached_property
    def _columns(self) -> _Columns:
        """Definitions for ``symbols_in``, kept with the body: neighbouring queries show chunks of the same files."""
        packed = decoder(_Symbols).decode(self.packed_symbols)
        starts = [*accumulate(packed.starts)]
        ends = [start + size for start, size in zip(starts, packed.sizes, strict=True)]
        return _Columns(packed.names, packed.kinds, starts, ends, packed.parents, packed.signatures)

    def symbols_in(self, chunk: ChunkRow) -> list[SymbolRow]:
        """Definitions that overlap a chunk of this file, in the file's order; far cheaper than ``symbols``."""
        low, high = chunk.start_byte, chunk.end_byte
        count, columns = self.text.count, self._columns
        ends = columns.ends
        rows = []
        for n in [n for n in range(bisect_left(columns.starts, high)) if ends[n] > low]:
            start, end = columns.starts[n], ends[n]
            # From the chunk's first line on: only what encloses it begins before.
            first = chunk.start_line
            first += count(b"\n", low, start) if start >= low else -count(b"\n", start, low)
            last = first + count(b"\n", start, max(start, end - 1))
            kind, parent = KINDS[columns.kinds[n]], columns.parents[n]
            rows.append(SymbolRow(columns.names[n], kind, start, end, first, last, parent, columns.signatures[n]))
        return rows


def pack(text: bytes, chunks: Sequence[ChunkRow], symbols: Sequence[SymbolRow], imports: tuple[str, ...]) -> bytes:
    """The blob of a file; lines of symbols are not kept, they follow from their bytes."""
    starts = [symbol.start_byte for symbol in symbols]
    packed = _Symbols(
        [symbol.name for symbol in symbols],
        bytes(_KIND_NUMBERS[symbol.kind] for symbol in symbols),
        [start - before for before, start in pairwise((0, *starts))],
        [symbol.end_byte - symbol.start_byte for symbol in symbols],
        [symbol.parent for symbol in symbols],
        [symbol.signature for symbol in symbols],
    )
    body = Body(text, list(chunks), imports, msgspec.Raw(msgspec.msgpack.encode(packed)))
    blob: bytes = _compressor().compress(msgspec.msgpack.encode(body))
    return blob


def unpack(blob: bytes) -> Body:
    """What ``pack`` packed. Raises CorruptIndexError when the blob is not as it was written."""
    return _decoded(blob, Body)


def unpack_text(blob: bytes) -> bytes:
    """The text alone, several times as fast. Raises CorruptIndexError as ``unpack`` does."""
    return _decoded(blob, _Text).text


def _decoded(blob: bytes, kind: type[Decoded]) -> Decoded:
    import zstandard

    try:
        found: Decoded = decoder(kind).decode(_decompressor().decompress(blob))
        return found
    except (zstandard.ZstdError, msgspec.DecodeError, MemoryError) as exc:
        raise CorruptIndexError("The index is damaged: the text of a file cannot be read.", REPAIR) from exc


@lru_cache(maxsize=1)
def _compressor() -> Any:
    import zstandard

    return zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True, write_content_size=True)


def _decompressor() -> Any:
    """One for each thread: two of them in one decompressor would write over each other's output."""
    found = getattr(_OF_THREAD, "decompressor", None)
    if found is None:
        import zstandard

        found = _OF_THREAD.decompressor = zstandard.ZstdDecompressor()
    return found
