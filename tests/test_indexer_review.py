"""What once went wrong: each of these lost, kept or showed something that it must not."""

from __future__ import annotations

import os
import random
import sqlite3
import threading

import pytest
from fakes import HashEmbedder
from store_tools import TREE, InlinePool, Tree, dump, without_flushing
from test_indexer_staging import FILES, stop

from indexer import Filters, Index, IndexConfig
from indexer.control import Control, Linked
from indexer.errors import BadInputError, BrokenInstallError, CancelledError, CodemoatError, CorruptIndexError

pytestmark = pytest.mark.slow


@pytest.fixture
def tree(tmp_path, monkeypatch):
    without_flushing(monkeypatch)
    monkeypatch.setattr("indexer.workers.WorkerPool", InlinePool)
    InlinePool.analysed = []
    tree = Tree(tmp_path / "repo", tmp_path)
    tree.root.mkdir()
    tree.write(TREE)
    yield tree
    tree.close()


def assert_like_fresh(tree, index, **options):
    fresh = tree.open("fresh", **options)
    fresh.rebuild()
    assert dump(index) == dump(fresh)


def test_closing_in_the_middle_of_an_update_loses_no_file(tmp_path):
    """With kept workers: closing cancels the update and waits for it; the next one goes on."""
    root = tmp_path / "root"
    for path, text in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    index = Index.open(root, IndexConfig(cache_dir=tmp_path / "cache", workers=1), create=True)
    index.keep_workers()
    begun, errors = threading.Event(), []

    def update():
        try:
            index.update(lambda progress: begun.set() if progress.files_done > 5 else None)
        except CancelledError as exc:
            errors.append(exc)

    thread = threading.Thread(target=update)
    thread.start()
    assert begun.wait(30)
    index.close()
    thread.join(30)
    assert not thread.is_alive()
    report = index.update()
    assert (report.files, report.skipped) == (40, ())
    assert index.symbols("f39")
    index.close()


def test_a_rename_never_brings_a_secret_to_light(tree):
    secret = 'password = "hunter2secretvalue9"\n'
    tree.write({"tests/test_conn.py": secret})
    index = tree.open()
    index.update()
    (tree.root / "tests/test_conn.py").rename(tree.root / "app/conn.py")
    index.update()
    assert "hunter2" not in index.text("app/conn.py")
    assert_like_fresh(tree, index)


def test_a_broken_installation_costs_no_index(tree, monkeypatch):
    index = tree.open()
    index.update()
    before = dump(index)

    def broken():
        raise BrokenInstallError("The embedding that ships with codemoat is damaged.", "Install codemoat again.")

    tree.write({"app/main.py": "x = 1\n"})
    with monkeypatch.context() as patch:
        patch.setattr(index, "_load_embedder", broken)
        with pytest.raises(BrokenInstallError):
            index.update()
    assert dump(index) == before
    index.update()
    assert index.text("app/main.py") == "x = 1\n"


def test_a_folder_whose_name_is_no_utf8_costs_itself_only(tree):
    odd = os.fsdecode(b"odd\xff")
    (tree.root / odd).mkdir()
    (tree.root / odd / "x.py").write_text("x = 1\n")
    index = tree.open()
    assert index.update().files == len(TREE)
    index.update(paths=[f"{odd}/x.py"])
    for ask in (lambda: index.text(f"{odd}/x.py"), lambda: index.search("x", filters=Filters(languages=(odd,)))):
        with pytest.raises(BadInputError):
            ask()
    with pytest.raises(BadInputError, match="not below"):
        index.put_buffer("../out.py", "x = 1\n")


def test_any_changed_byte_of_a_manifest_is_damage_and_repaired(tree):
    index = tree.open()
    index.update()
    manifest = index.folder / "segments" / "0001" / "manifest.json"
    whole = manifest.read_bytes()
    rng = random.Random(3)
    for place in rng.sample(range(len(whole)), 40):
        data = bytearray(whole)
        data[place] ^= 1 << rng.randrange(8)
        manifest.write_bytes(data)
        assert tree.open(create=False).damaged(), f"byte {place}"
    assert index.update().repaired
    assert_like_fresh(tree, index)


def test_changed_bytes_of_columns_are_at_worst_one_clear_error(tree):
    index = tree.open()
    index.update()
    columns = index.folder / "segments" / "0001" / "columns.bin"
    whole = columns.read_bytes()
    rng = random.Random(4)
    for place in rng.sample(range(len(whole)), 60):
        data = bytearray(whole)
        data[place] ^= 0xFF
        columns.write_bytes(data)
        reader = tree.open(create=False)
        try:
            reader.search("load all rows of a store")
            reader.references("parse_rows")
            reader.symbols("Store")
        except CodemoatError as exc:
            assert isinstance(exc, CorruptIndexError), f"byte {place}: {exc!r}"
        reader.close()
    tree.write({"app/main.py": "x = 1\n"})
    (index.folder / "suspect").touch()
    assert index.update().repaired
    assert_like_fresh(tree, index)


