"""Asking git: what it lists, tracks and ignores. The only importer of GitPython."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path


def git_names(folder: Path, *, nested: bool = False) -> tuple[list[tuple[bool, str]] | None, str | None]:
    """What git lists in ``folder``: (tracked, name) relative to it, folders that are repositories with a final ``/``.

    None when it lies in no repository, and then also why when it should have (a phrase). ``nested``: the folder must
    be a repository itself, one further up does not count.
    """
    own = os.path.lexists(folder / ".git")
    if not own and (nested or not any(os.path.lexists(parent / ".git") for parent in folder.parents)):
        return None, None
    # With a ceiling, a damaged .git is an error instead of silently meaning the repository further up.
    environment = {"GIT_CEILING_DIRECTORIES": str(folder.parent)} if own else {}
    status, output, problem = run_git(
        folder, environment, "ls-files", "-t", "-z", "--cached", "--others", "--exclude-standard"
    )
    if status != 0:
        return None, problem if own else None
    if not own and run_git(folder, environment, "check-ignore", "--quiet", ".")[0] == 0:
        # An ignored folder of a repository (an environment, a build) that was asked for by name.
        return None, None
    entries = {entry[2:]: entry[:1] != "?" for entry in output.decode("utf-8", "surrogateescape").split("\0") if entry}
    return [(tracked, name) for name, tracked in entries.items()], None


def empty_folders(folder: Path) -> list[str]:
    """Folders of a repository that hold nothing tracked, an empty one among them: files may yet come there."""
    status, output, _ = run_git(folder, {}, "ls-files", "-z", "--others", "--directory", "--exclude-standard")
    names = output.decode("utf-8", "surrogateescape").split("\0") if status == 0 else []
    return [name[:-1] for name in names if name.endswith("/") and name != "./"]


def run_git(folder: Path, environment: dict[str, str], *arguments: str) -> tuple[int, bytes, str]:
    """Run git in ``folder``: exit status, standard output and, when it failed, why (a phrase)."""
    try:
        from git import Git
        from git.exc import GitCommandNotFound
    except ImportError:  # what GitPython raises when there is no git program
        return 127, b"", "there is no git program on this machine"
    # A repository's own configuration may name a program to run as its file monitor: never run it.
    command = [Git.GIT_PYTHON_GIT_EXECUTABLE, "-c", "core.fsmonitor=false", *arguments]
    try:
        status, output, errors = Git(str(folder)).execute(
            command,
            with_extended_output=True,
            with_exceptions=False,
            stdout_as_string=False,
            strip_newline_in_stdout=False,
            env={"GIT_OPTIONAL_LOCKS": "0", **environment},
        )
    except GitCommandNotFound:
        return 127, b"", "the git program could not be started"
    return status, output, "" if status == 0 else _git_problem(str(errors))


def _git_problem(errors: str) -> str:
    """A phrase for what git wrote when it failed."""
    if "dubious ownership" in errors:
        return "git refuses it because it belongs to another user"
    if "not a git repository" in errors:
        return "its .git is damaged"
    first = errors.strip().partition("\n")[0].removeprefix("fatal: ").strip().rstrip(".")
    return first or "git failed"
