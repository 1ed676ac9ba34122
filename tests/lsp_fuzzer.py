"""Messages that no sound client sends, and what a client's texts are after them."""

from __future__ import annotations

import json
import random
from typing import Any, Protocol

from lsp.convert import join_surrogates, split_lines

PIECES = ["a", "é", "漢字", "🦀", "\n", "\r\n", "\r", "\u2028", "\x0c", "\ud83e", "\udd80", "def f(x):\n", "", " "]
URIS = [f"file:///fuzz/{n}.py" for n in range(4)] + [
    "untitled:Untitled-1",
    "file://%zz/[",
    "",
    "vscode-notebook-cell:/n#1",
]
JUNK: list[Any] = [
    None,
    -1,
    2**31,
    2**70,
    1.5,
    "",
    "x",
    [],
    {},
    [[]],
    {"uri": URIS[0]},
    True,
    "\ud800",
    {"jsonrpc": "2.0"},
]
METHODS = [
    "textDocument/didOpen", "textDocument/didChange", "textDocument/didClose", "textDocument/didSave",
    "textDocument/inlineCompletion", "textDocument/completion", "textDocument/documentSymbol", "workspace/symbol",
    "workspace/executeCommand", "workspace/didChangeConfiguration", "workspace/didChangeWorkspaceFolders",
    "notebookDocument/didOpen", "notebookDocument/didChange", "notebookDocument/didClose", "workspace/didRenameFiles",
    "codemoat/status", "codemoat/why", "codemoat/search", "codemoat/index", "codemoat/document", "codemoat/didShow",
    "codemoat/didAccept", "codemoat/didMoveCursor", "initialize", "initialized", "$/cancelRequest", "$/setTrace",
    "no/such", "window/workDoneProgress/cancel", "$/progress",
]  # fmt: skip


class Mirror:
    """What the client holds of each document, as UTF-16 code units."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.versions: dict[str, int] = {}
        self.lost: set[str] = set()
        """Documents of which a change cannot be understood; a whole text brings them back."""

    def edit(self, uri: str, start: tuple[int, int], end: tuple[int, int], text: str) -> None:
        old = self.texts[uri]
        data = old.encode("utf-16-le", "surrogatepass")
        first, second = sorted(self.offset(old, place) for place in (start, end))
        new = data[: 2 * first] + text.encode("utf-16-le", "surrogatepass") + data[2 * second :]
        self.texts[uri] = new.decode("utf-16-le", "surrogatepass")

    @staticmethod
    def offset(text: str, place: tuple[int, int]) -> int:
        """In code units; places outside are moved to the nearest as the protocol says."""
        lines = split_lines(text)
        widths = [len(line.encode("utf-16-le", "surrogatepass")) // 2 for line in lines]
        line, character = max(0, place[0]), max(0, place[1])
        if line >= len(lines):
            return sum(widths)
        width = len(lines[line].rstrip("\r\n").encode("utf-16-le", "surrogatepass")) // 2
        return sum(widths[:line]) + min(character, width)


class Sender(Protocol):
    """What takes messages: a client in the test's process or one of another process."""

    def receive(self, message: dict[str, Any]) -> None: ...

    def receive_bytes(self, body: bytes) -> None: ...


