"""A damaged index is repaired once, however many requests meet the damage meanwhile."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from indexer.reports import UpdateReport
from lsp.index_child import IndexProcess
from tests.lsp_world import Client, play

pytestmark = pytest.mark.slow

BURST = 20


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("CACHE", "CONFIG", "RUNTIME"):
        monkeypatch.setenv(f"CODEMOAT_{name}_DIR", str(tmp_path / name.lower()))
    root = tmp_path / "shop"
    root.mkdir()
    (root / "prices.py").write_text("class Basket:\n    def total_price(self):\n        return 1\n")
    return root


def test_a_burst_of_requests_over_damage_asks_for_one_repair(project: Path, tmp_path: Path) -> None:
    async def scene(client: Client) -> None:
        def state() -> dict[str, Any]:
            found: dict[str, Any] = client.server.status.current()["folders"][0]
            return found

        await client.initialize(project)
        await client.until(lambda: state()["state"] == "ready")
        indexing, asked = client.server.indexing, []
        ask = indexing.ask
        indexing.ask = lambda folder, what: asked.append(what) or ask(folder, what)
        for times in (1, 2):
            generation, pid = state()["generation"], state()["pid"]
            os.kill(pid, signal.SIGSTOP)  # so that every request meets the damage
            (manifest,) = tmp_path.glob("cache/index/*/segments/*/manifest.json")
            manifest.unlink()
            next(iter(client.server.folders)).close()  # what is open would not need the file
            for _ in range(BURST):
                await client.request("workspace/symbol", {"query": "total"})
                assert (await client.request("codemoat/search", {"query": "total price"}))["problem"]
            os.kill(pid, signal.SIGCONT)
            await client.until(lambda before=generation: state()["generation"] > before)
            assert asked == ["update"] * times, "one for each damage"
            assert await client.request("workspace/symbol", {"query": "total"})

    play(scene, index=True)


@pytest.mark.parametrize(("waiting", "then"), [(["update"], "update"), (["update", "rebuild", "update"], "rebuild")])
def test_requests_that_wait_for_the_same_are_one(
    project: Path, monkeypatch: pytest.MonkeyPatch, waiting: list[str], then: str
) -> None:
    process, done = IndexProcess(project, {}), []

    class Counting:
        def update_index(self, *_: Any, rebuild: bool) -> UpdateReport:
            done.append("rebuild" if rebuild else "update")
            for task in [*waiting * BURST] if len(done) == 1 else [None]:
                process._tasks.put(task)
            return UpdateReport(1, 1, 1, 1, 1, 0.0, 1, (), "")

        def watch(self, *_: Any, **__: Any) -> None: ...

        def close(self) -> None: ...

    monkeypatch.setattr(process, "_engine", Counting())
    monkeypatch.setattr(process, "listen", lambda: None)
    monkeypatch.setattr(process, "_tell", lambda *_: None)
    process.run()
    assert done == ["update", then]


def test_the_end_comes_before_all_that_waits(project: Path) -> None:
    process = IndexProcess(project, {})
    for task in ("update", None, "rebuild"):
        process._tasks.put(task)
    assert process._next() is None
