"""One writer at a time: a file lock that the system releases when its holder dies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.errors import BusyIndexError, CancelledError, StorageError

if TYPE_CHECKING:
    from indexer.control import Cancel

_POLL_SECONDS = 0.1


@contextmanager
def writer_lock(
    folder: Path,
    *,
    waiting: Callable[[], None],
    cancel: Cancel | None = None,
    patience: float | None = None,
) -> Iterator[None]:
    """Hold ``folder/lock``. ``waiting`` is called once if another process (or thread) holds it.

    Raises BusyIndexError after ``patience`` seconds (None: never), CancelledError, StorageError, UnsafeIndexError.
    """
    import time

    from filelock import FileLock, Timeout

    from indexer.index_folder import LOCK, prepare
    from indexer.network import network_file_system
    from indexer.private import FILE_MODE

    kind = network_file_system(folder)
    if kind is not None:
        raise StorageError(
            f"The index would lie on a network file system ({kind}): {folder}; its locks do not hold there.",
            "Set CODEMOAT_CACHE_DIR to a folder on a local disk.",
        )
    told = False
    deadline = None if patience is None else time.monotonic() + patience
    try:
        prepare(folder)
        lock = FileLock(folder / LOCK, mode=FILE_MODE, is_singleton=False, thread_local=False)
        while True:
            try:
                lock.acquire(timeout=0 if not told else _POLL_SECONDS)
                break
            except Timeout:
                if not told:
                    told = True
                    waiting()
            if cancel is not None and cancel.cancelled:
                raise CancelledError("The indexing was cancelled while it waited for another process.")
            if deadline is not None and time.monotonic() > deadline:
                raise BusyIndexError(
                    f"Another process is writing the index at {folder}.", "Wait until it has finished, or end it."
                )
    except OSError as exc:
        raise StorageError.from_os_error(exc, "writing the index", folder) from exc
    try:
        yield
    finally:
        lock.release()
