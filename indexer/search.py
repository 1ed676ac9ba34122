"""Candidates → one deterministic, explained ranking. Pure functions over a ``Corpus``."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from indexer import features
from indexer.corpus import Corpus, Definitions, Near
from indexer.filters import EVERYTHING, Allowed
from indexer.query import analyse
from indexer.ranking import WEIGHTS
from indexer.types import Hit

__all__ = ["Candidates", "Corpus", "Definitions", "Near", "candidates", "search"]

_WORD_ROWS = 200
_MEANING_ROWS = 100
_PATH_FILES = 50
"""How many rows and files each retriever offers; beyond them nothing that deserved the first page was seen."""


class Candidates(NamedTuple):
    """Files that may answer, with features in 0 … 1 by name (see ``ranking.WEIGHTS``), and the rows they came from."""

    files: NDArray[np.int64]
    features: dict[str, NDArray[np.float32]]
    row_scores: dict[int, float]
    """How well single rows fit; rows not named here fit worse than any that is."""


def search(
    corpus: Corpus,
    query: str,
    query_vector: NDArray[np.float32] | None,
    k: int,
    *,
    allowed: Allowed = EVERYTHING,
) -> list[Hit]:
    """The ``k`` best chunks for ``query``, best first: the best chunk of each file, and only then further chunks.

    The score of a hit is the weighted sum of its file's features; ``reasons`` holds every part of it.
    Equal scores are ordered by path and line, so that the order never depends on how the index was built. An empty
    query, or one of punctuation alone, finds nothing.
    """
    found = candidates(corpus, query, query_vector, allowed=allowed)
    if k <= 0 or not len(found.files):
        return []
    names = [name for name, values in found.features.items() if values.any()]
    parts = {name: WEIGHTS[name] * found.features[name] for name in names}
    scores = np.round(np.sum(list(parts.values()), axis=0), 6) if parts else np.zeros(len(found.files))
    # More than k, so that ties at the border are settled by path and not by number.
    keep = np.flatnonzero(scores >= np.partition(scores, -k)[-k]) if len(scores) > k else np.arange(len(scores))
    order = sorted(keep.tolist(), key=lambda i: (-float(scores[i]), corpus.path(int(found.files[i]))))[:k]
    rows_of = _rows_by_file(corpus, found)
    hits: list[Hit] = []
    shown: set[int] = set()
    for i in order:
        file_id = int(found.files[i])
        row = rows_of[file_id][0] if rows_of.get(file_id) else _first_row(corpus, file_id, allowed)
        assert row is not None, "only files with a chunk are candidates"
        shown.add(row)
        reasons = {name: round(float(values[i]), 6) for name, values in parts.items() if values[i]}
        hits.append(Hit(corpus.chunk(row), math.fsum(reasons.values()), reasons))
    if len(hits) < k:
        hits += _further(corpus, found, shown, {int(found.files[i]) for i in order}, hits[-1].score, k - len(hits))
    return hits


def candidates(
    corpus: Corpus, query: str, query_vector: NDArray[np.float32] | None, *, allowed: Allowed = EVERYTHING
) -> Candidates:
    """Every file that some retriever offers for ``query``, with all features; the weights play no part.

    ``allowed``: the files and rows to choose from (``filters.resolve``).
    """
    asked = analyse(query)
    allowed_files = None if allowed.files is None else frozenset(allowed.files.tolist())
    spelled = (*asked.terms, *(c.joined for c in asked.compounds))
    words, found_terms = features.lexical(corpus, dict.fromkeys(spelled), allowed.rows, _WORD_ROWS)
    idf = {t: found_terms[t].idf for t in asked.terms if t in found_terms}
    meaning = features.meaning(corpus, query_vector, allowed.rows, _MEANING_ROWS)
    symbols = features.symbols(corpus, asked, found_terms, allowed.rows)
    offered: list[NDArray[Any]] = [
        corpus.file_ids[words.rows],
        corpus.file_ids[meaning.rows],
        features.path_files(corpus, asked, found_terms, allowed_files, _PATH_FILES),
        np.array(symbols.files, np.int64),
    ]
    files = np.array(sorted(set(np.concatenate(offered).tolist())), np.int64)
    place = {int(f): i for i, f in enumerate(files.tolist())}
    values = {
        **features.best_and_sum("words", corpus, files, words),
        **features.best_and_sum("meaning", corpus, files, meaning),
        **symbols.features(place),
        **features.path_features(corpus, files, asked, idf),
    }
    row_scores = {r: WEIGHTS["words"] * s for r, s in words.relative()}
    for r, s in meaning.relative():
        row_scores[r] = row_scores.get(r, 0.0) + WEIGHTS["meaning"] * s
    defining = WEIGHTS["symbol_query" if asked.whole else "symbol"]
    for r, s in symbols.rows.items():
        row_scores[r] = row_scores.get(r, 0.0) + defining * s
    return Candidates(files, values, row_scores)


def _first_row(corpus: Corpus, file_id: int, allowed: Allowed) -> int | None:
    """Row of a file's first chunk that may be shown."""
    first = corpus.first_row(file_id)
    # Rows of a file stand together, and an allowed file has one that is.
    return first if first is None or allowed.rows is None else first + int(np.argmax(allowed.rows[first:]))


def _rows_by_file(corpus: Corpus, found: Candidates) -> dict[int, list[int]]:
    """Rows with a score of their own, by file, best first."""
    rows = sorted(found.row_scores, key=lambda r: (-found.row_scores[r], r))
    by_file: dict[int, list[int]] = {}
    for row, file_id in zip(rows, corpus.file_ids[np.array(rows, np.int64)].tolist(), strict=True):
        by_file.setdefault(file_id, []).append(row)
    return by_file


def _further(corpus: Corpus, found: Candidates, shown: set[int], files: set[int], below: float, n: int) -> list[Hit]:
    """Further chunks of the ``files`` already shown; each scores less by what it lacks to the best."""
    rest = [r for r in found.row_scores if r not in shown and int(corpus.file_ids[r]) in files]
    if not rest:
        return []
    best = max(found.row_scores[r] for r in rest)
    chunks = sorted(
        (
            (found.row_scores[r] - best, corpus.chunk(r))
            for r in sorted(rest, key=lambda r: -found.row_scores[r])[: 2 * n]
        ),
        key=lambda pair: (-round(pair[0], 6), pair[1].path, pair[1].span.start_byte),
    )
    return [Hit(chunk, below + less, {"further_chunk": below + less}) for less, chunk in chunks[:n]]
