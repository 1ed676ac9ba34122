"""Removing segments that no generation lists, without removing what a failed commit may still list.

A commit is a record in SQLite's log, then a flush of it. If the flush fails, or the process dies between the two, the
record may be whole: whoever reads the log from the disk next takes it for a commit, while a connection that is open at
that time does not. So nobody knows which generation holds until one more commit has overwritten the record.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from indexer.segment_write import TEMPORARY, remove_leftovers
from indexer.store import Database


def remove_unlisted(database: Database, segments: Path) -> None:
    """Remove what an earlier writer left: segments that no generation lists, and unfinished ones.

    For a new connection, outside of a transaction: only such a one reads the log as the next reader will.
    """
    listed = database.all_segments()
    if _finished(segments) - set(listed):
        _rule_out(database)
    remove_leftovers(segments, listed)


def _finished(segments: Path) -> set[int]:
    """Numbers of the segments on the disk that a commit could list."""
    if not segments.is_dir():
        return set()
    names = [entry.name for entry in segments.iterdir() if not entry.name.startswith(TEMPORARY)]
    return {int(name) for name in names if name.isascii() and name.isdigit()}


def _rule_out(database: Database) -> None:
    """Overwrite what the log may hold of a failed commit.

    Records are chained by checksums: one with other contents in the place of the first breaks the chain, so that none
    of the old ones can count again. On a full disk this fits where they are. If it was the failed commit that came
    back, the system may take its records for flushed although they are not; moving all into the database flushes it.
    """
    database.connection.execute("INSERT OR REPLACE INTO meta VALUES ('last_cleaning', ?)", (secrets.token_hex(8),))
    database.connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
