"""Lines of a connection, read with a limit that may differ from one line to the next.

``asyncio.StreamReader.readline`` has one limit for a connection's life, which would have to fit the largest prompt
before anything is known of the other side.
"""

from __future__ import annotations

import asyncio

from assistant.llama import protocol

CHUNK_BYTES = 1 << 16
"""Most that is read from a connection at a time."""


class LineBuffer:
    """Bytes of a connection → its lines. Holds no more than one line and what was fed last."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._searched = 0
        """How many of the bytes held have no line end."""
        self._broken = False

    def feed(self, data: bytes) -> None:
        """Add bytes that arrived."""
        self._held += data

    def take(self, limit: int) -> bytes | None:
        """The next line without its end; None while it is not complete.

        Raises HostError for a line of more than ``limit`` bytes as soon as that is certain, and from then on: where
        the next line starts is not known.
        """
        end = self._held.find(b"\n", self._searched)
        if self._broken or (len(self._held) if end < 0 else end) > limit:
            self._held.clear()
            self._broken = True
            raise protocol.too_long(limit)
        if end < 0:
            self._searched = len(self._held)
            return None
        line = bytes(self._held[:end])
        del self._held[: end + 1]
        self._searched = 0
        return line


class Lines:
    """The lines that come from ``reader``."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._buffer = LineBuffer()

    async def read(self, limit: int) -> bytes | None:
        """The next line without its end, or None at the end of the stream.

        Raises HostError for a line of more than ``limit`` bytes, ConnectionError if the connection breaks.
        """
        while (line := self._buffer.take(limit)) is None:
            data = await self._reader.read(CHUNK_BYTES)
            if not data:
                return None
            self._buffer.feed(data)
        return line
