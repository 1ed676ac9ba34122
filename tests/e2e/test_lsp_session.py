"""A session as an editor has it: a real server process, the real model, a project of two files."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from lsprotocol import types
from pytest_lsp import LanguageClient, client_capabilities, make_test_lsp_client

from assistant.llama.hosts import host_status

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio]

LEDGER = '''class Ledger:
    """Money that came and went."""

    def record_payment(self, account, cents, memo=""):
        """Note a payment."""

    def outstanding_balance(self, account):
        """What is still owed."""
'''
USE = """from ledger import Ledger

ledger = Ledger()
ledger.record_payment("rent", 90000)
owed = ledger.out
print(owed)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "books"
    root.mkdir()
    (root / "ledger.py").write_text(LEDGER)
    (root / "use.py").write_text(USE)
    return root


class Session:
    """A client with what the tests ask of it."""

    def __init__(self, client: LanguageClient) -> None:
        self.client = client

    async def ask(self, method: str, params: Any = None) -> Any:
        return await asyncio.wait_for(self.client.protocol.send_request_async(method, params), 60)

    async def status(self) -> Any:
        return await self.ask("codemoat/status")

    async def until(self, condition: Any, seconds: float = 60) -> Any:
        async with asyncio.timeout(seconds):
            while not condition(status := await self.status()):
                await asyncio.sleep(0.05)
            return status

    def open(self, path: Path) -> str:
        item = types.TextDocumentItem(path.as_uri(), "python", 1, path.read_text())
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
        return item.uri

    def type(self, uri: str, version: int, line: int, character: int, text: str) -> None:
        place = types.Position(line, character)
        change = types.TextDocumentContentChangePartial(types.Range(place, place), text)
        document = types.VersionedTextDocumentIdentifier(version, uri)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(document, [change]))

    async def inline(self, uri: str, line: int, character: int) -> list[types.InlineCompletionItem]:
        invoked = types.InlineCompletionContext(types.InlineCompletionTriggerKind.Invoked)
        asked = types.InlineCompletionParams(
            invoked, types.TextDocumentIdentifier(uri), types.Position(line, character)
        )
        found = await asyncio.wait_for(self.client.text_document_inline_completion_async(asked), 60)
        assert isinstance(found, types.InlineCompletionList)
        return list(found.items)


@pytest_asyncio.fixture
async def make_session(project: Path, tmp_path: Path, runtime_dir: Path, model_path: Path) -> AsyncIterator[Any]:
    """Starts servers that share folders; those that still run are shut down."""
    sessions: list[LanguageClient] = []

    async def make() -> Session:
        client = make_test_lsp_client()
        environment = {
            **os.environ,
            "CODEMOAT_CACHE_DIR": str(tmp_path / "cache"),
            "CODEMOAT_CONFIG_DIR": str(tmp_path / "config"),
            "CODEMOAT_RUNTIME_DIR": str(runtime_dir),
        }
        await client.start_io(sys.executable, "-m", "lsp", env=environment)
        sessions.append(client)
        result = await client.initialize_session(
            types.InitializeParams(
                client_capabilities("visual-studio-code"),
                process_id=None,
                workspace_folders=[types.WorkspaceFolder(project.as_uri(), "books")],
                initialization_options={"model": {"name": str(model_path)}},
            )
        )
        assert result.capabilities.inline_completion_provider
        return Session(client)

    yield make
    for client in sessions:
        if not client.stopped:
            await client.shutdown_session()
            await client.stop()


@pytest_asyncio.fixture
async def session(make_session: Any) -> Session:
    made = await make_session()
    await made.until(lambda status: status.folders[0].state == "ready")
    return made


async def test_a_suggestion_needs_a_definition_from_another_file_and_typing_on_costs_nothing(
    session: Session, project: Path
) -> None:
    uri = session.open(project / "use.py")
    (item,) = await session.inline(uri, 4, 17)
    assert item.insert_text.startswith("standing_balance(")
    why = await session.ask("codemoat/why", {"textDocument": {"uri": uri}})
    assert [place.split(":")[0] for place in why.context] == ["ledger.py"]
    assert (why.outcome, why.reused) == ("suggested", False)

    # Typed into the suggestion: nothing is asked of the model.
    for number, letter in enumerate("sta", 1):
        session.type(uri, 1 + number, 4, 16 + number, letter)
        (shorter,) = await session.inline(uri, 4, 17 + number)
        assert shorter.insert_text == item.insert_text[number:]
    assert (await session.ask("codemoat/why")).reused
    counts = (await session.status()).suggestions.suggester
    assert counts.model == 1

    # Accepted, and typed on: the prompt that stayed is not evaluated again.
    session.type(uri, 5, 4, 20, shorter.insert_text)
    assert item.command is not None
    await session.client.workspace_execute_command_async(
        types.ExecuteCommandParams(item.command.command, item.command.arguments)
    )
    session.type(uri, 6, 4, 20 + len(shorter.insert_text), "\nprint(led")
    await session.inline(uri, 5, 9)
    why = await session.ask("codemoat/why")
    timings = why.timings
    assert timings.reused_tokens > timings.evaluated_tokens
    assert (await session.status()).suggestions.counts.accepted == 1


async def test_a_restarted_server_finds_the_index_warm(make_session: Any, project: Path) -> None:
    first = await make_session()
    before = await first.until(lambda status: status.folders[0].state == "ready")
    await first.client.shutdown_session()
    await first.client.stop()
    second = await make_session()
    found = await second.client.workspace_symbol_async(types.WorkspaceSymbolParams("outstanding"))
    assert [symbol.name for symbol in found or ()] == ["outstanding_balance"]
    after = await second.until(lambda status: status.folders[0].state == "ready")
    assert after.folders[0].generation == before.folders[0].generation


async def test_a_host_killed_in_mid_completion_is_told_and_comes_back(
    session: Session, project: Path, runtime_dir: Path, model_path: Path
) -> None:
    uri = session.open(project / "use.py")
    # Once the prompt that is evaluated while somebody reads is done.
    await session.until(lambda status: getattr(status.suggestions.suggester, "started", 0) == 1)
    while any(host.busy for host in host_status(runtime_dir)):
        await asyncio.sleep(0.01)
    # A block takes seconds to write.
    session.type(uri, 2, 5, 0, "def yearly_report(ledger, accounts):\n    \n")
    asked = asyncio.ensure_future(session.inline(uri, 6, 4))
    while not any(host.busy for host in host_status(runtime_dir)):
        await asyncio.sleep(0.01)
    for host in host_status(runtime_dir):
        os.kill(host.pid, signal.SIGKILL)
    assert await asked == []
    why = await session.ask("codemoat/why")
    assert (why.outcome, why.reason.startswith("The model host stopped")) == ("failed", True)
    assert (await session.status()).model.state == "failed"
    # The rest goes on meanwhile, and so does completion after a pause.
    assert await session.client.workspace_symbol_async(types.WorkspaceSymbolParams("outstanding"))
    await asyncio.sleep(1.1)
    assert await session.inline(uri, 4, 17)
    assert (await session.status()).model.state == "ready"
    assert any("model host stopped" in message.message for message in session.client.messages)
