"""Work of an update that is done but not yet published: kept across interruptions, seen by no reader.

Analysed files go into the table ``staged`` and into segments marked as staged. ``checkpoint`` commits them; whatever
stops the update after that, the next one takes them over instead of parsing again.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.analysis import Analysis
from indexer.embed import embedding_text, pieces_of
from indexer.errors import REPAIR, CancelledError, CorruptIndexError
from indexer.index_folder import TEMPORARY
from indexer.plan import digest, times
from indexer.repair import Damage
from indexer.reports import Skipped
from indexer.rows import FileRows
from indexer.segment import segment_folder
from indexer.segment_build import SegmentBuilder
from indexer.store import LAST_SEGMENT, SEGMENTS, Database

if TYPE_CHECKING:
    from indexer.embed import Embedder
    from indexer.files import ListedFile

_EMBED_BATCH = 256
"""Texts embedded at once."""
_MOST_HELD = 36_000_000
"""Entries in memory at which a segment is finished and the next one begun: 350 MB."""
_CHECKPOINT_SECONDS = 120.0
"""Most work that an interruption can cost."""


class Staging:
    """Collects analyses within the writer's transaction; the caller begins and commits it."""

    def __init__(self, database: Database, rows: FileRows, segments: Path, embedder: Embedder) -> None:
        self._database = database
        self._execute = database.connection.execute
        self._rows = rows
        self._segments = segments
        self._embedder = embedder
        self._pieces = pieces_of(embedder)
        self._builder: SegmentBuilder | None = None
        self._number = 0
        self._unembedded: list[str] = []
        self._since = time.monotonic()

    def store(self, analysis: Analysis) -> None:
        """One file into tables and segment."""
        file_id = self._rows.stage(analysis)
        if not analysis.chunks:
            return
        builder = self._open_segment()
        self._rows.place(file_id, self._number, builder.add(file_id, analysis))
        for text in () if self._pieces is not None else chunk_texts(analysis):
            self._unembedded.append(text)
            if len(self._unembedded) >= _EMBED_BATCH:
                self._embed()

    @property
    def is_due(self) -> bool:
        """Whether it is time for a checkpoint."""
        full = self._builder is not None and self._builder.held > _MOST_HELD
        return full or time.monotonic() - self._since > _CHECKPOINT_SECONDS

    def finish_segment(self) -> None:
        """Write what is in memory; the transaction still has to be committed."""
        builder = self._builder
        self._since = time.monotonic()
        if builder is None:
            return
        self._embed()
        builder.finish()
        self._builder = None
        self._execute("INSERT INTO segments VALUES (?, ?, 1)", (self._number, builder.rows))

    def discard(self) -> None:
        """Remove the unfinished segment, after an error."""
        if self._builder is not None:
            self._builder.discard()

    def _open_segment(self) -> SegmentBuilder:
        if self._builder is None:
            self._number = next_segment(self._database)
            folder = segment_folder(self._segments, self._number)
            self._builder = SegmentBuilder(folder, self._embedder.dimension, embedder=self._pieces)
        return self._builder

    def _embed(self) -> None:
        if self._unembedded and self._builder is not None:
            self._builder.add_vectors(self._embedder.embed(self._unembedded))
            self._unembedded.clear()


def next_segment(database: Database) -> int:
    """A number that no published generation has used: readers keep segments open by it.

    Nor one of a folder that is there already: what an index did not make is not removed.
    """
    segments = database.folder / SEGMENTS
    found = database.row("SELECT value FROM meta WHERE key = 'next_segment'")
    number = found[0] if found else 1
    if not isinstance(number, int) or not 0 < number < LAST_SEGMENT:
        raise CorruptIndexError(f"The index is damaged: {database.path} counts its segments wrong.", REPAIR)
    while any(os.path.lexists(segments / f"{prefix}{number:04d}") for prefix in ("", TEMPORARY)):
        number += 1
    database.connection.execute("INSERT OR REPLACE INTO meta VALUES ('next_segment', ?)", (number + 1,))
    return number


def take_over(
    rows: FileRows, root: Path, files: list[ListedFile], damage: Damage, limit: int, *, usable: bool
) -> list[ListedFile]:
    """What of ``files`` is still to be analysed, given what an interrupted update has staged.

    A staged file counts if its size and time are those of now and prove it the same, else if its hash does. Everything
    else that is staged is forgotten: all of it unless ``usable``, and what was damaged since.
    """
    staged = rows.staged()
    if not staged:
        return files

    def is_good(file: ListedFile) -> bool:
        old = staged.get(file.path)
        if old is None or not usable or old.segment in damage.segments or old.id in damage.files:
            return False
        if (old.size, *times(old)) != (file.size, *times(file)):
            return False
        return bool(old.settled) or digest(root / file.path, limit) == old.sha256

    good = {file.path for file in files if is_good(file)}
    rows.unstage([old for path, old in staged.items() if path not in good])
    return [file for file in files if file.path not in good]


def chunk_texts(analysis: Analysis) -> Iterator[str]:
    """What is embedded of each chunk."""
    for row in analysis.chunks:
        text = analysis.text[row.start_byte : row.end_byte].decode("utf-8", "replace")
        yield embedding_text(text, row.symbol)


def in_order(files: Iterable[ListedFile], results: Iterable[Analysis | Skipped]) -> Iterator[Analysis | Skipped]:
    """Results in the order of ``files``, holding back only what came too early: equal trees get equal rows.

    CancelledError if results end before files do.
    """
    early: dict[str, Analysis | Skipped] = {}
    source = iter(results)
    for file in files:
        while file.path not in early:
            result = next(source, None)
            if result is None:
                raise CancelledError("The parse processes were ended before their work was done.")
            early[result.path] = result
        yield early.pop(file.path)
