"""``codemoat-lsp``: the language server over standard input and output, or for debugging over a loopback port."""

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


def main(arguments: list[str] | None = None) -> int:
    """Run the server until the client leaves; the exit status is 0 if it left in order."""
    parser = argparse.ArgumentParser(
        prog="codemoat-lsp", description="The language server of codemoat; editors start it."
    )
    parser.add_argument("--version", action="version", version=f"codemoat-lsp {own_version()}")
    # Some editors say it although it is the only way.
    parser.add_argument("--stdio", action="store_true", help="standard input and output: the default")
    parser.add_argument("--log", type=Path, metavar="FILE", help="write what happens to FILE; never texts or prompts")
    port = parser.add_mutually_exclusive_group()
    port.add_argument("--tcp", type=int, metavar="PORT", help="for debugging: listen on 127.0.0.1; 0 chooses a port")
    port.add_argument("--ws", type=int, metavar="PORT", help="the same over WebSocket")
    chosen = parser.parse_args(arguments)
    sys.setswitchinterval(_SWITCH)
    first, answered = b"", False
    if chosen.tcp is None and chosen.ws is None:
        # Before anything heavy is imported: whoever waits for the editor to start waits for this answer.
        first, answered = greet(lambda count: os.read(0, count), lambda data: write_all(1, data))
        if not first:
            return 1
    return _run(first, answered, chosen)


def _run(first: bytes, answered: bool, chosen: argparse.Namespace) -> int:
    import asyncio

    _log_to(chosen.log)
    from lsp.memory import few_arenas
    from lsp.server import Server

    few_arenas()

    from assistant.traces import hide_messages, no_core_dumps

    hide_messages()
    no_core_dumps()

    # Thousands of types that stay: no collection needs to look at them again.
    gc.freeze()

    async def serve() -> int:
        server = Server()
        if chosen.tcp is not None or chosen.ws is not None:
            await _listen(server, chosen)
        else:
            await serve_stdio(server, first, answered=answered)
        return server.exit_code

    status = asyncio.run(serve())
    # Daemon threads may be inside a model call; nothing of theirs needs to be waited for.
    sys.stderr.flush()
    os._exit(status)


async def serve_stdio(server: Server, first: bytes, *, answered: bool) -> None:
    """Serve one client over standard input and output until it leaves; ``first``: a message that was read already."""
    import asyncio

    from lsp.transport import open_stdio, read_messages

    reader, writer = await open_stdio()
    server.protocol.set_writer(writer)
    server.protocol.receive_first(first, answered=answered)
    reading = asyncio.ensure_future(read_messages(reader, server.protocol))
    leaving = asyncio.ensure_future(server.done.wait())
    await asyncio.wait([reading, leaving], return_when=asyncio.FIRST_COMPLETED)
    # Or the client vanished without a word.
    await server.leave()
    writer.close()
    await asyncio.sleep(0)


async def _listen(server: Server, chosen: argparse.Namespace) -> None:
    import asyncio
    import json
    import secrets

    from lsp import transport

    token = secrets.token_urlsafe(24)
    reading: list[asyncio.Future[None]] = []

    def connected_tcp(reader: asyncio.StreamReader, writer: transport.PipeWriter) -> None:
        if reading:  # one client a server
            writer.close()
            return
        server.protocol.set_writer(writer)
        reading.append(asyncio.ensure_future(transport.read_messages(reader, server.protocol)))
        reading[-1].add_done_callback(lambda _: server.done.set())

    if chosen.tcp is not None:
        port = await transport.serve_tcp(chosen.tcp, token, connected_tcp)
    else:
        port = await transport.serve_ws(chosen.ws, token, server)
    sys.stdout.write(json.dumps({"port": port, "token": token}) + "\n")
    sys.stdout.flush()
    await server.done.wait()
    await server.leave()


def _log_to(path: Path | None) -> None:
    import logging

    from assistant.traces import TraceFormatter

    logger = logging.getLogger("codemoat")
    logger.propagate = False
    if path is None:
        logger.addHandler(logging.NullHandler())
        return
    try:
        handler = logging.FileHandler(path, encoding="utf-8")
    except OSError as exc:
        sys.stderr.write(f"codemoat-lsp: there is no log, {path} cannot be written: {exc.strerror}.\n")
        return
    handler.setFormatter(TraceFormatter("%(asctime)s %(levelname)s %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)


if __name__ == "__main__":
    sys.exit(main())
