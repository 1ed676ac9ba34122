"""The entry in the list of completions: in time or not at all, and inserted whole; and what ``why`` tells of it."""

from __future__ import annotations

import ast
import asyncio
import importlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import assistant.completion
from assistant.completion.pace import Pace
from assistant.llm import Cancel, FillRequest, Generated, Sampling
from lsp.decisions import REASONS, Decision, Decisions
from tests.lsp_world import Client, PatientLLM, edit, play

URI = "file:///nowhere/a.py"
ON = {"editor.popup": True}
OURS = {"codemoat": {"didShow": True}}
# What ALE says of itself in `initialize`, and nvim-cmp and coc.nvim.
ALE = {
    "dynamicRegistration": False,
    "completionItem": {
        "snippetSupport": False,
        "commitCharactersSupport": False,
        "documentationFormat": ["plaintext", "markdown"],
        "deprecatedSupport": False,
        "preselectSupport": False,
    },
    "contextSupport": False,
}
CMP = {"completionItem": {"snippetSupport": True, "labelDetailsSupport": True, "insertReplaceSupport": True}}
COC = {"contextSupport": True, "completionItem": {"snippetSupport": True, "preselectSupport": True}}


class HeldLLM(PatientLLM):
    """Writes nothing until it is let go."""

    def __init__(self, script: list[str]) -> None:
        super().__init__(script)
        self.free = threading.Event()
        self.asked = 0

    def fill(self, request: FillRequest, sampling: Sampling, cancel: Cancel | None = None) -> Iterator[Generated]:
        if sampling.max_tokens:
            self.asked += 1
            assert self.free.wait(60)
        return super().fill(request, sampling, cancel)


async def popup(client: Client, line: int, character: int) -> dict[str, Any]:
    params = {"textDocument": {"uri": URI}, "position": {"line": line, "character": character}}
    found: dict[str, Any] = await client.request("textDocument/completion", params)
    return found


def test_the_list_comes_in_time_without_a_suggestion_and_the_next_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    llm = HeldLLM(["compute(a)"])

    async def scene(client: Client) -> None:
        await client.initialize(options=ON)
        client.open(URI, "x = \n")
        with monkeypatch.context() as patch:
            patch.setattr("lsp.popup.LIMIT", 0.0)
            assert await popup(client, 0, 4) == {"isIncomplete": True, "items": []}
        assert client.server.decisions.find() is None
        llm.free.set()
        await client.until(lambda: client.server.decisions.find())
        assert client.server.decisions.counts["shown"] == 0
        (item,) = (await popup(client, 0, 4))["items"]
        assert item["textEdit"]["newText"] == "compute(a)"
        assert client.server.model.present.counts["model"] == 1

    play(scene, llm)


def test_the_next_key_has_what_was_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    llm = HeldLLM(["compute(a)"])

    async def scene(client: Client) -> None:
        await client.initialize(options=ON)
        client.open(URI, "x = \n")
        with monkeypatch.context() as patch:
            patch.setattr("lsp.popup.LIMIT", 0.0)
            await popup(client, 0, 4)
        await client.until(lambda: llm.asked)
        client.change(URI, 2, edit((0, 4), (0, 4), "c"))
        asked = asyncio.ensure_future(popup(client, 0, 5))
        await client.settle()
        llm.free.set()
        (item,) = (await asked)["items"]
        assert item["textEdit"]["newText"] == "compute(a)"
        assert client.server.model.present.counts["model"] == 1

    play(scene, llm)


@pytest.mark.parametrize("capabilities", [CMP, COC, {}], ids=["nvim-cmp", "coc", "unknown"])
def test_the_inserted_text_is_whole(capabilities: dict[str, Any]) -> None:
    async def scene(client: Client) -> None:
        await client.initialize(options=ON, textDocument={"completion": capabilities})
        client.open(URI, "x = comp\n")
        (item,) = (await popup(client, 0, 8))["items"]
        assert (item["label"], item["insertText"], item["textEdit"]["newText"]) == ("compute(a) + (b)",) * 3
        assert item["insertTextFormat"] == 1

    play(scene, PatientLLM(["ute(a) + (b)"]))


def cut_by_ale(item: dict[str, Any]) -> str:
    """What ALE inserts: ``autoload/ale/completion.vim``, ``ale#completion#ParseLSPCompletions``."""
    plain = item.get("insertTextFormat", 1) == 1 and isinstance(item.get("textEdit"), dict)
    text = str(item["textEdit"]["newText"] if plain else item.get("insertText", item["label"]))
    return text.partition("(")[0]


