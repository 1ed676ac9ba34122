"""The files of an index get shorter under a real language server: it lives, says so and repairs them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types

from tests.lsp_session import Session

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio]

MAPPED = 1 << 18
"""Size from which on a file of an index is mapped."""


@pytest.fixture
def books(books: Path) -> Path:
    """Many files, so that those of the index are large enough to be mapped."""
    for number in range(160):
        body = "".join(
            f"def post_{number}_{n}(ledger, account_{n}):\n"
            + "".join(f"    value_{number}_{n}_{i} = ledger.entry(account_{n}, {i})\n" for i in range(30))
            + f"    return value_{number}_{n}_0\n\n\n"
            for n in range(10)
        )
        (books / f"posting_{number}.py").write_text(body)
    return books


async def symbols(session: Session) -> list[str]:
    found = await session.client.workspace_symbol_async(types.WorkspaceSymbolParams("outstanding"))
    return [symbol.name for symbol in found or ()]


async def test_a_server_outlives_the_end_of_its_index(session: Session, books: Path, tmp_path: Path) -> None:
    async def search() -> Any:
        return await session.ask("codemoat/search", {"query": "what is still owed", "limit": 100})

    uri = session.open(books / "use.py")
    for name in ("columns.bin", "vectors.faiss"):
        assert await symbols(session) == ["outstanding_balance"]
        assert (await search()).problem == ""
        path = max(tmp_path.glob(f"cache/index/*/segments/*/{name}"), key=lambda path: path.stat().st_size)
        assert path.stat().st_size > MAPPED
        # The process that repairs must not do so between the look and the answer.
        await session.ask("codemoat/index", {"do": "stop"})
        os.truncate(path, 8192)
        found = await search()
        assert found.problem.startswith("The index is damaged: ") and str(path) in found.problem
        await symbols(session)
        await session.inline(uri, 4, 17)
        why = await session.ask("codemoat/why", {"textDocument": {"uri": uri}})
        assert why.outcome in ("suggested", "nothing"), why
        assert not session.client.stopped
        await session.ask("codemoat/index", {"do": "start"})
        await session.until(lambda status: status.folders[0].state == "ready")
