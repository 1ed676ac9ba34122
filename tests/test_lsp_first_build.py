"""Questions while a folder's index is built for the first time: they wait and say so, or say why there is none."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from assistant.config import Config
from assistant.engine import Engine
from lsp.first_build import TEXT
from lsp.indexing import FolderState
from tests.lsp_world import Client, PatientLLM, play

SCHEMA = json.loads((Path(__file__).parent.parent / "docs/schemas/lsp/chat-event.json").read_text())
SAID = "`total_price` sums the prices [prices.py:2-3]."


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder without an index."""
    for name in ("CACHE", "CONFIG", "RUNTIME", "DATA"):
        monkeypatch.setenv(f"CODEMOAT_{name}_DIR", str(tmp_path / name.lower()))
    root = tmp_path / "shop"
    root.mkdir()
    (root / "prices.py").write_text("class Basket:\n    def total_price(self):\n        return sum(self.prices)\n")
    return root


def ask(client: Client, **more: Any) -> asyncio.Future[dict[str, Any]]:
    return client.ask("codemoat/chat/ask", {"question": "How is the total price of a basket made?", **more})


def events(client: Client) -> list[dict[str, Any]]:
    found = client.of("codemoat/chat/event")
    for each in found:
        jsonschema.validate(each, SCHEMA)
    return found


def building(client: Client) -> FolderState:
    """The state of the only folder, whose index is being built from now on."""
    (state,) = client.server.indexing.states.values()
    state.state, state.problem = "indexing", ""
    return state


def test_a_question_waits_for_the_first_build_and_says_so(project: Path) -> None:
    async def scene(client: Client) -> None:
        await client.initialize(project)
        state = building(client)
        asked = ask(client, token=7)
        await client.until(lambda: events(client))
        assert events(client) == [
            {"conversation": None, "token": 7, "kind": "waiting", "reason": "index", "text": TEXT}
        ]
        assert not asked.done()
        assert client.server.indexing._worked_in() == {str(project)}  # so its turn comes before others
        with Engine(Config(), project) as engine:
            await asyncio.to_thread(engine.update_index)
        state.state = "ready"
        answer = (await client.until(lambda: asked.done() and asked.result()))["result"]
        assert answer["answer"] == SAID
        assert client.server.indexing._worked_in() == set()
        later = events(client)[1:]
        assert (later[0]["kind"], later[0]["reason"], later[0]["text"]) == ("waiting", "", "")
        assert [each["kind"] for each in later[1:3]] == ["sources", "delta"]
        assert {each["conversation"] for each in later[1:]} == {answer["conversation"]}

    play(scene, PatientLLM([SAID]))


@pytest.mark.slow
def test_a_question_in_a_fresh_folder_is_answered(project: Path) -> None:
    async def scene(client: Client) -> None:
        await client.initialize(project)
        asked = ask(client, token=7)
        answer = await client.until(lambda: asked.done() and asked.result())
        assert answer["result"]["answer"] == SAID
        assert [each["reason"] for each in events(client) if each["kind"] == "waiting"] in (["index", ""], [])

    play(scene, PatientLLM([SAID]), index=True)


def test_a_question_that_waits_for_the_build_is_stopped(project: Path) -> None:
    async def scene(client: Client) -> None:
        await client.initialize(project)
        building(client)
        asked = ask(client, token=7)
        await client.until(lambda: events(client))
        assert await client.request("codemoat/chat/stop", {"token": 7}) == {"stopped": True}
        error = (await client.until(lambda: asked.done() and asked.result()))["error"]
        assert error["message"] == "The question was stopped before the index was built. Ask again."
        assert client.server.chat._running == []

    play(scene, PatientLLM([SAID]))


@pytest.mark.parametrize("problem", ["The disk is full. Make room.", ""])
def test_a_build_that_fails_ends_the_wait(project: Path, problem: str) -> None:
    async def scene(client: Client) -> None:
        await client.initialize(project)
        state = building(client)
        asked = ask(client)
        await client.until(lambda: events(client))
        state.state, state.problem = ("failed" if problem else "stopped"), problem
        error = (await client.until(lambda: asked.done() and asked.result()))["error"]
        assert error["data"]["code"] == "no_index"
        expected = f"There is no index of shop. {problem}" if problem else "There is no index at "
        assert error["message"].startswith(expected)

    play(scene, PatientLLM([SAID]))


def test_where_no_index_is_built_the_error_says_why_at_once(project: Path) -> None:
    async def scene(client: Client) -> None:
        await client.initialize(project)  # with editor.index off
        error = (await ask(client))["error"]
        assert error["message"] == "There is no index of shop. Indexing is off: editor.index."
        assert events(client) == []

    play(scene, PatientLLM([SAID]))
