"""The symbols of a text that may be in no index: an unsaved, ignored or untitled document."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from indexer.config import IndexConfig
from indexer.reasons import printable
from indexer.types import Span, Symbol

if TYPE_CHECKING:
    from indexer.workers import WorkerPool


class Outline(NamedTuple):
    """Symbols in order of position; spans are bytes of ``text``."""

    symbols: tuple[Symbol, ...]
    text: bytes


class Outlines:
    """Parses texts in one worker process, which starts with the first. Usable from several threads, one at a time."""

    def __init__(self, config: IndexConfig | None = None) -> None:
        self._config = config or IndexConfig(workers=1)
        self._pool: WorkerPool | None = None
        self._closed = False
        self._lock = threading.Lock()

    def of(self, path: str, text: str) -> Outline:
        """The outline of ``text`` as a file called ``path``; empty for what is no source, and once closed."""
        from indexer.body import unpack
        from indexer.reports import Skipped
        from indexer.workers import WorkerPool

        with self._lock:
            if self._closed:
                return Outline((), b"")
            self._pool = self._pool or WorkerPool(Path("/"), self._config)
            found = self._pool.analyse_buffer(printable(path), text.encode("utf-8", "replace"))
        if isinstance(found, Skipped):
            return Outline((), b"")
        rows = unpack(found.body).symbols
        return Outline(
            tuple(
                Symbol(
                    row.name, row.kind, path, Span(row.start_byte, row.end_byte, row.start_line, row.end_line),
                    row.parent, row.signature,
                )
                for row in rows
            ),
            found.text,
        )  # fmt: skip

    def close(self) -> None:
        """End the worker; closing twice is no error."""
        with self._lock:
            self._closed = True
            if self._pool is not None:
                self._pool.close()
