"""What each retriever says about each file: numbers in 0 … 1 that ``search`` weighs. Pure functions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from indexer.corpus import Corpus, Definition
from indexer.query import Name, Query
from indexer.ranking import asked_kinds, folded, kind_share, path_facts

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

_K1 = 1.2
_B = 0.75
"""BM25's saturation and length normalisation (Robertson & Zaragoza, 2009), the usual values."""
_BEST_CHUNKS = 3
"""Chunks of a file that count in sums: enough to tell a file about a thing from one that mentions it."""


class Term(NamedTuple):
    """A term that occurs: its rows and how rare it is."""

    rows: NDArray[np.int32]
    idf: float


def lexical(corpus: Corpus, terms: Iterable[str], allowed: NDArray[np.bool_] | None) -> tuple[Floats, dict[str, Term]]:
    """BM25 of every row, shape (rows,), and the terms that occur at all."""
    scores = np.zeros(corpus.rows, np.float32)
    found: dict[str, Term] = {}
    if not corpus.rows:
        return scores, found
    live = corpus.rows if corpus.alive is None else int(np.count_nonzero(corpus.alive))
    lengths = corpus.lengths
    average = max(1.0, float(lengths.mean() if corpus.alive is None else lengths[corpus.alive].mean()) if live else 1.0)
    for term in terms:
        rows, counts = corpus.postings(term)
        if not len(rows):
            continue
        idf = math.log1p((live - len(rows) + 0.5) / (len(rows) + 0.5))
        found[term] = Term(rows, idf)
        room = counts + _K1 * (1 - _B + (_B / average) * lengths[rows])
        scores[rows] += idf * (_K1 + 1) * counts / room
    if allowed is not None:
        scores[~allowed] = 0.0
    return scores, found


def meaning(corpus: Corpus, vector: Floats | None, allowed: NDArray[np.bool_] | None) -> Floats:
    """How much nearer than an average row each row is to the query, 0 for those that are not; shape (rows,).

    Cosines have a floor of their own in every model and repository, which is why only what exceeds it counts.
    """
    if vector is None or not corpus.rows or not vector.any():
        return np.zeros(corpus.rows, np.float32)
    cosines = corpus.similarities(vector)
    if corpus.alive is not None:
        cosines = np.where(corpus.alive, cosines, -np.inf)
    floor = float(cosines.mean())
    if not math.isfinite(floor):  # some rows were not looked at: those that were are all near
        finite = cosines[np.isfinite(cosines)]
        floor = float(finite.mean() if corpus.alive is not None else finite.min()) if len(finite) else 0.0
    above: Floats = np.maximum(cosines - np.float32(floor), 0, dtype=np.float32)
    if allowed is not None:
        above[~allowed] = 0.0
    return above


def top_rows(scores: Floats, n: int) -> Ints:
    """Rows of the ``n`` highest positive scores, best first, equal ones by row."""
    rows = np.flatnonzero(scores)
    if len(rows) > n:
        least = np.partition(scores[rows], -n)[-n]
        rows = rows[scores[rows] >= least]
    return rows[np.lexsort((rows, -scores[rows]))][:n]


def relative(scores: Floats, rows: Ints) -> list[tuple[int, float]]:
    """Rows (best first) with their scores as shares of the best."""
    if not len(rows):
        return []
    return list(zip(rows.tolist(), (scores[rows] / scores[rows[0]]).tolist(), strict=True))


def best_and_sum(name: str, corpus: Corpus, files: Ints, rows: Ints, scores: Floats) -> dict[str, Floats]:
    """Best chunk of each file and the sum of its best three, as shares of the highest such value."""
    best, total = np.zeros(len(files), np.float32), np.zeros(len(files), np.float32)
    if len(rows):
        place = np.searchsorted(files, corpus.file_ids[rows])
        order = np.argsort(place, kind="stable")  # rows come best first, and stay so within a file
        place, ordered = place[order], scores[rows][order]
        starts = np.flatnonzero(np.r_[True, place[1:] != place[:-1]])
        rank = np.arange(len(place)) - np.repeat(starts, np.diff(np.r_[starts, len(place)]))
        best[place[starts]] = ordered[starts]
        counted = rank < _BEST_CHUNKS
        total = np.bincount(place[counted], ordered[counted], len(files)).astype(np.float32)
        best, total = best / best.max(), total / total.max()
    return {name: best, f"{name}_sum": total}


SYMBOL_FEATURES = ("symbol_query", "symbol", "symbol_word", "symbol_compound")


@dataclass(slots=True)
class Symbols:
    """What the definition table says: scores by feature and file, and by row, all in 0 … 1."""

    by_feature: dict[str, dict[int, float]] = field(default_factory=dict)
    rows: dict[int, float] = field(default_factory=dict)

    @property
    def files(self) -> list[int]:
        """Files with any matching definition."""
        return sorted({f for scores in self.by_feature.values() for f in scores})

    def add(self, feature: str, scored: Iterable[tuple[Definition, float]], strength: float) -> None:
        """Count the best of a name's definitions in each file."""
        best: dict[int, float] = {}
        for definition, score in scored:
            best[definition.file_id] = max(best.get(definition.file_id, 0.0), score)
            self.rows[definition.row] = max(self.rows.get(definition.row, 0.0), strength * score)
        scores = self.by_feature.setdefault(feature, {})
        for file_id, score in best.items():
            scores[file_id] = min(1.0, scores.get(file_id, 0.0) + score * strength)

    def features(self, place: Mapping[int, int]) -> dict[str, Floats]:
        """As arrays over the candidate files."""
        out = {name: np.zeros(len(place), np.float32) for name in SYMBOL_FEATURES}
        for name, scores in self.by_feature.items():
            for file_id, score in scores.items():
                out[name][place[file_id]] = score
        return out


