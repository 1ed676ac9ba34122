from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from assistant.errors import HostError
from tests.cli_world import Cli, check_schema, furnish, write_files, write_indexed
from tests.remote_world import serving


@pytest.fixture
def root(tmp_path, monkeypatch):
    furnish(monkeypatch, tmp_path)
    root = write_files(tmp_path / "root")
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def cli(root, capsys):
    return Cli(capsys)


@pytest.fixture
def indexed(cli, root, tmp_path):
    write_indexed(root, tmp_path / "cache")
    return cli


def test_index(cli, root):
    (root / "image.bin").write_bytes(bytes(range(256)))
    result = cli("index", "--json")
    assert result.code == 0
    check_schema("index", [result.json])
    assert result.json["files"] == 3
    assert [skipped["path"] for skipped in result.json["skipped"]] == ["image.bin"]
    assert Path(result.json["index_path"]).is_dir()
    again = cli("index", root, "--json").json
    assert (again["files_parsed"], again["generation"]) == (0, result.json["generation"])
    plain = cli("index", "--rebuild")
    assert "Indexed 3 files" in plain.out
    assert "3 files read" in plain.out
    assert "skipped image.bin: " in plain.out
    assert cli.engines[-1]._index is None, "the engine is closed"


def test_index_explain(cli):
    result = cli("index", "--explain", "shop/prices.py", "--json")
    check_schema("explain", [result.json])
    assert result.json["included"] is True
    Path(".gitignore").write_text("*.log\n")
    Path("x.log").write_text("x")
    assert "x.log is not in the index: " in cli("index", "--explain", "x.log").out


def test_index_explain_takes_paths_from_here_and_from_the_root(cli, root, monkeypatch):
    (root / ".codemoat").mkdir()
    monkeypatch.chdir(root / "shop")
    assert cli("index", "--explain", "prices.py", "--json").json["included"] is True
    assert cli("index", "--explain", "shop/prices.py", "--json").json["included"] is True
    assert cli("index", "--explain", "/etc/passwd", "--json").json["included"] is False
    assert cli("index", "--explain", "none.py", "--json").json["included"] is False


def test_search(indexed):
    result = indexed("search", "discounted", "price", "-k", 2, "--json")
    check_schema("search", [result.json])
    best = result.json["hits"][0]
    assert best["path"] == "shop/prices.py"
    assert "discounted_price" in best["text"]
    assert best["reasons"]
    assert result.json["stale"] is False
    assert result.err == ""
    plain = indexed("search", "discounted price", "--explain")
    assert plain.out.startswith("shop/prices.py:1  discounted_price  ")
    assert "> 1  def discounted_price(price, percent):" in plain.out
    assert next(iter(best["reasons"])) in plain.out
    only = indexed("search", "greet", "--language", "JavaScript", "--json").json["hits"]
    assert {hit["language"] for hit in only} == {"javascript"}


def test_search_builds_an_absent_index_and_says_so(cli):
    result = cli("search", "basket", "--json")
    assert result.json["hits"]
    assert "There is no index of" in result.err
    assert "Reading files" in result.err


