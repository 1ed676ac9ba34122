from __future__ import annotations

import numpy as np
import pytest
from fakes import HashEmbedder

import indexer.segment as seg
from indexer.analyse import _definitions, _uses
from indexer.analysis import Analysis, ChunkRow, ReferenceRow, SymbolRow, Words
from indexer.segment import Segment
from indexer.segment_build import SegmentBuilder
from indexer.segment_merge import MOST_SEGMENTS, choose, merge
from indexer.store import VECTORS
from indexer.types import KINDS


def analysis(path, chunks, references=(), symbols=()):
    """One chunk a dictionary of word counts; symbols as (name, parent, kind, chunk number)."""
    words = sorted({t for chunk in chunks for t in chunk})
    entries = [(words.index(t), c) for chunk in chunks for t, c in chunk.items()]
    sizes = np.array([len(chunk) for chunk in chunks], "<u4").tobytes()
    columns = [np.array([e[i] for e in entries], "<u4").tobytes() for i in range(2)]
    rows = [ChunkRow(n, n + 1, n + 1, n + 1, None) for n in range(len(chunks))]
    uses = [ReferenceRow(name, start, start + len(name), 1, scope) for name, start, scope in references]
    defined = [SymbolRow(name, kind, n, n + 1, n + 1, n + 2, parent, "") for name, parent, kind, n in symbols]
    return Analysis(
        path, "text", 0, 0, 0, "", b"", rows, b"", _definitions(defined, rows, "python"), _uses(uses),
        Words(words, sizes, *columns),
    )  # fmt: skip


def build(folder, files, dimension=8):
    """``files``: (id, chunks, references, symbols); vectors come from the chunks' words."""
    builder = SegmentBuilder(folder, dimension)
    embedder = HashEmbedder(dimension)
    for file_id, chunks, *named in files:
        builder.add(file_id, analysis(f"f{file_id}", chunks, *named))
        if chunks:
            builder.add_vectors(embedder.embed([" ".join(chunk) for chunk in chunks]))
    builder.finish()
    return Segment(folder)


ONE = (7, [{"load": 2, "row": 1}, {"row": 300}], [("Load", 5, "a.b"), ("Row", 1, None)],
       [("load", "a", "method", 0), ("Load", None, "class", 1)])  # fmt: skip
TWO = (900, [{"é": 1, "load": 1}], [("Load", 0, "z")], [("_x", "z.y", "field", 0), ("Load", "z", "class", 0)])


def postings(segment, term):
    rows, counts = segment.postings(term)
    return dict(zip(rows.tolist(), counts.tolist(), strict=True))


def references(segment, name):
    where = segment.references(name)
    labels = ("ref_file", "ref_start", "ref_line", "ref_scope")
    files, starts, lines, scopes = (segment.column(label)[where].tolist() for label in labels)
    return [(f, s, n, segment.scope(x)) for f, s, n, x in zip(files, starts, lines, scopes, strict=True)]


DEFINITION_LABELS = ("def_file", "def_row", "def_start", "def_lines", "def_kind", "def_exported")


def definitions(segment, name):
    found = []
    for spelled, where in segment.definitions(name):
        columns = [segment.column(label)[where].tolist() for label in DEFINITION_LABELS]
        scopes = [segment.scope(number) for number in segment.column("def_scope")[where].tolist()]
        found += [(spelled, scope, *values) for scope, *values in zip(scopes, *columns, strict=True)]
    return found


def test_postings_references_and_rows(tmp_path):
    segment = build(tmp_path / "0001", [ONE, TWO])
    assert segment.rows == 3
    assert segment.column("row_file").tolist() == [7, 7, 900]
    assert segment.column("row_length").tolist() == [3, 300, 2]
    assert postings(segment, "load") == {0: 2, 2: 1}
    assert postings(segment, "row") == {0: 1, 1: 255}, "counts end at 255"
    assert postings(segment, "é") == {2: 1}
    assert postings(segment, "lo") == postings(segment, "zzz") == postings(segment, "") == {}
    assert references(segment, "Load") == [(7, 5, 1, "a.b"), (900, 0, 1, "z")]
    assert references(segment, "Row") == [(7, 1, 1, "")]
    assert references(segment, "load") == []
    class_, method, field = KINDS.index("class"), KINDS.index("method"), KINDS.index("field")
    load = [("Load", "", 7, 1, 2, 2, class_, 1), ("Load", "z", 900, 2, 1, 2, class_, 1),
            ("load", "a", 7, 0, 1, 2, method, 1)]  # fmt: skip
    assert definitions(segment, "load") == definitions(segment, "LOAD") == load
    assert definitions(segment, "_x") == [("_x", "z.y", 900, 2, 1, 2, field, 0)]
    assert definitions(segment, "nothing") == definitions(segment, "") == []
    assert [f.name for f in tmp_path.iterdir()] == ["0001"], "no temporary folder stays"


def test_empty_segment(tmp_path):
    segment = build(tmp_path / "0001", [(1, [{}], ())])
    assert segment.rows == 1
    assert postings(segment, "x") == {}
    assert references(segment, "x") == []
    segment.verify()


