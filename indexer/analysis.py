"""What a parse worker hands back for one file: plain columns that cross a process boundary cheaply."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class ChunkRow(NamedTuple):
    """A chunk: bytes ``[start_byte, end_byte)`` of the file's text as indexed; ``symbol`` is a qualified name."""

    start_byte: int
    end_byte: int
    start_line: int
    end_line: int
    symbol: str | None


class SymbolRow(NamedTuple):
    """A definition; the fields of ``indexer.types.Symbol`` without the path."""

    name: str
    kind: str
    start_byte: int
    end_byte: int
    start_line: int
    end_line: int
    parent: str | None
    signature: str


class ReferenceRow(NamedTuple):
    """A use of a name; the fields of ``indexer.types.Reference`` without the path."""

    name: str
    start_byte: int
    end_byte: int
    line: int
    enclosing: str | None


class Postings(NamedTuple):
    """Term counts of one file's chunks as three parallel columns over ``terms`` (the file's unique terms).

    ``chunk_numbers[i]`` (index into the file's chunks, ascending), ``term_numbers[i]`` (index into ``terms``),
    ``counts[i]``: little-endian uint32 arrays as bytes. ``lengths``: terms in each chunk, uint32 as bytes.
    """

    terms: list[str]
    chunk_numbers: bytes
    term_numbers: bytes
    counts: bytes
    lengths: bytes


@dataclass(slots=True)
class Analysis:
    """One file, read, masked, parsed, chunked and tokenised. ``text`` is UTF-8, masked, exactly covered by chunks."""

    path: str
    language: str
    size: int
    mtime_ns: int
    sha256: str
    text: bytes
    chunks: list[ChunkRow]
    symbols: list[SymbolRow]
    references: list[ReferenceRow]
    imports: tuple[str, ...]
    postings: Postings
    masked: int = 0
    """Number of secrets masked in ``text``."""
    problem: str | None = None
    """Why the file was taken by lines instead of by syntax, or None."""
