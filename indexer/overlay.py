"""Unsaved editor buffers over the files of an index: searched, read and cited in place of what is on the disk.

A buffer is analysed as a file is, in a worker that can be killed, and all buffers together make one segment that lives
in memory only. ``Snapshot`` takes it for one more segment, and takes the files below the buffers for dead.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from indexer.analysis import Analysis
from indexer.config import IndexConfig
from indexer.segment import Segment

if TYPE_CHECKING:
    from indexer.embed import Embedder
    from indexer.workers import WorkerPool

FIRST_ID = 1 << 30
"""Ids of buffers start here; those of files never get there."""


class Buffer(NamedTuple):
    """One analysed buffer. ``first_row``: of its first chunk in the overlay's segment; None without chunks."""

    analysis: Analysis
    vectors: NDArray[np.float32] | None = None
    first_row: int | None = None


class Overlay(NamedTuple):
    """All buffers at one moment. ``files`` by id, ids ascending; ``segment`` is None when no buffer has a chunk."""

    version: int
    files: dict[int, Buffer]
    ids: dict[str, int]
    segment: Segment | None


EMPTY = Overlay(0, {}, {}, None)


class Buffers:
    """The buffers of an index. Usable from several threads."""

    def __init__(self, root: Path, config: IndexConfig, load_embedder: Callable[[], Embedder]) -> None:
        self._root = root
        self._config = config
        self._load_embedder = load_embedder
        self._lock = threading.Lock()
        self._parsing = threading.Lock()
        """Held while a buffer is parsed, so that nobody who reads waits for that."""
        self._pool: WorkerPool | None = None
        self._buffers: dict[str, Buffer] = {}
        self._overlay = EMPTY
        self._version = 0

    def put(self, path: str, text: str) -> str | None:
        """Let ``text`` stand for ``path`` (relative, POSIX). The reason as a sentence if it may not be indexed."""
        from indexer.reports import Skipped

        with self._parsing:
            if self._pool is None:
                from dataclasses import replace

                from indexer.workers import WorkerPool

                self._pool = WorkerPool(self._root, replace(self._config, workers=1))
            found = self._pool.analyse_buffer(path, text.encode("utf-8", "replace"))
            with self._lock:
                if isinstance(found, Skipped):
                    self._drop(path)
                    return found.reason
                self._buffers[path] = Buffer(found)
                self._version += 1
                return None

    def drop(self, path: str) -> None:
        """Let the file stand for itself again."""
        with self._parsing, self._lock:  # after whatever is being parsed, which may be this one
            self._drop(path)

    def close(self) -> None:
        """Forget all buffers and end the worker."""
        with self._parsing, self._lock:
            if self._pool is not None:
                self._pool.close()
                self._pool = None
            self._buffers.clear()
            self._overlay = EMPTY
            self._version = 0

    def overlay(self) -> Overlay:
        """The buffers as they are now; the same object until one changes."""
        with self._lock:
            if self._overlay.version != self._version:
                self._overlay = self._combined()
            return self._overlay

    def _drop(self, path: str) -> None:
        if self._buffers.pop(path, None) is not None:
            self._version += 1

    def _combined(self) -> Overlay:
        files: dict[int, Buffer] = {}
        ids: dict[str, int] = {}
        if not self._buffers:
            return EMPTY._replace(version=self._version)
        import tempfile

        from indexer.segment_build import SegmentBuilder
        from indexer.staging import chunk_texts
        from indexer.store import mapped_errors

        embedder = self._load_embedder()
        with (
            mapped_errors("searching unsaved buffers", Path(tempfile.gettempdir())),
            tempfile.TemporaryDirectory(prefix="codemoat-") as folder,
        ):
            builder = SegmentBuilder(Path(folder) / "buffers", embedder.dimension, durable=False)
            for number, (path, buffer) in enumerate(sorted(self._buffers.items())):
                file_id, vectors, first = FIRST_ID + number, buffer.vectors, None
                if buffer.analysis.chunks:
                    first = builder.add(file_id, buffer.analysis)
                    vectors = embedder.embed(list(chunk_texts(buffer.analysis))) if vectors is None else vectors
                    builder.add_vectors(vectors)
                ids[path] = file_id
                files[file_id] = self._buffers[path] = Buffer(buffer.analysis, vectors, first)
            builder.finish()
            segment = Segment(Path(folder) / "buffers") if builder.rows else None
        return Overlay(self._version, files, ids, segment)


def refuse_buffer(root: Path, path: str, config: IndexConfig) -> str | None:
    """Why a buffer must not be indexed although its text may be: the file is left out, or would be once saved."""
    from indexer.ignore import IgnoreRules
    from indexer.listing_part import list_some

    if os.path.lexists(root / path):
        listing = list_some(root, config, [path])
        if listing is not None and any(file.path == path for file in listing.files):
            return None
        if listing is not None:
            reasons = [skip.reason for skip in listing.skipped if skip.path == path]
            return reasons[0] if reasons else "It is left out of the index."
    rules = IgnoreRules(root, config.exclude, gitignore=True)
    rule = rules.folder(path.rpartition("/")[0] or ".") or rules.file(path)
    return f"Excluded by {rule}." if rule is not None else None
