"""Lock an index, open its database or make it again, then run an update."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.config import IndexConfig
from indexer.control import Cancel
from indexer.errors import CorruptIndexError
from indexer.index_folder import DATABASE, IGNORE, ensure_file
from indexer.location import seal_file
from indexer.lock import writer_lock
from indexer.reports import Progress, UpdateReport
from indexer.store import mapped_errors

if TYPE_CHECKING:
    from indexer.embed import Embedder
    from indexer.workers import WorkerPool


@dataclass(slots=True)
class WriteJob:
    """What ``write_index`` needs of an ``Index``.

    ``forget`` closes what it has open, before files are removed; ``pool`` are workers that outlive the update.
    """

    root: Path
    config: IndexConfig
    folder: Path
    load_embedder: Callable[[], Embedder]
    progress: Callable[[Progress], None] | None
    cancel: Cancel | None
    patience: float | None
    forget: Callable[[], None]
    pool: WorkerPool | None = None

    def tell(self, stage: str, what: str) -> None:
        """Report a stage that has no numbers."""
        if self.progress is not None:
            self.progress(Progress(stage, 0, 0, 0, 0, what))


def write_index(job: WriteJob, *, rebuild: bool, paths: Collection[str] | None) -> UpdateReport:
    """Update the index while holding the writer's lock; an index that cannot be used is made again, and said to be.

    Raises what ``Index.update`` does.
    """
    anew: list[str] = []

    def begin(why: str) -> None:
        job.forget()
        anew.append(why)
        job.tell("anew", why)

    waiting = partial(job.tell, "wait", "another process is writing the index")
    with (
        writer_lock(job.folder, waiting=waiting, cancel=job.cancel, patience=job.patience),
        _workers(job, rebuild=rebuild) as pool,
    ):
        # numpy comes with these; where there is no index yet, the first worker starts meanwhile.
        from indexer.repair import begin_anew

        if job.config.in_repository:
            _hide_from_git(job.folder)
        try:
            report = _attempt(job, pool, begin, rebuild=rebuild, paths=paths)
        except CorruptIndexError as exc:
            # Damage that shows only where it is touched: everything is made again, once.
            begin(f"{exc.message} It is made again.")
            begin_anew(job.folder)
            report = _attempt(job, pool, begin, rebuild=rebuild, paths=paths)
    return replace(report, repaired=(*anew, *report.repaired)) if anew else report


@contextmanager
def _workers(job: WriteJob, *, rebuild: bool) -> Iterator[WorkerPool | None]:
    """The pool of the job, if it has one; else one whose first worker is started where there will be work for it."""
    if job.pool is not None or not (rebuild or not (job.folder / DATABASE).exists()):
        yield job.pool
        return
    from indexer.workers import WorkerPool

    with WorkerPool(job.root, job.config) as pool:
        pool.start()
        yield pool


def _attempt(
    job: WriteJob,
    pool: WorkerPool | None,
    begin: Callable[[str], None],
    *,
    rebuild: bool,
    paths: Collection[str] | None,
) -> UpdateReport:
    from indexer.repair import open_or_begin_anew
    from indexer.update import Update

    database = open_or_begin_anew(job.folder, begin, rebuild=rebuild, seal=seal_file(job.root, job.config))
    try:
        update = Update(
            job.root, job.config, database, job.load_embedder, job.progress, job.cancel, pool,
            keep_pool=job.pool is not None,
        )  # fmt: skip
        return update.run(rebuild=rebuild, paths=paths)
    finally:
        database.close()


def _hide_from_git(folder: Path) -> None:
    with mapped_errors("writing the index", folder):
        ensure_file(folder, IGNORE, b"*\n")
