"""The client's end of a connection to a host."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from assistant.errors import HostError
from assistant.llama import protocol
from assistant.llama.place import HostState
from assistant.llama.protocol import Json

_CONNECT_SECONDS = 5.0


class Wire:
    """Lines of JSON over a socket. Every method raises ConnectionError if the host is gone. One thread at a time."""

    def __init__(self, connection: socket.socket, pid: int = 0) -> None:
        self._socket = connection
        self._buffer = bytearray()
        self.pid = pid
        """Process id of the host, as it said itself."""

    def send(self, message: Mapping[str, Any]) -> None:
        """Send one line."""
        try:
            self._socket.sendall(protocol.encode(message))
        except OSError as exc:
            raise ConnectionError("the host does not listen any more") from exc

    def receive(self, seconds: float) -> Json | None:
        """The next line, or None if none came in time."""
        deadline = time.monotonic() + seconds
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            remaining = max(0.0, deadline - time.monotonic())
            if not select.select([self._socket], [], [], remaining)[0]:
                return None
            self._fill()
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
    """A connection to a host, or None if no host answers there. ``client`` names who asks, over all its connections."""
    address = state.address
    connection: socket.socket
    try:
        if address.path:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        else:
            connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        connection.settimeout(_CONNECT_SECONDS)
    except OSError:
        return None
    wire = Wire(connection)
    with suppress(OSError, HostError):  # nobody there, or somebody who speaks otherwise
        connection.connect(address.path or ("127.0.0.1", address.port))
        wire.send({"token": state.token, "client": client})
        hello = wire.receive(_CONNECT_SECONDS)
        if hello and hello.get("ok"):
            wire.pid = int(hello["pid"])
            connection.settimeout(None)
            return wire
    wire.close()
    return None
