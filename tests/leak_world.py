"""A project full of secrets, a session that shows all of them to codemoat, and a search for what of them got out.

Every secret has a marker of its own, so that a hit says which way it took. Markers are letters and digits, the same in
JSON, in a log and in a URL, and looked for in any case: an index stores words in lower case.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from assistant.config import Config
from assistant.engine import Engine
from benchmarks.lsp_client import LspProcess, inline_params

MARKERS = {
    "file": "f1le9Kq7Zx81LmPd02",
    "settings": "s3t9Kb7Zx81LmQd02",
    "buffer": "b8ff3Rq7Vx81KmPd02",
    "unfinished": "u4f1n5Hq7Zx81LmWd02",
    "above": "a6bv0Lq7Zx81TmPd02",
    "selection": "5el3cTq7Zx81LmYd02",
    "untitled": "un71tLq7Zx81LmPd09",
    "question": "qu3s7Nq7Zx81LmPd02",
    "pasted": "p4st3Dq7Zx81LmJd02",
    "title": "t17l3Gq7Zx81LmPd02",
    "environment": "3nv1rNq7Zx81LmPd02",
    "key": "k3yK3yq7Zx81LmPd02VtYw93RbK4sN6uHjC5aE8fGo",
}
FILE = f"""import os

API_KEY = "{MARKERS["file"]}"


def fetch_invoice(number):
    return open_session(API_KEY).get(number)


def open_session(key):
    return Session(key)
"""
SETTINGS = f"invoice_service:\n  password: {MARKERS['settings']}\n  retries: 3\n"
KEY = "-----BEGIN RSA PRIVATE KEY-----\n" + f"{MARKERS['key']}\n" * 6 + "-----END RSA PRIVATE KEY-----\n"
BUFFER = f"""import os

