"""Lines of a connection, read with a limit that may differ from one line to the next.

``asyncio.StreamReader.readline`` has one limit for a connection's life, which would have to fit the largest prompt
before anything is known of the other side.
"""

from __future__ import annotations

import asyncio

from assistant.llama import protocol

_CHUNK = 1 << 16


class Lines:
    """The lines that come from ``reader``. Holds no more than one line and a chunk."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._held = bytearray()

    async def read(self, limit: int) -> bytes | None:
        """The next line without its end, or None at the end of the stream.

        Raises HostError for a line of more than ``limit`` bytes as soon as that is certain, ConnectionError if the
        connection breaks.
        """
        searched = 0
        while (end := self._held.find(b"\n", searched)) < 0:
            searched = len(self._held)
            if searched > limit:
                break
            data = await self._reader.read(_CHUNK)
            if not data:
                return None
            self._held += data
        if not 0 <= end <= limit:
            self._held.clear()
            raise protocol.too_long(limit)
        line = bytes(self._held[:end])
        del self._held[: end + 1]
        return line
