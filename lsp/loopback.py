"""The server on a loopback port, for debugging: TCP, or WebSocket for clients in a browser.

Any program of this machine can connect to a port, and so can any web page that its user opens. So a connection needs
a token that only the server's standard output tells; a WebSocket handshake must also name this machine as its
``Host`` (a page can give its own name the address 127.0.0.1: DNS rebinding) and come from no page of another machine
(``Origin``).
"""

from __future__ import annotations

import asyncio
import hmac
from asyncio import AbstractServer
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from lsp.framing import MOST_BYTES
from lsp.transport import LIMIT, PipeWriter

if TYPE_CHECKING:
    from websockets.asyncio.server import Server, ServerConnection
    from websockets.http11 import Request, Response

    from lsp.server import Server as LspServer

_LOOPBACK = "127.0.0.1"
_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
_HANDSHAKE_SECONDS = 10
_CLOSE_SECONDS = 1
_MOST_UNSENT = 1_000
"""Messages that the client has not taken, beyond which none of it is read."""


class SocketWriter:
    """Writes to a WebSocket without waiting: one message a frame."""

    def __init__(self, socket: ServerConnection) -> None:
        self._outgoing: asyncio.Queue[bytes] = asyncio.Queue()
        self._task = asyncio.ensure_future(self._send(socket))
        self._sent = asyncio.Event()

    def write(self, data: bytes) -> None:
        """Send ``data`` after all that was written before."""
        self._outgoing.put_nowait(data)

    async def ready(self) -> None:
        """Wait while too much is kept."""
        while self._outgoing.qsize() > _MOST_UNSENT and not self._task.done():
            self._sent.clear()
            await self._sent.wait()

    def close(self) -> None:
        """Stop sending."""
        self._task.cancel()

    async def _send(self, socket: ServerConnection) -> None:
        from websockets.exceptions import ConnectionClosed

        try:
            while True:
                await socket.send((await self._outgoing.get()).decode())
                self._sent.set()
        except ConnectionClosed:
            return
        finally:
            self._sent.set()


async def serve_tcp(
    port: int, token: str, connected: Callable[[asyncio.StreamReader, PipeWriter], object]
) -> AbstractServer:
    """Listen on the loopback device; the first line of a connection must be the token. Port 0 chooses one.

    Raises OSError if the port cannot be had.
    """

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line = await asyncio.wait_for(reader.readline(), _HANDSHAKE_SECONDS)
        except (TimeoutError, ValueError, ConnectionError):
            line = b""
        if not hmac.compare_digest(line.strip(), token.encode()):
            writer.close()
            return
        connected(reader, PipeWriter(writer.transport, writer.drain))

    return await asyncio.start_server(connection, _LOOPBACK, port, limit=LIMIT)


async def serve_ws(port: int, token: str, server: LspServer) -> Server:
    """The same over WebSocket, a message a frame; the token is the query parameter ``token``. Raises OSError."""
    from websockets.asyncio.server import serve
    from websockets.exceptions import ConnectionClosed

    async def connection(socket: ServerConnection) -> None:
        if server.protocol.writer is not None:
            await socket.close(4409, "one client a server")
            return
        writer = SocketWriter(socket)
        server.protocol.set_writer(writer, include_headers=False)
        try:
            async for message in socket:
                server.protocol.receive(message.encode() if isinstance(message, str) else message)
                await writer.ready()
                await asyncio.sleep(0)
        except ConnectionClosed:
            pass
        server.done.set()

    def greet(socket: ServerConnection, request: Request) -> Response | None:
        port = int(socket.local_address[1])
        refused = refuse(request.headers.get_all("Host"), request.headers.get_all("Origin"), request.path, token, port)
        return socket.respond(*refused) if refused is not None else None

    return await serve(
        connection,
        _LOOPBACK,
        port,
        max_size=MOST_BYTES,
        process_request=greet,
        open_timeout=_HANDSHAKE_SECONDS,
        close_timeout=_CLOSE_SECONDS,
    )


def port_of(server: AbstractServer | Server) -> int:
    """The port that a server listens on."""
    return int(next(iter(server.sockets)).getsockname()[1])  # type: ignore[union-attr]


def refuse(hosts: list[str], origins: list[str], path: str, token: str, port: int) -> tuple[HTTPStatus, str] | None:
    """Why a handshake with these headers is refused, as a status and a sentence; None if it is not."""
    if len(hosts) != 1 or not _is_loopback(f"//{hosts[0]}", port):
        return HTTPStatus.FORBIDDEN, f"The Host header must be 127.0.0.1:{port} or localhost:{port}.\n"
    if len(origins) > 1 or any(not _is_loopback(origin) for origin in origins):
        return HTTPStatus.FORBIDDEN, "Web pages of other machines may not connect: see the Origin header.\n"
    given = parse_qs(path.partition("?")[2]).get("token", [""])[0]
    if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), token.encode()):
        return HTTPStatus.UNAUTHORIZED, "The query parameter token must be the one that the server printed.\n"
    return None


def _is_loopback(address: str, port: int | None = None) -> bool:
    """Whether an address names this machine, and ``port`` if one is given."""
    try:
        parts = urlsplit(address)
        named = parts.port
    except ValueError:
        return False
    rest = parts.path.removesuffix("/") + parts.query + parts.fragment
    if rest or parts.username is not None or parts.scheme not in ("", "http", "https"):
        return False
    # A browser leaves out the port 80.
    return parts.hostname in _NAMES and (port is None or (named or 80) == port)
