"""A file that has its indexed contents again is not changed, whatever its times say."""

from __future__ import annotations

import os
import shutil

import pytest
from store_tools import TREE, InlinePool, Tree, without_flushing


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


@pytest.fixture
def index(tree):
    index = tree.open()
    index.update()
    assert not index.stale()
    return index


def test_an_edit_that_is_undone_is_no_change(tree, index):
    tree.write({"app/main.py": "other = 1\n"})
    assert index.stale()
    tree.write({"app/main.py": TREE["app/main.py"]})
    assert not index.stale()
    assert not index.status().stale
    assert not index.search("load").stale


def test_another_text_of_the_same_size_is_a_change(tree, index):
    tree.write({"app/main.py": TREE["app/main.py"].replace("os", "re")})
    assert index.stale()


def test_a_file_put_back_through_a_temporary_one_is_no_change(tree, index):
    path, copy = tree.root / "app/main.py", tree.root / "app/main.py.tmp"
    copy.write_text(TREE["app/main.py"])
    assert index.stale(), "a new file, ignored by nothing"
    copy.replace(path)
    assert not index.stale()


def test_a_folder_that_went_and_came_back_is_no_change(tree, index):
    shutil.copytree(tree.root / "app", tree.root.parent / "kept")
    shutil.rmtree(tree.root / "app")
    assert index.stale()
    shutil.copytree(tree.root.parent / "kept", tree.root / "app")
    assert not index.stale()


def test_files_that_came_and_went_again_are_no_change(tree, index):
    (tree.root / "app/draft.py").write_text("x = 1\n")
    (tree.root / "new").mkdir()
    assert index.stale()
    (tree.root / "app/draft.py").unlink()
    (tree.root / "new").rmdir()
    assert not index.stale()


def test_a_deleted_file_is_a_change_beside_one_that_was_put_back(tree, index):
    tree.write({"app/main.py": TREE["app/main.py"]})
    (tree.root / "web/view.js").unlink()
    assert index.stale()


def test_what_ignore_files_leave_out_is_no_change(tree):
    tree.write({".gitignore": "*.log\nbuild/\n"})
    (tree.root / "old.log").write_text("before\n")
    index = tree.open()
    index.update()
    (tree.root / "app/new.log").write_text("after\n")
    (tree.root / "build").mkdir()
    (tree.root / "build/out.py").write_text("x = 1\n")
    assert not index.stale()
    (tree.root / "app/new.py").write_text("x = 1\n")
    assert index.stale()


def test_a_file_that_is_left_out_stays_no_change_when_its_folder_is_touched(tree):
    (tree.root / "app/blob.bin").write_bytes(b"\0\1\2" * 10)
    index = tree.open()
    index.update()
    (tree.root / "app/x").write_text("")
    (tree.root / "app/x").unlink()
    assert not index.stale()


def test_contents_are_read_once_for_each_new_time(tree, index, monkeypatch):
    tree.write({"app/main.py": TREE["app/main.py"]})
    assert not index.stale()
    monkeypatch.setattr("indexer.plan.digest", lambda *_: pytest.fail("a file was read again"))
    assert not index.stale()


def test_an_update_forgets_what_was_the_same(tree, index):
    """Contents that were the same before an update are compared with those of the new generation."""
    tree.write({"app/main.py": TREE["app/main.py"]})
    assert not index.stale()
    same = (tree.root / "app/main.py").stat()
    tree.write({"app/main.py": "other = 1\n"})
    index.update()
    tree.write({"app/main.py": TREE["app/main.py"]})
    os.utime(tree.root / "app/main.py", ns=(same.st_atime_ns, same.st_mtime_ns))
    assert index.stale()
