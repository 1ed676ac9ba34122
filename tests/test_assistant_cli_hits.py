"""``codemoat search``: what a hit shows, queries that begin with a dash, and where it looks."""

from __future__ import annotations

import io
import re
import sys

import pytest
from rich.cells import cell_len

from assistant.cli.hits import show_brief
from assistant.cli.output import Output
from indexer.types import Chunk, Hit, Span
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


def indexes(tmp_path):
    return sorted(path.name.rpartition("-")[0] for path in (tmp_path / "cache" / "index").iterdir())


def test_the_heading_and_the_preview_are_about_the_line_that_matched(cli):
    result = cli("search", "total")
    heading, *lines = result.out.splitlines()
    assert heading.startswith("shop/prices.py:9  Basket.total  ")
    assert ">  9      def total(self):" in lines
    form = cli("search", "total", "--json").json
    check_schema("search", [form])
    hit = form["hits"][0]
    assert (hit["symbol"], hit["match_line"], hit["start_line"]) == ("Basket.total", 9, 1)


def test_brief_is_one_line_a_hit(cli):
    out = cli("search", "total", "--brief").out.splitlines()
    assert out[0] == "shop/prices.py:9  Basket.total  def total(self):"
    assert all(line.count("  ") >= 2 for line in out)
    several = cli("search", "total", "--brief", "--path", ".", "--path", "shop").out
    assert "root/shop/prices.py:9  Basket.total  def total(self):" in several


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("columns", [30, 60])
def test_brief_fits_into_a_narrow_terminal(monkeypatch, columns):
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("COLUMNS", str(columns))
    text = "def f():\n    return '这个锁' + " + "x" * 300
    path = "a/very/long/way/down/to/the/file.py"
    hit = Hit(Chunk(1, path, "python", Span(0, 1, 7, 8), text), 1.0, {}, None, 8, ((7, 8),))
    show_brief(Output(), hit, path)
    line = re.sub(r"\x1b\[[\d;]*m", "", sys.stdout.getvalue().removesuffix("\n"))
    assert "\n" not in line
    assert "file.py:8" in line
    assert line.startswith("…")
    assert cell_len(line) <= columns


@pytest.mark.parametrize(
    "query", ["->x", "-->", "--=", "-=", "->i", "- percent", "--max columns", "-foo bar", "<=>", "&&"]
)
def test_operators_that_begin_with_a_dash_are_queries(cli, query):
    assert cli("search", query, "--json").code == 0
    exact = cli("search", "-e", query, "--json")
    assert "error" not in exact.json
    assert exact.json["total"] == (1 if query == "- percent" else 0)
    assert cli("search", "-E", r"->\\w", "--json").code == 1


def test_what_could_be_an_option_says_how_to_search_for_it(cli):
    result = cli("search", "--max-columns")
    assert result.code == 2
    assert result.err.startswith("codemoat: No such option: --max-columns")
    assert result.err.endswith(
        ". To search for it: `codemoat search -e --max-columns`, or `codemoat search -- --max-columns`.\n"
    )
    assert cli("search", "--", "--max-columns").code == 0
    assert cli("search", "-e", "--max-columns").err == "codemoat: Nothing found.\n"
    assert "-e -x" in cli("search", "-x").err
    assert "codemoat search --help" in cli("search", "-k", "many").err, "other mistakes as before"
    assert cli("search", "price", "-g", "*.py", "--", "-g").code == 0


def test_an_argument_that_names_a_folder_is_a_filter(cli, root, monkeypatch):
    result = cli("search", "discounts", "shop/", "--json")
    assert {hit["path"] for hit in result.json["hits"]} == {"shop/prices.py"}
    assert result.err == "codemoat: Searching only in shop/.\n"
    assert any(h["path"] == "README.md" for h in cli("search", "discounts", "./", "--json").json["hits"])
    monkeypatch.chdir(root / "shop")
    assert cli("search", "discounts", "../shop", "--json").json["hits"]
    assert "Searching" not in cli("search", "client/server", "shop").err
    assert "Searching" not in cli("search", "shop/").err, "nothing else is asked for"
    assert "Searching" not in cli("search", "discounts in ../shop").err, "one argument of several words"


def test_folders_that_are_not_there_or_elsewhere_or_not_indexed(cli, root, tmp_path):
    (tmp_path / "other").mkdir()
    (root / "empty").mkdir()
    outside = cli("search", "price", "../other/")
    assert outside.code == 2
    assert outside.err.startswith(f"codemoat: {tmp_path}/other is not below {root}. Search there with --path ../other/")
    missing = cli("search", "price", "shopp/")
    assert (missing.code, missing.err.startswith("codemoat: There is no folder shopp/.")) == (2, True)
    assert "No file in empty is indexed" in cli("search", "price", "./empty").err
    assert cli("search", "price", "--path", "nowhere").code == 2


def test_path_of_a_folder_in_an_indexed_root_makes_no_second_index(cli, root, tmp_path):
    before = indexes(tmp_path)
    result = cli("search", "total", "--path", "shop", "--json")
    assert result.json["hits"][0]["path"] == "prices.py", "relative to the folder that was named"
    assert {hit["path"] for hit in result.json["hits"]} <= {"prices.py", "greeting.js"}
    assert result.err == ""
    assert cli("search", "-e", "price", "--path", "shop", "--count").out == "3 lines in 1 file\n"
    assert cli("search", "-e", "Hello", "--path", "shop").out.startswith("greeting.js:2:")
    assert cli("search", "-e", "baskets", "--path", "shop").code == 1
    assert cli("search", "-e", "e", "--path", "shop", "-g", "/*.js", "--files").out == "greeting.js\n"
    assert indexes(tmp_path) == before


def test_path_of_a_folder_that_the_index_leaves_out_has_its_own(cli, root, tmp_path):
    write_files(root, {"built/made.py": "made = 1\n"})
    result = cli("search", "-e", "made", "--path", "built")
    assert result.out == "made.py:1:made = 1\n"
    assert "There is no index of" in result.err
    assert indexes(tmp_path) == ["built", "root"]


def test_path_of_a_repository_in_an_indexed_folder_is_a_root_of_its_own(cli, root, tmp_path):
    (root / "shop" / ".codemoat").mkdir()
    cli("search", "total", "--path", "shop")
    assert indexes(tmp_path) == ["root", "shop"]
