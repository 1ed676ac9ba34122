"""An update that is told what changed: as good as one that looks at everything, and it looks at that alone."""

from __future__ import annotations

import random
import subprocess

import pytest
from store_tools import TREE, InlinePool, Tree, dump, without_flushing


@pytest.fixture(params=["git", "plain"])
def tree(request, tmp_path, monkeypatch):
    without_flushing(monkeypatch)
    monkeypatch.setattr("indexer.workers.WorkerPool", InlinePool)
    InlinePool.analysed = []
    tree = Tree(tmp_path / "repo", tmp_path)
    tree.root.mkdir()
    tree.write(TREE)
    if request.param == "git":
        subprocess.run(["git", "init", "-q", str(tree.root)], check=True)
        subprocess.run(["git", "-C", str(tree.root), "add", "-A"], check=True)
    yield tree
    tree.close()


def assert_like_fresh(tree, index):
    fresh = tree.open("fresh")
    fresh.rebuild()
    assert dump(index) == dump(fresh)
    assert not index.stale()


def test_only_the_paths_are_looked_at(tree, monkeypatch):
    index = tree.open()
    index.update()
    with monkeypatch.context() as patch:
        patch.setattr("indexer.files.list_files", lambda *_: pytest.fail("everything was listed"))
        patch.setattr("indexer.store.Database.manifest", lambda _: pytest.fail("every file was compared"))
        tree.write({"app/main.py": "def edited(): pass\n", "app/added.py": "def added(): pass\n"})
        (tree.root / "web/view.js").unlink()
        report = index.update(paths=["app/main.py", "app/added.py", "web/view.js"])
    assert (report.files_parsed, report.files_removed, report.files) == (2, 1, 5)
    assert index.symbols("edited")
    assert index.symbols("added")
    assert_like_fresh(tree, index)


def test_what_is_not_told_is_not_seen_until_it_is(tree):
    index = tree.open()
    index.update()
    tree.write({"app/main.py": "def edited(): pass\n", "app/model.py": "def other(): pass\n"})
    index.update(paths=["app/main.py"])
    assert index.symbols("edited")
    assert not index.symbols("other")
    assert index.stale()
    index.update(paths=["app/model.py"])
    assert_like_fresh(tree, index)


def test_a_folder_stands_for_all_below_it(tree):
    index = tree.open()
    index.update()
    (tree.root / "app").rename(tree.root / "core")
    InlinePool.analysed = []
    report = index.update(paths=["app", "core"])
    assert InlinePool.analysed == [], "a rename, though only told in parts"
    assert report.files == 5
    assert_like_fresh(tree, index)


def test_an_ignore_file_means_everything(tree):
    index = tree.open()
    index.update()
    tree.write({".codemoatignore": "web/\n"})
    index.update(paths=[".codemoatignore"])
    assert "web/view.js" not in index.paths()
    assert_like_fresh(tree, index)


def test_an_interrupted_update_means_everything(tree):
    from test_indexer_staging import stop

    index = tree.open()
    index.update()
    tree.write({path: text + "\n# more\n" for path, text in TREE.items() if path.endswith(".py")})
    stop(index, 1)
    assert index.update(paths=["app/model.py"]).files_resumed > 0
    assert_like_fresh(tree, index)


@pytest.mark.parametrize("seed", range(3))
def test_any_sequence_told_in_parts_equals_a_fresh_index(tree, seed):
    rng = random.Random(seed)
    index = tree.open()
    index.update()
    for step in range(15):
        changed = set()
        for _ in range(rng.randrange(1, 4)):
            present = [path for path in index.paths() if (tree.root / path).exists()]
            victim = rng.choice(present)
            changed.add(victim)
            match rng.randrange(4):
                case 0:
                    tree.write({victim: f"def f{step}():\n    return g{rng.randrange(5)}(load_all)\n"})
                case 1:
                    added = f"more{rng.randrange(3)}/sub/m{step}_{rng.randrange(99)}.py"
                    tree.write({added: f"class C{step}: pass\n"})
                    changed.add(added)
                case 2 if len(present) > 3:
                    (tree.root / victim).unlink()
                case _:
                    moved = (tree.root / victim).with_stem(f"moved{step}_{rng.randrange(99)}")
                    (tree.root / victim).rename(moved)
                    changed.add(moved.relative_to(tree.root).as_posix())
        index.update(paths=changed)
    assert_like_fresh(tree, index)
