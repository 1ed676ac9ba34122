"""Serves an LLM on a socket: connections, requests, queues. The process around it is in ``host``."""

from __future__ import annotations

import asyncio
import hmac
import os
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from assistant.errors import HostError
from assistant.llama import protocol
from assistant.llama.lanes import Job, Lane
from assistant.llama.place import Address
from assistant.llama.protocol import Json
from assistant.llm import LLM, Delta, Generated
from indexer.errors import BadInputError, CodemoatError

_GREETING_SECONDS = 5.0
_LOOK_SECONDS = 2.0
"""Between looks at whether clients still find the host."""


class _Client:
    """One connection: where answers go, and what runs for it. Connections of one client have the same ``name``."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self.name = ""
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
        self._handlers: dict[asyncio.Task[None], _Client] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._idle_timer: asyncio.TimerHandle | None = None
        self._stopped = asyncio.Event()

    async def serve(
        self,
        address: Address,
        listening: Callable[[Address], None],
        findable: Callable[[], bool | None] = lambda: True,
    ) -> None:
        """Listen until told to stop or idle for too long; ``listening`` is called once clients can connect.

        ``findable`` is asked now and then whether clients still find this host. If not (a clean-up of temporary files
        took its own), it listens anew; None: another host took its place, so it leaves with its last client.
        """
        server = await self._listen(address)
        listening(_where(server, address))
        self._await_clients()
        while not await self._stops_within(_LOOK_SECONDS):
            found = findable()
            if found is None:
                server.close()
                self._idle_seconds = 0.0
                if not self._clients:
                    break
            elif not found:
                server.close()
                with suppress(OSError, CodemoatError):  # a full disk; tried again at the next look
                    server = await self._listen(address)
                    listening(_where(server, address))
        server.close()
        for client in self._handlers.values():
            client.leave()
        if self._handlers:  # they see their connection closed and return; cancelled ones would be logged as failures
            await asyncio.wait(self._handlers, timeout=_GREETING_SECONDS)
        for lane in self._lanes.values():
            lane.close()

    def stop(self) -> None:
        """End ``serve``: what runs is cancelled, every connection closed. On the event loop's thread only."""
        self._stopped.set()

    async def _stops_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._stopped.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def _listen(self, address: Address) -> asyncio.Server:
        if address.path:
            return await asyncio.start_unix_server(self._connected, address.path, limit=protocol.LINE_LIMIT)
        return await asyncio.start_server(self._connected, "127.0.0.1", 0, limit=protocol.LINE_LIMIT)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = _Client(writer)
        task = asyncio.current_task()
        assert task is not None
        self._handlers[task] = client
        task.add_done_callback(self._handlers.pop)
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
        client.name = str(hello.get("client", ""))
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
            self._idle_timer = asyncio.get_running_loop().call_later(self._idle_seconds, self.stop)

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
                    self.stop()
                case _:
                    self._answer(client, number, self._question(message))
        except (KeyError, TypeError, ValueError, AttributeError):
            error = BadInputError("The model host did not understand the request.", "")
            client.send({"id": number, **protocol.event_to_json(error)})

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
                clients = len({client.name for client in self._clients})
                busy = any(lane.busy for lane in self._lanes.values())
                return lambda: {"clients": clients, "busy": busy, "memory_bytes": memory_bytes()}
            case op:
                raise ValueError(op)

    def _answer(self, client: _Client, number: object, question: Callable[[], object]) -> None:
        """Compute in another thread, so that a long text does not hold up the others."""

        async def answer() -> None:
            try:
                client.send({"id": number, "result": await asyncio.to_thread(question)})
            except CodemoatError as exc:
                client.send({"id": number, **protocol.event_to_json(exc)})

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
            job = Job(op, lambda cancel: self._llm.chat(messages, sampling, cancel))
        else:
            request = protocol.request_from_json(message["request"])
            job = Job(op, lambda cancel: self._llm.fill(request, sampling, cancel), idle=sampling.max_tokens <= 0)

        def report(event: Generated | CodemoatError) -> None:
            loop.call_soon_threadsafe(self._report, client, number, event)

        if message.get("supersede"):
            self._cancel(lambda connection, old: connection.name == client.name and old.kind == op)
        if not job.idle:
            self._cancel(lambda _, old: old.idle and old.kind == op)
        client.jobs[number] = job
        self._lanes[op].submit(job, report)

    def _cancel(self, which: Callable[[_Client, Job], bool]) -> None:
        """Stop some of the generations that wait or run."""
        for connection in self._clients:
            for job in connection.jobs.values():
                if which(connection, job):
                    job.cancel.cancel()

    def _report(self, client: _Client, number: object, event: Generated | CodemoatError) -> None:
        if not isinstance(event, Delta):
            client.jobs.pop(number, None)
        client.send({"id": number, **protocol.event_to_json(event)})


def _where(server: asyncio.Server, address: Address) -> Address:
    return Address(address.path, 0 if address.path else server.sockets[0].getsockname()[1])


def memory_bytes() -> int:
    """Resident memory of this process in bytes, the mapped model included; 0 where the system does not tell."""
    try:
        resident = Path("/proc/self/statm").read_text().split()[1]
        return int(resident) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
