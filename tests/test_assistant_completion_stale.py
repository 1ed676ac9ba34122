"""The document that is being edited is in the prompt once: as the editor has it, never as it was indexed."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from assistant.completion.completer import Completer
from assistant.completion.outside import Outside
from assistant.completion.request import CompletionRequest, CompletionSettings
from assistant.completion.window import window
from assistant.llm import FillRequest
from indexer.config import IndexConfig
from indexer.index import Index
from tests.cli_world import Cli, furnish
from tests.fakes import FakeLLM
from tests.lsp_world import Client, PatientLLM, play
from tests.small_index import SmallIndex

COUNT = FakeLLM().count
HEADER = "def mean_amount(rows):\n"
DELETED = (
    "    total = sum(row.amount for row in rows)\n"
    "    count = len(rows)\n"
    "    if not count:\n"
    "        return 0.0\n"
    "    return total / count\n"
)
USE = "\n\ndef report(rows):\n    return mean_amount(rows)\n"
TYPED = f"{HEADER}    "
FILLER = "".join(f"def filler_{n}(value):\n    return value + {n}\n\n\n" for n in range(200))


def said(request: FillRequest) -> str:
    """Everything of a prompt."""
    return "\n".join((request.prefix, request.suffix, *(snippet.text for snippet in request.context)))


def planned(files: dict[str, str], path: str, prefix: str, suffix: str, tokens: int = 4000) -> FillRequest:
    settings = CompletionSettings(prompt_tokens=tokens, context_share=0.5, prefix_share=0.25, suffix_share=0.25)
    completer = Completer(SmallIndex(files), FakeLLM(), settings)
    return completer.plan(CompletionRequest(path, "python", 0, prefix, suffix)).request


@pytest.mark.parametrize("indexed", ["shop/mean.py", "Shop/Mean.py"])
def test_lines_deleted_in_the_editor_are_not_in_the_prompt(indexed: str) -> None:
    """Also where the file system does not tell names by case, and the editor has another one than the index."""
    request = planned({indexed: HEADER + DELETED + USE}, "shop/mean.py", TYPED, USE)
    assert not [line for line in DELETED.splitlines() if line.strip() in said(request)]
    assert request.context == ()


def test_a_copy_in_another_file_is_shown() -> None:
    files = {"mean.py": HEADER + DELETED + USE, "other.py": HEADER + DELETED}
    request = planned(files, "mean.py", TYPED, USE)
    assert {snippet.path for snippet in request.context} == {"other.py"}


@pytest.mark.parametrize("after", [False, True])
def test_definitions_outside_the_window_are_shown_as_they_are_now(after: bool) -> None:
    now = HEADER + "    return statistics.mean(row.amount for row in rows)\n"
    prefix, suffix = "def report(rows):\n    return mean_amount(rows)\n    ", "\n\n"
    far = (prefix, suffix + FILLER + now) if after else (now + "\n\n" + FILLER + prefix, suffix)
    stale = HEADER + DELETED + USE
    request = planned({"a.py": stale}, "a.py", *far, tokens=800)
    (own,) = request.context
    assert (own.path, own.text) == ("a.py", now.rstrip())
    assert now not in request.prefix + request.suffix
    assert "row.amount for row in rows)\n    count" not in said(request)


def test_a_definition_is_cut_where_the_window_begins() -> None:
    body = "    # all the fields\n" + "".join(f"    field_{n}: int\n" for n in range(40))
    prefix = "class Basket:\n" + body + "    last: "
    view = window(prefix, "\n", 100, 100, COUNT)
    found = Outside(prefix, "\n", view).definition("class Basket:\n", 100)
    assert found is not None
    assert found[0] == 1
    assert "".join(found[1]) + view.prefix == prefix
    assert Outside(prefix, "\n", view).definition(view.above[0], 100) is None


def test_what_came_into_the_window_leaves_the_context() -> None:
    now = HEADER + "    return statistics.mean(row.amount for row in rows)\n"
    document = now + "\n\n" + FILLER + "def report(rows):\n    return mean_amount(rows)\n    "
    settings = CompletionSettings(prompt_tokens=800, context_share=0.5, prefix_share=0.25, suffix_share=0.25)
    completer = Completer(SmallIndex({"a.py": document}), FakeLLM(), settings)
    plan = completer.plan(CompletionRequest("a.py", "python", 0, document, "\n"))
    assert [near.snippet.text for near in plan.context] == [now.rstrip()]
    assert str(plan.context[0]) == "a.py:1-2"
    top = now.index("statistics")
    moved = completer.plan(CompletionRequest("a.py", "python", 1, document[:top], document[top:] + "\n"))
    assert all(near.snippet.path != "a.py" or HEADER not in near.snippet.text for near in moved.context)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose index has the file as it is saved."""
    furnish(monkeypatch, tmp_path)
    root = tmp_path / "root"
    (root / "shop").mkdir(parents=True)
    (root / ".git").mkdir()
    (root / "shop" / "mean.py").write_text(HEADER + DELETED + USE)
    (root / "link.py").symlink_to(Path("shop") / "mean.py")
    monkeypatch.chdir(root)
    with Index.open(root, IndexConfig(), create=True) as index:
        index.update()
    return root


