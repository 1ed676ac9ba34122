"""``codemoat index`` beyond one folder and one moment: several roots, limits, watching."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli_world import Cli, check_schema, furnish, write_files

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture
def cli(capsys, monkeypatch, tmp_path):
    furnish(monkeypatch, tmp_path)
    return Cli(capsys)


@pytest.fixture
def roots(tmp_path):
    one = write_files(tmp_path / "one")
    two = write_files(tmp_path / "two", {"lib/orders.py": "def basket_of_orders(day):\n    return day\n"})
    return one, two


def test_several_folders_get_an_index_each_and_are_searched_together(cli, roots):
    one, two = roots
    reports = cli("index", one, two, "--json").lines
    check_schema("index", reports)
    assert [report["files"] for report in reports] == [3, 1]
    assert reports[0]["index_path"] != reports[1]["index_path"]
    found = cli("search", "basket", "--path", one, "--path", two, "--json").json
    check_schema("search", [found])
    assert {hit["root"] for hit in found["hits"]} == {str(one), str(two)}
    scores = [hit["score"] for hit in found["hits"]]
    assert scores == sorted(scores, reverse=True)
    assert len(cli("search", "basket", "-k", "1", "--path", one, "--path", two, "--json").json["hits"]) == 1
    plain = cli("search", "basket_of_orders", "--path", one, "--path", two).out
    assert f"{two}/lib/orders.py:1" in plain
    assert "root" not in cli("search", "basket", "--path", one, "--json").json["hits"][0]


def test_limits_reach_the_index(cli, roots):
    assert cli("index", roots[0], "--background", "--workers", "2").code == 0
    config = cli.engines[-1].config.index_config()
    assert (config.background, config.workers) == (True, 2)
    assert cli("index", roots[0], "--workers", "0").code == 2


def test_folders_of_a_monorepo(cli, roots, monkeypatch):
    one, _ = roots
    (one / ".codemoat.toml").write_text('[index]\ninclude = ["shop"]\n')
    assert cli("index", one, "--json").json["files"] == 2
    assert "index.include" in cli("index", one, "--explain", one / "README.md").out
    (one / ".codemoat.toml").write_text('[index]\ninclude = ["nothing/here"]\n')
    refused = cli("index", one)
    assert (refused.code, "nothing/here" in refused.err) == (2, True)


def test_status_shows_sizes_ages_and_health(cli, roots):
    cli("index", roots[0])
    shown = cli("status", "--path", roots[0]).out
    assert "good" in shown
    assert all(word in shown for word in ("texts", "words", "vectors", "seconds ago"))
    status = cli("status", "--path", roots[0], "--json").json
    check_schema("status", [status])
    assert sum(status["parts"].values()) == status["bytes_on_disk"]
    assert (status["pending"], status["damaged"], status["dead_chunks"]) == (0, [], 0)


def test_watch_and_explain_take_one_folder(cli, roots):
    assert cli("index", *roots, "--watch").code == 2
    assert cli("index", *roots, "--explain", "x").code == 2


@pytest.mark.slow
def test_watch_follows_the_folder_until_it_is_stopped(roots, monkeypatch, tmp_path):
    furnish(monkeypatch, tmp_path)
    one, _ = roots
    command = [sys.executable, "-m", "assistant.cli.main", "index", str(one), "--watch", "--json"]
    with subprocess.Popen(
        command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            first = json.loads(process.stdout.readline())
            assert (first["files"], first["files_parsed"]) == (3, 3)
            assert any("Watching" in line for line in iter(process.stderr.readline, ""))
            assert json.loads(process.stdout.readline())["files_parsed"] == 0, "a first look at everything"
            (one / "shop" / "new.py").write_text("def brand_new():\n    return 1\n")
            assert json.loads(process.stdout.readline())["files"] == 4
            (one / "shop" / "new.py").unlink()
            assert json.loads(process.stdout.readline())["files_removed"] == 1
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
        finally:
            process.kill()
