"""A real server process under input that no client should send: it answers, goes on, or ends with one sentence."""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.lsp_client import LspProcess

pytestmark = pytest.mark.e2e
PARAMS = {"processId": None, "capabilities": {}, "initializationOptions": {"editor": {"enabled": False}}}
INITIALIZE = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": PARAMS}
SHUTDOWN = {"jsonrpc": "2.0", "id": 2, "method": "shutdown"}
EXIT = {"jsonrpc": "2.0", "method": "exit"}
STATUS = json.dumps({"jsonrpc": "2.0", "id": 9, "method": "codemoat/status"}).encode()
URI = "file:///nowhere/a.py"
PROMPT_SECONDS = 30.0
"""For an answer to a request behind a heavy message, on a machine that is busy; it used to be minutes."""


def framed(*messages: dict[str, Any]) -> bytes:
    bodies = [json.dumps(message).encode() for message in messages]
    return b"".join(b"Content-Length: %d\r\n\r\n%s" % (len(body), body) for body in bodies)


def run(data: bytes, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "lsp", *arguments]
    return subprocess.run(command, input=data, capture_output=True, timeout=120, check=False)


BROKEN = [
    b"Content-Length: -5\r\n\r\n" + STATUS,
    b"Content-Length: x\r\n\r\n" + STATUS,
    b"Content-Length: 10000000000\r\n\r\n" + STATUS,
    b"Content-Length: 5\r\nContent-Length: 50\r\n\r\n" + STATUS,
    b"X: y\r\n\r\n" + STATUS,
    b"x" * 2_000_000,
    b"X: y\r\n" * 100_000,
    b"Content-Length: 5\r\nContent-Type: x; charset=utf-7\r\n\r\n" + STATUS,
    b"Content-Length: 2\n\n{}",
    b"Content-Length: 9\r\n\r\n" + STATUS,
    b"Content-Length: 3\r\n\r\nNaN",
    b"Content-Length: 0\r\n\r\n",
    b"Content-Length: 4\r\n\r\n[{}]",
    b"Content-Length: 200000\r\n\r\n" + b"[" * 200_000,
]


