"""Where git fails, a walk takes its place, and what the user hid from git stays hidden."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hostile_world import Watched, function
from test_indexer_files import paths, reasons, write
from test_indexer_files_git import git, plain_git, repository

from indexer import git as gatekeeper
from indexer.config import IndexConfig
from indexer.files import list_files
from indexer.listing_part import list_some

pytestmark = pytest.mark.slow

__all__ = ["plain_git"]

CONFIG = IndexConfig()

HIDDEN = ("by_info.py", "by_user.py", "by_setting.py", "sub/by_rule.py", "sub/by_path.py")


def hiding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a file hidden in each way that git knows, and the user's settings."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.delenv("GIT_CONFIG_GLOBAL", raising=False)
    write(tmp_path, "settings/git/ignore", "by_user.py\n")
    root = repository(tmp_path / "root", a="1", sub__b="2")
    write(root, ".git/info/exclude", "by_info.py\n/sub/by_path.py\n")
    write(root, ".gitignore", "by_rule.py\n")
    git(root, "add", ".gitignore")
    for name in HIDDEN:
        write(root, name)
    # Git takes one setting only: the repository's goes before the user's.
    write(tmp_path, "named", "by_setting.py\nby_user.py\n")
    git(root, "config", "core.excludesFile", str(tmp_path / "named"))
    assert set(paths(list_files(root, CONFIG))) == {".gitignore", "a.py", "sub/b.py"}
    return root


def times_out(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = gatekeeper.git_program()
    # What lists files hangs, as with a file system that does; what reads settings answers.
    fake = f'#!/bin/sh\ncase "$*" in *ls-files*) exec sleep 600;; esac\nexec {program} "$@"\n'
    write(tmp_path, "bin/git", fake).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setattr(gatekeeper, "DEADLINE", 0.5)


def answers_too_much(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from indexer import bounded

    monkeypatch.setattr(bounded, "MAX_OUTPUT", 5)


def damaged_index(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / ".git/index").write_bytes(b"DIRC nonsense, long enough to be looked at")


def other_user(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")


def no_program(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))


def no_head(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / ".git/HEAD").write_text("nonsense")


def pipe(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(root / ".gitattributes")


FAILURES = (times_out, answers_too_much, damaged_index, other_user, no_program, no_head, pipe)
every_failure = pytest.mark.parametrize("fails", FAILURES)


@every_failure
def test_what_is_hidden_from_git_stays_hidden(tmp_path, monkeypatch, fails):
    root = hiding(tmp_path, monkeypatch)
    fails(root, tmp_path, monkeypatch)
    listing = list_files(root, CONFIG)
    assert set(paths(listing)) == {".gitignore", "a.py", "sub/b.py"}
    assert not listing.git
    said = reasons(listing)
    assert "Git could not list this folder" in said["."]
    assert said["by_info.py"] == "Excluded by .git/info/exclude, line 1: by_info.py."
    part = list_some(root, CONFIG, ["by_info.py"])
    assert part is None or part.files == ()


@every_failure
def test_a_folder_of_a_repository_obeys_what_lies_above_it(tmp_path, monkeypatch, fails):
    root = hiding(tmp_path, monkeypatch)
    write(root, "sub/by_info.py")
    fails(root, tmp_path, monkeypatch)
    listing = list_files(root / "sub", CONFIG)
    assert set(paths(listing)) == {"b.py"}
    said = reasons(listing)
    assert "Git could not list this folder" in said["."]
    assert said["by_rule.py"] == "Excluded by ../.gitignore, line 1: by_rule.py."


def test_git_that_does_not_answer_for_a_while_widens_nothing(tmp_path, monkeypatch):
    root = hiding(tmp_path, monkeypatch)
    write(root, "by_info.py", function("private"))
    write(root, "new.py", function("public"))
    with Watched(root, tmp_path / "cache") as watched:
        watched.update()
        times_out(root, tmp_path, monkeypatch)
        for problem in ("did not answer within", "git timed out here less than 10 minutes ago"):
            watched.update()
            assert problem in watched.said["."]
            assert (watched.finds("private"), watched.finds("public")) == ([], ["new.py"])


@pytest.mark.parametrize("program", ["there", "missing"])
def test_the_users_setting_names_the_ignore_file(tmp_path, monkeypatch, program):
    root = hiding(tmp_path, monkeypatch)
    git(root, "config", "--unset", "core.excludesFile")
    (root / "by_setting.py").unlink()
    write(tmp_path, "home/.gitconfig", '[user]\n\tname = x\n[core]\n\tExcludesFile = "~/hidden"\n')
    write(tmp_path, "home/hidden", "by_user.py\n")
    write(tmp_path, "settings/git/ignore", "")
    damaged_index(root, tmp_path, monkeypatch)
    if program == "missing":
        no_program(root, tmp_path, monkeypatch)
    assert set(paths(list_files(root, CONFIG))) == {".gitignore", "a.py", "sub/b.py"}


def test_a_further_working_tree_hides_what_the_first_one_does(tmp_path, monkeypatch):
    root = hiding(tmp_path, monkeypatch)
    git(root, "worktree", "add", "-q", str(tmp_path / "tree"))
    write(tmp_path, "tree/by_info.py")
    (root / ".git/worktrees/tree/index").write_bytes(b"DIRC nonsense, long enough to be looked at")
    listing = list_files(tmp_path / "tree", CONFIG)
    assert (listing.git, paths(listing)) == (False, ["a.py", "sub/b.py"])


def test_a_nested_repository_hides_by_its_own_rules_first(tmp_path, monkeypatch):
    root = hiding(tmp_path, monkeypatch)
    write(root, ".gitignore", "!private.py\n")
    nested = repository(root / "nested", n="1")
    write(nested, ".git/info/exclude", "private.py\n")
    write(nested, "private.py")
    damaged_index(nested, tmp_path, monkeypatch)
    listing = list_files(root, CONFIG)
    assert listing.git
    assert [path for path in paths(listing) if path.startswith("nested")] == ["nested/n.py"]


def test_repositories_below_a_folder_without_git_hide_what_they_hide(tmp_path, monkeypatch):
    root = hiding(tmp_path, monkeypatch)
    write(tmp_path, ".gitignore", "home\nsettings\nnamed\n")
    assert set(paths(list_files(tmp_path, CONFIG))) == {
        ".gitignore",
        *(f"{root.name}/{path}" for path in (".gitignore", "a.py", "sub/b.py")),
    }


def test_a_repository_that_ignores_everything_is_not_walked_without_its_rules(tmp_path, monkeypatch):
    root = hiding(tmp_path, monkeypatch)
    write(root, ".gitignore", "*\n")
    damaged_index(root, tmp_path, monkeypatch)
    assert paths(list_files(root, CONFIG)) == []


def test_a_package_that_ignores_everything_still_hides_what_a_repository_in_it_does(tmp_path, monkeypatch):
    root = hiding(tmp_path, monkeypatch)
    package = tmp_path / "package"
    write(package, ".gitignore", "*\n")
    root.rename(package / "root")
    write(package, "p.py")
    found = set(paths(list_files(package, CONFIG)))
    assert {"p.py", "root/a.py"} <= found
    assert not found & {"root/by_info.py", "root/by_user.py", "root/by_setting.py"}
    part = list_some(package, CONFIG, ["root/by_info.py", "p.py"])
    assert part is None or paths(part) == ["p.py"]


def test_a_folder_on_another_file_system_is_in_no_repository(tmp_path, monkeypatch):
    root = repository(tmp_path / "root", a="1", sub__b="2")
    said = "fatal: not a git repository (or any parent up to mount point /x)\nStopping at filesystem boundary (...)."
    write(tmp_path, "bin/git", f"#!/bin/sh\necho '{said}' >&2\nexit 128\n").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    assert subprocess.run(["git"], capture_output=True, check=False).returncode == 128
    listing = list_files(root / "sub", CONFIG)
    assert (listing.git, paths(listing), listing.skipped) == (False, ["b.py"], ())
