"""What each retriever says about each file: numbers in 0 … 1 that ``search`` weighs. Pure functions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from indexer.corpus import Corpus, Definitions
from indexer.query import Name, Query, is_identifier
from indexer.ranking import KINDS_OF_FILE, WEIGHTS, asked_kinds, folded, kind_share
from indexer.types import KINDS

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

ROW = {name: row for row, name in enumerate(WEIGHTS)}
"""Where each feature stands in a table of them, shape (features, files)."""

_K1 = 1.2
_B = 0.75
"""BM25's saturation and length normalisation (Robertson & Zaragoza, 2009), the usual values."""
_BEST_CHUNKS = 3
"""Chunks of a file that count in sums: enough to tell a file about a thing from one that mentions it."""


_MOST_POSTINGS = 120_000
"""Postings that are all scored for a query, about 2 ms. Terms beyond that are so common that they only tell apart what
rarer terms found."""
_OTHER_CASE = 0.4
"""What a definition counts that is spelled in another case than a name of the query."""
_FIRST_ROWS = 4_000
"""Rows that go on to be scored by the common terms."""


class Term(NamedTuple):
    """A term that occurs: how rare it is."""

    rows: int
    idf: float


class Scored(NamedTuple):
    """Rows and their scores, best first, equal ones by row."""

    rows: Ints
    scores: Floats

    def relative(self) -> Floats:
        """The scores as shares of the best."""
        return self.scores / self.scores[0] if len(self.scores) else self.scores


def lexical(
    corpus: Corpus, terms: Mapping[str, float], allowed: NDArray[np.bool_] | None, n: int
) -> tuple[Scored, dict[str, Term]]:
    """The ``n`` best rows by BM25, and the terms that occur at all. ``terms``: what part of its rarity each counts.

    Exact where the terms have up to ``_MOST_POSTINGS`` postings together. Beyond, the commonest terms are scored for
    the best rows of the rarer ones only, after the idea of MaxScore (Turtle & Flood, 1995): a term of idf near 0
    cannot lift a row that lacks all others.
    """
    held = {term: corpus.postings(term) for term in terms}
    held = {term: found for term, found in held.items() if len(found[0])}
    known = {term: _term(len(rows), corpus.live_rows, terms[term]) for term, (rows, _) in held.items()}
    rarest = sorted(held, key=lambda term: known[term].rows)
    spent, first = 0, 0
    while first < len(rarest) and (not first or spent + known[rarest[first]].rows <= _MOST_POSTINGS):
        spent += known[rarest[first]].rows
        first += 1
    rows, scores = _sum_by_row(corpus, [(held[t], known[t].idf) for t in rarest[:first]])
    if allowed is not None:
        rows, scores = rows[allowed[rows]], scores[allowed[rows]]
    if first < len(rarest):
        rows, scores = _best(rows, scores, _FIRST_ROWS)
        order = np.argsort(rows)
        rows, scores = rows[order], scores[order]
        for term in rarest[first:]:
            their_rows, counts = held[term]
            place = np.minimum(np.searchsorted(their_rows, rows), len(their_rows) - 1)
            hit = their_rows[place] == rows
            scores[hit] += _bm25(corpus, rows[hit], counts[place[hit]], _gain(known[term].idf))
    return Scored(*_best(rows, scores, n)), known


def _term(rows: int, live: int, share: float) -> Term:
    return Term(rows, share * math.log1p((live - rows + 0.5) / (rows + 0.5)))


def _sum_by_row(
    corpus: Corpus, parts: Sequence[tuple[tuple[NDArray[np.int32], NDArray[np.uint8]], float]]
) -> tuple[Ints, Floats]:
    """Rows that any part holds, each once, ascending, with their summed scores."""
    if not parts:
        return np.empty(0, np.int64), np.empty(0, np.float32)
    rows = np.concatenate([rows for (rows, _), _ in parts])
    counts = np.concatenate([counts for (_, counts), _ in parts])
    gains = np.array([_gain(idf) for _, idf in parts], np.float32)
    gains = np.repeat(gains, [len(rows) for (rows, _), _ in parts])
    return summed(corpus, rows, _bm25(corpus, rows, counts, gains))


def summed(corpus: Corpus, rows: NDArray[Any], scores: Floats) -> tuple[NDArray[Any], Floats]:
    """Each of ``rows`` once, ascending, with the sum of its scores, added in the order in which they come."""
    total = corpus.accumulator()
    np.add.at(total, rows, scores)
    every = np.sort(rows)
    # np.unique would do this, and import numpy.ma for it.
    first = np.ones(len(every), np.bool_)
    np.not_equal(every[1:], every[:-1], out=first[1:])
    every = every[first]
    sums = total[every]
    total[every] = 0
    return every, sums


