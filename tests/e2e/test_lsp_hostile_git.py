"""Opening hostile repositories in the language server: all are indexed, followed and searched, and no program runs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from benchmarks.lsp_client import LspProcess
from tests.hostile_git import REPOSITORIES, Place, build
from tests.hostile_world import function, plain_git, write

pytestmark = pytest.mark.e2e
NAMES = list(REPOSITORIES)
GROUPS = [NAMES[start : start + 6] for start in range(0, len(NAMES), 6)]
"""Each folder has processes of its own; this many at once."""

PATIENCE = 240.0


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    plain_git(monkeypatch.setenv, monkeypatch.delenv)


@pytest.mark.parametrize("names", GROUPS, ids=lambda names: names[0])
def test_opening_them_runs_nothing(tmp_path: Path, names: list[str]) -> None:
    places = {name: build(name, tmp_path / str(number)) for number, name in enumerate(names)}
    server = LspProcess(tmp_path / "home", folders=[place.root for place in places.values()])
    try:
        _until(lambda: {folder["state"] for folder in server.ask("codemoat/status")["folders"]} == {"ready"})
        for name, place in places.items():
            assert "later.py" in _defined(server, place, "later"), name
            # What is saved is seen by a listing of that path only.
            write(place.root, "saved.py", function("saved_meanwhile"))
        for place in places.values():
            _until(lambda place=place: _defined(server, place, "saved_meanwhile") == ["saved.py"])
            since = {"query": "again", "folder": place.root.as_uri(), "since": "second~1"}
            assert server.ask("codemoat/search", since)["hits"]
    finally:
        server.close()
    assert [name for name, place in places.items() if place.mark.exists()] == []


def _defined(server: LspProcess, place: Place, name: str) -> list[str]:
    """Files of the folder in whose hits the name is defined."""
    found: dict[str, Any] = server.ask("codemoat/search", {"query": name, "folder": place.root.as_uri(), "limit": 50})
    paths = {hit["path"] for hit in found["hits"]}
    return [path for path in sorted(paths) if f"def {name}(" in (place.root / path).read_text()]


def _until(condition: Any) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)
