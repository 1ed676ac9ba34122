"""How messages are cut out of a stream of bytes, and how the next one is found after one that cannot be read.

Standard library only: the first message is read before anything else is imported.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any, NoReturn

MOST_BYTES = 64 * 1024 * 1024
"""Of one message. VS Code sends no document of more than 50 MB."""
MOST_HEADER_BYTES = 16 * 1024
SAMPLE_BYTES = 64 * 1024
"""Of the beginning and of the end of a message that was skipped: where its method and its document are named."""
_LENGTH = re.compile(rb"content-length[ \t]*:[ \t]*(\d{1,12})[ \t]*\r?\n", re.IGNORECASE)
_LONGEST_LENGTH_LINE = 128
_FIELD = re.compile(rb"[\w-]+\s*")
_CHARSET = re.compile(r"charset\s*=\s*\"?([\w.-]+)", re.IGNORECASE)


class HeaderError(ValueError):
    """A header that does not say how long its message is; the message is one sentence.

    ``rest``: what was read and may have the beginning of the next header in it.
    """

    def __init__(self, message: str, rest: bytes = b"") -> None:
        super().__init__(message)
        self.rest = rest


class Header:
    """The header of one message, line by line."""

    def __init__(self) -> None:
        self.length: int | None = None
        """Bytes of the body, once its line was read."""
        self._bytes = 0

    def take(self, line: bytes) -> bool:
        r"""Read a line that ends with ``\n`` or ``\r\n``; whether the header ends here. Raises HeaderError."""
        self._bytes += len(line)
        if self._bytes > MOST_HEADER_BYTES:
            raise HeaderError(f"A header has more than {MOST_HEADER_BYTES:,} bytes.", line)
        stripped = line.strip()
        if not stripped:
            if self.length is None and self._bytes > len(line):
                raise HeaderError("A header has no Content-Length.")
            # Line breaks between messages are no header.
            self._bytes = 0 if self.length is None else self._bytes
            return self.length is not None
        name, colon, value = stripped.partition(b":")
        if not colon or not _FIELD.fullmatch(name):
            raise HeaderError("A line between two messages is no header.", line)
        field = name.strip().lower()
        if field == b"content-length":
            self._take_length(value.strip())
        elif field == b"content-type":
            found = _CHARSET.search(value.decode("latin-1"))
            if found and found[1].lower() not in ("utf-8", "utf8"):
                raise HeaderError("The charset in a Content-Type is not utf-8.")
        return False

    def _take_length(self, value: bytes) -> None:
        if not re.fullmatch(rb"\d{1,20}", value):
            raise HeaderError("A Content-Length is not a number of bytes.")
        length = int(value)
        if self.length not in (None, length):
            raise HeaderError("A header has two different values of Content-Length.")
        if length > MOST_BYTES:
            raise HeaderError(f"A message of {length:,} bytes is too large: the limit is {MOST_BYTES:,}.")
        self.length = length


class Search:
    """Finds the next header that can be read, and keeps a sample of what was skipped before it.

    JSON has no raw line break within a string, so a ``Content-Length`` line is never part of a message's text.
    """

    def __init__(self, problem: str = "") -> None:
        self.problem = problem
        """What was wrong, one sentence."""
        self._window = b""
        self._head = bytearray()
        self._tail = b""

    def feed(self, data: bytes) -> tuple[bytes, bytes] | None:
        """Look through more bytes. The length line that was found and what comes after it, None if there was none."""
        self._window += data
        for found in _LENGTH.finditer(self._window):
            if int(found[1]) <= MOST_BYTES:
                self._skip(self._window[: found.start()])
                return found[0], self._window[found.end() :]
        self._skip(self._window[:-_LONGEST_LENGTH_LINE])
        self._window = self._window[-_LONGEST_LENGTH_LINE:]
        return None

    @property
    def sample(self) -> bytes:
        """The beginning and the end of what was skipped."""
        return bytes(self._head) + b"\n" + self._tail

    def _skip(self, data: bytes) -> None:
        self._head += data[: SAMPLE_BYTES - len(self._head)]
        self._tail = (self._tail + data)[-SAMPLE_BYTES:]


def frame(message: Mapping[str, Any]) -> bytes:
    """A message with its header."""
    body = json.dumps(message).encode()
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


def decode(body: bytes) -> Any:
    """The values of a message in UTF-8. Raises ValueError or RecursionError if it is no JSON.

    Of a name that stands twice in an object the last value counts, as in ``JSON.parse``. Lone surrogates are let
    through: an editor's text may hold them.
    """
    return _DECODER.decode(body.decode("utf-8", "surrogatepass"))


def sample_of(body: bytes) -> bytes:
    """The beginning and the end of a message."""
    return body if len(body) <= 2 * SAMPLE_BYTES else body[:SAMPLE_BYTES] + b"\n" + body[-SAMPLE_BYTES:]


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError("a number is out of range")
    return value


_DECODER = json.JSONDecoder(parse_constant=_constant, parse_float=_finite)
