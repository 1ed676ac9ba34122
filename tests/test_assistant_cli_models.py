from __future__ import annotations

import sys
from pathlib import Path

import pytest

from assistant.cli.common import show_transfer
from assistant.cli.output import Output, ProgressDisplay
from assistant.models import PullProgress
from assistant.models.catalogue import PathSource
from tests import model_world
from tests.cli_world import Cli, check_schema, furnish, write_indexed
from tests.test_assistant_cli_output import Terminal


@pytest.fixture
def cli(tmp_path, monkeypatch, capsys):
    """Commands with a catalogue of one model, ``tiny``, whose source is a file."""
    furnish(monkeypatch, tmp_path)
    model_world.furnish(monkeypatch, tmp_path / "data")
    (tmp_path / "source.gguf").write_bytes(model_world.BODY)
    entry = model_world.entry(PathSource(tmp_path / "source.gguf"))
    model_world.use_catalogue(monkeypatch, entry)
    monkeypatch.setattr("assistant.models.load_catalogue", lambda: (entry,))
    monkeypatch.setenv("CODEMOAT_MODEL_NAME", "tiny")
    write_indexed(tmp_path / "root", tmp_path / "cache")
    monkeypatch.chdir(tmp_path / "root")
    return Cli(capsys)


def test_list_pull_path_verify_remove(cli, tmp_path):
    before = cli("models", "list", "--json").json
    check_schema("models-list", [before])
    assert [(m["name"], m["installed"], m["used"]) for m in before["models"]] == [("tiny", False, True)]
    pulled = cli("models", "pull", "tiny", "--json")
    check_schema("models-pull", [pulled.json])
    assert Path(pulled.json["path"]).read_bytes() == model_world.BODY
    path = cli("models", "path", "--json").json
    check_schema("models-path", [path])
    assert path["path"] == pulled.json["path"]
    assert cli("models", "path", "tiny").out == path["path"] + "\n"
    verified = cli("models", "verify", "--json").json
    check_schema("models-verify", [verified])
    assert verified["compared_with"] == "catalogue"
    assert "as in the catalogue" in cli("models", "verify").out
    (tmp_path / "data" / "models" / "mine.gguf").write_bytes(model_world.BODY)
    after = cli("models", "list", "--json").json
    check_schema("models-list", [after])
    assert [(m["name"], m["installed"], m["licence"]) for m in after["models"]][1] == ("mine", True, "unknown")
    assert "* tiny " in cli("models").out
    removed = cli("models", "remove", "tiny", "--json").json
    check_schema("models-remove", [removed])
    assert removed["bytes"] >= len(model_world.BODY)
    missing = cli("models", "path", "tiny")
    assert missing.code == 4
    assert "codemoat models pull tiny" in missing.err


def test_wrong_hash_is_refused_before_it_gets_its_name(cli, tmp_path):
    (tmp_path / "source.gguf").write_bytes(model_world.WRONG_BODY)
    result = cli("models", "pull", "tiny", "--json")
    assert (result.code, result.json["error"]["code"]) == (4, "damaged_model")
    assert "sha256" in result.json["error"]["message"]
    assert cli("models", "path", "tiny").code == 4


def test_use_writes_the_setting(cli, tmp_path, monkeypatch):
    monkeypatch.delenv("CODEMOAT_MODEL_NAME")
    result = cli("models", "use", "tiny")
    assert "models pull tiny" in result.err
    assert cli("config", "get", "model.name").out == "tiny\n"
    (tmp_path / "root" / "own.gguf").write_bytes(model_world.BODY)
    cli("models", "use", "own.gguf")
    assert cli("config", "get", "model.name").out == f"{tmp_path / 'root' / 'own.gguf'}\n"
    unknown = cli("models", "use", "tinny")
    assert unknown.code == 4
    assert "tiny" in unknown.err
    monkeypatch.setenv("CODEMOAT_MODEL_NAME", "tiny")
    assert "no effect here" in cli("models", "use", "tiny").err
    monkeypatch.setenv("CODEMOAT_MODEL_URL", "http://127.0.0.1:8080")
    assert "no effect while model.url" in cli("models", "use", "tiny").err


def ask_without_host(cli, monkeypatch, *options):
    """Whether an answer came to be, with the fake in place of the host once the file is there."""
    monkeypatch.setattr("assistant.llama.client.HostedLLM", lambda *_, **__: cli.llm)
    cli.llm.script = ["It adds [1]."]
    return cli("ask", "how is a discounted price computed?", *options, llm=False)


def test_yes_fetches_the_missing_model(cli, monkeypatch, tmp_path):
    result = ask_without_host(cli, monkeypatch, "--yes", "--json")
    assert result.code == 0
    check_schema("ask", [result.json])
    assert (tmp_path / "data" / "models" / "tiny.gguf").exists()
    assert "tiny is at" in result.err


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 4)])
def test_a_person_is_asked_before_a_model_is_fetched(cli, monkeypatch, tmp_path, answer, code):
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    monkeypatch.setattr(sys, "stderr", Terminal())
    result = ask_without_host(cli, monkeypatch)
    assert result.code == code
    assert "Fetch it now (512 kB, licence Apache-2.0)? [y/N]" in sys.stderr.getvalue()
    assert (tmp_path / "data" / "models" / "tiny.gguf").exists() == (code == 0)


def test_transfer_is_shown(capsys):
    display = ProgressDisplay()
    for progress in (
        PullProgress("tiny", "contact", "hub a/b", message="asking hub a/b"),
        PullProgress("tiny", "failed", "hub a/b", message="no answer within 5 s"),
        PullProgress("tiny", "download", "x", 5_000_000, 10_000_000),
        PullProgress("tiny", "verify", "x", 10_000_000, 10_000_000, "checking the sha256"),
    ):
        show_transfer(progress, display, Output())
    assert capsys.readouterr().err.splitlines() == [
        "codemoat: asking hub a/b",
        "codemoat: hub a/b: no answer within 5 s",
        "Fetching tiny 50% of 10 MB",
        "Checking tiny 100% of 10 MB",
    ]
