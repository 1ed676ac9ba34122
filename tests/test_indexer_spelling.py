"""Typed words that no text holds: which words are near, and what a search makes of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from indexer.config import IndexConfig
from indexer.index import Index
from indexer.spelling import best, edits_allowed, near
from indexer.strings import FoldedStrings, Strings

WORDS = st.text("abcdeXY_", min_size=1, max_size=14)


def table(words: set[str], *, folded: bool = False) -> Strings:
    """A table of ``words`` in the middle of other bytes, as in a segment."""
    encoded = sorted((w.encode() for w in words), key=(lambda w: (w.lower(), w)) if folded else None)
    ends = np.cumsum([0, *map(len, encoded)]).astype(np.uint32)
    return (FoldedStrings if folded else Strings)(b"before" + b"".join(encoded) + b"after", 6, ends)


@settings(deadline=None)
@given(st.sets(WORDS, max_size=60), WORDS, st.integers(1, 2), st.booleans())
def test_near_finds_what_comparing_with_every_word_finds(words: set[str], word: str, edits: int, folded: bool) -> None:
    def fold(text: str) -> str:
        return text.lower() if folded else text

    wanted = {
        other: distance
        for other in words
        if 0 < (distance := OSA.distance(fold(word), fold(other))) <= edits
        and (distance == 1 or fold(other)[0] == fold(word)[0])
    }
    if len(word) <= edits:
        return  # a piece would be empty; such words are never asked for
    found = list(near(table(words, folded=folded), word, edits))
    assert {w.decode(): n for w, n in found} == wanted
    assert len(found) == len(wanted)


def test_short_words_and_numbers_are_not_guessed() -> None:
    assert [edits_allowed(w) for w in ("usr", "1234567", "größe", "usrid", "getusrbyid")] == [0, 0, 0, 1, 2]


def test_fewest_edits_then_most_used() -> None:
    found = {"parser": (2, 90), "parsed": (1, 3), "parse": (1, 7), "parses": (1, 7), "parsec": (1, 1)}
    assert [(s.word, s.edits) for s in best(found)] == [("parse", 1), ("parses", 1), ("parsed", 1)]


@pytest.fixture
def index(tmp_path: Path) -> Index:
    root = tmp_path / "repo"
    root.mkdir()
    (root / "users.py").write_text("def getUserByID(number):\n    return table[number]\n")
    (root / "snake.py").write_text("def connection_pool():\n    return authenticate()\n")
    for n in range(9):
        (root / f"other{n}.py").write_text(f"def other{n}(id):\n    return get_by(id, usr)\n")
    opened = Index.open(root, IndexConfig(cache_dir=tmp_path / "cache"), create=True)
    opened.update()
    return opened


@pytest.mark.parametrize(
    "query", ["getUserByID", "get user by id", "get_user_by_id", "getUsrByID", "getUserBYId", "getUserByyID"]
)
def test_an_identifier_is_found_by_its_parts_whole_and_with_a_typo(index: Index, query: str) -> None:
    with index:
        assert index.search(query).hits[0].chunk.path == "users.py"


def test_a_typo_in_a_name_leads_to_its_definition_and_says_so(index: Index) -> None:
    with index:
        result = index.search("getUsrByID")
        assert result.spellings == {"getUsrByID": ("getUserByID",)}
        assert 0 < result.hits[0].reasons["symbol_query"] <= 2 * 0.7
        result = index.search("conection_pool")
        assert (result.hits[0].chunk.path, result.hits[0].chunk.symbol) == ("snake.py", "connection_pool")


def test_a_typo_in_a_question(index: Index) -> None:
    with index:
        result = index.search("where does it authentcate somebody")
        assert result.hits[0].chunk.path == "snake.py"
        assert result.spellings == {"authentcate": ("authentic",)}


def test_words_that_occur_are_never_doubted(index: Index) -> None:
    with index:
        assert index.search("usr get_by connection_pool").spellings == {}
        # Nowhere, but words: one letter from "other" and "number".
        assert index.search("otter lumber").spellings == {}
        # In a path only: no text holds it.
        assert index.search("users").spellings == {}


def test_a_file_that_went_away_suggests_nothing(index: Index) -> None:
    with index:
        (index.root / "users.py").unlink()
        index.update()
        assert index.search("getUsrByID").spellings == {}
