"""Many folders at once: few are indexed at the same time, the one that is worked in first, and each is watched."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lsp.turns import MOST, URGENT, Turns
from tests.lsp_world import Client, play


def test_two_at_a_time_in_order_and_the_urgent_ones_before_them():
    async def scene() -> None:
        urgent: set[str] = set()
        turns, begun = Turns(lambda: urgent), list[str]()

        async def work(key: str) -> None:
            await turns.take(key)
            begun.append(key)

        async def settle() -> None:
            for _ in range(5):
                await asyncio.sleep(0)

        tasks = [asyncio.ensure_future(work(key)) for key in "abcdefgh"]
        await settle()
        assert begun == ["a", "b"]
        urgent.add("f")
        turns.look()
        await settle()
        assert begun == ["a", "b", "f"]
        urgent.add("e")
        turns.give_back("a")  # "b" and "f" still work, and "e" is urgent
        turns.give_back("a")
        await settle()
        assert begun == ["a", "b", "f", "e"]
        tasks[2].cancel()
        urgent.clear()
        for key in "bf":
            turns.give_back(key)
        await settle()
        assert begun == ["a", "b", "f", "e", "d"]
        turns.give_back("e")
        turns.give_back("d")
        await settle()
        assert begun == ["a", "b", "f", "e", "d", "g", "h"]
        assert not turns.waiting

    asyncio.run(scene())


def test_a_turn_that_came_to_one_who_left_goes_to_the_next():
    async def scene() -> None:
        turns = Turns(set)
        for key in "ab":
            await turns.take(key)
        leaving, next_ = asyncio.ensure_future(turns.take("c")), asyncio.ensure_future(turns.take("d"))
        await asyncio.sleep(0)
        turns.give_back("a")
        leaving.cancel()
        await asyncio.wait_for(next_, 60)

    asyncio.run(scene())


class Child:
    """An indexing process that does what the test says."""

    def __init__(self, number: int) -> None:
        self.pid, self.asked = 2**31 - 1 - number, list[bytes]()
        self.stdout = asyncio.StreamReader()
        self.stdin = self

    def write(self, data: bytes) -> None:
        self.asked.append(data)

    def close(self) -> None:
        self.stdout.feed_eof()

    def is_closing(self) -> bool:
        return False

    async def wait(self) -> int:
        return 0

    def report(self) -> None:
        self.stdout.feed_data(b'{"report": {"files": 1, "generation": 1}}\n')


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> list[Child]:
    started: list[Child] = []

    async def start(*_: Any, **__: Any) -> Child:
        started.append(Child(len(started)))
        return started[-1]

    monkeypatch.setattr("asyncio.create_subprocess_exec", start)
    monkeypatch.setattr("lsp.indexing.os.killpg", lambda *_: None)
    return started


def folders_in(root: Path, count: int) -> list[Path]:
    made = [root / f"folder{number}" for number in range(count)]
    for folder in made:
        folder.mkdir()
        (folder / "a.py").write_text("def f(): ...\n")
    return made


def test_thirty_folders_are_begun_two_by_two(tmp_path: Path, children: list[Child]) -> None:
    def begun(count: int) -> bool:
        return len(children) >= count

    async def scene(client: Client) -> None:
        folders = folders_in(tmp_path, 30)
        await client.initialize(*folders)
        await client.until(lambda: len(children) == MOST)
        # One is opened in a folder whose turn is far off; and another is to be made anew.
        client.open((folders[20] / "a.py").as_uri(), "def f(): ...\n")
        await client.until(lambda: len(children) == MOST + URGENT)
        assert b"folder20" in children[-1].asked[0]
        await client.request("codemoat/index", {"do": "rebuild", "folder": folders[25].as_uri()})
        for done in range(30):
            assert len(children) - done <= MOST + URGENT
            children[done].report()
            await client.until(partial(begun, min(30, done + 1 + MOST)))
        await client.until(lambda: {each["state"] for each in client.server.status.current()["folders"]} == {"ready"})
        (anew,) = [child for child in children if b"folder25" in child.asked[0]]
        assert [b"rebuild" in line for line in anew.asked] == [False, True]
        assert all(len(child.asked) == 1 for child in children if child is not anew)

    play(scene, index=True)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc")
def test_thirty_real_folders_never_have_many_processes_at_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CACHE", "CONFIG", "RUNTIME", "DATA"):
        monkeypatch.setenv(f"CODEMOAT_{name}_DIR", str(tmp_path / name.lower()))
    start: Callable[..., Any] = asyncio.create_subprocess_exec
    at_work: list[int] = []

    def processes(part: str) -> int:
        """Of this test, with ``part`` in their command line."""
        wanted, found = f"CODEMOAT_CACHE_DIR={tmp_path / 'cache'}".encode(), 0
        for place in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if int(place.name) != os.getpid() and wanted in (place / "environ").read_bytes().split(b"\0"):
                    found += part.encode() in (place / "cmdline").read_bytes()
        return found

    async def scene(client: Client) -> None:
        async def counted(*command: Any, **settings: Any) -> Any:
            states = client.server.indexing.states.values()
            at_work.append(1 + sum(each.pid != 0 and each.state == "indexing" for each in states))
            return await start(*command, **settings)

        monkeypatch.setattr("asyncio.create_subprocess_exec", counted)
        await client.initialize(*folders_in(tmp_path, 30))

        def ready() -> bool:
            folders = client.server.status.current()["folders"]
            return all(each["state"] == "ready" and each["watching"] for each in folders)

        async with asyncio.timeout(600):
            while not ready():
                await asyncio.sleep(0.1)
        assert len(at_work) == 30
        assert max(at_work) <= MOST
        assert processes("lsp.index_child") == 30
        assert processes("indexer.analyse") == 0

    play(scene, index=True)
