"""``codemoat search`` for what is no word, and for the beginning of a name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli_world import Cli, check_schema, furnish, write_files, write_indexed

RULES = "export const ok = (a, b) => a && b;\n\nexport function f(c) {\n  c ??= 1;\n}\n"


@pytest.fixture
def cli(tmp_path, monkeypatch, capsys):
    furnish(monkeypatch, tmp_path)
    root = write_files(tmp_path / "root")
    monkeypatch.chdir(root)
    write_indexed(root, tmp_path / "cache")
    return Cli(capsys)


@pytest.mark.parametrize("query", ["&&", "??=", "=>", "("])
def test_a_query_without_words_is_searched_as_it_stands_and_says_so(cli, query):
    Path("shop/rules.js").write_text(RULES)
    assert cli("index").code == 0
    result = cli("search", "-k", 1, "--json", "--", query)
    check_schema("search", [result.json])
    assert query in result.json["hits"][0]["text"]
    assert result.json["literal"] is True
    assert "No words in this query: searched for its exact text. -e always does" in result.err
    assert "shop/" in cli("search", "-k", 1, "--", query).out


def test_words_need_no_such_note(cli):
    result = cli("search", "discounted", "price", "--json")
    assert result.json["literal"] is False
    assert result.err == ""


def test_a_text_that_is_nowhere(cli):
    result = cli("search", "--", "|||")
    assert result.out == ""
    assert "Nothing found." in result.err


def test_the_beginning_of_a_name_is_said(cli):
    result = cli("search", "discounted_p", "--json")
    assert result.json["hits"][0]["path"] == "shop/prices.py"
    assert result.json["spellings"] == {"discounted_p": ["discounted_price"]}
    assert "discounted_p is nowhere in the index; looked for discounted_price instead." in result.err
