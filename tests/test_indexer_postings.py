from __future__ import annotations

import numpy as np
import pytest

from indexer import postings
from indexer.postings import Packed, Postings, blocks, decode, decode_terms, encode


def packed(terms):
    """``terms``: for each its rows; counts are 1, 2, 3 … as far as a byte goes."""
    first = np.cumsum([0, *map(len, terms)])
    rows = np.array([row for term in terms for row in term], np.int64)
    counts = (np.arange(len(rows)) % 255 + 1).astype(np.uint8)
    packed_first, gaps, packed_counts = encode(Postings(first, rows, counts))
    return first, rows, counts, gaps, packed_counts, packed_first


TERMS = [
    [[0]],
    [[0, 1, 2], [7]],
    [[65_534, 65_535, 65_536], [131_069, 131_070, 131_071], [1_000_000], [0, 2_000_000]],
    [[5], [], [6, 70_000], []],
    [],
]


@pytest.mark.parametrize("terms", TERMS)
def test_rows_and_counts_come_back(terms):
    first, rows, counts, gaps, packed_counts, packed_first = packed(terms)
    assert gaps.dtype == np.uint16
    for number, term in enumerate(terms):
        own = slice(packed_first[number], packed_first[number + 1])
        found, found_counts = decode(gaps[own], packed_counts[own])
        assert found.tolist() == term
        assert found_counts.tolist() == counts[first[number] : first[number + 1]].tolist()
    again_first, again_rows, again_counts = decode_terms(Packed(packed_first, gaps, packed_counts))
    assert (again_first.tolist(), again_rows.tolist(), again_counts.tolist()) == (
        first.tolist(), rows.tolist(), counts.tolist(),
    )  # fmt: skip


def test_random_rows_come_back():
    rng = np.random.default_rng(5)
    terms = [np.unique(rng.integers(0, 3_000_000, rng.integers(1, 200))).tolist() for _ in range(300)]
    first, rows, counts, gaps, packed_counts, packed_first = packed(terms)
    found = decode_terms(Packed(packed_first, gaps, packed_counts))
    for one, other in zip(found, (first, rows, counts), strict=True):
        np.testing.assert_array_equal(one, other)
    assert len(gaps) > len(rows), "large gaps are led by steps"


def test_blocks_cover_all_terms_once(monkeypatch):
    monkeypatch.setattr(postings, "_BLOCK", 10)
    first = np.array([0, 3, 3, 25, 26, 27, 40])
    found = list(blocks(first))
    assert [block.first_term for block in found] == [0, *(block.end_term for block in found[:-1])]
    assert (found[0].start, found[-1].end_term, found[-1].end) == (0, 6, 40)
    assert all(first[b.first_term] == b.start and first[b.end_term] == b.end for b in found)
    assert list(blocks(np.array([0]))) == []
