"""No process outlives a server or an editor that is killed: real processes, found by a mark in their environment."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import lsp.indexing
from benchmarks.common import ROOT
from benchmarks.lsp_client import LspProcess

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc"),
]
PATIENT = 60.0
MARK = "CODEMOAT_TEST_MARK"
OPTIONS = {"editor": {"enabled": False}}
# Keeps a pipe to the server as an editor does, and is killed with it or before it.
EDITOR = """
import sys, threading
from pathlib import Path
from benchmarks.lsp_client import LspProcess
server = LspProcess(Path(sys.argv[1]), folders=[Path(sys.argv[2])], options={"editor": {"enabled": False}})
print(server.process.pid, flush=True)
threading.Event().wait()
"""


class Marked:
    """The processes whose environment holds one random value: all that descend from those given it."""

    def __init__(self) -> None:
        self.value = uuid.uuid4().hex

    def pids(self) -> dict[int, str]:
        """Living processes and their command lines; zombies have neither."""
        wanted = f"{MARK}={self.value}".encode()
        found = {}
        for place in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if int(place.name) != os.getpid() and wanted in (place / "environ").read_bytes().split(b"\0"):
                    found[int(place.name)] = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        return found

    def named(self, part: str) -> list[int]:
        """Those whose command line holds ``part``."""
        return [pid for pid, command in self.pids().items() if part in command]

    def end(self) -> None:
        """Leave nothing behind, whatever the test did."""
        for pid in self.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENT
    while not condition():
        assert time.monotonic() < deadline, what
        select.select([], [], [], 0.02)


@pytest.fixture
def marked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Marked]:
    marked = Marked()
    monkeypatch.setenv(MARK, marked.value)
    yield marked
    marked.end()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A file whose grammar hangs keeps an indexing run at work for seconds."""
    root = tmp_path / "project"
    root.mkdir()
    for number in range(20):
        (root / f"m{number}.py").write_text(f"def function_{number}(x):\n    return x + {number}\n")
    (root / "hang.cbl").write_text("x\n")
    return root


def kill(server: LspProcess) -> None:
    server.process.kill()
    server.end()


CHILD, WORKER = "lsp.index_child", "indexer.analyse"


@pytest.mark.parametrize("stopped", [(), (CHILD,), (CHILD, WORKER)], ids=["at work", "child stopped", "all stopped"])
def test_a_killed_server_takes_a_child_that_indexes_with_it(
    tmp_path: Path, project: Path, marked: Marked, stopped: tuple[str, ...]
) -> None:
    server = LspProcess(tmp_path, folders=[project], options=OPTIONS)
    until(lambda: marked.named(CHILD) and marked.named(WORKER), "no worker was started")
    for part in stopped:
        for pid in marked.named(part):
            os.kill(pid, signal.SIGSTOP)
    kill(server)
    until(lambda: not marked.pids(), f"{marked.pids()} outlive the server")


def test_a_killed_server_takes_a_child_that_has_not_begun_with_it(
    tmp_path: Path, project: Path, marked: Marked
) -> None:
    server = LspProcess(tmp_path, folders=[project], options=OPTIONS)
    until(lambda: marked.named(CHILD), "no child was started")
    kill(server)
    until(lambda: not marked.pids(), f"{marked.pids()} outlive the server")


def test_a_killed_server_takes_a_child_that_watches_with_it(tmp_path: Path, project: Path, marked: Marked) -> None:
    (project / "hang.cbl").unlink()
    server = LspProcess(tmp_path, folders=[project], options=OPTIONS)
    until(lambda: server.ask("codemoat/status")["folders"][0]["state"] == "ready", "the folder was not indexed")
    kill(server)
    until(lambda: not marked.pids(), f"{marked.pids()} outlive the server")


@pytest.mark.parametrize("both", [False, True], ids=["editor", "editor and server"])
def test_a_killed_editor_takes_server_and_child_with_it(
    tmp_path: Path, project: Path, marked: Marked, both: bool
) -> None:
    command = [sys.executable, "-c", EDITOR, str(tmp_path), str(project)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as editor:
        assert editor.stdout is not None
        server = int(editor.stdout.readline())
        until(lambda: marked.named(WORKER), "no worker was started")
        editor.kill()
        if both:
            with contextlib.suppress(ProcessLookupError):
                os.kill(server, signal.SIGKILL)
    until(lambda: not marked.pids(), f"{marked.pids()} outlive the editor")


@pytest.mark.parametrize("said", [b"", b'{"root": "/', b'{"root": "%b", "settings": {}}\n{"do": "upd'])
def test_a_child_whose_server_said_half_a_line_ends(
    tmp_path: Path, project: Path, marked: Marked, monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    monkeypatch.setenv("CODEMOAT_CACHE_DIR", str(tmp_path / "cache"))
    child = subprocess.Popen(
        [sys.executable, "-P", "-m", CHILD], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    child.communicate(said.replace(b"%b", os.fsencode(project)), timeout=PATIENT)
    assert child.returncode == 0
    until(lambda: not marked.pids(), f"{marked.pids()} outlive the child")


def test_a_child_that_does_not_leave_is_gone_when_the_server_has_ended_it(marked: Marked) -> None:
    async def end_one() -> int | None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "import threading; threading.Event().wait()", stdin=asyncio.subprocess.PIPE,
            start_new_session=True,
        )  # fmt: skip
        await lsp.indexing._end(process)
        return process.returncode

    assert asyncio.run(end_one()) == -signal.SIGKILL
    assert not marked.pids()
