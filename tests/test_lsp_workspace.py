"""Folders, their indexing process, symbols, search, settings: over a small real project."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from lsp.options import Options, Switches
from tests.lsp_world import Client, PatientLLM, edit, play

pytestmark = pytest.mark.slow


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("CACHE", "CONFIG", "RUNTIME"):
        monkeypatch.setenv(f"CODEMOAT_{name}_DIR", str(tmp_path / name.lower()))
    root = tmp_path / "shop"
    root.mkdir()
    (root / "prices.py").write_text("# Ä\nclass Basket:\n    def total_price(self):\n        return 1\n")
    return root


def state(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = client.server.status.current()["folders"][0]
    return found


def test_a_folder_is_indexed_searched_and_its_process_comes_back(project: Path):
    async def scene(client: Client) -> None:
        await client.initialize(project, window={"workDoneProgress": True})
        await client.until(lambda: state(client)["state"] == "ready")
        found = await client.request("workspace/symbol", {"query": "TOTAL"})
        assert [(s["name"], s["containerName"]) for s in found] == [("total_price", "Basket")]
        assert found[0]["location"]["range"]["start"] == {"line": 2, "character": 4}
        hits = (await client.request("codemoat/search", {"query": "total price of a basket"}))["hits"]
        assert (hits[0]["path"], hits[0]["symbol"]) == ("prices.py", "Basket.total_price")
        assert (hits[0]["label"], hits[0]["matchLine"]) == ("prices.py", 2)

        async def count(**filters: Any) -> int:
            return len((await client.request("codemoat/search", {"query": "total price", **filters}))["hits"])

        assert await count(globs=["*.py"], languages=["python"], kinds=["class"]) == 1
        for nothing in ({"globs": ["!prices.py"]}, {"languages": ["rust"]}, {"kinds": ["enum"]}):
            assert await count(**nothing) == 0
        refused = await client.error("codemoat/search", {"query": "x", "since": "main"})
        assert refused["data"]["code"] == "bad_input"

        # Unsaved text is what is searched.
        uri = (project / "prices.py").as_uri()
        client.open(uri, (project / "prices.py").read_text())
        client.change(uri, 2, edit((0, 0), (0, 0), "def unsaved_discount(): ...\n"))
        client.server.sync._put(uri)
        await client.until(lambda: not client.server.jobs.buffers._jobs)
        part = {"query": "unsaved_d", "partialResultToken": "p"}

        async def seen() -> Any:
            assert await client.request("workspace/symbol", part) == []
            return [p["value"] for p in client.of("$/progress") if p["token"] == "p"]

        while not (parts := await seen()):
            await asyncio.sleep(0.02)
        assert parts[-1][0]["name"] == "unsaved_discount"
        client.notify("textDocument/didClose", {"textDocument": {"uri": uri}})

        generation, pid = state(client)["generation"], state(client)["pid"]
        (project / "more.py").write_text("def added(): ...\n")
        await client.until(lambda: state(client)["generation"] > generation)

        os.kill(pid, signal.SIGKILL)
        await client.until(lambda: state(client)["restarts"] == 1)
        (told,) = client.of("window/showMessage")
        assert "killed by signal 9" in told["message"]
        assert await client.request("workspace/symbol", {"query": "added"})
        await client.request("codemoat/index", {"do": "stop"})
        assert state(client)["state"] == "stopped"
        assert (
            "is no folder" in (await client.error("codemoat/index", {"do": "stop", "folder": "file:///x"}))["message"]
        )

    play(scene, index=True)


def test_a_home_folder_is_not_indexed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", str(tmp_path))

    async def scene(client: Client) -> None:
        await client.initialize(tmp_path)
        assert state(client)["state"] == "off"
        assert "is no project" in state(client)["problem"]
        change = {"added": [], "removed": [{"uri": tmp_path.as_uri(), "name": "x"}]}
        client.notify("workspace/didChangeWorkspaceFolders", {"event": change})
        assert client.server.status.current()["folders"] == []

    play(scene, index=True)


def test_the_outline_is_of_the_unsaved_text():
    async def scene(client: Client) -> None:
        symbols = {"documentSymbol": {"hierarchicalDocumentSymbolSupport": True}}
        await client.initialize(textDocument=symbols)
        client.open("untitled:Untitled-1", "# 🦀\nclass A:\n    def b(self): ...\n")
        client.change("untitled:Untitled-1", 2, edit((0, 0), (0, 0), "\n"))
        params = {"textDocument": {"uri": "untitled:Untitled-1"}}
        (outer,) = await client.request("textDocument/documentSymbol", params)
        assert (outer["name"], outer["kind"], outer["selectionRange"]["start"]) == ("A", 5, {"line": 2, "character": 6})
        (inner,) = outer["children"]
        assert (inner["name"], inner["range"]["end"]) == ("b", {"line": 3, "character": 20})
        assert await client.request("textDocument/documentSymbol", {"textDocument": {"uri": "file:///no"}}) is None

    play(scene)


def test_a_wrong_setting_names_the_nearest_once_and_the_others_hold():
    async def scene(client: Client) -> None:
        client.replies["workspace/configuration"] = [{"editor": {"automtic": True, "popup": True}}]
        options = {"editr.enabled": 1, "complete": {"max_tokens": "x"}}
        await client.initialize(options=options, workspace={"configuration": True})
        client.notify("workspace/didChangeConfiguration", {"settings": None})
        await client.settle()
        await client.until(lambda: not client.server._tasks)
        assert client.server.options.config().editor.popup is True
        told = [m["message"] for m in client.of("window/showMessage")]
        assert len(told) == 3
        assert 'Did you mean "editor.enabled"?' in told[0]
        assert '"complete.max_tokens" must be a whole number from 1 to 1024' in told[1]
        assert 'Did you mean "editor.automatic"?' in told[2]

    play(scene)


def test_no_model_is_loaded_before_the_client_told_its_settings():
    async def scene(client: Client) -> None:
        loaded: list[str] = []
        client.server.fetching.load = lambda: loaded.append(client.server.options.config().model.name)
        client.replies["workspace/configuration"] = [{"model": {"name": "chosen"}}]
        params = {"processId": None, "rootUri": None, "capabilities": {"workspace": {"configuration": True}}}
        await client.request("initialize", params)
        # As editors do: the documents follow at once, the settings when they were asked for.
        client.notify("initialized", {})
        client.open("untitled:a", "x = 1\n")
        await client.until(lambda: loaded)
        assert loaded == ["chosen"]

    play(scene)


def test_a_changed_setting_holds_at_once():
    async def scene(client: Client) -> None:
        await client.initialize()
        client.open("untitled:a", "x = ")
        assert len(await client.inline("untitled:a", 0, 4)) == 1
        client.notify("workspace/didChangeConfiguration", {"settings": {"codemoat": {"editor": {"enabled": False}}}})
        await client.settle()
        assert await client.inline("untitled:a", 0, 4) == []
        client.notify("workspace/didChangeConfiguration", {"settings": {"codemoat": {"model.threads": 1}}})
        await client.settle()
        await client.until(lambda: client.llm.closed)

    play(scene, PatientLLM(["1"]))


def test_renamed_and_deleted_files_are_taken_in(project: Path):
    async def scene(client: Client) -> None:
        await client.initialize(project)
        old, new = (project / "prices.py").as_uri(), (project / "new.py").as_uri()
        client.notify("workspace/didRenameFiles", {"files": [{"oldUri": old, "newUri": new}]})
        client.notify("workspace/didDeleteFiles", {"files": [{"uri": new}]})
        client.notify("workspace/didCreateFiles", {"files": [{"uri": (project / ".codemoatignore").as_uri()}]})
        assert client.server.folders.locate(new).path == "new.py"

    play(scene)


def test_settings_that_are_no_object_and_values_of_the_wrong_kind_leave_the_defaults():
    told: list[str] = []
    options = Options(told.append)
    options.initialize([1])
    assert options.change({"editor": {"enabled": None, "popup": 3}}) is False
    assert options.config().editor.enabled is True
    assert len(told) == 2


def test_snoozing_ends_by_itself():
    now = [100.0]
    switches = Switches(lambda: now[0])
    switches.snooze(1)
    assert switches.snoozed_seconds == 60
    now[0] += 61
    assert switches.snoozed_seconds == 0


def test_a_process_that_cannot_be_started_is_tried_again(project: Path, monkeypatch: pytest.MonkeyPatch):
    begun: list[object] = []

    async def refuse(*command: object, **_: object) -> None:
        begun.append(command)
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr("asyncio.create_subprocess_exec", refuse)
    monkeypatch.setattr("lsp.indexing._FIRST_PAUSE", 0.001)

    async def scene(client: Client) -> None:
        await client.initialize(project)
        await client.until(lambda: len(begun) > 2)
        (told,) = client.of("window/showMessage")
        assert "no process could be started (Resource temporarily unavailable). It is started again" in told["message"]

    play(scene, index=True)


def test_a_wrong_key_in_a_settings_file_leaves_the_index_working(project: Path):
    (project / ".codemoat.toml").write_text("[index]\nexlude = []\n")

    async def scene(client: Client) -> None:
        await client.initialize(project)
        await client.until(lambda: state(client)["state"] == "ready")
        (told,) = client.of("window/showMessage")
        assert 'Did you mean "index.exclude"?' in told["message"]

    play(scene, index=True)
