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
    """A search result. ``reasons`` maps a retriever or feature to what it contributed to ``score``."""

    chunk: Chunk
    score: float
    reasons: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file (or folder) that is not in the index, or only by lines, and the reason as one sentence."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an update is.

    ``stage`` is one of: wait (another process writes), anew (the old index cannot be used; ``current`` says why), list,
    parse, paused, write, merge. ``rate`` is in bytes a second, ``seconds_left`` at that rate.
    """

    stage: str
    files_done: int
    files_total: int
    bytes_done: int
    bytes_total: int
    current: str = ""
    rate: float = 0.0
    seconds_left: float | None = None


@dataclass(frozen=True, slots=True)
class UpdateReport:
    """What one update did. Totals count the whole index afterwards; ``files_parsed`` and ``bytes_read`` this update."""

    files: int
    chunks: int
    symbols: int
    references: int
    bytes: int
    seconds: float
    generation: int
    skipped: tuple[Skipped, ...]
    index_path: str
    files_parsed: int = 0
    files_removed: int = 0
    bytes_read: int = 0
    files_resumed: int = 0
    """Files taken over from an update that was interrupted."""
    repaired: tuple[str, ...] = ()
    """What was damaged, one sentence each; the files that it hit were analysed anew."""


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


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """What an index holds and how it is. ``bytes_on_disk`` counts the index's own files."""

    root: str
    index_path: str
    generation: int
    files: int
    chunks: int
    symbols: int
    references: int
    bytes: int
    bytes_on_disk: int
    segments: int
    embedder: str
    dimension: int
    updated_at: float
    """Unix time of the last commit, seconds."""
    stale: bool
    languages: Mapping[str, int] = field(default_factory=dict)
    """Files by language."""
    parts: Mapping[str, int] = field(default_factory=dict)
    """Bytes on disk by what they are for: texts (and the tables of files), words (and names), vectors."""
    dead_chunks: int = 0
    """Chunks of changed and deleted files that still take room, until segments are merged."""
    pending: int = 0
    """Files that an interrupted update has analysed already; the next one takes them over."""
    damaged: tuple[str, ...] = ()
    """What cannot be used, one sentence each; the next update repairs it."""
