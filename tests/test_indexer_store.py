"""What an index does when its files are damaged, foreign, read-only, or the disk is full."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from pathlib import Path
from types import SimpleNamespace

import pytest
from store_tools import TREE, InlinePool, Tree, dump, progress_log, without_flushing

from indexer.errors import CorruptIndexError, NewerIndexError, NoIndexError, StorageError
from indexer.store import FORMAT, mapped_errors


@pytest.fixture
def tree(tmp_path, monkeypatch):
    without_flushing(monkeypatch)
    monkeypatch.setattr("indexer.workers.WorkerPool", InlinePool)
    tree = Tree(tmp_path / "repo", tmp_path)
    tree.root.mkdir()
    tree.write(TREE)
    tree.open().update()
    tree.close()
    yield tree
    tree.close()


def segment_file(tree, name):
    (folder,) = (tree.folder() / "segments").iterdir()
    return folder / name


def truncate(path, keep):
    os.truncate(path, int(path.stat().st_size * keep))


def use(tree):
    """Everything that reads; what is damaged shows somewhere."""
    index = tree.open(create=False)
    index.paths()
    index.similar("load", 3)
    index.references("load_all")
    index.symbols("Store")
    index.verify()


def assert_repairs(tree, parsed=None):
    """An update makes good what was damaged, by itself and with a word about it; ``parsed``: files read for that."""
    index = tree.open()
    report = index.update()
    assert report.repaired
    assert parsed is None or report.files_parsed == parsed
    fresh = tree.open("fresh")
    fresh.rebuild()
    assert dump(index) == dump(fresh)
    use(tree)
    assert index.update().repaired == ()
    return report


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9])
def test_truncated_database(tree, keep):
    truncate(tree.folder() / "index.sqlite", keep)
    with pytest.raises(CorruptIndexError) as caught:
        use(tree)
    assert "`codemoat index`" in caught.value.hint
    assert_repairs(tree)


def test_empty_database_is_no_index(tree):
    truncate(tree.folder() / "index.sqlite", 0)
    with pytest.raises(NoIndexError):
        tree.open(create=False)
    index = tree.open()
    index.update()
    assert index.paths() == sorted(TREE)


def test_garbage_for_a_database(tree):
    (tree.folder() / "index.sqlite").write_bytes(b"not a database" * 1000)
    with pytest.raises(CorruptIndexError):
        tree.open(create=False)
    assert_repairs(tree)


def test_garbage_in_the_middle_of_the_database(tree):
    path = tree.folder() / "index.sqlite"
    with path.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(os.urandom(path.stat().st_size - 4096 * 4))
    with pytest.raises(CorruptIndexError):
        use(tree)
    assert_repairs(tree)


def test_database_of_something_else(tree):
    path = tree.folder() / "index.sqlite"
    path.unlink()
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE notes (text)")
    other.commit()
    other.close()
    with pytest.raises(CorruptIndexError, match="not an index"):
        tree.open(create=False)
    assert "not an index" in assert_repairs(tree).repaired[0]


@pytest.mark.parametrize("name", ["columns.bin", "vectors.faiss", "manifest.json"])
@pytest.mark.parametrize("keep", [0, 0.5])
def test_truncated_segment(tree, name, keep):
    tree.write({"app/more.py": "def more(): return load_all()\n"})
    tree.open().update()
    path = tree.folder() / "segments" / "0001" / name
    truncate(path, keep)
    index = tree.open(create=False)
    assert [hit.chunk.path for hit in index.similar("load all", 9)] == ["app/more.py"], "what is whole is found"
    assert index.text("app/main.py") == TREE["app/main.py"]
    found = index.search("load all")
    assert [name in damage for damage in found.damaged] == [True]
    with pytest.raises(CorruptIndexError, match=name):
        index.verify()
    assert name in assert_repairs(tree, parsed=4).repaired[0], "only files of that segment are read again"


@pytest.mark.parametrize("name", ["columns.bin", "vectors.faiss", "manifest.json", "."])
def test_missing_segment(tree, name):
    path = segment_file(tree, name)
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    index = tree.open(create=False)
    assert index.similar("load all", 9) == []
    assert "missing" in index.search("load all").damaged[0]
    assert index.symbols("Store") == []
    assert_repairs(tree, parsed=4)


def test_damaged_segment_of_files_that_changed_too(tree):
    shutil.rmtree(segment_file(tree, "."))
    for path in ("app/main.py", "app/model.py"):
        (tree.root / path).unlink()
    tree.write({"web/view.js": "export const x = 1\n"})
    assert_repairs(tree, parsed=2)


def test_damaged_text_of_one_file(tree):
    database = sqlite3.connect(tree.folder() / "index.sqlite")
    with database:
        (number,) = database.execute("SELECT id FROM files WHERE path = 'app/model.py'").fetchone()
        (body,) = database.execute("SELECT body FROM bodies WHERE file_id = ?", (number,)).fetchone()
        spoilt = body[:-20] + bytes(byte ^ 255 for byte in body[-20:])
        database.execute("UPDATE bodies SET body = ? WHERE file_id = ?", (spoilt, number))
    database.close()
    index = tree.open(create=False)
    assert index.text("app/main.py") == TREE["app/main.py"]
    with pytest.raises(CorruptIndexError) as caught:
        index.text("app/model.py")
    assert "`codemoat index`" in caught.value.hint
    assert_repairs(tree, parsed=1)
    assert index.text("app/model.py") == TREE["app/model.py"]


def test_unreadable_segment(tree, unprivileged):
    path = segment_file(tree, "columns.bin")
    unprivileged(tree.cache / "cache")
    if os.getuid() == 0:
        os.seteuid(0)
    path.chmod(0)
    if os.getuid() == 0:
        os.seteuid(65534)
    with pytest.raises(StorageError, match="ermission"):
        tree.open(create=False)


def test_changed_byte_in_a_segment_is_found_by_verify(tree):
    path = segment_file(tree, "columns.bin")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    index = tree.open(create=False)
    with pytest.raises(CorruptIndexError, match=r"columns\.bin"):
        index.verify()


def test_newer_format(tree):
    other = sqlite3.connect(tree.folder() / "index.sqlite")
    other.execute("PRAGMA user_version = 999")
    other.close()
    with pytest.raises(NewerIndexError, match="999") as caught:
        tree.open(create=False)
    assert "--rebuild" in caught.value.hint
    with pytest.raises(NewerIndexError):
        tree.open(rebuild=True).update()
    index = tree.open(rebuild=True)
    assert "newer" in index.rebuild().repaired[0]
    assert index.paths() == sorted(TREE)
    use(tree)


def test_older_format_is_made_again_by_update_and_said(tree, monkeypatch):
    monkeypatch.setattr("indexer.store.FORMAT", FORMAT + 1)
    with pytest.raises(NoIndexError, match="older"):
        tree.open(create=False)
    index = tree.open()
    seen, log = progress_log()
    report = index.update(log)
    assert [p.current for p in seen if p.stage == "anew"] == list(report.repaired)
    assert "older" in report.repaired[0]
    assert report.files_parsed == len(TREE)
    assert index.paths() == sorted(TREE)


class FullDisk:
    """Lets ``allowed`` flushes pass, then the disk is full; counts what was asked."""

    def __init__(self, allowed, code=errno.ENOSPC):
        self.left, self.code, self.real = allowed, code, os.fsync

    def __call__(self, handle):
        if not self.left:
            raise OSError(self.code, os.strerror(self.code))
        self.left -= 1
        self.real(handle)


@pytest.mark.parametrize(
    ("code", "says"), [(errno.ENOSPC, "disk is full"), (errno.EROFS, "read-only"), (errno.EACCES, "permission")]
)
def test_failing_segment_write_leaves_the_last_generation(tree, monkeypatch, code, says):
    index = tree.open()
    before = dump(index)
    for allowed in range(5):
        tree.write({"app/main.py": f"x = {allowed}\n"})
        with monkeypatch.context() as patch:
            patch.setattr("os.fsync", FullDisk(allowed, code))
            with pytest.raises(StorageError, match=says):
                index.update()
        assert dump(index) == before
        assert dump(tree.open(create=False)) == before
        assert len(list((index.folder / "segments").iterdir())) == 1, "nothing is left lying about"
    index.update()
    assert index.text("app/main.py") == "x = 4\n"


def test_full_disk_under_the_database(tree, monkeypatch):
    index = tree.open()
    before = dump(index)
    tree.write({"app/big.py": "".join(f"def f{n}(): return {n * 7919}\n" for n in range(3000))})
    real = sqlite3.connect

    def small(*args, **options):
        connection = real(*args, **options)
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages + 4}")
        return connection

    with monkeypatch.context() as patch:
        patch.setattr("sqlite3.connect", small)
        with pytest.raises(StorageError, match="disk is full"):
            index.update()
    assert dump(index) == before
    index.update()
    assert index.symbols("f2999")


def test_cache_that_cannot_be_made(tree):
    (tree.cache / "blocked").write_text("a file where the cache should be")
    with pytest.raises(StorageError):
        tree.open("blocked").update()


@pytest.fixture
def unprivileged(tmp_path):
    """Calling it makes this process somebody whom file modes bind; everything is given back afterwards."""
    for folder in (tmp_path, *tmp_path.parents):
        if not folder.stat().st_mode & 0o001:
            folder.chmod(0o755)

    def become(folder: Path):
        for path in (*folder.rglob("*"), folder):
            path.chmod(0o555 if path.is_dir() else 0o444)
        if os.getuid() == 0:
            os.seteuid(65534)

    yield become
    if os.getuid() == 0:
        os.seteuid(0)
    for path in (tmp_path, *tmp_path.rglob("*")):
        path.chmod(0o755)


def test_read_only_cache_is_read_but_not_written(tree, unprivileged):
    tree.write({"app/main.py": "x = 'new'\n"})
    unprivileged(tree.cache / "cache")
    index = tree.open(create=False)
    assert index.paths() == sorted(TREE)
    assert index.similar("load", 2)
    assert index.stale()
    with pytest.raises(StorageError, match="ermission"):
        index.update()
    assert index.symbols("Store")


@pytest.mark.slow
def test_space_of_deleted_files_goes_back_to_the_disk(tree):
    """SQLite gives one page back for each step of its pragma, so that one call gave back one page."""
    large = {f"data/{n}.py": "".join(f"value_{n}_{i} = {hash((n, i))}\n" for i in range(4_000)) for n in range(6)}
    tree.write(large)
    tree.open().update()
    database = tree.folder() / "index.sqlite"
    before = database.stat().st_size
    for path in large:
        (tree.root / path).unlink()
    tree.open().update()
    tree.close()
    with sqlite3.connect(database) as connection:
        (free,), (pages,) = (
            connection.execute(f"PRAGMA {name}").fetchone() for name in ("freelist_count", "page_count")
        )
    assert free <= 0.03 * pages
    assert database.stat().st_size < before / 2


@pytest.mark.parametrize(
    ("free", "says"), [({"f_bavail": 3}, "The disk is full"), ({"f_favail": 0}, "The disk is full"), ({}, "Check the")]
)
def test_an_input_output_error_of_a_full_disk(tmp_path, monkeypatch, free, says):
    """SQLite tells of a full disk by that error where it cannot make the file that readers share."""
    disk = {"f_bavail": 1_000, "f_frsize": 4_096, "f_files": 100, "f_favail": 50, **free}
    monkeypatch.setattr(os, "statvfs", lambda path: SimpleNamespace(**disk))
    failure = sqlite3.OperationalError("disk I/O error")
    failure.sqlite_errorcode = sqlite3.SQLITE_IOERR | 19 << 8  # SQLITE_IOERR_SHMSIZE
    with pytest.raises(StorageError) as caught, mapped_errors("reading the index", tmp_path / "index.sqlite"):
        raise failure
    assert says in f"{caught.value.message} {caught.value.hint}"
