"""The tables of an index, and how its SQLite file is opened so that nothing in the file acts.

A database may come with a repository. SQLite's advice for such files (https://www.sqlite.org/security.html, "Untrusted
SQLite Database Files") is followed: functions in the schema are not trusted, cells are checked, nothing is mapped. And
the schema must be ours to the letter, so that there are no triggers, views or generated columns at all.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from functools import lru_cache

_FILE_COLUMNS = """
    path TEXT NOT NULL UNIQUE, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL,
    sha256 TEXT NOT NULL, settled INTEGER NOT NULL, skipped TEXT, language TEXT, problem TEXT,
    masked INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0, segment INTEGER, first_row INTEGER,
    chunks INTEGER NOT NULL DEFAULT 0, symbols INTEGER NOT NULL DEFAULT 0, refs INTEGER NOT NULL DEFAULT 0);
"""
_SCHEMA = f"""
CREATE TABLE meta (key TEXT PRIMARY KEY, value ANY) WITHOUT ROWID;
CREATE TABLE files (id INTEGER PRIMARY KEY, {_FILE_COLUMNS}
CREATE TABLE staged (id INTEGER PRIMARY KEY AUTOINCREMENT, {_FILE_COLUMNS}
CREATE TABLE bodies (file_id INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE path_terms (term TEXT, file_id INTEGER, PRIMARY KEY (term, file_id)) WITHOUT ROWID;
CREATE TABLE directories (path TEXT PRIMARY KEY, mtime_ns INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE segments (number INTEGER PRIMARY KEY, rows INTEGER NOT NULL, staged INTEGER NOT NULL);
CREATE TABLE tombstones (
    segment INTEGER, file_id INTEGER, rows INTEGER NOT NULL, PRIMARY KEY (segment, file_id)) WITHOUT ROWID;
CREATE TABLE generations (
    id INTEGER PRIMARY KEY, created REAL NOT NULL, files INTEGER NOT NULL, chunks INTEGER NOT NULL,
    symbols INTEGER NOT NULL, refs INTEGER NOT NULL, bytes INTEGER NOT NULL);
"""
_SEQUENCE = "CREATE TABLE sqlite_sequence(name,seq)"
"""What SQLite keeps for AUTOINCREMENT."""


def harden(connection: sqlite3.Connection) -> None:
    """What is asked of a connection before anything of the file is read."""
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    # A file that gets shorter must give an error, not end the process.
    connection.execute("PRAGMA mmap_size = 0")


def create_tables(connection: sqlite3.Connection) -> None:
    """Create all tables."""
    for statement in _statements():
        connection.execute(statement)


def is_schema(entries: Iterable[tuple[object, object]]) -> bool:
    """Whether (type, sql) of ``sqlite_master`` are those of an index: all of its tables, and nothing else."""
    missing = set(_squeezed())
    for kind, sql in entries:
        if kind == "index" and sql is None:
            continue  # made by SQLite itself for a PRIMARY KEY or UNIQUE
        text = " ".join(sql.split()) if isinstance(sql, str) else ""
        if kind != "table" or (text not in missing and text != _SEQUENCE):
            return False
        missing.discard(text)
    return not missing


def _statements() -> list[str]:
    return [statement.strip() for statement in _SCHEMA.split(";") if statement.strip()]


@lru_cache(maxsize=1)
def _squeezed() -> tuple[str, ...]:
    return tuple(" ".join(statement.split()) for statement in _statements())
