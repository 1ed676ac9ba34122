"""Watching: real file events in real folders, and what becomes of them when the system gives none."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path

import pytest
from test_indexer_files import write
from test_indexer_files_git import git, plain_git, repository
from watch_world import PATIENCE, Recorder, Watch, root, watch, watches

from indexer.config import IndexConfig
from indexer.errors import BadInputError, BusyIndexError
from indexer.files import list_files
from indexer.listing_part import MAX_PATHS
from indexer.location import index_folder
from indexer.watch import Watcher

# Real events and real waits: more than a check before every commit should take.
pytestmark = pytest.mark.slow

__all__ = ["plain_git", "root", "watch"]  # fixtures


def test_a_save_is_told(root: Path, watch: Watch) -> None:
    watcher, recorder = watch(root)
    assert (watcher.mode, watcher.reason) == ("events", "")
    assert recorder.modes == [("events", "")]
    write(root, "src/a.py", "changed")
    recorder.wait_for("src/a.py")
    assert recorder.seen() == {"src/a.py"}


def test_an_atomic_save_a_deletion_and_renames(root: Path, watch: Watch) -> None:
    _, recorder = watch(root, quiet=0.3)
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
    _, recorder = watch(root, quiet=0.5)
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


def test_a_folder_that_becomes_gits_own_means_look_at_everything(root: Path, watch: Watch) -> None:
    """What it held before is no longer indexed."""
    _, told = watch(root)
    write(root, "mirror/description")
    told.wait_for("mirror")
    told.wait(lambda: not told.running)
    (root / "mirror/objects").mkdir()
    (root / "mirror/refs").mkdir()
    write(root, "mirror/HEAD", "ref: refs/heads/main\n")
    told.wait(lambda: None in told.calls[1:])
    told.wait(lambda: not told.running)
    assert "mirror" not in list_files(root, IndexConfig()).directories


def test_a_storm_is_one_look_at_everything(root: Path, watch: Watch) -> None:
    _, recorder = watch(root, quiet=1.0, longest=30.0)
    for number in range(MAX_PATHS + 1):
        write(root, f"src/{number}.py")
    recorder.wait(lambda: recorder.calls[1:] == [None])


def test_a_checkout_is_few_updates(tmp_path: Path, watch: Watch) -> None:
    root = repository(tmp_path / "root", keep="1")
    git(root, "checkout", "-qb", "one")
    names = [f"d{number % 7}/f{number}.py" for number in range(100)]
    for text in ("one", "another"):
        for name in names:
            write(root, name, text)
        git(root, "add", "-A")
        git(root, "commit", "-qm", text)
    _, recorder = watch(root, quiet=0.3)
    git(root, "checkout", "-q", "HEAD~1", "--", ".")
    recorder.wait_for(*names)
    assert recorder.seen() == set(names)
    told = len(recorder.calls)
    assert told <= 3
    for number, commit in enumerate(("HEAD~2", "one", "HEAD~1"), 1):
        git(root, "checkout", "-qf", commit)
        recorder.wait(lambda number=number: recorder.calls.count(None) == 1 + number and not recorder.running)  # type: ignore[misc]
    write(root, "d3/late.py")
    recorder.wait_for("d3/late.py")
    assert len(recorder.calls) <= told + 4, "three checkouts, one file"


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


def test_a_failed_update_is_told_and_comes_again(root: Path, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.watch._RETRY", PATIENCE)
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
