"""Values that the server does not know, null where a value belongs, and parts that are missing: the rest holds."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types

from lsp.log import start_log
from tests.lsp_world import Client, PatientLLM, edit, inline_params, play

pytestmark = pytest.mark.slow

URI = "file:///nowhere/a.py"
ODD = {
    "symbol kinds": ("capabilities.workspace.symbol.symbolKind.valueSet", [*range(1, 31)]),
    "symbol kinds that are none": ("capabilities.workspace.symbol.symbolKind.valueSet", [1, "class", None, 2**70]),
    "tags": ("capabilities.textDocument.completion.completionItem.tagSupport", 3),
    "tag values": ("capabilities.workspace.symbol.tagSupport.valueSet", [1, 2, 3]),
    "resource operations": ("capabilities.workspace.workspaceEdit.resourceOperations", ["create", "paint"]),
    "failure handling": ("capabilities.workspace.workspaceEdit.failureHandling", "hope"),
    "formats": ("capabilities.textDocument.hover.contentFormat", ["markdown", "html", 5]),
    "encodings": ("capabilities.general.positionEncodings", ["utf-8", "utf-7", None]),
    "an encoding that is no list": ("capabilities.general.positionEncodings", "utf-8"),
    "stale requests": ("capabilities.general.staleRequestSupport", {"cancel": "perhaps"}),
    "a flag": ("capabilities.textDocument.completion.dynamicRegistration", "yes"),
    "a null capability": ("capabilities.textDocument", None),
    "a branch that is a number": ("capabilities.notebookDocument", 1),
    "the client": ("clientInfo", "x"),
    "the client's version": ("clientInfo", {"name": "x", "version": 3}),
    "a client without a name": ("clientInfo", {"version": "1"}),
    "the process": ("processId", "x"),
    "a process that is a fraction": ("processId", 1.5),
    "the trace": ("trace", "banana"),
    "a trace that is an object": ("trace", {}),
    "the locale": ("locale", 5),
    "the root": ("rootUri", 7),
    "the root path": ("rootPath", []),
    "the token": ("workDoneToken", {}),
    "something new": ("capabilities.future", {"deep": [1, {"er": None}]}),
}  # fmt: skip


def hello(folder: Path, **more: Any) -> dict[str, Any]:
    return {
        "processId": None,
        "rootUri": None,
        "capabilities": {"workspace": {"configuration": True, "workspaceFolders": True}},
        "workspaceFolders": [{"uri": folder.as_uri(), "name": "shop"}],
        "initializationOptions": {"editor": {"index": False, "popup": True}},
        **more,
    }


def put(params: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for name in parents:
        params = params.setdefault(name, {})
    params[last] = value


async def begin(client: Client, params: dict[str, Any], *, answered: bool) -> None:
    if answered:  # as over standard input, where the answer is given before the library is there
        asked = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
        client.server.protocol.receive_answered(json.dumps(asked).encode())
    else:
        await client.request("initialize", params)
    client.notify("initialized", {})
    await client.until(lambda: not client.server._tasks)


@pytest.mark.parametrize("answered", [False, True], ids=["answers", "answered"])
@pytest.mark.parametrize(("path", "value"), ODD.values(), ids=ODD.keys())
def test_one_unknown_value_in_initialize_costs_itself_only(
    tmp_path: Path, path: str, value: Any, answered: bool
) -> None:
    async def scene(client: Client) -> None:
        client.replies["workspace/configuration"] = [{"model": {"name": "chosen"}}]
        params = hello(tmp_path)
        put(params, path, value)
        await begin(client, params, answered=answered)
        assert [folder.name for folder in client.server.folders] == ["shop"]
        config = client.server.options.config()
        assert (config.editor.popup, config.model.name) == (True, "chosen")

    play(scene)


@pytest.mark.parametrize("answered", [False, True], ids=["answers", "answered"])
def test_folders_without_a_name_are_named_and_broken_ones_left_out(tmp_path: Path, answered: bool) -> None:
    async def scene(client: Client) -> None:
        for name in "abc":
            (tmp_path / name).mkdir()
        folders: list[Any] = [{"uri": (tmp_path / name).as_uri()} for name in "abc"]
        folders[1]["name"], folders[2]["name"] = None, 3
        await begin(
            client, hello(tmp_path, workspaceFolders=[*folders, 5, None, {}, {"name": "x"}, "x"]), answered=answered
        )
        assert [folder.name for folder in client.server.folders] == ["a", "b", "c"]

    play(scene)


@pytest.mark.parametrize("capabilities", ["missing", None, "x", 3, []])
def test_without_capabilities_there_are_none(tmp_path: Path, capabilities: Any) -> None:
    async def scene(client: Client) -> None:
        params = hello(tmp_path, capabilities=capabilities)
        if capabilities == "missing":
            del params["capabilities"]
        await begin(client, params, answered=False)
        assert [folder.name for folder in client.server.folders] == ["shop"]
        assert client.server.options.config().editor.popup

    play(scene)


def test_what_was_left_out_is_told_once_and_in_the_log(tmp_path: Path) -> None:
    start_log(tmp_path / "log")

    async def scene(client: Client) -> None:
        await begin(client, hello(tmp_path, trace="banana", processId="secret"), answered=True)
        for _ in range(3):
            client.notify("textDocument/didSave", {"textDocument": {"uri": URI}, "text": 5})
        await client.until(lambda: len(client.of("window/logMessage")) >= 2)

    async def told(client: Client) -> list[str]:
        await scene(client)
        return [each["message"] for each in client.of("window/logMessage")]

    messages: list[str] = play(told)
    wanted = [
        "initialize: not understood and left out: processId, trace. The rest of the message holds.",
        "textDocument/didSave: not understood and left out: text. The rest of the message holds.",
    ]
    assert messages == wanted
    written = (tmp_path / "log").read_text()
    assert [written.count(each) for each in wanted] == [1, 1]
    assert "secret" not in written


@pytest.mark.parametrize(
    ("settings", "holds"),
    [
        ({"codemoat": {"editor": {"popup": True, "automatic": "x"}}}, True),
        ({"codemoat": {"editor": {"popup": True}, "model": 5, "complete": None}}, True),
        ({"codemoat": {"editor.popup": True, "editor": None, "unheard": [{}]}}, True),
        ({"editor": {"popup": True, "languages_off": {"a": 1}}}, True),
        ({"codemoat": None}, False),
        (None, False),
    ],
)
@pytest.mark.parametrize("way", ["pushed", "answer", "bare answer"])
def test_a_setting_that_is_none_costs_itself_only(tmp_path: Path, settings: Any, holds: bool, way: str) -> None:
    async def scene(client: Client) -> None:
        asked = way != "pushed"
        client.replies["workspace/configuration"] = settings if way == "bare answer" else [settings]
        await client.initialize(tmp_path, workspace={"configuration": asked, "symbol": 3})
        if not asked:
            client.notify("workspace/didChangeConfiguration", {"settings": settings})
            await client.settle()
        assert client.server.options.config().editor.popup is holds

    play(scene)


def test_folders_come_and_go_whatever_else_the_event_says(tmp_path: Path) -> None:
    async def scene(client: Client) -> None:
        await client.initialize()
        uri = tmp_path.as_uri()
        client.notify("workspace/didChangeWorkspaceFolders", {"event": {"added": [{"uri": uri}, {}], "removed": None}})
        assert [folder.name for folder in client.server.folders] == [tmp_path.name]
        client.notify("workspace/didChangeWorkspaceFolders", {"event": {"removed": [7, {"uri": uri, "name": None}]}})
        assert list(client.server.folders) == []

    play(scene)


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("textDocument/inlineCompletion", inline_params(URI, 0, 4, True, {"selectedCompletionInfo": {"text": 1}})),
        ("textDocument/inlineCompletion", inline_params(URI, 0, 4) | {"context": None}),
        ("textDocument/inlineCompletion", inline_params(URI, 0, 4) | {"context": {"triggerKind": 9}}),
        ("textDocument/inlineCompletion", inline_params(URI, 0, 4) | {"workDoneToken": {}}),
        ("textDocument/completion", inline_params(URI, 0, 4) | {"context": {"triggerKind": None}}),
        ("textDocument/completion", inline_params(URI, 0, 4) | {"partialResultToken": []}),
        ("textDocument/documentSymbol", {"textDocument": {"uri": URI}, "workDoneToken": [1]}),
        ("workspace/symbol", {"query": "x", "partialResultToken": None, "workDoneToken": 1.5}),
        ("workspace/executeCommand", {"command": "codemoat.snooze", "arguments": None}),
        ("codemoat/search", {"query": "x", "limit": None, "globs": None, "languages": None, "kinds": None}),
        ("codemoat/why", {"id": None, "textDocument": None}),
    ],
)
def test_a_request_is_answered_whatever_an_optional_part_of_it_is(method: str, params: Any) -> None:
    async def scene(client: Client) -> None:
        await client.initialize(options={"editor": {"popup": True}})
        client.open(URI, "x = ")
        await client.request(method, params)

    play(scene, PatientLLM(["1"]))


async def held(client: Client, uri: str = URI) -> str | None:
    found = await client.request("codemoat/document", {"textDocument": {"uri": uri}})
    return found["sha256"] if found is not None else None


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


OPENINGS: list[dict[str, Any]] = [
    {"languageId": None, "version": None},
    {},
    {"languageId": 3, "version": "1"},
    {"languageId": "python", "version": 2**70},
    {"languageId": "python", "version": 1.0, "new": {}},
]
CHANGES: list[tuple[dict[str, Any], Any, str]] = [
    ({"version": None}, [edit((0, 0), (0, 0), "y")], "yx = 1\n"),
    ({}, [edit((0, 0), (0, 1), "")], " = 1\n"),
    ({"version": "7"}, [edit((0, 0), (0, 0), "y")], "yx = 1\n"),
    ({"version": 2}, [{"range": None, "text": "z"}], "z"),
    ({"version": 2}, [{"text": "z", "rangeLength": None}], "z"),
    ({"version": 2}, [edit((0, 0), (0, 0), "y") | {"rangeLength": "x"}], "yx = 1\n"),
    ({"version": None}, [{"text": "z"}, edit((0, 1), (0, 1), "!")], "z!"),
    ({"version": None}, [], "x = 1\n"),
]


@pytest.mark.parametrize("opening", OPENINGS)
@pytest.mark.parametrize(("version", "changes", "text"), CHANGES)
def test_the_text_is_the_clients_without_version_language_or_range(
    opening: dict[str, Any], version: dict[str, Any], changes: Any, text: str
) -> None:
    async def scene(client: Client) -> None:
        await client.initialize()
        client.notify("textDocument/didOpen", {"textDocument": {"uri": URI, "text": "x = 1\n", **opening}})
        assert await held(client) == digest("x = 1\n")
        document = {"uri": URI, **version}
        client.notify("textDocument/didChange", {"textDocument": document, "contentChanges": changes})
        assert await held(client) == digest(text)
        assert await client.inline(URI, 0, 0, invoked=True) is not None

    play(scene)


LOST: list[Any] = [
    [{"range": {}, "text": "y"}],
    [{"range": {"start": {"line": 0, "character": 0}, "end": None}, "text": "y"}],
    [{"range": {"start": {"line": "0", "character": 0}, "end": {"line": 0, "character": 0}}, "text": "y"}],
    [{"range": {"start": {"line": -1, "character": 0}, "end": {"line": 0, "character": 0}}, "text": "y"}],
    [{"range": [0, 1], "text": "y"}],
    [edit((0, 0), (0, 0), "y") | {"text": None}],
    [edit((0, 0), (0, 0), "y"), {"range": None}],
    [{"text": None}],
    [{"text": 5}],
    [None],
    None,
    {"text": "y"},
]


@pytest.mark.parametrize("changes", LOST)
def test_a_change_that_is_not_understood_ends_the_service_for_the_document_and_is_told_once(changes: Any) -> None:
    async def scene(client: Client) -> None:
        await client.initialize()
        client.open(URI, "x = 1\n")
        for version in (2, 3):
            document = {"uri": URI, "version": version}
            client.notify("textDocument/didChange", {"textDocument": document, "contentChanges": changes})
        assert await held(client) is None
        assert await client.inline(URI, 0, 5, invoked=True) == []
        assert "could not be read" in (await client.why(URI))["reason"]
        (told,) = [m["message"] for m in client.of("window/showMessage")]
        assert told.startswith("a.py: A change of the document could not be read")
        client.change(URI, 4, {"text": "back"})
        assert await held(client) == digest("back")

    play(scene, PatientLLM(["1"]))


@pytest.mark.parametrize("item", [{}, {"text": None}, {"text": 5, "languageId": "python", "version": 1}])
def test_a_document_opened_without_a_text_waits_for_one(item: dict[str, Any]) -> None:
    async def scene(client: Client) -> None:
        await client.initialize()
        client.notify("textDocument/didOpen", {"textDocument": {"uri": URI, **item}})
        assert await held(client) is None
        client.change(URI, 2, edit((0, 0), (0, 0), "y"))
        assert await held(client) is None
        assert len(client.of("window/showMessage")) == 1
        client.change(URI, 3, {"text": "whole"})
        assert await held(client) == digest("whole")

    play(scene)


def test_a_notebook_without_versions_is_the_clients_and_a_broken_one_is_closed() -> None:
    async def scene(client: Client) -> None:
        await client.initialize()
        cells = [{"kind": 2, "document": "cell:1", "metadata": 3}, {"kind": 9, "document": "cell:2"}]
        texts = [{"uri": "cell:1", "languageId": None, "text": "x"}, {"uri": "cell:2", "version": None, "text": "y"}]
        notebook = {"uri": "file:///n.ipynb", "version": None, "metadata": "odd", "cells": cells}
        client.notify("notebookDocument/didOpen", {"notebookDocument": notebook, "cellTextDocuments": texts})
        assert [await held(client, "cell:1"), await held(client, "cell:2")] == [digest("x"), digest("y")]

        def change(*changes: Any) -> None:
            content = {"document": {"uri": "cell:1", "version": None}, "changes": changes}
            change = {"cells": {"textContent": [content]}, "metadata": None}
            params = {"notebookDocument": {"uri": "file:///n.ipynb"}, "change": change}
            client.notify("notebookDocument/didChange", params)

        change(edit((0, 1), (0, 1), "z"), edit((0, 0), (0, 0), "a"))
        assert await held(client, "cell:1") == digest("axz")
        change({"range": None, "text": "q"})
        assert await held(client, "cell:1") == digest("q")
        change({"range": {"start": {}}, "text": "w"})
        assert await held(client, "cell:1") is None
        assert len(client.of("window/showMessage")) == 1

    play(scene)


def test_an_answer_that_is_none_counts_as_no_answer() -> None:
    async def scene(client: Client) -> None:
        await client.initialize()
        kind = types.MessageType.Info
        for reply in (5, {"title": None}, ["x"]):
            client.replies["window/showMessageRequest"] = reply
            asked = types.ShowMessageRequestParams(kind, "?", [types.MessageActionItem("yes")])
            found = client.server.protocol.send_request_async(types.WINDOW_SHOW_MESSAGE_REQUEST, asked)
            assert await found is None

    play(scene)
