from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from assistant import doctor
from assistant.errors import HostError
from tests.cli_world import Cli, check_schema, furnish, write_files, write_indexed
from tests.remote_world import serving


@pytest.fixture
def cli(tmp_path, monkeypatch, capsys):
    furnish(monkeypatch, tmp_path)
    monkeypatch.chdir(write_files(tmp_path / "root"))
    return Cli(capsys)


@pytest.fixture
def indexed(tmp_path):
    return write_indexed(tmp_path / "root", tmp_path / "cache")


def checks(result):
    check_schema("doctor", [result.json])
    return {check["name"]: check for check in result.json["checks"]}


def test_all_well(cli, indexed):
    cli.llm.script = 2 * ["+", " + ", "number", "y"]
    result = cli("doctor", "--json")
    found = checks(result)
    assert (result.code, result.json["ok"]) == (0, True)
    assert {check["status"] for check in found.values()} == {"ok"}
    assert set(found) == {
        *(
            "settings",
            "python",
            "packages",
            "git",
            "cache folder",
            "data folder",
            "index",
            "model",
            "model host",
            "fill",
        )
    }
    assert "filled a hole" in found["model host"]["detail"]
    assert found["fill"]["detail"] == "3 of 3 holes filled right; text before the cursor last."
    assert "ok       index: 3 files" in cli("doctor").out


def test_findings_come_with_remedies(cli, tmp_path, monkeypatch):
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.toml").write_text("[index]\nworkrs = 2\n")
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(doctor, "_LOW_DISK_BYTES", 10**18)
    result = cli("doctor", "--json", llm=False)
    found = checks(result)
    assert (result.code, result.json["ok"]) == (1, False)
    expected = {
        "settings": ("failed", "index.workers"),
        "git": ("warning", "Install git"),
        "cache folder": ("warning", "Free some space"),
        "index": ("warning", "codemoat index"),
        "model": ("failed", "models pull"),
    }
    for name, (status, remedy) in expected.items():
        assert found[name]["status"] == status
        assert remedy in found[name]["remedy"]
    assert "model host" not in found
    assert "failed   settings: " in cli("doctor", llm=False).out


def test_missing_package(cli, monkeypatch):
    monkeypatch.setattr("importlib.metadata.requires", lambda _: ["no-such-thing>=1,<2", "torch; extra == 'x'"])
    found = checks(cli("doctor", "--no-model", "--json"))
    assert found["packages"]["detail"] == "Missing: no-such-thing."


def test_damaged_and_stale_index(cli, indexed):
    Path("new.py").write_text("x = 1\n")
    assert checks(cli("doctor", "--no-model", "--json"))["index"]["status"] == "warning"
    (indexed / "index.sqlite").write_bytes(b"no database" * 1000)
    found = checks(cli("doctor", "--no-model", "--json"))
    assert found["index"]["status"] == "failed"
    assert "`codemoat index`" in found["index"]["remedy"]


def test_host_that_dies_or_says_nothing(cli):
    cli.llm.script = [""]
    assert checks(cli("doctor", "--json"))["model host"]["status"] == "failed"
    cli.llm.script, cli.llm.failure = ["x"], HostError("The host died.", "Look.")
    found = checks(cli("doctor", "--json"))["model host"]
    assert (found["detail"], found["remedy"]) == ("The host died.", "Look.")


def test_model_without_fill_in_the_middle_is_asked_something(cli):
    cli.llm.fim, cli.llm.script = False, ["yes"]
    found = checks(cli("doctor", "--json"))
    assert "answered" in found["model host"]["detail"]
    assert (found["fill"]["status"], "models use" in found["fill"]["remedy"]) == ("warning", True)


@pytest.mark.parametrize(
    ("answers", "status", "sentence"),
    [
        (["+", "a", "y"], "warning", "2 of 3 holes"),
        (["a", "b", "c"], "failed", "0 of 3 holes"),
        (["+<|fim_pad|>", "number", "y"], "failed", "special token <|fim_pad|> leaks"),
    ],
)
def test_holes_that_are_not_filled_right(cli, answers, status, sentence):
    cli.llm.script = ["+", *answers]
    found = checks(cli("doctor", "--json"))["fill"]
    assert found["status"] == status
    assert sentence in found["detail"]
    assert "models use" in found["remedy"]


def test_a_model_server_on_this_machine(cli, monkeypatch):
    monkeypatch.setenv("CODEMOAT_MODEL_FILL_BY_CHAT", "false")
    with serving("llama-server") as server:
        monkeypatch.setenv("CODEMOAT_MODEL_URL", server.url)
        server.says("+")
        found = checks(cli("doctor", "--json", llm=False))
        assert "nothing leaves it" in found["model"]["detail"]
        assert found["model server"]["status"] == "ok"
        assert found["fill"]["detail"].startswith("1 of 3")
        before = len(server.requests)
        assert "model server" not in checks(cli("doctor", "--json", "--no-model", llm=False))
        assert len(server.requests) == before, "nothing is asked"


def test_a_model_server_elsewhere_is_a_plain_warning(cli, monkeypatch):
    monkeypatch.setenv("CODEMOAT_MODEL_URL", "http://models.example.org:8080")
    found = checks(cli("doctor", "--json", "--no-model", llm=False))["model"]
    assert found["status"] == "warning"
    assert found["detail"] == (
        "Code and questions leave this machine: they are sent to models.example.org, unencrypted."
    )
    assert "config unset model.url" in found["remedy"]


def test_folder_that_cannot_be_written(cli, monkeypatch):
    monkeypatch.setattr(doctor.os, "access", lambda *_: False)
    found = checks(cli("doctor", "--no-model", "--json"))
    assert found["cache folder"]["status"] == "failed"
    assert "CODEMOAT_CACHE_DIR" in found["cache folder"]["remedy"]
