"""What an editor has not saved yet stands for the file in everything that reads."""

from __future__ import annotations

import threading

import pytest
from store_tools import TREE, InlinePool, Tree, dump, without_flushing

from indexer import Filters
from indexer.errors import BadInputError, NoIndexError

MAIN = "app/main.py"
EDITED = "import json\nfrom app.model import Store\n\n\ndef launch_rocket(path):\n    return parse_rows(path)\n"


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
    return index


def paths(result):
    return [hit.chunk.path for hit in result.hits]


def test_a_buffer_is_found_read_and_looked_up_in_place_of_the_file(index):
    assert index.put_buffer(MAIN, EDITED) is None
    assert index.text(MAIN) == EDITED
    assert index.imports(MAIN) == ("json", "app.model")
    assert [s.name for s in index.file_symbols(MAIN)] == ["launch_rocket"]
    assert [s.path for s in index.symbols("launch_rocket")] == [MAIN]
    assert index.symbols("run") == []
    assert (MAIN, "launch_rocket") in [(r.path, r.enclosing) for r in index.references("parse_rows")]
    found = index.search("launch rocket")
    assert paths(found)[0] == MAIN
    assert found.hits[0].chunk.text == EDITED
    assert index.similar("launch rocket json", 1)[0].chunk.path == MAIN
    assert index.paths() == sorted(TREE)
    assert index.search("launch_rocket", filters=Filters(languages=("python",))).hits[0].chunk.path == MAIN
    assert paths(index.search("launch_rocket", filters=Filters(languages=("javascript",)))) == []


def test_dropping_it_brings_the_file_back(tree, index):
    before = dump(index)
    index.put_buffer(MAIN, EDITED)
    index.put_buffer("web/view.js", "")
    assert dump(index) != before
    index.drop_buffer(tree.root / MAIN)
    index.drop_buffer("web/view.js")
    index.drop_buffer("web/view.js")
    assert dump(index) == before


def test_buffers_equal_an_index_of_the_saved_files(tree, index):
    buffers = {MAIN: EDITED, "web/view.js": "export const one = 1\n", "docs/guide.md": "# Other\n\nwords\n",
               "new/added.py": "class Added:\n    pass\n", "empty.py": ""}  # fmt: skip
    for path, text in buffers.items():
        assert index.put_buffer(path, text) is None
    overlaid = dump(index)
    tree.write(buffers)
    saved = tree.open("fresh")
    saved.update()
    expected = dump(saved)
    del overlaid["totals"], expected["totals"]
    assert overlaid == expected


def test_an_untitled_file_is_found_before_it_exists(index):
    assert index.put_buffer("lib/fresh.py", "def brand_new(): pass\n") is None
    assert index.symbols("brand_new")[0].path == "lib/fresh.py"
    assert paths(index.search("fresh"))[0] == "lib/fresh.py", "by its path"
    assert "lib/fresh.py" in index.paths()


def test_the_latest_text_counts_and_each_is_parsed_once(index):
    InlinePool.analysed = []
    for number in range(3):
        index.put_buffer(MAIN, f"def version{number}(): pass\n")
    index.put_buffer("web/view.js", "function other() {}\n")
    assert [index.symbols(f"version{n}") != [] for n in range(3)] == [False, False, True]
    index.search("version")
    assert InlinePool.analysed == [MAIN] * 3 + ["web/view.js"]


def test_an_update_underneath_leaves_the_buffer_on_top(tree, index):
    index.put_buffer(MAIN, EDITED)
    tree.write({MAIN: "def from_disk(): pass\n", "app/model.py": "class Fresh: pass\n"})
    index.update()
    assert index.text(MAIN) == EDITED
    assert index.symbols("from_disk") == []
    assert index.symbols("Fresh")
    index.drop_buffer(MAIN)
    assert index.symbols("from_disk")
    index.rebuild()
    assert index.symbols("from_disk")


@pytest.mark.parametrize(
    ("path", "text", "reason"),
    [
        (".env", "TOKEN=1\n", "Secret file"),
        ("build/out.py", "x = 1\n", "Excluded by"),
        ("notes.private", "words\n", "Excluded by"),
        (MAIN, "x = '\0'\n", "Binary"),
        (MAIN, "x" * 1_000_001, "Larger than"),
    ],
)
def test_what_may_not_be_indexed_may_not_as_a_buffer(tree, index, path, text, reason):
    tree.write({".gitignore": "build/\n", ".codemoatignore": "*.private\n"})
    index.put_buffer(path, "def harmless(): pass\n")
    refused = index.put_buffer(path, text)
    assert refused is not None
    assert reason in refused
    assert (index.text(path) or TREE.get(path)) == TREE.get(path)


def test_secrets_in_a_buffer_are_masked(index):
    index.put_buffer(MAIN, 'aws = "AKIAIOSFODNN7EXAMPLQ"\n')
    assert "AKIA" not in (index.text(MAIN) or "AKIA")


def test_a_path_outside_is_refused(index):
    with pytest.raises(BadInputError):
        index.put_buffer("/etc/passwd", "x")


def test_before_the_first_index_there_is_still_none(tree):
    index = tree.open()
    index.put_buffer(MAIN, EDITED)
    with pytest.raises(NoIndexError):
        index.text(MAIN)
    index.update()
    assert index.text(MAIN) == EDITED


def test_buffers_change_while_others_read(index):
    """One thread types, others search: nobody sees a half state."""
    errors = []
    done = threading.Event()

    def read():
        try:
            while not done.is_set():
                text = index.text(MAIN)
                assert text == TREE[MAIN] or "version" in text
                index.search("version load rows")
        except BaseException as exc:
            errors.append(exc)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(30):
        index.put_buffer(MAIN, f"def version{number}(): return load_rows()\n")
        if number % 7 == 0:
            index.drop_buffer(MAIN)
    done.set()
    for thread in threads:
        thread.join(30)
    assert errors == []
    assert index.symbols("version29")


def test_a_real_worker_parses_buffers_and_ends_with_the_index(tree, monkeypatch):
    monkeypatch.undo()
    index = tree.open("real")
    index.update()
    assert index.put_buffer(MAIN, EDITED) is None
    (pid,) = index._buffers._pool.pids
    assert index.symbols("launch_rocket")
    index.close()
    with pytest.raises(ProcessLookupError):
        import os

        os.kill(pid, 0)
