from __future__ import annotations

import os
import random

import pytest
from fakes import HashEmbedder
from store_tools import TREE, Flag, InlinePool, Tree, dump, progress_log, without_flushing

import indexer.update
from indexer import Index, IndexConfig
from indexer.errors import BadInputError, CancelledError, EmbedderMismatchError, NoIndexError


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


def assert_like_fresh(tree, index):
    fresh = tree.open("fresh")
    fresh.rebuild()
    assert dump(index) == dump(fresh)


def test_first_update_stores_all(tree):
    index = tree.open()
    report = index.update()
    assert (report.files, report.files_parsed, report.generation) == (5, 5, 1)
    assert index.paths() == sorted(TREE)
    assert all(index.text(path) == text for path, text in TREE.items())
    assert "".join(c[1] for c in dump(index)["files"]["app/model.py"]["chunks"]) == TREE["app/model.py"]
    assert index.imports("app/main.py")
    assert index.text("nothing.py") is None


def test_symbols_and_references(tree):
    index = tree.open()
    index.update()
    assert [(s.path, s.qualified) for s in index.symbols("load_all")] == [("app/model.py", "Store.load_all")]
    assert index.symbols("Store.load_all") == index.symbols("load_all")
    assert index.symbols("Other.load_all") == []
    assert [s.name for s in index.symbols("store")] == ["Store"]
    assert [s.name for s in index.file_symbols("app/model.py")] == ["Store", "load_all", "parse_rows"]
    found = index.references("parse_rows")
    assert [(r.path, r.enclosing) for r in found] == [("app/model.py", "Store.load_all")]
    assert TREE["app/model.py"][found[0].span.start_byte : found[0].span.end_byte] == "parse_rows"
    assert index.references("nowhere") == []


def test_similar_leaves_out_a_file(tree):
    index = tree.open()
    index.update()
    assert index.similar("load all rows of a store", 1)[0].chunk.path == "docs/guide.md"
    found = index.similar("load all rows of a store", 10, exclude="docs/guide.md")
    assert found
    assert all(hit.chunk.path != "docs/guide.md" for hit in found)
    assert [h.score for h in found] == sorted((h.score for h in found), reverse=True)


def test_no_change_reads_nothing(tree, monkeypatch):
    index = tree.open()
    index.update()
    monkeypatch.setattr("indexer.plan.digest", lambda *_: pytest.fail("a file was read"))
    report = index.update()
    assert (report.files_parsed, report.generation, report.bytes_read) == (0, 1, 0)


def test_touched_file_is_not_parsed(tree):
    index = tree.open()
    index.update()
    before = dump(index)
    tree.age("app/main.py")
    assert not index.stale(), "the contents are the same"
    report = index.update()
    assert (report.files_parsed, report.generation) == (0, 1)
    assert not index.stale()
    assert dump(index) == before


def test_edit_delete_add_equals_fresh(tree):
    index = tree.open()
    index.update()
    InlinePool.analysed = []
    tree.write({"app/model.py": "class Shop:\n    def load_all(self): return other()\n", "new/x.go": "package x\n"})
    (tree.root / "web/view.js").unlink()
    report = index.update()
    assert sorted(InlinePool.analysed) == ["app/model.py", "new/x.go"]
    assert (report.files_parsed, report.files_removed, report.files, report.generation) == (2, 1, 5, 2)
    assert index.symbols("Store") == []
    assert index.symbols("Shop")
    assert index.references("parse_rows") == []
    assert_like_fresh(tree, index)


def test_rename_reads_and_embeds_nothing_and_equals_fresh(tree, monkeypatch):
    index = tree.open()
    index.update()
    (tree.root / "app/model.py").rename(tree.root / "app/storage.py")
    (tree.root / "docs/guide.md").rename(tree.root / "docs/guide.txt")
    InlinePool.analysed = []
    report = index.update()
    assert InlinePool.analysed == ["docs/guide.txt"], "another language: parsed again; a rename alone parses nothing"
    assert report.files == 5
    assert index.symbols("Store")[0].path == "app/storage.py"
    assert [c.path for c in (h.chunk for h in index.search("storage").hits)][:1] == ["app/storage.py"]
    assert_like_fresh(tree, index)


