"""A session as an editor has it: a real server process, the real model, a project of two files."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types

from assistant.llama.hosts import host_status
from tests.lsp_session import Session

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio]


async def test_a_suggestion_needs_a_definition_from_another_file_and_typing_on_costs_nothing(
    session: Session, books: Path
) -> None:
    uri = session.open(books / "use.py")
    item, *_ = await session.inline(uri, 4, 17)
    assert item.insert_text.startswith("standing_balance(")
    why = await session.ask("codemoat/why", {"textDocument": {"uri": uri}})
    assert [place.split(":")[0] for place in why.context] == ["ledger.py"]
    assert (why.outcome, why.reused) == ("suggested", False)

    # Typed into the suggestion: nothing is asked of the model.
    for number, letter in enumerate("sta", 1):
        session.type(uri, 1 + number, 4, 16 + number, letter)
        shorter, *_ = await session.inline(uri, 4, 17 + number)
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


async def test_a_restarted_server_finds_the_index_warm(make_session: Any, books: Path) -> None:
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
    session: Session, books: Path, runtime_dir: Path, model_path: Path
) -> None:
    uri = session.open(books / "use.py")
    # Once the prompt that is evaluated while somebody reads is done.
    await session.until(lambda status: getattr(status.suggestions.suggester, "started", 0) >= 1)
    while any(host.busy for host in host_status(runtime_dir)):
        await asyncio.sleep(0.01)
    session.type(uri, 2, 5, 0, "def yearly_report(ledger, accounts):\n    \n")
    begun = (await session.status()).suggestions.suggester.started
    asked = asyncio.ensure_future(session.inline(uri, 6, 4))
    while (await session.status()).suggestions.suggester.started == begun:
        await asyncio.sleep(0)
    # Killed before it has the request, another host would answer, and nobody be told.
    while not any(host.busy for host in host_status(runtime_dir)):
        pass
    for host in host_status(runtime_dir):
        os.kill(host.pid, signal.SIGKILL)
    assert await asked == []
    why = await session.ask("codemoat/why")
    assert (why.outcome, why.reason.startswith("The model host stopped")) == ("failed", True)
    assert (await session.status()).model.state == "failed"
    # The rest goes on meanwhile, and so does completion after a pause.
    assert await session.client.workspace_symbol_async(types.WorkspaceSymbolParams("outstanding"))
    async with asyncio.timeout(60):
        while not (found := await session.inline(uri, 4, 17)):
            why = await session.ask("codemoat/why")
            assert "Tried again in" in why.reason, why
            await asyncio.sleep(0.1)
    assert found[0].insert_text
    assert (await session.status()).model.state == "ready"
    assert any("model host stopped" in message.message for message in session.client.messages)
