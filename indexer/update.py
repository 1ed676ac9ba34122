"""Bringing an index up to date: list → compare → analyse what changed → publish in one commit.

Nothing is visible before that commit; whatever stops an update leaves the last generation as it was, and what was
analysed by then is taken over by the next one (``staging.py``). A commit that fails itself is undecided: the next one
who opens the database sees all of it or nothing (``leftovers.py``).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from contextlib import closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from indexer.config import IndexConfig
from indexer.control import Cancel, Control, Pace, give_way
from indexer.errors import CancelledError
from indexer.folders import folder_times, folders_near, known_folders, note_all, note_some
from indexer.leftovers import remove_unlisted
from indexer.plan import Plan, make_plan
from indexer.reasons import printable
from indexer.repair import Damage, clear_mark, find_damage, is_suspect
from indexer.reports import Progress, Skipped, UpdateReport
from indexer.rows import FileRows
from indexer.segment import Segment, segment_folder
from indexer.segment_merge import choose, merge
from indexer.segment_write import remove_leftovers
from indexer.staging import Staging, in_order, next_segment, take_over
from indexer.store import SEGMENTS, Database, mapped_errors, mismatch, publish, shrink

if TYPE_CHECKING:
    from indexer.embed import Embedder
    from indexer.files import ListedFile, Listing
    from indexer.workers import WorkerPool

RECIPE = 7
"""Raise it when parsing, chunking, terms or signatures change: an update then analyses every file anew."""
_SMALL_MERGE = 20_000
"""Rows that may be merged before a change is published: about 0.1 s. Larger merges come after it."""


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
        pool: WorkerPool | None = None,
        *,
        keep_pool: bool = True,
    ) -> None:
        """``pool``: workers that stay for the next update if ``keep_pool``; without one they come and go with it."""
        self._pool = pool
        self._keep_pool = keep_pool
        self._root = root
        self._config = config
        self._database = database
        self._execute = database.connection.execute
        self._load_embedder = load_embedder
        self._progress = progress or (lambda _: None)
        self._cancel = cancel
        self._segments = database.folder / SEGMENTS
        self._rows = FileRows(database, root, time.time_ns())
        self._staging: Staging | None = None
        self._in_doubt = False
        """Whether a commit failed, so that the segments it lists must stay for the next connection to decide."""
        self._pace = Pace()
        self._parsed = self._removed = self._read = self._resumed = 0

    def run(self, *, rebuild: bool = False, paths: Collection[str] | None = None) -> UpdateReport:
        """Do it all. ``rebuild`` takes nothing over; ``paths``: nothing changed outside of these."""
        started = time.monotonic()
        if self._config.background:
            give_way()
        self._report("list", 0, 0)
        with mapped_errors("writing the index", self._database.folder):
            remove_unlisted(self._database, self._segments)
            suspect = is_suspect(self._database.folder)
            # A rebuild forgets all segments, so it need not know which of them can be opened.
            damage = Damage() if rebuild else find_damage(self._database, self._segments, thorough=suspect)
            partial = bool(paths) and not rebuild and not damage.reasons and self._may_be_partial()
            listing, partial, times = self._list(paths if partial else None)
            self._execute("BEGIN IMMEDIATE")
            try:
                changed = self._apply(listing, damage, times, rebuild=rebuild, only=paths if partial else None)
                self._commit()
                if changed:
                    remove_leftovers(self._segments, self._database.all_segments())
                    self._merge_more()
            except BaseException as exc:
                self._stop(keep=isinstance(exc, CancelledError))
                raise
            if changed:
                self._empty_log()
            if suspect:
                clear_mark(self._database.folder)
        return self._summary(listing, started, damage)

    def _may_be_partial(self) -> bool:
        """Whether what is known is complete but for the given paths."""
        return (
            self._database.generation() is not None
            and self._database.meta().get("recipe") == self._recipe()
            and self._database.meta().get("rules") == self._rules()
            and self._database.row("SELECT 1 FROM staged LIMIT 1") is None
        )

    def _list(self, paths: Collection[str] | None) -> tuple[Listing, bool, dict[str, int]]:
        """The listing to compare with, whether it is one of ``paths`` only, and the times of its folders.

        Times are taken before the listing where a folder was known, so that what comes later shows in them.
        """
        from indexer.files import list_files
        from indexer.listing_part import list_some

        if paths:
            times = folder_times(self._root, folders_near(paths, known_folders(self._database)))
            part = list_some(self._root, self._config, paths)
            if part is not None:
                return part, True, folder_times(self._root, part.directories) | times
        times = folder_times(self._root, known_folders(self._database))
        listing = list_files(self._root, self._config)
        now = folder_times(self._root, listing.directories)
        return listing, False, {path: times.get(path, mtime) for path, mtime in now.items()}

    def _apply(
        self, listing: Listing, damage: Damage, times: dict[str, int], *, rebuild: bool, only: Collection[str] | None
    ) -> bool:
        """Everything up to the publishing commit; whether a new generation comes of it."""
        meta = self._database.meta()
        if not rebuild and meta.get("embedder_setting", self._config.embedder) != self._config.embedder:
            raise mismatch(str(meta["embedder_setting"]), self._config.embedder)
        fresh = self._database.generation() is None
        outdated = not fresh and meta.get("recipe") != self._recipe()
        plan = self._plan(listing, damage, only, everything=rebuild or outdated)
        embedder = self._analyse(plan, damage, rebuild=rebuild)
        if embedder is not None or rebuild:
            self._put_meta("embedder", embedder and embedder.name)
            self._put_meta("dimension", embedder and embedder.dimension)
            self._put_meta("embedder_setting", self._config.embedder)
        for old, new in plan.touch:
            self._rows.touch(old, new)
        replaced = {file.path for file in plan.analyse}
        self._removed = sum(known.skipped is None and known.path not in replaced for known in plan.remove)
        self._rows.remove(plan.remove)
        for old, new in plan.move:
            self._rows.move(old, new)
        self._rows.publish()
        self._forget_segments(damage.segments)
        self._forget_segments([number for number, live in self._live_rows().items() if not live])
        if only is None:
            note_all(self._database, times)
        else:
            note_some(self._database, only, listing.directories, times)
        self._put_meta("rules", self._rules())
        if not fresh and not rebuild and not plan.changes_contents and not damage.segments:
            return False
        self._merge(_SMALL_MERGE)
        self._put_meta("recipe", self._recipe())
        self._put_meta("root", printable(str(self._root)))
        publish(self._database)
        return True

    def _plan(self, listing: Listing, damage: Damage, only: Collection[str] | None, *, everything: bool) -> Plan:
        known = self._database.manifest() if only is None else self._database.known(only)
        if everything:
            return Plan(analyse=list(listing.files), remove=list(known.values()))
        lost = {f.id for f in known.values() if f.segment in damage.segments or f.id in damage.files}
        return make_plan(
            self._root, listing.files, known, self._rows.started_ns, self._config.max_file_bytes, lost
        )  # fmt: skip

    def _analyse(self, plan: Plan, damage: Damage, *, rebuild: bool) -> Embedder | None:
        """Parse in worker processes what is to be analysed and not staged yet, store in path order.

        The embedder that it was done with, None when there was nothing to do.
        """
        if not plan.analyse:
            self._rows.unstage(list(self._rows.staged().values()))
            return None
        embedder = self._open_embedder(rebuild=rebuild)
        recipe = f"{self._recipe()}:{embedder.name}:{embedder.dimension}"
        usable = not rebuild and self._database.meta().get("staged_recipe") == recipe
        self._put_meta("staged_recipe", recipe)
        limit = self._config.max_file_bytes
        files = take_over(self._rows, self._root, plan.analyse, damage, limit, usable=usable)
        self._resumed = len(plan.analyse) - len(files)
        if files:
            self._staging = Staging(self._database, self._rows, self._segments, embedder)
            self._analyse_files(files, self._staging)
        return embedder

    def _analyse_files(self, files: list[ListedFile], staging: Staging) -> None:
        from indexer.workers import WorkerPool

        total = sum(file.size for file in files)
        pool = self._pool or WorkerPool(self._root, self._config)
        kept = nullcontext(pool) if self._pool and self._keep_pool else pool
        # Closed whatever happens: workers that stay must not keep answers for an update that is no more.
        with kept as pool, closing(pool.analyse((file.path for file in files), self._cancel)) as results:
            for number, (file, result) in enumerate(zip(files, in_order(files, results), strict=True)):
                self._heed(number, len(files), total)
                self._report("parse", number, len(files), self._read, total, file.path)
                self._read += file.size
                if isinstance(result, Skipped):
                    self._rows.stage_skipped(file, result, max(self._config.max_file_bytes, file.size))
                else:
                    self._parsed += 1
                    staging.store(result)
                if staging.is_due:
                    self._checkpoint()
        self._report("write", len(files), len(files), total, total)
        staging.finish_segment()

    def _heed(self, done: int, count: int, total: int) -> None:
        """Stop if cancelled; wait while paused, with everything done so far on the disk."""
        if isinstance(self._cancel, Control) and self._cancel.paused:
            self._checkpoint()
            self._report("paused", done, count, self._read, total)
            self._cancel.wait()
            self._pace.rest()
        if self._cancel is not None and self._cancel.cancelled:
            raise CancelledError(
                "The indexing was cancelled.", "The last complete index stays in use; the next run goes on from here."
            )

    def _checkpoint(self) -> None:
        """Commit what is staged."""
        assert self._staging is not None
        self._staging.finish_segment()
        self._commit()
        self._empty_log()
        self._execute("BEGIN IMMEDIATE")

    def _commit(self) -> None:
        """Commit. After an error it is open whether the commit holds: see ``leftovers.py``."""
        self._in_doubt = True
        self._execute("COMMIT")
        self._in_doubt = False

    def _stop(self, *, keep: bool) -> None:
        """After an error: back to the last checkpoint, or with ``keep`` commit what is staged first."""
        try:
            if keep and self._staging is not None and self._database.connection.in_transaction:
                self._staging.finish_segment()
                self._commit()
        finally:
            if self._staging is not None:
                self._staging.discard()
            if self._database.connection.in_transaction:
                self._execute("ROLLBACK")
            if not self._in_doubt:
                remove_leftovers(self._segments, self._database.all_segments())

    def _empty_log(self) -> None:
        """Move the log into the database as far as readers let us; waiting for them would only cost time."""
        self._execute("PRAGMA busy_timeout = 0")
        shrink(self._database)
        self._execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _open_embedder(self, *, rebuild: bool) -> Embedder:
        embedder = self._load_embedder()
        meta = self._database.meta()
        name, dimension = meta.get("embedder"), meta.get("dimension")
        if name is not None and not rebuild and (name, dimension) != (embedder.name, embedder.dimension):
            raise mismatch(str(name), embedder.name)
        return embedder

    def _merge_more(self) -> None:
        """Merge what is too large to be waited for, in a commit of its own: what changed is visible already."""
        if not self._to_merge():
            return
        self._report("merge", 0, 0)
        self._execute("BEGIN IMMEDIATE")
        self._merge(None)
        publish(self._database)
        self._commit()
        remove_leftovers(self._segments, self._database.all_segments())

    def _live_rows(self) -> dict[int, int]:
        """Rows of living files in each segment."""
        lost = dict(self._database.rows("SELECT segment, sum(rows) FROM tombstones GROUP BY segment"))
        rows = self._database.rows("SELECT number, rows FROM segments")
        return {number: count - lost.get(number, 0) for number, count in rows}

    def _to_merge(self) -> dict[int, int]:
        """Segments to merge into one, with their living rows."""
        rows, live = dict(self._database.rows("SELECT number, rows FROM segments")), self._live_rows()
        return {number: live[number] for number in choose([(n, rows[n], live[n]) for n in rows])}

    def _merge(self, most_rows: int | None) -> None:
        """Merge small and hollow segments within this transaction, if that is at most ``most_rows``."""
        chosen = self._to_merge()
        if not chosen:
            return
        if most_rows is not None and sum(chosen.values()) > most_rows:
            return
        dead = self._database.tombstones()
        sources = [
            (Segment(segment_folder(self._segments, number)), np.array(dead.get(number, ()), np.int64))
            for number, live in chosen.items()
            if live
        ]
        if sources:
            new = next_segment(self._database)
            count, first_rows = merge(sources, segment_folder(self._segments, new))
            self._rows.move_rows(first_rows, new)
            self._execute("INSERT INTO segments VALUES (?, ?, 0)", (new, count))
        self._forget_segments(chosen)

    def _forget_segments(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            self._execute("DELETE FROM segments WHERE number = ?", (number,))
            self._execute("DELETE FROM tombstones WHERE segment = ?", (number,))

    def _put_meta(self, key: str, value: object) -> None:
        self._execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def _recipe(self) -> str:
        """What analyses depend on."""
        return f"{RECIPE}:{self._config.chunk_bytes}:{self._config.max_file_bytes}"

    def _rules(self) -> str:
        """What listings depend on besides the files themselves."""
        return f"{self._config.exclude}:{self._config.include}"

    def _report(
        self, stage: str, done: int, total: int, bytes_done: int = 0, bytes_total: int = 0, current: str = ""
    ) -> None:
        rate, left = self._pace.at(bytes_done, bytes_total) if stage == "parse" else (0.0, None)
        self._progress(Progress(stage, done, total, bytes_done, bytes_total, current, rate, left))

    def _summary(self, listing: Listing, started: float, damage: Damage) -> UpdateReport:
        generation = self._database.generation()
        assert generation is not None
        noted = self._database.rows(
            "SELECT path, coalesce(skipped, problem) FROM files WHERE coalesce(skipped, problem) IS NOT NULL"
        )
        skipped = sorted((*listing.skipped, *(Skipped(*row) for row in noted)), key=lambda s: s.path)
        return UpdateReport(
            generation.files, generation.chunks, generation.symbols, generation.refs, generation.bytes,
            time.monotonic() - started, generation.id, tuple(skipped), str(self._database.folder),
            self._parsed, self._removed, self._read, self._resumed, tuple(damage.reasons),
        )  # fmt: skip
