"""The process that judges candidates (``syntax``): it may hang in a grammar, and is killed then.

``main`` is run by ``syntax_process``. It reads ``Question`` frames from standard input until
that ends, and writes a ``Reply`` frame for each, in order.
"""

from __future__ import annotations

import os
import resource
import signal
from typing import NamedTuple

from indexer.frames import frame, take_frames
from indexer.lifeline import end_with_reader
from indexer.syntax import Candidate, Judge, Verdict, load

HANGING = 1.0
"""Seconds of processor time for one question after which the kernel ends the process: a grammar hangs."""


class Question(NamedTuple):
    """See ``Judge.first_fit``; ``number`` tells which question a reply is for."""

    number: int
    before: bytes
    after: bytes
    language: str
    candidates: list[Candidate]
    seconds: float


class Reply(NamedTuple):
    """The verdict on question ``number``."""

    number: int
    verdict: Verdict


def main() -> None:
    """Answer questions until standard input ends: the parent closed it, or is gone."""
    import msgspec

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold what somebody is editing
    source, sink, lifeline = os.dup(0), os.dup(1), os.dup(2)
    end_with_reader(lifeline)
    # Whatever a native library prints must neither get between the frames nor fill a pipe that nobody reads.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    decode = msgspec.msgpack.Decoder(Question).decode
    encode = msgspec.msgpack.Encoder().encode
    judge = Judge()
    buffer = bytearray()
    while data := os.read(source, 1 << 16):
        buffer += data
        for payload in take_frames(buffer):
            asked = decode(payload)
            load(asked.language)
            signal.setitimer(signal.ITIMER_PROF, HANGING)
            verdict = judge.first_fit(asked.before, asked.after, asked.language, asked.candidates, asked.seconds)
            signal.setitimer(signal.ITIMER_PROF, 0)
            view = memoryview(frame(encode(Reply(asked.number, verdict))))
            while view:
                view = view[os.write(sink, view) :]
    os._exit(0)  # nothing to tidy up, and the parent waits
