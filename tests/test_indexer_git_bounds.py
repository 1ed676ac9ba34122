"""What git may cost, and what is said when its surroundings fail."""

from __future__ import annotations

import errno
import subprocess
import tempfile
from pathlib import Path

import pytest
from test_indexer_files_git import plain_git, repository

from indexer import bounded
from indexer import git as gatekeeper
from indexer.errors import BadInputError, StorageError
from indexer.repository import changed_since

__all__ = ["plain_git"]


def test_histories_are_bounded_too(tmp_path, monkeypatch):
    root = repository(tmp_path, a="1")
    limited: list[int] = []
    monkeypatch.setattr(bounded, "_limit_memory", limited.append)
    assert gatekeeper.history(root).log("--format=%s").splitlines() == ["first"]
    assert len(limited) == 2, "of the question about filters, and of the command"
    monkeypatch.setattr(bounded, "MAX_OUTPUT", 20)
    with pytest.raises(BadInputError, match="git's answer is too long"):
        gatekeeper.history(root).log()


@pytest.mark.parametrize("option", ["as_process", "env", "kill_after_timeout"])
def test_nothing_evades_the_bounds(tmp_path, option):
    root = repository(tmp_path, a="1")
    with pytest.raises(ValueError, match="without options"):
        gatekeeper.history(root).log(**{option: 1})


def test_a_history_that_hangs_is_ended(tmp_path, monkeypatch):
    root = repository(tmp_path, a="1")
    reader = gatekeeper.history(root)

    def late(process, seconds):
        process.kill()
        process.communicate()
        raise TimeoutError

    monkeypatch.setattr(gatekeeper, "wait_bounded", late)
    with pytest.raises(BadInputError, match="did not answer within 60 seconds"):
        reader.log()
    assert "timed out here" in gatekeeper.run_git(root, "ls-files").problem


def test_a_process_that_cannot_be_killed_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(bounded.os, "killpg", lambda *_: None)
    monkeypatch.setattr(bounded, "_LEAVE_SECONDS", 0.1)
    process = subprocess.Popen(["sleep", "600"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    try:
        with pytest.raises(TimeoutError):
            bounded.wait_bounded(process, 0.1)
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()


def test_an_unknown_revision_is_said_before_files_are_listed(tmp_path, monkeypatch):
    root = repository(tmp_path, a="1")
    asked: list[str] = []
    run = gatekeeper.run_git

    def noting(folder, *arguments, **options):
        asked.append(arguments[0])
        return run(folder, *arguments, **options)

    monkeypatch.setattr("indexer.repository.run_git", noting)
    with pytest.raises(BadInputError, match="There is no revision 'mian'"):
        changed_since(root, "mian")
    assert set(asked) == {"rev-parse"}


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_no_room_for_temporary_files(tmp_path, monkeypatch, number):
    root = repository(tmp_path, a="1")

    def refuse(*_, **__):
        raise OSError(number, "refused")

    monkeypatch.setattr(tempfile, "TemporaryDirectory", refuse)
    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    with pytest.raises(StorageError, match=r"disk is full|read-only") as caught:
        changed_since(root, "HEAD")
    assert isinstance(caught.value.__cause__, OSError)
    assert ("TMPDIR" in caught.value.hint) == (number == errno.EROFS)
    answer = gatekeeper.run_git(root, "check-ignore", "--stdin", given=b"a.py")
    assert answer.status == 127
    assert answer.problem.startswith(("the disk is full", "the file system is read-only"))


def test_what_no_process_can_be_given_is_an_answer(tmp_path):
    for folder, argument in ((Path(f"{tmp_path}/a\0b"), "a"), (tmp_path, "a\0b"), (tmp_path, "\ud800")):
        assert gatekeeper.run_git(folder, "ls-files", argument).problem == "the git program could not be started"


def test_a_repository_that_cannot_be_asked_names_the_next_step(tmp_path, monkeypatch):
    root = repository(tmp_path, a="1")
    monkeypatch.setattr(gatekeeper, "_MAX_SETTINGS_BYTES", -1)
    with pytest.raises(BadInputError, match="too many filters") as caught:
        gatekeeper.history(root)
    assert "--since" not in caught.value.hint
    (root / ".git/config").write_text("[nonsense")
    with pytest.raises(BadInputError, match="bad config line") as caught:
        gatekeeper.history(root)
    assert caught.value.hint == "Run `git status` there."
