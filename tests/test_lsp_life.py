"""How the server's process ends: a port that is taken, and errors that are not the port's or the client's."""

from __future__ import annotations

import argparse
import asyncio
import socket
import subprocess
import sys
from typing import Any

import pytest

from lsp import __main__ as program
from lsp import loopback, transport
from lsp.server import Server
from lsp.transport import LIMIT

pytestmark = pytest.mark.slow

BROKEN = """
import sys
import lsp.server
from lsp.__main__ import main

class Broken(lsp.server.Server):
    def __init__(self):
        super().__init__()
        self.done.set()

    async def leave(self, *_):
        raise OSError(28, "the contents")

lsp.server.Server = Broken
sys.exit(main([sys.argv[1], "0"]))
"""


class Writer:
    def write(self, data: bytes) -> None: ...

    async def ready(self) -> None: ...

    def close(self) -> None: ...


@pytest.mark.parametrize("option", ["--tcp", "--ws"])
def test_a_port_that_is_taken_is_said_with_what_to_do(option: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        run = [sys.executable, "-m", "lsp", option, str(port)]
        done = subprocess.run(run, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        f"codemoat-lsp: Port {port} is not available: Address already in use. "
        f"Use {option} 0 to let the system choose a port.\n"
    )


@pytest.mark.parametrize("option", ["--tcp", "--ws"])
def test_a_later_error_is_not_taken_for_one_of_the_port(option: str) -> None:
    run = [sys.executable, "-c", BROKEN, option]
    done = subprocess.run(run, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert "Port" not in done.stderr
    assert done.stderr.endswith("OSError\n")
    assert "the contents" not in done.stderr


def test_an_error_that_ends_the_reading_is_not_taken_for_a_client_that_left(monkeypatch: pytest.MonkeyPatch) -> None:
    async def open_broken() -> tuple[asyncio.StreamReader, Any]:
        reader = asyncio.StreamReader(LIMIT)
        reader.set_exception(RuntimeError("broken"))
        return reader, Writer()

    async def serve() -> str:
        return await program.serve_stdio(Server(), b"", None)

    monkeypatch.setattr(transport, "open_stdio", open_broken)
    with pytest.raises(RuntimeError, match="broken"):
        asyncio.run(serve())


def test_an_error_that_ends_the_reading_from_a_port_is_raised_too(monkeypatch: pytest.MonkeyPatch) -> None:
    serve_tcp, listening = loopback.serve_tcp, list[asyncio.AbstractServer]()

    async def serve_broken(port: int, token: str, connected: Any) -> Any:
        reader = asyncio.StreamReader(LIMIT)
        reader.set_exception(RuntimeError("broken"))
        connected(reader, Writer())
        listening.append(await serve_tcp(port, token, connected))
        return listening[0]

    async def serve() -> None:
        try:
            await program._listen(Server(), argparse.Namespace(tcp=0, ws=None))
        finally:
            listening[0].close()

    monkeypatch.setattr(loopback, "serve_tcp", serve_broken)
    with pytest.raises(RuntimeError, match="broken"):
        asyncio.run(serve())