API_KEY = "{MARKERS["buffer"]}"
SESSION = Session(password="{MARKERS["unfinished"]})


def fetch_invoice(number):
    password = "{MARKERS["above"]}"
    session =

def open_session(key):
    return Session(key)


def close_session(key):
    """
SELECTED = f"export INVOICE_TOKEN={MARKERS['selection']}\nexport INVOICE_RETRIES=3\n"
UNTITLED = f"INVOICE_API_KEY={MARKERS['untitled']}\nINVOICE_RETRIES=3\n"
LONG = "Where does fetch_invoice open a session, in words that make a long title of it, "
QUESTIONS = (
    f"How does fetch_invoice open a session with API_KEY={MARKERS['question']} here?",
    f"{LONG}if API_KEY={MARKERS['title']} is set?",
    f"Where is fetch_invoice called?\n```dotenv\nINVOICE_SECRET={MARKERS['pasted']}\n```",
    f"And what is {MARKERS['question']} in fetch_invoice of this file?",
)
FAILS = "Let fetch_invoice fail"
"""A question at which the local model fails with an error that quotes the prompt."""


def make_project(root: Path) -> Path:
    """A small repository with secrets of several kinds."""
    root.mkdir()
    (root / "invoices.py").write_text(FILE)
    (root / "service.yaml").write_text(SETTINGS)
    (root / "signing.py").write_text(f'KEY = """{KEY}"""\n\n\ndef sign_invoice(text):\n    return sign(KEY, text)\n')
    (root / "deploy.sh").write_text(SELECTED)
    (root / ".env").write_text(f"INVOICE_PASSWORD={MARKERS['environment']}\n")
    return root


def furnish(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let everything that is written land below ``home``."""
    for name in ("cache", "config", "data", "runtime", "home", "temporary"):
        (home / name).mkdir(parents=True)
    for name in ("CACHE", "CONFIG", "DATA", "RUNTIME"):
        monkeypatch.setenv(f"CODEMOAT_{name}_DIR", str(home / name.lower()))
    monkeypatch.setenv("HOME", str(home / "home"))
    monkeypatch.setenv("TMPDIR", str(home / "temporary"))
    monkeypatch.setenv("LEAK_LOG", str(home / "server.log"))
    monkeypatch.setenv("LEAK_STDERR", str(home / "stderr.log"))
    return home


def start(home: Path, project: Path) -> LspProcess:
    """A server over the project, its index ready."""
    options = {"editor": {"learning_log": True, "popup": True}}
    server = LspProcess(home, options=options, folders=[project], module="tests.leak_server")
    deadline = time.monotonic() + 120
    while server.ask("codemoat/status")["folders"][0]["state"] != "ready":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return server


def play_session(server: LspProcess, project: Path) -> list[dict[str, Any]]:
    """Edit, complete, ask, fail: everything that an editor does. Returns the suggestions."""
    file, untitled, script = (project / "invoices.py").as_uri(), "untitled:Untitled-1", (project / "deploy.sh").as_uri()
    server.open(file, BUFFER)
    server.open(untitled, UNTITLED, "dotenv")
    server.open(script, SELECTED, "shellscript")
    lines = BUFFER.split("\n")
    items: list[dict[str, Any]] = []
    for number, line in enumerate(lines):
        for column in sorted({0, len(line) // 2, len(line)}):
            for invoked in (False, True):
                found = server.ask(
                    "textDocument/inlineCompletion", inline_params(file, number, column, invoked=invoked)
                )
                items += found["items"]
                for item in found["items"]:
                    server.notify("codemoat/didShow", {"id": item["command"]["arguments"][0]})
                    server.ask("workspace/executeCommand", item["command"])
                server.ask("codemoat/why", {"textDocument": {"uri": file}})
    for uri in (untitled, script):
        items += server.ask("textDocument/inlineCompletion", inline_params(uri, 2, 0, invoked=True))["items"]
    place = {"textDocument": {"uri": file}, "position": {"line": 8, "character": 13}}
    items += [
        {"insertText": each["textEdit"]["newText"]} for each in server.ask("textDocument/completion", place)["items"]
    ]
    whole = {"start": {"line": 0, "character": 0}, "end": {"line": 9, "character": 0}}
    two = {"start": {"line": 0, "character": 0}, "end": {"line": 2, "character": 0}}
    shown = (
        {"selection": {"textDocument": {"uri": file}, "range": whole}},
        {"selection": {"textDocument": {"uri": script}, "range": two}},
        {"selection": {"textDocument": {"uri": untitled}, "range": two}},
        place,
    )
    conversation = None
    for question, what in zip(QUESTIONS, shown, strict=True):
        answer = server.ask("codemoat/chat/ask", {"question": question, "conversation": conversation, **what})
        assert not answer["notSaved"]
        conversation = answer["conversation"]
    server.ask("codemoat/chat/regenerate", {"conversation": conversation})
    server.answer(server.begin("codemoat/chat/ask", {"question": QUESTIONS[0] + FAILS, **place}))
    server.answer(server.begin("codemoat/chat/ask", {"question": [QUESTIONS[0]]}))
    title = f"Session with API_KEY={MARKERS['title']}"
    server.ask("codemoat/chat/rename", {"conversation": conversation, "title": title})
    server.ask("codemoat/search", {"query": "fetch_invoice session key"})
    server.edit(file, 2, (0, 0), (0, 0), f'SECRET = "{MARKERS["buffer"]}"\n')
    server.ask("textDocument/documentSymbol", {"textDocument": {"uri": file}})
    return items


def leaks(data: bytes) -> set[str]:
    """Names of the secrets whose marker is in ``data``."""
    lower = data.lower()
    return {name for name, marker in MARKERS.items() if marker.lower().encode() in lower}


def written(home: Path, project: Path) -> Iterator[tuple[str, set[str]]]:
    """Every file below ``home`` and every text of the index, which lies there compressed, with what leaked into it."""
    count = 0
    for path in sorted(home.rglob("*")):
        if path.is_file() and not path.is_relative_to(project):
            count += 1
            yield str(path.relative_to(home)), leaks(path.read_bytes() + os.fsencode(path.name))
    assert count > 5
    with Engine(Config(), project) as engine:
        for file in project.iterdir():
            yield f"index of {file.name}", leaks((engine.index.text(file.name) or "").encode())


def sent(requests: list[tuple[str, str, Any]], show: Callable[[list[int]], str]) -> Iterator[tuple[str, set[str]]]:
    """Every request to a model server with what leaked into it; ``show`` writes tokens out."""
    for _, path, body in requests:
        texts = [json.dumps(body, ensure_ascii=False)]
        if isinstance(body, dict):
            lists = [value for value in body.values() if isinstance(value, list)]
            texts += [show([token for token in value if isinstance(token, int)]) for value in lists]
        yield path, leaks("\n".join(texts).encode())
