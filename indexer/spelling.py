"""Words and names that no text holds → what was probably meant. Imported only when a query holds such a word.

A word within ``n`` edits of another shares one of any ``n + 1`` pieces of it unchanged (the pigeonhole filter of Wu &
Manber, 1992, Fast text searching allowing errors), so candidates come from a plain search for the pieces in the table
of all words. An edit is a letter too many, too few or another, or two neighbours swapped (optimal string alignment).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from indexer.query import Name, Query
from indexer.strings import FoldedStrings, Strings
from indexer.terms import split_words, word_terms

if TYPE_CHECKING:
    from indexer.corpus import Corpus

SHORTEST = 5
"""Shorter words have too many neighbours."""
_LONG = 9
"""Words from here on may have two edits."""
_MOST = 3
"""Spellings that one word may stand for."""
_MOST_LOOKED_AT = 20_000
"""Places of one piece that are looked at; a piece that is in more tells nothing."""
SHARES = (1.0, 0.7, 0.5)
"""What a spelling counts, by its edits: a guess must not outweigh a word that was typed."""


class Spelling(NamedTuple):
    """A word of the index that is near to the one asked for."""

    word: str
    edits: int

    @property
    def share(self) -> float:
        """What it counts beside a word that was typed as it stands."""
        return SHARES[self.edits]


def edits_allowed(word: str) -> int:
    """How many edits may be between a word and what was meant; 0 where guessing would do harm."""
    if len(word) < SHORTEST or not word.isascii() or word.isdigit():
        return 0
    return 2 if len(word) >= _LONG else 1


def close(tables: Sequence[Strings], word: str, edits: int, uses: Callable[[str], int]) -> tuple[Spelling, ...]:
    """The likeliest strings of some tables to be meant by ``word``, of those with any ``uses``."""
    found: dict[str, tuple[int, int]] = {}
    for table in tables:
        for other, distance in near(table, word, edits):
            text = other.decode("utf-8", "surrogatepass")
            if text not in found and (count := uses(text)):
                found[text] = (distance, count)
    return best(found)


def near(strings: Strings, word: str, edits: int) -> Iterator[tuple[bytes, int]]:
    """Strings of a table within ``edits`` of ``word``, each once, with their distance; case as the table has it."""
    from rapidfuzz.distance import OSA

    folded = isinstance(strings, FoldedStrings)
    key, text = word.encode(), strings.text()
    if folded:
        key, text = key.lower(), text.lower()
    numbers: set[int] = set()
    for at, piece in _pieces(key, edits + 1):
        numbers.update(_holding(strings, text, piece, at, len(key), edits))
    for number in sorted(numbers):
        found = strings[number]
        other = found.lower() if folded else found
        distance = OSA.distance(key, other, score_cutoff=edits)
        # Nobody mistypes the first letter and another one.
        if 0 < distance <= edits and (other[:1] == key[:1] or distance == 1):
            yield found, distance


def _pieces(key: bytes, count: int) -> Iterator[tuple[int, bytes]]:
    cuts = [len(key) * n // count for n in range(count + 1)]
    return ((start, key[start:end]) for start, end in pairwise(cuts))


def _holding(strings: Strings, text: bytes, piece: bytes, at: int, length: int, edits: int) -> list[int]:
    """Numbers of the strings of about ``length`` that hold ``piece`` at about ``at``."""
    places: list[int] = []
    place = text.find(piece)
    while place >= 0 and len(places) < _MOST_LOOKED_AT:
        places.append(place)
        place = text.find(piece, place + 1)
    if not places or len(places) >= _MOST_LOOKED_AT:
        return []
    found = np.array(places, np.int64)
    numbers = strings.numbers_at(found)
    starts, sizes = strings.extents(numbers)
    fits = (np.abs(found - starts - at) <= edits) & (np.abs(sizes - length) <= edits)
    chosen: list[int] = numbers[fits].tolist()
    return chosen


def best(found: Mapping[str, tuple[int, int]]) -> tuple[Spelling, ...]:
    """The likeliest of some words, given each one's edits and number of uses: fewest edits, then most used."""
    if not found:
        return ()
    least = min(edits for edits, _ in found.values())
    order = sorted((w for w, (edits, _) in found.items() if edits == least), key=lambda w: (-found[w][1], w))
    return tuple(Spelling(word, least) for word in order[:_MOST])


def corrected(
    corpus: Corpus, query: Query, text: str, known: Iterable[str], completed: Collection[str] = ()
) -> tuple[Query, dict[str, float], dict[str, tuple[str, ...]]]:
    """The query with what was probably meant by words that the index does not hold.

    ``known``: terms of the query that occur. ``completed``: words of it that were found to begin others. Words that
    occur are never doubted, however rare; nor are short ones, nor words that are right but not used here ("batch" is
    no misspelt "match").
    Returned beside the query are what each new term counts (0 … 1), and words as typed with what stands for them.
    """
    from indexer.embed import is_word

    held = set(known)
    written = {term: word for word in split_words(text) for term in word_terms(word)}
    wrong: dict[str, tuple[Spelling, ...]] = {}
    for term in query.terms:
        right = term in held or is_word(written.get(term, term).lower()) or len(corpus.files_with_path_term(term))
        edits = 0 if right or written.get(term) in completed else edits_allowed(term)
        if edits and (found := corpus.close_terms(term, edits)):
            wrong[term] = found
    spellings = {written.get(term, term): tuple(other.word for other in found) for term, found in wrong.items()}
    names = [*query.names]
    for name in query.names:
        edits = edits_allowed(name.name)
        sure = query.whole or name.strength == 1 or name.name in spellings
        if edits and sure and name.name not in completed and not corpus.definitions(name.name).total:
            found = corpus.close_names(name.name, edits)
            names += (Name(other.word, name.scope, name.strength * other.share) for other in found)
            if found and (query.whole or name.name in spellings):
                spellings[name.name] = tuple(other.word for other in found)
    meant = {other.word: other.share for found in wrong.values() for other in found}
    asked = dict.fromkeys((*(term for term in query.terms if term not in wrong), *meant))
    return query._replace(terms=tuple(asked), names=tuple(names)), meant, spellings