def _gain(idf: float) -> float:
    """The score that a term's occurrences tend to."""
    return idf * (_K1 + 1)


def _bm25(corpus: Corpus, rows: NDArray[Any], counts: NDArray[np.uint8], gain: Floats | float) -> Floats:
    tf = counts.astype(np.float32)
    room = corpus.lengths[rows]
    room *= _K1 * _B / corpus.mean_length
    room += tf
    room += _K1 * (1 - _B)
    tf *= gain
    tf /= room
    return tf


def _best(rows: Ints, scores: Floats, n: int) -> tuple[Ints, Floats]:
    """The ``n`` highest of ascending ``rows``, best first, equal ones by row."""
    if len(rows) > n:
        keep = scores >= np.partition(scores, -n)[-n]
        rows, scores = rows[keep], scores[keep]
    order = np.argsort(-scores, kind="stable")[:n]
    return rows[order], scores[order]


def meaning(corpus: Corpus, vector: Floats | None, allowed: NDArray[np.bool_] | None, n: int) -> Scored:
    """The ``n`` rows nearest to the query, and how much nearer each is than an average row.

    Cosines have a floor of their own in every model and repository, which is why only what exceeds it counts.
    """
    if vector is None or not corpus.rows or not vector.any():
        return Scored(np.empty(0, np.int64), np.empty(0, np.float32))
    near = corpus.nearest(vector, n, allowed)
    above = near.cosines - np.float32(near.floor)
    return Scored(near.rows[above > 0], above[above > 0])


def best_and_sum(table: Floats, corpus: Corpus, files: Ints, retrieved: Mapping[str, Scored]) -> None:
    """Best chunk of each file and the sum of its best three, as shares of the highest such value of the retriever.

    Into the rows ``NAME`` and ``NAME_sum`` of ``table``; retrievers are treated together, file by file within each.
    """
    n = len(files)
    rows = np.concatenate([found.rows for found in retrieved.values()])
    if not len(rows):
        return
    place = np.searchsorted(files, corpus.file_ids[rows])
    start = 0
    for number, found in enumerate(retrieved.values()):
        place[start : start + len(found.rows)] += number * n
        start += len(found.rows)
    order = np.argsort(place, kind="stable")  # rows come best first, and stay so within a file
    place = place[order]
    scores = np.concatenate([found.scores for found in retrieved.values()])[order]
    first = np.ones(len(place), np.bool_)
    np.not_equal(place[1:], place[:-1], out=first[1:])
    starts = np.flatnonzero(first)
    rank = np.arange(len(place)) - starts[np.cumsum(first) - 1]
    counted = rank < _BEST_CHUNKS
    best = np.zeros(len(retrieved) * n, np.float32)
    best[place[starts]] = scores[starts]
    total = np.bincount(place[counted], scores[counted], len(best)).astype(np.float32)
    for number, (name, found) in enumerate(retrieved.items()):
        if len(found.rows):
            own = slice(number * n, (number + 1) * n)
            np.divide(best[own], best[own].max(), out=table[ROW[name]])
            np.divide(total[own], total[own].max(), out=table[ROW[f"{name}_sum"]])


class Symbols:
    """What the definition table says: scores by feature and file, and by row, all in 0 … 1."""

    def __init__(self) -> None:
        self.by_feature: dict[str, dict[int, float]] = {}
        self.rows: dict[int, float] = {}

    @property
    def files(self) -> set[int]:
        """Files with any matching definition."""
        return {file_id for scores in self.by_feature.values() for file_id in scores}

    def add(self, feature: str, found: Definitions, shares: Floats, strength: float) -> None:
        """Count the best of a name's definitions in each file."""
        best: dict[int, float] = {}
        for file_id, row, score in zip(found.files.tolist(), found.rows.tolist(), shares.tolist(), strict=True):
            best[file_id] = max(best.get(file_id, 0.0), score)
            self.rows[row] = max(self.rows.get(row, 0.0), strength * score)
        scores = self.by_feature.setdefault(feature, {})
        for file_id, score in best.items():
            scores[file_id] = min(1.0, scores.get(file_id, 0.0) + score * strength)

    def fill(self, table: Floats, files: Ints) -> None:
        """Into ``table``; the candidate ``files``, ascending, hold all of ``self.files``."""
        for name, scores in self.by_feature.items():
            if scores:
                table[ROW[name], np.searchsorted(files, [*scores])] = [*scores.values()]


