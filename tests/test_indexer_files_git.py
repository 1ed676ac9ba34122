"""Listing by git: what it tracks, ignores and nests, and what happens when it cannot."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_indexer_files import paths, reasons, write

from indexer.config import IndexConfig
from indexer.files import explain, list_files

CONFIG = IndexConfig()


@pytest.fixture(autouse=True)
def plain_git(monkeypatch: pytest.MonkeyPatch) -> None:
    """A git that knows nothing of this machine's user."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "protocol.file.allow=always"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def repository(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "-q")
    for name, text in files.items():
        write(folder, name.replace("__", "/") + ".py", text)
    if files:
        git(folder, "add", "-A")
        git(folder, "commit", "-qm", "first")
    return folder


def test_tracked_and_untracked_but_not_ignored_nor_deleted(tmp_path: Path) -> None:
    root = repository(tmp_path, a="1", sub__b="2", gone="3", ignored_but_tracked="4")
    write(root, ".gitignore", "ignored*\nbuild/\n")
    write(root, "ignored.py")
    write(root, "build/x.py")
    write(root, "new.py")
    write(root, "späße\n.py")
    write(root, "node_modules/m.js")
    (root / "gone.py").unlink()
    (root / "empty").mkdir()
    listing = list_files(root, CONFIG)
    assert listing.git
    assert paths(listing) == [".gitignore", "a.py", "ignored_but_tracked.py", "new.py", "späße\n.py", "sub/b.py"]
    assert reasons(listing) == {"node_modules": "Installed packages."}
    assert listing.directories == (".", "empty", "sub")


def test_a_folder_of_a_repository(tmp_path: Path) -> None:
    root = repository(tmp_path, top="1", sub__b="2")
    write(root, ".gitignore", "x.py\nbuild/\n")
    write(root, "sub/x.py")
    write(root, "sub/new.py")
    write(root, "build/.gitignore", "y.py\n")
    write(root, "build/made.py")
    write(root, "build/y.py")
    listing = list_files(root / "sub", CONFIG)
    assert (listing.git, paths(listing)) == (True, ["b.py", "new.py"])
    # An ignored folder was asked for by name: what is in it counts, by its own rules.
    inside = list_files(root / "build", CONFIG)
    assert (inside.git, paths(inside)) == (False, [".gitignore", "made.py"])


def test_codemoat_rules_hold_for_tracked_files(tmp_path: Path) -> None:
    root = repository(tmp_path, a="1", vendor__v="2", sub__skip="3", sub__keep="4")
    write(root, "sub/.codemoatignore", "skip.py\n")
    listing = list_files(root, IndexConfig(exclude=("vendor/",)))
    assert paths(listing) == ["a.py", "sub/.codemoatignore", "sub/keep.py"]
    assert set(reasons(listing)) == {"vendor", "sub/skip.py"}


def test_submodules_and_nested_repositories(tmp_path: Path) -> None:
    library = repository(tmp_path / "library", lib="1")
    root = repository(tmp_path / "root", a="1")
    git(root, "submodule", "add", "-q", str(library), "third/lib")
    git(root, "submodule", "add", "-q", str(library), "absent")
    git(root, "commit", "-qm", "submodules")
    git(root, "submodule", "deinit", "-q", "-f", "absent")
    nested = repository(root / "nested", n="1")
    write(nested, ".gitignore", "tmp.py\n")
    write(nested, "tmp.py")
    write(root / "third/lib", "fresh.py")
    listing = list_files(root, CONFIG)
    expected = [".gitmodules", "a.py", "nested/.gitignore", "nested/n.py", "third/lib/fresh.py", "third/lib/lib.py"]
    assert paths(listing) == expected
    assert reasons(listing)["absent"] == "Submodule that is not checked out."
    assert explain(root, "third/lib/lib.py", CONFIG).reason.startswith("Tracked by git")
    assert explain(root, "nested/tmp.py", CONFIG).reason == "Ignored by git: .gitignore, line 1: tmp.py."


def test_a_tracked_folder_that_became_a_link_is_not_followed(tmp_path: Path) -> None:
    root = repository(tmp_path / "root", d__f="1")
    write(tmp_path, "outside/f.py", "secret")
    (root / "d/f.py").unlink()
    (root / "d").rmdir()
    (root / "d").symlink_to(tmp_path / "outside")
    listing = list_files(root, CONFIG)
    assert paths(listing) == []
    assert "leads out" in reasons(listing)["d"]


def test_a_damaged_repository_is_walked_and_says_so(tmp_path: Path) -> None:
    root = repository(tmp_path / "outer", o="1") / "root"
    write(root, ".gitignore", "*.log\n")
    write(root, "x.log")
    write(root, "a.py")
    (root / ".git").mkdir()
    listing = list_files(root, CONFIG)
    assert (listing.git, paths(listing)) == (False, [".gitignore", "a.py"])
    assert "its .git is damaged" in reasons(listing)["."]
    assert explain(root, "a.py", CONFIG).included


