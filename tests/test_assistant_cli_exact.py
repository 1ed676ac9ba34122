"""``codemoat search -e`` and ``-E``, and filters on the command line."""

from __future__ import annotations

import shutil
import subprocess

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
        *[(["word", *f], "are about exact texts") for f in (["-w"], ["-v"], ["-o"], ["-A", 1], ["-B", 0], ["-C", 2])],
        (["-e", "a", "-o", "-v"], "-o shows nothing but matches"), (["-e", "a", "-o", "-C", 1], "-o shows nothing but"),
        (["-e", "a", "--count", "-o"], "show no lines"), (["-e", "a", "--files", "-A", 1], "show no lines"),
        (["-e", "a", "--brief", "-A", 1], "one line a match"), (["-e", "a", "--explain"], "about ranked hits"),
        (["a", "--brief", "--explain"], "no room"), (["-e", "a", "-C", "1001"], "1000"), (["-e", "a", "-A", "-1"], "0"),
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


def test_no_line_is_exit_code_1_as_from_grep(cli):
    for options in (["-e", "nowhere"], ["-E", "no.here"], ["-e", "nowhere", "--count"], ["-e", "nowhere", "--files"]):
        assert cli("search", *options).code == 1
        result = cli("search", *options, "--json")
        assert (result.code, result.json["total"]) == (1, 0)
    assert cli("search", "-e", "price", "-k", 1).code == 0
    assert cli("search", "-e", "price", "--count").code == 0
    assert cli("search", "-E", ".", "-v", "-g", "*.js").code == 1
    assert cli("search", "-e", "price", "--path", "nowhere").code == 2
    assert cli("search", "nowhere_at_all", "-g", "*.nothing").code == 0


def test_whole_words_and_lines_without_a_match(cli):
    assert [line.split(":")[1] for line in cli("search", "-w", "-e", "price").out.splitlines()] == ["1", "3", "10"]
    assert cli("search", "-w", "-e", "pric").code == 1
    assert cli("search", "-w", "-E", "disc\\w+", "-g", "*.py").out.splitlines()[0].startswith("shop/prices.py:1:")
    found = cli("search", "-w", "-e", "price", "--json").json["matches"][0]
    assert found["columns"] == [[22, 27]], "not the one within discounted_price"
    without = cli("search", "-v", "-E", "[a-z]", "-g", "*.md", "--json").json
    assert [(m["line"], m["columns"]) for m in without["matches"]] == [(2, [])]
    assert cli("search", "-v", "-e", "zorbat", "-g", "*.md", "--count").out == "3 lines in 1 file\n"
    assert cli("search", "-v", "-e", "zorbat", "--files").out == "README.md\nshop/greeting.js\nshop/prices.py\n"


def test_only_the_matches(cli):
    assert cli("search", "-o", "-E", "pri..").out.splitlines() == [
        "shop/prices.py:1:price", "shop/prices.py:1:price", "shop/prices.py:3:price", "shop/prices.py:10:price",
    ]  # fmt: skip
    result = cli("search", "-o", "-E", "(?i)percent|", "-g", "*.py", "--json")
    check_schema("grep", [result.json])
    assert [(m["line"], m["columns"], m["text"]) for m in result.json["matches"][:2]] == [
        (1, [[29, 36]], "percent"), (2, [[34, 41]], "percent"),
    ]  # fmt: skip


def test_lines_around_a_match(cli):
    result = cli("search", "-e", "price", "-A", 1, "-B", 1, "-g", "*.py")
    assert result.out.splitlines() == [
        "shop/prices.py:1:def discounted_price(price, percent):",
        'shop/prices.py-2-    """Price after a discount in percent."""',
        "shop/prices.py:3:    return price * (100 - percent) / 100",
        "shop/prices.py-4-", "--",
        "shop/prices.py-9-    def total(self):",
        "shop/prices.py:10:        return sum(item.price for item in self.items)",
    ]  # fmt: skip
    if shutil.which("rg") is not None:
        for options in (["-C", 1], ["-A", 2], ["-B", 3], ["-v", "-C", 1], ["-w", "-B", 1], ["-C", 50]):
            shape = ["rg", "--sort", "path", "-n", "--no-heading", "-H", *map(str, options), "-e", "th"]
            theirs = subprocess.run([*shape, "README.md", "shop"], capture_output=True, text=True, check=False).stdout
            assert cli("search", "-e", "th", *options).out == theirs, options
    forms = cli("search", "-e", "price", "-C", 1, "--json").json
    check_schema("grep", [forms])
    assert [(m["line"], m["before"], m["after"]) for m in forms["matches"]] == [
        (1, [], ['    """Price after a discount in percent."""']), (3, [], [""]), (10, ["    def total(self):"], []),
    ]  # fmt: skip
    assert cli("search", "-e", "price", "-C", 1, "-A", 0, "-k", 1).out.count("\n") == 1
    assert "before" not in cli("search", "-e", "price", "--json").json["matches"][0]


def test_a_folder_or_file_after_the_text_is_where_to_look(cli, root, monkeypatch):
    result = cli("search", "-e", "a", "shop", "--files")
    assert result.out == "shop/greeting.js\nshop/prices.py\n"
    assert result.err == "codemoat: Searching only in shop.\n"
    assert cli("search", "-e", "a", "README.md", "./shop/greeting.js", "--files").out == "README.md\nshop/greeting.js\n"
    assert cli("search", "-e", "a", ".", "--files").out.count("\n") == 3
    monkeypatch.chdir(root / "shop")
    (root / "README.md").stat()
    assert cli("search", "-e", "a", "../README.md", "--path", root, "--files").out == "README.md\n"
    missing = cli("search", "-e", "a", "nowhere")
    assert (missing.code, "there is no folder or file nowhere" in missing.err) == (2, True)
