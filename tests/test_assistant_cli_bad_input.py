"""Each thing that a user can get wrong or find broken: one clear sentence and an exit code, in words and in JSON."""

from __future__ import annotations

import errno
import io
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli_world import Cli, check_schema, furnish, write_files, write_indexed


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
def database(root, tmp_path):
    """The database of an index that is there."""
    return write_indexed(root, tmp_path / "cache") / "index.sqlite"


@pytest.fixture
def refuse(cli):
    """Run a command that must fail; the message and hint."""

    def run(*argv, code, kind, **options):
        plain = cli(*argv, **options)
        assert (plain.code, plain.out) == (code, "")
        assert plain.err.splitlines()[-1].startswith("codemoat: ")
        assert "Traceback" not in plain.err
        result = cli(*argv, "--json", **options)
        assert result.code == code
        check_schema("error", [result.json])
        assert result.json["error"]["code"] == kind
        return f"{result.json['error']['message']} {result.json['error']['hint']}"

    return run


@pytest.mark.parametrize(
    "argv", [["index", "no/such"], ["search", "x", "--path", "no/such"], ["status", "--path", "no/such"]]
)
def test_no_such_path(refuse, argv):
    assert "There is no folder no/such." in refuse(*argv, code=2, kind="bad_input")


@pytest.mark.parametrize("argv", [["index", "README.md"], ["search", "x", "--path", "README.md"]])
def test_a_file_instead_of_a_folder(refuse, argv):
    assert "README.md is a file, not a folder." in refuse(*argv, code=2, kind="bad_input")


def test_a_folder_that_is_no_repository_is_indexed(cli, root):
    assert not (root / ".git").exists()
    assert cli("index", "--json").json["files"] == 3


def test_an_empty_repository_says_that_there_is_nothing(cli, tmp_path, monkeypatch):
    subprocess.run(["git", "init", "-q", tmp_path / "empty"], check=True)
    monkeypatch.chdir(tmp_path / "empty")
    result = cli("search", "x", "--json")
    assert (result.code, result.json["hits"]) == (0, [])
    assert "holds no files to index" in result.err
    assert "holds no files to index" in cli("index").err


def test_home_is_not_indexed_by_accident(refuse, cli, root, monkeypatch):
    monkeypatch.setattr(Path, "home", lambda: root)
    for argv in (["index"], ["search", "x"], ["ask", "x"]):
        assert "is not a project" in refuse(*argv, code=2, kind="bad_input")
    assert cli("search", "basket", "--path", root).code == 0


def test_corrupted_index_is_named_by_status_and_repaired_by_search(refuse, cli, database):
    database.write_bytes(b"no database" * 1000)
    assert "`codemoat index`" in refuse("status", code=3, kind="corrupt_index")
    found = cli("search", "basket")
    assert (found.code, "Repairing" in found.err) == (0, True)
    assert "basket" in found.out
    assert cli("search", "basket").err == ""


def test_missing_segment_is_shown_by_status_and_repaired_by_search(cli, database):
    shutil.rmtree(database.parent / "segments")
    shown = cli("status")
    assert (shown.code, "missing" in shown.out, "repairs it" in shown.err) == (0, True, True)
    found = cli("search", "basket")
    assert (found.code, "Repairing" in found.err) == (0, True)
    assert "basket" in found.out
    assert "good" in cli("status").out


def test_damage_that_only_a_query_meets_is_repaired_then(cli, database):
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE bodies SET body = x'00'")
    connection.close()
    found = cli("search", "basket")
    assert (found.code, "Repairing" in found.err) == (0, True)
    assert "basket" in found.out


def test_index_of_a_newer_version(refuse, cli, database):
    with sqlite3.connect(database) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        connection.execute(f"PRAGMA user_version = {version + 1}")
    connection.close()
    assert "newer" in refuse("search", "x", code=3, kind="newer_index")
    assert cli("index", "--rebuild").code == 0
    assert cli("search", "basket").code == 0


def test_status_without_an_index(refuse):
    assert "codemoat index" in refuse("status", code=3, kind="no_index")


