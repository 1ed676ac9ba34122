"""Embedding models in ONNX form: run by onnxruntime, without torch."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from indexer.errors import BadInputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Pooling = Literal["mean", "cls", "max"]

_BATCH_TOKENS = 2048
"""Tokens of a batch with its padding: eight long chunks. More at once was no faster on two cores, and takes memory."""
_LONGEST = 512
"""Tokens of a text, where the folder does not say."""
_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
_INPUTS = ("input_ids", "attention_mask", "token_type_ids")
_DOCUMENT_PROMPTS = ("document", "passage", "corpus")


def onnx_model(name: str) -> Path | None:
    """The ``.onnx`` file that a name of the configuration means: itself one, or the one of a folder; None for others.

    A folder that holds torch weights too is left to sentence-transformers; naming its ``.onnx`` file chooses that.
    Raises BadInputError where a folder holds several and none is called ``model.onnx``, or where a file is not there.
    """
    path = Path(name).expanduser()
    if path.suffix == ".onnx":
        if not path.is_file():
            raise BadInputError(f"There is no file {path}.", "Set index.embedder to an .onnx file that is there.")
        return path
    if not path.is_dir() or any((path / weights).exists() for weights in _WEIGHTS):
        return None
    found = sorted(path.glob("*.onnx")) or sorted(path.glob("onnx/*.onnx"))
    if len(found) > 1:
        named = [file for file in found if file.name == "model.onnx"]
        if not named:
            raise BadInputError(
                f"The folder {path} holds several models: {', '.join(file.name for file in found)}.",
                f"Set index.embedder to one of them, like {found[0]}.",
            )
        found = named
    return found[0] if found else None


class OnnxEmbedder:
    """A text embedding model in ONNX form with its ``tokenizer.json``, in the layout of sentence-transformers.

    Pooling is read from ``1_Pooling/config.json`` (mean where nothing is said), the longest text from
    ``sentence_bert_config.json`` or ``tokenizer_config.json``, prompts from ``config_sentence_transformers.json``.
    Vectors always get length 1. With models quantised at run time, a text's vector can differ a little with what shares
    its batch.
    """

    def __init__(self, model: Path) -> None:
        try:
            import onnxruntime
            from tokenizers import Tokenizer
        except ImportError as exc:
            raise BadInputError(
                f"The embedding model {model} needs onnxruntime and tokenizers, which are not installed.",
                "In a clone of codemoat run: pip install -e '.[onnx]' — or set index.embedder to static.",
            ) from exc
        self._model = model
        folder = model.resolve().parent
        # The hub's layout has the model in a folder of its own below the tokenizer.
        if not (folder / "tokenizer.json").is_file() and (folder.parent / "tokenizer.json").is_file():
            folder = folder.parent
        self._pooling, self._prompts, longest = _settings(folder)
        self._tokenizer: Any = _tokenizer(folder, Tokenizer, longest)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        # Threads that wait by spinning take twice the processor time, for nothing where others are busy too.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session: Any = onnxruntime.InferenceSession(
                str(model), sess_options=options, providers=["CPUExecutionProvider"]
            )
        # onnxruntime's own exceptions come straight from RuntimeError or Exception, by version.
        except Exception as exc:
            raise BadInputError(
                f"The file {model} is not an ONNX model that can be loaded.", "Fetch or export it again."
            ) from exc
        self._inputs = {given.name: given.type for given in self._session.get_inputs()}
        unknown = set(self._inputs) - set(_INPUTS)
        if unknown or "input_ids" not in self._inputs:
            raise BadInputError(
                f"The model {model} is no text encoder: its inputs are {', '.join(self._inputs)}.",
                f"Give a model whose inputs are among {', '.join(_INPUTS)}.",
            )
        outputs = [given.name for given in self._session.get_outputs()]
        self._output = "sentence_embedding" if "sentence_embedding" in outputs else outputs[0]
        # Which file it is belongs to the name: a folder may hold the same model quantised in several ways.
        self.name = f"{folder.name}/{model.name}"
        self.dimension = int(self.embed_query("a").shape[0])

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of ``texts``: float32, shape (len(texts), dimension), rows of length 1."""
        prompt = next((self._prompts[kind] for kind in _DOCUMENT_PROMPTS if kind in self._prompts), "")
        return self._embed([prompt + text for text in texts])

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """The vector of a query, with the model's query prompt where it has one: float32, shape (dimension,)."""
        vector: NDArray[np.float32] = self._embed([self._prompts.get("query", "") + text])[0]
        return vector

    def _embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        import numpy as np

        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        vectors: list[NDArray[np.float32] | None] = [None] * len(texts)
        for rows in batches([len(ids) for ids in tokens], _BATCH_TOKENS):
            for row, vector in zip(rows, self._run([tokens[row] for row in rows]), strict=True):
                vectors[row] = vector
        return np.ascontiguousarray(np.stack([v for v in vectors if v is not None]), np.float32)

    def _run(self, tokens: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Vectors of one batch."""
        import numpy as np

        longest = max(1, *map(len, tokens))
        ids = np.zeros((len(tokens), longest), np.int64)
        mask = np.zeros_like(ids)
        for row, own in enumerate(tokens):
            ids[row, : len(own)] = own
            mask[row, : len(own)] = 1
        values = dict(zip(_INPUTS, (ids, mask, np.zeros_like(ids)), strict=True))
        feed = {n: values[n].astype(np.int32) if "int32" in kind else values[n] for n, kind in self._inputs.items()}
        try:
            (found,) = self._session.run([self._output], feed)
        except Exception as exc:
            raise BadInputError(
                f"The embedding model {self._model} failed on a text.",
                "Fetch or export the model again, or set index.embedder to static.",
            ) from exc
        vectors = np.asarray(found, np.float32)
        if vectors.ndim == 3:
            vectors = pooled(vectors, mask, self._pooling)
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit: NDArray[np.float32] = np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0)
        return unit


def batches(lengths: Sequence[int], limit: int) -> Iterator[list[int]]:
    """Rows in groups of like length, longest first, each at most ``limit`` tokens with its padding (or one row)."""
    group: list[int] = []
    for row in sorted(range(len(lengths)), key=lambda row: -lengths[row]):
        if group and (len(group) + 1) * max(1, lengths[group[0]]) > limit:
            yield group
            group = []
        group.append(row)
    if group:
        yield group


def pooled(states: NDArray[np.float32], mask: NDArray[np.int64], how: Pooling) -> NDArray[np.float32]:
    """One vector a text from one a token: shapes (texts, tokens, dimension), (texts, tokens) → (texts, dimension)."""
    import numpy as np

    if how == "cls":
        return states[:, 0]
    weights = mask[:, :, None].astype(np.float32)
    if how == "max":
        best: NDArray[np.float32] = np.where(weights > 0, states, np.float32(-np.inf)).max(axis=1)
        return best
    mean: NDArray[np.float32] = (states * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1)
    return mean


def _settings(folder: Path) -> tuple[Pooling, dict[str, str], int]:
    """Pooling, prompts by kind, and the longest text in tokens."""
    layers = _read(folder / "modules.json")
    kinds = [str(layer.get("type", "")).rpartition(".")[2] for layer in layers if isinstance(layer, dict)]
    odd = sorted(set(kinds) - {"Transformer", "Pooling", "Normalize"})
    if odd:
        raise BadInputError(
            f"The model in {folder} has a layer that is not run here: {', '.join(odd)}.",
            "Use it through sentence-transformers, or choose a model without it.",
        )
    prompts = _mapping(_mapping(_read(folder / "config_sentence_transformers.json")).get("prompts"))
    limits = [
        _mapping(_read(folder / file)).get(key)
        for file, key in (
            ("sentence_bert_config.json", "max_seq_length"),
            ("tokenizer_config.json", "model_max_length"),
        )
    ]
    # Tokenizers without a limit say 10**30.
    longest = next((int(n) for n in limits if isinstance(n, int | float) and 0 < n < 1_000_000), _LONGEST)
    return _pooling(folder), {str(k): str(v) for k, v in prompts.items() if v}, longest


def _pooling(folder: Path) -> Pooling:
    said = _mapping(_read(folder / "1_Pooling" / "config.json"))
    ways: dict[str, Pooling] = {"mean_tokens": "mean", "cls_token": "cls", "max_tokens": "max"}
    chosen = [key.removeprefix("pooling_mode_") for key, on in said.items() if key.startswith("pooling_mode_") and on]
    mode = said.get("pooling_mode")
    known: dict[object, Pooling] = {"mean": "mean", "cls": "cls", "max": "max"}
    if mode in known and not chosen:
        return known[mode]
    if len(chosen) > 1 or (chosen and chosen[0] not in ways) or (mode is not None and not chosen):
        raise BadInputError(
            f"The model in {folder} pools its tokens in a way that is not done here: {', '.join(chosen) or mode}.",
            "Use it through sentence-transformers, or choose a model with mean, cls or max pooling.",
        )
    return ways[chosen[0]] if chosen else "mean"


def _tokenizer(folder: Path, kind: Any, longest: int) -> Any:
    """The folder's tokenizer, which cuts at ``longest`` tokens and pads nothing."""
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise BadInputError(
            f"The folder {folder} holds an ONNX model but no tokenizer.json.",
            "Put the model's tokenizer.json (and 1_Pooling/config.json, where it has one) beside it.",
        )
    try:
        tokenizer = kind.from_file(str(path))
    # The library raises plain Exception.
    except Exception as exc:
        raise BadInputError(f"The file {path} cannot be read as a tokenizer.", "Fetch it again.") from exc
    tokenizer.no_padding()
    tokenizer.enable_truncation(longest)
    return tokenizer


def _read(path: Path) -> Any:
    """A JSON file; an empty mapping where there is none. Raises BadInputError for one that is damaged."""
    try:
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as exc:
        raise BadInputError(f"The file {path} cannot be read: {exc}.", "Fetch the model again.") from exc


def _mapping(value: Any) -> dict[Any, Any]:
    return value if isinstance(value, dict) else {}