def test_a_renamed_folder_writes_no_segment(tree):
    index = tree.open()
    index.update()
    (tree.root / "app").rename(tree.root / "core")
    InlinePool.analysed = []
    report = index.update()
    assert (InlinePool.analysed, report.generation, index.status().segments) == ([], 2, 1)
    assert index.search("parse_rows").hits[0].chunk.path == "core/model.py"
    assert_like_fresh(tree, index)


def test_edit_within_the_tick_of_the_clock_is_seen(tree, monkeypatch):
    index = tree.open()
    path = tree.root / "app/main.py"
    now = tree.clock + 10**12 + 1
    os.utime(path, ns=(now, now))
    monkeypatch.setattr("time.time_ns", lambda: now + 1)
    index.update()
    path.write_text(TREE["app/main.py"].replace("run", "fly"))
    os.utime(path, ns=(now, now))
    index.update()
    assert index.symbols("fly")
    assert not index.symbols("run")


def test_random_changes_equal_fresh(tree, monkeypatch):
    """Any sequence of edits, additions, deletions and renames; merges happen on the way."""
    rng = random.Random(7)
    index = tree.open()
    index.update()
    merged = []
    real = indexer.update.merge
    monkeypatch.setattr("indexer.update.merge", lambda *a: merged.append(a) or real(*a))
    for step in range(24):
        present = index.paths()
        victim = rng.choice(present)
        match rng.randrange(4):
            case 0:
                tree.write({victim: f"def f{step}():\n    return g{rng.randrange(5)}(load_all)\n"})
            case 1:
                tree.write({f"more/m{step}.py": f"class C{step}:\n    def load_all(self): return run({step})\n"})
            case 2 if len(present) > 3:
                (tree.root / victim).unlink()
            case _:
                (tree.root / victim).rename((tree.root / victim).with_stem(f"moved{step}"))
        index.update()
    assert merged
    assert_like_fresh(tree, index)


def test_two_fresh_indexes_have_equal_rows(tree):
    one, two = tree.open("one"), tree.open("two")
    one.update()
    two.update()
    with one._view() as a, two._view() as b:
        assert a.rows == b.rows == 4
        assert [a.chunk(r) for r in range(a.rows)] == [b.chunk(r) for r in range(b.rows)]


def test_merge_drops_dead_rows(tree):
    index = tree.open()
    index.update()
    for path in ("app/main.py", "app/model.py", "web/view.js"):
        (tree.root / path).unlink()
    index.update()
    with index._view() as snapshot:
        assert snapshot.alive is None, "more than half was dead: merged"
        assert len(snapshot._segments) == 1
    assert_like_fresh(tree, index)


def test_everything_deleted(tree):
    index = tree.open()
    index.update()
    for path in TREE:
        (tree.root / path).unlink()
    report = index.update()
    assert (report.files, report.chunks, report.files_removed) == (0, 0, 5)
    assert index.paths() == []
    assert index.similar("anything", 3) == []
    assert not list((index.folder / "segments").iterdir())


def test_changed_chunk_size_analyses_everything(tree):
    tree.open().update()
    InlinePool.analysed = []
    Index.open(tree.root, tree.config(chunk_bytes=200), embedder=HashEmbedder()).update()
    assert sorted(InlinePool.analysed) == sorted(TREE)


def test_refused_file_is_reported_each_time_and_read_once(tree):
    tree.write({"blob.py": "x = '\0\0\0'\n"})
    index = tree.open()
    first = index.update()
    second = index.update()
    assert [s.path for s in first.skipped if s.path == "blob.py"] == ["blob.py"]
    assert first.skipped == second.skipped
    assert InlinePool.analysed.count("blob.py") == 1
    assert "blob.py" not in index.paths()


