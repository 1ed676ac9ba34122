"""Watching: real file events in real folders, and what becomes of them when the system gives none."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from test_indexer_files import write
from test_indexer_files_git import git, plain_git, repository

from indexer import events
from indexer.config import IndexConfig
from indexer.errors import BadInputError, BusyIndexError, CodemoatError
from indexer.events import network_file_system
from indexer.listing_part import MAX_PATHS
from indexer.location import index_folder
from indexer.watch import Watcher

__all__ = ["plain_git"]
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


def test_a_save_is_told(root: Path, watch: Watch) -> None:
    watcher, recorder = watch(root)
    assert (watcher.mode, watcher.reason) == ("events", "")
    assert recorder.modes == [("events", "")]
    write(root, "src/a.py", "changed")
    recorder.wait_for("src/a.py")
    assert recorder.seen() == {"src/a.py"}


def test_an_atomic_save_a_deletion_and_renames(root: Path, watch: Watch) -> None:
    _, recorder = watch(root)
    write(root, "src/a.py.tmp", "changed").rename(root / "src/a.py")
    recorder.wait_for("src/a.py")
    assert recorder.seen() == {"src/a.py"}, "the file of a moment is no change"
    (root / "src/b.py").unlink()
    recorder.wait_for("src/b.py")
    (root / "src/a.py").rename(root / "src/new.py")
    recorder.wait_for("src/new.py")
    (root / "other").rename(root / "another")
    recorder.wait_for("other", "another")
    write(root, "another/late.py")
    recorder.wait_for("another/late.py")
    shutil.rmtree(root / "another")
    recorder.wait_for("another")


def test_new_folders_are_watched_at_any_depth(root: Path, watch: Watch) -> None:
    _, recorder = watch(root)
    write(root, "new/deep/er/x.py")
    recorder.wait(lambda: any(path.startswith("new") for path in recorder.seen()))
    write(root, "new/deep/er/y.py")
    recorder.wait_for("new/deep/er/y.py")
    (root / "empty/below/it").mkdir(parents=True)
    recorder.wait_for("empty")
    write(root, "empty/below/it/z.py")
    recorder.wait_for("empty/below/it/z.py")


def test_a_folder_that_is_made_anew_is_watched_again(root: Path, watch: Watch) -> None:
    _, recorder = watch(root)
    shutil.rmtree(root / "src")
    write(root, "src/a.py", "new")
    recorder.wait(lambda: bool({"src", "src/a.py"} & recorder.seen()))
    write(root, "src/later.py")
    recorder.wait_for("src/later.py")


def test_what_does_not_count_is_no_change(root: Path, watch: Watch, tmp_path: Path) -> None:
    write(root, ".gitignore", "*.log\nbuild/\n")
    write(root, "node_modules/m/index.js")
    _, recorder = watch(root)
    for path in [
        "node_modules/m/index.js", "node_modules/n.js", "__pycache__/a.pyc", "src/__pycache__/a.pyc", ".codemoat/index",
        "src/.a.py.swp", "src/native.so", "src/run.log", "build/made.py", "src/4913", "src/a.py~",
    ]:  # fmt: skip
        write(root, path)
    (root / "src/4913").unlink()
    (root / "src/a.py~").unlink()
    (root / "src/.#a.py").symlink_to("user@host.1:2")
    if (root / ".git").exists():
        write(root, ".git/objects/ab/cdef", "x")
        git(root, "status")
    write(root, "src/sentinel.py")
    recorder.wait_for("src/sentinel.py")
    assert recorder.seen() == {"src/sentinel.py"}


def test_an_index_within_the_root_does_not_keep_itself_busy(root: Path, watch: Watch) -> None:
    config = IndexConfig(cache_dir=root / "cache")
    folder = index_folder(root, config)
    write(folder, "segments/1/columns.txt")
    _, recorder = watch(root, config)
    write(folder, "segments/2/columns.txt")
    write(folder, "more.txt")
    write(root, "src/sentinel.py")
    recorder.wait_for("src/sentinel.py")
    assert recorder.seen() == {"src/sentinel.py"}


def test_an_ignore_file_means_look_at_everything(root: Path, watch: Watch) -> None:
    _, recorder = watch(root)
    write(root, "src/.gitignore", "b.py\n")
    recorder.wait(lambda: recorder.calls[1:] == [None])
    write(root, ".codemoatignore", "other/\n")
    recorder.wait(lambda: recorder.calls[1:] == [None, None])


def test_a_storm_is_one_look_at_everything(root: Path, watch: Watch) -> None:
    _, recorder = watch(root, quiet=1.0, longest=30.0)
    for number in range(MAX_PATHS + 1):
        write(root, f"src/{number}.py")
    recorder.wait(lambda: recorder.calls[1:] == [None])


def test_a_checkout_is_few_updates(tmp_path: Path, watch: Watch) -> None:
    root = repository(tmp_path / "root", keep="1")
    git(root, "checkout", "-qb", "other")
    names = [f"d{number % 7}/f{number}.py" for number in range(100)]
    for name in names:
        write(root, name, "other")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "other")
    git(root, "checkout", "-qb", "third")
    for name in names:
        write(root, name, "third")
    git(root, "commit", "-qam", "third")
    _, recorder = watch(root, quiet=0.3)
    for branch in ("other", "master", "third"):
        before = len(recorder.calls)
        try:
            git(root, "checkout", "-q", branch)
        except subprocess.CalledProcessError:
            git(root, "checkout", "-q", "main")
        recorder.wait(lambda before=before: None in recorder.calls[before:] and not recorder.running)  # type: ignore[misc]
        assert len(recorder.calls) - before <= 2
    write(root, "d3/late.py")
    recorder.wait_for("d3/late.py")


def test_while_git_holds_its_lock_nothing_is_told(tmp_path: Path, watch: Watch) -> None:
    root = repository(tmp_path / "root", a="1", b="2")
    watcher, recorder = watch(root)
    looks = threading.Semaphore(0)
    git_works = watcher._git_works

    def counted() -> bool:
        looks.release()
        return git_works()

    watcher._git_works = counted  # type: ignore[method-assign]
    lock = write(root, ".git/index.lock", "")
    write(root, "a.py", "changed")
    for _ in range(5):
        assert looks.acquire(timeout=PATIENCE)
    write(root, "b.py", "changed")
    assert looks.acquire(timeout=PATIENCE)
    assert recorder.calls == [None]
    lock.unlink()
    recorder.wait_for("a.py", "b.py")
    assert recorder.calls[1:] == [frozenset(["a.py", "b.py"])]


def test_a_lock_that_was_left_behind_is_not_waited_for_again(
    tmp_path: Path, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.watch._LOCK_QUIET", 0.1)
    root = repository(tmp_path / "root", a="1", b="2")
    write(root, ".git/index.lock", "")
    watcher, recorder = watch(root)
    write(root, "a.py", "changed")
    recorder.wait_for("a.py")
    assert not watcher._git_works()
    write(root, "b.py", "changed")
    recorder.wait_for("b.py")


def test_changes_during_an_update_come_with_the_next(root: Path, watch: Watch) -> None:
    _, recorder = watch(root)
    entered, leave = threading.Event(), threading.Event()

    def slow() -> None:
        entered.set()
        assert leave.wait(PATIENCE)

    recorder.hook = slow
    write(root, "src/a.py", "one")
    assert entered.wait(PATIENCE)
    for name in ("src/a.py", "src/b.py", "other/c.py"):
        write(root, name, "two")
    recorder.hook = lambda: None
    leave.set()
    recorder.wait(lambda: len(recorder.calls) == 3)
    assert recorder.calls[2] == frozenset(["src/a.py", "src/b.py", "other/c.py"])
    assert recorder.most_running == 1


def test_a_failed_update_is_told_and_comes_again(root: Path, watch: Watch) -> None:
    watcher, recorder = watch(root)
    error = BusyIndexError("Busy.", "Wait.")

    def fail() -> None:
        raise error

    recorder.hook = fail
    write(root, "src/a.py", "one")
    recorder.wait(lambda: bool(recorder.errors))
    assert watcher.last_error is error
    recorder.hook = lambda: None
    write(root, "src/b.py", "one")
    recorder.wait(lambda: frozenset(["src/a.py", "src/b.py"]) in recorder.calls and not recorder.running)
    write(root, "other/c.py", "one")
    recorder.wait_for("other/c.py")
    assert watcher.last_error is None


def test_a_failed_update_comes_again_by_itself(root: Path, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.watch._RETRY", 0.01)
    _, recorder = watch(root)

    def fail() -> None:
        if len(recorder.calls) < 5:
            raise BusyIndexError("Busy.", "Wait.")

    recorder.hook = fail
    write(root, "src/a.py", "one")
    recorder.wait(lambda: len(recorder.calls) == 5)
    assert set(recorder.calls[1:]) == {frozenset(["src/a.py"])}


def test_stopping_ends_the_thread_even_while_nothing_happens(root: Path, watch: Watch) -> None:
    before = threading.active_count()
    watcher, recorder = watch(root)
    assert threading.active_count() == before + 1
    assert watcher.stop(PATIENCE)
    assert threading.active_count() == before
    write(root, "src/a.py", "unseen")
    assert recorder.calls == [None]
    assert watches() == 0


def watches() -> int:
    """Watches that this process holds."""
    return sum("inotify wd" in line for path in Path("/proc/self/fdinfo").iterdir() for line in lines(path))


def lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []


def test_only_folders_that_count_take_a_watch(tmp_path: Path, watch: Watch) -> None:
    root = repository(tmp_path / "root", a="1", src__b="2")
    for number in range(50):
        write(root, f"node_modules/{number}/index.js")
    watch(root)
    assert watches() == 4, "the root, src, .git and .git/info"


def test_a_name_that_cannot_be_told_means_look_at_everything(root: Path, watch: Watch) -> None:
    _, recorder = watch(root)
    Path(os.fsdecode(os.fsencode(root) + b"/src/bad\xff.py")).write_bytes(b"x")
    recorder.wait(lambda: len(recorder.calls) >= 2 and not recorder.running)
    assert recorder.calls[1] is None
    write(root, "src/a.py", "seen by the new watches")
    recorder.wait(lambda: len(recorder.calls) >= 3)


def test_the_root_must_be_a_folder_and_may_come_back(root: Path, watch: Watch, tmp_path: Path) -> None:
    with pytest.raises(BadInputError):
        Watcher(tmp_path / "nowhere", IndexConfig(), Recorder())
    watcher, recorder = watch(root)
    root.rename(tmp_path / "away")
    recorder.wait(lambda: bool(recorder.errors))
    assert isinstance(watcher.last_error, BadInputError)
    (tmp_path / "away").rename(root)
    recorder.wait(lambda: recorder.calls[1:] == [None] and not recorder.running)
    write(root, "src/a.py", "changed")
    recorder.wait_for("src/a.py")


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        (OSError('OS file watch limit reached. about ["/x"] (Error { kind: MaxFilesWatch })'), "max_user_watches"),
        (None, "max_user_instances"),
    ],
)
def test_without_watches_it_polls_and_says_why(
    root: Path, watch: Watch, monkeypatch: pytest.MonkeyPatch, problem: OSError | None, reason: str
) -> None:
    from watchfiles import _rust_notify

    raised = problem or _rust_notify.WatchfilesRustInternalError(
        "Error creating recommended watcher: Too many open files (os error 24)"
    )

    def refuse(*_: object) -> None:
        raise raised

    monkeypatch.setattr(_rust_notify, "RustNotify", refuse)
    watcher, recorder = watch(root, poll_pause=0.01)
    assert watcher.mode == "polling"
    assert reason in watcher.reason
    write(root, "src/a.py", "changed")
    recorder.wait_for("src/a.py")


@pytest.mark.skipif(not os.access("/proc/sys/fs/inotify/max_user_watches", os.W_OK), reason="needs root")
def test_the_systems_own_limit_makes_it_poll(root: Path, watch: Watch) -> None:
    limit = Path("/proc/sys/fs/inotify/max_user_watches")
    before = limit.read_text()
    try:
        limit.write_text("2")
        watcher, recorder = watch(root, poll_pause=0.01)
    finally:
        limit.write_text(before)
    assert watcher.mode == "polling"
    assert "max_user_watches" in watcher.reason
    write(root, "src/a.py", "changed")
    recorder.wait_for("src/a.py")


def test_polling_sees_what_events_would_tell(root: Path, watch: Watch) -> None:
    watcher, recorder = watch(root, poll=True, poll_pause=0.01)
    assert (watcher.mode, watcher.reason) == ("polling", "polling was asked for")
    write(root, "src/a.py", "longer than before")
    recorder.wait_for("src/a.py")
    (root / "src/b.py").unlink()
    recorder.wait_for("src/b.py")
    write(root, "new/deep/x.py")
    recorder.wait_for("new/deep/x.py")
    (root / "other").rename(root / "another")
    recorder.wait_for("other/c.py", "another/c.py")
    write(root, "node_modules/m.js")
    write(root, "late.py")
    recorder.wait_for("late.py")
    assert not any("node_modules" in path for path in recorder.seen())
    write(root, ".codemoatignore", "src/\n")
    recorder.wait(lambda: None in recorder.calls[1:])


MOUNTS = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:26 / /home rw - nfs4 server:/home rw
31 30 0:27 / /home/a\\040b/local rw - btrfs /dev/sdb rw
broken line
"""


def test_network_file_systems_are_told_apart() -> None:
    assert network_file_system(Path("/home/x/project"), MOUNTS) == "nfs4"
    assert network_file_system(Path("/home/a b/local/project"), MOUNTS) is None
    assert network_file_system(Path("/homes"), MOUNTS) is None
    assert network_file_system(Path("/"), "") is None
    assert network_file_system(Path(__file__)) in (None, *events._NETWORK)


def test_on_a_network_file_system_it_polls(root: Path, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.watch.network_file_system", lambda _: "nfs4")
    watcher, _ = watch(root, poll_pause=0.01)
    assert (watcher.mode, "nfs4" in watcher.reason) == ("polling", True)
    assert watch(root, poll=False)[0].mode == "events"