def random_vectors(rows, dimension, seed=3):
    vectors = np.random.default_rng(seed).standard_normal((rows, dimension)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def vector_segment(folder, vectors):
    builder = SegmentBuilder(folder, vectors.shape[1])
    builder.add(1, analysis("f", [{"t": 1}] * len(vectors)))
    builder.add_vectors(vectors)
    builder.finish()
    return Segment(folder)


def test_vector_file_is_what_faiss_reads_and_scores(tmp_path):
    """Our header, codes and numpy scores against FAISS itself."""
    import faiss

    vectors = random_vectors(2500, 24)
    segment = vector_segment(tmp_path / "0001", vectors)
    index = faiss.read_index(str(tmp_path / "0001" / VECTORS))
    assert (index.ntotal, index.d) == (2500, 24)
    query = random_vectors(1, 24, seed=4)[0]
    scores, rows = index.search(query.reshape(1, -1), 2500)
    theirs = np.empty(2500, np.float32)
    theirs[rows[0]] = scores[0]
    ours = segment.similarities(query)
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    np.testing.assert_allclose(ours, vectors @ query, atol=0.02)
    index.reset()
    index.add(vectors)
    assert np.abs(faiss.vector_to_array(index.codes).astype(int) - segment.codes().ravel()).max() <= 1


def test_zero_vector_has_no_similarity(tmp_path):
    segment = vector_segment(tmp_path / "0001", np.zeros((3, 8), np.float32))
    assert np.abs(segment.similarities(random_vectors(1, 8)[0])).max() < 1e-6


def test_clustered_vectors_keep_codes_and_find_the_nearest(tmp_path, monkeypatch):
    vectors = random_vectors(3000, 16)
    flat = vector_segment(tmp_path / "0001", vectors)
    monkeypatch.setattr(seg, "IVF_ROWS", 1000)
    clustered = vector_segment(tmp_path / "0002", vectors)
    assert clustered.lists.total == int(4 * 3000**0.5)
    assert flat.lists is None
    np.testing.assert_array_equal(clustered.codes(), flat.codes())
    clustered.verify()
    found = 0
    for row in range(0, 3000, 100):
        exact, (rows, probed) = flat.similarities(vectors[row]), clustered.nearest_lists(vectors[row])
        assert len(set(rows.tolist())) == len(rows) < 3000
        np.testing.assert_allclose(probed, exact[rows], atol=1e-4)
        found += int(rows[np.argmax(probed)] == np.argmax(exact))
    assert found == 30
    merged_rows, _ = merge([(clustered, np.array([], np.int64)), (flat, np.array([], np.int64))], tmp_path / "0003")
    assert merged_rows == 6000
    np.testing.assert_array_equal(Segment(tmp_path / "0003").codes()[3000:], flat.codes())


def test_merge_equals_building_at_once(tmp_path):
    gone = [("Load", "gone", "class", 0), ("Only", "gone", "class", 1)]
    three = (901, [{"load": 9}, {"only": 1}], [("Load", 3, "gone"), ("Only", 4, "gone")], gone)
    one = build(tmp_path / "0001", [ONE, three])
    two = build(tmp_path / "0002", [TWO])
    rows, first = merge([(one, np.array([901])), (two, np.array([], np.int64))], tmp_path / "0003")
    assert (rows, first) == (3, {7: 0, 900: 2})
    merged, whole = Segment(tmp_path / "0003"), build(tmp_path / "0004", [ONE, TWO])
    assert merged.terms.all() == whole.terms.all() == [b"load", b"row", "é".encode()]
    assert merged.names.all() == whole.names.all()
    assert merged.scopes.all() == whole.scopes.all()
    assert merged.defined.all() == whole.defined.all() == [b"_x", b"Load", b"load"]
    for name in ("_x", "load"):
        assert definitions(merged, name) == definitions(whole, name)
    for term in ("load", "row", "é", "only"):
        assert postings(merged, term) == postings(whole, term)
    for name in ("Load", "Row", "Only"):
        assert references(merged, name) == references(whole, name)
    np.testing.assert_array_equal(merged.codes(), whole.codes())
    np.testing.assert_array_equal(merged.mean, whole.mean)
    for label in ("row_file", "row_length"):
        assert merged.column(label).tolist() == whole.column(label).tolist()


def test_unfinished_segment_leaves_nothing(tmp_path):
    builder = SegmentBuilder(tmp_path / "0001", 8)
    builder.add(*(ONE[0], analysis("f", ONE[1])))
    builder.discard()
    assert list(tmp_path.iterdir()) == []


def test_vectors_must_match_rows(tmp_path):
    builder = SegmentBuilder(tmp_path / "0001", 8)
    builder.add(1, analysis("f", [{"a": 1}, {"b": 1}]))
    builder.add_vectors(np.zeros((1, 8), np.float32))
    with pytest.raises(ValueError, match="1 vectors for 2 rows"):
        builder.finish()
    builder.discard()


def test_mapped_segment_outlives_its_folder(tmp_path):
    import shutil

    segment = build(tmp_path / "0001", [ONE])
    shutil.rmtree(tmp_path / "0001")
    assert postings(segment, "load") == {0: 2}
    assert segment.similarities(random_vectors(1, 8)[0]).shape == (2,)


def test_choice_of_what_to_merge():
    assert choose([(n, 100, 100) for n in range(MOST_SEGMENTS)]) == []
    assert choose([(1, 100, 40), (2, 50, 50)]) == [1]
    small = [(n, 1, 1) for n in range(1, MOST_SEGMENTS + 1)]
    assert choose([(0, 10_000, 10_000), *small]) == [n for n, _, _ in small], "the large one is left alone"


def test_merging_one_by_one_costs_a_logarithm():
    """Adding single rows: how often rows are written again, all in all."""
    sizes, written, number = {}, 0, 0
    for _ in range(1000):
        number += 1
        sizes[number] = 1
        chosen = choose([(n, s, s) for n, s in sizes.items()])
        if chosen:
            number += 1
            merged = sum(sizes.pop(n) for n in chosen)
            sizes[number] = merged
            written += merged
        assert len(sizes) <= MOST_SEGMENTS
    assert written < 1000 * 12
