"""Suggestions over the protocol, with a scripted model: what is answered, and why not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.config import Config
from assistant.errors import HostError, NoModelError
from assistant.llm import Cancel, FillRequest, Generated, Sampling
from lsp.documents import MOST_CHARACTERS
from lsp.model import ModelRoom
from tests.lsp_world import Client, PatientLLM, edit, inline_params, play

URI = "file:///nowhere/a.py"


def test_a_suggestion_its_reason_and_its_acceptance():
    async def scene(client: Client) -> None:
        await client.initialize()
        client.open(URI, "é🦀 = \nrest\n")
        (item,) = await client.inline(URI, 0, 6)
        assert item["insertText"] == "compute(a)"
        place = {"line": 0, "character": 6}
        assert item["range"] == {"start": place, "end": place}
        why = await client.why(URI)
        assert (why["outcome"], why["text"], why["line"], why["character"]) == ("suggested", "compute(a)", 0, 6)
        assert why["reason"] == "The model completed the line."
        await client.request("workspace/executeCommand", item["command"])
        assert (await client.why(URI))["fate"] == "accepted"
        status = await client.request("codemoat/status")
        assert status["suggestions"]["counts"] == {"suggested": 1, "accepted": 1}
        assert status["model"]["state"] == "ready"

    play(scene, PatientLLM(["compute(a)"]))


def test_going_on_typing_asks_the_model_once():
    async def scene(client: Client) -> None:
        await client.initialize()
        client.server.client_tells_shown = True
        client.open(URI, "x = \n")
        await client.inline(URI, 0, 4)
        for number, letter in enumerate("com"):
            client.change(URI, 2 + number, edit((0, 4 + number), (0, 4 + number), letter))
            (item,) = await client.inline(URI, 0, 5 + number)
            assert item["insertText"] == "compute(a)"[number + 1 :]
            assert (await client.why())["reused"] is True
        assert len(client.llm.calls) == 1

    play(scene, PatientLLM(["compute(a)"]))


def test_what_is_shown_is_followed_by_what_comes_next():
    async def scene(client: Client) -> None:
        await client.initialize(experimental={"codemoat": {"didShow": True}})
        client.open(URI, "x = \n")
        (item,) = await client.inline(URI, 0, 4)
        assert len(client.llm.calls) == 1
        client.notify("codemoat/didShow", {"id": item["command"]["arguments"][0]})
        await client.until(lambda: len(client.llm.calls) == 2)

    play(scene, PatientLLM(["1", " + 2"]))


def test_the_selected_entry_begins_the_suggestion():
    async def scene(client: Client) -> None:
        await client.initialize()
        client.open(URI, "x = comp\n")
        selected = {"text": "compute", "range": {"start": at(0, 4), "end": at(0, 8)}}
        (item,) = await client.inline(URI, 0, 8, selectedCompletionInfo=selected)
        assert item["insertText"] == "compute(a)"
        assert item["range"] == selected["range"]
        assert client.llm.calls[0][0].prefix == "x = compute"

    play(scene, PatientLLM(["(a)"]))


def at(line: int, character: int) -> dict[str, int]:
    return {"line": line, "character": character}


def test_a_suggestion_that_retypes_what_follows_replaces_it():
    async def scene(client: Client) -> None:
        await client.initialize()
        client.open(URI, "def f()\n")
        (item,) = await client.inline(URI, 0, 6)
        assert item["insertText"] == "a, b) -> int:"
        assert item["range"] == {"start": at(0, 6), "end": at(0, 7)}

    play(scene, PatientLLM(["a, b) -> int:"]))


@pytest.mark.parametrize(
    ("options", "language", "reason"),
    [
        ({"editor.enabled": False}, "python", "Suggestions are off: editor.enabled."),
        ({"editor.automatic": False}, "python", "Suggestions come only when asked for"),
        ({"editor": {"languages_off": ["bash"]}}, "shellscript", "Suggestions are off for bash"),
        ({"editor": {"languages_off": ["shellscript"]}}, "shellscript", "Suggestions are off for bash"),
        ({}, "gitcommit", "Suggestions are off for gitcommit, which is not code: editor.languages_on turns them on."),
        ({}, "git-commit", "Suggestions are off for git-commit"),
        ({}, "git-rebase", "Suggestions are off for git-rebase"),
        ({}, "mail", "Suggestions are off for mail"),
        ({"editor": {"languages_on": ["gitcommit"]}}, "gitrebase", "Suggestions are off for gitrebase"),
        (
            {"editor": {"languages_on": ["mail"], "languages_off": ["mail"]}},
            "mail",
            "Suggestions are off for text: editor.languages_off",
        ),
    ],
)
def test_what_is_off_says_so(options, language, reason):
    async def scene(client: Client) -> None:
        await client.initialize(options=options)
        client.open("untitled:a", "x = ", language)
        assert await client.inline("untitled:a", 0, 4) == []
        why = await client.why("untitled:a")
        assert why["outcome"] == "off"
        assert why["reason"].startswith(reason)
        assert not client.llm.calls

    play(scene)


@pytest.mark.parametrize("by_setting", [True, False])
def test_a_commit_message_gets_suggestions_where_they_are_turned_on(by_setting):
    async def scene(client: Client) -> None:
        await client.initialize(options={"editor.languages_on": ["git-commit"]} if by_setting else {})
        client.open("untitled:a", "Fix the ", "git-commit")
        if not by_setting:
            toggle = {"command": "codemoat.toggle", "arguments": ["git-commit"]}
            assert (await client.request("codemoat/status", {}))["suggestions"]["languagesOff"] == ["git-commit"]
            assert (await client.request("workspace/executeCommand", toggle))["enabled"] is True
        assert (await client.request("codemoat/status", {}))["suggestions"]["languagesOff"] == []
        (item,) = await client.inline("untitled:a", 0, 8)
        assert item["insertText"] == "index"

    play(scene, PatientLLM(["index"]))


def test_snooze_and_toggle():
    async def scene(client: Client) -> None:
        await client.initialize()
        client.open(URI, "x = ")
        command = "workspace/executeCommand"
        await client.request(command, {"command": "codemoat.snooze", "arguments": [5]})
        assert await client.inline(URI, 0, 4) == []
        assert (await client.why())["reason"] == "Suggestions are snoozed for another 5 min."
        assert len(await client.inline(URI, 0, 4, invoked=True)) == 1
        await client.request(command, {"command": "codemoat.snooze", "arguments": [0]})
        toggled = await client.request(command, {"command": "codemoat.toggle", "arguments": ["python"]})
        assert toggled == {"language": "python", "enabled": False}
        assert await client.inline(URI, 0, 4, invoked=True) == []
        await client.request(command, {"command": "codemoat.toggle", "arguments": ["python"]})
        assert len(await client.inline(URI, 0, 4)) == 1
        for bad in (
            {"command": "no"},
            {"command": "codemoat.snooze", "arguments": ["x"]},
            {"command": "codemoat.toggle"},
        ):
            assert "message" in await client.error(command, bad)

    play(scene, PatientLLM(["1"]))


def test_a_document_that_is_too_large_is_kept_in_step_and_says_so_once():
    async def scene(client: Client) -> None:
        await client.initialize()
        client.open(URI, "x" * MOST_CHARACTERS + "y")
        client.change(URI, 2, edit((0, 0), (0, 0), "z"))
        assert await client.inline(URI, 0, 1) == []
        assert "too large" in (await client.why())["reason"]
        found = await client.request("codemoat/document", {"textDocument": {"uri": URI}})
        assert found["characters"] == MOST_CHARACTERS + 2
        assert len([m for m in client.of("window/logMessage") if "too large" in m["message"]]) == 1

    play(scene)


def test_ignored_and_secret_files_get_nothing_and_say_why(tmp_path: Path):
    (tmp_path / ".codemoatignore").write_text("private/\n")

    async def scene(client: Client) -> None:
        await client.initialize(tmp_path)
        for name, reason in (("private/a.py", ".codemoatignore, line 1: private/"), (".env", "no suggestions")):
            uri = (tmp_path / name).as_uri()
            client.open(uri, "x = ", "python")
            assert await client.inline(uri, 0, 4) == []
            assert reason in (await client.why(uri))["reason"]
        uri = (tmp_path / "public.py").as_uri()
        client.open(uri, "x = ")
        assert len(await client.inline(uri, 0, 4)) == 1

    play(scene, PatientLLM(["1"]))


def test_a_host_that_dies_while_nobody_waits_is_told():
    class Dying(PatientLLM):
        def fill(self, request: FillRequest, sampling: Sampling, cancel: Cancel | None = None) -> Iterator[Generated]:
            if sampling.max_tokens == 0 and request.prefix.startswith("y"):
                raise HostError("It died.", "Try again.")
            return super().fill(request, sampling, cancel)

    async def scene(client: Client) -> None:
        await client.initialize()
        client.open(URI, "x = \n")
        assert len(await client.inline(URI, 0, 4)) == 1
        client.open("untitled:other", "y = \n")
        await client.until(lambda: client.server.model.state == "failed")
        assert [m["message"] for m in client.of("window/showMessage")] == ["It died. Try again."]

    play(scene, Dying(["1"]))


def test_a_host_that_dies_is_told_once_and_asked_again_after_a_pause():
    async def scene(client: Client) -> None:
        await client.initialize()
        client.open(URI, "x = \n\ny = ")
        await client.until(lambda: client.server.model.state == "ready")
        assert await client.inline(URI, 0, 4) == []
        assert (await client.why())["reason"] == "It died. Try again."
        assert await client.inline(URI, 2, 4) == []
        assert (await client.why())["reason"] == "It died. Tried again in 1 s."
        assert (await client.request("codemoat/status"))["model"]["state"] == "failed"
        client.llm.failure = None
        client.server.model._not_before = 0.0
        assert len(await client.inline(URI, 2, 4)) == 1
        assert (await client.request("codemoat/status"))["model"] == {
            "name": "qwen2.5-coder-0.5b", "loaded": "fake", "state": "ready", "problem": "", "failures": 1,
        }  # fmt: skip
        assert [m["message"] for m in client.of("window/showMessage")] == ["It died. Try again."]

    play(scene, PatientLLM(["abcdef", "1"], failure=HostError("It died.", "Try again."), fail_after=1))


def test_what_one_dead_host_fails_is_one_failure():
    now = [0.0]
    room = ModelRoom(Config, lambda _: pytest.fail("nothing is completed"), lambda: None, clock=lambda: now[0])
    died = HostError("It died.", "Try again.")
    assert room.failed(died)
    assert not room.failed(died), "what was evaluated ahead failed with it"
    now[0] = 1.1
    assert room.blocked is None
    room.failed(died)
    now[0] = 2.2
    assert room.blocked == "It died. Tried again in 1 s.", "two seconds after the second one"


class MissingLLM(PatientLLM):
    @property
    def info(self):
        raise NoModelError("It is not here.", "Fetch it.")


def test_a_missing_model_is_offered_once_and_never_fetched_unasked(monkeypatch):
    fetched: list[str] = []
    monkeypatch.setattr("assistant.models.pull", lambda name, **_: fetched.append(name))
    monkeypatch.setattr("assistant.engine.Engine.missing_model", property(lambda self: _entry()))

    async def scene(client: Client) -> None:
        await client.initialize()
        client.open(URI, "x = ")
        for _ in range(3):
            assert await client.inline(URI, 0, 4) == []
        assert (await client.why())["outcome"] == "failed"
        (asked,) = await client.until(lambda: client.of("window/showMessageRequest"))
        assert "is not on this machine" in asked["message"]
        assert len(asked["actions"]) == 2
        assert (await client.request("codemoat/status"))["model"]["state"] == "missing"

    play(scene, MissingLLM())
    assert not fetched


def _entry():
    from assistant.models import find_model

    return find_model("qwen2.5-coder-0.5b")


def test_the_list_of_completions_has_it_only_where_wanted():
    async def scene(client: Client) -> None:
        await client.initialize(options={"editor.popup": True})
        client.open(URI, "x = \n")
        found = await client.request("textDocument/completion", {"textDocument": {"uri": URI}, "position": at(0, 4)})
        (item,) = found["items"]
        assert (item["label"], item["textEdit"]["newText"]) == ("1", "1")
        assert item["sortText"] < "!"
        assert "\0" not in json.dumps(item).encode().decode("unicode_escape"), "Emacs takes no message with a NUL"

    async def half_a_word(client: Client) -> None:
        await client.initialize(options={"editor.popup": True})
        client.open(URI, "é🦀 = comp\n")
        found = await client.request("textDocument/completion", {"textDocument": {"uri": URI}, "position": at(0, 10)})
        (item,) = found["items"]
        assert (item["label"], item["filterText"], item["textEdit"]["newText"]) == ("compute(a)",) * 3
        assert item["textEdit"]["range"] == {"start": at(0, 6), "end": at(0, 10)}

    async def unwanted(client: Client) -> None:
        await client.initialize()
        client.open(URI, "x = \n")
        found = await client.request("textDocument/completion", {"textDocument": {"uri": URI}, "position": at(0, 4)})
        assert found["items"] == []

    play(scene, PatientLLM(["1"]))
    play(half_a_word, PatientLLM(["ute(a)"]))
    play(unwanted, PatientLLM(["1"]))


def test_of_many_requests_the_latest_is_answered():
    async def scene(client: Client) -> None:
        await client.initialize()
        client.open(URI, "a = 1\n" * 40 + "x = \n")
        asked = [client.ask("textDocument/inlineCompletion", inline_params(URI, 40, n % 5)) for n in range(40)]
        answers = await asyncio.wait_for(asyncio.gather(*asked), 20)
        assert all("result" in answer for answer in answers)
        assert len(answers[-1]["result"]["items"]) == 1

    play(scene, PatientLLM(["one", "two", "three", "four", "five", "six", "7", "8", "9"] * 9))


def test_a_cell_of_a_notebook_is_completed_with_the_cells_before_it():
    async def scene(client: Client) -> None:
        await client.initialize()
        cells = [{"kind": 2, "document": f"vscode-notebook-cell:/n.ipynb#{n}"} for n in range(2)]
        texts = [
            {"uri": cell["document"], "languageId": "python", "version": 1, "text": text}
            for cell, text in zip(cells, ("import os\n", "x = os."), strict=True)
        ]
        notebook = {"uri": "file:///n.ipynb", "notebookType": "jupyter-notebook", "version": 1, "cells": cells}
        client.notify("notebookDocument/didOpen", {"notebookDocument": notebook, "cellTextDocuments": texts})
        (item,) = await client.inline(cells[1]["document"], 0, 7)
        assert item["insertText"] == "getcwd()"
        assert client.llm.calls[0][0].prefix == "import os\n\nx = os."
        text = {"document": {"uri": cells[0]["document"], "version": 2}, "changes": [{"text": "import os, re\n"}]}
        change = {"version": 2, "uri": "file:///n.ipynb"}
        client.notify(
            "notebookDocument/didChange", {"notebookDocument": change, "change": {"cells": {"textContent": [text]}}}
        )
        found = await client.request("codemoat/document", {"textDocument": {"uri": cells[0]["document"]}})
        assert found["characters"] == len("import os, re\n")

    play(scene, PatientLLM(["getcwd()"]))


def test_the_prompt_is_evaluated_where_somebody_reads():
    async def scene(client: Client) -> None:
        await client.initialize()
        client.open(URI, "a = 1\n" * 60)
        await client.until(lambda: client.llm.warmed)
        assert client.llm.warmed[0].prefix == "a = 1\n" * 40
        client.notify("codemoat/didMoveCursor", {"textDocument": {"uri": URI}, "position": at(2, 1)})
        await client.until(lambda: client.llm.warmed[-1].prefix == "a = 1\na = 1\na")
        assert not client.llm.calls

    play(scene)
