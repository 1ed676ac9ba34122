"""The values that flow through the indexer.

Lines are 1-based and inclusive, byte offsets are 0-based and half-open, paths are repository-relative POSIX strings.
Offsets count bytes of the file's *text as indexed*: UTF-8, after transcoding (UTF-16 sources) and after masking, which
keeps lengths.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a file: bytes ``[start_byte, end_byte)``, lines ``start_line..end_line`` (1-based, inclusive)."""

    start_byte: int
    end_byte: int
    start_line: int
    end_line: int


KINDS = (
    "class", "interface", "enum", "function", "method", "constructor", "property", "field", "variable", "constant",
    "type", "module", "macro", "section",
)  # fmt: skip
"""What a symbol can be. Segments store a kind as its number here: append only."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """A definition. ``parent`` is the dotted qualified name of what encloses it (``Index`` for ``Index.search``)."""

    name: str
    kind: str
    """One of ``KINDS``."""
    path: str
    span: Span
    parent: str | None = None
    signature: str = ""
    """The declaration's first line(s), whitespace folded, at most 200 characters."""

    @property
    def qualified(self) -> str:
        """Dotted name within the file, e.g. ``Index.search``."""
        return f"{self.parent}.{self.name}" if self.parent else self.name


@dataclass(frozen=True, slots=True)
class Reference:
    """A use of a name. ``enclosing`` is the qualified name of the definition it stands in, if any."""

    name: str
    path: str
    span: Span
    enclosing: str | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch of a file that is retrieved as one. ``id`` is an integer row under its file's row; 0 before storing."""

    id: int
    path: str
    language: str
    span: Span
    text: str
    symbol: str | None = None
    """Qualified name of the definition the chunk is or belongs to (the first, where small siblings were merged)."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A search result. ``reasons`` maps a retriever or feature to what it contributed to ``score``.

    What ``Index.search`` found out about the line that the query meant (``indexer.matching``); a hit that was not
    searched for by words has no such line.
    """

    chunk: Chunk
    score: float
    reasons: Mapping[str, float] = field(default_factory=dict)
    symbol: str | None = None
    """Qualified name of the definition that matched: the one that the query names, else the one around the line."""
    match_line: int = 0
    """Line of the file, from 1, with most of the query's words; a definition's line before that of a use. 0: none."""
    preview: tuple[tuple[int, int], ...] = ()
    """First and last line of one or two stretches of the chunk to show, which hold ``match_line``."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Hits, best first, from one generation. ``stale``: files changed on disk since that generation was made."""

    hits: tuple[Hit, ...]
    generation: int
    stale: bool
    damaged: tuple[str, ...] = ()
    """Parts of the index that could not be used, one sentence each; the next update repairs them."""
    spellings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Words of the query that are nowhere in the index, and those that were looked for in their place."""
    literal: bool = False
    """Whether the query has no words, so that the hits are where its very text stands."""
