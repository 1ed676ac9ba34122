"""The server's life and manners: before, between and after; malformed, unknown and cancelled messages."""

from __future__ import annotations

import asyncio
import json
from hashlib import sha256

import pytest
from lsprotocol import converters, types

from lsp.framing import frame
from lsp.hello import greet, initialize_result
from tests.lsp_world import Client, PatientLLM, edit, inline_params, play

URI = "file:///nowhere/a.py"


def test_nothing_is_answered_before_initialize_nor_after_shutdown():
    async def scene(client: Client) -> None:
        assert (await client.error("codemoat/status"))["code"] == types.ErrorCodes.ServerNotInitialized
        await client.initialize()
        assert (await client.error("initialize", {"capabilities": {}, "processId": None, "rootUri": None}))["code"] == (
            types.ErrorCodes.InvalidRequest
        )
        await client.request("shutdown")
        assert (await client.error("codemoat/status"))["code"] == types.ErrorCodes.InvalidRequest
        client.notify("exit")
        await asyncio.wait_for(client.server.done.wait(), 5)
        assert client.server.exit_code == 0

    play(scene)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"{", types.ErrorCodes.ParseError),
        (b"[]", types.ErrorCodes.InvalidRequest),
        (b'{"jsonrpc": "1.0", "id": 1, "method": "shutdown"}', types.ErrorCodes.InvalidRequest),
        (b'{"jsonrpc": "2.0", "id": [], "method": "shutdown"}', types.ErrorCodes.InvalidRequest),
        (b'{"jsonrpc": "2.0", "id": 7, "method": "textDocument/hover", "params": {}}', types.ErrorCodes.InvalidParams),
        (b'{"jsonrpc": "2.0", "id": 7, "method": "no/such"}', types.ErrorCodes.MethodNotFound),
        (b'{"jsonrpc": "2.0", "id": 7, "method": "codemoat/why", "params": 3}', types.ErrorCodes.InvalidParams),
        (b"\xff\xfe", types.ErrorCodes.ParseError),
        (b"[" * 100_000, types.ErrorCodes.ParseError),
    ],
)
def test_what_cannot_be_understood_is_answered_with_an_error(message, code):
    async def scene(client: Client) -> None:
        await client.initialize()
        client.server.protocol.receive(message)
        error = (await client.until(lambda: [m for m in client.sent if "error" in m]))[0]
        assert error["error"]["code"] == code
        assert (await client.request("codemoat/status"))["documents"] == 0

    play(scene)


def test_strange_notifications_change_nothing():
    async def scene(client: Client) -> None:
        await client.initialize()
        client.change(URI, 2, edit((0, 0), (0, 0), "x"))
        client.notify("textDocument/didClose", {"textDocument": {"uri": URI}})
        client.notify("textDocument/didOpen", {"textDocument": {"uri": 3}})
        client.notify("$/cancelRequest", {"id": "no such"})
        client.notify("$/cancelRequest", {})
        client.notify("codemoat/didMoveCursor", {"position": None})
        client.notify("codemoat/didShow", {"id": "99"})
        client.receive({"id": "no such", "result": 1})
        client.receive({"id": "no such", "error": {"code": 1, "message": "?"}})
        assert await client.request("codemoat/document", {"textDocument": {"uri": URI}}) is None

    play(scene)


def test_the_first_answer_is_what_the_library_can_read():
    params = {"capabilities": {"general": {"positionEncodings": ["utf-16", "utf-8"]}}}
    result = converters.get_converter().structure(initialize_result(params), types.InitializeResult)
    assert result.capabilities.position_encoding == "utf-8"
    assert result.capabilities.inline_completion_provider is True
    assert result.capabilities.completion_provider is None
    assert initialize_result({"capabilities": {}})["capabilities"]["positionEncoding"] == "utf-16"
    popup = initialize_result({"initializationOptions": {"editor": {"popup": True}}})["capabilities"]
    assert popup["completionProvider"]["triggerCharacters"]


def test_the_first_message_is_read_to_its_end_and_no_further():
    asked = {"jsonrpc": "2.0", "id": "a", "method": "initialize", "params": {"capabilities": {}}}
    data, written = memoryview(frame(asked) + b"Content-Length: 9"), []
    place = 0

    def read(count: int) -> bytes:
        nonlocal place
        place += count
        return bytes(data[place - count : place])

    raw, body = greet(read, written.append)
    assert body is not None
    assert (json.loads(body), raw, place) == (asked, frame(asked), len(frame(asked)))
    assert json.loads(written[0].partition(b"\r\n\r\n")[2])["id"] == "a"
    assert greet(lambda _: b"", written.append) == (b"", None)


def test_a_cancelled_request_is_answered_as_cancelled():
    async def scene(client: Client) -> None:
        await client.initialize()
        client.open(URI, "x = ")
        asked = client.ask("textDocument/inlineCompletion", inline_params(URI, 0, 4), "c")
        await client.settle()
        client.notify("$/cancelRequest", {"id": "c"})
        assert (await asyncio.wait_for(asked, 60))["error"]["code"] == types.LSPErrorCodes.RequestCancelled

    play(scene, PatientLLM(["1"]))


def test_the_digest_is_of_the_clients_text():
    async def scene(client: Client) -> None:
        await client.initialize()
        client.open(URI, "a\x0cb\nsecond 🦀\n")
        client.change(URI, 2, edit((1, 7), (1, 9), "crab"), edit((0, 0), (0, 1), ""))
        found = await client.request("codemoat/document", {"textDocument": {"uri": URI}})
        text = "\x0cb\nsecond crab\n"
        assert found == {
            "version": 2,
            "lines": 3,
            "characters": len(text),
            "sha256": sha256(text.encode()).hexdigest(),
        }

    play(scene)


def test_a_request_sees_the_text_as_it_was_when_it_was_sent():
    async def scene(client: Client) -> None:
        await client.initialize()
        client.open(URI, "x = ")
        asked = client.ask("textDocument/inlineCompletion", inline_params(URI, 0, 4, invoked=True))
        await client.settle()
        client.change(URI, 2, edit((0, 0), (0, 4), ""))
        await asyncio.wait_for(asked, 60)
        assert (await client.why())["version"] == 1

    play(scene, PatientLLM(["1"]))


def test_a_first_message_that_has_its_answer_is_not_answered_again():
    async def scene(client: Client) -> None:
        asked = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"capabilities": 3}}
        client.server.protocol.receive_answered(json.dumps(asked).encode())
        assert client.sent == []
        assert (await client.request("codemoat/status"))["documents"] == 0

    play(scene)
