"""Candidates → one deterministic, explained ranking. Pure functions over a ``Corpus``."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from indexer import features
from indexer.corpus import Corpus, Definitions, Near
from indexer.query import analyse
from indexer.ranking import WEIGHTS
from indexer.types import Hit

__all__ = ["Candidates", "Corpus", "Definitions", "Found", "Near", "candidates", "search"]

_WORD_ROWS = 200
_MEANING_ROWS = 100
_PATH_FILES = 50
"""How many rows and files each retriever offers; beyond them nothing that deserved the first page was seen."""


class Candidates(NamedTuple):
    """Files that may answer, with features in 0 … 1 by name (see ``ranking.WEIGHTS``), and the rows they came from."""

    files: NDArray[np.int64]
    features: dict[str, NDArray[np.float32]]
    rows: NDArray[np.int64]
    """Rows with a score of their own, ascending; all others fit worse than any of them."""
    row_scores: NDArray[np.float32]
    """How well each fits."""
    spellings: dict[str, tuple[str, ...]]
    """Words that no text holds, and what was looked for in their place."""


class Found(NamedTuple):
    """Hits, best first. ``spellings``: see ``Candidates``."""

    hits: list[Hit]
    spellings: dict[str, tuple[str, ...]]


def search(
    corpus: Corpus, query: str, query_vector: NDArray[np.float32] | None, k: int, *, language: str | None = None
) -> Found:
    """The ``k`` best chunks for ``query``, best first: the best chunk of each file, and only then further chunks.

    The score of a hit is the weighted sum of its file's features; ``reasons`` holds every part of it.
    Equal scores are ordered by path and line, so that the order never depends on how the index was built. An empty
    query, or one of punctuation alone, finds nothing.
    """
    if k <= 0:
        return Found([], {})
    found = candidates(corpus, query, query_vector, language=language)
    if not len(found.files):
        return Found([], found.spellings)
    parts = np.array([WEIGHTS[name] * values for name, values in found.features.items()], np.float32)
    # Row by row, so that files of equal features get equal sums wherever they stand.
    scores = np.round(parts.sum(axis=0), 6)
    # More than k, so that ties at the border are settled by path and not by number.
    keep = np.flatnonzero(scores >= np.partition(scores, -k)[-k]) if len(scores) > k else np.arange(len(scores))
    files = found.files.tolist()
    order = sorted(keep.tolist(), key=lambda i: (-float(scores[i]), corpus.path(files[i])))[:k]
    best_row = _best_rows(corpus, found)
    names = list(found.features)
    hits: list[Hit] = []
    shown: set[int] = set()
    for i, own in zip(order, parts.T[order].tolist(), strict=True):
        row = best_row.get(files[i])
        if row is None:
            row = corpus.first_row(files[i])
        assert row is not None, "only files with a chunk are candidates"
        shown.add(row)
        reasons = {name: round(part, 6) for name, part in zip(names, own, strict=True) if part}
        hits.append(Hit(corpus.chunk(row), math.fsum(reasons.values()), reasons))
    if len(hits) < k:
        hits += _further(corpus, found, shown, {files[i] for i in order}, hits[-1].score, k - len(hits))
    return Found(hits, found.spellings)


def candidates(
    corpus: Corpus, query: str, query_vector: NDArray[np.float32] | None, *, language: str | None = None
) -> Candidates:
    """Every file that some retriever offers for ``query``, with all features; the weights play no part."""
    asked = analyse(query)
    allowed_files, allowed = _allowed(corpus, language)
    spelled = dict.fromkeys((*asked.terms, *(c.joined for c in asked.compounds)), 1.0)
    words, found_terms = features.lexical(corpus, spelled, allowed, _WORD_ROWS)
    spellings: dict[str, tuple[str, ...]] = {}
    if not found_terms.keys() >= {*asked.terms}:
        from indexer.spelling import corrected

        asked, meant, spellings = corrected(corpus, asked, query, found_terms)
        if meant:
            words, found_terms = features.lexical(corpus, {**meant, **spelled}, allowed, _WORD_ROWS)
    idf = {t: found_terms[t].idf for t in asked.terms if t in found_terms}
    meaning = features.meaning(corpus, query_vector, allowed, _MEANING_ROWS)
    symbols = features.symbols(corpus, asked, found_terms, allowed)
    by_path = features.path_files(corpus, asked, found_terms, allowed_files, _PATH_FILES)
    offered: list[NDArray[Any]] = [corpus.file_ids[words.rows], corpus.file_ids[meaning.rows], by_path]
    files = np.array(sorted({*np.concatenate(offered).tolist(), *symbols.files}), np.int64)
    values = {
        **features.best_and_sum("words", corpus, files, words),
        **features.best_and_sum("meaning", corpus, files, meaning),
        **symbols.features(files),
        **features.path_features(corpus, files, asked, idf),
    }
    defining = WEIGHTS["symbol_query" if asked.whole else "symbol"]
    rows, row_scores = _summed(
        corpus,
        [
            (words.rows, WEIGHTS["words"] * words.relative()),
            (meaning.rows, WEIGHTS["meaning"] * meaning.relative()),
            (np.array([*symbols.rows], np.int64), defining * np.array([*symbols.rows.values()], np.float32)),
        ],
    )
    return Candidates(files, values, rows, row_scores, spellings)


def _summed(
    corpus: Corpus, parts: list[tuple[NDArray[np.int64], NDArray[np.float32]]]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Rows of any part, ascending, with the sums of their scores; no part holds a row twice."""
    total = corpus.accumulator()
    for rows, scores in parts:
        total[rows] += scores
    every = np.sort(np.concatenate([rows for rows, _ in parts]))
    first = np.ones(len(every), np.bool_)
    np.not_equal(every[1:], every[:-1], out=first[1:])
    every = every[first]
    sums = total[every]
    total[every] = 0
    return every, sums