@pytest.mark.slow
@pytest.mark.parametrize("name", ["shop/mean.py", "link.py"])
def test_codemoat_complete_with_stdin_sees_the_editor_s_text_only(
    project: Path, name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cli = Cli(capsys)
    cli.llm.script = ["pass"]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO((TYPED + USE).encode())))
    result = cli("complete", f"{name}:2:5", "--stdin", "--json")
    assert result.code == 0, result.err
    request = cli.llm.calls[0][0]
    assert request.prefix + request.suffix != ""
    assert not [line for line in DELETED.splitlines() if line.strip() in said(request)]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["shop/mean.py", "link.py"])
def test_the_language_server_sees_the_editor_s_text_only(project: Path, name: str) -> None:
    uri = f"{project.as_uri()}/{name}"

    async def scene(client: Client) -> None:
        await client.initialize(project)
        client.open(uri, TYPED + USE)
        await client.inline(uri, 1, 4, invoked=True)
        asked = [*(call[0] for call in client.llm.calls), *client.llm.warmed]
        assert client.llm.calls
        for request in asked:
            assert not [line for line in DELETED.splitlines() if line.strip() in said(request)]

    play(scene, PatientLLM(["pass"]))


@pytest.mark.slow
def test_a_cell_sees_its_notebook_s_open_text_only(project: Path) -> None:
    def saved(text: str) -> dict[str, object]:
        lines = text.splitlines(keepends=True)
        return {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": lines}

    header, deleted = "def amount_of_cell(rows):\n", "    number = 0\n    while rows:\n        number += rows.pop()\n"
    cells = [saved(header + deleted + "    return number\n"), saved("amount_of_cell([])\n")]
    kernel = {"kernelspec": {"name": "python3", "language": "python"}}
    notebook = project / "n.ipynb"
    notebook.write_text(json.dumps({"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}, indent=1))
    with Index.open(project, IndexConfig(), create=True) as index:
        index.update()
        assert [symbol.path for symbol in index.symbols("amount_of_cell")] == ["n.ipynb"]
    uris = ["cell:1", "cell:2"]

    async def scene(client: Client) -> None:
        await client.initialize(project)
        texts = [f"{header}    ", "amount_of_cell([])\n"]
        listed = [{"kind": 2, "document": uri} for uri in uris]
        opened = {"uri": notebook.as_uri(), "notebookType": "jupyter-notebook", "version": 1, "cells": listed}
        items = [{"uri": u, "languageId": "python", "version": 1, "text": t} for u, t in zip(uris, texts, strict=True)]
        client.notify("notebookDocument/didOpen", {"notebookDocument": opened, "cellTextDocuments": items})
        await client.inline(uris[0], 1, 4, invoked=True)
        asked = [*(call[0] for call in client.llm.calls), *client.llm.warmed]
        assert client.llm.calls
        assert not [line for line in deleted.splitlines() for each in asked if line.strip() in said(each)]

    play(scene, PatientLLM(["pass"]))
