"""Who may connect to a port: a client with the token, from this machine, and no web page of another."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from lsp.loopback import port_of, refuse, serve_tcp, serve_ws
from tests.lsp_world import Client

TOKEN = "a-token"
PATH = f"/?token={TOKEN}"


@pytest.mark.parametrize("host", ["127.0.0.1:80", "localhost:80", "LOCALHOST:80", "[::1]:80", "127.0.0.1"])
@pytest.mark.parametrize(
    "origins", [[], ["http://localhost:3000"], ["http://127.0.0.1"], ["https://[::1]:9"], ["http://localhost/"]]
)
def test_this_machine_is_let_in(host: str, origins: list[str]) -> None:
    assert refuse([host], origins, PATH, TOKEN, 80) is None


@pytest.mark.parametrize(
    "hosts",
    [
        [],
        [""],
        ["example.org:4711"],
        ["127.0.0.1"],
        ["127.0.0.1:4712"],
        ["127.0.0.1:4711@example.org:4711"],
        ["127.0.0.1.example.org:4711"],
        ["localhost.:4711"],
        ["0.0.0.0:4711"],
        ["127.0.0.1:x"],
        ["[::1:4711"],
        ["127.0.0.1:4711/x"],
        ["127.0.0.1:4711?x"],
        ["127.0.0.1:4711", "example.org"],
        ["\u0661\u0662\u0667.0.0.1:4711"],
    ],
    ids=repr,
)
def test_another_host_is_refused(hosts: list[str]) -> None:
    """A page whose name was given the address 127.0.0.1 sends that name."""
    refused = refuse(hosts, [], PATH, TOKEN, 4711)
    assert refused is not None
    assert refused[0] == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize(
    "origins",
    [
        ["https://example.org"],
        ["null"],
        [""],
        ["file://"],
        ["http://localhost.example.org"],
        ["http://127.0.0.1.example.org"],
        ["http://127.0.0.1@example.org"],
        ["http://localhost:x"],
        ["ftp://localhost"],
        ["vscode-webview://localhost"],
        ["http://localhost/path"],
        ["http://localhost", "https://example.org"],
        ["http://localhost", "http://localhost"],
    ],
    ids=repr,
)
def test_a_page_of_another_machine_is_refused_with_the_token_too(origins: list[str]) -> None:
    refused = refuse(["127.0.0.1:4711"], origins, PATH, TOKEN, 4711)
    assert refused is not None
    assert refused[0] == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize(
    "path", ["/", "/?token=", "/?token=A-TOKEN", "/?tok=a-token", "/a-token", "/?token=%ff", "//["]
)
def test_without_the_token_nobody_is_let_in(path: str) -> None:
    refused = refuse(["127.0.0.1:4711"], [], path, TOKEN, 4711)
    assert refused is not None
    assert refused[0] == HTTPStatus.UNAUTHORIZED


def with_server(scene: Callable[[Client, int], Awaitable[None]]) -> None:
    async def run() -> None:
        client = Client()
        client.server.protocol.writer = None
        async with await serve_ws(0, TOKEN, client.server) as listening:
            await asyncio.wait_for(scene(client, port_of(listening)), 60)
        await client.server.leave()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        (TOKEN, {"Origin": "https://example.org"}, 403),
        (TOKEN, {"Origin": "null"}, 403),
        ("other", {}, 401),
        ("", {}, 401),
    ],
)
def test_a_handshake_is_refused_with_a_status(query: str, headers: dict[str, str], status: int) -> None:
    async def scene(client: Client, port: int) -> None:
        with pytest.raises(InvalidStatus) as caught:
            await connect(f"ws://127.0.0.1:{port}/?token={query}", additional_headers=headers)
        assert caught.value.response.status_code == status
        assert client.server.protocol.writer is None

    with_server(scene)


def test_another_host_is_refused_in_the_handshake() -> None:
    async def scene(client: Client, port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        lines = ["Host: attacker.example", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"]
        key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
        writer.write("\r\n".join([f"GET {PATH} HTTP/1.1", *lines, key, "", ""]).encode())
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 403 ")
        assert b"The Host header must be" in answer
        writer.close()

    with_server(scene)


def test_one_client_is_served_and_a_second_is_not() -> None:
    async def scene(client: Client, port: int) -> None:
        address = f"ws://127.0.0.1:{port}/?token={TOKEN}"
        asked: dict[str, Any] = {"jsonrpc": "2.0", "id": 1, "method": "codemoat/status"}
        async with connect(address, origin="http://localhost:3000") as first:  # type: ignore[arg-type]
            async with connect(address) as second:
                with pytest.raises(ConnectionClosed):
                    await second.recv()
                assert second.close_code == 4409
            await first.send("{")
            assert json.loads(await first.recv())["error"]["code"] == -32700
            await first.send(json.dumps(asked))
            assert json.loads(await first.recv())["error"]["code"] == -32002
        await client.server.done.wait()

    with_server(scene)


@pytest.mark.parametrize(
    "line",
    [b"", b"\n", b"a-toke\n", b"POST / HTTP/1.1\r\n\r\na-token\n", b"x" * (3 << 20), b"\xff\n"],
    ids=lambda line: repr(line[:9]),
)
def test_a_port_wants_the_token_as_the_first_line(line: bytes) -> None:
    async def run() -> None:
        connected: list[Any] = []
        listening = await serve_tcp(0, TOKEN, lambda reader, writer: connected.append(writer))
        reader, writer = await asyncio.open_connection("127.0.0.1", port_of(listening))
        writer.write(line)
        writer.write_eof()
        with suppress(ConnectionResetError):  # the server closed it with bytes unread
            assert await asyncio.wait_for(reader.read(), 60) == b""
        writer.close()
        listening.close()
        await listening.wait_closed()
        assert connected == []

    asyncio.run(run())