def _allowed(corpus: Corpus, language: str | None) -> tuple[frozenset[int] | None, NDArray[np.bool_] | None]:
    """Files in ``language`` and, shape (rows,), which rows are theirs; None twice when all are allowed."""
    if language is None:
        return None, None
    files = corpus.files_in(language)
    is_allowed = np.zeros(max(int(files.max(initial=0)), int(corpus.file_ids.max(initial=0))) + 1, np.bool_)
    is_allowed[files] = True
    return frozenset(files.tolist()), is_allowed[corpus.file_ids]


def _best_rows(corpus: Corpus, found: Candidates) -> dict[int, int]:
    """The best row of each file that has any with a score of its own; of equal ones the first."""
    order = np.argsort(-found.row_scores, kind="stable")
    rows = found.rows[order]
    best: dict[int, int] = {}
    for file_id, row in zip(corpus.file_ids[rows].tolist(), rows.tolist(), strict=True):
        best.setdefault(file_id, row)
    return best


def _further(corpus: Corpus, found: Candidates, shown: set[int], files: set[int], below: float, n: int) -> list[Hit]:
    """Further chunks of the ``files`` already shown; each scores less by what it lacks to the best."""
    own = zip(found.row_scores.tolist(), found.rows.tolist(), corpus.file_ids[found.rows].tolist(), strict=True)
    rest = [(score, row) for score, row, file_id in own if row not in shown and file_id in files]
    if not rest:
        return []
    rest.sort(key=lambda pair: (-pair[0], pair[1]))
    best = rest[0][0]
    chunks = sorted(
        ((score - best, corpus.chunk(row)) for score, row in rest[: 2 * n]),
        key=lambda pair: (-round(pair[0], 6), pair[1].path, pair[1].span.start_byte),
    )
    return [Hit(chunk, below + less, {"further_chunk": below + less}) for less, chunk in chunks[:n]]
