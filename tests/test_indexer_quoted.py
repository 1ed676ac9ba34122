"""What a query quotes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.query import analyse
from indexer.quoted import Place, literals, places


@pytest.mark.parametrize(
    ("query", "text", "strength"),
    [
        ("--max-columns", "--max-columns", 1.0),
        ("--max-columns", '"max-columns"', 0.9),
        ("x-powered-by", "x-powered-by", 1.0),
        ("find --max-columns here", "--max-columns", 0.6),
        ("why app->x and not app.x", "app->x", 0.6),
        ("cannot be sent twice", "cannot be sent twice", 1.0),
        ("trust proxy fn", "trust proxy fn", 0.4),
        ("error handling", "error handling", 0.15),
        ("'a phrase'", "a phrase", 1.0),
        ("TypeError: path must be absolute", "path must be absolute", 1.0),
        ("jq: error (at <stdin>:1): string (\"a\") cannot be multiplied", "cannot be multiplied", 1.0),
        ("Failed to lookup view 'x' in views directory", "Failed to lookup view", 1.0),
    ],
)  # fmt: skip
def test_texts_that_are_looked_for(query: str, text: str, strength: float) -> None:
    assert (text, strength) in [tuple(found) for found in literals(query, wordless=False)]


@pytest.mark.parametrize("query", ["parser", "parse a config", "why is the client-side cache stale?", "a.b"])
def test_prose_is_not_taken_apart(query: str) -> None:
    assert {found.text for found in literals(query, wordless=False)} <= {query}


def test_a_query_without_words_is_one_text() -> None:
    assert [*analyse("&&").literals] == [("&&", 1.0)]
    assert analyse("&&").terms == ()
    assert analyse("").literals == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('File "/usr/lib/a/b.py", line 12, in f', Place("/usr/lib/a/b.py", 12)),
        ("at f (/app/lib/view.js:84:11)", Place("/app/lib/view.js", 84)),
        ("at com.x.Gson.fromJson(Gson.java:1222)", Place("Gson.java", 1222)),
        ("/go/pkg/mod/gin@v1.9.1/context.go:310 +0x1d", Place("/go/pkg/mod/gin@v1.9.1/context.go", 310)),
        (r"C:\src\App.cs(12,3): error CS1002", Place("C:/src/App.cs", 12)),
        ("in C:\\src\\App.cs:line 40", Place("C:/src/App.cs", 40)),
        ("in /app/App.php on line 7", Place("/app/App.php", 7)),
        ("(elixir) lib/plug/conn.ex:88: Plug.Conn.send", Place("lib/plug/conn.ex", 88)),
    ],
)
def test_places(text: str, expected: Place) -> None:
    assert places(text) == (expected,)


@pytest.mark.parametrize("text", ["at 10:30 today", "version 1.2.3", "localhost:8080", "a ratio of 3.5:1", "x.y"])
def test_no_places(text: str) -> None:
    assert places(text) == ()


@given(st.text(max_size=300))
def test_any_text_can_be_taken_apart(text: str) -> None:
    found = analyse(text)
    assert len(found.literals) <= 6
    assert len(found.places) <= 8
    assert all(0 < literal.strength <= 1 and literal.text for literal in found.literals)
