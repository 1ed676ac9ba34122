"""An index that came with the repository is hostile data: it is not believed, and nothing in it acts."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from fakes import HashEmbedder
from store_tools import TREE, InlinePool, Tree, without_flushing

from indexer import Index
from indexer.errors import CorruptIndexError, NoIndexError
from indexer.file_table import is_inside
from indexer.segment import Segment


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    without_flushing(monkeypatch)
    monkeypatch.setattr("indexer.workers.WorkerPool", InlinePool)


@pytest.fixture
def tree(tmp_path):
    tree = Tree(tmp_path / "repo", tmp_path)
    tree.root.mkdir()
    tree.write(TREE)
    tree.open().update()
    tree.close()
    yield tree
    tree.close()


def open_inside(tree: Tree, cache: str = "cache", **options: Any) -> Index:
    options = {"embedder": HashEmbedder(), **options}
    index = Index.open(tree.root, tree.config(cache, in_repository=True), **options)
    tree.opened.append(index)
    return index


def test_an_index_that_somebody_else_made_is_not_believed(tree):
    theirs = open_inside(tree, "their cache", create=True)
    theirs.update()
    theirs.close()
    with sqlite3.connect(theirs.folder / "index.sqlite") as database:
        database.execute("UPDATE files SET path = 'app/planted.py' WHERE path = 'app/main.py'")
    with pytest.raises(NoIndexError, match="not made by this user"):
        open_inside(tree)
    mine = open_inside(tree, create=True)
    report = mine.update()
    assert "not made by this user" in report.repaired[0]
    assert report.files_parsed == len(TREE)
    assert open_inside(tree).paths() == sorted(TREE)
    assert mine.update().repaired == ()


def test_a_stolen_place_is_no_seal(tree):
    """An index is shipped later, by a pull: what the user's own index left behind does not vouch for it."""
    theirs = open_inside(tree, "their cache", create=True)
    theirs.update()
    theirs.close()
    shutil.move(theirs.folder, tree.cache / "shipped")
    open_inside(tree, create=True).update()
    tree.close()
    for path in ("index.sqlite", "segments/0001/columns.bin"):
        (theirs.folder / path).write_bytes((tree.cache / "shipped" / path).read_bytes())
    with pytest.raises(NoIndexError):
        open_inside(tree)


def test_the_seal_is_the_users_alone(tree):
    open_inside(tree, create=True).update()
    (seal,) = (tree.cache / "cache" / "seals").iterdir()
    assert seal.stat().st_mode & 0o777 == 0o600
    assert seal.parent.stat().st_mode & 0o777 == 0o700
    assert len(seal.read_text()) == 32


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER act AFTER INSERT ON files BEGIN DELETE FROM bodies; END",
        "CREATE VIEW more AS SELECT * FROM files",
        "CREATE INDEX own ON files (lower(path))",
        "CREATE TABLE more (a)",
        "CREATE VIRTUAL TABLE more USING fts5(a)",
        "ALTER TABLE files ADD COLUMN act TEXT GENERATED ALWAYS AS (hex(zeroblob(1000000)))",
        "DROP TABLE path_terms",
    ],
)
def test_a_database_with_another_schema_is_made_again(tree, statement):
    with sqlite3.connect(tree.folder() / "index.sqlite") as database:
        database.execute(statement)
    with pytest.raises(CorruptIndexError, match="other tables than an index"):
        tree.open(create=False)
    assert "other tables than an index" in tree.open().update().repaired[0]
    assert tree.open(create=False).symbols("Store")


def test_a_connection_trusts_nothing_in_the_file(tree):
    with tree.open(create=False)._view() as snapshot:
        asked = [snapshot.database.row(f"PRAGMA {name}")[0] for name in ("trusted_schema", "cell_size_check")]
        assert asked == [0, 1]
        assert snapshot.database.row("PRAGMA mmap_size")[0] == 0


