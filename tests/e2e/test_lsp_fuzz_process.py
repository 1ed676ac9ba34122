"""The fuzz of tests/test_lsp_fuzz.py against a real process, with broken frames between the messages.

CODEMOAT_FUZZ_MESSAGES sets how many (2,000 without).
"""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from benchmarks.lsp_client import LspProcess
from tests.lsp_fuzzer import Fuzzer

pytestmark = pytest.mark.e2e
MESSAGES = int(os.environ.get("CODEMOAT_FUZZ_MESSAGES", "2000"))
NOISE = [
    b"\r\n",
    b"nonsense\r\n\r\n",
    b"Content-Length: x\r\n\r\n",
    b"content-length: 2\r\nX: y\r\n\r\n{}",
    b"\xff\xfe\r\n",
]


class Pipe:
    """A sender into a process."""

    def __init__(self, server: LspProcess) -> None:
        self.server = server

    def receive(self, message: dict[str, Any]) -> None:
        self.server.send(message)

    def receive_bytes(self, body: bytes) -> None:
        self.server.send_bytes(body)


def test_a_process_survives_and_holds_the_clients_text(tmp_path: Path) -> None:
    server = LspProcess(tmp_path, options={"model.name": str(tmp_path / "absent.gguf")})
    assert server.process.stdin is not None
    fuzzer = Fuzzer(Pipe(server), seed=20261126)
    for number in range(MESSAGES):
        fuzzer.step()
        if number % 50 == 0:
            server.process.stdin.write(fuzzer.rng.choice(NOISE))
        if number % 200 == 199 or number == MESSAGES - 1:
            for uri, text in fuzzer.mirror.texts.items():
                server._number = max(server._number, fuzzer.number) + 1_000_000
                found = server.ask("codemoat/document", {"textDocument": {"uri": uri}})
                if uri in fuzzer.mirror.lost:
                    assert found is None, uri
                    continue
                assert found["sha256"] == sha256(text.encode("utf-8", "surrogatepass")).hexdigest(), uri
                assert found["version"] == fuzzer.mirror.versions[uri]
    assert server.close() < 3.0
    assert server.process.returncode == 0
