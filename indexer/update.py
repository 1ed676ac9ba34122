"""Bringing an index up to date: list → compare → analyse what changed → one new segment and one commit.

Nothing is published before the commit; whatever stops an update before it leaves the last generation as it was.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from indexer.analysis import Analysis
from indexer.config import IndexConfig
from indexer.errors import CancelledError
from indexer.plan import Plan, make_plan
from indexer.rows import FileRows
from indexer.segment import Segment, damaged
from indexer.segment_merge import choose, merge
from indexer.segment_write import SegmentBuilder, remove_leftovers, segment_folder
from indexer.stale import folder_mtime
from indexer.store import Database, clear_tables, mapped_errors, mismatch, publish
from indexer.types import Progress, Skipped, UpdateReport

if TYPE_CHECKING:
    from indexer.embed import Embedder
    from indexer.files import ListedFile, Listing
    from indexer.workers import Cancel

RECIPE = 1
"""Raise it when parsing, chunking or terms change: an update then analyses every file anew."""
SEGMENTS = "segments"
_EMBED_BATCH = 256
"""Texts embedded at once."""
_SEGMENT_POSTINGS = 24_000_000
"""A segment that holds more in memory is finished and the next one begun: about 220 MB of postings."""


class Update:
    """One update of the index in ``database``; the caller holds the writer's lock."""

    def __init__(
        self,
        root: Path,
        config: IndexConfig,
        database: Database,
        load_embedder: Callable[[], Embedder],
        progress: Callable[[Progress], None] | None,
        cancel: Cancel | None,
    ) -> None:
        self._root = root
        self._config = config
        self._database = database
        self._execute = database.connection.execute
        self._load_embedder = load_embedder
        self._embedder: Embedder | None = None
        self._progress = progress or (lambda _: None)
        self._cancel = cancel
        self._segments = database.folder / SEGMENTS
        self._rows = FileRows(database, root, time.time_ns())
        self._builder: SegmentBuilder | None = None
        self._number = 0
        self._unembedded: list[str] = []
        self._parsed = self._removed = self._read = 0

    def run(self, *, rebuild: bool = False) -> UpdateReport:
        """Do it all; ``rebuild`` forgets what is there first, in the same commit."""
        from indexer.files import list_files

        started = time.monotonic()
        self._report("list", 0, 0)
        listing = list_files(self._root, self._config)
        with mapped_errors("writing the index", self._database.folder):
            remove_leftovers(self._segments, self._database.segments())
            self._execute("BEGIN IMMEDIATE")
            try:
                changed = self._apply(listing, rebuild)
                self._execute("COMMIT")
            except BaseException:
                self._roll_back()
                raise
            if changed:
                self._empty_log()
                remove_leftovers(self._segments, self._database.segments())
        return self._summary(listing, started)

    def _apply(self, listing: Listing, rebuild: bool) -> bool:
        """Everything of the transaction; whether a new generation comes of it."""
        meta = self._database.meta()
        if rebuild:
            clear_tables(self._database)
        elif meta.get("embedder_setting", self._config.embedder) != self._config.embedder:
            raise mismatch(str(meta["embedder_setting"]), self._config.embedder)
        fresh = rebuild or self._database.generation() is None
        plan = self._plan(listing, everything=not fresh and meta.get("recipe") != self._recipe())
        for old, new in plan.touch:
            self._rows.touch(old, new)
        replaced = {file.path for file in plan.analyse}
        self._removed = sum(known.skipped is None and known.path not in replaced for known in plan.remove)
        for known in plan.remove:
            self._rows.remove(known)
        for old, new in plan.move:
            self._rows.move(old, new)
        self._analyse(plan.analyse)
        self._note_directories(listing)
        if not fresh and not plan.changes_contents:
            return False
        self._merge()
        self._put_meta("recipe", self._recipe())
        self._put_meta("root", str(self._root))
        publish(self._database)
        return True

    def _empty_log(self) -> None:
        """Move the log into the database as far as readers let us; waiting for them would only cost time."""
        self._execute("PRAGMA busy_timeout = 0")
        self._execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _roll_back(self) -> None:
        if self._builder is not None:
            self._builder.discard()
        if self._database.connection.in_transaction:
            self._execute("ROLLBACK")
        remove_leftovers(self._segments, self._database.segments())

    def _plan(self, listing: Listing, *, everything: bool) -> Plan:
        known = self._database.manifest()
        if everything:
            return Plan(analyse=list(listing.files), remove=list(known.values()))
        return make_plan(
            self._root, listing.files, known, self._rows.started_ns, self._config.max_file_bytes,
            moves=not _path_is_embedded(),
        )  # fmt: skip

    def _analyse(self, files: list[ListedFile]) -> None:
        """Parse in worker processes, store in path order."""
        if not files:
            return
        from indexer.workers import WorkerPool

        self._open_embedder()
        total = sum(file.size for file in files)
        with WorkerPool(self._root, self._config) as pool:
            results = pool.analyse((file.path for file in files), self._cancel)
            for number, (file, result) in enumerate(zip(files, in_order(files, results), strict=True)):
                if self._cancel is not None and self._cancel.cancelled:
                    raise CancelledError("The indexing was cancelled.", "The last complete index stays in use.")
                self._report("parse", number, len(files), self._read, total, file.path)
                self._read += file.size
                if isinstance(result, Skipped):
                    self._rows.put_skipped(file, result, max(self._config.max_file_bytes, file.size))
                else:
                    self._store(result)
        self._report("write", len(files), len(files), total, total)
        self._finish_segment()

    def _open_embedder(self) -> None:
        embedder = self._embedder = self._load_embedder()
        meta = self._database.meta()
        name, dimension = meta.get("embedder"), meta.get("dimension")
        if name is not None and (name, dimension) != (embedder.name, embedder.dimension):
            raise mismatch(str(name), embedder.name)
        self._put_meta("embedder", embedder.name)
        self._put_meta("embedder_setting", self._config.embedder)
        self._put_meta("dimension", embedder.dimension)

    def _store(self, analysis: Analysis) -> None:
        """One file into tables and segment."""
        self._parsed += 1
        file_id = self._rows.put(analysis)
        if not analysis.chunks:
            return
        builder = self._open_segment()
        self._rows.place(file_id, self._number, builder.add(file_id, analysis))
        for text in chunk_texts(analysis):
            self._unembedded.append(text)
            if len(self._unembedded) >= _EMBED_BATCH:
                self._embed()

    def _open_segment(self) -> SegmentBuilder:
        if self._builder is not None and self._builder.postings > _SEGMENT_POSTINGS:
            self._finish_segment()
        if self._builder is None:
            assert self._embedder is not None
            self._number = self._next_segment()
            self._builder = SegmentBuilder(segment_folder(self._segments, self._number), self._embedder.dimension)
        return self._builder

    def _embed(self) -> None:
        if self._unembedded and self._builder is not None and self._embedder is not None:
            self._builder.add_vectors(self._embedder.embed(self._unembedded))
            self._unembedded.clear()

    def _finish_segment(self) -> None:
        builder = self._builder
        if builder is None:
            return
        self._embed()
        builder.finish()
        self._builder = None
        self._execute("INSERT INTO segments VALUES (?, ?)", (self._number, builder.rows))

    def _merge(self) -> None:
        """Merge small and hollow segments within this transaction; drop those without a living row."""
        rows = dict(self._database.rows("SELECT number, rows FROM segments"))
        lost = dict(self._database.rows("SELECT segment, sum(rows) FROM tombstones GROUP BY segment"))
        live = {number: count - lost.get(number, 0) for number, count in rows.items()}
        chosen = choose([(number, rows[number], live[number]) for number in rows])
        dead = self._database.tombstones()
        sources = [
            (self._open_for_merging(number), np.array(dead.get(number, ()), np.int64))
            for number in chosen
            if live[number]
        ]
        if sources:
            new = self._next_segment()
            count, first_rows = merge(sources, segment_folder(self._segments, new))
            for file_id, first in first_rows.items():
                self._rows.place(file_id, new, first)
            self._execute("INSERT INTO segments VALUES (?, ?)", (new, count))
        for number in chosen:
            self._execute("DELETE FROM segments WHERE number = ?", (number,))
            self._execute("DELETE FROM tombstones WHERE segment = ?", (number,))

    def _open_for_merging(self, number: int) -> Segment:
        folder = segment_folder(self._segments, number)
        try:
            return Segment(folder)
        except FileNotFoundError as exc:
            raise damaged(folder, "it is missing") from exc

    def _note_directories(self, listing: Listing) -> None:
        """Record the folders' times, by which ``stale`` sees new and deleted files without listing."""
        now = {path: mtime for path in listing.directories if (mtime := folder_mtime(self._root / path)) is not None}
        if now != dict(self._database.rows("SELECT path, mtime_ns FROM directories")):
            self._execute("DELETE FROM directories")
            self._database.connection.executemany("INSERT INTO directories VALUES (?, ?)", now.items())

    def _next_segment(self) -> int:
        """A number that no published generation has used: readers keep segments open by it."""
        found = self._database.row("SELECT value FROM meta WHERE key = 'next_segment'")
        number = int(found[0]) if found else 1
        self._put_meta("next_segment", number + 1)
        return number

    def _put_meta(self, key: str, value: object) -> None:
        self._execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def _recipe(self) -> str:
        return f"{RECIPE}:{self._config.chunk_bytes}:{self._config.max_file_bytes}"

    def _report(
        self, stage: str, done: int, total: int, bytes_done: int = 0, bytes_total: int = 0, current: str = ""
    ) -> None:
        self._progress(Progress(stage, done, total, bytes_done, bytes_total, current))

    def _summary(self, listing: Listing, started: float) -> UpdateReport:
        generation = self._database.generation()
        assert generation is not None
        noted = self._database.rows(
            "SELECT path, coalesce(skipped, problem) FROM files WHERE coalesce(skipped, problem) IS NOT NULL"
        )
        skipped = sorted((*listing.skipped, *(Skipped(*row) for row in noted)), key=lambda s: s.path)
        return UpdateReport(
            generation.files, generation.chunks, generation.symbols, generation.refs, generation.bytes,
            time.monotonic() - started, generation.id, tuple(skipped), str(self._database.folder),
            self._parsed, self._removed, self._read,
        )  # fmt: skip


def in_order(files: Iterable[ListedFile], results: Iterable[Analysis | Skipped]) -> Iterator[Analysis | Skipped]:
    """Results in the order of ``files``, holding back only what came too early: equal trees get equal rows."""
    early: dict[str, Analysis | Skipped] = {}
    source = iter(results)
    for file in files:
        while file.path not in early:
            result = next(source, None) or Skipped(file.path, "It was not analysed.")
            early[result.path] = result
        yield early.pop(file.path)


def chunk_texts(analysis: Analysis) -> Iterator[str]:
    """What is embedded of each chunk."""
    from indexer.embed import embedding_text

    for row in analysis.chunks:
        text = analysis.text[row.start_byte : row.end_byte].decode("utf-8", "replace")
        yield embedding_text(text, analysis.path, row.symbol)


def _path_is_embedded() -> bool:
    """Whether a chunk's vector depends on its file's name, so that a renamed file must be embedded again."""
    from indexer.embed import embedding_text

    return embedding_text("", "a", None) != embedding_text("", "b", None)
