"""Headers that no client should send: an error each, then the next message is read."""

from __future__ import annotations

import asyncio
import json
import os
from typing import Any

import pytest

from lsp import framing, transport
from lsp.framing import MOST_BYTES, MOST_HEADER_BYTES, SAMPLE_BYTES, Search, decode, frame, sample_of
from lsp.hello import greet
from lsp.transport import read_messages

GOOD = {"jsonrpc": "2.0", "id": 7, "method": "codemoat/status"}
BODY = json.dumps(GOOD).encode()


class Taken:
    """A receiver and writer that notes what comes."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.problems: list[str] = []
        self.samples: list[bytes] = []
        self.waits = 0

    def receive(self, body: bytes) -> None:
        self.bodies.append(body)

    def receive_fault(self, problem: str, sample: bytes) -> None:
        self.problems.append(problem)
        self.samples.append(sample)

    async def ready(self) -> None:
        self.waits += 1


def taken(*parts: bytes, first: bytes = b"") -> Taken:
    """What arrives of a stream that comes in these parts and ends."""

    async def run() -> Taken:
        reader, receiver = asyncio.StreamReader(1 << 20), Taken()
        reading = asyncio.ensure_future(read_messages(reader, receiver, receiver, first=first))  # type: ignore[arg-type]
        for part in parts:
            reader.feed_data(part)
            await asyncio.sleep(0)
        reader.feed_eof()
        await asyncio.wait_for(reading, 60)
        return receiver

    return asyncio.run(run())


BROKEN = {
    "negative": (b"Content-Length: -5\r\n\r\n" + BODY, "not a number"),
    "a word": (b"Content-Length: many\r\n\r\n" + BODY, "not a number"),
    "signed": (b"Content-Length: +5\r\n\r\n" + BODY, "not a number"),
    "a fraction": (b"Content-Length: 5.0\r\n\r\n" + BODY, "not a number"),
    "empty": (b"Content-Length:\r\n\r\n" + BODY, "not a number"),
    "ten gigabytes": (b"Content-Length: 10000000000\r\n\r\n" + BODY, "10,000,000,000 bytes is too large"),
    "beyond all numbers": (b"Content-Length: " + b"9" * 5_000 + b"\r\n\r\n" + BODY, "not a number"),
    "missing": (b"Content-Type: application/vscode-jsonrpc\r\n\r\n" + BODY, "no Content-Length"),
    "twice": (b"Content-Length: 5\r\nContent-Length: 50\r\n\r\n" + BODY, "two different values"),
    "no colon": (b"nonsense\r\n\r\n" + BODY, "no header"),
    "another charset": (
        b"Content-Length: %d\r\nContent-Type: text/json; charset=utf-16\r\n\r\n" % len(BODY) + BODY,
        "charset",
    ),
    "a line without end": (b"x" * (MOST_HEADER_BYTES + 1), "more than"),
    "lines without end": (b"X: y\r\n" * MOST_HEADER_BYTES, "more than"),
    "not text": (bytes(range(128, 256)) + b"\n", "no header"),
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("size", [1, 7, 1 << 20], ids=lambda size: f"in parts of {size}")
def test_what_follows_a_broken_header_is_read(name: str, size: int) -> None:
    broken, problem = BROKEN[name]
    if size == 1 and len(broken) > 20_000:
        size = 1_000
    stream = frame(GOOD) + broken + frame(GOOD) + frame(GOOD)
    found = taken(*(stream[at : at + size] for at in range(0, len(stream), size)))
    assert found.bodies == [BODY] * 3
    assert len(found.problems) == 1
    assert problem in found.problems[0]


@pytest.mark.parametrize(
    "header",
    [
        b"Content-Length: %d\n\n",
        b"content-length:%d\r\n\r\n",
        b"\r\n\r\nContent-Length: %d\r\n\r\n",
        b"Content-Length: %d\r\nContent-Type: x; charset=utf8\r\n\r\n",
        b'X-Other: y\r\nContent-Length: %d\r\nContent-Type: x; charset="UTF-8"\r\n\r\n',
        b"Content-Length: 00%d\r\n\r\n",
    ],
)
def test_headers_that_are_merely_odd_are_understood(header: bytes) -> None:
    found = taken(header % len(BODY) + BODY + frame(GOOD))
    assert (found.bodies, found.problems) == ([BODY] * 2, [])


def test_a_length_that_is_too_small_costs_that_message_only() -> None:
    found = taken(b"Content-Length: 9\r\n\r\n" + BODY + frame(GOOD))
    assert (found.bodies, len(found.problems)) == ([BODY[:9], BODY], 1)


def test_the_same_length_twice_is_no_fault() -> None:
    length = b"Content-Length: %d\r\n" % len(BODY)
    assert taken(length + length + b"\r\n" + BODY).bodies == [BODY]


@pytest.mark.parametrize("cut", [b"Content-Le", b"Content-Length: 9\r\n", b"Content-Length: 9\r\n\r\n{}", b"", b"\r\n"])
def test_input_that_ends_anywhere_ends_the_reading(cut: bytes) -> None:
    assert taken(frame(GOOD) + cut).bodies == [BODY]


def test_a_message_beyond_the_limit_is_skipped_in_parts_and_sampled() -> None:
    part, count = b"a" * (1 << 20), MOST_BYTES // (1 << 20) + 1
    start, end = b'{"method": "x", "text": "', b'", "uri": "file:///a"}'
    header = b"Content-Length: %d\r\n\r\n" % (len(start) + count * len(part) + len(end))
    found = taken(header + start, *[part] * count, end, frame(GOOD))
    assert found.bodies == [BODY]
    assert found.samples[0].startswith(b"\r\n" + start)
    assert found.samples[0].endswith(end)
    assert len(found.samples[0]) <= 2 * SAMPLE_BYTES + 1


def test_looking_for_a_header_keeps_no_more_than_a_sample() -> None:
    search = Search()
    for _ in range(1_000):
        assert search.feed(b"no header, " * 1_000) is None
    assert len(search._window) < 1_000
    assert len(search.sample) <= 2 * SAMPLE_BYTES + 1
    # A length beyond the limit begins no message either.
    assert search.feed(b"Content-Length: 99999999999\r\n") is None
    assert search.feed(b"Content-Length: 2\r\n\r\n{}") == (b"Content-Length: 2\r\n", b"\r\n{}")


def test_reading_waits_while_the_client_takes_nothing() -> None:
    assert taken(frame(GOOD) * 3).waits == 3


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"NaN",
        b'{"id": Infinity}',
        b'{"id": -Infinity}',
        b'{"id": 1e999}',
        b'{"id": ' + b"9" * 5_000 + b"}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"\xff\xfe{\x00}\x00",
        "{}".encode("utf-16"),
        b"\xef\xbb\xbf{}",
        b'"\xc3"',
        b'{"a": "\n"}',
        b"{} {}",
    ],
    ids=lambda body: repr(body[:12]),
)
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises((ValueError, RecursionError)):
        decode(body)


def test_json_that_is_merely_odd_is_read() -> None:
    assert decode(b'{"id": 1, "id": 2}') == {"id": 2}
    assert decode(rb'"\ud800"') == "\ud800"
    assert decode(b"1e308") == 1e308
    assert decode(b"1" * 4_000) == int("1" * 4_000)


def test_a_sample_is_the_beginning_and_the_end() -> None:
    assert sample_of(b"abc") == b"abc"
    assert sample_of(b"a" + b"x" * MOST_HEADER_BYTES * 100 + b"z").startswith(b"ax")
    assert len(sample_of(b"x" * 10**6)) == 2 * SAMPLE_BYTES + 1


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_first_message_is_left_to_the_reader(name: str) -> None:
    """What ``greet`` has read is read again, so no fault needs a second answer here."""
    stream, written = BROKEN[name][0] + frame(GOOD), []
    place = 0

    def read(count: int) -> bytes:
        nonlocal place
        place += count
        return stream[place - count : place]

    raw, answered = greet(read, written.append)
    assert (answered, written) == (None, [])
    found = taken(stream[len(raw) :], first=raw)
    assert (found.bodies, len(found.problems)) == ([BODY], 1)


def test_a_large_first_message_is_not_waited_for() -> None:
    asked: dict[str, Any] = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"capabilities": {}}}
    stream, counts = frame({**asked, "x": "y" * (2 << 20)}), []
    place = 0

    def read(count: int) -> bytes:
        nonlocal place
        counts.append(count)
        place += count
        return stream[place - count : place]

    raw, answered = greet(read, lambda _: None)
    assert answered is None
    assert raw == stream[: len(raw)]
    assert set(counts) == {1}
    assert framing.frame(GOOD).endswith(BODY)


def test_a_pipe_that_nobody_reads_holds_up_the_reading_of_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "MOST_UNSENT", 1_000)

    async def run() -> None:
        theirs, ours = os.pipe()
        made, flow = await asyncio.get_running_loop().connect_write_pipe(transport._Flow, os.fdopen(ours, "wb", 0))
        writer = transport.PipeWriter(made, flow.ready)
        await asyncio.wait_for(writer.ready(), 60)
        size = 1 << 20  # more than a pipe takes
        writer.write(b"x" * size)
        waiting = asyncio.ensure_future(writer.ready())
        await asyncio.sleep(0)
        assert not waiting.done()
        read = 0
        while read < size:
            read += len(await asyncio.to_thread(os.read, theirs, 1 << 16))
        await asyncio.wait_for(waiting, 60)
        writer.close()
        os.close(theirs)
        await asyncio.sleep(0)

    asyncio.run(run())
