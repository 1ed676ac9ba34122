"""The model host: a process that loads one model and serves it to every window and command of one user.

``python -m assistant.llama.host --model FILE --runtime-dir DIR --name NAME …`` is run by ``starter``. It reports on standard
output, a JSON object a line: ``{"progress": 0.4}`` while loading, then ``{"ready": true}``, ``{"running": true}`` if
another process is the host already, or ``{"error": …}``. Standard error goes to its log; prompts are never written.
It leaves when no client has been connected for ``--idle-seconds``.
"""

from __future__ import annotations

import argparse
import asyncio
import faulthandler
import hmac
import os
import secrets
import signal
import sys
import traceback
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from assistant.errors import HostError
from assistant.llama import protocol
from assistant.llama.lanes import Job, Lane
from assistant.llama.place import Address, HostPlace, HostState, prepare
from assistant.llama.protocol import Json
from assistant.llama.settings import EngineSettings
from assistant.llm import LLM, Generated
from indexer.errors import BadInputError, CodemoatError

_GREETING_SECONDS = 5.0
_LOCK_SECONDS = 0.5  # a client that looks whether the lock is held holds it for an instant
_NICENESS = 5
_FAILED = 70  # EX_SOFTWARE


class _Client:
    """One connection: where answers go, and what runs for it."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self.jobs: dict[Any, Job] = {}

    def send(self, message: Mapping[str, Any]) -> None:
        """Queue a line; dropped if the client has gone. On the event loop's thread only."""
        if not self._writer.is_closing():
            self._writer.write(protocol.encode(message))

    def leave(self) -> None:
        """Stop everything that runs for this client."""
        for job in self.jobs.values():
            job.cancel.cancel()
        self._writer.close()


class Host:
    """Serves an LLM on a socket. Everything but the lanes' threads runs on one event loop."""

    def __init__(self, llm: LLM, token: str, idle_seconds: float) -> None:
        self._llm = llm
        self._token = token
        self._idle_seconds = idle_seconds
        self._lanes = {"fill": Lane("completion"), "chat": Lane("chat")}
        self._clients: set[_Client] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._idle_timer: asyncio.TimerHandle | None = None
        self._stop = asyncio.Event()

    async def serve(self, address: Address, listening: Callable[[Address], None]) -> None:
        """Listen until told to stop or idle for too long; ``listening`` is called once clients can connect."""
        server = await self._listen(address)
        port = 0 if address.path else server.sockets[0].getsockname()[1]
        for number in (signal.SIGTERM, signal.SIGINT):
            with suppress(NotImplementedError):  # Windows
                asyncio.get_running_loop().add_signal_handler(number, self._stop.set)
        self._await_clients()
        listening(Address(address.path, port))
        await self._stop.wait()
        server.close()
        for client in list(self._clients):
            client.leave()
        for lane in self._lanes.values():
            lane.close()

    async def _listen(self, address: Address) -> asyncio.Server:
        if address.path:
            return await asyncio.start_unix_server(self._connected, address.path, limit=protocol.LINE_LIMIT)
        return await asyncio.start_server(self._connected, "127.0.0.1", 0, limit=protocol.LINE_LIMIT)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = _Client(writer)
        try:
            if not await self._greet(reader, client):
                return
            self._arrived(client)
            while line := await reader.readline():
                self._handle(client, protocol.decode(line))
        except (ConnectionError, ValueError, HostError):  # gone, a line over the limit, or no JSON
            pass
        finally:
            self._left(client)

    async def _greet(self, reader: asyncio.StreamReader, client: _Client) -> bool:
        """Whether the client knows the token; who does not is disconnected without a word."""
        try:
            hello = protocol.decode(await asyncio.wait_for(reader.readline(), _GREETING_SECONDS))
        except TimeoutError:
            return False
        if not hmac.compare_digest(str(hello.get("token")).encode(), self._token.encode()):
            return False
        client.send({"ok": True, "pid": os.getpid()})
        return True

    def _arrived(self, client: _Client) -> None:
        self._clients.add(client)
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None

    def _left(self, client: _Client) -> None:
        client.leave()
        self._clients.discard(client)
        self._await_clients()

    def _await_clients(self) -> None:
        if not self._clients and self._idle_timer is None:
            self._idle_timer = asyncio.get_running_loop().call_later(self._idle_seconds, self._stop.set)

    def _handle(self, client: _Client, message: Json) -> None:
        number = message.get("id")
        try:
            match message.get("op"):
                case "chat" | "fill" as op:
                    self._generate(client, number, op, message)
                case "cancel":
                    if (job := client.jobs.get(message.get("target"))) is not None:
                        job.cancel.cancel()
                case "stop":
                    client.send({"id": number, "result": True})
                    self._stop.set()
                case _:
                    self._answer(client, number, self._question(message))
        except (KeyError, TypeError, ValueError, AttributeError):
            error = BadInputError("The model host did not understand the request.", "")
            client.send({"id": number, **protocol.error_to_json(error)})

    def _question(self, message: Json) -> Callable[[], object]:
        """What to compute for a request that has one answer. Raises KeyError and the like for nonsense."""
        llm = self._llm
        match message["op"]:
            case "info":
                return lambda: protocol.info_to_json(llm.info)
            case "count":
                texts = [str(text) for text in message["texts"]]
                return lambda: llm.count(texts)
            case "count_chat":
                messages = protocol.messages_from_json(message["messages"])
                return lambda: llm.count_chat(messages)
            case "count_fill":
                request = protocol.request_from_json(message["request"])
                return lambda: llm.count_fill(request)
            case "ping":
                status = {"clients": len(self._clients), "busy": any(lane.busy for lane in self._lanes.values())}
                return lambda: status
            case op:
                raise ValueError(op)

    def _answer(self, client: _Client, number: object, question: Callable[[], object]) -> None:
        """Compute in another thread, so that a long text does not hold up the others."""

        async def answer() -> None:
            try:
                client.send({"id": number, "result": await asyncio.to_thread(question)})
            except CodemoatError as exc:
                client.send({"id": number, **protocol.error_to_json(exc)})

        self._start(answer())

    def _start(self, work: Awaitable[None]) -> None:
        async def run() -> None:
            await work

        task = asyncio.get_running_loop().create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _generate(self, client: _Client, number: object, op: str, message: Json) -> None:
        """Queue a generation on its lane; its events are sent as they come."""
        loop = asyncio.get_running_loop()
        sampling = protocol.sampling_from_json(message["sampling"])
        if op == "chat":
            messages = protocol.messages_from_json(message["messages"])
            job = Job(lambda cancel: self._llm.chat(messages, sampling, cancel))
        else:
            request = protocol.request_from_json(message["request"])
            job = Job(lambda cancel: self._llm.fill(request, sampling, cancel))

        def report(event: Generated | CodemoatError) -> None:
            loop.call_soon_threadsafe(self._report, client, number, event)

        if message.get("supersede"):
            for other in client.jobs.values():
                other.cancel.cancel()
        client.jobs[number] = job
        self._lanes[op].submit(job, report)

    def _report(self, client: _Client, number: object, event: Generated | CodemoatError) -> None:
        if isinstance(event, CodemoatError):
            answer = protocol.error_to_json(event)
        else:
            answer = protocol.event_to_json(event)
        if "delta" not in answer:
            client.jobs.pop(number, None)
        client.send({"id": number, **answer})


