"""Bytes in and out over standard input and output, or any other stream; see ``lsp.loopback`` for ports.

Read on the event loop itself, without a thread between: a thread that reads waits for the interpreter's lock three
times a message, beside threads that compute. Messages are handled in their order; a handler that is a coroutine runs
to its first wait before the next message is looked at, and so sees the documents as they were when it was sent.

A message whose header cannot be read is answered with an error and skipped up to the next header that can be.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Protocol

from lsp.framing import MOST_HEADER_BYTES, Header, HeaderError, Search

LIMIT = 1 << 20
"""Bytes of input that are held before they are read."""
MOST_UNSENT = 16 << 20
"""Bytes of output that the client has not taken, beyond which no message of it is read."""
_PART = 1 << 16


class Receiver(Protocol):
    """What takes in messages."""

    def receive(self, body: bytes) -> None:
        """Take in one message."""
        ...

    def receive_fault(self, problem: str, sample: bytes) -> None:
        """Take note of a message that could not be read; ``sample``: some of what was skipped."""
        ...


class PipeWriter:
    """Writes without waiting: what the client does not take yet is kept."""

    def __init__(self, transport: asyncio.WriteTransport, ready: Callable[[], Awaitable[None]] | None = None) -> None:
        """``ready`` waits until no more than ``MOST_UNSENT`` bytes are kept."""
        self._transport = transport
        self._ready = ready
        transport.set_write_buffer_limits(high=MOST_UNSENT)

    def write(self, data: bytes) -> None:
        """Send ``data`` after all that was written before."""
        if not self._transport.is_closing():
            self._transport.write(data)

    async def ready(self) -> None:
        """Wait while too much is kept."""
        if self._ready is not None:
            await self._ready()

    def close(self) -> None:
        """Send what is kept and close."""
        self._transport.close()


class _Flow(asyncio.Protocol):
    """Notes when a pipe is full."""

    def __init__(self) -> None:
        self._free = asyncio.Event()
        self._free.set()

    def pause_writing(self) -> None:
        self._free.clear()

    def resume_writing(self) -> None:
        self._free.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._free.set()

    async def ready(self) -> None:
        await self._free.wait()


class Incoming:
    """A stream as messages. ``first``: bytes of it that were read already."""

    def __init__(self, reader: asyncio.StreamReader, first: bytes = b"") -> None:
        self._reader = reader
        self._kept = first
        self._header: Header | None = None
        """The header that a search found the beginning of."""

    async def body(self) -> bytes | Search | None:
        """The next message's body; a Search that is over where one had to be skipped, None at the end of the input.

        ``Search.problem`` says what was wrong.
        """
        header, self._header = self._header or Header(), None
        try:
            while True:
                line = await self._line()
                if not line:
                    return None
                if header.take(line):
                    break
        except HeaderError as exc:
            self._kept = exc.rest + self._kept
            return await self._search(str(exc))
        assert header.length is not None
        return await self._exactly(header.length)

    async def _search(self, problem: str) -> Search:
        """Skip what cannot be read, up to the next header's length or the end of the input."""
        search = Search(problem)
        data = self._kept
        self._kept = b""
        while True:
            found = search.feed(data)
            if found is not None:
                self._header = Header()
                self._header.take(found[0])
                self._kept = found[1]
                return search
            data = await self._reader.read(_PART)
            if not data:
                return search

    async def _line(self) -> bytes:
        """The next line, or the beginning of one that is too long for a header; empty at the end of the input."""
        while (at := self._kept.find(b"\n")) < 0 and len(self._kept) <= MOST_HEADER_BYTES:
            data = await self._reader.read(_PART)
            if not data:
                return b""
            self._kept += data
        end = at + 1 or len(self._kept)
        line, self._kept = self._kept[:end], self._kept[end:]
        return line

    async def _exactly(self, count: int) -> bytes | None:
        body, self._kept = self._kept[:count], self._kept[count:]
        if len(body) < count:
            try:
                body += await self._reader.readexactly(count - len(body))
            except asyncio.IncompleteReadError:
                return None
        return body


async def open_stdio() -> tuple[asyncio.StreamReader, PipeWriter]:
    """Standard input and output as streams; what prints goes to standard error from now on."""
    loop = asyncio.get_running_loop()
    incoming, outgoing = os.fdopen(os.dup(0), "rb", 0), os.fdopen(os.dup(1), "wb", 0)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    reader = asyncio.StreamReader(LIMIT)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), incoming)
    transport, flow = await loop.connect_write_pipe(_Flow, outgoing)
    return reader, PipeWriter(transport, flow.ready)


async def read_messages(
    reader: asyncio.StreamReader, receiver: Receiver, writer: PipeWriter, *, first: bytes = b""
) -> None:
    """Hand over messages until the input ends. ``first``: bytes of the input that were read already."""
    incoming = Incoming(reader, first)
    try:
        while (found := await incoming.body()) is not None:
            if isinstance(found, Search):
                receiver.receive_fault(found.problem, found.sample)
            else:
                receiver.receive(found)
            await writer.ready()
            await asyncio.sleep(0)
    except ConnectionError:
        return
