"""What the server sends of its own is as docs/schemas/lsp says, and docs/protocol.md names every method and schema."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema

from lsp.hello import COMMANDS
from lsp.protocol import OURS
from lsp.server import Server
from tests.lsp_world import Client, PatientLLM, play

DOCS = Path(__file__).parent.parent / "docs"
URI = "untitled:a"


def check(value: Any, name: str) -> None:
    jsonschema.validate(value, json.loads((DOCS / "schemas" / "lsp" / f"{name}.json").read_text()))


def test_answers_are_as_the_schemas_say(tmp_path: Path):
    async def scene(client: Client) -> None:
        await client.initialize(tmp_path, experimental={"codemoat": {"statusChanged": True}})
        check(await client.request("codemoat/why"), "why")
        client.open(URI, "x = ")
        await client.inline(URI, 0, 4)
        check(await client.why(URI), "why")
        check(await client.request("codemoat/status"), "status")
        document = {"textDocument": {"uri": URI}}
        check(document, "document-params")
        check(document, "why-params")
        check(await client.request("codemoat/document", document), "document")
        search = {"query": "x", "globs": ["*.py"], "languages": ["python"], "kinds": ["class"], "since": None}
        check(search, "search-params")
        check(await client.request("codemoat/search", search), "search")
        check(await client.request("codemoat/index", {"do": "stop"}), "status")
        for params in await client.until(lambda: client.of("codemoat/statusChanged")):
            check(params, "status")

    play(scene, PatientLLM(["1"]))


def test_the_page_names_every_method_command_and_schema():
    page = (DOCS / "protocol.md").read_text()
    methods = {method for method in Server().protocol.fm.features if method.startswith(OURS)}
    assert {"codemoat/status", "codemoat/didShow"} <= methods
    for name in [*methods, *COMMANDS]:
        assert f"`{name}" in page or f"`{name.removeprefix(OURS)}`" in page, name
    named = set(re.findall(r"schemas/lsp/([\w-]+)\.json", page))
    assert named == {path.stem for path in (DOCS / "schemas" / "lsp").glob("*.json")}