def super_journal(database: Path, victim: Path) -> bytes:
    """A rollback journal that rolls nothing back and belongs to the super-journal ``victim``.

    https://www.sqlite.org/fileformat2.html#rollbackjournal and ``readSuperJournal`` of SQLite's pager.c.
    """
    magic, name = bytes.fromhex("d9d505f920a163d7"), os.fsencode(victim)
    head = magic + struct.pack(">IIIII", 0, 1, database.stat().st_size // 4096, 512, 4096)
    tail = struct.pack(">II", len(name), sum(name)) + magic
    return head.ljust(512, b"\0") + struct.pack(">I", (1 << 30) // 4096 + 1) + name + tail


def test_a_shipped_journal_removes_no_file(tree, tmp_path):
    """SQLite removes the super-journal that a journal names once that is rolled back, wherever it is."""
    victim = tmp_path / "precious"
    database = tree.folder() / "index.sqlite"
    journal = database.with_name("index.sqlite-journal")

    # So it is: without that this test would prove nothing.
    copy = tmp_path / "copy.sqlite"
    copy.write_bytes(database.read_bytes())
    victim.write_text("mine")
    Path(f"{copy}-journal").write_bytes(super_journal(copy, victim))
    with sqlite3.connect(copy) as connection:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
    assert not victim.exists()

    victim.write_text("mine")
    journal.write_bytes(super_journal(database, victim))
    with pytest.raises(NoIndexError):
        tree.open(create=False)
    tree.open().update()
    assert tree.open(create=False).symbols("Store")
    tree.open(rebuild=True).rebuild()
    assert victim.read_text() == "mine"
    assert not journal.exists()


def change_manifest(folder: Path, change: Any) -> None:
    """Change a segment's manifest, with the right checksum."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_bytes().rpartition(b"\n")[0])
    change(manifest)
    text = json.dumps(manifest).encode()
    path.write_bytes(b"%b\n%08x" % (text, zlib.crc32(text)))


def put(*keys: Any, value: Any) -> Any:
    def change(manifest: Any) -> None:
        for key in keys[:-1]:
            manifest = manifest[key]
        manifest[keys[-1]] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        put("rows", value=10**15),
        put("rows", value=-1),
        put("rows", value=2.5),
        put("rows", value=True),
        put("dimension", value=10**9),
        put("lists", value={"total": 10**6, "centroids_at": 0, "at": 0}),
        put("lists", value={"total": -1, "centroids_at": 0, "at": 0}),
        put("lists", value={}),
        put("lists", value=[]),
        put("columns", "row_file", 1, value=-8),
        put("columns", "row_file", 2, value=1 << 40),
        put("columns", "term_end", 1, value=1 << 70),
        put("columns", "term_end", 0, value="|O8"),
        put("columns", "term_end", 0, value="<U1000000000"),
        put("columns", "term_end", 0, value=["<u4"]),
        put("columns", "term_end", value=None),
        put("columns", value={}),
        put("columns", value=[]),
        put("files", "columns.bin", "size", value="many"),
        put("files", value={}),
    ],
)
def test_a_manifest_must_fit_its_files(tree, change):
    folder = tree.folder() / "segments" / "0001"
    change_manifest(folder, change)
    with pytest.raises(CorruptIndexError, match="manifest"):
        Segment(folder)
    assert tree.open(create=False).damaged()
    assert tree.open().update().repaired
    assert tree.open(create=False).symbols("Store")


@pytest.mark.parametrize("data", [b"[" * 900_000, b" " * (2 << 20)], ids=["deep", "long"])
def test_a_manifest_of_nonsense_is_damage(tree, data):
    folder = tree.folder() / "segments" / "0001"
    (folder / "manifest.json").write_bytes(b"%b\n%08x" % (data, zlib.crc32(data)))
    with pytest.raises(CorruptIndexError):
        Segment(folder)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE segments SET number = -1",
        "UPDATE segments SET number = 1 << 60",
        "UPDATE meta SET value = -5 WHERE key = 'next_segment'",
        "UPDATE meta SET value = 1 << 60 WHERE key = 'next_segment'",
        "UPDATE meta SET value = '../../1' WHERE key = 'next_segment'",
        "UPDATE meta SET value = x'00' WHERE key = 'next_segment'",
    ],
)
def test_numbers_of_segments_that_cannot_be(tree, statement):
    with sqlite3.connect(tree.folder() / "index.sqlite") as database:
        database.execute(statement)
    tree.write({"app/more.py": "def more(): pass\n"})
    assert tree.open().update().repaired
    assert tree.open(create=False).symbols("more")


def test_a_row_that_names_a_file_outside_is_damage(tree):
    with sqlite3.connect(tree.folder() / "index.sqlite") as database:
        database.execute("UPDATE files SET path = '../outside.py' WHERE path = 'app/model.py'")
    with pytest.raises(CorruptIndexError, match="outside"):
        tree.open(create=False).symbols("Store")


def test_what_is_inside():
    assert all(map(is_inside, ("a", "a/b", "..a/b..", "a/...", "ä")))
    assert not any(map(is_inside, ("", "/a", "..", "../a", "a/../b", "a/..", None, 7, b"a")))
