from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from assistant.adapt.bags import Bags, bags, embed, grown, load, pieces_of, quantised, save, vocabulary, word_counts
from assistant.adapt.pairs import Pair
from assistant.adapt.train import Settings, batches, encode, random_start, reciprocal_rank, train
from indexer.embed import StaticEmbedder

LEFT = ["open", "close", "parse", "send", "store", "sort", "draw", "wait", "merge", "hash"]
RIGHT = ["fopen", "shutdown", "tokens", "packet", "insert", "compare", "canvas", "sleep", "join", "digest"]
OBJECTS = ["file", "socket", "table", "image", "lock", "tree", "graph", "queue", "path", "user"]
ENTRIES = [*LEFT, *RIGHT, *OBJECTS, *(f"{o}ish" for o in OBJECTS)]


def made() -> list[list[Pair]]:
    """200 pairs of two packages whose sides share no word: a query's words stand for others in the document."""
    rows = [
        Pair("documentation", "python", f"{o}.py", i, f"{left} the {o}", f"{right} {o}ish")
        for o in OBJECTS
        for i, (left, right) in enumerate(zip(LEFT, RIGHT, strict=True))
    ]
    return [rows, rows]


def test_bags_embed_as_the_shipped_code_does(tmp_path: Path) -> None:
    vectors = random_start(ENTRIES, 16)
    save(tmp_path, ENTRIES, vectors)
    texts = ["open openFile", "", "hash_tree tree tree"]
    ours = embed(bags(texts, pieces_of(ENTRIES)), load(tmp_path)[1])
    np.testing.assert_allclose(ours, StaticEmbedder(tmp_path).embed(texts), atol=1e-6)


def test_bags_are_taken_and_joined() -> None:
    all_of = bags(["open file", "close", "", "sort tree path"], pieces_of(ENTRIES))
    rows = np.array([3, 0])
    taken = all_of.take(rows)
    again = Bags.joined([all_of.take(np.array([3])), all_of.take(np.array([0]))])
    np.testing.assert_array_equal(taken.ids, again.ids)
    np.testing.assert_array_equal(taken.offsets, again.offsets)
    np.testing.assert_array_equal(taken.offsets, [0, 3, 5])


def test_quantised_vectors_are_nearly_the_same(tmp_path: Path) -> None:
    vectors = random_start(ENTRIES, 64) * np.linspace(0.01, 3, len(ENTRIES), dtype=np.float32)[:, None]
    vectors[3] = 0
    rows, scales = quantised(vectors)
    assert rows.dtype == np.int8
    assert np.abs(rows).max(axis=1).tolist() == [127, 127, 127, 0] + [127] * (len(ENTRIES) - 4)
    assert (np.abs(rows * scales[:, None] - vectors) <= scales[:, None] / 2 + 1e-7).all()
    save(tmp_path, ENTRIES, vectors)
    entries, back = load(tmp_path)
    assert entries == ENTRIES
    np.testing.assert_allclose(back, vectors, atol=float(scales.max()))


def test_a_new_word_starts_as_the_sum_of_its_pieces() -> None:
    vectors = np.eye(3, dtype=np.float32)
    out = grown(["mid", "##dle", "ware"], vectors, ["mid", "middle", "ware"])
    np.testing.assert_array_equal(out, [[1, 0, 0], [1, 1, 0], [0, 0, 1]])


def test_the_vocabulary_grows_by_what_many_packages_hold() -> None:
    packages = [word_counts(["getMutex mutex"]), word_counts(["mutex iter"]), word_counts(["mutex iter getIter"])]
    assert packages[0] == Counter({"get": 1, "mutex": 2})
    assert vocabulary(["get"], packages, 3) == ["get", "mutex"]


def test_a_batch_holds_no_code_twice() -> None:
    rows = made()[0]
    doubled = [[*rows, *(Pair("name", r.language, r.file, r.code, r.query, r.document) for r in rows)]]
    pairs = encode(doubled, ENTRIES)
    for seed in range(3):
        for batch in batches(pairs, Settings(batch=64, run=8, seed=seed)):
            assert len(set(pairs.codes[batch].tolist())) == len(batch)


def test_a_runs_negatives_are_of_its_package() -> None:
    pairs = encode(made(), ENTRIES)
    (first, *_) = batches(pairs, Settings(batch=100, run=50))
    assert len({int(row) // 100 for row in first[:50]}) == 1


@pytest.mark.transformers
def test_training_lowers_the_loss_and_finds_the_right_neighbours() -> None:
    pairs = encode(made(), ENTRIES)
    start = random_start(ENTRIES, 32)
    losses: list[float] = []
    settings = Settings(epochs=30, batch=100, run=100, rate=0.05)
    trained = train(pairs, start, settings, lambda step, steps, loss: losses.append(loss))
    assert losses[-1] < losses[0] / 3
    assert reciprocal_rank(pairs, start) < 0.3
    assert reciprocal_rank(pairs, trained) > 0.95
    one = pieces_of(ENTRIES)
    words, others = embed(bags(LEFT, one), trained), embed(bags(RIGHT, one), trained)
    assert (words @ others.T).argmax(1).tolist() == list(range(len(LEFT)))


@pytest.mark.transformers
def test_training_again_gives_the_same_vectors() -> None:
    pairs = encode(made(), ENTRIES)
    settings = Settings(epochs=2, batch=100, run=50, dropout=0.1)
    first = train(pairs, random_start(ENTRIES, 16), settings)
    np.testing.assert_array_equal(first, train(pairs, random_start(ENTRIES, 16), settings))
