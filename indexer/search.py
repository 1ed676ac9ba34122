"""Candidates → one deterministic, explained ranking. Pure functions over a ``Corpus``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from indexer import features
from indexer.corpus import Corpus, Definitions, Near
from indexer.filters import EVERYTHING, Allowed
from indexer.matching import Matcher
from indexer.query import Query, analyse
from indexer.ranking import WEIGHTS
from indexer.types import Hit
from indexer.verbatim import Verbatim, verbatim

__all__ = ["Candidates", "Corpus", "Definitions", "Found", "Near", "candidates", "search"]

_WEIGHTS = np.array([[weight] for weight in WEIGHTS.values()], np.float32)
_WORD_ROWS = 200
_MEANING_ROWS = 100
_PATH_FILES = 50
"""How many rows and files each retriever offers; beyond them nothing that deserved the first page was seen."""


class Candidates(NamedTuple):
    """Files that may answer, with their features, and the rows they came from."""

    files: NDArray[np.int64]
    features: NDArray[np.float32]
    """One row for each of ``ranking.WEIGHTS``, in that order, one column for each file; all in 0 … 1."""
    rows: NDArray[np.int64]
    """Rows with a score of their own, ascending; all others fit worse than any of them."""
    row_scores: NDArray[np.float32]
    """How well each fits."""
    spellings: dict[str, tuple[str, ...]]
    """Words that no text holds, and what was looked for in their place."""
    asked: Query
    """The query taken apart, misspelt words replaced."""
    rarity: dict[str, float]
    """The idf of every term that was looked for and is there."""
    literal: bool = False
    """Whether the query has no words, so that nothing but its text was looked for."""
    lines: Mapping[int, int] = {}
    """Rows that hold what the query quotes, and the line of the file, from 1, that it stands in."""


class Found(NamedTuple):
    """Hits, best first. ``spellings``, ``literal``: see ``Candidates``."""

    hits: list[Hit]
    spellings: dict[str, tuple[str, ...]]
    literal: bool = False


def search(
    corpus: Corpus,
    query: str,
    query_vector: NDArray[np.float32] | None,
    k: int,
    *,
    allowed: Allowed = EVERYTHING,
) -> Found:
    """The ``k`` best chunks for ``query``, best first: the best chunk of each file, and only then further chunks.

    The score of a hit is the weighted sum of its file's features; ``reasons`` holds every part of it.
    Equal scores are ordered by path and line, so that the order never depends on how the index was built. A query
    without words (``<=>``) finds its text; an empty one finds nothing.
    """
    if k <= 0:
        return Found([], {})
    found = candidates(corpus, query, query_vector, allowed=allowed)
    if not len(found.files):
        return Found([], found.spellings, found.literal)
    parts = _WEIGHTS * found.features
    # Row by row, so that files of equal features get equal sums wherever they stand.
    scores = np.round(parts.sum(axis=0), 6)
    # More than k, so that ties at the border are settled by path and not by number.
    least = np.partition(scores, -k)[-k] if len(scores) > k else -np.inf
    files = found.files.tolist()
    kept = [(-score, corpus.path(files[i]), i) for i, score in enumerate(scores.tolist()) if score >= least]
    order = [i for _, _, i in sorted(kept)[:k]]
    best_row = _best_rows(corpus, found, {files[i] for i in order})
    matcher = Matcher(query, found.asked, found.rarity)
    hits: list[Hit] = []
    shown: set[int] = set()
    shares = np.round(parts.T[order].astype(np.float64), 6).tolist()
    for i, own in zip(order, shares, strict=True):
        row = best_row.get(files[i])
        if row is None:
            row = _first_row(corpus, files[i], allowed)
        assert row is not None, "only files with a chunk are candidates"
        shown.add(row)
        reasons = {name: part for name, part in zip(WEIGHTS, own, strict=True) if part}
        hits.append(_hit(corpus, found, matcher, row, math.fsum(reasons.values()), reasons))
    if len(hits) < k:
        more = _further(corpus, found, shown, {files[i] for i in order}, k - len(hits))
        below = hits[-1].score
        hits += [_hit(corpus, found, matcher, row, below + less, {"further_chunk": below + less}) for less, row in more]
    return Found(hits, found.spellings, found.literal)


def candidates(
    corpus: Corpus, query: str, query_vector: NDArray[np.float32] | None, *, allowed: Allowed = EVERYTHING
) -> Candidates:
    """Every file that some retriever offers for ``query``, with all features; the weights play no part.

    ``allowed``: the files and rows to choose from (``filters.resolve``).
    """
    asked = analyse(query)
    allowed_files = None if allowed.files is None else frozenset(allowed.files.tolist())
    spelled = dict.fromkeys((*asked.terms, *(c.joined for c in asked.compounds)), 1.0)
    words, found_terms = features.lexical(corpus, spelled, allowed.rows, _WORD_ROWS)
    spellings: dict[str, tuple[str, ...]] = {}
    if not found_terms.keys() >= {*asked.terms}:
        from indexer.prefixes import completed
        from indexer.spelling import corrected

        asked, meant, spellings = completed(corpus, asked, query, found_terms)
        asked, nearly, misspelt = corrected(corpus, asked, query, {*found_terms, *meant}, {*spellings})
        meant, spellings = {**nearly, **meant}, {**misspelt, **spellings}
        if meant:
            words, found_terms = features.lexical(corpus, {**meant, **spelled}, allowed.rows, _WORD_ROWS)
    idf = {t: found_terms[t].idf for t in asked.terms if t in found_terms}
    meaning = features.meaning(corpus, query_vector if asked.terms else None, allowed.rows, _MEANING_ROWS)
    symbols = features.symbols(corpus, asked, found_terms, allowed.rows)
    by_path = features.path_files(corpus, asked, found_terms, allowed_files, _PATH_FILES)
    offered: list[NDArray[Any]] = [corpus.file_ids[words.rows], corpus.file_ids[meaning.rows], by_path.best]
    quoted = Verbatim()
    if asked.literals or asked.places:
        quoted = verbatim(corpus, asked, offered[0].astype(np.int64), allowed)
    files = np.array(sorted({*np.concatenate(offered).tolist(), *symbols.files, *quoted.files}), np.int64)
    table = np.zeros((len(WEIGHTS), len(files)), np.float32)
    features.best_and_sum(table, corpus, files, {"words": words, "meaning": meaning})
    symbols.fill(table, files)
    quoted.fill(table, files)
    features.path_features(table, corpus, files, by_path, asked, idf)
    defining = WEIGHTS["symbol_query" if asked.whole else "symbol"]
    defined = np.array([*symbols.rows], np.int64), np.array([*symbols.rows.values()], np.float32)
    verbatim_rows, gains = quoted.row_scores()
    by_words, by_meaning = WEIGHTS["words"] * words.relative(), WEIGHTS["meaning"] * meaning.relative()
    rows, row_scores = features.summed(
        corpus,
        np.concatenate([words.rows, meaning.rows, defined[0], verbatim_rows]),
        np.concatenate([by_words, by_meaning, defining * defined[1], gains]),
    )
    rarity = {term: known.idf for term, known in found_terms.items()}
    return Candidates(files, table, rows, row_scores, spellings, asked, rarity, not asked.terms, quoted.lines)


def _first_row(corpus: Corpus, file_id: int, allowed: Allowed) -> int | None:
    """Row of a file's first chunk that may be shown."""
    first = corpus.first_row(file_id)
    # Rows of a file stand together, and an allowed file has one that is.
    return first if first is None or allowed.rows is None else first + int(np.argmax(allowed.rows[first:]))