def test_unknown_configuration_key(refuse, tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.toml").write_text("[index]\nworkrs = 2\n")
    said = refuse("search", "x", code=2, kind="unknown_setting")
    for part in ('"index.workrs"', str(tmp_path / "config" / "config.toml"), '"index.workers"'):
        assert part in said


def test_hostile_settings_of_a_repository(refuse, root):
    (root / ".codemoat.toml").write_text('[model]\nname = "/tmp/\\u001b[31mevil.gguf"\n')
    assert 'A repository may not set "model.name"' in refuse("ask", "x", code=2, kind="unknown_setting")
    (root / ".codemoat.toml").write_text('"\\u001b[31m" = 1\n')
    said = refuse("search", "x", code=2, kind="unknown_setting")
    assert "There is no setting" in said


@pytest.mark.parametrize("argv", [["ask", "what is a basket?"], ["complete", "shop/prices.py:1:1"]])
def test_missing_model_names_the_command(refuse, argv, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    said = refuse(*argv, code=4, kind="no_model", llm=False)
    assert "codemoat models pull qwen2.5-coder-0.5b" in said
    assert "--yes" in said


def test_missing_model_file_and_unknown_model(refuse, cli, monkeypatch):
    monkeypatch.setenv("CODEMOAT_MODEL_NAME", "/no/such.gguf")
    assert "/no/such.gguf" in refuse("ask", "what is a basket?", code=4, kind="no_model", llm=False)
    monkeypatch.setenv("CODEMOAT_MODEL_NAME", "qwen2.5-coder-0.5")
    assert "qwen2.5-coder-0.5b" in refuse("ask", "what is a basket?", code=4, kind="no_model", llm=False)


def test_truncated_model(refuse, tmp_path):
    from assistant.models import find_model, models_dir

    models_dir().mkdir(parents=True)
    (models_dir() / find_model("qwen2.5-coder-0.5b").file).write_bytes(b"GGUF" + bytes(100))
    said = refuse("ask", "what is a basket?", code=4, kind="damaged_model", llm=False)
    assert "truncated" in said


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ("shop/prices.py", "is not FILE:LINE:COL"),
        ("shop/none.py:1:1", "There is no file shop/none.py."),
        ("shop:1:1", "shop is not a file."),
        ("shop/prices.py:99:1", "shop/prices.py has no line 99. LINE goes from 1 to 11."),
        ("shop/prices.py:1:99", "Line 1 of shop/prices.py has no column 99. COL goes from 1 to 38 there."),
        ("image.png:1:1", "image.png is not text."),
    ],
)
def test_complete_places(refuse, root, place, sentence):
    (root / "image.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(300))
    assert sentence in refuse("complete", place, code=2, kind="bad_input")


@pytest.mark.parametrize("size_limit", [10])
def test_complete_in_a_huge_file(refuse, monkeypatch, size_limit):
    monkeypatch.setattr("assistant.cli.complete._MAX_BYTES", size_limit)
    assert "too large" in refuse("complete", "shop/prices.py:1:1", code=2, kind="bad_input")


@pytest.mark.parametrize(("number", "sentence"), [(errno.EACCES, "No permission"), (errno.EROFS, "read-only")])
def test_no_permission_and_read_only_cache(refuse, tmp_path, monkeypatch, number, sentence):
    make = os.mkdir

    def refuse_below_cache(path, *args, **kwargs):
        if str(path).startswith(str(tmp_path / "cache")):
            raise OSError(number, os.strerror(number), str(path))
        return make(path, *args, **kwargs)

    monkeypatch.setattr(os, "mkdir", refuse_below_cache)
    for argv in (["index"], ["search", "x"]):
        said = refuse(*argv, code=5, kind="storage")
        assert sentence in said
        assert str(tmp_path / "cache") in said


def test_no_permission_to_read_the_folder(refuse, root, monkeypatch):
    def refuse_all(*_):
        raise PermissionError(errno.EACCES, "Permission denied", str(root))

    monkeypatch.setattr(os, "scandir", refuse_all)
    assert "No permission" in refuse("index", code=5, kind="storage")
