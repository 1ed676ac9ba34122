"""Where the very text of a query stands, and the lines that it names: a retriever beside words and meaning."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from indexer.features import ROW, Floats, Ints
from indexer.ranking import WEIGHTS
from indexer.terms import path_terms

if TYPE_CHECKING:
    from indexer.corpus import Corpus, Lookups
    from indexer.filters import Allowed
    from indexer.query import Query
    from indexer.quoted import Literal, Place

_MOST_FILES = 96
"""Files that are read for one text of a query that has words too; those with the query's words come first."""
_SURE = 0.5
"""Strength from which any file may hold a text; a phrase of a few plain words is below it."""
_FILES_UNSURE = 24
"""Files, of those that the words of a query offer, that are asked for such a phrase."""
_MOST_UNORDERED = 512
"""Files of which the others are looked at at all: a text that may be in more tells little."""
_MOST_FILES_ALONE = 4_000
"""Files that are read for a query without words; an exact search (``search -e``) has no such limit."""
_ENOUGH_FILES = 200
_MOST_ROWS = 64
"""Chunks of one file that count."""
_MOST_SAME = 8
"""Files that one place may mean."""


class Verbatim:
    """Scores in 0 … 1 by feature and file, and by row what it adds to a row's score."""

    def __init__(self) -> None:
        self.by_feature: dict[str, dict[int, float]] = {}
        self.rows: dict[int, float] = {}
        self.lines: dict[int, int] = {}
        """The line of the file, from 1, in which a row holds the likeliest of it."""

    @property
    def files(self) -> set[int]:
        """Files that hold anything of it."""
        return {file_id for scores in self.by_feature.values() for file_id in scores}

    def add(self, feature: str, file_id: int, row: int, share: float, line: int) -> None:
        """Count a row; the best of a file counts for the file."""
        scores = self.by_feature.setdefault(feature, {})
        scores[file_id] = max(scores.get(file_id, 0.0), share)
        gain = WEIGHTS[feature] * share
        if gain > self.rows.get(row, 0.0):
            self.rows[row], self.lines[row] = gain, line

    def row_scores(self) -> tuple[Ints, Floats]:
        """Rows, and what each of them gets."""
        return np.array([*self.rows], np.int64), np.array([*self.rows.values()], np.float32)

    def fill(self, table: Floats, files: Ints) -> None:
        """Into ``table``; the candidate ``files``, ascending, hold all of ``self.files``."""
        for name, scores in self.by_feature.items():
            table[ROW[name], np.searchsorted(files, [*scores])] = [*scores.values()]


def verbatim(corpus: Corpus, query: Query, by_words: Ints, allowed: Allowed) -> Verbatim:
    """What the query quotes. ``by_words``: files that its words offer, best first.

    Of the texts that it may have copied the longest stands for all: parts are looked for only where the whole is
    nowhere. A name alone is looked for as a text only where nothing of that name is defined.
    """
    out = Verbatim()
    lookups = corpus.lookups()
    for place in query.places:
        _add_place(out, corpus, lookups, place, allowed)
    if query.whole and query.terms and any(corpus.definitions(name.name).total for name in query.names):
        return out
    for number, literal in enumerate(query.literals):
        if number and out.by_feature.get("literal") and max(out.by_feature["literal"].values()) >= literal.strength:
            continue
        _add_literal(out, corpus, lookups, literal, by_words if query.terms else None, allowed)
    return out


