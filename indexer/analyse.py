"""What a parse worker does: read, parse, chunk and count one file after the other, until its input ends."""

from __future__ import annotations

import os
import resource
import signal
import struct
import sys
import time
from array import array
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from indexer.analysis import Analysis, ChunkRow, Definitions, ReferenceRow, SymbolRow, Uses, Words
from indexer.body import pack
from indexer.chunk import chunk
from indexer.config import IndexConfig
from indexer.frames import BY_LINES_SHARE, Answer, Job, Setup, frame, take_frames
from indexer.languages import HEAD_BYTES, by_name, detect
from indexer.lifeline import end_with_reader
from indexer.outline import ParsedFile
from indexer.parse import ParsedRows, parse_rows
from indexer.reports import Skipped
from indexer.signature import signature
from indexer.source import buffer_source, read_source
from indexer.terms import words
from indexer.types import KINDS

_NICENESS, _BACKGROUND_NICENESS = 5, 19
_KIND_NUMBERS = {kind: number for number, kind in enumerate(KINDS)}
_MOST_LINES = 2**32 - 1


def analyse_file(
    root: Path, path: str, config: IndexConfig, problem: str | None = None, raw: bytes | None = None
) -> Analysis | Skipped:
    """Everything the index keeps of ``root/path``, or why it is left out. By lines if ``problem`` says why.

    ``raw`` stands in for the bytes on the disk: an editor's buffer.
    """
    source = read_source(root, path, config) if raw is None else buffer_source(path, raw, config)
    if isinstance(source, Skipped):
        return source
    text = source.text
    language = by_name(source.language) if source.language else detect(path, text[:HEAD_BYTES])
    parsed = ParsedRows([], [], (), ())
    if problem is None:
        parsed = parse_rows(text, language, block_bytes=2 * config.chunk_bytes)
    chunks = chunk(ParsedFile(path, language.name, outline=parsed.outline), text, config.chunk_bytes)
    return Analysis(
        path=path,
        language=language.name,
        size=source.size,
        mtime_ns=source.mtime_ns,
        ctime_ns=source.ctime_ns,
        sha256=source.sha256,
        text=text,
        chunks=chunks,
        body=pack(text, chunks, parsed.symbols, parsed.imports),
        definitions=_definitions(parsed.symbols, chunks, language.name),
        uses=_uses(parsed.references),
        words=_words(text, chunks),
        signature=signature(text),
        masked=source.masked,
        problem=problem,
    )


def exported(name: str, language: str) -> bool:
    """Whether other files are meant to use the name, by the convention of its language, as far as the name shows."""
    return name[:1].isupper() if language == "go" else not name.startswith("_")


def _definitions(symbols: Sequence[SymbolRow], chunks: Sequence[ChunkRow], language: str) -> Definitions:
    """Definitions as columns."""
    scopes: dict[str, int] = {}
    scope_numbers, chunk_numbers, starts, lines = (array("I") for _ in range(4))
    chunk_starts = [chunk.start_byte for chunk in chunks]
    for symbol in symbols:
        scope_numbers.append(scopes.setdefault(symbol.parent or "", len(scopes)))
        chunk_numbers.append(max(0, bisect_right(chunk_starts, symbol.start_byte) - 1))
        starts.append(symbol.start_line)
        lines.append(min(_MOST_LINES, max(1, symbol.end_line - symbol.start_line + 1)))
    return Definitions(
        names=[symbol.name for symbol in symbols],
        scopes=list(scopes),
        scope_numbers=_uint32(scope_numbers),
        chunk_numbers=_uint32(chunk_numbers),
        starts=_uint32(starts),
        lines=_uint32(lines),
        kinds=bytes(_KIND_NUMBERS[symbol.kind] for symbol in symbols),
        exported=bytes(exported(symbol.name, language) for symbol in symbols),
    )


def _uses(references: Sequence[ReferenceRow]) -> Uses:
    """References as columns."""
    names: dict[str, int] = {}
    scopes: dict[str, int] = {}
    name_numbers = array("I", [names.setdefault(r.name, len(names)) for r in references])
    scope_numbers = array("I", [scopes.setdefault(r.enclosing or "", len(scopes)) for r in references])
    starts, lines = array("I", [r.start_byte for r in references]), array("I", [r.line for r in references])
    return Uses(
        list(names), list(scopes), *(_uint32(column) for column in (name_numbers, starts, lines, scope_numbers))
    )


def _words(text: bytes, chunks: Sequence[ChunkRow]) -> Words:
    """Counts of the words of the chunks as columns."""
    known: defaultdict[str, int] = defaultdict()
    known.default_factory = known.__len__
    sizes, numbers, counts = (array("I") for _ in range(3))
    for row in chunks:
        counted = Counter(words(text[row.start_byte : row.end_byte]))
        sizes.append(len(counted))
        numbers.extend(map(known.__getitem__, counted))
        counts.extend(counted.values())
    return Words(list(known), *(_uint32(column) for column in (sizes, numbers, counts)))


def _uint32(column: array[int]) -> bytes:
    """Little-endian bytes of a column of unsigned ints, whatever the machine's order and int size."""
    if column.itemsize != 4 or sys.byteorder != "little":
        return struct.pack(f"<{len(column)}I", *column)
    return column.tobytes()


def main() -> None:
    """Serve jobs from standard input until it ends (the parent closed it, or is gone)."""
    import msgspec

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a crash costs one file, not a core dump of it
    source, sink, last_words = os.dup(0), os.dup(1), os.dup(2)
    end_with_reader(last_words)
    # Whatever a native library prints must neither get between the frames nor fill a pipe that nobody reads.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    encode = msgspec.msgpack.Encoder().encode
    frames = _frames(source)
    first = next(frames, None)
    if first is None:  # the parent was gone before it said anything
        os._exit(0)
    setup = msgspec.msgpack.decode(first, type=Setup)
    root, config = Path(setup.root), setup.config
    os.nice(_BACKGROUND_NICENESS if config.background else _NICENESS)
    _write_all(sink, frame(encode(Answer(None, None, time.process_time()))))
    decode_jobs = msgspec.msgpack.Decoder(list[Job]).decode
    for payload in frames:
        for job in decode_jobs(payload):
            _arm(config.parse_deadline * (BY_LINES_SHARE if job.problem else 1))
            result = analyse_file(root, job.path, config, job.problem, job.raw)
            _arm(0)
            cpu = time.process_time()
            answer = Answer(None, result, cpu) if isinstance(result, Skipped) else Answer(result, None, cpu)
            _write_all(sink, frame(encode(answer)))
    os._exit(0)  # nothing to tidy up, and the parent waits


def _frames(descriptor: int) -> Iterator[bytes]:
    """Payloads of the frames that arrive, until the writer closes its end."""
    buffer = bytearray()
    while data := os.read(descriptor, 1 << 16):
        buffer += data
        yield from take_frames(buffer)


def _arm(deadline: float) -> None:
    """Let the kernel end this process after twice ``deadline`` seconds of processor time (0: never).

    The parent is quicker; this is for a grammar that hangs while the parent cannot act: it holds the interpreter's
    lock, so that no Python code of this process would ever notice.
    """
    signal.setitimer(signal.ITIMER_PROF, 2 * deadline)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


if __name__ == "__main__":
    main()
