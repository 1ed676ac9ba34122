"""The server as a process: how fast it answers first, how it ends, and what it leaves."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.lsp_client import LspProcess
from lsp.framing import frame

pytestmark = pytest.mark.e2e
PARAMS = {"processId": None, "capabilities": {}, "initializationOptions": {"editor": {"enabled": False}}}
INITIALIZE = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": PARAMS}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    for number in range(300):
        (root / f"m{number}.py").write_text(f"def function_{number}(x):\n    return x + {number}\n" * 40)
    return root


def test_the_first_answer_needs_the_standard_library_only() -> None:
    heavy = ["lsprotocol", "pygls", "attrs", "msgspec", "numpy", "llama_cpp", "faiss", "git", "torch"]
    code = f"import sys, lsp.__main__, lsp.hello; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_leaving_in_the_middle_of_indexing_leaves_no_process_and_no_lock(tmp_path: Path, project: Path) -> None:
    server = LspProcess(tmp_path, folders=[project])
    while not (pid := server.ask("codemoat/status")["folders"][0]["pid"]):
        time.sleep(0.01)
    assert server.close() < 2.0
    assert server.process.returncode == 0
    assert not Path(f"/proc/{pid}").exists()
    again = LspProcess(tmp_path, folders=[project])
    deadline = time.monotonic() + 60
    while again.ask("codemoat/status")["folders"][0]["state"] != "ready":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    again.close()


def test_a_client_that_vanishes_takes_everything_with_it(tmp_path: Path, project: Path) -> None:
    server = LspProcess(tmp_path, folders=[project])
    while not (pid := server.ask("codemoat/status")["folders"][0]["pid"]):
        time.sleep(0.01)
    assert server.process.stdin is not None
    server.process.stdin.close()
    assert server.process.wait(10) == 1
    server.end()
    _wait_for_the_end(pid)


def test_a_killed_server_takes_its_indexing_with_it(tmp_path: Path, project: Path) -> None:
    server = LspProcess(tmp_path, folders=[project])
    while not (pid := server.ask("codemoat/status")["folders"][0]["pid"]):
        time.sleep(0.01)
    server.process.kill()
    server.end()
    _wait_for_the_end(pid)


def _wait_for_the_end(pid: int) -> None:
    """Of a process that need not be reaped: its parent is gone."""
    deadline = time.monotonic() + 60
    while _state(pid) not in ("", "Z"):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _listening(option: str) -> tuple[subprocess.Popen[bytes], int, str]:
    server = subprocess.Popen([sys.executable, "-m", "lsp", option, "0"], stdout=subprocess.PIPE, env=os.environ)
    assert server.stdout is not None
    found = json.loads(server.stdout.readline())
    return server, found["port"], found["token"]


def test_a_port_wants_the_token_first() -> None:
    server, port, token = _listening("--tcp")
    with socket.create_connection(("127.0.0.1", port)) as wrong:
        wrong.sendall(b"nonsense\n" + frame(INITIALIZE))
        assert wrong.recv(100) == b""
    with socket.create_connection(("127.0.0.1", port)) as right:
        right.sendall(token.encode() + b"\n" + frame(INITIALIZE))
        assert b'"codemoat"' in right.recv(65_536)
        right.sendall(frame({"jsonrpc": "2.0", "id": 2, "method": "shutdown"}))
        assert b'"id": 2' in right.recv(65_536)
        right.sendall(frame({"jsonrpc": "2.0", "method": "exit"}))
        assert server.wait(10) == 0
    assert server.stdout is not None
    server.stdout.close()


def test_a_web_socket_wants_the_token_in_its_address() -> None:
    from websockets.exceptions import InvalidStatus
    from websockets.sync.client import connect

    server, port, token = _listening("--ws")
    for query, headers in (("nonsense", {}), (token, {"Origin": "https://example.org"})):
        with pytest.raises(InvalidStatus, match=r"HTTP 40[13]"):
            connect(f"ws://127.0.0.1:{port}/?token={query}", additional_headers=headers)
    with connect(f"ws://127.0.0.1:{port}/?token={token}") as right:
        right.send(json.dumps(INITIALIZE))
        assert json.loads(right.recv(5))["result"]["serverInfo"]["name"] == "codemoat"
        right.send(json.dumps({"jsonrpc": "2.0", "id": 2, "method": "shutdown"}))
        right.send(json.dumps({"jsonrpc": "2.0", "method": "exit"}))
        assert server.wait(10) == 0
    assert server.stdout is not None
    server.stdout.close()


def test_input_that_is_no_protocol_ends_the_server_and_options_are_told() -> None:
    run = [sys.executable, "-m", "lsp"]
    assert subprocess.run(run, input=b"\n" * 10, timeout=60, check=False).returncode == 1
    assert subprocess.run(run, input=frame(INITIALIZE) + b"x" * 10, timeout=60, check=False).returncode == 1
    version = subprocess.run([*run, "--version"], capture_output=True, text=True, timeout=60, check=True).stdout
    assert version.startswith("codemoat-lsp ")


def test_the_log_says_what_happened_and_never_a_text(tmp_path: Path) -> None:
    log = tmp_path / "log"
    opened = {"uri": "file:///a.py", "languageId": "nothing", "version": 1, "text": "the_secret = 1"}
    session = [
        INITIALIZE,
        {"jsonrpc": "2.0", "method": "initialized", "params": {}},
        {"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": {"textDocument": opened}},
        {"jsonrpc": "2.0", "id": 2, "method": "textDocument/hover", "params": {"the_secret": 1}},
        {"jsonrpc": "2.0", "id": 3, "method": "shutdown"},
        {"jsonrpc": "2.0", "method": "exit"},
    ]
    run = [sys.executable, "-m", "lsp", "--log", str(log)]
    done = subprocess.run(run, input=b"".join(map(frame, session)), capture_output=True, timeout=60, check=True)
    assert "received textDocument/didOpen" in log.read_text()
    assert b"the_secret" not in log.read_bytes() + done.stdout + done.stderr
    run = [*run[:-1], str(tmp_path / "no" / "folder")]
    done = subprocess.run(run, input=b"".join(map(frame, session)), capture_output=True, timeout=60, check=True)
    assert b"cannot be written: No such file" in done.stderr
