"""A file of the index gets shorter while a process has it mapped: that process goes on, and says what is wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import HashEmbedder
from store_tools import TREE, InlinePool, Tree, without_flushing

import indexer.segment
from indexer.errors import CorruptIndexError
from indexer.segment import Segment

pytestmark = pytest.mark.slow

TESTS = Path(__file__).parent

# Keeps one index open; for each line of its input does everything that reads, and says in one line what came of it.
CHILD = """
import json, sys
from pathlib import Path
from fakes import HashEmbedder
import indexer.segment
from indexer import Index, IndexConfig
from indexer.errors import CodemoatError
indexer.segment._MAPPED_BYTES = int(sys.argv[3])
index = Index.open(Path(sys.argv[1]), IndexConfig(cache_dir=Path(sys.argv[2])), embedder=HashEmbedder(256))

def done(action):
    try:
        return action()
    except CodemoatError as exc:
        return exc.message

for line in sys.stdin:
    found = {
        "search": done(lambda: [hit.chunk.path for hit in index.search("load all rows").hits]),
        "said": done(lambda: index.search("load all rows").damaged),
        "grep": done(lambda: [match.path for match in index.grep("load_all").matches]),
        "symbols": done(lambda: [symbol.path for symbol in index.symbols("Store")]),
        "like": done(lambda: [symbol.path for symbol in index.symbols_like("stor")]),
        "context": done(lambda: [hit.chunk.path for hit in index.similar("load_all", 3)]),
        "references": done(lambda: [use.path for use in index.references("load_all")]),
        "text": done(lambda: index.text("app/main.py")),
    }
    print(json.dumps(found), flush=True)
"""


@pytest.fixture
def tree(tmp_path, monkeypatch):
    without_flushing(monkeypatch)
    monkeypatch.setattr("indexer.workers.WorkerPool", InlinePool)
    tree = Tree(tmp_path / "repo", tmp_path)
    tree.root.mkdir()
    # Enough for files of several pages: what is missing of the last page of a map reads as zeros.
    padding = {f"lib/part{n}.py": f"def helper_{n}(rows):\n    return rows[{n}]\n" * 40 for n in range(60)}
    tree.write({**padding, **TREE})
    tree.open(embedder=HashEmbedder(256)).update()
    tree.close()
    yield tree
    tree.close()


@pytest.fixture
def reader(tree) -> Iterator[Callable[[int], Callable[[], dict[str, Any]]]]:
    """Starts a process that keeps the index open, mapping files from some size on; calling what it gives asks it."""
    children: list[subprocess.Popen[str]] = []

    def start(mapped_bytes: int) -> Callable[[], dict[str, Any]]:
        command = [sys.executable, "-c", CHILD, str(tree.root), str(tree.cache / "cache"), str(mapped_bytes)]
        child = subprocess.Popen(
            command, cwd=TESTS.parent, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": f"{TESTS.parent}:{TESTS}"},
        )  # fmt: skip
        children.append(child)

        def ask() -> dict[str, Any]:
            assert child.stdin is not None and child.stdout is not None
            child.stdin.write("\n")
            child.stdin.flush()
            line = child.stdout.readline()
            assert line, f"the process died: {child.wait()}"
            found: dict[str, Any] = json.loads(line)
            return found

        return ask

    yield start
    for child in children:
        child.kill()
        child.communicate()


def segment_file(tree: Tree, name: str) -> Path:
    (folder,) = (tree.folder() / "segments").iterdir()
    return folder / name


@pytest.mark.parametrize("keep", [0, 4])
@pytest.mark.parametrize("name", ["columns.bin", "vectors.faiss"])
def test_a_process_outlives_the_end_of_a_mapped_file(tree, reader, name, keep):
    ask = reader(1)
    before = ask()
    assert before["said"] == [] and "app/model.py" in before["symbols"]
    path = segment_file(tree, name)
    size = path.stat().st_size
    assert size > 16_384
    os.truncate(path, keep and size // keep)
    after = ask()
    (said,) = after["said"]
    assert said.startswith("The index is damaged: ") and str(path) in said
    assert not after["search"] and not after["symbols"] and not after["like"] and not after["context"]
    assert after["text"] == TREE["app/main.py"], "what is not in that file is still told"
    assert tree.open(embedder=HashEmbedder(256)).update().repaired
    assert ask() == before


@pytest.mark.parametrize("name", ["columns.bin", "vectors.faiss"])
def test_a_small_file_is_not_mapped(tree, reader, name):
    """Nothing is lost then: the process has a copy."""
    ask = reader(1 << 20)
    before = ask()
    os.truncate(segment_file(tree, name), 0)
    assert ask() == before


@pytest.mark.parametrize("keep", [0, 8])
def test_a_process_outlives_the_end_of_the_index_of_sqlites_log(tree, reader, keep):
    """SQLite maps it, for all who have the database open, and makes it again where it must."""
    ask = reader(1)
    before = ask()
    path = tree.folder() / "index.sqlite-shm"
    for _ in range(2):
        os.truncate(path, keep and path.stat().st_size // keep)
        assert ask() == before
    tree.write({"app/more.py": "class Store:\n    pass\n"})
    tree.open(embedder=HashEmbedder(256)).update()
    assert ask()["symbols"] == ["app/model.py", "app/more.py"]


def test_the_log_of_a_database_that_took_the_place_of_ours_is_left_alone(tree):
    """A rebuild under a reader: the new file may be shorter, and its writer is at work on it."""
    index = tree.open(create=False, embedder=HashEmbedder(256))
    with index._view() as snapshot:
        database, path = snapshot.database, tree.folder() / "index.sqlite-shm"
    os.truncate(path, 2 * path.stat().st_size)
    database.guard()
    new = path.with_name("new")
    new.write_bytes(b"another's")
    new.rename(path)
    database.guard()
    database.close()
    assert path.read_bytes() == b"another's"


def test_a_process_outlives_the_end_of_the_database(tree, reader):
    ask = reader(1)
    before = ask()
    os.truncate(tree.folder() / "index.sqlite", 0)
    after = ask()
    assert all(isinstance(found, str) for found in after.values()), "all are told"
    tree.open(embedder=HashEmbedder(256)).update()
    assert ask() == before


def test_sizes_are_compared_once_for_each_look(tree, monkeypatch):
    monkeypatch.setattr(indexer.segment, "_MAPPED_BYTES", 1)
    looks = []
    compare = Segment.check_sizes
    monkeypatch.setattr(Segment, "check_sizes", lambda segment: looks.append(segment) or compare(segment))
    index = tree.open(create=False, embedder=HashEmbedder(256))
    looks.clear()
    index.search("load all rows")
    assert len(looks) == 1


@pytest.mark.parametrize("keep", [0, 8192])
@pytest.mark.parametrize("mapped_bytes", [1, 1 << 40])
def test_a_file_that_gets_shorter_while_it_is_opened_is_damage(tree, monkeypatch, mapped_bytes, keep):
    """Between the look at its size and the map."""
    monkeypatch.setattr(indexer.segment, "_MAPPED_BYTES", mapped_bytes)
    path = segment_file(tree, "columns.bin")
    real = indexer.segment._contents

    def late(file, size):
        os.truncate(path, keep)
        return real(file, size)

    monkeypatch.setattr(indexer.segment, "_contents", late)
    with pytest.raises(CorruptIndexError):
        Segment(path.parent)
