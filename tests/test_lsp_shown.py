"""What a client shows holds no control or hidden characters, whatever files and folders are called."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types

from indexer.errors import BadInputError
from lsp.progress import WorkDone
from tests.lsp_world import Client, play

NAME = "a\nb\x1b[2J\u202ec"
SHOWN = r"a\x0ab\x1b[2J\u202ec"


def hidden(value: Any) -> list[str]:
    """Texts of a JSON value that are not safe to show."""
    if isinstance(value, dict):
        return [text for each in value.values() for text in hidden(each)]
    if isinstance(value, list):
        return [text for each in value for text in hidden(each)]
    unsafe = isinstance(value, str) and any(unicodedata.category(c) in ("Cc", "Cf", "Cs") for c in value)
    return [value] if unsafe else []


@pytest.fixture
def strange(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("CACHE", "CONFIG", "RUNTIME"):
        monkeypatch.setenv(f"CODEMOAT_{name}_DIR", str(tmp_path / name.lower()))
    root = tmp_path / NAME
    root.mkdir()
    (root / f"{NAME}.py").write_text("def total_price():\n    return 1\n")
    return root


def test_sentences_with_a_strange_name_are_safe_to_show() -> None:
    async def scene(client: Client) -> None:
        await client.initialize(window={"workDoneProgress": True})
        server = client.server
        server.warn(f"warn {NAME}")
        server.log(f"log {NAME}")
        asked = types.ShowMessageRequestParams(types.MessageType.Info, f"ask {NAME}")
        await server.protocol.send_request_async(types.WINDOW_SHOW_MESSAGE_REQUEST, asked)
        work = WorkDone(server, f"title {NAME}")
        work.report("")
        await client.until(lambda: client.of("$/progress"))
        work.report(f"report {NAME}")
        work.end(f"end {NAME}")

        def fail(_: Any) -> None:
            raise BadInputError(f"error {NAME}", f"hint {NAME}")

        server.handle("codemoat/fail", fail)
        error = await client.error("codemoat/fail")
        assert error["message"] == f"error {SHOWN} hint {SHOWN}"
        assert error["data"] == {"code": "bad_input", "message": f"error {SHOWN}", "hint": f"hint {SHOWN}"}
        client.notify("codemoat/fail")
        logged = ["log", "error"]
        await client.until(lambda: len(client.of("window/logMessage")) >= len(logged))
        assert [each["message"].split()[0] for each in client.of("window/logMessage")] == logged
        assert client.of("window/showMessage")[0]["message"] == f"warn {SHOWN}"
        assert client.of("window/showMessageRequest")[0]["message"] == f"ask {SHOWN}"
        values = [each["value"] for each in client.of("$/progress")]
        assert [each.get("title") or each.get("message") for each in values] == [
            f"title {SHOWN}",
            f"report {SHOWN}",
            f"end {SHOWN}",
        ]
        assert hidden(client.sent) == []

    play(scene)


def test_an_indexed_folder_with_a_strange_name_is_safe_to_show(strange: Path) -> None:
    async def scene(client: Client) -> None:
        await client.initialize(strange, window={"workDoneProgress": True}, experimental={"codemoat": {}})

        def folder() -> dict[str, Any]:
            return client.server.status.current()["folders"][0]  # type: ignore[no-any-return]

        await client.until(lambda: folder()["state"] == "ready")
        assert folder()["name"] == SHOWN
        client.server.indexing.states[str(strange)].problem = f"{strange} is damaged."
        assert folder()["problem"].endswith(f"{SHOWN} is damaged.")
        client.server.changed()
        await client.until(lambda: client.of("codemoat/statusChanged"))
        assert hidden(client.of("codemoat/statusChanged")) == []
        assert hidden(await client.request("codemoat/status")) == []
        # What names a file to a program stays as it is.
        found = (await client.request("codemoat/search", {"query": "total price"}))["hits"]
        assert found[0]["path"] == f"{NAME}.py"

    play(scene, index=True)


def test_why_there_is_no_suggestion_is_safe_to_show(strange: Path) -> None:
    (strange / ".codemoatignore").write_text("*.py # \x1b[2J\u202e\n*.py\n")

    async def scene(client: Client) -> None:
        await client.initialize(strange)
        uri = (strange / f"{NAME}.py").as_uri()
        client.open(uri, "x = 1\n")
        await client.inline(uri, 0, 0, invoked=True)
        client.server.decisions.find(None, uri).reason += NAME  # type: ignore[union-attr]
        why = await client.request("codemoat/why")
        assert why["outcome"] == "off"
        assert why["reason"].endswith(SHOWN)

    play(scene)
