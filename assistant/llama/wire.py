"""The client's end of a connection to a host."""

from __future__ import annotations

import secrets
import select
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assistant.errors import HostError, PromptTooLongError
from assistant.llama import door, protocol
from assistant.llama.place import HostState
from assistant.llama.protocol import Json

_CONNECT_SECONDS = 5.0


class Wire:
    """Lines of JSON over a socket. Every method raises ConnectionError if the host is gone. One thread at a time.

    No line is longer than ``protocol.LINE_LIMIT``: a longer one is not sent, and reading one ends in a HostError.
    """

    def __init__(self, connection: socket.socket, pid: int = 0) -> None:
        self._socket = connection
        self._buffer = bytearray()
        self.pid = pid
        """Process id of the host, as it said itself."""

    def send(self, message: Mapping[str, Any]) -> None:
        """Send one line. Raises PromptTooLongError, before anything is sent, if no host would read it."""
        line = protocol.encode(message)
        if len(line) > protocol.LINE_LIMIT:
            raise PromptTooLongError(
                f"A request of {len(line):,} bytes is longer than any model's context.", "Ask with less text."
            )
        try:
            self._socket.sendall(line)
        except OSError as exc:
            raise ConnectionError("the host does not listen any more") from exc

    def receive(self, seconds: float, limit: int = protocol.LINE_LIMIT) -> Json | None:
        """The next line, or None if none came in time. Raises HostError if it has more than ``limit`` bytes."""
        deadline = time.monotonic() + seconds
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > limit:
                break
            remaining = max(0.0, deadline - time.monotonic())
            if not select.select([self._socket], [], [], remaining)[0]:
                return None
            self._fill()
        if not 0 <= end <= limit:
            raise protocol.too_long(limit)
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return protocol.decode(line)

    def close(self) -> None:
        """Hang up; the host cancels what runs for this connection."""
        self._socket.close()

    def _fill(self) -> None:
        try:
            data = self._socket.recv(1 << 16)
        except OSError as exc:
            raise ConnectionError("the host is gone") from exc
        if not data:
            raise ConnectionError("the host hung up")
        self._buffer += data


def connect(state: HostState, client: str = "") -> Wire | None:
    """A connection to a host, or None if no host of this user answers there.

    ``client`` names who asks, over all its connections. Raises HostError if the host refuses, saying why.
    """
    address = state.address
    if address.path and not door.is_own_socket(Path(address.path)):
        return None
    connection: socket.socket
    try:
        if address.path:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        else:
            connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    except OSError:
        return None
    wire = Wire(connection)
    try:
        connection.settimeout(_CONNECT_SECONDS)
        connection.connect(address.path or ("127.0.0.1", address.port))
        hello = _greet(wire, state, client) if door.peer_is_user(connection) else None
        if hello is not None:
            connection.settimeout(None)
            wire.pid = hello
            return wire
    except OSError:  # nobody is there
        pass
    except HostError:
        wire.close()
        raise
    wire.close()
    return None


def _greet(wire: Wire, state: HostState, client: str) -> int | None:
    """Exchange proofs of the token; the host's process id, or None if it is not the host of ``state``."""
    nonce = secrets.token_hex(16)
    wire.send({"client": client, "nonce": nonce, "proof": protocol.proof(state.token, nonce, "client")})
    try:
        hello = wire.receive(_CONNECT_SECONDS, protocol.GREETING_LIMIT)
    except HostError:  # somebody who speaks otherwise
        return None
    if hello is None:
        return None
    if "error" in hello:
        raise protocol.error_from_json(hello["error"])
    known = hello.get("ok") is True and protocol.proves(hello.get("proof"), state.token, nonce, "host")
    return hello["pid"] if known and type(hello.get("pid")) is int else None
