"""What updating, looking at an index and exact search report: apart from ``types``, which every search imports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


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


@dataclass(frozen=True, slots=True)
class Match:
    """A line that an exact search found. ``spans`` are the matches in it, half-open, in bytes from its start."""

    path: str
    line: int
    spans: tuple[tuple[int, int], ...]
    text: str
    """The line without its end, as indexed: secrets masked."""
    before: tuple[str, ...] = ()
    """Lines right before it that were asked for; none that is in a match or stands after one already."""
    after: tuple[str, ...] = ()
    """Lines right after it that were asked for, up to the next match."""


@dataclass(frozen=True, slots=True)
class GrepResult:
    """Matching lines by path and place, from one generation.

    ``total`` lines in ``files`` files match, of those that were read: ``read`` of the ``candidates`` that the
    signatures left. Both are exact if ``complete``, otherwise at least that.
    """

    matches: tuple[Match, ...]
    total: int
    files: int
    candidates: int
    read: int
    generation: int
    stale: bool
    damaged: tuple[str, ...] = ()
    """See ``SearchResult``."""

    @property
    def complete(self) -> bool:
        """Whether every file that may match was read."""
        return self.read == self.candidates