def test_search_works_at_path_exactly(cli, root, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    hits = cli("search", "basket", "--path", root / "shop", "--json").json["hits"]
    assert {hit["path"] for hit in hits} <= {"prices.py", "greeting.js"}


def test_search_finds_the_root_above(indexed, root, monkeypatch):
    (root / ".codemoat").mkdir()
    monkeypatch.chdir(root / "shop")
    assert indexed("search", "basket", "--json").json["hits"][0]["path"] == "shop/prices.py"


def test_stale_index_is_said_and_update_helps(indexed, root):
    (root / "new.py").write_text("def frobnicate():\n    pass\n")
    result = indexed("search", "frobnicate", "--json")
    assert result.json["stale"] is True
    assert "Files changed" in result.err
    result = indexed("search", "frobnicate", "--update", "--json")
    assert result.json["hits"][0]["path"] == "new.py"
    assert result.json["stale"] is False


def test_contents_cannot_write_to_the_terminal(cli, root):
    (root / "evil.py").write_text("def evil():\n    return '\x1b]0;owned\x07\u202e'\n")
    result = cli("search", "evil")
    assert "\\x1b]0;owned\\x07\\u202e" in result.out
    assert "\x1b" not in result.out
    assert "\x1b" not in cli("search", "evil", "--json").out


def test_status(indexed, root):
    result = indexed("status", "--json")
    check_schema("status", [result.json])
    assert result.json["model_server"] is None
    assert (result.json["files"], result.json["root"]) == (3, str(root))
    assert result.json["languages"]["python"] == 1
    assert "python 1" in indexed("status").out
    (root / "new.py").write_text("x = 1\n")
    assert "files changed since" in indexed("status").out


def test_status_says_where_text_goes(indexed, monkeypatch):
    monkeypatch.setenv("CODEMOAT_MODEL_URL", "https://models.example.org/v1")
    monkeypatch.setenv("CODEMOAT_MODEL_REMOTE_NAME", "big")
    result = indexed("status", "--json")
    check_schema("status", [result.json])
    server = {"url": "https://models.example.org/v1", "leaves_machine": True}
    assert (result.json["model"], result.json["model_server"]) == ("big", server)
    assert "big: Code and questions leave this machine: they are sent to models.example.org." in indexed("status").out


ANSWER = "discounted_price takes the price and the percent [1]."


def test_ask(indexed):
    indexed.llm.script = [ANSWER] * 4
    result = indexed("ask", "how is a discounted price computed?", "--json")
    check_schema("ask", [result.json])
    assert result.json["sources"][0]["path"] == "shop/prices.py"
    assert "[shop/prices.py:1-" in result.json["answer"]
    assert result.json["model"] == "fake"
    plain = indexed("ask", "how", "is", "a", "discounted", "price", "computed?")
    assert result.json["answer"] in plain.out
    assert "\nSources\n  [1] shop/prices.py:1-" in plain.out


def test_ask_stream(indexed):
    indexed.llm.script = [ANSWER]
    result = indexed("ask", "how is a discounted price computed?", "--stream")
    check_schema("ask-stream", result.lines)
    assert [line["event"] for line in result.lines[:2]] == ["sources", "delta"]
    assert "".join(line["text"] for line in result.lines if line["event"] == "delta") == result.lines[-1]["answer"]


def test_ask_about_nothing_here_says_so(indexed):
    result = indexed("ask", "zebra crossing pedestrian violin?", "--json")
    check_schema("ask", [result.json])
    assert result.json["sources"] == []
    assert indexed.llm.calls == []


def test_ask_takes_limit_from_the_option_or_the_settings(indexed):
    indexed.llm.script = [ANSWER, ANSWER]
    indexed("ask", "discounted price basket greet", "-k", 1)
    assert indexed.engines[-1].config.ask.hits == 1
    assert len(indexed.engines[-1].config.index.exclude) == 0


def test_model_that_dies_midway_is_an_error_after_what_was_said(indexed):
    indexed.llm.script, indexed.llm.failure, indexed.llm.fail_after = [ANSWER] * 3, HostError("The host died."), 3
    result = indexed("ask", "how is a discounted price computed?", "--stream")
    assert result.code == 4
    check_schema("ask-stream", result.lines)
    assert result.lines[-1]["error"]["code"] == "model_host"
    plain = indexed("ask", "how is a discounted price computed?")
    assert (plain.code, plain.err) == (4, "codemoat: The host died.\n")
    assert plain.out.startswith("discounted_p"[:8])
    assert plain.out.endswith("\n")


def test_answer_cannot_write_to_the_terminal(indexed):
    indexed.llm.script = ["red \x1b[31m [1]"]
    assert "\x1b" not in indexed("ask", "how is a discounted price computed?").out


def test_complete(indexed, root):
    indexed.llm.script = ["price + percent"] * 2
    (root / "shop" / "prices.py").write_text("def é(price, percent):\n    return \n")
    result = indexed("complete", "shop/prices.py:2:12", "--json")
    assert result.code == 0
    check_schema("complete", [result.json])
    assert result.json["text"] == "price + percent"
    assert (result.json["replace"]["start_line"], result.json["replace"]["start_column"]) == (2, 12)
    request = indexed.llm.calls[0][0]
    assert request.prefix.endswith("def é(price, percent):\n    return")
    assert indexed("complete", "shop/prices.py:2:12").out == "price + percent\n"


def test_complete_stream_and_stdin(indexed, monkeypatch):
    indexed.llm.script = ["name"]
    stdin = io.TextIOWrapper(io.BytesIO(b"\xef\xbb\xbfdef greet(name):\n    return \n"))
    monkeypatch.setattr(sys, "stdin", stdin)
    result = indexed("complete", "unsaved.py:2:12", "--stdin", "--stream")
    check_schema("complete-stream", result.lines)
    assert result.lines[-1]["text"] == "name"
    assert indexed.llm.calls[0][0].prefix == "def greet(name):\n    return"


def test_complete_outside_any_root_works_without_an_index(cli, tmp_path):
    (tmp_path / "loose.py").write_text("total = \n")
    cli.llm.script = ["1"]
    result = cli("complete", tmp_path / "loose.py:1:9", "--json")
    assert (result.json["text"], result.json["context"]) == ("1", [])
    assert "building" not in result.err
    assert not (tmp_path / "cache").exists()


def test_complete_says_why_there_is_nothing(indexed):
    indexed.llm.script = [""]
    result = indexed("complete", "shop/prices.py:3:5")
    assert (result.code, result.out) == (0, "")
    assert "Nothing to complete there" in result.err


def test_config(cli, root, monkeypatch):
    assert cli("config", "set", "index.exclude", "vendor/,*.gen.go").code == 0
    assert cli("config", "set", "ask.hits", 5, "--repository").code == 0
    shown = cli("config", "--json").json
    check_schema("config", [shown])
    assert shown["settings"]["index.exclude"]["value"] == ["vendor/", "*.gen.go"]
    assert shown["settings"]["ask.hits"]["origin"] == str(root / ".codemoat.toml")
    assert cli("config", "get", "ask.hits").out == "5\n"
    got = cli("config", "get", "ask.hits", "--json").json
    check_schema("config-get", [got])
    assert f"ask.hits = 5 ({root / '.codemoat.toml'})" in " ".join(cli("config").out.split())
    cli("config", "unset", "ask.hits", "--repository")
    assert cli("config", "get", "ask.hits").out == "12\n"
    monkeypatch.setenv("CODEMOAT_MODEL_THREADS", "3")
    assert "no effect here: environment variable CODEMOAT_MODEL_THREADS" in cli("config", "set", "model.threads", 2).err
    path = cli("config", "path").out.strip()
    assert "threads = 2" in Path(path).read_text()
    for argv in (["set", "index.wrokers", "1"], ["set", "index.workers", "x"], ["get", "workers"]):
        result = cli("config", *argv)
        assert result.code == 2
        assert "index.workers" in result.err
    assert "s3cret" not in cli("config", "set", "model.api_key", "s3cret").out
    assert cli("config", "get", "model.api_key").out == "(set, not shown)\n"
    assert "s3cret" not in cli("config", "--json").out + cli("config").out
    refused = cli("config", "set", "model.name", "x", "--repository")
    assert (refused.code, json.dumps(refused.out)) == (2, '""')


def test_ask_and_complete_with_a_model_server(indexed, root, monkeypatch):
    with serving("llama-server") as server:
        monkeypatch.setenv("CODEMOAT_MODEL_URL", server.url)
        server.says(*ANSWER.partition("takes"))
        result = indexed("ask", "how is a discounted price computed?", "--json", llm=False)
        assert result.code == 0, result.err
        assert result.json["model"] == "coder"
        assert "[shop/prices.py:1-" in result.json["answer"]
        server.says("price * percent")
        at = (root / "shop" / "prices.py").as_posix() + ":3:12"
        completed = indexed("complete", at, "--json", "--path", root, llm=False)
        assert completed.code == 0, completed.err
        # The last token is written again; here it is a character.
        assert server.prompt().endswith("    retur")
        assert completed.json["timings"]["evaluated_tokens"] == 3