def _best_rows(corpus: Corpus, found: Candidates, files: set[int]) -> dict[int, int]:
    """The best row of each of ``files`` that has any with a score of its own; of equal ones the first."""
    best: dict[int, tuple[float, int]] = {}
    own = zip(corpus.file_ids[found.rows].tolist(), found.row_scores.tolist(), found.rows.tolist(), strict=True)
    for file_id, score, row in own:
        if file_id in files and (file_id not in best or score > best[file_id][0]):
            best[file_id] = score, row
    return {file_id: row for file_id, (_, row) in best.items()}


def _further(corpus: Corpus, found: Candidates, shown: set[int], files: set[int], n: int) -> list[tuple[float, int]]:
    """Rows of further chunks of the ``files`` already shown, and what each lacks to the best of them (0 or less)."""
    own = zip(found.row_scores.tolist(), found.rows.tolist(), corpus.file_ids[found.rows].tolist(), strict=True)
    rest = [(score, row) for score, row, file_id in own if row not in shown and file_id in files]
    if not rest:
        return []
    rest.sort(key=lambda pair: (-pair[0], pair[1]))
    best = rest[0][0]
    chunks = sorted(
        ((score - best, row, corpus.chunk(row)) for score, row in rest[: 2 * n]),
        key=lambda entry: (-round(entry[0], 6), entry[2].path, entry[2].span.start_byte),
    )
    return [(less, row) for less, row, _ in chunks[:n]]


def _hit(corpus: Corpus, found: Candidates, matcher: Matcher, row: int, score: float, reasons: dict[str, float]) -> Hit:
    chunk = corpus.chunk(row)
    meant = matcher.match(chunk, corpus.chunk_symbols(row), found.lines.get(row))
    return Hit(chunk, score, reasons, meant.symbol, meant.line, meant.preview)
