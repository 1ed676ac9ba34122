"""Tables of strings: looked up by halves, and by a dictionary once they are asked often."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer import strings
from indexer.strings import FoldedStrings, Strings, folded

WORDS = st.sets(st.text("abXé", max_size=4), max_size=30)


def made(kind: type[Strings], words: set[str]) -> Strings:
    """A table of ``words`` between other bytes, as in a segment."""
    encoded = sorted((w.encode() for w in words), key=folded if kind is FoldedStrings else None)
    ends = np.cumsum([0, *map(len, encoded)]).astype(np.uint32)
    return kind(b"ab" + b"".join(encoded) + b"ab", 2, ends)


@given(WORDS, st.text("abXé", max_size=4))
def test_a_string_is_found_or_not_however_often_it_is_asked(words: set[str], other: str) -> None:
    table, folding = made(Strings, words), made(FoldedStrings, words)
    assert isinstance(folding, FoldedStrings)
    for _ in range(strings._ASKED_OFTEN + 2):
        for word in {*words, other}:
            number = table.find(word.encode())
            assert (number is not None and table[number] == word.encode()) == (word in words)
            same = [folding[n].decode() for n in folding.find_all(word.encode())]
            lowered = word.encode().lower()
            assert sorted(same) == sorted(w for w in words if w.encode().lower() == lowered)
    assert bool(table._table) == bool(words)


def test_a_large_table_gets_no_dictionary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strings, "_MOST_IN_DICTIONARY", 2)
    table = made(Strings, {"a", "b", "c"})
    assert {table.find(b"b") for _ in range(100)} == {1}
    assert table._table is None