@pytest.mark.parametrize("first", [True, False], ids=["before initialize", "after initialize"])
def test_after_each_broken_message_the_next_is_answered(first: bool) -> None:
    parts = [] if first else [framed(INITIALIZE)]
    for number, broken in enumerate(BROKEN, 100):
        parts += [broken, framed({"jsonrpc": "2.0", "id": number, "method": "codemoat/status"})]
    parts += [framed(INITIALIZE)] if first else []
    done = run(b"".join([*parts, framed(SHUTDOWN, EXIT)]))
    ids = [json.loads(line)["id"] for line in done.stdout.decode().replace("}Content-Length", "}\n").splitlines()
           if line.startswith("{") and '"id"' in line]  # fmt: skip
    wanted = [*range(100, 100 + len(BROKEN)), 1, 2]
    assert sorted(number for number in ids if number is not None) == sorted(wanted)
    # A length that is too small breaks two things: the message, and the header after it.
    assert ids.count(None) == len(BROKEN) + 1
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(
    "data",
    [b"", b"\r\n\r\n", b"Content-Length: 5\r\n", b"x" * 10**6, framed(INITIALIZE), framed(INITIALIZE) + b"Content-"],
    ids=["nothing", "blank lines", "half a header", "garbage", "no shutdown", "cut"],
)
def test_input_that_ends_too_early_ends_the_server_with_one_sentence(data: bytes) -> None:
    done = run(data)
    assert done.returncode == 1
    assert done.stderr.startswith(b"codemoat-lsp: ")
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize(
    ("redirected", "reason"),
    [
        ("<&-", b"cannot be used: Bad file descriptor"),
        (">&-", b"cannot be used: Bad file descriptor"),
        ("> out", b"must be pipes"),
        ("< in > /dev/null", b"must be pipes"),
    ],
)
def test_what_is_no_pipe_is_told(redirected: str, reason: bytes, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(framed(INITIALIZE))
    done = subprocess.run(
        ["/bin/sh", "-c", f'"$0" -m lsp {redirected}', sys.executable],
        input=framed(INITIALIZE),
        cwd=tmp_path,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert reason in done.stderr
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("port", ["-1", "65536", "x", "1.5", "9" * 5_000])
@pytest.mark.parametrize("option", ["--tcp", "--ws"])
def test_a_port_that_is_none_is_told(option: str, port: str) -> None:
    done = run(b"", f"{option}={port}")
    assert done.returncode == 2
    assert b"a port is a number from 0 to 65535" in done.stderr


@pytest.mark.parametrize("option", ["--tcp", "--ws"])
def test_a_port_that_is_taken_is_told(option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run(b"", option, str(taken.getsockname()[1]))
    assert done.returncode == 1
    assert b"cannot be had: Address already in use" in done.stderr
    assert done.stderr.count(b"\n") == 1


def test_any_text_can_be_logged_and_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    strange = [
        {"jsonrpc": "2.0", "id": "\ud800\x1b[2J", "method": "no/such\udfff\n", "params": {"the_secret": "the_secret"}},
        {"jsonrpc": "2.0", "id": 3, "method": "textDocument/hover", "params": {"the_secret": "\ud800"}},
    ]
    session = framed(INITIALIZE, *strange, SHUTDOWN, EXIT)
    done = run(session, "--log", str(tmp_path / "log"))
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb"\ud800\x1b[2J" in (tmp_path / "log").read_bytes()
    assert b"the_secret" not in (tmp_path / "log").read_bytes()
    os.mkfifo(tmp_path / "pipe")
    done = run(session, "--log", str(tmp_path / "pipe"))
    assert done.returncode == 0
    assert b"it is no regular file" in done.stderr


def change(*edits: tuple[tuple[int, int], tuple[int, int], str]) -> dict[str, Any]:
    changes = [
        {
            "range": {
                "start": {"line": start[0], "character": start[1]},
                "end": {"line": end[0], "character": end[1]},
            },
            "text": text,
        }
        for start, end, text in edits
    ]
    return {"textDocument": {"uri": URI, "version": 2}, "contentChanges": changes}


def opened(text: str, uri: str = URI) -> dict[str, Any]:
    return {"textDocument": {"uri": uri, "languageId": "python", "version": 1, "text": text}}


def test_a_request_behind_a_heavy_message_is_answered(tmp_path: Path) -> None:
    server = LspProcess(tmp_path, options={"model.name": str(tmp_path / "absent.gguf")})
    rng = random.Random(1)
    columns = [rng.randrange(900_000) for _ in range(50_000)]
    heavy = [
        ("textDocument/didOpen", opened("def f(x): pass\n" * 3_500_000, "file:///nowhere/large.py")),
        ("textDocument/didOpen", opened("x" * 60_000_000, "file:///nowhere/line.py")),
        ("textDocument/didOpen", opened("x" * 1_000_000)),
        ("textDocument/didChange", change(*(((0, at), (0, at + 1), "yz") for at in columns))),
        (
            "workspace/didChangeWatchedFiles",
            {"changes": [{"uri": f"file:///w/{number}.py", "type": 2} for number in range(500_000)]},
        ),
        (
            "workspace/didChangeWorkspaceFolders",
            {"event": {"added": [{"uri": f"file:///w/{n}", "name": ""} for n in range(10_000)], "removed": []}},
        ),
    ]
    for method, params in heavy:
        server.notify(method, params)
        assert server.ask("codemoat/status", timeout=PROMPT_SECONDS)["documents"] <= 3, method
    found = server.ask("codemoat/document", {"textDocument": {"uri": URI}})
    assert found["characters"] == 1_000_000 + len(columns)
    server.close()
    assert server.process.returncode == 0
