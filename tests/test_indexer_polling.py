"""Watching where the system gives no events: why it polls, and that polling sees the same."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from test_indexer_files import write
from test_indexer_files_git import plain_git
from watch_world import Watch, root, watch

__all__ = ["plain_git", "root", "watch"]  # fixtures

# Real events and real waits: more than a check before every commit should take.
pytestmark = pytest.mark.slow


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


def test_on_a_network_file_system_it_polls(root: Path, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.watch.eventless_file_system", lambda _: "nfs4")
    watcher, _ = watch(root, poll_pause=0.01)
    assert (watcher.mode, "nfs4" in watcher.reason) == ("polling", True)
    assert watch(root, poll=False)[0].mode == "events"
