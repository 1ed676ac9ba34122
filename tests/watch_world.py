"""A root to watch, watchers that are stopped after the test, and an ``update`` that a test can wait for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from test_indexer_files import write
from test_indexer_files_git import git, repository

from indexer.config import IndexConfig
from indexer.errors import CodemoatError
from indexer.watch import Watcher

PATIENCE = 60.0
"""Seconds after which a test that waits has failed; nothing is ever that slow."""


class Recorder:
    """An ``update`` that notes its calls and lets a test wait for them."""

    def __init__(self) -> None:
        self.calls: list[frozenset[str] | None] = []
        self.errors: list[CodemoatError] = []
        self.modes: list[tuple[str, str]] = []
        self.running = self.most_running = 0
        self.hook: Callable[[], None] = lambda: None
        self._changed = threading.Condition()

    def __call__(self, paths: frozenset[str] | None) -> None:
        with self._changed:
            self.running += 1
            self.most_running = max(self.most_running, self.running)
            self.calls.append(paths)
            self._changed.notify_all()
        try:
            self.hook()
        finally:
            with self._changed:
                self.running -= 1
                self._changed.notify_all()

    def on_error(self, error: CodemoatError) -> None:
        with self._changed:
            self.errors.append(error)
            self._changed.notify_all()

    def on_mode(self, mode: str, reason: str) -> None:
        self.modes.append((mode, reason))

    def wait(self, done: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(done, PATIENCE), (self.calls, self.errors, self.modes)

    def seen(self) -> set[str]:
        """All paths told since the first call, which looks at everything."""
        return {path for paths in self.calls[1:] for path in paths or ()}

    def wait_for(self, *paths: str) -> None:
        self.wait(lambda: set(paths) <= self.seen())


Watch = Callable[..., tuple[Watcher, Recorder]]


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    """Starts watchers and waits until they watch; all are stopped after the test."""
    started: list[Watcher] = []

    def begin(root: Path, config: IndexConfig | None = None, **options: object) -> tuple[Watcher, Recorder]:
        recorder = Recorder()
        config = config or IndexConfig(cache_dir=tmp_path / "cache")
        watcher = Watcher(root, config, recorder, on_mode=recorder.on_mode, on_error=recorder.on_error, **options)  # type: ignore[arg-type]
        started.append(watcher)
        watcher.start()
        recorder.wait(lambda: bool(recorder.calls) and not recorder.running)
        assert recorder.calls == [None]
        return watcher, recorder

    yield begin
    for watcher in started:
        assert watcher.stop(PATIENCE)


@pytest.fixture(params=["git", "plain"])
def root(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    folder = tmp_path / "root"
    for name in ("README.md", "src/a.py", "src/b.py", "other/c.py"):
        write(folder, name)
    if request.param == "git":
        repository(folder)
        git(folder, "add", "-A")
        git(folder, "commit", "-qm", "first")
    return folder


def watches() -> int:
    """Watches that this process holds."""
    return sum("inotify wd" in line for path in Path("/proc/self/fdinfo").iterdir() for line in lines(path))


def lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []
