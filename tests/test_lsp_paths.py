"""URIs that no path of this system can have, and paths that cannot be read: one sentence, and the rest works."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from lsp.convert import path_of
from tests.lsp_world import Client, play

pytestmark = pytest.mark.slow

TEXT = "def total_price():\n    return 1\n"
DEEP = "/".join(["a"] * 1_900) + "/b.py"
NO_PATHS = {
    "too long": "file:///" + "/".join(["a"] * 3_000) + "/b.py",
    "a component too long": f"file:///{'x' * 256}.py",
    "half a character": "file:///a\ud800.py",
    "a NUL": "file:///a%00.py",
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("CACHE", "CONFIG", "RUNTIME", "DATA"):
        monkeypatch.setenv(f"CODEMOAT_{name}_DIR", str(tmp_path / name.lower()))
    root = tmp_path / "shop"
    root.mkdir()
    (root / "prices.py").write_text(TEXT)
    return root


@pytest.mark.parametrize("uri", NO_PATHS.values(), ids=list(NO_PATHS))
def test_what_cannot_be_a_path_is_none(uri: str):
    assert path_of(uri) is None


def test_the_longest_paths_are_paths():
    assert path_of(f"file:///{'x' * 255}") == Path("/" + "x" * 255)
    assert path_of("file:///%FF.py") == Path("/" + os.fsdecode(b"\xff.py"))
    assert path_of("file:///" + DEEP) is not None


async def everything(client: Client, uri: str) -> dict[str, Any]:
    """What is asked about a document as it is opened, read and closed; the answers by method."""
    client.open(uri, TEXT)
    await client.settle()
    document, position = {"uri": uri}, {"line": 1, "character": 4}
    where = {"textDocument": document, "position": position}
    answers = {
        method: await client.request(method, params)
        for method, params in (
            ("textDocument/documentSymbol", {"textDocument": document}),
            ("textDocument/inlineCompletion", {**where, "context": {"triggerKind": 1}}),
            ("textDocument/completion", where),
            ("codemoat/why", {"textDocument": document}),
        )
    }
    client.server.sync._put(uri)
    client.notify("textDocument/didClose", {"textDocument": document})
    await client.until(lambda: not client.server.jobs.buffers._jobs)
    return answers


@pytest.mark.parametrize("below", ["%ED%A0%80.py", "%FF/%FE.py", DEEP, *NO_PATHS.values(), "\ud800", "untitled:\udc80"])
def test_a_document_of_any_name_is_answered(project: Path, below: str, caplog: pytest.LogCaptureFixture):
    async def scene(client: Client) -> None:
        await client.initialize(project)
        uri = below if ":" in below or below == "\ud800" else f"{project.as_uri()}/{below}"
        answers = await everything(client, uri)
        assert [symbol["name"] for symbol in answers["textDocument/documentSymbol"]] == ["total_price"]
        if below.startswith("%"):
            assert "Its name is not valid UTF-8." in answers["codemoat/why"]["reason"]

    play(scene)
    assert "Error" not in caplog.text
    assert "failed" not in caplog.text


def test_a_folder_that_cannot_be_is_left_out_with_a_sentence(project: Path):
    async def scene(client: Client) -> None:
        await client.initialize(project)
        added = [{"uri": "file:///" + "a/" * 3_000, "name": "deep"}, {"uri": "file:///\ud800", "name": "half"}]
        client.notify("workspace/didChangeWorkspaceFolders", {"event": {"added": added, "removed": []}})
        await client.until(lambda: "it is left out" in str(client.sent))
        assert [folder["uri"] for folder in client.server.status.current()["folders"]] == [project.as_uri()]
        assert await client.request("workspace/symbol", {"query": "total"}) == []

    play(scene)


def test_a_folder_that_fails_leaves_the_others_searchable(project: Path, tmp_path: Path, monkeypatch):
    """The system may refuse any path, such as one of a folder's own files when the folder's is nearly too long."""
    bad = tmp_path / "bad"
    bad.mkdir()

    async def scene(client: Client) -> None:
        await client.initialize(project, bad)
        states = client.server.indexing.states
        await client.until(lambda: states[str(project)].state == "ready")
        from assistant.engine import Engine

        whole = Engine.index.fget
        assert whole is not None

        def index(engine: Engine) -> Any:
            if engine.root == bad:
                raise OSError(36, "File name too long")
            return whole(engine)

        monkeypatch.setattr(Engine, "index", property(index))
        for folder in client.server.folders:
            folder.close()
        found = await client.request("workspace/symbol", {"query": "total"})
        assert [symbol["name"] for symbol in found] == ["total_price"]
        answer = await client.request("codemoat/search", {"query": "total price"})
        assert [hit["path"] for hit in answer["hits"]] == ["prices.py"]
        assert "File name too long" in answer["problem"]

    play(scene, index=True)
