"""Bytes in and out: standard input and output, or for debugging a loopback port with a token.

Read on the event loop itself, without a thread between: a thread that reads waits for the interpreter's lock three
times a message, beside threads that compute. Messages are handled in their order; a handler that is a coroutine runs
to its first wait before the next message is looked at, and so sees the documents as they were when it was sent.
"""

from __future__ import annotations

import asyncio
import hmac
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol
from urllib.parse import parse_qs, urlsplit

from lsp.hello import MOST_BYTES, length_of

if TYPE_CHECKING:
    from websockets.asyncio.server import ServerConnection

    from lsp.server import Server as LspServer

_LOOPBACK = "127.0.0.1"
_LIMIT = 1 << 20
"""Bytes of input that are held before they are read."""


class Receiver(Protocol):
    """What takes in messages."""

    def receive(self, body: bytes) -> None:
        """Take in one message."""
        ...


class PipeWriter:
    """Writes without waiting: what the client does not take yet is kept."""

    def __init__(self, transport: asyncio.WriteTransport) -> None:
        self._transport = transport

    def write(self, data: bytes) -> None:
        """Send ``data`` after all that was written before."""
        if not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        """Send what is kept and close."""
        self._transport.close()


class SocketWriter:
    """The same over a WebSocket: one message a frame."""

    def __init__(self, socket: ServerConnection) -> None:
        self._outgoing: asyncio.Queue[bytes] = asyncio.Queue()
        self._task = asyncio.ensure_future(self._send(socket))

    def write(self, data: bytes) -> None:
        """Send ``data`` after all that was written before."""
        self._outgoing.put_nowait(data)

    def close(self) -> None:
        """Stop sending."""
        self._task.cancel()

    async def _send(self, socket: ServerConnection) -> None:
        from websockets.exceptions import ConnectionClosed

        try:
            while True:
                await socket.send((await self._outgoing.get()).decode())
        except ConnectionClosed:
            return


async def open_stdio() -> tuple[asyncio.StreamReader, PipeWriter]:
    """Standard input and output as streams; what prints goes to standard error from now on."""
    loop = asyncio.get_running_loop()
    incoming, outgoing = os.fdopen(os.dup(0), "rb", 0), os.fdopen(os.dup(1), "wb", 0)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    reader = asyncio.StreamReader(_LIMIT)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), incoming)
    transport, _ = await loop.connect_write_pipe(asyncio.Protocol, outgoing)
    return reader, PipeWriter(transport)


async def read_messages(reader: asyncio.StreamReader, receiver: Receiver) -> None:
    """Hand over messages until the input ends or cannot be understood any more."""
    while True:
        body = await read_body(reader)
        if body is None:
            return
        receiver.receive(body)
        await asyncio.sleep(0)


async def read_body(reader: asyncio.StreamReader) -> bytes | None:
    """The next message's body; None at the end of the input, and for a header without end or a length beyond reason."""
    length: int | None = None
    try:
        while True:
            line = await reader.readline()
            if not line:
                return None
            if not line.strip():
                if length is not None:
                    break
                continue
            found = length_of(line)
            length = found if found is not None else length
        return await reader.readexactly(length) if length <= MOST_BYTES else None
    except (ValueError, asyncio.IncompleteReadError, ConnectionError):
        return None


async def serve_tcp(port: int, token: str, connected: Callable[[asyncio.StreamReader, PipeWriter], object]) -> int:
    """Listen on the loopback device; the first line of a connection must be the token. The port, chosen if 0."""

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line = await asyncio.wait_for(reader.readline(), 10)
        except (TimeoutError, ValueError, ConnectionError):
            line = b""
        if not hmac.compare_digest(line.strip(), token.encode()):
            writer.close()
            return
        connected(reader, PipeWriter(writer.transport))

    server = await asyncio.start_server(connection, _LOOPBACK, port, limit=_LIMIT)
    return int(server.sockets[0].getsockname()[1])


async def serve_ws(port: int, token: str, server: LspServer) -> int:
    """The same over WebSocket, a message a frame; the token is the query parameter ``token``."""
    from websockets.asyncio.server import serve
    from websockets.exceptions import ConnectionClosed

    async def connection(socket: ServerConnection) -> None:
        query = parse_qs(urlsplit(socket.request.path if socket.request else "").query)
        if not hmac.compare_digest(query.get("token", [""])[0].encode(), token.encode()):
            await socket.close(4401, "wrong token")
            return
        if server.protocol.writer is not None:
            await socket.close(4409, "one client a server")
            return
        server.protocol.set_writer(SocketWriter(socket), include_headers=False)
        try:
            async for message in socket:
                server.protocol.receive(message.encode() if isinstance(message, str) else message)
                await asyncio.sleep(0)
        except ConnectionClosed:
            pass
        server.done.set()

    listening = await serve(connection, _LOOPBACK, port, max_size=MOST_BYTES)
    return int(next(iter(listening.sockets)).getsockname()[1])