class Fuzzer:
    def __init__(self, client: Sender, seed: int) -> None:
        self.client, self.rng, self.mirror = client, random.Random(seed), Mirror()
        self.number = 1_000

    def text(self) -> str:
        return "".join(self.rng.choices(PIECES, k=self.rng.randrange(6)))

    def place(self) -> tuple[int, int]:
        rng = self.rng
        return rng.choice([0, 1, 2, 3, 5, 99, 2**31 - 1]), rng.choice([0, 1, 2, 3, 4, 7, 99, 2**31 - 1])

    def notify(self, method: str, params: Any) -> None:
        self.client.receive({"method": method, "params": params})

    def step(self) -> None:
        kind = self.rng.random()
        if kind < 0.1:
            self.open()
        elif kind < 0.45:
            self.change()
        elif kind < 0.48:
            self.close()
        elif kind < 0.52:
            self.not_understood()
        elif kind < 0.6:
            self.ask()
        elif kind < 0.66:
            self.notify("$/cancelRequest", {"id": self.number - self.rng.randrange(4)})
        elif kind < 0.9:
            self.sound_but_strange()
        else:
            self.broken()

    def open(self) -> None:
        uri, text = self.rng.choice(URIS), join_surrogates(self.text() * self.rng.randrange(4))
        self.mirror.texts[uri], self.mirror.versions[uri] = text, 1
        self.mirror.lost.discard(uri)
        item: dict[str, Any] = {"uri": uri, "version": 1, "text": text}
        if self.rng.random() < 0.9:
            item["languageId"] = self.rng.choice(["python", "", "no such language", None, 3, {}])
        if self.rng.random() < 0.1:
            self.odd_version(item)
            self.mirror.versions[uri] = 0
        self.notify("textDocument/didOpen", {"textDocument": item})

    def change(self) -> None:
        uri = self.rng.choice(URIS)
        version = self.mirror.versions[uri] = self.mirror.versions.get(uri, 0) + 1
        changes: list[dict[str, Any]] = []
        for _ in range(self.rng.randrange(1, 4)):
            new = self.text()
            if self.rng.random() < 0.05:
                changes.append({"text": new} if self.rng.random() < 0.5 else {"range": None, "text": new})
                if uri in self.mirror.texts:
                    self.mirror.texts[uri] = join_surrogates(new)
                    self.mirror.lost.discard(uri)
                continue
            start, end = self.place(), self.place()
            places = [{"line": line, "character": character} for line, character in (start, end)]
            changes.append({"range": {"start": places[0], "end": places[1]}, "text": new})
            if uri in self.mirror.texts:
                self.mirror.edit(uri, start, end, new)
        document = {"uri": uri, "version": version}
        if self.rng.random() < 0.1:  # then each message makes it one more, as here
            self.odd_version(document)
        self.notify("textDocument/didChange", {"textDocument": document, "contentChanges": changes})

    def odd_version(self, holder: dict[str, Any]) -> None:
        """No version, or one that is none."""
        holder["version"] = self.rng.choice([None, "1", 1.5, [], True])
        if self.rng.random() < 0.5:
            del holder["version"]

    def not_understood(self) -> None:
        """A change, or an opening, of which nobody can say what the text is after it."""
        uri = self.rng.choice(URIS)
        if self.rng.random() < 0.2:
            self.mirror.texts[uri], self.mirror.versions[uri] = "", 0
            self.mirror.lost.add(uri)
            item = {"uri": uri, "languageId": "python", "version": 1, "text": self.rng.choice([None, 1, ["x"]])}
            self.notify("textDocument/didOpen", {"textDocument": item})
            return
        if uri in self.mirror.texts:
            self.mirror.lost.add(uri)
        place = {"line": 0, "character": 0}
        change: dict[str, Any] = {"range": {"start": place, "end": dict(place)}, "text": "x"}
        spoiled = self.rng.choice(["text", "range", "start", "end", "line"])
        odd = self.rng.choice(["x", {}, -1, [1]])
        if spoiled == "text":
            change["text"] = self.rng.choice([None, 1, {}])
        elif spoiled == "range":
            change["range"] = odd
        elif spoiled == "line":
            change["range"]["end"]["line"] = odd
        else:
            change["range"][spoiled] = odd
        document = {"uri": uri, "version": self.mirror.versions.get(uri, 0)}
        self.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [change]})

    def close(self) -> None:
        uri = self.rng.choice(URIS)
        self.mirror.texts.pop(uri, None)
        self.mirror.lost.discard(uri)
        self.notify("textDocument/didClose", {"textDocument": {"uri": uri}})

    def ask(self) -> None:
        line, character = self.place()
        self.number += 1
        params = {
            "textDocument": {"uri": self.rng.choice(URIS)},
            "position": {"line": line, "character": character},
            "context": {"triggerKind": self.rng.choice([1, 2])},
            "query": "f",
        }
        method = self.rng.choice([m for m in METHODS if m.startswith("textDocument/") and "did" not in m])
        for _ in range(self.rng.choice([1, 1, 1, 2])):  # now and then the same id twice
            self.client.receive({"id": self.number, "method": method, "params": params})

    def sound_but_strange(self) -> None:
        """A method with parameters that have nothing to do with it, and never those that change a document."""
        method = self.rng.choice(METHODS)
        params = self.rng.choice(JUNK)
        if self.rng.random() < 0.5 and not method.startswith(("textDocument/did", "notebookDocument")):
            params = {
                name: self.rng.choice(JUNK) for name in ("textDocument", "position", "context", "id", "query", "event")
            }
        message: dict[str, Any] = {"method": method, "params": params}
        if self.rng.random() < 0.5:
            self.number += 1
            message["id"] = self.rng.choice([self.number, str(self.number), self.number - 1])
        self.client.receive(message)

    def broken(self) -> None:
        whole = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "codemoat/status", "params": {}}).encode()
        at = self.rng.randrange(len(whole))
        bodies = [
            whole[:at], whole[:at] + b"\xff" + whole[at:], b"", b"null", b"[1]", b'"x"', b"{}", b'{"jsonrpc": "2.0"}',
            json.dumps({"jsonrpc": "2.0", "id": self.rng.choice(JUNK), "result": self.rng.choice(JUNK)}).encode(),
            json.dumps({"jsonrpc": "2.0", "method": self.rng.choice(JUNK), "id": self.rng.choice(JUNK)}).encode(),
        ]  # fmt: skip
        self.client.receive_bytes(self.rng.choice(bodies))
