"""What a parse worker and its parent say to each other.

A frame is a 4-byte little-endian length and that many bytes of MessagePack, which is several times faster than pickle
here and, unlike it, runs no code of a worker that went wrong.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from indexer.analysis import Analysis
from indexer.config import IndexConfig
from indexer.reports import Skipped

_LENGTH = struct.Struct("<I")
BY_LINES_SHARE = 6
"""So many deadlines has a file that is taken by lines after its grammar failed."""


class Setup(NamedTuple):
    """First frame to a worker: the indexed folder and the settings, without the folder of the index.

    ``root`` is in bytes: a folder's name need not be UTF-8.
    """

    root: bytes
    config: IndexConfig


class Job(NamedTuple):
    """A file to analyse; with ``problem``, by lines and with that remark; with ``raw``, as if it held these bytes."""

    path: str
    problem: str | None
    raw: bytes | None = None


class Answer(NamedTuple):
    """A worker's frame for one job, in order; the first frame of all has neither and means "ready".

    ``cpu`` is the processor time of the worker so far, in seconds.
    """

    analysis: Analysis | None
    skipped: Skipped | None
    cpu: float


def frame(payload: bytes) -> bytes:
    """``payload`` with its length in front."""
    return _LENGTH.pack(len(payload)) + payload


def take_frames(buffer: bytearray) -> list[bytes]:
    """Remove all complete frames from the front of ``buffer`` and return their payloads."""
    payloads, position = [], 0
    while position + _LENGTH.size <= len(buffer):
        (length,) = _LENGTH.unpack_from(buffer, position)
        end = position + _LENGTH.size + length
        if end > len(buffer):
            break
        payloads.append(bytes(buffer[position + _LENGTH.size : end]))
        position = end
    del buffer[:position]
    return payloads