def test_stale_sees_edits_new_and_deleted_files(tree):
    index = tree.open()
    index.update()
    assert not index.stale()
    assert not index.status().stale
    tree.write({"app/main.py": "changed = 1\n"})
    assert index.stale()
    index.update()
    assert not index.stale()
    (tree.root / "app/extra.py").write_text("x = 1\n")
    assert index.stale()
    index.update()
    (tree.root / "app/extra.py").unlink()
    assert index.stale()


def test_status(tree):
    index = tree.open()
    index.update()
    status = index.status()
    assert (status.files, status.generation, status.segments, status.dimension) == (5, 1, 1, 32)
    assert status.embedder == "hash-32"
    assert status.languages["python"] == 3
    assert status.bytes == sum(map(len, TREE.values()))
    assert status.bytes_on_disk > 1000


def test_progress_and_cancel(tree):
    index = tree.open()
    seen, log = progress_log()
    index.update(log)
    assert seen[0].stage == "list"
    parsed = [p for p in seen if p.stage == "parse"]
    assert [p.current for p in parsed] == sorted(TREE)
    assert parsed[-1].bytes_total == sum(map(len, TREE.values()))
    tree.write({"app/main.py": "y = 2\n"})
    before = dump(index)
    with pytest.raises(CancelledError):
        index.update(cancel=Flag(True))
    assert dump(index) == before
    assert index.stale()


def test_empty_folder(tmp_path):
    (tmp_path / "none").mkdir()
    index = Index.open(tmp_path / "none", IndexConfig(cache_dir=tmp_path / "c"), create=True, embedder=HashEmbedder())
    report = index.update()
    assert (report.files, report.generation) == (0, 1)
    assert index.paths() == []
    assert index.symbols("x") == []
    index.close()


def test_no_such_folder(tmp_path):
    with pytest.raises(BadInputError, match="no folder"):
        Index.open(tmp_path / "nothing")


def test_no_index_yet(tree):
    with pytest.raises(NoIndexError):
        tree.open(create=False)
    with pytest.raises(NoIndexError):
        tree.open().paths()


def test_other_embedder_is_named(tree):
    tree.open().update()
    with pytest.raises(EmbedderMismatchError, match=r"hash-32.*hash-64"):
        tree.open(embedder=HashEmbedder(64)).similar("x", 1)
    tree.write({"app/main.py": "z = 1\n"})
    with pytest.raises(EmbedderMismatchError, match="hash-32"):
        tree.open(embedder=HashEmbedder(64)).update()
    with pytest.raises(EmbedderMismatchError, match="some/model"):
        Index.open(tree.root, tree.config(embedder="some/model"))
    index = tree.open(embedder=HashEmbedder(64), rebuild=True)
    index.rebuild()
    assert index.status().dimension == 64
    assert index.similar("load all", 1)


def test_index_in_the_repository_is_hidden_from_git(tree):
    config = IndexConfig(in_repository=True)
    index = Index.open(tree.root, config, create=True, embedder=HashEmbedder())
    index.update()
    assert (tree.root / ".codemoat/.gitignore").read_text() == "*\n"
    assert index.paths() == sorted(TREE)
    assert not index.stale()
    assert index.update().files_parsed == 0
    index.close()


def test_absolute_paths_are_understood(tree):
    index = tree.open()
    index.update()
    assert index.text(tree.root / "app/main.py") == TREE["app/main.py"]
    with pytest.raises(BadInputError):
        index.text("/etc/passwd")


def test_public_face_imports_lazily():
    import subprocess
    import sys

    code = "import sys, indexer; assert 'numpy' not in sys.modules and 'sqlite3' not in sys.modules; indexer.Index"
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError):
        indexer.nothing  # noqa: B018