_MOST_DEFINITIONS = 64
"""A name defined more often than this (``get``, ``init``) singles nothing out; the best are looked at."""
_NO_SHARES = np.empty(0, np.float32)
_KIND_SHARES = np.array([kind_share(kind) for kind in KINDS], np.float32)


def symbols(corpus: Corpus, query: Query, terms: Mapping[str, Term], allowed: NDArray[np.bool_] | None) -> Symbols:
    """Definitions whose names the query holds: as identifiers, as plain words, and as words that spell a name.

    A name stands where it is defined, so words whose spelling is no term (``terms``) are no name and cost no look-up.
    """
    out = Symbols()
    # Several names for one are guesses at the rest of it.
    plain = len(query.names) != 1 or not (is_identifier(query.names[0].name) or query.names[0].name.isupper())
    for name in query.names:
        feature = "symbol_query" if query.whole else "symbol" if name.strength == 1 else "symbol_word"
        fitting = _fitting(corpus, name)
        if fitting[0].total:
            found, shares = _weighed(corpus, fitting, allowed)
            out.add(feature, found, _for_nothing_else(found, shares, plain) if query.whole else shares, name.strength)
    for compound in query.compounds:
        if compound.joined not in terms:
            continue
        spelled = Definitions.joined([corpus.definitions(c) for c in (compound.joined, compound.snake)])
        out.add("symbol_compound", *_weighed(corpus, (spelled, np.ones(spelled.total, np.float32)), allowed), 1.0)
    return out


def _for_nothing_else(found: Definitions, shares: Floats, plain: bool) -> Floats:
    """Shares for a query that is nothing but the name: the best definition counts fully, however many there are.

    Only the kind counts for a ``plain`` word: one that is no more than the name of a field more often means a topic.
    One that is spelled in another case counts less than any that is spelled as asked.
    """
    if not found.total:
        return shares
    exact = found.exact if found.exact.any() else np.ones(found.total, np.bool_)
    best = int(np.argmax(np.where(exact, shares, -1.0)))
    shares = shares * ((_KIND_SHARES[found.kinds[best]] if plain else 1.0) / shares[best])
    return np.where(exact, shares, np.minimum(shares, _OTHER_CASE * shares[exact].min())).astype(np.float32)


def _fitting(corpus: Corpus, name: Name) -> tuple[Definitions, Floats]:
    """Definitions of one name, and how well the scope or the case of each fits."""
    found = corpus.definitions(name.name)
    if name.scope:
        whole = corpus.definitions(".".join((*name.scope, name.name)))
        places = zip(found.files.tolist(), map(corpus.scope, found.scopes.tolist()), strict=True)
        shares = [_scope_share(corpus, file_id, scope, name.scope) for file_id, scope in places]
        return Definitions.joined([whole, found]), np.array([1.0] * whole.total + shares, np.float32)
    if not found.total:
        return found, _NO_SHARES
    # Another case is another name, unless the query holds a plain word.
    strict = name.strength >= 1 and bool(found.exact.any())
    return found, np.where(found.exact | (not strict), 1.0, _OTHER_CASE).astype(np.float32)


def _scope_share(corpus: Corpus, file_id: int, defined_in: str, scope: tuple[str, ...]) -> float:
    """1 where the definition stands in the scope that was asked for (a type, or a module by its path), else less."""
    wanted = folded(scope[-1])
    if wanted in [folded(part) for part in defined_in.replace("::", ".").split(".")]:
        return 1.0
    return 0.9 if wanted in {folded(p) for p in corpus.path(file_id).rpartition(".")[0].split("/")} else 0.4


def _weighed(
    corpus: Corpus, fitting: tuple[Definitions, Floats], allowed: NDArray[np.bool_] | None
) -> tuple[Definitions, Floats]:
    """The best definitions, and the share that fit, kind, nesting, visibility and size give; common names get less."""
    found, shares = fitting
    if allowed is not None and found.total:
        keep = allowed[found.rows]
        found, shares = found.take(keep), shares[keep]
    if not found.total:
        return found, shares
    common = min(1.0, 3.0 / len(set(found.files.tolist()))) ** 0.5
    placed = np.where(found.exported, 1.0, 0.8) * np.where(found.scopes != 0, 0.85, 1.0)
    shares = shares * _KIND_SHARES[found.kinds] * placed
    shares = (common * shares * (0.6 + 0.4 * found.lines / found.lines.max())).astype(np.float32)
    if found.total > _MOST_DEFINITIONS:
        best = _first(corpus, found, shares, _MOST_DEFINITIONS)
        found, shares = found.take(best), shares[best]
    return found, shares


