"""``codemoat-lsp``: the language server over standard input and output, or for debugging over a loopback port.

Exit status: 0 after ``shutdown`` and ``exit``; 1 if the input ended without them, or a port cannot be had; 2 for wrong
arguments; 130 after Ctrl-C. Every status but 0 comes with a sentence on standard error.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lsp.hello import greet, own_version, write_all

if TYPE_CHECKING:
    from lsp.server import Server

_SWITCH = 0.0005
"""Seconds after which a computing thread gives way to the event loop; Python's own 5 ms are felt while typing."""
_INTERRUPTED = 130
_TURNS = 10
"""Turns of the event loop in which the answer to a ``shutdown`` right before the end of the input is sent."""


def main(arguments: list[str] | None = None) -> int:
    """Run the server until the client leaves; the exit status as above."""
    parser = argparse.ArgumentParser(
        prog="codemoat-lsp", description="The language server of codemoat; editors start it."
    )
    parser.add_argument("--version", action="version", version=f"codemoat-lsp {own_version()}")
    # Some editors say it although it is the only way.
    parser.add_argument("--stdio", action="store_true", help="standard input and output: the default")
    parser.add_argument("--log", type=Path, metavar="FILE", help="write what happens to FILE; never texts or prompts")
    port = parser.add_mutually_exclusive_group()
    port.add_argument("--tcp", type=_port, metavar="PORT", help="for debugging: listen on 127.0.0.1; 0 chooses a port")
    port.add_argument("--ws", type=_port, metavar="PORT", help="the same over WebSocket")
    chosen = parser.parse_args(arguments)
    sys.setswitchinterval(_SWITCH)
    try:
        first, answered = b"", None
        if chosen.tcp is None and chosen.ws is None:
            # Before anything heavy is imported: whoever waits for the editor to start waits for this answer.
            try:
                first, answered = greet(lambda count: os.read(0, count), lambda data: write_all(1, data))
            except OSError as exc:
                return _tell(f"Standard input and output cannot be used: {exc.strerror}.")
            if not first:
                return _tell("The input ended before `initialize`. Editors start this program; see docs/editors.md.")
        return _run(first, answered, chosen)
    except KeyboardInterrupt:
        _tell("Interrupted.")
        return _INTERRUPTED


def _run(first: bytes, answered: bytes | None, chosen: argparse.Namespace) -> int:
    import asyncio

    from lsp.log import start_log

    start_log(chosen.log)
    from lsp.memory import few_arenas
    from lsp.server import Server

    few_arenas()

    from assistant.traces import hide_messages, no_core_dumps

    hide_messages()
    no_core_dumps()

    # Thousands of types that stay: no collection needs to look at them again.
    gc.freeze()

    async def serve() -> tuple[int, str]:
        server, problem = Server(), "The client left without `shutdown` and `exit`."
        if chosen.tcp is not None or chosen.ws is not None:
            await _listen(server, chosen)
        else:
            problem = await serve_stdio(server, first, answered) or problem
        return server.exit_code, problem

    try:
        status, problem = asyncio.run(serve())
    except OSError as exc:
        if chosen.tcp is None and chosen.ws is None:
            raise
        port = chosen.ws if chosen.tcp is None else chosen.tcp
        return _tell(
            f"Port {port} cannot be had: {os.strerror(exc.errno) if exc.errno else exc}. Port 0 chooses a free one."
        )
    if status:
        _tell(problem)
    # Daemon threads may be inside a model call; nothing of theirs needs to be waited for.
    os._exit(status)


async def serve_stdio(server: Server, first: bytes, answered: bytes | None) -> str:
    """Serve one client over standard input and output until it leaves. Why that could not be, empty if it could.

    ``first``: bytes that were read already; ``answered``: the ``initialize`` that they are and that has its answer.
    """
    import asyncio

    from lsp.transport import open_stdio, read_messages

    try:
        reader, writer = await open_stdio()
    except (ValueError, OSError):
        return "Standard input and output must be pipes, as an editor makes them."
    server.protocol.set_writer(writer)
    if answered is not None:
        server.protocol.receive_answered(answered)
        first = b""
    reading = asyncio.ensure_future(read_messages(reader, server.protocol, writer, first=first))
    leaving = asyncio.ensure_future(server.done.wait())
    await asyncio.wait([reading, leaving], return_when=asyncio.FIRST_COMPLETED)
    # Or the client vanished without a word.
    await server.leave()
    for _ in range(_TURNS):
        await asyncio.sleep(0)
    writer.close()
    await asyncio.sleep(0)
    return ""


async def _listen(server: Server, chosen: argparse.Namespace) -> None:
    import asyncio
    import json
    import secrets

    from lsp import loopback, transport

    token = secrets.token_urlsafe(24)
    reading: list[asyncio.Future[None]] = []

    def connected_tcp(reader: asyncio.StreamReader, writer: transport.PipeWriter) -> None:
        if reading:  # one client a server
            writer.close()
            return
        server.protocol.set_writer(writer)
        reading.append(asyncio.ensure_future(transport.read_messages(reader, server.protocol, writer)))
        reading[-1].add_done_callback(lambda _: server.done.set())

    if chosen.tcp is not None:
        listening = await loopback.serve_tcp(chosen.tcp, token, connected_tcp)
    else:
        listening = await loopback.serve_ws(chosen.ws, token, server)  # type: ignore[assignment]
    sys.stdout.write(json.dumps({"port": loopback.port_of(listening), "token": token}) + "\n")
    sys.stdout.flush()
    await server.done.wait()
    await server.leave()


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 5 or int(text) > 65_535:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return int(text)


def _tell(sentence: str) -> int:
    """Say why the server ends; the exit status for it."""
    from lsp.log import tell

    tell(sentence)
    return 1


if __name__ == "__main__":
    sys.exit(main())
