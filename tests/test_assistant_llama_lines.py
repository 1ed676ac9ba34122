"""Lines of a connection, within a limit: the same on both of its ends."""

from __future__ import annotations

import asyncio
import socket

import pytest

from assistant.errors import HostError
from assistant.llama.lines import LineBuffer, Lines
from assistant.llama.wire import Wire


def test_lines_come_whole_however_their_bytes_come():
    buffer, found = LineBuffer(), []
    for byte in b"ab\n\ncde\nf":
        buffer.feed(bytes([byte]))
        while (line := buffer.take(3)) is not None:
            found.append(line)
    assert found == [b"ab", b"", b"cde"]
    buffer.feed(b"gh\nrest\n")
    assert buffer.take(3) == b"fgh"
    assert buffer.take(4) == b"rest"
    assert buffer.take(4) is None


@pytest.mark.parametrize("data", [b"abcd", b"abcd\n", b"abcd\nef\n"])
def test_a_line_above_the_limit_is_refused_as_soon_as_that_is_certain_and_for_good(data):
    buffer = LineBuffer()
    buffer.feed(b"abc")
    assert buffer.take(3) is None
    buffer.feed(data[3:])
    for _ in range(2):
        with pytest.raises(HostError, match="more than 3 bytes"):
            buffer.take(3)
        buffer.feed(b"x\n")  # the end of the long line is no line of its own


def test_both_ends_refuse_the_same_line():
    async def read(data: bytes) -> bytes | None:
        reader = asyncio.StreamReader()
        reader.feed_data(data)
        reader.feed_eof()
        return await Lines(reader).read(20)

    def receive(data: bytes) -> object:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            theirs.sendall(data)
            return Wire(ours).receive(10, 20)

    fits, long = b'{"id": "0123456789"}\n', b'{"id": "0123456789x"}\n'
    assert asyncio.run(read(fits)) == fits[:-1]
    assert receive(fits) == {"id": "0123456789"}
    with pytest.raises(HostError, match="more than 20 bytes"):
        asyncio.run(read(long))
    with pytest.raises(HostError, match="more than 20 bytes"):
        receive(long)
