"""Reading an index: the last generation as a snapshot, kept open from one query to the next."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.errors import CorruptIndexError
from indexer.seal import check_seal
from indexer.stale import Recorded, Stamp, any_changed
from indexer.store import SEGMENTS, Database, Generation, file_state, mapped_errors, mismatch, no_index, open_reader

if TYPE_CHECKING:
    from indexer.overlay import Overlay
    from indexer.segment import Segment
    from indexer.snapshot import Snapshot

_STALE_BUDGET = 0.006
"""Seconds that a search may spend on looking for changed files; about 2,500 are seen, the last changed ones first."""
_STALE_MEMORY = 1.0
"""Seconds for which searches believe what was found about staleness."""
_ATTEMPTS = 5
"""Times a reader begins anew because a writer pruned the segments that it was about to open."""


class Reader:
    """What an ``Index`` has open for reading. Usable from several threads, one at a time."""

    def __init__(
        self, root: Path, folder: Path, embedder: str, overlay: Callable[[], Overlay], seals: Path | None = None
    ) -> None:
        """``embedder``: the setting; ``overlay``: the buffers now; ``seals``: of ``location.seals_folder``."""
        self._seals = seals
        self._root = root
        self._folder = folder
        self._embedder = embedder
        self._overlay = overlay
        self._lock = threading.RLock()
        self._database: Database | None = None
        self._snapshot: Snapshot | None = None
        self._segments: dict[int, Segment] = {}
        self._stale_at = float("-inf")
        self._stale = False
        self._same: dict[str, Stamp] = {}

    def forget(self) -> None:
        """Close what is open; the next view opens it again."""
        with self._lock:
            if self._database is not None:
                self._database.close()
            self._database = self._snapshot = None
            self._segments = {}

    @contextmanager
    def view(self) -> Iterator[Snapshot]:
        """The last generation, unchanged for as long as the block runs: one read transaction.

        Whoever meets damage in it leaves a mark, so that the next update looks at everything.
        """
        with self._lock:
            database = self._connected()
            try:
                try:
                    yield self._begin(database)
                except (LookupError, ValueError, TypeError):
                    # What damaged columns lead to has no other name; where all are whole it is an error of ours.
                    self._verify()
                    raise
                finally:
                    _end(database)
            except CorruptIndexError:
                self._suspect()
                # A writer that makes the database again must not wait for this connection.
                self.forget()
                raise

    def _verify(self) -> None:
        """CorruptIndexError if a segment is not as it was written."""
        for segment in self._segments.values():
            segment.verify()

    def _suspect(self) -> None:
        from indexer.repair import mark_suspect

        mark_suspect(self._folder)

    def _connected(self) -> Database:
        """The connection for reading, opened again when the file was replaced by a rebuild."""
        state = file_state(self._folder)
        if self._database is None or state[: len(self._database.state)] != self._database.state:
            self.forget()
            self._database = self._opened()
        self._database.guard()
        return self._database

    def _opened(self) -> Database:
        database = open_reader(self._folder)
        if self._seals is not None:
            try:
                with mapped_errors("reading the index", self._seals):
                    check_seal(database, self._seals)
            except BaseException:
                database.close()
                raise
        return database

    def stale_lately(self, database: Database) -> bool:
        """Whether files changed, as far as a short look every second can tell; within a view, of its database."""
        if time.monotonic() - self._stale_at > _STALE_MEMORY:
            self.look_for_changes(database, _STALE_BUDGET)
        return self._stale

    def look_for_changes(self, database: Database, budget: float) -> bool:
        """Compare folders, then files, by their times and where these differ by contents, for ``budget`` seconds."""
        with mapped_errors("reading the index", database.path):
            self._stale = any_changed(
                self._root,
                database.connection.execute("SELECT path, mtime_ns FROM directories"),
                database.connection.execute("SELECT path, size, mtime_ns FROM files ORDER BY id DESC"),
                budget,
                Recorded(self._root, database, self._same),
            )
        self._stale_at = time.monotonic()
        return self._stale

    def forget_staleness(self) -> None:
        """After an update."""
        self._stale_at = float("-inf")
        self._same = {}

    def _begin(self, database: Database) -> Snapshot:
        """Begin a read transaction. A missing segment means damage only if no newer generation explains it."""
        missing_in: Generation | None = None
        for _ in range(_ATTEMPTS):
            with mapped_errors("reading the index", database.path):
                database.connection.execute("BEGIN")
            generation = database.generation()
            if generation is None:
                raise no_index(self._folder)
            try:
                return self._current(database, generation, accept_missing=generation == missing_in)
            except FileNotFoundError:
                missing_in = generation
                _end(database)
        raise CorruptIndexError("The index changes faster than it can be read.", "Run the command again.")

    def _current(self, database: Database, generation: Generation, *, accept_missing: bool) -> Snapshot:
        from indexer.snapshot import Snapshot

        overlay = self._overlay()
        self._drop_shortened()
        if self._snapshot is None or self._snapshot.generation != generation or self._snapshot.overlay is not overlay:
            setting = database.meta().get("embedder_setting")
            if setting is not None and setting != self._embedder:
                raise mismatch(str(setting), self._embedder)
            opened, damaged = self._open_segments(database, accept_missing=accept_missing)
            self._segments = opened
            self._snapshot = Snapshot(database, generation, opened, database.tombstones(), tuple(damaged), overlay)
        return self._snapshot

    def _drop_shortened(self) -> None:
        """Close segments whose files got shorter than their maps, so that they are found damaged like any others.

        To touch what is missing of a map would end the process (SIGBUS). Costs a microsecond a mapped file.
        """
        try:
            for segment in self._segments.values():
                segment.check_sizes()
        except CorruptIndexError:
            self._snapshot = None
            self._segments = {}

    def _open_segments(self, database: Database, *, accept_missing: bool) -> tuple[dict[int, Segment], list[str]]:
        """The generation's segments by number, and one sentence for each that cannot be used."""
        from indexer.segment import Segment, segment_folder

        opened: dict[int, Segment] = {}
        damaged: list[str] = []
        for number in database.segments():
            try:
                opened[number] = self._segments.get(number) or Segment(segment_folder(self._folder / SEGMENTS, number))
            except CorruptIndexError as exc:
                damaged.append(exc.message)
            except FileNotFoundError as exc:
                if not accept_missing:
                    raise
                damaged.append(f"A part of the index is missing: {exc.filename}.")
        return opened, damaged


def _end(database: Database) -> None:
    if database.connection.in_transaction:
        database.connection.execute("ROLLBACK")