def _add_literal(
    out: Verbatim, corpus: Corpus, lookups: Lookups, literal: Literal, by_words: Ints | None, allowed: Allowed
) -> None:
    wanted = literal.text.encode("utf-8", "replace")
    among = allowed.files
    if by_words is not None and literal.strength < _SURE:
        # Its words say nearly as much: that they stand side by side only tells apart what they offer first.
        first = np.array(sorted([*dict.fromkeys(by_words.tolist())][:_FILES_UNSURE]), np.int64)
        among = first if among is None else np.intersect1d(first, among)
    may = lookups.files_that_may_hold(wanted, among)
    if not len(may):
        return
    if by_words is None:
        order = _code_first(corpus, may.tolist())[:_MOST_FILES_ALONE]
    else:
        holding = set(may.tolist())
        order = [file_id for file_id in dict.fromkeys(by_words.tolist()) if file_id in holding]
        if len(holding) <= _MOST_UNORDERED:
            order += _code_first(corpus, holding - set(order))
        order = order[:_MOST_FILES]
    found = 0
    for file_id in order:
        text = lookups.text_bytes(file_id)
        rows = _rows(lookups, file_id, [*_occurrences(text, wanted)])
        if allowed.rows is not None:
            rows = {row: at for row, at in rows.items() if allowed.rows[row]}
        for row, at in rows.items():
            out.add("literal", file_id, row, literal.strength, text.count(b"\n", 0, at) + 1)
        found += bool(rows)
        if found == _ENOUGH_FILES:
            break


def _code_first(corpus: Corpus, files: Iterable[int]) -> list[int]:
    """Files by what their kinds cost, then by path, so that the order never depends on how the index was built."""
    ids = list(files)
    looks = zip(ids, corpus.path_looks(ids), strict=True)
    return [file_id for _, _, file_id in sorted((look.kinds.bit_count(), corpus.path(i), i) for i, look in looks)]


def _occurrences(text: bytes, wanted: bytes) -> Iterator[int]:
    """Where ``wanted`` stands; one that is a word only where it is no part of a longer one."""
    is_word = wanted.isalnum()
    at = text.find(wanted)
    while at >= 0:
        end = at + len(wanted)
        if not (is_word and (_is_letter(text[at - 1 : at]) or _is_letter(text[end : end + 1]))):
            yield at
        at = text.find(wanted, end)


def _is_letter(byte: bytes) -> bool:
    return byte.isalnum() or byte == b"_"


def _rows(lookups: Lookups, file_id: int, places: Sequence[int]) -> dict[int, int]:
    """Rows of the chunks that hold bytes of a file, and the first of these bytes in each."""
    if not places:
        return {}
    first, starts = lookups.chunk_starts(file_id)
    rows: dict[int, int] = {}
    for place in places:
        rows.setdefault(first + max(0, bisect_right(starts, place) - 1), place)
        if len(rows) == _MOST_ROWS:
            break
    return rows


def _add_place(out: Verbatim, corpus: Corpus, lookups: Lookups, place: Place, allowed: Allowed) -> None:
    parts = [part for part in place.path.split("/") if part not in ("", ".", "..")]
    if not parts:
        return
    terms = path_terms(parts[-1])
    # Names of one letter are no terms.
    named = corpus.files_with_path_term(terms[0]).tolist() if terms else [i for i, _ in corpus.all_files()]
    shared = {i: _same_end(parts, corpus.path(i).split("/")) for i in named}
    most = max(shared.values(), default=0)
    same = sorted(file_id for file_id, count in shared.items() if count == most and count)
    if not same or len(same) > _MOST_SAME:
        return
    for file_id in same:
        if corpus.first_row(file_id) is None or (allowed.files is not None and file_id not in allowed.files):
            continue
        text = lookups.text_bytes(file_id)
        at = _line_start(text, place.line)
        for row in _rows(lookups, file_id, [at]):
            if allowed.rows is None or allowed.rows[row]:
                out.add("place", file_id, row, 1.0, text.count(b"\n", 0, at) + 1)


def _same_end(one: Sequence[str], other: Sequence[str]) -> int:
    """How many folders and names two paths have in common at their ends."""
    count = 0
    for a, b in zip(reversed(one), reversed(other), strict=False):
        if a != b:
            break
        count += 1
    return count


def _line_start(text: bytes, line: int) -> int:
    """The byte at which a line starts; of one beyond the end, the last byte."""
    at = 0
    for _ in range(line - 1):
        found = text.find(b"\n", at)
        if found < 0 or found + 1 >= len(text):
            return max(0, len(text) - 1)
        at = found + 1
    return at
