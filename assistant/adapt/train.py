"""Train a static embedding contrastively on pairs: the shipped one on ``collect``'s, or any on a repository's own.

A static embedding is a table of vectors, one a word piece, so training it needs no transformer: each text is a weighted
sum of rows (after Aarsen, 2025, Train 400x faster Static Embedding Models, and StarSpace: Wu et al., 2018). The loss is
sentence-transformers' multiple negatives ranking loss (van den Oord et al., 2018, InfoNCE; Henderson et al., 2017), in
both directions. Batches are made of runs of pairs of one package, so that most negatives of a pair are hard: other
definitions of the package that a search would have to tell apart.

    python -m assistant.adapt.train PAIRS_FOLDER --start indexer/data --out FOLDER
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from assistant.adapt.bags import Bags, bags, embed, grown, load, pieces_of, save, vocabulary, word_counts
from assistant.adapt.collect import read
from assistant.adapt.pairs import Pair

if TYPE_CHECKING:
    from collections import Counter

    from numpy.typing import NDArray

HELD_OUT = 20
"""Every 20th package, by a hash of its name, is validated on and not trained on."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How to train. The rate is relative to vectors whose longest numbers are about 1."""

    epochs: float = 3.0
    batch: int = 2048
    run: int = 64
    """Neighbouring pairs of one package in a batch."""
    rate: float = 0.01
    scale: float = 20.0
    """Inverse temperature of the softmax."""
    dropout: float = 0.0
    """Share of a document's pieces left out at each step."""
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Encoded:
    """Pairs as bags. ``packages``: first row of each package, and the end; ``kinds``: int8, number in ``KINDS``."""

    queries: Bags
    documents: Bags
    codes: NDArray[np.int64]
    """Equal for pairs about the same code."""
    kinds: NDArray[np.int8]
    packages: NDArray[np.int64]


def encode(packages: Sequence[Sequence[Pair]], entries: Sequence[str]) -> Encoded:
    """The pairs of several packages as bags over ``entries``."""
    from assistant.adapt.pairs import KINDS

    pieces = pieces_of(entries)
    rows = [pair for package in packages for pair in package]
    names: dict[tuple[int, str, int], int] = {}
    codes = [
        names.setdefault((number, pair.file, pair.code), len(names))
        for number, package in enumerate(packages)
        for pair in package
    ]
    return Encoded(
        bags((r.query for r in rows), pieces),
        bags((r.document for r in rows), pieces),
        np.array(codes, np.int64),
        np.array([KINDS.index(r.kind) for r in rows], np.int8),
        np.cumsum([0, *map(len, packages)]).astype(np.int64),
    )


def joined(several: Sequence[Encoded]) -> Encoded:
    """All of ``several``, in order."""
    sizes = [int(e.packages[-1]) for e in several]
    starts = np.cumsum([0, *sizes])
    firsts = np.cumsum([0, *(int(e.codes.max(initial=-1)) + 1 for e in several)])
    return Encoded(
        Bags.joined([e.queries for e in several]),
        Bags.joined([e.documents for e in several]),
        np.concatenate([e.codes + f for e, f in zip(several, firsts, strict=False)]),
        np.concatenate([e.kinds for e in several]),
        np.concatenate([*(e.packages[:-1] + s for e, s in zip(several, starts, strict=False)), starts[-1:]]),
    )


