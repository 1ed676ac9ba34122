"""What stands around an update: the lock, a database that is fit to be written, and what happens when it is not."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.config import IndexConfig
from indexer.control import Cancel
from indexer.errors import CorruptIndexError
from indexer.lock import writer_lock
from indexer.repair import begin_anew, open_or_begin_anew
from indexer.store import mapped_errors
from indexer.types import Progress, UpdateReport
from indexer.update import Update

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
    with writer_lock(job.folder, waiting=waiting, cancel=job.cancel, patience=job.patience):
        if job.config.in_repository:
            _hide_from_git(job.folder)
        try:
            report = _attempt(job, begin, rebuild=rebuild, paths=paths)
        except CorruptIndexError as exc:
            # Damage that shows only where it is touched: everything is made again, once.
            begin(f"{exc.message} It is made again.")
            begin_anew(job.folder)
            report = _attempt(job, begin, rebuild=rebuild, paths=paths)
    return replace(report, repaired=(*anew, *report.repaired)) if anew else report


def _attempt(
    job: WriteJob, begin: Callable[[str], None], *, rebuild: bool, paths: Collection[str] | None
) -> UpdateReport:
    database = open_or_begin_anew(job.folder, begin, rebuild=rebuild)
    try:
        update = Update(job.root, job.config, database, job.load_embedder, job.progress, job.cancel, job.pool)
        return update.run(rebuild=rebuild, paths=paths)
    finally:
        database.close()


def _hide_from_git(folder: Path) -> None:
    ignore = folder / ".gitignore"
    with mapped_errors("writing the index", folder):
        if not ignore.exists():
            ignore.write_text("*\n")
