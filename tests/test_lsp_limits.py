"""Messages that are too much: each list and each document has a limit, and beyond it one thing happens, which is told.

What is counted is what would take time: objects made, files looked at, processes started, texts kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lsp import documents as documents_module
from lsp import notifications, options, server, sync
from lsp.documents import Documents
from lsp.framing import sample_of
from tests.lsp_world import Client, PatientLLM, edit, play

URI = "file:///nowhere/a.py"
OTHER = "file:///nowhere/b.py"


def logged(client: Client) -> list[str]:
    return [params["message"] for params in client.of("window/logMessage")]


async def digest(client: Client, uri: str = URI) -> Any:
    return await client.request("codemoat/document", {"textDocument": {"uri": uri}})


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("x" * 4_000_001, "4,000,001 characters, the limit is 4,000,000"),
        ("é\n" * 400_001, "400,001 lines, the limit is 400,000"),
        ("\r" * 400_001, "400,001 lines"),
    ],
    ids=["one line", "lines", "carriage returns"],
)
def test_a_document_beyond_the_limits_is_not_kept_and_that_is_told_once(text: str, what: str) -> None:
    async def scene(client: Client) -> None:
        await client.initialize()
        client.open(URI, text)
        client.change(URI, 2, edit((0, 0), (0, 0), "y"))
        assert await client.inline(URI, 0, 0, invoked=True) == []
        assert "too large for codemoat" in (await client.why())["reason"]
        assert await client.request("textDocument/documentSymbol", {"textDocument": {"uri": URI}}) is None
        assert await digest(client) is None
        assert [line for line in logged(client) if "a.py" in line] == [line for line in logged(client) if what in line]
        assert len([line for line in logged(client) if what in line]) == 1
        assert client.server.documents.held == 0
        # An edit cannot bring the text back, a whole text can.
        client.change(URI, 3, edit((0, 0), (999_999, 0), ""))
        assert await digest(client) is None
        client.change(URI, 4, {"text": "x = 1\n"}, edit((0, 4), (0, 5), "2"))
        assert (await digest(client))["characters"] == 6
        assert client.server.documents.open[URI].lines == ["x = 2\n", ""]

    play(scene, PatientLLM(["1"]))


def test_a_document_that_grows_beyond_the_limit_is_forgotten() -> None:
    async def scene(client: Client) -> None:
        await client.initialize()
        client.open(URI, "x" * 3_999_999)
        assert (await digest(client))["characters"] == 3_999_999
        client.change(URI, 2, edit((0, 0), (0, 0), "yy"), edit((0, 0), (0, 2), ""))
        assert await digest(client) is None

    play(scene)


def test_a_question_about_a_document_that_is_not_kept_is_refused_or_goes_without_it(tmp_path: Path) -> None:
    async def scene(client: Client) -> None:
        await client.initialize(tmp_path)
        client.open(URI, "x" * 4_000_001)
        place = {"line": 0, "character": 0}
        selection = {"textDocument": {"uri": URI}, "range": {"start": place, "end": place}}
        error = await client.error("codemoat/chat/ask", {"question": "What?", "selection": selection})
        assert "too large for codemoat" in error["message"]
        error = await client.error("codemoat/chat/ask", {"question": "What?", "textDocument": {"uri": URI}})
        assert "too large" not in error["message"]  # there is no index here, which is another matter

    play(scene)


def test_there_is_a_limit_to_how_many_documents_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents_module, "MOST_DOCUMENTS", 3)

    async def scene(client: Client) -> None:
        await client.initialize()
        for number in range(50):
            client.open(f"file:///n/{number}.py", "x")
            client.change(f"file:///n/{number}.py", 2, edit((0, 0), (0, 0), "y"))
        assert (await client.request("codemoat/status"))["documents"] == 3
        assert len([line for line in logged(client) if "documents are open" in line]) == 1
        assert await digest(client, "file:///n/3.py") is None
        client.notify("textDocument/didClose", {"textDocument": {"uri": "file:///n/0.py"}})
        client.open("file:///n/3.py", "z")
        assert (await digest(client, "file:///n/3.py"))["characters"] == 1

    play(scene)


def test_there_is_a_limit_to_all_texts_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents_module, "MOST_CHARACTERS_OF_ALL", 10)

    async def scene(client: Client) -> None:
        await client.initialize()
        client.open(URI, "12345")
        client.open(OTHER, "12345")
        client.change(OTHER, 2, edit((0, 0), (0, 0), "6"))
        assert (await digest(client))["characters"] == 5
        assert await digest(client, OTHER) is None
        assert client.server.documents.held == 5
        client.notify("textDocument/didClose", {"textDocument": {"uri": URI}})
        client.change(OTHER, 3, {"text": "1234567"})
        assert (await digest(client, OTHER))["characters"] == 7
        client.open(OTHER, "1")  # again, without a close between
        assert client.server.documents.held == 1

    play(scene)


def test_more_changes_than_the_limit_put_a_document_out_of_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifications, "MOST_CHANGES", 50)
    made = 0

    def counting(change: Any) -> Any:
        nonlocal made
        made += 1
        return read(change)

    read = notifications._change
    monkeypatch.setattr(notifications, "_change", counting)

    async def scene(client: Client) -> None:
        await client.initialize()
        client.open(URI, "")
        client.change(URI, 2, *[edit((0, 0), (0, 0), "x")] * 50)
        assert ((await digest(client))["characters"], made) == (50, 50)
        client.change(URI, 3, *[edit((0, 0), (0, 0), "x")] * 51)
        assert (await digest(client), made) == (None, 50)
        assert len([line for line in logged(client) if "could not be read" in line]) == 1

    play(scene)


WRONG: list[Any] = [
    {"range": {"start": {"line": -1, "character": 0}, "end": {"line": 0, "character": 0}}, "text": "x"},
    {"range": {"start": {"line": 0.5, "character": 0}, "end": {"line": 0, "character": 0}}, "text": "x"},
    {"range": {"start": {"line": "0", "character": 0}, "end": {"line": 0, "character": 0}}, "text": "x"},
    {"range": {"start": {"line": True, "character": 0}, "end": {"line": 0, "character": 0}}, "text": "x"},
    {"range": {"start": {"line": 0, "character": 0}}, "text": "x"},
    {"range": [], "text": "x"},
    {"text": None},
    {"text": 3},
    {},
    None,
    "x",
]


@pytest.mark.parametrize("wrong", WRONG, ids=repr)
def test_a_change_that_cannot_be_read_leaves_no_text_that_differs_from_the_editors(wrong: Any) -> None:
    async def scene(client: Client) -> None:
        await client.initialize()
        client.open(URI, "a")
        client.open(OTHER, "b")
        client.change(URI, 2, edit((0, 0), (0, 0), "x"), wrong)
        assert await digest(client) is None
        assert (await digest(client, OTHER))["characters"] == 1
        client.open(URI, "ab")
        assert (await digest(client))["characters"] == 2

    play(scene)


def body_of(method: str, params: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "method": method, "params": params}).encode()


CHANGE = {"textDocument": {"uri": URI, "version": 2}, "contentChanges": [edit((0, 0), (0, 0), "x")]}
NAMED = body_of("textDocument/didChange", CHANGE)


@pytest.mark.parametrize(
    ("body", "lost"),
    [
        (NAMED[:-1], {URI}),
        (NAMED[:-1].replace(b"/", b"\\/"), {URI}),
        (NAMED.replace(b'"text"', b'"te\xff"'), {URI}),
        (NAMED.replace(b'"version": 2', b'"version": NaN'), {URI}),
        (NAMED.replace(URI.encode(), b"file:///un")[:-1], {URI, OTHER}),
        (body_of("textDocument/didOpen", {"textDocument": {"uri": "file:///new"}})[:-1], set()),
        (body_of("textDocument/didOpen", {"textDocument": {"uri": OTHER}})[:-1], {OTHER}),
        (body_of("textDocument/didSave", {"textDocument": {"uri": URI}})[:-1], set()),
        (body_of("textDocument/hover", {"textDocument": {"uri": URI}})[:-1], set()),
    ],
    ids=["cut", "escaped slashes", "no UTF-8", "NaN", "unnamed", "opened", "opened again", "saved", "a request"],
)
def test_a_message_that_cannot_be_read_loses_what_it_may_have_changed(body: bytes, lost: set[str]) -> None:
    async def scene(client: Client) -> None:
        await client.initialize()
        client.open(URI, "a")
        client.open(OTHER, "b")
        client.receive_bytes(body)
        assert {uri for uri in (URI, OTHER) if await digest(client, uri) is None} == lost
        assert [m["error"]["code"] for m in client.sent if "error" in m] == [-32700]

    play(scene)


def test_a_message_that_was_skipped_loses_what_it_may_have_changed() -> None:
    async def scene(client: Client) -> None:
        await client.initialize()
        client.open(URI, "a")
        client.open(OTHER, "b")
        large = {**CHANGE, "contentChanges": [edit((0, 0), (0, 0), "x" * 10**6)]}
        client.server.protocol.receive_fault("Too large.", sample_of(body_of("textDocument/didChange", large)))
        assert await digest(client) is None
        assert await digest(client, OTHER) is not None

    play(scene)


def notebook(cells: int) -> dict[str, Any]:
    items = [{"uri": f"cell:{n}", "languageId": "python", "version": 1, "text": "x"} for n in range(cells)]
    return {
        "notebookDocument": {
            "uri": "file:///n.ipynb",
            "notebookType": "jupyter-notebook",
            "version": 1,
            "cells": [{"kind": 2, "document": item["uri"]} for item in items],
        },
        "cellTextDocuments": items,
    }


def test_a_notebook_with_too_many_cells_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifications, "MOST_DOCUMENTS", 5)

    async def scene(client: Client) -> None:
        await client.initialize()
        client.notify("notebookDocument/didOpen", notebook(5))
        assert (await client.request("codemoat/status"))["documents"] == 5
        texts = [{"document": {"uri": "cell:1", "version": 2}, "changes": [{"text": "y"}]}] * 6
        identifier = {"uri": "file:///n.ipynb", "version": 2}
        client.notify(
            "notebookDocument/didChange",
            {"notebookDocument": identifier, "change": {"cells": {"textContent": texts}}},
        )
        assert (await client.request("codemoat/status"))["documents"] == 0
        client.notify("notebookDocument/didOpen", notebook(6))
        assert (await client.request("codemoat/status"))["documents"] == 0

    play(scene)


def counting(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> list[Any]:
    """Calls of a function, which is done all the same."""
    calls: list[Any] = []
    done = getattr(owner, name)

    def call(*given: Any, **named: Any) -> Any:
        calls.append(given)
        return done(*given, **named)

    monkeypatch.setattr(owner, name, call)
    return calls


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("workspace/didChangeWatchedFiles", lambda uris: {"changes": [{"uri": uri, "type": 2} for uri in uris]}),
        ("workspace/didCreateFiles", lambda uris: {"files": [{"uri": uri} for uri in uris]}),
        ("workspace/didDeleteFiles", lambda uris: {"files": [{"uri": uri} for uri in uris]}),
        ("workspace/didRenameFiles", lambda uris: {"files": [{"oldUri": uri, "newUri": uri} for uri in uris]}),
    ],
)
def test_events_about_many_files_are_one_piece_of_work(
    method: str, params: Callable[[list[str]], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "_MOST_FILES", 20)

    async def scene(client: Client) -> None:
        await client.initialize()
        changed = counting(monkeypatch, client.server, "settings_changed")
        run = counting(monkeypatch, client.server, "run")
        located = counting(monkeypatch, client.server.folders, "locate")
        uris = [f"file:///w/{number}/.codemoat.toml" for number in range(500)] * 2
        client.notify(method, params(uris))
        await client.until(lambda: len(located) == 20)
        await client.request("codemoat/status")
        assert (len(changed), len(located)) == (1, 20)
        assert len(run) <= 3
        client.notify(method, {"changes": [None, {"uri": 3}], "files": "x"})
        client.notify(method, None)
        assert (await client.request("codemoat/status"))["documents"] == 0

    play(scene)


def test_there_is_a_limit_to_the_folders_of_a_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MOST_FOLDERS", 3)
    monkeypatch.setattr(notifications, "MOST_LISTED_FOLDERS", 10)
    roots = [tmp_path / str(number) for number in range(20)]
    for root in roots:
        root.mkdir()

    async def scene(client: Client) -> None:
        await client.initialize(*roots[:2])
        looked = counting(monkeypatch, client.server.folders, "by_uri")
        added = [{"uri": root.as_uri(), "name": ""} for root in roots]
        client.notify("workspace/didChangeWorkspaceFolders", {"event": {"added": added, "removed": []}})
        assert len((await client.request("codemoat/status"))["folders"]) == 3
        assert len(looked) <= 10
        assert len([line for line in logged(client) if "folders are open" in line]) == 1
        # One that is known is not one more; one that leaves makes room.
        event = {"added": [added[0], added[5]], "removed": [added[1]]}
        client.notify("workspace/didChangeWorkspaceFolders", {"event": event})
        names = {folder["uri"] for folder in (await client.request("codemoat/status"))["folders"]}
        assert names == {roots[number].as_uri() for number in (0, 2, 5)}

    play(scene)


def test_wrong_settings_beyond_a_number_are_neither_looked_at_nor_told(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = counting(monkeypatch, __import__("assistant.config", fromlist=["find_setting"]), "find_setting")

    async def scene(client: Client) -> None:
        await client.initialize()
        looked.clear()
        wrong = {f"modle.key{number}": number for number in range(5_000)} | {"x" * 10**6: 1}
        client.notify("workspace/didChangeConfiguration", {"settings": {"codemoat": wrong}})
        await client.request("codemoat/status")
        assert len(looked) <= options._MOST_KEYS
        told = client.of("window/showMessage")
        assert len(told) == options._MOST_TOLD + 1
        assert all(len(params["message"]) < 1_000 for params in told)

    play(scene)


def test_names_that_are_too_long_are_refused() -> None:
    async def scene(client: Client) -> None:
        await client.initialize()
        error = await client.error(
            "workspace/executeCommand", {"command": "codemoat.toggle", "arguments": ["x" * 10_000]}
        )
        assert "takes the name of a language" in error["message"]
        assert await client.request("workspace/symbol", {"query": "x" * 10**6}) == []

    play(scene)


def test_documents_count_what_they_keep() -> None:
    kept = Documents()
    assert kept.change(URI, 2, []) is None
    kept.drop(URI)
    assert kept.held == 0


def test_parameters_nested_beyond_all_measure_are_an_error_and_nothing_more() -> None:
    async def scene(client: Client) -> None:
        await client.initialize()
        deep = b'{"a":' * 900 + b"1" + b"}" * 900
        for number, method in enumerate(("workspace/executeCommand", "codemoat/why", "textDocument/hover"), 50):
            client.receive_bytes(
                b'{"jsonrpc": "2.0", "id": %d, "method": "%s", "params": %s}' % (number, method.encode(), deep)
            )
            await client.until(lambda number=number: [m for m in client.sent if m.get("id") == number])
        settings = b'{"jsonrpc": "2.0", "method": "workspace/didChangeConfiguration", "params": {"settings": %s}}'
        client.receive_bytes(settings % deep)
        assert (await client.request("codemoat/status"))["documents"] == 0

    play(scene)
