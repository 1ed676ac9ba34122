"""Benchmarks over clones run nothing that a clone names."""

from __future__ import annotations

import subprocess
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from hostile_git import LATER, REPOSITORIES, build
from hostile_world import git, plain_git

from benchmarks.keystrokes import sessions
from benchmarks.natural import History, clone_of
from benchmarks.natural_tasks import history
from benchmarks.typing import archive

pytestmark = pytest.mark.slow


CLONES = [name for name in REPOSITORIES if name not in ("gitfile inside", "gitfile outside", "linked tree")]
"""Those whose ``.git`` is a folder; other working trees are not given to benchmarks."""


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    plain_git(monkeypatch.setenv, monkeypatch.delenv)


@pytest.mark.parametrize("name", CLONES)
def test_reading_a_clone_runs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    place = build(name, tmp_path)
    commit = git(place.root, "rev-parse", "second").strip()
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    subjects = [one.subject for one in history(place.root, commit)]
    assert subjects == ["second", "first"]
    one = History(name="root", language="python", url="https://example.org/x/root", revision=commit)
    assert clone_of(place.base, one) == place.root
    assert clone_of(place.base, replace(one, revision="1" * 40)) is None
    # A partial clone lacks texts: that is an error, not a reason to fetch them.
    with pytest.raises(subprocess.CalledProcessError) if name.startswith("fetch") else nullcontext():
        assert sessions(place.root, "root", (".py",), 3) == []
    with_files = tmp_path / "tree"
    with_files.mkdir()
    with archive(place.root, "second", with_files):
        assert (with_files / LATER).exists()
    assert not place.mark.exists()
