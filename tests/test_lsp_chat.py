"""Conversations over the protocol, with a scripted model over a small real index."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from assistant.chat import WAITING
from assistant.config import Config
from assistant.engine import Engine
from assistant.errors import NoModelError
from assistant.llm import Waiting
from tests.lsp_world import Client, EndlessLLM, PatientLLM, play

DOCS = Path(__file__).parent.parent / "docs" / "schemas" / "lsp"
TEXT = "class Basket:\n    def total_price(self):\n        return sum(self.prices)\n"


def check(value: Any, name: str) -> Any:
    jsonschema.validate(value, json.loads((DOCS / f"{name}.json").read_text()))
    return value


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an index beside it, made once."""
    base = tmp_path_factory.mktemp("shop")
    root = base / "shop"
    root.mkdir()
    (root / "prices.py").write_text(TEXT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CODEMOAT_CACHE_DIR", str(base / "cache"))
        with Engine(Config(), root) as engine:
            engine.update_index()
    return root


@pytest.fixture
def project(indexed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CODEMOAT_CACHE_DIR", str(indexed.parent / "cache"))
    for name in ("CONFIG", "RUNTIME", "DATA"):
        monkeypatch.setenv(f"CODEMOAT_{name}_DIR", str(tmp_path / name.lower()))
    return indexed


async def ask(client: Client, question: str, **more: Any) -> Any:
    params = check({"question": question, **more}, "chat-ask-params")
    return check(await client.request("codemoat/chat/ask", params), "chat-answer")


def test_an_answer_is_streamed_cited_and_gone_on_with(project: Path):
    async def scene(client: Client) -> None:
        await client.initialize(project)
        first = await ask(client, "How is the total price of a basket made?", token=7)
        assert first["answer"] == "`total_price` sums the prices [prices.py:2-3]."
        assert first["citations"][0]["range"]["start"] == {"line": 1, "character": 0}
        assert first["citations"][0]["uri"] == (project / "prices.py").as_uri()
        events = [check(event, "chat-event") for event in client.of("codemoat/chat/event")]
        assert [event["kind"] for event in events][:2] == ["sources", "delta"]
        assert "".join(event.get("text", "") for event in events) == first["answer"]
        assert {(event["conversation"], event["token"]) for event in events} == {(first["conversation"], 7)}

        second = await ask(client, "and who calls it?", conversation=first["conversation"])
        assert (second["conversation"], second["questions"]) == (first["conversation"], 2)
        again = check({"conversation": first["conversation"]}, "chat-params")
        assert check(await client.request("codemoat/chat/regenerate", again), "chat-answer")["answer"] == "Somebody."

    play(scene, PatientLLM(["`total_price` sums the prices [prices.py:2-3].", "Nobody.", "Somebody."]))


def test_what_is_nowhere_is_said_before_the_model_speaks(project: Path):
    async def scene(client: Client) -> None:
        await client.initialize(project)
        answer = await ask(client, "How does the RedisCache use total_price?")
        first = next(e for e in client.of("codemoat/chat/event") if e["kind"] == "delta")
        assert first["text"] == "`RedisCache` occurs nowhere in this repository (1 file).\n\n"
        assert answer["answer"] == first["text"] + "`total_price` keeps it."

    play(scene, PatientLLM(["`total_price` keeps it."]))


def test_who_waits_is_told_why_until_the_answer_begins(project: Path):
    class Held(PatientLLM):
        def chat(self, *arguments: Any) -> Any:
            yield Waiting("completions")
            yield Waiting("")
            yield Waiting("question")
            yield from super().chat(*arguments)

    async def scene(client: Client) -> None:
        await client.initialize(project)
        answer = await ask(client, "What is a basket?", token=7)
        assert answer["answer"] == "A basket."
        events = [check(event, "chat-event") for event in client.of("codemoat/chat/event")]
        assert [(event["kind"], event.get("reason")) for event in events[:4]] == [
            ("sources", None), ("waiting", "completions"), ("waiting", ""), ("waiting", "question")
        ]  # fmt: skip
        assert [event["text"] for event in events[1:4]] == [WAITING[key] for key in ("completions", "", "question")]
        assert {event["kind"] for event in events[4:]} == {"delta"}

    play(scene, Held(["A basket."]))


def test_conversations_are_listed_opened_renamed_and_deleted(project: Path):
    async def scene(client: Client) -> None:
        await client.initialize(project)
        made = (await ask(client, "What is a basket?"))["conversation"]
        listed = check(await client.request("codemoat/chat/list", check({}, "chat-list-params")), "chat-list")
        assert [each["title"] for each in listed["conversations"]] == ["What is a basket?"]
        client.server.chat._sessions.clear()  # as after a restart
        opened = await client.request("codemoat/chat/open", {"conversation": made})
        (turn,) = check(opened, "chat-conversation")["turns"]
        assert (turn["question"], turn["answer"]) == ("What is a basket?", "A class.")
        assert turn["sources"][0]["path"] == "prices.py"
        params = check({"conversation": made, "title": "Baskets"}, "chat-rename-params")
        assert check(await client.request("codemoat/chat/rename", params), "chat-head")["title"] == "Baskets"
        assert (await ask(client, "and its price?", conversation=made))["questions"] == 2
        check(await client.request("codemoat/chat/delete", {"conversation": made}), "chat-delete")
        assert (await client.request("codemoat/chat/list"))["conversations"] == []
        error = await client.error("codemoat/chat/open", {"conversation": made})
        assert error["data"]["code"] == "bad_input"

    play(scene, PatientLLM(["A class.", "A number."]))


def test_what_is_selected_is_shown_to_the_model_as_it_stands_in_the_editor(project: Path):
    async def scene(client: Client) -> None:
        await client.initialize(project)
        uri = (project / "prices.py").as_uri()
        client.open(uri, TEXT + "def unsaved():\n    return 42\n# end\n")
        chosen = {"start": {"line": 3, "character": 2}, "end": {"line": 5, "character": 0}}
        answer = await ask(client, "What does this do?", selection={"textDocument": {"uri": uri}, "range": chosen})
        assert (answer["sources"][0]["origin"], answer["sources"][0]["range"]["start"]["line"]) == ("editor", 3)
        prompt = client.llm.calls[-1][0][-1].content
        assert "def unsaved():\n    return 42\n" in prompt
        assert "# end" not in prompt
        closed = {"textDocument": {"uri": "file:///nowhere.py"}, "range": chosen}
        error = await client.error("codemoat/chat/ask", {"question": "q", "selection": closed})
        assert error["message"].startswith("file:///nowhere.py is not open.")

    play(scene, PatientLLM(["It returns 42."]))


def test_stopping_ends_the_answer_with_what_was_said(project: Path):
    async def scene(client: Client) -> None:
        await client.initialize(project)
        asked = client.ask("codemoat/chat/ask", {"question": "What is a basket?", "token": "t"})
        await client.until(lambda: any(e["kind"] == "delta" for e in client.of("codemoat/chat/event")))
        params = check({"token": "t"}, "chat-stop-params")
        assert check(await client.request("codemoat/chat/stop", params), "chat-stop") == {"stopped": True}
        answer = (await asyncio.wait_for(asked, 60))["result"]
        assert answer["stopReason"] == "cancelled"
        assert answer["answer"].startswith("word")
        assert await client.request("codemoat/chat/stop") == {"stopped": False}

    play(scene, EndlessLLM())


def test_two_answers_with_one_token_are_both_stopped(project: Path):
    async def scene(client: Client) -> None:
        await client.initialize(project)
        asked = [client.ask("codemoat/chat/ask", {"question": f"What is a basket {n}?", "token": "t"}) for n in (1, 2)]

        def answering() -> set[str]:
            return {e["conversation"] for e in client.of("codemoat/chat/event") if e["kind"] == "delta"}

        await client.until(lambda: len(answering()) == 2)
        assert await client.request("codemoat/chat/stop", {"token": "t"}) == {"stopped": True}
        answers = [(await asyncio.wait_for(each, 60))["result"] for each in asked]
        assert [each["stopReason"] for each in answers] == ["cancelled", "cancelled"]

    play(scene, EndlessLLM())


async def answering(client: Client, token: Any) -> str:
    """Wait for the first words of an answer; its conversation."""

    def begun() -> list[dict[str, Any]]:
        return [e for e in client.of("codemoat/chat/event") if e["kind"] == "delta" and e["token"] == token]

    return str((await client.until(begun))[0]["conversation"])


async def settled(client: Client) -> None:
    """Let what the worker handed over be done."""
    await client.request("codemoat/status")
    await client.until(lambda: not client.server.chat._running)


def test_a_new_chat_ends_the_answer_that_is_shown_and_no_event_of_it_comes_late(project: Path):
    async def scene(client: Client) -> None:
        await client.initialize(project)
        old = client.ask("codemoat/chat/ask", {"question": "What is a basket?", "token": 1})
        first = await answering(client, 1)
        new = client.ask("codemoat/chat/ask", {"question": "What is a price?", "token": 2})
        before = len(client.sent)
        assert (await asyncio.wait_for(old, 60))["result"]["stopReason"] == "cancelled"
        assert await answering(client, 2) != first
        later = [m["params"] for m in client.sent[before:] if m.get("method") == "codemoat/chat/event"]
        assert {event["token"] for event in later} == {2}
        await client.request("codemoat/chat/stop", {"token": 2})
        assert (await asyncio.wait_for(new, 60))["result"]["questions"] == 1
        kept = await client.request("codemoat/chat/open", {"conversation": first})
        assert kept["turns"][0]["answer"].startswith("word")

    play(scene, EndlessLLM())


@pytest.mark.parametrize("same", [True, False], ids=["the same", "another"])
def test_opening_a_conversation_ends_the_answer_that_is_shown(project: Path, same: bool):
    async def scene(client: Client) -> None:
        await client.initialize(project)
        asked = client.ask("codemoat/chat/ask", {"question": "What is a basket?", "token": 1})
        earlier = await answering(client, 1)
        await client.request("codemoat/chat/stop", {"token": 1})
        await asyncio.wait_for(asked, 60)
        more = {"conversation": earlier} if same else {}
        asked = client.ask("codemoat/chat/ask", {"question": "What is a basket?", "token": 2, **more})
        await answering(client, 2)
        before = len(client.sent)
        opened = await client.request("codemoat/chat/open", {"conversation": earlier})
        assert len(opened["turns"]) == (2 if same else 1)
        assert (await asyncio.wait_for(asked, 60))["result"]["stopReason"] == "cancelled"
        await settled(client)
        assert not [m for m in client.sent[before:] if m.get("method") == "codemoat/chat/event"]

    play(scene, EndlessLLM())


def test_no_event_follows_the_response(project: Path):
    async def scene(client: Client) -> None:
        await client.initialize(project)
        asked = client.ask("codemoat/chat/ask", {"question": "What is a basket?", "token": 1}, "c")
        await answering(client, 1)
        client.notify("$/cancelRequest", {"id": "c"})
        assert "error" in await asyncio.wait_for(asked, 60)
        before = len(client.sent)
        await client.until(lambda: client.server.jobs.chat._idle == client.server.jobs.chat._threads)
        await settled(client)
        assert not [m for m in client.sent[before:] if m.get("method") == "codemoat/chat/event"]

    play(scene, EndlessLLM())


def test_a_conversation_deleted_while_it_is_answered_stays_deleted(project: Path):
    async def scene(client: Client) -> None:
        await client.initialize(project)
        asked = client.ask("codemoat/chat/ask", {"question": "What is a basket?"})
        await client.until(lambda: any(e["kind"] == "delta" for e in client.of("codemoat/chat/event")))
        made = client.of("codemoat/chat/event")[0]["conversation"]
        assert await client.request("codemoat/chat/delete", {"conversation": made}) == {"conversation": made}
        assert (await asyncio.wait_for(asked, 60))["result"]["stopReason"] == "cancelled"
        assert (await client.request("codemoat/chat/list"))["conversations"] == []

    play(scene, EndlessLLM())


def test_without_a_folder_or_a_model_one_sentence_says_what_to_do(project: Path):
    async def nowhere(client: Client) -> None:
        await client.initialize()
        error = await client.error("codemoat/chat/ask", {"question": "q"})
        assert error["message"] == "No folder is open that could be asked about. Open the folder of a project."

    play(nowhere)

    class Missing(PatientLLM):
        def chat(self, *arguments: Any) -> Any:
            raise NoModelError("The model is not there.", "Fetch it.")

    async def modelless(client: Client) -> None:
        await client.initialize(project)
        error = await client.error("codemoat/chat/ask", {"question": "What is a basket?"})
        assert (error["message"], error["data"]["code"]) == ("The model is not there. Fetch it.", "no_model")
        assert client.server.model.state == "missing"

    play(modelless, Missing())
