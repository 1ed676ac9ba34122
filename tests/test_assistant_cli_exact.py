"""``codemoat search -e`` and ``-E``, and filters on the command line."""

from __future__ import annotations

import pytest

from tests.cli_world import Cli, check_schema, furnish, write_files, write_indexed


@pytest.fixture
def root(tmp_path, monkeypatch):
    furnish(monkeypatch, tmp_path)
    root = write_files(tmp_path / "root")
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def cli(root, capsys, tmp_path):
    write_indexed(root, tmp_path / "cache")
    return Cli(capsys)


def test_lines_as_other_tools_write_them(cli):
    result = cli("search", "-e", "price")
    assert result.out.splitlines() == [
        "shop/prices.py:1:def discounted_price(price, percent):",
        "shop/prices.py:3:    return price * (100 - percent) / 100",
        "shop/prices.py:10:        return sum(item.price for item in self.items)",
    ]
    assert result.err == ""


def test_patterns_case_and_text_that_begins_with_a_dash(cli):
    assert cli("search", "-E", r"^class \w+:").out == "shop/prices.py:6:class Basket:\n"
    assert cli("search", "-i", "-e", "PRICE AFTER").out.startswith("shop/prices.py:2:")
    assert cli("search", "-e", "- percent").out.startswith("shop/prices.py:3:")
    assert cli("search", "-e", "-e").err == "codemoat: Nothing found.\n"


def test_a_limit_says_how_many_more(cli):
    result = cli("search", "-e", "price", "-k", 1)
    assert result.out.count("\n") == 1
    assert result.err == "codemoat: 2 more; 3 lines in 1 file in all; -k shows more.\n"


def test_counts_and_files(cli):
    assert cli("search", "-E", "(?i)basket", "--count").out == "2 lines in 2 files\n"
    assert cli("search", "-E", "(?i)basket", "--files").out == "README.md\nshop/prices.py\n"
    result = cli("search", "-E", "(?i)basket", "--files", "-k", 1)
    assert result.out == "README.md\n"
    assert result.err == "codemoat: 1 more file matches, 2 lines in 2 files in all; -k shows more.\n"


def test_json(cli, root):
    result = cli("search", "-e", "price", "-k", 2, "--json")
    check_schema("grep", [result.json])
    first = result.json["matches"][0]
    assert first == {
        "path": "shop/prices.py", "line": 1, "columns": [[16, 21], [22, 27]],
        "text": "def discounted_price(price, percent):",
    }  # fmt: skip
    assert (result.json["total"], result.json["files"], result.json["complete"]) == (3, 1, True)
    (root / "é.py").write_text("ééprice = 'é'\n")
    found = cli("search", "-e", "price", "-g", "é.py", "--update", "--json").json
    assert [(m["path"], m["columns"]) for m in found["matches"]] == [("é.py", [[3, 8]])]
    counted = cli("search", "-e", "price", "--count", "--json").json
    assert (counted["matches"], counted["total"]) == ([], 4)


def test_several_roots(cli, root):
    result = cli("search", "-e", "basket", "--path", root, "--path", root / "shop", "--json")
    assert [(m["root"], m["path"]) for m in result.json["matches"]] == [(str(root), "README.md")]
    plain = cli("search", "-e", "Basket", "--path", root, "--path", root / "shop", "-k", 1)
    assert plain.out == f"{root}/shop/prices.py:6:class Basket:\n"
    assert "1 more; 2 lines in 2 files in all" in plain.err


def test_filters_of_both_searches(cli):
    assert cli("search", "-e", "e", "-g", "*.js", "--count").out.endswith("in 1 file\n")
    assert cli("search", "-e", "e", "-g", "!shop/", "--files").out == "README.md\n"
    assert cli("search", "-E", "return", "--kind", "Method").out.startswith("shop/prices.py:10:")
    paths = {hit["path"] for hit in cli("search", "basket", "-l", "markdown,javascript", "--json").json["hits"]}
    assert paths
    assert "shop/prices.py" not in paths
    hits = cli("search", "basket", "--kind", "class", "--json").json["hits"]
    assert {hit["path"] for hit in hits} == {"shop/prices.py"}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["-e", ""], "The pattern is empty."), (["-E", "a("], "a group that is not closed, at character 2"),
        (["-e", "a", "-E", "b"], "not two of them"), (["word", "-e", "a"], "not two of them"),
        (["word", "-i"], "are about exact texts"), (["word", "--count"], "are about exact texts"),
        ([], "The query is empty."), (["word", "-k", "1001"], "At most 1000"), (["-e", "a", "-k", "0"], "0"),
        (["-e", "a", "--kind", "clas"], "Did you mean class?"), (["word", "-l", "pyton"], "Did you mean python"),
        (["word", "-g", ""], "is not valid"), (["word", "--since", "HEAD"], "no git repository"),
        (["-e", "two\nlines"], "several lines"),
    ],
)  # fmt: skip
def test_bad_input_is_one_sentence(cli, options, says):
    result = cli("search", *options)
    assert result.code == 2
    assert says in result.err
    assert result.err.count("\n") == 1
    assert result.out == ""


def test_control_characters_and_very_long_lines_are_shown_safely(cli, root):
    (root / "odd.txt").write_text("needle \x1b[31m red\r\n" + "y" * 2_000 + " needle " + "z" * 2_000 + "\n")
    result = cli("search", "-e", "needle", "--update", "-g", "odd.txt")
    first, second = result.out.splitlines()
    assert first == "odd.txt:1:needle \\x1b[31m red"
    assert second.startswith("odd.txt:2:… y")
    assert " needle z" in second
    assert second.endswith("z …")
    assert len(second) < 600
    whole = cli("search", "-e", "needle", "-g", "odd.txt", "--json").json["matches"][1]["text"]
    assert len(whole) == 4_008
