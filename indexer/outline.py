"""What one parse yields, for chunking and symbols."""

from __future__ import annotations

from dataclasses import dataclass

from indexer.types import Reference, Symbol


@dataclass(frozen=True, slots=True)
class Block:
    """A node of the outline that chunking cuts at: a syntax node, its symbol if it defines one, and its parts."""

    start_byte: int
    end_byte: int
    symbol: str | None = None
    children: tuple[Block, ...] = ()


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """What one parse yields. ``outline`` is the top level of the file in order; gaps between blocks are plain text."""

    path: str
    language: str
    symbols: tuple[Symbol, ...] = ()
    references: tuple[Reference, ...] = ()
    imports: tuple[str, ...] = ()
    """Imported module names or paths as written, without quotes."""
    outline: tuple[Block, ...] = ()
    problem: str | None = None
    """Why the file was taken by lines instead of syntax (grammar hung, crashed, too deep), or None."""
