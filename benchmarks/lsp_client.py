"""A language client over a real server process: what the server's benchmarks and fuzz tests type with."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from benchmarks.common import ROOT

_PATIENCE = 120
"""Seconds that only a server that does not end takes."""


class LspProcess:
    """A server with its own folders below ``home``; messages are read by a thread, so that neither side blocks."""

    def __init__(
        self,
        home: Path,
        *,
        options: Mapping[str, Any] | None = None,
        folders: Iterable[Path] = (),
        module: str = "lsp",
    ) -> None:
        """``module``: what is run; ``options``: the ``initializationOptions``."""
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "CODEMOAT_CACHE_DIR": str(home / "cache"),
            "CODEMOAT_CONFIG_DIR": str(home / "config"),
        }
        started = time.perf_counter()
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", module], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        )
        self.incoming: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        self.notifications: list[dict[str, Any]] = []
        self._number = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        workspace = [{"uri": folder.as_uri(), "name": folder.name} for folder in folders]
        params = {"processId": os.getpid(), "rootUri": None, "capabilities": {}, "workspaceFolders": workspace}
        self.ask("initialize", {**params, "initializationOptions": dict(options or {})})
        self.initialize_ms = (time.perf_counter() - started) * 1e3
        self.notify("initialized", {})

    def send(self, message: Mapping[str, Any]) -> None:
        """Send one message."""
        self.send_bytes(json.dumps({"jsonrpc": "2.0", **message}).encode())

    def send_bytes(self, body: bytes) -> None:
        """Send a body as it is."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def notify(self, method: str, params: Any = None) -> None:
        """Send a notification."""
        self.send({"method": method, "params": params})

    def begin(self, method: str, params: Any = None) -> int:
        """Send a request and give its id."""
        self._number += 1
        self.send({"id": self._number, "method": method, "params": params})
        return self._number

    def answer(self, number: Any, timeout: float = 120.0) -> dict[str, Any]:
        """The answer to a request; notifications that come before it are kept. Raises TimeoutError, EOFError."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                message = self.incoming.get(timeout=max(0.0, deadline - time.monotonic()))
            except Empty as exc:
                raise TimeoutError(f"no answer to {number}") from exc
            if message is None:
                raise EOFError("the server ended")
            if message.get("id") == number and "method" not in message:
                return message
            if "method" in message and "id" in message:
                self.send({"id": message["id"], "result": None})
            else:
                self.notifications.append(message)

    def ask(self, method: str, params: Any = None, timeout: float = 120.0) -> Any:
        """The result of a request; an error answer raises RuntimeError."""
        answer = self.answer(self.begin(method, params), timeout)
        if "error" in answer:
            raise RuntimeError(answer["error"]["message"])
        return answer["result"]

    def open(self, uri: str, text: str, language: str = "python") -> None:
        """Open a document as version 1."""
        item = {"uri": uri, "languageId": language, "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})

    def edit(self, uri: str, version: int, start: tuple[int, int], end: tuple[int, int], text: str) -> None:
        """Change a range."""
        places = {name: {"line": p[0], "character": p[1]} for name, p in (("start", start), ("end", end))}
        changes = [{"range": places, "text": text}]
        self.notify(
            "textDocument/didChange", {"textDocument": {"uri": uri, "version": version}, "contentChanges": changes}
        )

    def close(self) -> float:
        """Shut down and wait for the end; seconds from ``shutdown`` to the end of the process."""
        started = time.perf_counter()
        self.ask("shutdown")
        self.notify("exit")
        self.process.wait(_PATIENCE)
        seconds = time.perf_counter() - started
        self.end()
        return seconds

    def end(self) -> None:
        """Close the pipes, which ends a server that still runs."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        self.process.wait(_PATIENCE)
        self._reader.join(_PATIENCE)
        self.process.stdout.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        while line := self.process.stdout.readline():
            length = int(line.split(b":")[1])
            while self.process.stdout.readline().strip():
                pass
            self.incoming.put(json.loads(self.process.stdout.read(length)))
        self.incoming.put(None)


def inline_params(uri: str, line: int, character: int, *, invoked: bool = False) -> dict[str, Any]:
    """Parameters of ``textDocument/inlineCompletion``."""
    return {
        "textDocument": {"uri": uri},
        "position": {"line": line, "character": character},
        "context": {"triggerKind": 1 if invoked else 2},
    }
