"""A language server in the test's own process: messages go in and out as JSON values, without a transport."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from assistant.engine import Engine
from assistant.llm import Cancel, Delta, FillRequest, Finished, Generated, Message, Sampling, Timings
from lsp.server import Server
from tests.fakes import FakeLLM

_PATIENCE = 60.0


class PatientLLM(FakeLLM):
    """Goes on after its script with nothing: what is generated ahead is not scripted."""

    def __init__(self, script: list[str] | None = None, **settings: Any) -> None:
        super().__init__(script or [], **settings)
        self.warmed: list[FillRequest] = []
        """Prompts that were evaluated for later."""

    def fill(self, request: FillRequest, sampling: Sampling, cancel: Cancel | None = None) -> Iterator[Generated]:
        if sampling.max_tokens == 0:
            self.warmed.append(request)
            return iter([Finished("length")])
        self.script = self.script or [""]
        return super().fill(request, sampling, cancel)


class EndlessLLM(PatientLLM):
    """Answers "word" again and again until it is stopped."""

    def chat(
        self, messages: Sequence[Message], sampling: Sampling, cancel: Cancel | None = None
    ) -> Iterator[Generated]:
        said = 0
        while cancel is None or not cancel.cancelled:
            yield Delta("word ")
            said += 1
            time.sleep(0.001)  # a model takes its time; without any the server would do nothing else
        yield Finished("cancelled", Timings(0, 0, said))


class Client:
    """What an editor does. ``llm`` scripts the model; the indexing process is off unless ``index``."""

    def __init__(self, llm: Any = None, *, index: bool = False) -> None:
        self.llm = llm if llm is not None else PatientLLM()
        self.server = Server(make_engine=lambda config: Engine(config, Path("/"), llm=self.llm))
        self.server.protocol.set_writer(self, include_headers=False)
        self.index = index
        self.sent: list[dict[str, Any]] = []
        self.answers: dict[Any, asyncio.Future[dict[str, Any]]] = {}
        self.replies: dict[str, Any] = {}
        """What the client answers to the server's requests, by method."""
        self._number = 0

    def write(self, data: bytes) -> None:
        message = json.loads(data)
        self.sent.append(message)
        if "method" in message and "id" in message:
            result = self.replies.get(message["method"])
            asyncio.get_running_loop().call_soon(self.receive, {"id": message["id"], "result": result})
        elif "id" in message and message["id"] in self.answers:
            self.answers.pop(message["id"]).set_result(message)

    def close(self) -> None:
        pass

    def receive(self, message: dict[str, Any]) -> None:
        self.server.protocol.receive(json.dumps({"jsonrpc": "2.0", **message}).encode())

    def receive_bytes(self, body: bytes) -> None:
        self.server.protocol.receive(body)

    async def settle(self) -> None:
        """Let tasks begin, as the transport does after each message."""
        await asyncio.sleep(0)

    def notify(self, method: str, params: Any = None) -> None:
        self.receive({"method": method, "params": params})

    def ask(self, method: str, params: Any = None, number: Any = None) -> asyncio.Future[dict[str, Any]]:
        self._number += 1
        number = self._number if number is None else number
        self.answers[number] = asyncio.get_running_loop().create_future()
        future = self.answers[number]
        self.receive({"id": number, "method": method, "params": params})
        return future

    async def request(self, method: str, params: Any = None) -> Any:
        """The result. Raises AssertionError with the error if there is one."""
        answer = await asyncio.wait_for(self.ask(method, params), _PATIENCE)
        assert "error" not in answer, answer["error"]
        return answer.get("result")

    async def error(self, method: str, params: Any = None) -> dict[str, Any]:
        answer = await asyncio.wait_for(self.ask(method, params), _PATIENCE)
        found: dict[str, Any] = answer["error"]
        return found

    async def initialize(self, *folders: Path, options: Any = None, **capabilities: Any) -> dict[str, Any]:
        options = {"editor": {"index": self.index}, **(options or {})}
        params = {
            "processId": None,
            "rootUri": None,
            "capabilities": capabilities,
            "workspaceFolders": [{"uri": f.as_uri(), "name": f.name} for f in folders],
            "initializationOptions": options,
        }
        result: dict[str, Any] = await self.request("initialize", params)
        self.notify("initialized", {})
        while self.server._tasks:
            await asyncio.wait(self.server._tasks)
        return result

    def open(self, uri: str, text: str, language: str = "python", version: int = 1) -> None:
        item = {"uri": uri, "languageId": language, "version": version, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})

    def change(self, uri: str, version: int, *changes: dict[str, Any]) -> None:
        document = {"uri": uri, "version": version}
        self.notify("textDocument/didChange", {"textDocument": document, "contentChanges": list(changes)})

    async def inline(self, uri: str, line: int, character: int, *, invoked: bool = False, **context: Any) -> Any:
        params = inline_params(uri, line, character, invoked, context)
        return (await self.request("textDocument/inlineCompletion", params))["items"]

    async def why(self, uri: str | None = None) -> dict[str, Any]:
        found: dict[str, Any] = await self.request("codemoat/why", {"textDocument": {"uri": uri}} if uri else None)
        return found

    def of(self, method: str) -> list[Any]:
        """Parameters of what the server sent of a method."""
        return [m.get("params") for m in self.sent if m.get("method") == method]

    async def until(self, condition: Callable[[], Any]) -> Any:
        async def wait() -> Any:
            while not (found := condition()):
                await asyncio.sleep(0.005)
            return found

        return await asyncio.wait_for(wait(), _PATIENCE)

    async def leave(self) -> None:
        await self.request("shutdown")
        self.notify("exit")
        await asyncio.wait_for(self.server.done.wait(), _PATIENCE)


def inline_params(uri: str, line: int, character: int, invoked: bool = False, context: Any = None) -> dict[str, Any]:
    return {
        "textDocument": {"uri": uri},
        "position": {"line": line, "character": character},
        "context": {"triggerKind": 1 if invoked else 2, **(context or {})},
    }


def edit(start: tuple[int, int], end: tuple[int, int], text: str) -> dict[str, Any]:
    """A change of a range."""
    places = [{"line": line, "character": character} for line, character in (start, end)]
    return {"range": {"start": places[0], "end": places[1]}, "text": text}


def play(scene: Callable[[Client], Awaitable[Any]], llm: Any = None, *, index: bool = False) -> Any:
    """Run a scene with a client of its own, which leaves in order afterwards."""

    async def run() -> Any:
        client = Client(llm, index=index)
        result = await scene(client)
        if not client.server.protocol._shutdown:
            if not client.server.protocol.initialized:
                await client.initialize()
            await client.leave()
        return result

    return asyncio.run(run())