_MOST_DEFINITIONS = 64
"""A name defined more often than this (``get``, ``init``) singles nothing out; the best are looked at."""


def symbols(corpus: Corpus, query: Query, terms: Mapping[str, Term], allowed: NDArray[np.bool_] | None) -> Symbols:
    """Definitions whose names the query holds: as identifiers, as plain words, and as words that spell a name.

    A name stands where it is defined, so words whose spelling is no term (``terms``) are no name and cost no look-up.
    """
    out = Symbols()
    for name in query.names:
        scored = _scored_definitions(corpus, name, allowed)
        feature = "symbol_query" if query.whole else "symbol" if name.strength == 1 else "symbol_word"
        out.add(feature, scored, name.strength)
    for compound in query.compounds:
        if compound.joined not in terms:
            continue
        spelled = {d.row: d for c in (compound.joined, compound.snake) for d in corpus.definitions(c)}
        out.add("symbol_compound", _weighed(list(spelled.values()), allowed), 1.0)
    return out


def _scored_definitions(
    corpus: Corpus, name: Name, allowed: NDArray[np.bool_] | None
) -> list[tuple[Definition, float]]:
    """Definitions of one name with scores: scope, kind, place and size decide between several."""
    found = corpus.definitions(name.name)
    if name.scope:
        found = corpus.definitions(".".join((*name.scope, name.name))) + found
        fitting = [(d, _scope_share(corpus, d, name.scope)) for d in found]
    else:
        exact = any(d.name == name.name for d in found)
        # Another case is another name, unless the query holds a plain word.
        fitting = [(d, 1.0 if d.name == name.name or name.strength < 1 or not exact else 0.4) for d in found]
    weights = {id(d): share for d, share in fitting}
    return [(d, score * weights[id(d)]) for d, score in _weighed(found, allowed)]


def _scope_share(corpus: Corpus, definition: Definition, scope: tuple[str, ...]) -> float:
    """1 where the definition stands in the scope that was asked for (a type, or a module by its path), else less."""
    wanted = folded(scope[-1])
    around = [folded(part) for part in definition.qualified.replace("::", ".").split(".")[:-1]]
    if wanted in around:
        return 1.0
    path = corpus.path(definition.file_id)
    return 0.9 if wanted in {folded(p) for p in path.rpartition(".")[0].split("/")} else 0.4


def _weighed(found: list[Definition], allowed: NDArray[np.bool_] | None) -> list[tuple[Definition, float]]:
    """Definitions with the share that kind, nesting, visibility and size give; common names count less."""
    if allowed is not None:
        found = [d for d in found if allowed[d.row]]
    if not found:
        return []
    longest = max(d.end_line - d.start_line + 1 for d in found)
    common = min(1.0, 3.0 / len({d.file_id for d in found})) ** 0.5
    scored = []
    for d in found:
        size = (d.end_line - d.start_line + 1) / longest
        share = kind_share(d.kind) * (1.0 if d.exported else 0.8) * (0.85 if "." in d.qualified else 1.0)
        scored.append((d, common * share * (0.6 + 0.4 * size)))
    return sorted(scored, key=lambda pair: -pair[1])[:_MOST_DEFINITIONS]


def path_files(
    corpus: Corpus, query: Query, terms: Mapping[str, Term], allowed: NDArray[np.bool_] | None, n: int
) -> Ints:
    """The ``n`` files whose paths hold most of the query's terms, weighted by rarity; none without a chunk."""
    scores: dict[int, float] = {}
    rare = max((terms[t].idf for t in query.terms if t in terms), default=1.0)
    for term in (*query.terms, *(c.joined for c in query.compounds if c.joined in terms)):
        weight = terms[term].idf if term in terms else rare
        for file_id in corpus.files_with_path_term(term).tolist():
            scores[file_id] = scores.get(file_id, 0.0) + weight
    if not scores:
        return np.empty(0, np.int64)
    live = corpus.file_ids if allowed is None else corpus.file_ids[allowed]
    held = np.zeros(max(max(scores), int(corpus.file_ids.max(initial=0))) + 1, np.bool_)
    held[live] = True
    best = sorted((f for f in scores if held[f]), key=lambda f: (-scores[f], f))[:n]
    return np.array(best, np.int64)


_KINDS = ("test", "example", "vendored", "generated", "documentation", "configuration", "shim")


def path_features(corpus: Corpus, files: Ints, query: Query, idf: Mapping[str, float]) -> dict[str, Floats]:
    """What the query shares with each file's name and folders, and which kinds of file they are."""
    names = ("file_name", "file_name_words", "folder", *_KINDS)
    out = {name: np.zeros(len(files), np.float32) for name in names}
    terms = frozenset(query.terms)
    spelled = terms | {c.joined for c in query.compounds} | {folded(n.name) for n in query.names}
    rare = max(idf.values(), default=1.0)
    whole = sum(idf.get(t, rare) for t in terms) or 1.0
    asked = asked_kinds(terms)
    for i, file_id in enumerate(files.tolist()):
        facts = path_facts(corpus.path(file_id), corpus.language(file_id))
        shared = facts.name_parts & terms
        if facts.name in spelled:
            out["file_name"][i] = 1.0
        elif shared:
            out["file_name"][i] = len(shared) / len(facts.name_parts)
        if shared:
            out["file_name_words"][i] = sum(idf.get(t, rare) for t in shared) / whole
        if in_folder := facts.folder_terms & terms:
            out["folder"][i] = sum(idf.get(t, rare) for t in in_folder) / whole
        for kind in facts.kinds - asked:
            out[kind][i] = 1.0
    return out
