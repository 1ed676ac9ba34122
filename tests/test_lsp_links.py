"""Folders that are opened through symbolic links, twice, or several at once: which addresses and names clients get."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assistant.config import Config
from assistant.engine import Engine
from lsp.folders import Folders, uri_in
from tests.lsp_world import Client, PatientLLM, play

TEXT = "class Basket:\n    def total_price(self):\n        return sum(self.prices)\n"


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CACHE", "CONFIG", "RUNTIME", "DATA"):
        monkeypatch.setenv(f"CODEMOAT_{name}_DIR", str(tmp_path / name.lower()))


def project(root: Path) -> Path:
    root.mkdir(parents=True)
    (root / "more prices.py").write_text(TEXT)
    with Engine(Config(), root) as engine:
        engine.update_index()
    return root


def addresses(value: Any) -> list[str]:
    """Every URI in an answer."""
    if isinstance(value, dict):
        return [each for name, inner in value.items() for each in ([inner] if name == "uri" else addresses(inner))]
    return [each for inner in value for each in addresses(inner)] if isinstance(value, list) else []


def test_all_addresses_are_under_the_link_that_the_client_opened(tmp_path: Path) -> None:
    project(tmp_path / "real" / "shop")
    link = tmp_path / "my%20link"
    link.symlink_to(tmp_path / "real" / "shop", target_is_directory=True)
    base = link.as_uri() + "/"  # some clients end a folder's address so

    async def scene(client: Client) -> None:
        params = {"processId": None, "rootUri": None, "capabilities": {}, "workspaceFolders": [{"uri": base}]}
        await client.request("initialize", {**params, "initializationOptions": {"editor": {"index": False}}})
        client.notify("initialized", {})
        await client.until(lambda: not client.server._tasks)
        uri = base + "more%20prices.py"
        client.open(uri, TEXT)
        asked = {"question": "How is the total price made?", "textDocument": {"uri": uri}, "token": 1}
        chat = await client.request("codemoat/chat/ask", asked)
        answers = [
            chat,
            client.of("codemoat/chat/event"),
            await client.request("codemoat/chat/open", {"conversation": chat["conversation"], "folder": base}),
            await client.request("codemoat/search", {"query": "total price"}),
            await client.request("workspace/symbol", {"query": "total"}),
            await client.request("textDocument/documentSymbol", {"textDocument": {"uri": uri}}),
        ]
        for answer in answers:
            found = addresses(answer)
            assert found
            assert set(found) == {uri}, answer
        assert client.server.status.current()["folders"][0]["uri"] == base

    play(scene, PatientLLM(["Summed [more prices.py:2-3]."]))


@pytest.mark.parametrize(
    ("folder", "file"),
    [
        ("file:///a/b", "file:///a/b/c%20d/%C3%A4.py"),
        ("file:///a/b/", "file:///a/b/c%20d/%C3%A4.py"),
        ("file:///c%3A/b", "file:///c%3A/b/c%20d/%C3%A4.py"),
        ("file://localhost/a", "file://localhost/a/c%20d/%C3%A4.py"),
        ("file:///a#b", "file:///a/c%20d/%C3%A4.py"),
        ("file:///", "file:///c%20d/%C3%A4.py"),
    ],
)
def test_a_files_address_begins_as_the_folders(folder: str, file: str) -> None:
    opened = Folders(lambda _: Config()).add(folder)
    assert opened is not None
    assert uri_in(opened, "c d/ä.py") == file


def test_a_folder_that_is_open_twice_stays_until_both_are_closed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real", target_is_directory=True)
    real, link = (tmp_path / "real").as_uri(), (tmp_path / "link").as_uri()
    folders = Folders(lambda _: Config())
    folder = folders.add(real, "real")
    assert folders.add(link) is folder
    assert folders.remove(real) is None
    assert [(each.uri, each.name) for each in folders] == [(link, "link")]
    (tmp_path / "link").unlink()  # closed all the same
    assert folders.remove(link) is folder
    assert list(folders) == []


def test_hits_name_their_folder_where_several_are_open(tmp_path: Path) -> None:
    one, two = project(tmp_path / "a" / "shop"), project(tmp_path / "b" / "shop")
    third = project(tmp_path / "till")

    async def names(client: Client, *folders: Path) -> tuple[set[str], set[str]]:
        await client.initialize(*folders)
        hits = (await client.request("codemoat/search", {"query": "total price"}))["hits"]
        symbols = await client.request("workspace/symbol", {"query": "a"})
        return {hit["label"] for hit in hits}, {each.get("containerName") for each in symbols}

    assert play(lambda client: names(client, third)) == ({"more prices.py"}, {None, "Basket"})
    labels = ["a/shop", "b/shop", "till"]
    wanted = {f"{each}/more prices.py" for each in labels}, {*labels, *(f"{each}: Basket" for each in labels)}
    assert play(lambda client: names(client, one, two, third)) == wanted