def test_a_damaged_index_is_walked_and_says_so(tmp_path: Path) -> None:
    root = repository(tmp_path, a="1")
    (root / ".git/index").write_bytes(b"DIRC nonsense, long enough to be looked at")
    listing = list_files(root, CONFIG)
    assert (listing.git, paths(listing)) == (False, ["a.py"])
    assert "Git could not list this folder" in reasons(listing)["."]


def test_a_repository_of_another_user_is_walked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = repository(tmp_path, a="1")
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    listing = list_files(root, CONFIG)
    assert (listing.git, paths(listing)) == (False, ["a.py"])
    assert "belongs to another user" in reasons(listing)["."]


def test_without_a_git_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = repository(tmp_path / "root", a="1")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    listing = list_files(root, CONFIG)
    assert (listing.git, paths(listing)) == (False, ["a.py"])
    assert "no git program" in reasons(listing)["."]
    # A program of that name that is none.
    write(tmp_path, "bin/git", "\0").chmod(0o755)
    assert "could not be started" in reasons(list_files(root, CONFIG))["."]


def test_a_git_program_in_the_repository_is_not_the_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = repository(tmp_path / "root", a="1")
    write(root, "git", f"#!/bin/sh\ntouch {tmp_path}/ran\n").chmod(0o755)
    monkeypatch.chdir(root)
    monkeypatch.setenv("PATH", f".:{os.environ['PATH']}:")
    assert list_files(root, CONFIG).git
    code = (
        "import sys; from pathlib import Path; from indexer.repository import changed_since; "
        "print(changed_since(Path(sys.argv[1]), 'HEAD'), 'git' in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    command = [sys.executable, "-P", "-c", code, str(root)]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "{'git'} True"
    assert not (tmp_path / "ran").exists()


def test_a_repository_cannot_have_programs_run(tmp_path: Path) -> None:
    root = repository(tmp_path / "root", a="1")
    trap = write(tmp_path, "trap.sh", f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    trap.chmod(0o755)
    git(root, "config", "core.fsmonitor", str(trap))
    assert paths(list_files(root, CONFIG)) == ["a.py"]
    assert not (tmp_path / "ran").exists()


def test_explain_in_a_repository(tmp_path: Path) -> None:
    root = repository(tmp_path, a="1")
    write(root, ".gitignore", "# comment\n*.log\n")
    write(root, "x.log")
    write(root, "new.py")
    assert explain(root, "a.py", CONFIG).reason == "Tracked by git, a text of 1 bytes."
    assert explain(root, "new.py", CONFIG).reason.startswith("Not tracked by git, but not ignored")
    assert explain(root, "x.log", CONFIG).reason == "Ignored by git: .gitignore, line 2: *.log."
    assert explain(root, ".git/config", CONFIG).reason == ".git is left out: Data of a version control system."


def test_outside_git_it_is_not_imported(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from indexer.files import list_files; "
        "from indexer.config import IndexConfig; list_files(Path(sys.argv[1]), IndexConfig()); "
        "print(sorted({'git', 'detect_secrets', 'numpy', 'requests'} & set(sys.modules)))"
    )
    write(tmp_path, "a.py")
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_walk_decides_as_git_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = repository(tmp_path)
    patterns = [
        "# c",
        "",
        "*.tmp",
        "!keep.tmp",
        "/top.py",
        "a/**/z.py",
        "**/gen",
        "doc/*.txt",
        "b*/",
        "!b2/",
        "x[0-9].py",
        "w/**",
        "!w/keep.py",
        "/v/*",
        "!/v/k/",
    ]
    write(root, ".gitignore", "\n".join([*patterns, r"\#hash.py", "trail.py   ", "only_folder/", "!a/q/z.py"]) + "\n")
    write(root, "a/.gitignore", "!*.tmp\n/only.py\r\n")
    write(root, "a/q/.gitignore", "*\n!.gitignore\n!z.py\n!r/\n")
    names = [
        "k.tmp",
        "keep.tmp",
        "top.py",
        "z.py",
        "gen",
        "n.txt",
        "x1.py",
        "xy.py",
        "#hash.py",
        "trail.py",
        "only.py",
        "keep.py",
        "nl\n.tmp",
        "tmp\n",
    ]
    for folder in [
        "",
        "a/",
        "a/q/",
        "a/q/r/",
        "doc/",
        "doc/sub/",
        "b1/",
        "b2/",
        "gen2/gen/",
        "c/only_folder/",
        "c/a/p/",
    ]:
        for name in [*names, "only_folder"] if folder != "c/" else names:
            if not (root / folder / name).is_dir():
                write(root, folder + name)
    by_git = list_files(root, CONFIG)
    monkeypatch.setenv("PATH", "")
    walked = list_files(root, CONFIG)
    assert by_git.git and not walked.git
    assert len(by_git.files) > 40
    assert paths(walked) == paths(by_git)
