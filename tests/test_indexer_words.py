"""Words of chunks → terms and vectors."""

from __future__ import annotations

import re
from array import array
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer import words as module
from indexer.analyse import _definitions, _uses, _words
from indexer.analysis import Analysis, ChunkRow
from indexer.embed import embedding_text, load_embedder
from indexer.terms import count_terms, words
from indexer.words import ChunkWords

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=60) | st.sampled_from(
    ["def parseHttpHeader(parse_http): HTTPServer2", "größer Straße größer", "読み込み ファイル", "x " * 300, ""]
)


def analysis(chunks: list[tuple[str, str | None]]) -> Analysis:
    """One file of chunks with their symbols."""
    rows, text = [], b""
    for chunk, symbol in chunks:
        start, text = len(text), text + chunk.encode()
        rows.append(ChunkRow(start, len(text), 1, 1, symbol))
    return Analysis(
        "a", "text", 0, 0, 0, "", text, rows, b"", _definitions([], rows, "python"), _uses([]), _words(text, rows)
    )


FILES = st.lists(
    st.lists(st.tuples(TEXTS, st.sampled_from([None, "Http.parse", "größe"])), max_size=4), min_size=1, max_size=4
)


@settings(max_examples=60, deadline=None)
@given(FILES)
def test_terms_and_vectors_are_those_of_each_text_alone(files: list[list[tuple[str, str | None]]]) -> None:
    embedder = load_embedder("static")
    collected = ChunkWords(embedder)
    for file in files:
        collected.add(analysis(file))
    found = collected.take()
    chunks = [chunk for file in files for chunk in file]
    names = list(collected.vocabulary)
    counted: list[Counter[str]] = [Counter() for _ in chunks]
    for row, term, count in zip(found.rows.tolist(), found.terms.tolist(), found.counts.tolist(), strict=True):
        assert names[term] not in counted[row], "one entry for a term"
        counted[row][names[term]] = count
    assert counted == [count_terms(text) for text, _ in chunks]
    assert found.lengths.tolist() == [count_terms(text).total() for text, _ in chunks]
    expected = embedder.embed([embedding_text(text, symbol) for text, symbol in chunks])
    assert found.vectors is not None
    np.testing.assert_array_equal(found.vectors, expected)


def test_nothing_depends_on_what_is_summed_together(monkeypatch: pytest.MonkeyPatch) -> None:
    files = [analysis([(f"open file_{n} {'read ' * n}", f"File.open{n % 3}")]) for n in range(20)]
    monkeypatch.setattr(module, "_MOST_WORDS", 10)
    embedder = load_embedder("static")
    together, one_by_one = ChunkWords(embedder), ChunkWords(embedder)
    vectors = []
    entries = []
    for file in files:
        together.add(file)
        one_by_one.add(file)
        found = one_by_one.take()
        vectors.append(found.vectors)
        names = list(one_by_one.vocabulary)
        entries += [(names[t], c) for t, c in zip(found.terms.tolist(), found.counts.tolist(), strict=True)]
        assert len(one_by_one._table) <= 10 + len(set(words(file.text)))
    found = together.take()
    np.testing.assert_array_equal(np.concatenate([v for v in vectors if v is not None]), found.vectors)
    names = list(together.vocabulary)
    whole = [(names[t], c) for t, c in zip(found.terms.tolist(), found.counts.tolist(), strict=True)]
    assert sorted(entries) == sorted(whole)


def test_each_word_is_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    original = module.expand
    monkeypatch.setattr(module, "expand", lambda word, found: asked.append(word) or original(word, found))
    collected = ChunkWords()
    for _ in range(3):
        collected.add(analysis([("open the socket, read the socket", None)] * 5))
        collected.take()
    assert sorted(asked) == ["open", "read", "socket", "the"]


def test_many_occurrences_are_counted_up_to_a_bound() -> None:
    file = analysis([("x", None)])
    counts = array("I", [2_000_000]).tobytes()
    collected = ChunkWords()
    file.words = file.words._replace(words=["socket"], counts=counts)
    collected.add(file)
    assert collected.take().counts.tolist() == [(1 << 20) - 1]


@given(st.text() | st.text(st.characters(codec="ascii")))
def test_words_are_what_the_expression_finds(text: str) -> None:
    raw = text.encode("utf-8", "replace")
    assert words(raw) == re.findall(r"\w+", raw.decode())