def _first(corpus: Corpus, found: Definitions, shares: Floats, n: int) -> Ints:
    """The ``n`` best; equal ones by line, then path, so that the choice never depends on how the index was built."""
    order = np.lexsort((found.start_lines, -shares))
    last = order[n - 1]
    tied = np.flatnonzero((shares == shares[last]) & (found.start_lines == found.start_lines[last]))
    before = order[:n][~np.isin(order[:n], tied)]
    by_path = sorted(tied.tolist(), key=lambda i: corpus.path(int(found.files[i])))
    return np.concatenate([before, np.array(by_path[: n - len(before)], np.int64)])


class ByPath(NamedTuple):
    """Files whose paths hold terms of a query."""

    best: Ints
    """Those whose paths hold most of them; each has a chunk."""
    every: NDArray[Any]
    """All of them, ascending, with a chunk or without."""


def path_files(
    corpus: Corpus, query: Query, terms: Mapping[str, Term], allowed_files: frozenset[int] | None, n: int
) -> ByPath:
    """The ``n`` files whose paths hold most of the query's terms, weighted by rarity, and all that hold any."""
    words = (*query.terms, *(c.joined for c in query.compounds if c.joined in terms))
    rare = max((terms[t].idf for t in query.terms if t in terms), default=1.0)
    held = [corpus.files_with_path_term(term) for term in words]
    if not any(map(len, held)):
        return ByPath(np.empty(0, np.int64), np.empty(0, np.int64))
    weights = np.repeat([terms[t].idf if t in terms else rare for t in words], [len(h) for h in held])
    every = np.concatenate(held)
    order = np.argsort(every, kind="stable")
    # np.unique would do this, and import numpy.ma for it.
    ordered = every[order]
    first = np.ones(len(ordered), np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    starts = np.flatnonzero(first)
    files, scores = ordered[starts], np.add.reduceat(weights[order], starts)
    best: list[int] = []
    for file_id in files[np.lexsort((files, -np.round(scores, 9)))].tolist():
        if (allowed_files is None or file_id in allowed_files) and corpus.first_row(file_id) is not None:
            best.append(file_id)
            if len(best) == n:
                break
    return ByPath(np.array(best, np.int64), files)


_KIND_ROWS = [ROW[kind] for kind in KINDS_OF_FILE]


def path_features(
    table: Floats, corpus: Corpus, files: Ints, by_path: ByPath, query: Query, idf: Mapping[str, float]
) -> None:
    """What the query shares with each file's name and folders, and which kinds of file they are, into ``table``.

    Names are compared of all ``files``; their terms only where ``by_path`` knows that there are any.
    """
    terms = frozenset(query.terms)
    spelled = terms | {c.joined for c in query.compounds} | {folded(n.name) for n in query.names}
    looks = corpus.path_looks(files.tolist())
    kinds = np.array([[look.kinds for look in looks]], np.uint8)
    table[_KIND_ROWS] = np.unpackbits(kinds, axis=0, count=len(_KIND_ROWS), bitorder="little")
    asked = asked_kinds(terms)
    if asked:
        table[[ROW[kind] for kind in asked]] = 0
    table[ROW["file_name"], [i for i, look in enumerate(looks) if look.name in spelled]] = 1
    if not len(by_path.every):
        return
    rare = max(idf.values(), default=1.0)
    whole = sum(idf.get(t, rare) for t in terms) or 1.0
    n = len(files)
    name_row, words_row, folder_row = (ROW[name] * n for name in ("file_name", "file_name_words", "folder"))
    at: list[int] = []
    values: list[float] = []
    place = np.minimum(np.searchsorted(by_path.every, files), len(by_path.every) - 1)
    for i in np.flatnonzero(by_path.every[place] == files).tolist():
        name_words, folder_words = corpus.path_words(int(files[i]))
        if shared := name_words & terms:
            if looks[i].name not in spelled:
                at.append(name_row + i)
                values.append(len(shared) / len(name_words))
            at.append(words_row + i)
            values.append(sum(idf.get(t, rare) for t in shared) / whole)
        if in_folder := folder_words & terms:
            at.append(folder_row + i)
            values.append(sum(idf.get(t, rare) for t in in_folder) / whole)
    table.put(at, values)
