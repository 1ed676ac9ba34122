from __future__ import annotations

import os
import sqlite3

import numpy as np
import pytest
from fakes import HashEmbedder
from store_tools import InlinePool, Tree, dump, without_flushing

from indexer.vector_cache import CachedEmbedder


class Counting(HashEmbedder):
    """Notes the texts that it had to work for."""

    def __init__(self, dimension=32, shift=0.0):
        super().__init__(dimension)
        self.name = "slow-model"
        self.texts = []
        self.shift = shift

    def embed(self, texts):
        self.texts += texts
        vectors = super().embed(texts) + np.float32(self.shift)
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)


def cached(tmp_path, **options):
    inner = Counting(**options)
    outer = CachedEmbedder(inner, tmp_path / "vectors")
    inner.texts = []
    return inner, outer


def test_each_text_is_computed_once_on_this_machine(tmp_path):
    inner, outer = cached(tmp_path)
    first = outer.embed(["one", "two", "one"])
    assert inner.texts == ["one", "two"]
    again, other = cached(tmp_path)
    np.testing.assert_array_equal(other.embed(["two", "three", "one"])[[2, 0]], first[:2])
    assert again.texts == ["three"]
    assert other.embed([]).shape == (0, 32)
    assert (other.name, other.dimension) == ("slow-model", 32)
    np.testing.assert_array_equal(other.embed_query("one"), Counting().embed_query("one"))


def test_vectors_are_those_of_the_model_as_the_index_rounds_them(tmp_path):
    from indexer.segment import encode

    _, outer = cached(tmp_path)
    plain = Counting().embed(["alpha beta", "gamma"])
    np.testing.assert_allclose(outer.embed(["alpha beta", "gamma"]), plain, atol=0.005)
    np.testing.assert_array_equal(encode(outer.embed(["alpha beta"])), encode(plain[:1]))


def test_another_model_of_the_same_name_shares_nothing(tmp_path):
    _, one = cached(tmp_path)
    inner, two = cached(tmp_path, shift=0.5)
    assert one.path != two.path
    one.embed(["x"])
    two.embed(["x"])
    assert inner.texts == ["x"]


def test_long_lists_are_looked_up_in_parts(tmp_path):
    inner, outer = cached(tmp_path)
    texts = [f"text {n}" for n in range(1000)]
    outer.embed(texts)
    inner.texts = []
    outer.embed(texts)
    assert inner.texts == []


def test_what_nobody_asks_for_is_removed(tmp_path, monkeypatch):
    inner, outer = cached(tmp_path)
    monkeypatch.setattr("indexer.vector_cache._today", lambda: 1000)
    outer.embed(["old", "used"])
    monkeypatch.setattr("indexer.vector_cache._today", lambda: 1080)
    outer.embed(["used"])
    monkeypatch.setattr("indexer.vector_cache._today", lambda: 1100)
    outer.embed(["new"])
    inner.texts = []
    outer.embed(["old", "used", "new"])
    assert inner.texts == ["old"]


@pytest.mark.parametrize("damage", ["garbage", "folder", "rows"])
def test_a_cache_that_cannot_be_used_costs_time_only(tmp_path, damage):
    inner, outer = cached(tmp_path)
    expected = outer.embed(["one"])
    if damage == "garbage":
        outer.path.write_bytes(b"not a database" * 500)
    elif damage == "folder":
        outer.path.unlink()
        outer.path.mkdir()
    else:
        database = sqlite3.connect(outer.path)
        with database:
            database.execute("UPDATE vectors SET codes = x'00'")
        database.close()
    inner.texts = []
    np.testing.assert_array_equal(outer.embed(["one"]), expected)
    assert inner.texts == ["one"]


def test_two_checkouts_share_the_vectors(tmp_path, monkeypatch):
    """Another clone, another branch, a rebuild: only texts that were never seen are computed."""
    without_flushing(monkeypatch)
    monkeypatch.setattr("indexer.workers.WorkerPool", InlinePool)
    text = "def one():\n    return 1\n"
    trees = [Tree(tmp_path / name, tmp_path) for name in ("clone", "worktree")]
    inner, outer = cached(tmp_path)
    for tree in trees:
        tree.root.mkdir()
        tree.write({"a.py": text, "b.py": "def two(): return 2\n"})
    trees[0].open(embedder=outer).update()
    assert len(inner.texts) == 2
    trees[1].write({"c.py": "def three(): return 3\n"})
    index = trees[1].open("other", embedder=outer)
    index.update()
    index.rebuild()
    assert len(inner.texts) == 3
    plain = trees[1].open("plain", embedder=Counting())
    plain.update()
    assert dump(index) == dump(plain)
    for tree in trees:
        tree.close()


def test_a_link_in_its_place_is_left_alone(tmp_path):
    """Nothing is read or written there, and vectors are computed."""
    inner, outer = cached(tmp_path)
    precious = tmp_path / "precious"
    precious.write_text("mine")
    outer.path.parent.mkdir(exist_ok=True)
    outer.path.symlink_to(precious)
    outer.embed(["one"])
    outer.embed(["one"])
    assert inner.texts == ["one", "one"]
    assert precious.read_text() == "mine"


def test_it_is_for_its_owner_alone(tmp_path):
    old = os.umask(0)
    try:
        _, outer = cached(tmp_path)
        outer.embed(["one"])
        outer.path.chmod(0o666)
        outer.embed(["two"])
    finally:
        os.umask(old)
    assert outer.path.stat().st_mode & 0o777 == 0o600
    assert outer.path.parent.stat().st_mode & 0o777 == 0o700
