"""The index of a folder: open · update · search · symbols · close. The only door with state."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Self

from indexer.config import IndexConfig
from indexer.errors import REPAIR, BadInputError, CorruptIndexError, NoIndexError
from indexer.location import cache_dir, index_folder, seals_folder
from indexer.probing import exists, is_folder
from indexer.reading import Reader
from indexer.reasons import encodable, printable
from indexer.store import DATABASE, mismatch
from indexer.types import Hit, Reference, SearchResult, Symbol

if TYPE_CHECKING:
    from types import TracebackType

    from indexer.control import Cancel, Linked
    from indexer.embed import Embedder
    from indexer.exact import LineOptions
    from indexer.filters import Filters
    from indexer.overlay import Buffers, Overlay
    from indexer.reports import GrepResult, IndexStatus, Progress, Skipped, UpdateReport
    from indexer.snapshot import Snapshot
    from indexer.workers import WorkerPool


class Index:
    """An index of one folder. Usable from several threads; reading goes on while an update runs."""

    def __init__(self, root: Path, config: IndexConfig, folder: Path, embedder: Embedder | None) -> None:
        """Use ``Index.open``."""
        self.root = root
        self.config = config
        self.folder = folder
        self._embedder = embedder
        self._reader = Reader(root, folder, config.embedder, self._overlay, seals_folder(config))
        self._lock = threading.Lock()
        self._idle = threading.Condition(self._lock)
        self._writes: list[Linked] = []
        self._pool: WorkerPool | None = None
        self._buffers: Buffers | None = None

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

    def keep_workers(self) -> None:
        """Let the parse processes stay until ``close``: for whoever updates often, starting one takes 0.1 s."""
        from indexer.workers import WorkerPool

        self._pool = self._pool or WorkerPool(self.root, self.config)

    def close(self) -> None:
        """Cancel what updates, end the workers, close everything; closing twice is no error."""
        with self._idle:
            for write in self._writes:
                write.cancel()
            while self._writes:
                self._idle.wait()
        if self._pool is not None:
            self._pool.close()
            self._pool = None
        if self._buffers is not None:
            self._buffers.close()
            self._buffers = None
        self._reader.forget()

    def put_buffer(self, path: str | Path, text: str) -> str | None:
        """Let an editor's unsaved ``text`` stand for the file in everything that reads, until ``drop_buffer``.

        None, or one sentence why it may not: it is ignored, holds secrets, is too large, binary and so on; the file's
        own contents hold then. The buffer is parsed in a worker process. Raises BadInputError for a path outside.
        """
        from indexer.overlay import Buffers, refuse_buffer

        relative = self._relative(path)
        with self._lock:
            if self._buffers is None:
                self._buffers = Buffers(self.root, self.config, self._load_embedder)
            buffers = self._buffers
        refused = refuse_buffer(self.root, relative, self.config)
        if refused is not None:
            buffers.drop(relative)
            return refused
        return buffers.put(relative, text)

    def drop_buffer(self, path: str | Path) -> None:
        """Let the file stand for itself again; no error if it does already."""
        if self._buffers is not None:
            self._buffers.drop(self._relative(path))

    def update(
        self,
        progress: Callable[[Progress], None] | None = None,
        cancel: Cancel | None = None,
        *,
        patience: float | None = None,
        paths: Collection[str] | None = None,
    ) -> UpdateReport:
        """Bring the index up to date with the folder: all of it or, on an error, nothing.

        (An error while it tidies up afterwards is raised too; what changed is visible then.)
        ``paths``: files or folders, relative to the root, outside of which nothing changed (none: look at all). Where
        that is not enough to tell (an ignore file changed, the last update was interrupted) all is looked at anyway.
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

    def search(self, query: str, k: int = 10, *, filters: Filters | None = None) -> SearchResult:
        """The ``k`` best chunks for a query in words or code, best first, of what ``filters`` allow.

        Raises BadInputError for filters that cannot be used (see ``filters.resolve``).
        """
        from indexer.filters import resolve
        from indexer.search import search

        with self._view() as snapshot:
            vector = self._searching_embedder(snapshot).embed_query(query)
            found = search(snapshot, query, vector, k, allowed=resolve(snapshot, filters, self.root))
            return SearchResult(
                tuple(found.hits),
                snapshot.generation.id,
                self._reader.stale_lately(snapshot.database),
                snapshot.damaged,
                found.spellings,
                found.literal,
            )

    def grep(
        self,
        pattern: str,
        *,
        regex: bool = False,
        ignore_case: bool = False,
        options: LineOptions | None = None,
        filters: Filters | None = None,
        limit: int | None = None,
        count: bool = False,
        cancel: Cancel | None = None,
    ) -> GrepResult:
        """Lines that hold a text, or match a regular expression in ripgrep's syntax, by path and place.

        At most ``limit``; ``count``: with exact totals even so. Looks at the texts as indexed (see ``indexer.grep``).
        Raises BadInputError for a pattern or filters that cannot be used, CancelledError.
        """
        from indexer.exact import LineOptions, Pattern
        from indexer.filters import resolve
        from indexer.grep import grep

        lines = options or LineOptions()
        wanted = Pattern(pattern, regex=regex, ignore_case=ignore_case, word=lines.word)
        with self._view() as snapshot:
            stale = self._reader.stale_lately(snapshot.database)
            allowed, kinds = resolve(snapshot, filters, self.root), filters.kinds if filters else ()
            return grep(snapshot, wanted, allowed, kinds, lines, limit=limit, count=count, stale=stale, cancel=cancel)

    def similar(self, text: str, k: int, *, exclude: str | None = None) -> list[Hit]:
        """The ``k`` chunks nearest to ``text`` by vector alone, none of the file ``exclude``."""
        import numpy as np

        with self._view() as snapshot:
            allowed = None
            if exclude is not None:
                allowed = np.ones(snapshot.rows, np.bool_)
                allowed[snapshot.rows_of(self._relative(exclude))] = False
            near = snapshot.nearest(self._searching_embedder(snapshot).embed_query(text), k, allowed)
            return [
                Hit(snapshot.chunk(row), cosine, {"vector": cosine})
                for row, cosine in zip(near.rows.tolist(), near.cosines.tolist(), strict=True)
            ]

    def symbols(self, name: str) -> list[Symbol]:
        """Definitions of a bare or qualified name, exact case first, then by path."""
        with self._view() as snapshot:
            return snapshot.symbols(name)

    def symbols_like(self, text: str, limit: int = 100) -> list[Symbol]:
        """Definitions whose names hold ``text``, in whatever case, the likeliest first."""
        from indexer.naming import symbols_like

        with self._view() as snapshot:
            return symbols_like(snapshot, text, limit)

    def references(self, name: str) -> list[Reference]:
        """Uses of a bare name, by path and place."""
        with self._view() as snapshot:
            return snapshot.lookups().references(name)

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

    def holds(self, folder: str) -> bool:
        """Whether any indexed file is in ``folder`` (relative to the root, POSIX), or is it."""
        with self._view() as snapshot:
            return snapshot.holds(folder)

    def paths(self) -> list[str]:
        """Paths of all indexed files, sorted."""
        with self._view() as snapshot:
            return snapshot.paths()

    def skipped(self) -> list[Skipped]:
        """Files that were listed and not read (binary, too large, …), and why; ignored files are not among them."""
        with self._view() as snapshot:
            return snapshot.skipped()

    def verify(self) -> None:
        """Read the whole index and check it; CorruptIndexError says what is damaged."""
        with self._view() as snapshot:
            (answer,) = snapshot.database.row("PRAGMA integrity_check(1)")
            if answer != "ok":
                raise CorruptIndexError(f"The index is damaged: {self.folder / DATABASE}: {answer}.", REPAIR)
            if snapshot.damaged:
                raise CorruptIndexError(f"The index is damaged: {snapshot.damaged[0]}", REPAIR)
            snapshot.verify()

    def stale(self) -> bool:
        """Whether files changed, came or went since the last update, as far as sizes and times show."""
        with self._view() as snapshot:
            return self._reader.look_for_changes(snapshot.database, float("inf"))

    def status(self) -> IndexStatus:
        """What the index holds and how it is."""
        from indexer.disk_usage import bytes_by_part
        from indexer.reports import IndexStatus

        with self._view() as snapshot:
            generation, database = snapshot.generation, snapshot.database
            meta, parts = database.meta(), bytes_by_part(self.folder)
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
                bytes_on_disk=sum(parts.values()),
                segments=len(database.segments()),
                embedder=str(meta.get("embedder", self.config.embedder)),
                dimension=int(meta.get("dimension", 0)),
                updated_at=generation.created,
                stale=self._reader.look_for_changes(database, float("inf")),
                languages=dict(languages),
                parts=parts,
                dead_chunks=int(database.row("SELECT coalesce(sum(rows), 0) FROM tombstones")[0]),
                pending=int(database.row("SELECT count(*) FROM staged")[0]),
                damaged=snapshot.damaged,
            )

    def damaged(self) -> tuple[str, ...]:
        """What of the index cannot be used, one sentence each, as far as opening it shows; an update repairs it."""
        with self._view() as snapshot:
            return snapshot.damaged

    def _write(
        self,
        progress: Callable[[Progress], None] | None,
        cancel: Cancel | None,
        patience: float | None,
        *,
        rebuild: bool,
        paths: Collection[str] | None = None,
    ) -> UpdateReport:
        from indexer.control import Linked
        from indexer.writing import WriteJob, write_index

        control = Linked(cancel)
        with self._lock:
            self._writes.append(control)
            pool = self._pool
        job = WriteJob(
            self.root, self.config, self.folder, self._load_embedder, progress, control, patience, self._reader.forget,
            pool,
        )  # fmt: skip
        try:
            return write_index(job, rebuild=rebuild, paths=paths)
        finally:
            self._reader.forget_staleness()
            with self._idle:
                self._writes.remove(control)
                self._idle.notify_all()

    def _load_embedder(self) -> Embedder:
        if self._embedder is None:
            from indexer.embed import load_embedder

            vectors = (self.config.cache_dir or cache_dir()) / "vectors"
            self._embedder = load_embedder(self.config.embedder, vectors=vectors)
        return self._embedder

    def _searching_embedder(self, snapshot: Snapshot) -> Embedder:
        """The embedder, checked against the one that the index was made with."""
        embedder = self._load_embedder()
        recorded = snapshot.embedder
        if recorded[0] is not None and recorded != (embedder.name, embedder.dimension):
            raise mismatch(str(recorded[0]), embedder.name)
        return embedder

    def _view(self) -> AbstractContextManager[Snapshot]:
        """The last generation, unchanged for as long as the block runs."""
        return self._reader.view()

    def _overlay(self) -> Overlay:
        from indexer.overlay import EMPTY

        return EMPTY if self._buffers is None else self._buffers.overlay()

    def _relative(self, path: str | Path) -> str:
        """``path`` as the index names it: relative to the root, POSIX."""
        path = Path(path)
        if path.is_absolute():
            path = path.resolve()
            relative = path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else ".."
        else:
            relative = Path(os.path.normpath(path)).as_posix()
        if relative == ".." or relative.startswith("../"):
            raise BadInputError(f"{path} is not below {self.root}.", "Give a path in the indexed folder.")
        if not encodable(relative):
            raise BadInputError(
                f"{printable(relative)} is no valid UTF-8, so it is not in an index.", "Rename the file."
            )
        return relative


def _folder(root: Path) -> Path:
    if not is_folder(root):
        what = f"{root} is not a folder." if exists(root) else f"There is no folder {root}."
        raise BadInputError(what, "Give the folder of a project.")
    return root.resolve()
