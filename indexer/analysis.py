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


class Words(NamedTuple):
    """How often each word stands in one file's chunks, as columns over ``words`` (the file's distinct words).

    ``sizes[i]``: how many entries chunk i has; ``numbers`` (indexes into ``words``) and ``counts`` are the entries of
    one chunk after the other. uint32 arrays as bytes.
    """

    words: list[str]
    sizes: bytes
    numbers: bytes
    counts: bytes


class Uses(NamedTuple):
    """One file's references as parallel columns, in order of position: uint32 arrays as bytes.

    ``name_numbers[i]`` indexes ``names``, ``scope_numbers[i]`` indexes ``scopes`` (qualified names of what encloses the
    use, "" for nothing). A use is as long as its name.
    """

    names: list[str]
    scopes: list[str]
    name_numbers: bytes
    starts: bytes
    lines: bytes
    scope_numbers: bytes

    @property
    def total(self) -> int:
        """Number of references."""
        return len(self.starts) // 4


class Definitions(NamedTuple):
    """One file's definitions as parallel columns in order of position: what ranking reads of them.

    ``scopes`` and ``scope_numbers`` as in ``Uses``; ``chunk_numbers`` say in which chunk each starts; ``kinds`` are
    bytes that index ``indexer.types.KINDS``; ``exported`` is 1 where other files are meant to use the name. The
    rest are uint32 arrays as bytes; ``lines`` counts the lines that a definition covers.
    """

    names: list[str]
    scopes: list[str]
    scope_numbers: bytes
    chunk_numbers: bytes
    starts: bytes
    lines: bytes
    kinds: bytes
    exported: bytes


@dataclass(slots=True)
class Analysis:
    """One file, read, masked, parsed, chunked and tokenised. ``text`` is UTF-8, masked, exactly covered by chunks."""

    path: str
    language: str
    size: int
    mtime_ns: int
    ctime_ns: int
    sha256: str
    text: bytes
    chunks: list[ChunkRow]
    body: bytes
    """Text, chunks, symbols and imports as ``indexer.body`` packs them: what the store keeps of the file."""
    definitions: Definitions
    uses: Uses
    words: Words
    masked: int = 0
    """Number of secrets masked in ``text``."""
    problem: str | None = None
    """Why the file was taken by lines instead of by syntax, or None."""