def test_a_cancelled_rebuild_with_another_embedder_leaves_nothing_behind(tree):
    index = tree.open()
    index.update()
    tree.write(FILES)
    other = tree.open(embedder=HashEmbedder(16), rebuild=True)

    class Stop(Control):
        def log(self, progress):
            if progress.stage == "parse" and progress.files_done > 20:
                self.cancel()

    control = Stop()
    with pytest.raises(CancelledError):
        other.rebuild(control.log, control)
    for path in FILES:
        (tree.root / path).unlink()
    index.update()
    assert index.similar("load all", 3)
    assert index.search("load all").hits
    assert_like_fresh(tree, index)


def test_a_failed_update_with_kept_workers_is_done_again_from_what_is_there(tmp_path, monkeypatch):
    root = tmp_path / "root"
    root.mkdir()
    for number in range(40):
        (root / f"m{number:02}.py").write_text(f"def old_{number}(): pass\n")
    index = Index.open(root, IndexConfig(cache_dir=tmp_path / "cache", workers=1), create=True)
    index.keep_workers()
    kept = []
    with monkeypatch.context() as patch:
        patch.setattr("indexer.staging.Staging.store", lambda *_: (_ for _ in ()).throw(OSError(28, "No space")))
        try:
            index.update()
        except CodemoatError as exc:
            kept.append(exc)  # as a watcher keeps it, with its frames
    for number in range(40):
        (root / f"m{number:02}.py").write_text(f"def new_{number}(): return 1\n")
    index.update()
    assert kept
    assert index.symbols("new_39")
    assert not index.symbols("old_3")
    assert [index.symbols(f"old_{n}") for n in range(40)] == [[]] * 40
    index.close()


def test_a_database_replaced_while_somebody_reads_is_no_error(tree):
    index, other = tree.open(), tree.open()
    index.update()
    with index._view() as snapshot:
        database = index.folder / "index.sqlite"
        database.rename(database.with_name("old.sqlite"))
        other.rebuild()
        assert index._searching_embedder(snapshot)
        index._reader.stale_lately(snapshot.database)
        assert snapshot.text("app/main.py") == TREE["app/main.py"]
    (index.folder / "old.sqlite").unlink()
    assert index.paths() == sorted(TREE)


def test_an_emptied_folder_takes_another_embedder(tree):
    tree.open().update()
    for path in TREE:
        (tree.root / path).unlink()
    index = tree.open(embedder=HashEmbedder(64), rebuild=True)
    index.rebuild()
    tree.write(TREE)
    index.update()
    assert index.status().dimension == 64
    assert index.similar("load all", 1)


@pytest.mark.parametrize("lost", ["DELETE FROM bodies WHERE file_id = ?", "DELETE FROM files WHERE id = ?"])
def test_rows_that_are_missing_are_found_by_the_next_update(tree, lost):
    index = tree.open()
    index.update()
    database = sqlite3.connect(index.folder / "index.sqlite")
    with database:
        (number,) = database.execute("SELECT id FROM files WHERE path = 'app/model.py'").fetchone()
        database.execute(lost, (number,))
    database.close()
    reader = tree.open(create=False)
    with pytest.raises(CorruptIndexError):
        reader.similar("load all rows", 9)
    reader.close()
    assert index.update().repaired
    assert index.similar("load all rows", 9)
    assert_like_fresh(tree, index)


def test_a_changed_rule_is_seen_although_only_paths_are_told(tree):
    tree.open().update()
    index = Index.open(tree.root, tree.config(exclude=("web/",)), embedder=HashEmbedder())
    tree.write({"app/main.py": "x = 1\n"})
    index.update(paths=["app/main.py"])
    assert "web/view.js" not in index.paths()
    index.close()


def test_who_reads_does_not_wait_for_a_buffer_that_is_parsed(tree, monkeypatch):
    index = tree.open()
    index.update()
    parsing, go_on = threading.Event(), threading.Event()
    real = InlinePool.analyse_buffer

    def slow(self, path, raw):
        parsing.set()
        assert go_on.wait(30)
        return real(self, path, raw)

    monkeypatch.setattr(InlinePool, "analyse_buffer", slow)
    thread = threading.Thread(target=index.put_buffer, args=("app/main.py", "def typed(): pass\n"))
    thread.start()
    assert parsing.wait(30)
    assert index.search("load all").hits
    go_on.set()
    thread.join(30)
    assert index.symbols("typed")


def test_two_threads_put_two_buffers(tree):
    index = tree.open()
    index.update()
    threads = [
        threading.Thread(target=index.put_buffer, args=(f"app/n{n}.py", f"def typed_{n}(): pass\n")) for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert all(index.symbols(f"typed_{n}") for n in range(8))


def test_a_linked_control_heeds_both_sides():
    theirs = Control()
    own = Linked(theirs)
    theirs.pause()
    assert own.paused
    own.cancel()
    own.wait()
    assert (own.cancelled, theirs.cancelled, own.paused) == (True, True, False)
    alone = Linked(None)
    alone.wait()
    assert (alone.cancelled, alone.paused) == (False, False)
    theirs = Control()
    theirs.cancel()
    assert Linked(theirs).cancelled


def test_an_interrupted_update_is_not_forgotten_by_one_that_changes_nothing(tree):
    tree.write(FILES)
    index = tree.open()
    stop(index, 20)
    assert index.update().files_resumed > 0
    assert_like_fresh(tree, index)
