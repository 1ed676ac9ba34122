"""The index of a folder: open · update · search · symbols · close. The only door with state."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

from indexer.config import IndexConfig
from indexer.errors import BadInputError, CorruptIndexError, NoIndexError, StorageError
from indexer.location import index_folder
from indexer.stale import any_changed
from indexer.store import (
    DATABASE,
    REPAIR,
    Database,
    Generation,
    file_state,
    mapped_errors,
    mismatch,
    no_index,
    open_reader,
)
from indexer.types import Hit, IndexStatus, Progress, Reference, SearchResult, Symbol, UpdateReport

if TYPE_CHECKING:
    from types import TracebackType

    from indexer.control import Cancel
    from indexer.embed import Embedder
    from indexer.segment import Segment
    from indexer.snapshot import Snapshot

SEGMENTS = "segments"
_STALE_BUDGET = 0.05
"""Seconds that a search may spend on looking for changed files; in 50 ms about 25,000 files are seen."""
_STALE_MEMORY = 1.0
"""Seconds for which searches believe what was found about staleness."""


class Index:
    """An index of one folder. Usable from several threads; reading goes on while an update runs."""

    def __init__(self, root: Path, config: IndexConfig, folder: Path, embedder: Embedder | None) -> None:
        """Use ``Index.open``."""
        self.root = root
        self.config = config
        self.folder = folder
        self._embedder = embedder
        self._lock = threading.RLock()
        self._database: Database | None = None
        self._snapshot: Snapshot | None = None
        self._segments: dict[int, Segment] = {}
        self._stale_at = float("-inf")
        self._stale = False

    @classmethod
    def open(
        cls,
        root: Path,
        config: IndexConfig | None = None,
        *,
        create: bool = False,
        rebuild: bool = False,
        embedder: Embedder | None = None,
    ) -> Self:
        """Open the index of the folder ``root``; nothing is written before ``update``.

        ``create``: a missing or damaged index is no error; ``update`` makes or repairs it. ``rebuild``: neither is one
        that is newer or of another embedding model; call ``rebuild()`` then. ``embedder`` stands in for the one that
        the settings name. Damaged segments never stop an index from being opened: see ``SearchResult.damaged``.
        Raises BadInputError (no such folder), NoIndexError, CorruptIndexError, NewerIndexError,
        EmbedderMismatchError, StorageError.
        """
        config = config or IndexConfig()
        root = _folder(root)
        index = cls(root, config, index_folder(root, config), embedder)
        if rebuild:
            return index
        try:
            with index._view():
                pass
        except (NoIndexError, CorruptIndexError):
            if not create:
                raise
        return index

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the database and forget the segments; closing twice is no error."""
        with self._lock:
            if self._database is not None:
                self._database.close()
            self._database = self._snapshot = None
            self._segments = {}

    def update(
        self,
        progress: Callable[[Progress], None] | None = None,
        cancel: Cancel | None = None,
        *,
        patience: float | None = None,
        paths: Collection[str] | None = None,
    ) -> UpdateReport:
        """Bring the index up to date with the folder: all of it or, on an error, nothing.

        ``paths``: files or folders, relative to the root, outside of which nothing changed; where that is not enough to
        tell (an ignore file changed, the last update was interrupted) everything is looked at all the same.
        ``progress`` is called from this thread, with stage ``wait`` while another process writes (for ``patience``
        seconds, then BusyIndexError). Damage is repaired, and the report says what. Work done before an interruption
        (an error, ``cancel``, a crash) is taken over by the next update. Raises CancelledError,
        EmbedderMismatchError, StorageError, NewerIndexError.
        """
        return self._write(progress, cancel, patience, rebuild=False, paths=paths)

    def rebuild(
        self,
        progress: Callable[[Progress], None] | None = None,
        cancel: Cancel | None = None,
        *,
        patience: float | None = None,
    ) -> UpdateReport:
        """Make the index again from nothing, whatever is there. Readers keep a sound old one until it is done."""
        return self._write(progress, cancel, patience, rebuild=True)

    def search(self, query: str, k: int = 10, *, language: str | None = None) -> SearchResult:
        """The ``k`` best chunks for a query in words or code, best first."""
        from indexer.search import search

        with self._view() as snapshot:
            vector = self._searching_embedder().embed_query(query)
            hits = search(snapshot, query, vector, k, language=language)
            return SearchResult(tuple(hits), snapshot.generation.id, self._stale_lately(), snapshot.damaged)

    def similar(self, text: str, k: int, *, exclude: str | None = None) -> list[Hit]:
        """The ``k`` chunks nearest to ``text`` by vector alone, none of the file ``exclude``."""
        import numpy as np

        with self._view() as snapshot:
            allowed = None
            if exclude is not None:
                allowed = np.ones(snapshot.rows, np.bool_)
                allowed[snapshot.rows_of(self._relative(exclude))] = False
            near = snapshot.nearest(self._searching_embedder().embed_query(text), k, allowed)
            return [
                Hit(snapshot.chunk(row), cosine, {"vector": cosine})
                for row, cosine in zip(near.rows.tolist(), near.cosines.tolist(), strict=True)
            ]

    def symbols(self, name: str) -> list[Symbol]:
        """Definitions of a bare or qualified name, exact case first, then by path."""
        with self._view() as snapshot:
            return snapshot.symbols(name)

    def references(self, name: str) -> list[Reference]:
        """Uses of a bare name, by path and place."""
        with self._view() as snapshot:
            return snapshot.references(name)

    def file_symbols(self, path: str | Path) -> list[Symbol]:
        """Definitions in a file, in its order; none for a file that is not in the index."""
        with self._view() as snapshot:
            return snapshot.file_symbols(self._relative(path))

    def imports(self, path: str | Path) -> tuple[str, ...]:
        """What a file imports, as written."""
        with self._view() as snapshot:
            return snapshot.imports(self._relative(path))

    def text(self, path: str | Path) -> str | None:
        """A file's text as indexed (secrets masked), or None if it is not in the index."""
        with self._view() as snapshot:
            return snapshot.text(self._relative(path))

    def paths(self) -> list[str]:
        """Paths of all indexed files, sorted."""
        with self._view() as snapshot:
            return snapshot.paths()

    def verify(self) -> None:
        """Read the whole index and check it; CorruptIndexError says what is damaged."""
        with self._view() as snapshot:
            (answer,) = self._reader().row("PRAGMA integrity_check(1)")
            if answer != "ok":
                raise CorruptIndexError(
                    f"The index is damaged: {self.folder / DATABASE}: {answer}.",
                    REPAIR,
                )
            if snapshot.damaged:
                raise CorruptIndexError(f"The index is damaged: {snapshot.damaged[0]}", REPAIR)
            snapshot.verify()

    def stale(self) -> bool:
        """Whether files changed, came or went since the last update, as far as sizes and times show."""
        with self._view():
            return self._look_for_changes(float("inf"))

    def status(self) -> IndexStatus:
        """What the index holds and how it is."""
        with self._view() as snapshot:
            generation, database = snapshot.generation, self._reader()
            meta = database.meta()
            languages = database.rows(
                "SELECT language, count(*) FROM files WHERE skipped IS NULL GROUP BY language ORDER BY 2 DESC, 1"
            )
            return IndexStatus(
                root=str(self.root),
                index_path=str(self.folder),
                generation=generation.id,
                files=generation.files,
                chunks=generation.chunks,
                symbols=generation.symbols,
                references=generation.refs,
                bytes=generation.bytes,
                bytes_on_disk=_bytes_below(self.folder),
                segments=len(database.segments()),
                embedder=str(meta.get("embedder", self.config.embedder)),
                dimension=int(meta.get("dimension", 0)),
                updated_at=generation.created,
                stale=self._look_for_changes(float("inf")),
                languages=dict(languages),
            )

    def _write(
        self,
        progress: Callable[[Progress], None] | None,
        cancel: Cancel | None,
        patience: float | None,
        *,
        rebuild: bool,
        paths: Collection[str] | None = None,
    ) -> UpdateReport:
        from indexer.writing import WriteJob, write_index

        job = WriteJob(self.root, self.config, self.folder, self._load_embedder, progress, cancel, patience, self.close)
        try:
            return write_index(job, rebuild=rebuild, paths=paths)
        finally:
            self._stale_at = float("-inf")

    def _load_embedder(self) -> Embedder:
        if self._embedder is None:
            from indexer.embed import load_embedder

            self._embedder = load_embedder(self.config.embedder)
        return self._embedder

    def _searching_embedder(self) -> Embedder:
        """The embedder, checked against the one that the index was made with."""
        embedder = self._load_embedder()
        meta = self._reader().meta()
        recorded = (meta.get("embedder"), meta.get("dimension"))
        if recorded[0] is not None and recorded != (embedder.name, embedder.dimension):
            raise mismatch(str(recorded[0]), embedder.name)
        return embedder

    @contextmanager
    def _view(self) -> Iterator[Snapshot]:
        """The last generation, unchanged for as long as the block runs: one read transaction.

        Whoever meets damage in it leaves a mark, so that the next update looks at everything.
        """
        with self._lock:
            database = self._reader()
            with mapped_errors("reading the index", database.path):
                database.connection.execute("BEGIN")
            try:
                yield self._current(database)
            except CorruptIndexError:
                from indexer.repair import mark_suspect

                mark_suspect(self.folder)
                raise
            finally:
                if database.connection.in_transaction:
                    database.connection.execute("ROLLBACK")

    def _reader(self) -> Database:
        """The connection for reading, opened again when the file was replaced by a rebuild."""
        state = file_state(self.folder)
        if self._database is None or state[: len(self._database.state)] != self._database.state:
            self.close()
            self._database = open_reader(self.folder)
        return self._database

    def _current(self, database: Database) -> Snapshot:
        from indexer.snapshot import Snapshot

        generation: Generation | None = database.generation()
        if generation is None:
            raise no_index(self.folder)
        if self._snapshot is None or self._snapshot.generation != generation:
            self._check_setting(database)
            opened, damaged = self._open_segments(database)
            self._segments = opened
            self._snapshot = Snapshot(database, generation, opened, database.tombstones(), tuple(damaged))
        return self._snapshot

    def _open_segments(self, database: Database) -> tuple[dict[int, Segment], list[str]]:
        """The generation's segments by number, and one sentence for each that cannot be used."""
        from indexer.segment import Segment
        from indexer.segment_write import segment_folder

        opened: dict[int, Segment] = {}
        damaged: list[str] = []
        for number in database.segments():
            try:
                opened[number] = self._segments.get(number) or Segment(segment_folder(self.folder / SEGMENTS, number))
            except CorruptIndexError as exc:
                damaged.append(exc.message)
            except FileNotFoundError as exc:
                damaged.append(f"A part of the index is missing: {exc.filename}.")
        return opened, damaged

    def _check_setting(self, database: Database) -> None:
        setting = database.meta().get("embedder_setting")
        if setting is not None and setting != self.config.embedder:
            raise mismatch(str(setting), self.config.embedder)

    def _stale_lately(self) -> bool:
        if time.monotonic() - self._stale_at > _STALE_MEMORY:
            self._look_for_changes(_STALE_BUDGET)
        return self._stale

    def _look_for_changes(self, budget: float) -> bool:
        """Compare times of folders, then times and sizes of files, for at most ``budget`` seconds."""
        database = self._reader()
        self._stale = any_changed(
            self.root,
            database.rows("SELECT path, mtime_ns FROM directories"),
            database.rows("SELECT path, size, mtime_ns FROM files"),
            budget,
        )
        self._stale_at = time.monotonic()
        return self._stale

    def _relative(self, path: str | Path) -> str:
        """``path`` as the index names it: relative to the root, POSIX."""
        path = Path(path)
        if path.is_absolute():
            try:
                path = path.resolve().relative_to(self.root)
            except ValueError:
                raise BadInputError(f"{path} is not below {self.root}.", "Give a path in the indexed folder.") from None
        return path.as_posix()


def _folder(root: Path) -> Path:
    try:
        if not root.is_dir():
            what = f"{root} is not a folder." if root.exists() else f"There is no folder {root}."
            raise BadInputError(what, "Give the folder of a project.")
    except OSError as exc:
        raise StorageError.from_os_error(exc, "reading the folder", root) from exc
    return root.resolve()


def _bytes_below(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue
    return total
