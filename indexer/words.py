"""Counts of words in chunks → postings of terms, and vectors of word pieces: what a word stands for is worked out once.

Workers only count words. What follows from a word (its terms, its pieces) is looked up here, where one table serves all
files, and the sums over chunks are a few sorted arrays for thousands of chunks at a time. Every chunk's sums are in the
order of its terms or pieces, so that nothing depends on which chunks are worked on together.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from indexer.terms import expand, parts, split_words

if TYPE_CHECKING:
    from indexer.analysis import Analysis
    from indexer.embed import PieceEmbedder

_BATCH_ENTRIES = 1 << 16
"""Words of chunks that are summed together: large enough for numpy, small enough to stay in a processor's cache."""
_MOST_WORDS = 200_000
"""Words that are remembered; more are worked out again when they come again."""
_COUNT_BITS = 20
_MOST_COUNT = (1 << _COUNT_BITS) - 1


Ints = NDArray[np.uint32]


class Summed(NamedTuple):
    """What a number of consecutive chunks come to.

    ``terms``, ``rows`` (from 0) and ``counts`` are parallel, in order of row and then term; ``lengths`` is how many
    terms each chunk has. ``vectors``: float32, shape (chunks, dimension); None without an embedder.
    """

    terms: Ints
    rows: Ints
    counts: Ints
    lengths: Ints
    vectors: NDArray[np.float32] | None


class ChunkWords:
    """Collects the words of chunks and sums them batch by batch. ``vocabulary`` numbers the terms as they come."""

    def __init__(self, embedder: PieceEmbedder | None = None) -> None:
        """With an ``embedder`` vectors come with the postings."""
        self.vocabulary: dict[str, int] = {}
        self._embedder = embedder
        self._table = _Table(self.vocabulary, embedder)
        self._clear()

    def _clear(self) -> None:
        self._rows = self._entries = 0
        self._parts: tuple[list[Ints], ...] = ([], [], [])
        self._symbol_rows, self._symbol_words = array("I"), array("I")

    @property
    def is_due(self) -> bool:
        """Whether enough has come together."""
        return self._entries >= _BATCH_ENTRIES or self._rows >= _BATCH_ENTRIES

    def add(self, analysis: Analysis) -> None:
        """The words of a file's chunks, as the next rows."""
        found = analysis.words
        sizes, first = _numbers(found.sizes), self._rows
        own = np.fromiter(map(self._table.__getitem__, found.words), np.uint32, len(found.words))
        rows, words, counts = self._parts
        rows.append(np.repeat(np.arange(first, first + len(sizes), dtype=np.uint32), sizes))
        words.append(own[_numbers(found.numbers)])
        counts.append(_numbers(found.counts))
        self._rows += len(sizes)
        self._entries += len(rows[-1])
        if self._embedder is not None:
            for number, chunk in enumerate(analysis.chunks, first):
                if chunk.symbol:
                    named = [self._table[word] for word in split_words(chunk.symbol)]
                    self._symbol_words.extend(named)
                    self._symbol_rows.extend([number] * len(named))

    def take(self) -> Summed:
        """What was added since the last time."""
        rows, words, counts = (_joined(part) for part in self._parts)
        term_rows, terms, term_counts = _summed(*self._table.terms.of(rows, words, counts), len(self.vocabulary))
        lengths = np.bincount(term_rows, term_counts, minlength=self._rows).astype(np.uint32)
        vectors = None
        if self._embedder is not None:
            rows = np.concatenate([rows, np.frombuffer(self._symbol_rows, np.uint32)])
            words = np.concatenate([words, np.frombuffer(self._symbol_words, np.uint32)])
            counts = np.concatenate([counts, np.ones(len(self._symbol_rows), np.uint32)])
            with_pieces = _summed(*self._table.pieces.of(rows, words, counts), self._embedder.pieces)
            ends = np.searchsorted(with_pieces[0], np.arange(self._rows + 1))
            vectors = self._embedder.embed_pieces(ends, *with_pieces[1:])
        self._clear()
        if len(self._table) > _MOST_WORDS:
            self._table = _Table(self.vocabulary, self._embedder)
        return Summed(terms, term_rows, term_counts, lengths, vectors)


class _Lists:
    """Lists of numbers, one after the other."""

    def __init__(self) -> None:
        self._flat, self._ends = array("I"), array("q", [0])

    def append(self, numbers: Iterable[int]) -> None:
        """One more list."""
        self._flat.extend(numbers)
        self._ends.append(len(self._flat))

    def of(self, rows: Ints, lists: Ints, counts: Ints) -> tuple[Ints, Ints, Ints]:
        """For each number of each list ``lists[i]``: ``rows[i]``, the number, ``counts[i]``."""
        ends = np.frombuffer(self._ends, np.int64)
        starts = ends[lists]
        sizes = ends[1:][lists] - starts
        before = np.cumsum(sizes) - sizes
        places = np.repeat(starts - before, sizes)
        places += np.arange(len(places))
        return np.repeat(rows, sizes), np.frombuffer(self._flat, np.uint32)[places], np.repeat(counts, sizes)


class _Table(dict[str, int]):
    """Word → its number, under which ``terms`` and ``pieces`` have what it stands for."""

    def __init__(self, vocabulary: dict[str, int], embedder: PieceEmbedder | None) -> None:
        super().__init__()
        self.terms, self.pieces = _Lists(), _Lists()
        self._vocabulary = vocabulary
        self._pieces_of = embedder.pieces_of if embedder is not None else None

    def __missing__(self, word: str) -> int:
        number = self[word] = len(self)
        vocabulary, found = self._vocabulary, parts(word)
        self.terms.append([vocabulary.setdefault(term, len(vocabulary)) for term in expand(word, found)])
        if self._pieces_of is not None:
            self.pieces.append(self._pieces_of(found))
        return number


def _summed(rows: Ints, numbers: Ints, counts: Ints, limit: int) -> tuple[Ints, Ints, Ints]:
    """Counts of equal pairs of row and number (below ``limit``) added up, in order of row and number."""
    # Pair and count sort as one 64-bit number, which is several times as fast as sorting pairs with counts beside them.
    packed = rows.astype(np.uint64)
    packed *= np.uint64(max(1, limit))
    packed += numbers
    packed <<= np.uint64(_COUNT_BITS)
    packed |= np.minimum(counts, np.uint32(_MOST_COUNT))
    packed.sort()
    pairs = packed >> np.uint64(_COUNT_BITS)
    packed &= np.uint64(_MOST_COUNT)
    first = np.flatnonzero(np.diff(pairs, prepend=~pairs[:1]))
    pairs = pairs[first]
    found_rows, found_numbers = np.divmod(pairs, np.uint64(max(1, limit)))
    added = np.add.reduceat(packed, first) if len(first) else packed
    return found_rows.astype(np.uint32), found_numbers.astype(np.uint32), added.astype(np.uint32)


def _numbers(column: bytes) -> Ints:
    return np.frombuffer(column, "<u4")


def _joined(parts: list[Ints]) -> Ints:
    return np.concatenate(parts) if parts else np.empty(0, np.uint32)
