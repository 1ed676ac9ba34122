"""Texts as the static embedding sees them: bags of word pieces; the vocabulary; vectors from and to files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from indexer.embed import Pieces
from indexer.terms import WORD, parts

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Bags:
    """Bags of pieces one after the other: bag i is ``ids[offsets[i]:offsets[i + 1]]`` with as many ``weights``.

    ``ids`` int32, ``weights`` float32 (square roots of counts, as in ``StaticEmbedder``), ``offsets`` int64 (n + 1).
    """

    ids: NDArray[np.int32]
    weights: NDArray[np.float32]
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def take(self, rows: NDArray[np.int64]) -> Bags:
        """The bags ``rows``, in that order."""
        lengths = self.offsets[rows + 1] - self.offsets[rows]
        offsets = np.concatenate(([0], np.cumsum(lengths)))
        at = np.arange(offsets[-1]) + np.repeat(self.offsets[rows] - offsets[:-1], lengths)
        return Bags(self.ids[at], self.weights[at], offsets)

    @staticmethod
    def joined(several: Sequence[Bags]) -> Bags:
        """All of ``several``, in order."""
        lengths = np.concatenate([np.diff(b.offsets) for b in several])
        offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
        return Bags(np.concatenate([b.ids for b in several]), np.concatenate([b.weights for b in several]), offsets)


def bags(texts: Iterable[str], pieces: Pieces) -> Bags:
    """The bag of each text, cut as ``StaticEmbedder`` cuts it."""
    ids: list[int] = []
    counts: list[int] = []
    offsets = [0]
    for text in texts:
        found = Counter(chain.from_iterable(map(pieces.__getitem__, WORD.findall(text))))
        ids.extend(found.keys())
        counts.extend(found.values())
        offsets.append(len(ids))
    return Bags(np.array(ids, np.int32), np.sqrt(np.array(counts, np.float32)), np.array(offsets, np.int64))


def pieces_of(entries: Sequence[str]) -> Pieces:
    """Word → numbers of its pieces, for these entries."""
    return Pieces(dict(zip(entries, range(len(entries)), strict=True)))


def embed(batch: Bags, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Unit vectors of ``batch``: float32, shape (len(batch), dimension); zeros for an empty bag."""
    out = np.zeros((len(batch), vectors.shape[1]), np.float32)
    for row in range(len(batch)):
        a, b = batch.offsets[row], batch.offsets[row + 1]
        out[row] = batch.weights[a:b] @ vectors[batch.ids[a:b]]
    norms = np.linalg.norm(out, axis=1, keepdims=True)
    np.divide(out, norms, out=out, where=norms > 0)
    return out


def word_counts(texts: Iterable[str]) -> Counter[str]:
    """How often each part of an identifier or word occurs in ``texts``."""
    words: Counter[str] = Counter()
    for text in texts:
        words.update(WORD.findall(text))
    found: Counter[str] = Counter()
    for word, n in words.items():
        for part in parts(word):
            found[part] += n
    return found


def vocabulary(present: Sequence[str], by_package: Iterable[Counter[str]], size: int) -> list[str]:
    """``present``, then the words of code that most packages hold (the more frequent first), ``size`` in all."""
    spread: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for counts in by_package:
        spread.update(counts.keys())
        total.update(counts)
    known = set(present)
    new = [w for w, n in spread.items() if n > 2 and w not in known and re.fullmatch(r"[a-z]{3,30}", w)]
    new.sort(key=lambda w: (-spread[w], -total[w], w))
    return [*present, *new][:size]


def load(folder: Path) -> tuple[list[str], NDArray[np.float32]]:
    """Entries and vectors (float32, scales folded in) of an embedding in ``folder``."""
    entries = (folder / "static-entries.txt").read_text("utf-8").split("\n")
    scales = np.load(folder / "static-scales.npy")
    vectors: NDArray[np.float32] = np.load(folder / "static-vectors.npy").astype(np.float32) * scales[:, None]
    return entries, vectors


def grown(entries: Sequence[str], vectors: NDArray[np.float32], wanted: Sequence[str]) -> NDArray[np.float32]:
    """Vectors for ``wanted``: those of ``entries``; a new word gets the sum of what it was cut into so far."""
    number = dict(zip(entries, range(len(entries)), strict=True))
    pieces = pieces_of(entries)
    out = np.zeros((len(wanted), vectors.shape[1]), np.float32)
    for row, entry in enumerate(wanted):
        at = number.get(entry)
        out[row] = vectors[at] if at is not None else vectors[list(pieces[entry])].sum(0)
    return out


def quantised(vectors: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """``vectors`` as int8 rows and one float32 scale a row, so that the largest number of each row is ±127."""
    scales = (np.abs(vectors).max(axis=1) / 127).astype(np.float32)
    rows = np.round(vectors / np.maximum(scales, 1e-12)[:, None]).astype(np.int8)
    return rows, scales


def save(folder: Path, entries: Sequence[str], vectors: NDArray[np.float32]) -> None:
    """Write ``vectors`` (float32) to ``folder`` as ``StaticEmbedder`` reads them."""
    folder.mkdir(parents=True, exist_ok=True)
    rows, scales = quantised(vectors)
    np.save(folder / "static-vectors.npy", rows)
    np.save(folder / "static-scales.npy", scales)
    (folder / "static-entries.txt").write_text("\n".join(entries), "utf-8")
