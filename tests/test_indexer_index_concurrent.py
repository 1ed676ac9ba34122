"""Several processes and threads on one index: one writes, any number reads, and the writer may die."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time

import pytest
from store_tools import TREE, Flag, InlinePool, Tree, dump, progress_log, without_flushing

from indexer.errors import BusyIndexError, CancelledError, NoIndexError, StorageError


@pytest.fixture
def tree(tmp_path, monkeypatch):
    without_flushing(monkeypatch)
    monkeypatch.setattr("indexer.workers.WorkerPool", InlinePool)
    tree = Tree(tmp_path / "repo", tmp_path)
    tree.root.mkdir()
    tree.write(TREE)
    yield tree
    tree.close()


class Gate:
    """Stops a writer in the middle of its update until ``opened`` is set."""

    def __init__(self, monkeypatch):
        self.reached, self.opened = threading.Event(), threading.Event()
        gate = self

        class GatedPool(InlinePool):
            def analyse(self, paths, cancel=None):
                for result in super().analyse(paths, cancel):
                    gate.reached.set()
                    assert gate.opened.wait(30)
                    yield result

        monkeypatch.setattr("indexer.workers.WorkerPool", GatedPool)


def in_thread(work):
    results = []
    thread = threading.Thread(target=lambda: results.append(work()))
    thread.start()
    return thread, results


def test_readers_keep_the_last_generation_while_a_writer_works(tree, monkeypatch):
    writer, reader = tree.open(), tree.open()
    writer.update()
    before = dump(reader)
    tree.write({"app/model.py": "class Fresh: pass\n"})
    gate = Gate(monkeypatch)
    thread, results = in_thread(writer.update)
    assert gate.reached.wait(30)
    assert dump(reader) == before
    assert dump(tree.open(create=False)) == before
    assert dump(writer) == before, "the same object reads while another thread updates through it"
    gate.opened.set()
    thread.join()
    assert results[0].generation == 2
    assert reader.symbols("Fresh")
    assert not reader.symbols("Store")


def test_first_index_is_not_seen_before_it_is_whole(tree, monkeypatch):
    gate = Gate(monkeypatch)
    thread, _ = in_thread(tree.open().update)
    assert gate.reached.wait(30)
    with pytest.raises(NoIndexError):
        tree.open(create=False)
    gate.opened.set()
    thread.join()
    assert tree.open(create=False).paths() == sorted(TREE)


def test_view_survives_that_its_segments_are_pruned(tree):
    writer, reader = tree.open(), tree.open()
    writer.update()
    with reader._view() as snapshot:
        rows = snapshot.rows
        before = [snapshot.chunk(row) for row in range(rows)]
        writer.rebuild()
        assert not (writer.folder / "segments" / "0001").exists()
        term = snapshot._segments[0].terms[0].decode()
        assert snapshot.postings(term)[0].size
        assert [snapshot.chunk(row) for row in range(rows)] == before
    assert reader.status().generation == 2


def test_second_writer_waits_says_so_and_finds_nothing_to_do(tree, monkeypatch):
    gate = Gate(monkeypatch)
    first, _ = in_thread(tree.open().update)
    assert gate.reached.wait(30)
    seen, log = progress_log()
    second, results = in_thread(lambda: tree.open().update(log))
    while not seen:
        assert second.is_alive()
        time.sleep(0.01)
    gate.opened.set()
    first.join()
    second.join()
    assert seen[0].stage == "wait"
    assert (results[0].files_parsed, results[0].generation, results[0].files) == (0, 1, len(TREE))


def test_second_writer_loses_patience_or_is_cancelled(tree, monkeypatch):
    gate = Gate(monkeypatch)
    first, _ = in_thread(tree.open().update)
    assert gate.reached.wait(30)
    with pytest.raises(BusyIndexError):
        tree.open().update(patience=0)
    with pytest.raises(CancelledError):
        tree.open().update(cancel=Flag(True))
    gate.opened.set()
    first.join()


def test_lock_of_a_dead_writer_is_free(tree):
    code = (
        "import os, sys\nfrom indexer.lock import writer_lock\nfrom pathlib import Path\n"
        "with writer_lock(Path(sys.argv[1]), waiting=lambda: None):\n    os.kill(os.getpid(), 9)\n"
    )
    folder = tree.folder()
    assert subprocess.run([sys.executable, "-c", code, folder], check=False).returncode == -signal.SIGKILL
    assert tree.open().update(patience=0).files == len(TREE)


def test_a_network_file_system_is_refused_with_the_remedy(tree, monkeypatch):
    monkeypatch.setattr("indexer.network.network_file_system", lambda path: "nfs4")
    with pytest.raises(StorageError, match="nfs4") as caught:
        tree.open().update()
    assert "CODEMOAT_CACHE_DIR" in caught.value.hint
    assert not tree.folder().exists(), "nothing was written there"