def main(arguments: list[str] | None = None) -> int:
    """Run a host until it is stopped; the exit status."""
    options = _parse(arguments)
    _settle()
    place = HostPlace(options.runtime_dir, options.name)
    settings = EngineSettings(
        context_tokens=options.context_tokens,
        threads=options.threads,
        gpu_layers=options.gpu_layers,
        flash_attention=options.flash_attention,
    )
    try:
        prepare(options.runtime_dir)
        with place.lock(_LOCK_SECONDS) as mine:
            if not mine:
                _tell({"running": True})
                return 0
            _serve_model(place, options.model, settings, options.idle_seconds)
    except CodemoatError as exc:
        _tell(protocol.error_to_json(exc))
        return exc.exit_code
    return 0


def _serve_model(place: HostPlace, model: Path, settings: EngineSettings, idle_seconds: float) -> None:
    from assistant.llama.engine import LocalLLM

    llm = LocalLLM(model, settings, progress=_report_progress())
    token = secrets.token_hex(32)

    def listening(address: Address) -> None:
        place.write(HostState(os.getpid(), token, address, str(model), settings))
        _tell({"ready": True})
        _detach_output()

    async def serve() -> None:
        asyncio.get_running_loop().set_exception_handler(_die)
        await Host(llm, token, idle_seconds).serve(place.address(), listening)

    try:
        asyncio.run(serve())
    finally:
        place.forget()
    llm.close()


def _settle() -> None:
    """Be a good neighbour: lower priority, no core dumps (they would hold prompts), files for this user alone."""
    faulthandler.enable()
    sys.excepthook = _log_failure
    os.umask(0o077)
    # The threads sleep while they wait for each other instead of spinning: see docs/design.md for the figures.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.nice(_NICENESS)


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m assistant.llama.host", description="Serve one model (internal).")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--runtime-dir", type=Path, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--context-tokens", type=int, required=True)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--gpu-layers", type=int, default=0)
    parser.add_argument("--flash-attention", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--idle-seconds", type=float, default=900.0)
    return parser.parse_args(arguments)


def _tell(message: Json) -> None:
    """A line for the starter; it may have gone, and the host stays for others."""
    with suppress(OSError):
        os.write(1, protocol.encode(message))


def _report_progress() -> Callable[[float], None]:
    """Tell the starter every twentieth of the loading."""
    told = -1

    def report(fraction: float) -> None:
        nonlocal told
        if int(fraction * 20) > told:
            told = int(fraction * 20)
            _tell({"progress": round(fraction, 2)})

    return report


def _detach_output() -> None:
    """Let go of the starter's pipe."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)


def _die(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """A failure nobody expected: leave, so that clients get an error and the next call a fresh host."""
    error = context.get("exception")
    if isinstance(error, BaseException):
        _log_failure(type(error), error, error.__traceback__)
    os._exit(_FAILED)


def _log_failure(kind: type[BaseException], _error: BaseException, trace: TracebackType | None) -> None:
    """Where it failed and with what class; never the message, which may quote a prompt."""
    traceback.print_tb(trace)
    sys.stderr.write(f"{kind.__name__}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