def batches(pairs: Encoded, settings: Settings) -> Iterator[NDArray[np.int64]]:
    """Rows of each batch of one pass: runs of pairs of one package, one pair a piece of code."""
    random = np.random.default_rng(settings.seed)
    passes = settings.epochs
    while passes > 0:
        runs: list[NDArray[np.int64]] = []
        for first, last in zip(pairs.packages[:-1], pairs.packages[1:], strict=True):
            order = first + random.permutation(last - first)
            # The first pair of each piece of code in this order: two of one code would be each other's negatives.
            order = order[np.sort(np.unique(pairs.codes[order], return_index=True)[1])]
            runs.extend(order[at : at + settings.run] for at in range(0, len(order), settings.run))
        rows = np.concatenate([runs[i] for i in random.permutation(len(runs))])
        rows = rows[: max(int(len(rows) * min(passes, 1.0)), min(len(rows), settings.batch))]
        for at in range(0, max(len(rows) - settings.batch // 2, 1), settings.batch):
            yield rows[at : at + settings.batch]
        passes -= 1


def train(
    pairs: Encoded,
    vectors: NDArray[np.float32],
    settings: Settings = Settings(),  # noqa: B008  # frozen
    progress: Callable[[int, int, float], None] | None = None,
) -> NDArray[np.float32]:
    """Vectors trained on ``pairs``, from ``vectors``: float32, shape (entries, dimension); the same every time.

    ``progress`` gets step, steps and loss. Adam with a rate that rises for a twentieth of the steps, then falls to 0.
    """
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    torch.manual_seed(settings.seed)
    size = float(np.abs(vectors).max(axis=1).mean()) or 1.0
    table = torch.nn.EmbeddingBag.from_pretrained(
        torch.from_numpy(vectors / size), mode="sum", freeze=False, include_last_offset=True
    )
    model = SentenceTransformer(modules=[_module(table)], device="cpu")
    both: tuple[Any, ...] = ("query_to_doc", "doc_to_query")
    loss = MultipleNegativesRankingLoss(model, settings.scale, directions=both, partition_mode="per_direction")
    optimiser = torch.optim.AdamW(table.parameters(), lr=settings.rate, weight_decay=0.0)
    steps = list(batches(pairs, settings))
    random = np.random.default_rng(settings.seed + 1)
    for step, rows in enumerate(steps):
        done = (step + 1) / len(steps)
        for group in optimiser.param_groups:
            group["lr"] = settings.rate * min(done * 20, (1 - done) / 0.95 + 1e-3)
        features = [_tensors(pairs.queries.take(rows), 0.0, random)]
        features.append(_tensors(pairs.documents.take(rows), settings.dropout, random))
        value = loss(features, torch.empty(0))
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        if progress is not None:
            progress(step + 1, len(steps), float(value.detach()))
    trained: NDArray[np.float32] = table.weight.detach().numpy() * np.float32(size)
    return trained


def _module(table: Any) -> Any:
    """``table`` (an EmbeddingBag) as a module that a SentenceTransformer can hold."""
    import torch

    class Sum(torch.nn.Module):  # type: ignore[misc]  # torch is not typed here
        def __init__(self) -> None:
            super().__init__()
            self.table = table

        def forward(self, features: dict[str, Any]) -> dict[str, Any]:
            vectors = self.table(features["ids"], features["offsets"], per_sample_weights=features["weights"])
            return {**features, "sentence_embedding": vectors}

    return Sum()


def _tensors(batch: Bags, dropout: float, random: np.random.Generator) -> dict[str, Any]:
    import torch

    weights = batch.weights
    if dropout:
        weights = weights * (random.random(len(weights)) >= dropout).astype(np.float32)
    return {
        "ids": torch.from_numpy(batch.ids.astype(np.int64)),
        "weights": torch.from_numpy(weights),
        "offsets": torch.from_numpy(batch.offsets),
    }


def held_out(name: str) -> bool:
    """Whether a package is for validation."""
    return int(sha256(name.encode()).hexdigest(), 16) % HELD_OUT == 0


def reciprocal_rank(pairs: Encoded, vectors: NDArray[np.float32], kind: int = 0, most: int = 1_000) -> float:
    """Mean over packages of the mean reciprocal rank of a query's document among those of its package, in 0 … 1.

    Counts pairs of ``kind``, the first ``most`` of a package; packages with fewer than 30 are left out.
    """
    means = []
    for first, last in zip(pairs.packages[:-1], pairs.packages[1:], strict=True):
        rows = first + np.flatnonzero(pairs.kinds[first:last] == kind)[:most]
        if len(rows) < 30:
            continue
        cosines = embed(pairs.queries.take(rows), vectors) @ embed(pairs.documents.take(rows), vectors).T
        ranks = (cosines >= np.diag(cosines)[:, None]).sum(1)
        means.append(float((1 / ranks).mean()))
    return float(np.mean(means)) if means else 0.0


def random_start(entries: Sequence[str], dimension: int, seed: int = 0) -> NDArray[np.float32]:
    """Vectors of length about 1 at random, shape (len(entries), dimension)."""
    drawn: NDArray[np.float32] = np.random.default_rng(seed).standard_normal((len(entries), dimension), np.float32)
    return drawn / np.float32(dimension**0.5)


def _counted(path: Path) -> Counter[str]:
    return word_counts(text for pair in read(path)[1] for text in (pair.query, pair.document))


def _encoded(path: Path, entries: Sequence[str]) -> tuple[str, Encoded]:
    name, found = read(path)
    return name, encode([found], entries)


def prepare(folder: Path, present: Sequence[str], size: int) -> tuple[list[str], Encoded, Encoded]:
    """Entries, training and validation pairs from ``collect``'s files in ``folder``."""
    files = sorted(folder.glob("*.jsonl.zst"))
    with ProcessPoolExecutor(2) as pool:
        entries = list(present) if size <= len(present) else vocabulary(present, pool.map(_counted, files), size)
        found = list(pool.map(partial(_encoded, entries=entries), files))
    sides = [[e for name, e in found if held_out(name) is which and len(e.codes)] for which in (False, True)]
    return entries, joined(sides[0]), joined(sides[1])


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of this script; prints settings and figures as one JSON line."""
    parser = argparse.ArgumentParser(description="Train the static embedding on collected pairs.")
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--start", type=Path, required=True, help="folder of an embedding: its entries and vectors")
    parser.add_argument("--random", action="store_true", help="start from random vectors")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--entries", type=int, default=58_000)
    for name, default in asdict(Settings()).items():
        parser.add_argument(f"--{name}", type=type(default), default=default)
    options = parser.parse_args(arguments)
    settings = Settings(**{name: getattr(options, name) for name in asdict(Settings())})
    present, vectors = load(options.start)
    entries, training, validation = prepare(options.pairs, present, options.entries)
    begin = grown(present, vectors, entries)
    if options.random:
        begin = random_start(entries, begin.shape[1], settings.seed)

    def progress(step: int, steps: int, loss: float) -> None:
        if step % 20 == 0 or step == steps:
            print(f"step {step}/{steps} loss {loss:.3f}", file=sys.stderr, flush=True)  # noqa: T201

    trained = train(training, begin, settings, progress)
    save(options.out, entries, trained)
    figures = {"entries": len(entries), "pairs": len(training.codes), "before": reciprocal_rank(validation, begin)}
    after = reciprocal_rank(validation, load(options.out)[1])
    print(json.dumps({**asdict(settings), **figures, "after": after}))  # noqa: T201


if __name__ == "__main__":
    main()
