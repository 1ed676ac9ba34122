"""A long session: memory, threads, processes and files of the server at its beginning and at its end.

20,000 requests to a server whose model is scripted, then 300 to one with the real model: typing, suggestions, some of
them cancelled, symbols, searches, documents opened and closed. First everything is used once, since some of it is
started when it is first needed. What the server has after the first fifth is compared with what it has at the end, each
after a few quiet seconds; memory is the server's own, resident and not shared with the disk.

    python -m benchmarks.soak [--requests N] [--real N]
"""

from __future__ import annotations

import argparse
import random
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.common import Results
from benchmarks.lsp_client import LspProcess, inline_params
from benchmarks.trees import tree

_OPEN = 8
_WARM_SHARE = 0.2
_LINES = 40
_CANCELLED, _INVOKED, _AUTOMATIC, _DOCUMENT_SYMBOLS, _SYMBOLS, _SEARCH = 0.1, 0.5, 0.9, 0.93, 0.96, 0.98
"""Up to which share of the requests each kind goes; the rest asks why."""
_KINDS = (_CANCELLED, _INVOKED, _AUTOMATIC, _DOCUMENT_SYMBOLS, _SYMBOLS, _SEARCH, 1.0)
_SETTLE = 5.0


def main() -> None:
    """Run both parts and keep their figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--real", type=int, default=300)
    chosen = parser.parse_args()
    for module, count in (("benchmarks.scripted_server", chosen.requests), ("lsp", chosen.real)):
        if not count:
            continue
        with tempfile.TemporaryDirectory() as name:
            home = Path(name)
            root = home / "networkx"
            shutil.copytree(tree("networkx"), root)
            row = {"model": "real" if module == "lsp" else "scripted", **session(home, root, module, count)}
        print(row)
        Results("soak").add(row)


def session(home: Path, root: Path, module: str, count: int) -> dict[str, Any]:
    """Use a server for ``count`` requests; what it had after the first fifth and at the end."""
    server = LspProcess(home, folders=[root], module=module)
    while server.ask("codemoat/status")["folders"][0]["state"] != "ready":
        time.sleep(0.1)
    user = User(server, root)
    early: dict[str, int] = {}
    started = time.perf_counter()
    user.use_everything()
    for number in range(count):
        user.act(number)
        if number == int(count * _WARM_SHARE):
            early = owned(server)
    seconds = time.perf_counter() - started
    late = owned(server)
    left = server.close()
    growth = late["kilobytes"] / early["kilobytes"] - 1
    return {
        "requests": count,
        "seconds": round(seconds, 1),
        "early": early,
        "late": late,
        "memory_growth": round(growth, 4),
        "shutdown_seconds": round(left, 2),
    }


class User:
    """Somebody who types, asks, looks around, opens and closes files."""

    def __init__(self, server: LspProcess, root: Path) -> None:
        self._server = server
        self._rng = random.Random(5)
        self._files = sorted(root.rglob("*.py"))
        self._open: list[tuple[str, int]] = []
        self._version = 1

    def act(self, number: int) -> None:
        """One request and what comes before it."""
        rng, server = self._rng, self._server
        if number % 100 == 0 or not self._open:
            self._switch()
        uri, lines = rng.choice(self._open)
        line = rng.randrange(lines)
        self._version += 1
        server.edit(uri, self._version, (line, 0), (line, rng.randrange(2)), rng.choice(["x", "value = ", "\n", ""]))
        self._ask(rng.random(), uri, line)

    def use_everything(self) -> None:
        """One request of each kind."""
        self._switch()
        uri, _ = self._open[0]
        self._version += 1
        self._server.edit(uri, self._version, (0, 0), (0, 0), "x = 1\n")
        for kind in _KINDS:
            self._ask(kind - 0.001, uri, 0)

    def _ask(self, kind: float, uri: str, line: int) -> None:
        rng, server = self._rng, self._server
        if kind < _AUTOMATIC:
            asked = server.begin("textDocument/inlineCompletion", inline_params(uri, line, 1, invoked=kind < _INVOKED))
            if kind < _CANCELLED:
                server.notify("$/cancelRequest", {"id": asked})
            server.answer(asked)
        elif kind < _DOCUMENT_SYMBOLS:
            server.ask("textDocument/documentSymbol", {"textDocument": {"uri": uri}})
        elif kind < _SYMBOLS:
            server.ask("workspace/symbol", {"query": rng.choice(["graph", "path", "dfs", "tree"])})
        elif kind < _SEARCH:
            server.ask("codemoat/search", {"query": rng.choice(["shortest path", "read a graph", "colour nodes"])})
        else:
            server.ask("codemoat/why")
        server.notifications.clear()

    def _switch(self) -> None:
        if len(self._open) >= _OPEN:
            uri, _ = self._open.pop(0)
            self._server.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
        path = self._rng.choice(self._files)
        text = "".join(path.read_text().splitlines(keepends=True)[:_LINES])
        self._server.open(path.as_uri(), text)
        self._open = [each for each in self._open if each[0] != path.as_uri()]
        self._open.append((path.as_uri(), max(1, text.count("\n"))))


def owned(server: LspProcess) -> dict[str, int]:
    """What the server process has once it is quiet: anonymous memory (KiB), threads, open files, children."""
    time.sleep(_SETTLE)
    process = Path("/proc") / str(server.process.pid)
    status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
    children = sum(len((task / "children").read_text().split()) for task in (process / "task").iterdir())
    return {
        "kilobytes": int(status["RssAnon"].split()[0]),
        "threads": int(status["Threads"]),
        "files": len(list((process / "fd").iterdir())),
        "children": children,
    }


if __name__ == "__main__":
    main()
