"""Thousands of messages that no sound client sends: the server lives, and its texts are the client's.

CODEMOAT_FUZZ_MESSAGES sets how many (1,000 without).
"""

from __future__ import annotations

import asyncio
import os
from hashlib import sha256

from tests.lsp_fuzzer import Fuzzer, Mirror
from tests.lsp_world import Client, PatientLLM, play

MESSAGES = int(os.environ.get("CODEMOAT_FUZZ_MESSAGES", "1000"))


def test_nothing_kills_the_server_or_parts_it_from_the_clients_text():
    async def scene(client: Client) -> None:
        await client.initialize()
        fuzzer = Fuzzer(client, seed=20261125)
        for number in range(MESSAGES):
            fuzzer.step()
            await client.settle()
            client.sent.clear()
            if number % 100 == 99:
                await agree(client, fuzzer.mirror)
        await agree(client, fuzzer.mirror)

    async def agree(client: Client, mirror: Mirror) -> None:
        assert set(client.server.documents.open) == set(mirror.texts)
        for uri, text in mirror.texts.items():
            found = await client.request("codemoat/document", {"textDocument": {"uri": uri}})
            if uri in mirror.lost:
                assert found is None, uri
                continue
            assert found["sha256"] == sha256(text.encode("utf-8", "surrogatepass")).hexdigest(), uri
            assert found["version"] == mirror.versions[uri]
        assert not [task for task in asyncio.all_tasks() if task.done() and task.exception()]

    play(scene, PatientLLM())
