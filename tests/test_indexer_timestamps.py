"""Files and folders whose times do not fit into 64 bits of nanoseconds: as real ones, and as a file system may say."""

from __future__ import annotations

import os
import select
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from store_tools import InlinePool

from benchmarks.lsp_client import LspProcess
from indexer import Index, IndexConfig
from indexer.control import Control
from indexer.errors import CancelledError
from indexer.polling import PollSource
from indexer.timestamps import storable

pytestmark = pytest.mark.slow

SECOND = 10**9
DATES = {
    "2262": 2**63,
    "2400": 13_569_465_600 * SECOND + 1,
    "1677": -(2**63) - 1,
    "1500": -14_831_769_600 * SECOND,
    "far": 10**24,
}
FIELDS = ("st_mtime_ns", "st_ctime_ns")
Dating = Callable[[Path, int], None]


class Stat:
    """A stat result with other times."""

    def __init__(self, found: os.stat_result, time_ns: int) -> None:
        self._found, self._time_ns = found, time_ns

    def __getattr__(self, name: str) -> Any:
        return self._time_ns if name in FIELDS else getattr(self._found, name)


@pytest.fixture
def patched(monkeypatch: pytest.MonkeyPatch) -> Dating:
    """Gives a file or folder a time by what this process hears of it, the inode's time too."""
    dated: dict[tuple[int, int], tuple[int, int]] = {}

    def wrap(real: Callable[..., os.stat_result]) -> Callable[..., Any]:
        def stat(*args: Any, **options: Any) -> Any:
            found = real(*args, **options)
            time_ns, real_ns = dated.get((found.st_dev, found.st_ino), (0, 0))
            return Stat(found, time_ns) if real_ns and found.st_mtime_ns == real_ns else found

        return stat

    def date(path: Path, time_ns: int) -> None:
        found = path.stat()
        dated[found.st_dev, found.st_ino] = time_ns, found.st_mtime_ns

    for name in ("stat", "lstat", "fstat"):
        monkeypatch.setattr(os, name, wrap(getattr(os, name)))
    monkeypatch.setattr("indexer.workers.WorkerPool", InlinePool)
    return date


def utime(path: Path, time_ns: int) -> None:
    os.utime(path, ns=(time_ns, time_ns))
    assert path.stat().st_mtime_ns == time_ns


def holds(folder: Path, time_ns: int) -> bool:
    """Whether the file system of ``folder`` keeps this time; most change it without a word."""
    with tempfile.NamedTemporaryFile(dir=folder) as file, suppress(OSError, OverflowError):
        os.utime(file.name, ns=(time_ns, time_ns))
        return Path(file.name).stat().st_mtime_ns == time_ns
    return False


@pytest.fixture(params=["real", "patched"])
def dating(request: pytest.FixtureRequest) -> Dating:
    """How a file is dated."""
    return utime if request.param == "real" else request.getfixturevalue("patched")


@pytest.fixture
def home(tmp_path: Path, dating: Dating, time_ns: int) -> Iterator[Path]:
    """A folder of the test's own, for real times on a file system that holds them."""
    if dating is not utime:
        yield tmp_path
        return
    places = [place for place in (tmp_path, Path("/dev/shm")) if place.is_dir() and holds(place, time_ns)]
    if not places:
        pytest.skip("no file system here holds such a time; the patched test runs everywhere")
    made = Path(tempfile.mkdtemp(dir=places[0]))
    yield made
    # The server's own files may go at the same time: its children end by themselves.
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(params=DATES.values(), ids=DATES)
def time_ns(request: pytest.FixtureRequest) -> int:
    return request.param


@pytest.fixture
def root(home: Path, dating: Dating, time_ns: int) -> Path:
    root = home / "project"
    (root / "old").mkdir(parents=True)
    (root / "a.py").write_text("def first():\n    pass\n")
    (root / "old/b.py").write_text("def second():\n    pass\n")
    (root / "old/binary.py").write_bytes(b"\0\1\2" * 100)
    for path in ("a.py", "old/b.py", "old/binary.py", "old"):
        dating(root / path, time_ns)
    return root


def opened(root: Path) -> Index:
    return Index.open(root, IndexConfig(cache_dir=root.parent / "cache", workers=1), create=True)


def test_times_that_do_not_fit_become_the_nearest_that_do() -> None:
    now = time.time_ns()
    assert [storable(value) for value in (0, now, -now, 2**63 - 1, -(2**63))] == [0, now, -now, 2**63 - 1, -(2**63)]
    assert (storable(2**63), storable(-(2**63) - 1), storable(10**30)) == (2**63 - 1, -(2**63), 2**63 - 1)


def test_files_and_folders_of_any_time_are_indexed_and_their_changes_seen(
    root: Path, dating: Dating, time_ns: int
) -> None:
    with opened(root) as index:
        report = index.update()
        assert (report.files, report.files_parsed) == (2, 2)
        assert [problem.reason for problem in report.skipped] == ["Binary content."]
        assert [s.path for s in index.symbols("second")] == ["old/b.py"]
        assert not index.stale()
        again = index.update()
        assert (again.files_parsed, again.generation) == (0, report.generation)
        (root / "old/b.py").write_text("def changed():\n    pass\n")
        assert index.stale()
        dating(root / "old/b.py", time_ns)  # the same time, and another size
        assert index.update(paths=["old/b.py"]).files_parsed == 1
        assert [s.path for s in index.symbols("changed")] == ["old/b.py"]
        assert not index.stale()
        (root / "old/new.py").write_text("def third():\n    pass\n")
        assert index.update(paths=["old/new.py"]).files == 3


def test_an_interrupted_update_of_such_files_is_taken_over(root: Path) -> None:
    cancel = Control()
    with opened(root) as index:
        with pytest.raises(CancelledError):
            index.update(lambda progress: cancel.cancel() if progress.files_done else None, cancel)
        report = index.update()
        assert (report.files, report.files_resumed > 0) == (2, True)


def test_polling_sees_changes_of_such_files_and_nothing_else(
    root: Path, dating: Dating, time_ns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    import indexer.polling

    utime(root, 1_600_000_000 * SECOND)
    source = PollSource(root, IndexConfig(), None, 0.0)
    listings = []
    listed = indexer.polling.list_files
    monkeypatch.setattr(indexer.polling, "list_files", lambda *args: listings.append(args) or listed(*args))
    for _ in range(3):
        assert source.look(lambda: False) == frozenset()
    assert not listings, "folders dated in the future are no reason to list all again and again"
    (root / "old/b.py").write_text("def changed_much():\n    pass\n")
    assert source.look(lambda: False) == {"old/b.py"}
    dating(root / "old/b.py", time_ns)
    assert source.look(lambda: False) == {"old/b.py"}
    assert source.look(lambda: False) == frozenset()


@pytest.mark.parametrize("dating", ["real"], indirect=True)
@pytest.mark.parametrize("time_ns", [DATES["2400"]], indirect=True)
def test_the_language_server_indexes_such_a_folder(root: Path, home: Path) -> None:
    server = LspProcess(home, folders=[root], options={"editor": {"enabled": False}})
    try:
        deadline = time.monotonic() + 120
        while (found := server.ask("codemoat/status")["folders"][0])["state"] not in ("ready", "failed"):
            assert time.monotonic() < deadline
            select.select([], [], [], 0.02)
        assert (found["state"], found["problem"]) == ("ready", "")
    finally:
        server.process.kill()
        server.end()
