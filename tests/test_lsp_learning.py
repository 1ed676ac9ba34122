"""What the language server notes of suggestions: nothing, unless it is wanted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lsp import learning
from tests.lsp_world import Client, PatientLLM, edit, play

URI = "file:///nowhere/secret_name.py"
ON = {"editor": {"learning_log": True}}
OURS = {"codemoat": {"didShow": True}}


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CODEMOAT_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


def noted(data: Path) -> list[dict[str, Any]]:
    path = data / "learning.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


async def until_noted(client: Client, data: Path, *kinds: str) -> list[dict[str, Any]]:
    await client.until(lambda: [event["kind"] for event in noted(data)] == list(kinds))
    return noted(data)


def test_nothing_is_noted_while_it_is_off(data: Path):
    async def scene(client: Client) -> None:
        await client.initialize(experimental=OURS)
        client.open(URI, "x = \n")
        (item,) = await client.inline(URI, 0, 4)
        client.notify("codemoat/didShow", {"id": item["command"]["arguments"][0]})
        await client.request("workspace/executeCommand", item["command"])
        assert not client.server.learning._lane._threads

    play(scene, PatientLLM(["compute(a)"]))
    assert not data.exists()


def test_what_the_client_tells_is_noted_without_a_text_or_a_name(data: Path):
    async def scene(client: Client) -> None:
        await client.initialize(options=ON, experimental=OURS)
        client.open(URI, "x = \n")
        (item,) = await client.inline(URI, 0, 4)
        client.notify("codemoat/didShow", {"id": item["command"]["arguments"][0]})
        client.change(URI, 2, edit((0, 4), (0, 4), "compute(a)"))
        await client.request("workspace/executeCommand", item["command"])
        client.notify("textDocument/didClose", {"textDocument": {"uri": URI}})
        events = await until_noted(client, data, "shown", "accepted", "kept")
        assert [event["inferred"] for event in events] == [False, False, True]
        assert (events[1]["characters"], events[1]["accepted"], events[1]["language"]) == (10, 10, "python")
        text = (data / "learning.jsonl").read_text()
        assert "compute" not in text
        assert "secret_name" not in text

    play(scene, PatientLLM(["compute(a)"]))


def test_what_the_client_does_not_tell_is_inferred(data: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(learning, "_TOLD_WITHIN", 0.0)

    async def scene(client: Client) -> None:
        await client.initialize(options=ON)
        client.open(URI, "x = \n")
        await client.inline(URI, 0, 4)
        client.change(URI, 2, edit((0, 4), (0, 4), "compute(a)"))
        await client.until(lambda: len(noted(data)) >= 2)
        client.change(URI, 3, edit((0, 4), (0, 14), "other"))
        client.notify("textDocument/didClose", {"textDocument": {"uri": URI}})
        events = await until_noted(client, data, "shown", "accepted", "changed")
        assert all(event["inferred"] for event in events)

    play(scene, PatientLLM(["compute(a)"]))
