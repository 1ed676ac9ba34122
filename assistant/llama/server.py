"""Serves an LLM on a socket: connections, requests, queues. The process around it is in ``host``."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from assistant.errors import HostError
from assistant.llama import protocol
from assistant.llama.lanes import Job, Lane
from assistant.llama.lines import Lines
from assistant.llama.place import Address
from assistant.llama.protocol import Json
from assistant.llm import LLM, Answered, Delta, Finished, Waiting, WaitReason
from indexer.errors import BadInputError, CodemoatError, StorageError

_GREETING_SECONDS = 5.0
_LOOK_SECONDS = 2.0
"""Between looks at whether clients still find the host."""
_MOST_CONNECTIONS = 64
"""With the token. A window has one, and another for each generation that runs for it."""
_MOST_WAITING = 16
"""Connections that have not proved that they know the token; one more, and the oldest of them is refused."""
_TRY_AGAIN = "Close other windows, or try again."
_MOST_QUESTIONS = 32
"""Of one connection at a time; further ones are not read before one is answered."""
_MOST_JOBS = 8
"""Generations of one connection that run or wait; a client of ours has one."""
_MOST_UNREAD = 8 << 20
"""Bytes of answers that wait for a client to read them; a client that lets more pile up is disconnected."""
_MOST_ID = 64
_WAITING_SECONDS = 1.0
"""After which an asker is told why there is no first word yet, and between looks at whether that is still so."""
_HELD_UP, _FREE = 0.25, 0.05
"""Share of the time since the last look that completions took, from which and below which it is so."""
_NOT_UNDERSTOOD = BadInputError("The model host did not understand the request.", "")
_READ_BYTES = 1 << 16


class _Client:
    """One connection: where answers go, and what runs for it. Connections of one client have the same ``name``."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self.name = ""
        self.jobs: dict[Any, Job] = {}
        self.questions = asyncio.Semaphore(_MOST_QUESTIONS)

    def send(self, message: Mapping[str, Any]) -> None:
        """Queue a line; dropped if the client has gone. On the event loop's thread only.

        A client that does not read its answers is disconnected before they fill the host's memory.
        """
        if self._writer.is_closing():
            return
        if self._writer.transport.get_write_buffer_size() > _MOST_UNREAD:
            self.leave()
            self._writer.transport.abort()  # closing alone would wait for it to read
            return
        self._writer.write(protocol.encode(message))

    async def read_by_client(self) -> None:
        """Wait until the client has read most of what was sent to it."""
        await self._writer.drain()

    def refuse(self, error: CodemoatError) -> None:
        """Say why, and hang up."""
        self.send(protocol.event_to_json(error))
        self.leave()

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
        self._waiting: list[_Client] = []
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
        """Raises StorageError if the socket cannot be made."""
        try:
            if not address.path:
                return await asyncio.start_server(self._connected, "127.0.0.1", 0, limit=_READ_BYTES)
            Path(address.path).unlink(missing_ok=True)  # of a host that died, or something in the way
            return await asyncio.start_unix_server(self._connected, address.path, limit=_READ_BYTES)
        except OSError as exc:
            raise StorageError.from_os_error(exc, "opening the model host's socket", address.path) from exc

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = _Client(writer)
        task = asyncio.current_task()
        assert task is not None
        self._handlers[task] = client
        task.add_done_callback(self._handlers.pop)
        lines = Lines(reader)
        try:
            if not await self._admits(lines, client):
                return
            self._arrived(client)
            while (line := await lines.read(protocol.LINE_LIMIT)) is not None:
                await self._handle(client, protocol.decode(line))
                await client.read_by_client()
        except ConnectionError:  # gone
            pass
        except HostError as exc:  # a line that is too long, nested too deeply, or no JSON
            client.refuse(exc)
        finally:
            self._left(client)

    async def _admits(self, lines: Lines, client: _Client) -> bool:
        """Whether the client knows the token and there is room for it.

        Who does not know it is disconnected without a word, at the latest when its time is over. Raises HostError for
        a first line that is none.
        """
        self._waiting.append(client)
        if len(self._waiting) > _MOST_WAITING:
            self._waiting.pop(0).refuse(HostError("Too many clients are connecting to the model host.", _TRY_AGAIN))
        try:
            line = await asyncio.wait_for(lines.read(protocol.GREETING_LIMIT), _GREETING_SECONDS)
        except TimeoutError:
            return False
        finally:
            if client in self._waiting:
                self._waiting.remove(client)
        hello = protocol.decode(line) if line is not None else {}
        nonce = str(hello.get("nonce"))
        if not nonce.isascii() or not protocol.proves(hello.get("proof"), self._token, nonce, "client"):
            return False
        if len(self._clients) >= _MOST_CONNECTIONS:
            client.refuse(HostError("Too many connections to the model host are open.", _TRY_AGAIN))
            return False
        client.name = str(hello.get("client", ""))
        client.send({"ok": True, "pid": os.getpid(), "proof": protocol.proof(self._token, nonce, "host")})
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

    async def _handle(self, client: _Client, message: Json) -> None:
        """Start what a request asks for. Waits while too many questions of the client are unanswered."""
        number = message.get("id")
        if not isinstance(number, int | str) or len(str(number)) > _MOST_ID:
            client.send(protocol.event_to_json(_NOT_UNDERSTOOD))
            return
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
                    question = self._question(message)
                    await client.questions.acquire()
                    self._answer(client, number, question)
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError):
            client.send({"id": number, **protocol.event_to_json(_NOT_UNDERSTOOD)})
        except BadInputError as exc:
            client.send({"id": number, **protocol.event_to_json(exc)})

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
            finally:
                client.questions.release()

        self._start(answer())

    def _start(self, work: Awaitable[None]) -> None:
        async def run() -> None:
            await work

        task = asyncio.get_running_loop().create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _generate(self, client: _Client, number: object, op: str, message: Json) -> None:
        """Queue a generation on its lane; its events are sent as they come."""
        if number in client.jobs or len(client.jobs) >= _MOST_JOBS:
            raise BadInputError("The connection has too many generations, or two of one id.", "Wait for one to end.")
        loop = asyncio.get_running_loop()
        sampling = protocol.sampling_from_json(message["sampling"])
        if op == "chat":
            messages = protocol.messages_from_json(message["messages"])
            job = Job(op, lambda cancel: self._llm.chat(messages, sampling, cancel))
        else:
            request = protocol.request_from_json(message["request"])
            idle = sampling.max_tokens <= 0
            ahead = sampling.ahead and not idle
            job = Job(op, lambda cancel: self._llm.fill(request, sampling, cancel), idle=idle, ahead=ahead)

        def report(event: Answered | CodemoatError) -> None:
            loop.call_soon_threadsafe(self._report, client, number, event)

        if message.get("supersede"):
            self._cancel(lambda connection, old: connection.name == client.name and old.kind == op)
        if not job.idle:
            self._cancel(lambda _, old: old.idle and old.kind == op)
        if op == "chat":
            self._cancel(lambda _, old: old.ahead)
        elif job.ahead and self._lanes["chat"].busy:
            client.send({"id": number, **protocol.event_to_json(Finished("cancelled"))})
            return
        client.jobs[number] = job
        self._lanes[op].submit(job, report)
        if op == "chat":
            loop.call_later(_WAITING_SECONDS, self._look, client, number, job, "", self._lanes["fill"].worked)

    def _look(self, client: _Client, number: object, job: Job, told: WaitReason, worked: float) -> None:
        """Tell the asker why ``job`` has no first word yet, if that changed; again and again until it has one."""
        if client.jobs.get(number) is not job or job.begun:
            return
        now = self._lanes["fill"].worked
        share = (now - worked) / _WAITING_SECONDS
        reason: WaitReason = ""
        if self._lanes["chat"].running is not job:
            reason = "question"
        elif share >= (_FREE if told == "completions" else _HELD_UP):
            reason = "completions"
        if reason != told:
            client.send({"id": number, **protocol.event_to_json(Waiting(reason))})
        loop = asyncio.get_running_loop()
        loop.call_later(_WAITING_SECONDS, self._look, client, number, job, reason, now)

    def _cancel(self, which: Callable[[_Client, Job], bool]) -> None:
        """Stop some of the generations that wait or run."""
        for connection in self._clients:
            for job in connection.jobs.values():
                if which(connection, job):
                    job.cancel.cancel()

    def _report(self, client: _Client, number: object, event: Answered | CodemoatError) -> None:
        if isinstance(event, Delta):
            if (job := client.jobs.get(number)) is not None:
                job.begun = True
        elif not isinstance(event, Waiting):
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
