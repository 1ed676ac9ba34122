"""The symbols of a text that may be in no index: an unsaved, ignored or untitled document."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import NamedTuple

from indexer.config import IndexConfig
from indexer.types import Span, Symbol


class Outline(NamedTuple):
    """Symbols in order of position; spans are bytes of ``text``."""

    symbols: tuple[Symbol, ...]
    text: bytes


class Outlines:
    """Parses texts in one worker process, which starts with the first. Usable from several threads, one at a time."""

    def __init__(self, config: IndexConfig | None = None) -> None:
        from indexer.workers import WorkerPool

        self._pool = WorkerPool(Path("/"), config or IndexConfig(workers=1))
        self._lock = threading.Lock()

    def of(self, path: str, text: str) -> Outline:
        """The outline of ``text`` as a file called ``path``; empty where that is taken for no source."""
        from indexer.body import unpack
        from indexer.reports import Skipped

        with self._lock:
            found = self._pool.analyse_buffer(path, text.encode("utf-8", "replace"))
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
            self._pool.close()
