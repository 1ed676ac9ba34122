"""The server leaves with the process that ``initialize`` names, also while its input stays open."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.lsp_client import LspProcess
from lsp.editor_process import EditorProcess
from tests.lsp_world import Client, play

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX")
IDLE = [sys.executable, "-c", "import sys; sys.stdin.read()"]
PATIENT = 60.0


@pytest.fixture
def editor() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(IDLE, stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


async def hello(client: Client, process_id: Any) -> None:
    await client.request("initialize", {"processId": process_id, "rootUri": None, "capabilities": {}})
    client.notify("initialized", {})


@pytest.fixture
def polled(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a system that does not tell of the end of a process."""

    def refuse(*_: object) -> int:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(os, "pidfd_open", refuse, raising=False)
    monkeypatch.setattr("lsp.editor_process._LOOK", 0.01)


@pytest.mark.parametrize("way", ["told", "polled"])
def test_the_server_is_done_when_the_process_ends(
    editor: subprocess.Popen[bytes], request: pytest.FixtureRequest, way: str
) -> None:
    if way == "polled":
        request.getfixturevalue("polled")

    async def scene(client: Client) -> None:
        await hello(client, editor.pid)
        assert client.server.editor_process.watched
        assert not client.server.done.is_set()
        editor.kill()
        editor.wait(PATIENT)
        await asyncio.wait_for(client.server.done.wait(), PATIENT)
        assert client.server.exit_code == 1

    play(scene)


@pytest.mark.parametrize("process_id", [None, "x", "1", 1.5, 0, -1, 1, True, [], {}, 2**31 - 1, 2**70])
def test_what_is_no_process_of_ours_is_ignored(process_id: Any) -> None:
    async def scene(client: Client) -> None:
        await hello(client, process_id)
        assert not client.server.editor_process.watched

    play(scene)


def test_a_process_that_has_ended_is_ignored(editor: subprocess.Popen[bytes]) -> None:
    editor.kill()
    editor.wait(PATIENT)

    async def scene(client: Client) -> None:
        await hello(client, editor.pid)
        assert not client.server.editor_process.watched
        assert (await client.request("codemoat/status"))["documents"] == 0

    play(scene)


def test_leaving_ends_the_watch(editor: subprocess.Popen[bytes]) -> None:
    async def scene(client: Client) -> None:
        await hello(client, editor.pid)
        watch: EditorProcess = client.server.editor_process
        assert watch.watched
        await client.leave()
        assert not watch.watched
        assert client.server.exit_code == 0

    play(scene)


@pytest.mark.slow
def test_a_server_whose_pipe_somebody_else_holds_ends_with_its_editor(tmp_path: Path) -> None:
    editor = subprocess.Popen(IDLE, stdin=subprocess.PIPE)

    class Named(LspProcess):
        def begin(self, method: str, params: Any = None) -> int:
            if method == "initialize":
                params = {**params, "processId": editor.pid}
            return super().begin(method, params)

    server = Named(tmp_path, options={"editor": {"enabled": False, "index": False}})
    # This process holds the pipe and goes on.
    assert server.ask("codemoat/status")["documents"] == 0
    editor.kill()
    editor.communicate(timeout=PATIENT)
    assert server.process.wait(PATIENT) == 1
    server.end()