@pytest.mark.parametrize(
    ("typed", "written", "inserted"),
    [
        ("x = comp", "ute(a) + (b)", "compute"),
        ("x = ", "total + 1", "total + 1"),
        ("x = compute(", "a, b)", "a, b)"),
        ("x = compute", "(a)", None),
        ("x = ", "(a, b)", None),
    ],
)
def test_in_ale_an_entry_shows_what_it_inserts(typed: str, written: str, inserted: str | None) -> None:
    async def scene(client: Client) -> None:
        await client.initialize(options=ON, textDocument={"completion": ALE})
        client.open(URI, typed + "\n")
        items = (await popup(client, 0, len(typed)))["items"]
        if inserted is None:
            assert items == []
            return
        (item,) = items
        assert (item["label"], cut_by_ale(item)) == (inserted, inserted)

    play(scene, PatientLLM([written]))


def test_why_is_about_the_suggestion_that_was_shown_last() -> None:
    async def scene(client: Client) -> None:
        await client.initialize(experimental=OURS)
        client.open(URI, "x = \ny = \nz = \n")
        await client.inline(URI, 0, 4, invoked=True)
        shown = (await client.why(URI))["id"]
        client.notify("codemoat/didShow", {"id": shown})
        await client.inline(URI, 1, 4, invoked=True)  # suggested, and never shown
        await client.inline(URI, 2, 4, invoked=True)  # nothing
        assert client.server.decisions.find().outcome == "nothing"
        for asked in (await client.why(URI), await client.why()):
            assert (asked["id"], asked["text"]) == (shown, "1")
        # Who types on and gets nothing means that.
        client.change(URI, 2, edit((0, 0), (0, 0), "w"))
        await client.inline(URI, 2, 4, invoked=True)
        assert (await client.why(URI))["outcome"] == "nothing"

    class Scripted(PatientLLM):
        """By place, since other suggestions and what is generated ahead ask too."""

        def fill(self, request: FillRequest, sampling: Sampling, cancel: Cancel | None = None) -> Iterator[Generated]:
            self.script = [{"x": " 1", "y": " 2"}.get(request.prefix.rpartition("\n")[2][:1], "")]
            return super().fill(request, sampling, cancel)

    play(scene, Scripted())


def test_a_cancelled_request_explains_nothing_unless_it_is_all_there_is() -> None:
    decisions = Decisions()

    def add(outcome: str) -> Decision:
        return decisions.add(Decision(decisions.next_id(), URI, 1, 0, 4, "automatic", outcome, REASONS["line"]))

    cancelled = add("cancelled")
    assert decisions.why(URI, told=True) is cancelled
    unseen = add("suggested")  # the text had changed when it came, so it was not shown
    add("cancelled")
    assert decisions.why(URI, told=True) is unseen
    refused = add("nothing")
    add("cancelled")
    assert decisions.why(URI, told=True) is refused
    decisions.tell(unseen.id, "shown")
    add("cancelled")
    assert decisions.why(URI, told=True) is unseen


def test_every_reason_of_completion_has_a_sentence() -> None:
    reasons: set[str] = set()
    for file in Path(assistant.completion.__path__[0]).glob("*.py"):
        module = importlib.import_module(f"assistant.completion.{file.stem}")
        for call in (node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)):
            given = [each.value for each in call.keywords if each.arg == "reason"]
            if isinstance(call.func, ast.Name) and call.func.id == "Trimmed":
                given += call.args[1:2]
            for leaf in (leaf for each in given for leaf in ast.walk(each)):
                found = leaf.value if isinstance(leaf, ast.Constant) else None
                found = getattr(module, leaf.id, None) if isinstance(leaf, ast.Name) else found
                reasons |= {found} if isinstance(found, str) else set()
    assert {"line", "repeats", "syntax", "secret-text", "length", "begun"} <= reasons
    assert reasons <= REASONS.keys()


def test_a_request_that_a_newer_one_cancels_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    def wait(_: Pace) -> float:
        waits.append(60.0)
        return waits[-1]

    monkeypatch.setattr(Pace, "wait", wait)

    async def scene(client: Client) -> None:
        await client.initialize(experimental=OURS)
        client.open(URI, "x = \ny = \n")
        first = asyncio.ensure_future(client.inline(URI, 0, 4))
        await client.until(lambda: waits)  # for the next key
        await client.inline(URI, 1, 4, invoked=True)
        assert await first == []
        assert client.server.decisions.counts == {"cancelled": 1, "suggested": 1}

    play(scene, PatientLLM(["1"]))


def test_the_times_count_from_the_request() -> None:
    llm = HeldLLM(["1"])

    async def scene(client: Client) -> None:
        now = [1_000.0]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("lsp.inline.time.time", lambda: now[0])
            await client.initialize()
            client.open(URI, "x = \n")
            asked = asyncio.ensure_future(client.inline(URI, 0, 4, invoked=True))
            await client.until(lambda: llm.asked)
            now[0] += 7.0
            llm.free.set()
            await asked
            why = await client.why(URI)
        assert (why["at"], why["timings"]["total_ms"]) == (1_000.0, 7_000.0)

    play(scene, llm)
