"""The body of a file as the store keeps it: text, chunks, symbols and imports in one compressed, checksummed blob.

One blob a file instead of a row a symbol: a kernel has millions of symbols, and what search asks of all files at once
stands in segments. Compression is zstd's level 3: twice as fast as deflate's fastest, and smaller.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from indexer.analysis import ChunkRow, SymbolRow
from indexer.errors import CorruptIndexError

if TYPE_CHECKING:
    from collections.abc import Sequence

_LEVEL = 3


class Body(msgspec.Struct, array_like=True, frozen=True):
    """What is stored of one file. ``text`` is UTF-8 as indexed."""

    text: bytes
    chunks: list[ChunkRow]
    imports: tuple[str, ...]
    packed_symbols: msgspec.Raw

    @property
    def symbols(self) -> list[SymbolRow]:
        """Definitions in the file's order; decoded when asked for, since most readers want text and chunks."""
        return msgspec.msgpack.decode(self.packed_symbols, type=list[SymbolRow])


def pack(text: bytes, chunks: Sequence[ChunkRow], symbols: Sequence[SymbolRow], imports: tuple[str, ...]) -> bytes:
    """The blob of a file."""
    packed = msgspec.Raw(msgspec.msgpack.encode(symbols))
    blob: bytes = _compressor().compress(msgspec.msgpack.encode(Body(text, list(chunks), imports, packed)))
    return blob


def unpack(blob: bytes) -> Body:
    """What ``pack`` packed. Raises CorruptIndexError when the blob is not as it was written."""
    import zstandard

    try:
        return msgspec.msgpack.decode(_decompressor().decompress(blob), type=Body)
    except (zstandard.ZstdError, msgspec.DecodeError, MemoryError) as exc:
        raise CorruptIndexError(
            "The index is damaged: the text of a file cannot be read.", "Run `codemoat index` to repair it."
        ) from exc


@lru_cache(maxsize=1)
def _compressor() -> Any:
    import zstandard

    return zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True, write_content_size=True)


@lru_cache(maxsize=1)
def _decompressor() -> Any:
    import zstandard

    return zstandard.ZstdDecompressor()
