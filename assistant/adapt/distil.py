"""Distil a sentence-transformers model into a static embedding: what ``assistant.adapt.train`` starts from.

The way of model2vec (Tulkens & van Dongen, 2024, https://github.com/MinishLab/model2vec): every token goes through the
model alone, the outputs are reduced by PCA, and each is weighted by how rare it is (smooth inverse frequency: Arora,
Liang & Ma, 2017, A simple but tough-to-beat baseline for sentence embeddings). Two things differ: words that are
frequent in code but no tokens of the model (``middleware``, ``mutex``) become entries of their own, and frequencies are
counted in code instead of guessed from the rank. Run it with the ``transformers`` extra installed:

    python -m assistant.adapt.distil MODEL_FOLDER --code FOLDER [--code FOLDER …] --out FOLDER

The code only says how frequent words are; it must not contain projects that retrieval is measured on.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.terms import parts

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WORD = re.compile(r"[^\W\d]\w*")
_CODE = {".c", ".cc", ".cpp", ".d", ".go", ".h", ".java", ".js", ".md", ".py", ".rs", ".rst", ".ts"}
_PER_FOLDER = 15_000_000
"""Characters counted in each folder, so that a large one does not decide alone."""
RARITY = 3e-3
"""``a`` of the weight a / (a + p), where p is a word's share of all words."""


def word_shares(folders: Iterable[Path], seed: int = 0) -> dict[str, float]:
    """Share of each identifier part and word in the code below ``folders``, averaged over the folders."""
    shares: Counter[str] = Counter()
    chosen = list(folders)
    for folder in chosen:
        files = sorted(p for p in folder.rglob("*") if p.suffix in _CODE and p.is_file())
        random.Random(seed).shuffle(files)
        words: Counter[str] = Counter()
        characters = 0
        for file in files:
            text = file.read_text("utf-8", errors="replace")
            words.update(_WORD.findall(text))
            characters += len(text)
            if characters > _PER_FOLDER:
                break
        pieces: Counter[str] = Counter()
        for word, n in words.items():
            for part in parts(word):
                pieces[part] += n
        total = pieces.total() or 1
        for part, n in pieces.items():
            shares[part] += n / total / len(chosen)  # type: ignore[assignment]  # a Counter of shares
    return dict(shares)


def choose_entries(vocabulary: Sequence[str], shares: dict[str, float], size: int) -> list[str]:
    """The model's own word pieces made of letters or digits, then the most frequent further words, ``size`` in all."""
    own = [t for t in vocabulary if re.fullmatch(r"(##)?[a-z0-9à-ÿ]+", t)]
    known = set(own)
    by_share = sorted(shares, key=lambda w: (-shares[w], w))
    further = [w for w in by_share if w not in known and re.fullmatch(r"[a-z]{3,30}", w)]
    return (own + further)[:size]


def encode_alone(folder: Path, entries: Sequence[str]) -> NDArray[np.float32]:
    """Mean of the model's last hidden states for each entry alone, shape (len(entries), width)."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model: Any = AutoModel.from_pretrained(folder, local_files_only=True).eval()
    ids = tokenizer.get_vocab()
    start, end = tokenizer.cls_token_id, tokenizer.sep_token_id
    sequences = [[start, ids[e], end] if e in ids else tokenizer(e)["input_ids"] for e in entries]
    order = sorted(range(len(entries)), key=lambda i: len(sequences[i]))
    out = np.zeros((len(entries), model.config.hidden_size), np.float32)
    with torch.inference_mode():
        for first in range(0, len(order), 512):
            batch = order[first : first + 512]
            longest = max(len(sequences[i]) for i in batch)
            tokens = torch.tensor([sequences[i] + [0] * (longest - len(sequences[i])) for i in batch])
            mask = torch.tensor([[1] * len(sequences[i]) + [0] * (longest - len(sequences[i])) for i in batch])
            states = model(input_ids=tokens, attention_mask=mask).last_hidden_state
            out[batch] = ((states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)).numpy()
    return out


def reduce(vectors: NDArray[np.float32], dimension: int) -> NDArray[np.float32]:
    """Principal components of ``vectors``, rows of length 1, shape (n, dimension)."""
    centred = vectors - vectors.mean(0)
    covariance = centred.T.astype(np.float64) @ centred
    _, axes = np.linalg.eigh(covariance)
    reduced = centred @ axes[:, ::-1][:, :dimension].astype(np.float32)
    norms = np.linalg.norm(reduced, axis=1, keepdims=True)
    unit: NDArray[np.float32] = (reduced / np.maximum(norms, 1e-9)).astype(np.float32)
    return unit


def write(out: Path, entries: Sequence[str], vectors: NDArray[np.float32], shares: dict[str, float]) -> None:
    """Write ``static-vectors.npy`` (int8), ``static-scales.npy`` (float32, rarity included), ``static-entries.txt``."""
    scale = np.abs(vectors).max(axis=1) / 127
    rarity = np.array([RARITY / (RARITY + shares.get(e.removeprefix("##"), 0.0)) for e in entries])
    np.save(out / "static-vectors.npy", np.round(vectors / scale[:, None]).astype(np.int8))
    np.save(out / "static-scales.npy", (scale * rarity).astype(np.float32))
    (out / "static-entries.txt").write_text("\n".join(entries), "utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of this script; prints what it wrote as one JSON line."""
    parser = argparse.ArgumentParser(description="Distil a sentence-transformers model.")
    parser.add_argument("model", type=Path)
    parser.add_argument("--code", type=Path, action="append", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--dimension", type=int, default=256)
    parser.add_argument("--entries", type=int, default=37_000)
    options = parser.parse_args(arguments)
    shares = word_shares(options.code)
    vocabulary = (options.model / "vocab.txt").read_text("utf-8").splitlines()
    entries = choose_entries(vocabulary, shares, options.entries)
    vectors = reduce(encode_alone(options.model, entries), options.dimension)
    options.out.mkdir(parents=True, exist_ok=True)
    write(options.out, entries, vectors, shares)
    print(json.dumps({"entries": len(entries), "dimension": options.dimension}))  # noqa: T201


if __name__ == "__main__":
    main()
