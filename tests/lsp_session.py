"""A server process of a small project, as an editor starts it; fixtures for the end-to-end tests."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from lsprotocol import types
from pytest_lsp import LanguageClient, client_capabilities, make_test_lsp_client

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
def books(tmp_path: Path) -> Path:
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
async def make_session(books: Path, tmp_path: Path, runtime_dir: Path, model_path: Path) -> AsyncIterator[Any]:
    """Starts servers that share folders; those that still run are shut down."""
    sessions: list[LanguageClient] = []

    async def make() -> Session:
        client = make_test_lsp_client()
        environment = {
            **os.environ,
            "CODEMOAT_CACHE_DIR": str(tmp_path / "cache"),
            "CODEMOAT_CONFIG_DIR": str(tmp_path / "config"),
            "CODEMOAT_DATA_DIR": str(tmp_path / "data"),
            "CODEMOAT_RUNTIME_DIR": str(runtime_dir),
        }
        await client.start_io(sys.executable, "-m", "lsp", env=environment)
        sessions.append(client)
        result = await client.initialize_session(
            types.InitializeParams(
                client_capabilities("visual-studio-code"),
                process_id=None,
                workspace_folders=[types.WorkspaceFolder(books.as_uri(), "books")],
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
