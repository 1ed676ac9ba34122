"""Vectors of slow embedding models by what was embedded: shared by branches, clones, worktrees and interrupted runs.

One SQLite file a model in the user's cache. A model is told by its name and by what it makes of a fixed sentence, so
that two models of one name never share vectors. A cache that cannot be used (full disk, no permission, damage) costs
time, never an index.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.private import ensure_file, make_folder, tighten
from indexer.schema import harden

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from indexer.embed import Embedder

_PROBE = "def parse_header(line: str) -> tuple[str, str]:  # name and value"
_BATCH = 400
"""Keys of one query; SQLite takes 999 parameters in old versions."""
_KEEP_DAYS = 90
"""Vectors that nobody asked for in that time are removed."""
_BUSY_SECONDS = 5.0


class CachedEmbedder:
    """An ``Embedder`` that computes each text once on this machine. Vectors are rounded as the index rounds them."""

    def __init__(self, embedder: Embedder, folder: Path) -> None:
        self._embedder = embedder
        self.name = embedder.name
        self.dimension = embedder.dimension
        self._expired = 0
        self.path = folder / f"{re.sub(r'[^A-Za-z0-9.-]+', '_', self.name)[:60]}-{_identity(embedder)}.sqlite"

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of ``texts``: float32, shape (len(texts), dimension), rows of length 1 but for rounding."""
        import numpy as np

        from indexer.segment import decode, encode

        keys = [hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16] for text in texts]
        known: dict[bytes, bytes] = {}
        with self._connection() as database:
            if database is not None:
                known = self._find(database, keys)
            missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
            if missing:
                codes = encode(self._embedder.embed(list(missing.values())))
                fresh = {key: row.tobytes() for key, row in zip(missing, codes, strict=True)}
                known |= fresh
                if database is not None:
                    self._keep(database, fresh)
        joined = np.frombuffer(b"".join(known[key] for key in keys), np.uint8)
        return decode(joined.reshape(len(texts), self.dimension))

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """The vector of a query: float32, shape (dimension,)."""
        return self._embedder.embed_query(text)

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection | None]:
        """The open cache, or None when it cannot be used."""
        database = None
        try:
            make_folder(self.path.parent)
            tighten(self.path.parent)
            ensure_file(self.path)
            database = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None)
            harden(database)
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = NORMAL")
            sql = "CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, codes BLOB NOT NULL, day INTEGER NOT NULL)"
            database.execute(f"{sql} WITHOUT ROWID")
        except (sqlite3.Error, OSError):
            if database is not None:
                database.close()
            database = None
        try:
            yield database
        finally:
            if database is not None:
                database.close()

    def _find(self, database: sqlite3.Connection, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        known: dict[bytes, bytes] = {}
        today = _today()
        with suppress(sqlite3.Error):
            for start in range(0, len(keys), _BATCH):
                part = keys[start : start + _BATCH]
                marks = ", ".join("?" * len(part))
                rows = database.execute(f"SELECT key, codes, day FROM vectors WHERE key IN ({marks})", part).fetchall()
                known |= {key: codes for key, codes, _ in rows if len(codes) == self.dimension}
                stale = [(today, key) for key, _, day in rows if day != today]
                if stale:
                    with _transaction(database):
                        database.executemany("UPDATE vectors SET day = ? WHERE key = ?", stale)
        return known

    def _keep(self, database: sqlite3.Connection, fresh: dict[bytes, bytes]) -> None:
        today = _today()
        with suppress(sqlite3.Error), _transaction(database):
            rows = ((key, codes, today) for key, codes in fresh.items())
            database.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", rows)
            if self._expired != today:  # looking for old ones reads everything: once a day and process
                database.execute("DELETE FROM vectors WHERE day < ?", (today - _KEEP_DAYS,))
                self._expired = today


@contextmanager
def _transaction(database: sqlite3.Connection) -> Iterator[None]:
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")


def _identity(embedder: Embedder) -> str:
    """What tells models of one name apart: the vector of a fixed sentence, rounded."""
    from indexer.segment import encode

    return hashlib.sha256(encode(embedder.embed([_PROBE])).tobytes()).hexdigest()[:12]


def _today() -> int:
    return int(time.time() // 86_400)
