"""No secret gets out: a whole session with a real server process over a real index, then every byte is searched."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from assistant.saved_chats import SavedChats
from benchmarks.common import ROOT
from tests import leak_world
from tests.leak_world import BUFFER, FILE, LONG, MARKERS, QUESTIONS
from tests.llama_fakes import FakeVocabulary
from tests.remote_world import ModelServer, serving

pytestmark = pytest.mark.slow


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return leak_world.furnish(tmp_path / "all", monkeypatch)


@pytest.fixture
def project(home: Path) -> Path:
    return leak_world.make_project(home / "project")


def check_written(home: Path, project: Path) -> None:
    """Nothing leaked into a file, and those files are there that could hold it."""
    found = dict(leak_world.written(home, project))
    assert {name: names for name, names in found.items() if names} == {}
    saved = next(c for c in SavedChats(project).list().conversations if c.title.startswith("Session with API_KEY=**"))
    assert len(saved.turns) >= len(QUESTIONS)
    assert [turn.question[:12] for turn in saved.turns[: len(QUESTIONS)]] == [question[:12] for question in QUESTIONS]
    assert (home / "server.log").read_text().count("textDocument/inlineCompletion") > 10
    assert (home / "data" / "learning.jsonl").read_text().count("\n") > 0


def test_the_search_finds_what_leaks(home: Path, project: Path) -> None:
    """A marker that is written anywhere is found: a test of the tests below."""
    assert leak_world.leaks(json.dumps({"x": FILE}).encode()) == {"file"}
    assert leak_world.leaks(BUFFER.lower().encode()) == {"buffer", "unfinished", "above"}
    assert {name for question in QUESTIONS for name in leak_world.leaks(question.encode())} == {
        "question", "title", "pasted"
    }  # fmt: skip
    requests = [("POST", "/completion", {"prompt": FakeVocabulary().tokenise(MARKERS["key"])})]
    assert list(leak_world.sent(requests, FakeVocabulary().show)) == [("/completion", {"key"})]
    assert len(LONG) == 80, "the title is cut off within the secret"


def test_a_session_with_a_local_model(home: Path, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAK_MODEL", "echo")
    server = leak_world.start(home, project)
    try:
        items = leak_world.play_session(server, project)
        limits = Path(f"/proc/{server.process.pid}/limits").read_text()
        logged = [n for n in server.notifications if n["method"] in ("window/logMessage", "window/showMessage")]
        server.close()
    finally:
        server.end()
    assert items, "there were suggestions"
    assert leak_world.leaks(json.dumps(items).encode()) == set()
    assert "****" not in json.dumps(items)
    assert leak_world.leaks(json.dumps(logged).encode()) == set()
    check_written(home, project)
    assert re.search(r"Max core file size +0 +0 ", limits), "a crash leaves no image of the memory"
    for log in ("server.log", "stderr.log"):
        assert "ValueError" in (home / log).read_text(), "the failure is there, without its message"


REMOTE = ("llama-server", "ollama", "openai", "chat only")


@pytest.mark.parametrize("kind", REMOTE)
def test_a_session_with_a_remote_model(home: Path, project: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    with serving("openai" if kind == "chat only" else kind) as model:
        if kind == "chat only":
            model.status["/v1/completions"] = (400, b'{"error": {"message": "suffix is not supported"}}')
            monkeypatch.setenv("CODEMOAT_MODEL_FILL_BY_CHAT", "true")
        model.says("open_session(number)")
        monkeypatch.setenv("CODEMOAT_MODEL_URL", model.url)
        server = leak_world.start(home, project)
        try:
            items = leak_world.play_session(server, project)
            server.close()
        finally:
            server.end()
        commands(project)
        check_sent(model, kind)
    assert items, "there were suggestions"
    check_written(home, project)


def check_sent(model: ModelServer, kind: str) -> None:
    """Nothing leaked into a request, and the requests are there that could hold it."""
    found = list(leak_world.sent(model.requests, FakeVocabulary().show))
    assert [(path, names) for path, names in found if names] == []
    paths = {
        "llama-server": {"/completion", "/tokenize"},
        "ollama": {"/api/generate", "/api/chat"},
        "openai": {"/v1/completions", "/v1/chat/completions"},
        "chat only": {"/v1/chat/completions"},
    }
    assert paths[kind] <= {path for path, _ in found}
    everything = json.dumps(model.requests)
    if kind != "llama-server":
        assert "fetch_invoice" in everything
        assert "API_KEY=**" in everything


def commands(project: Path) -> None:
    """The same from the command line."""
    for arguments, text in (
        (["ask", "--json", "--path", str(project), QUESTIONS[0]], ""),
        (["chat", "--json", "--path", str(project), "--resume"], "\n".join(q.replace("\n", " ") for q in QUESTIONS)),
        (["chat", "--json", "--path", str(project), "--resume", "--file", str(project / "deploy.sh")], "what is this?"),
        (["complete", "--json", "--path", str(project), "--stdin", f"{project / 'invoices.py'}:9:14"], BUFFER),
        (["complete", "--json", "--path", str(project), "--stdin", f"{project / 'invoices.py'}:3:14"], BUFFER),
    ):
        done = subprocess.run(
            [sys.executable, "-P", "-m", "assistant.cli.main", *arguments],
            input=text, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert leak_world.leaks(done.stderr.encode()) == set()
