"""Git on the clones that a benchmark is given: nothing runs that one of them names, and nothing is fetched."""

from __future__ import annotations

from pathlib import Path

from indexer.git import filters_off, git_environment


def git_command(history: Path, *arguments: str) -> list[str]:
    """A git command about a clone, bare or not."""
    return ["git", "--no-pager", f"--git-dir={git_folder(history)}", *arguments]


def git_folder(history: Path) -> Path:
    """Where git keeps a clone's data: itself where it is a bare one."""
    return history if (history / "HEAD").exists() else history / ".git"


def environment(*, filters_of: Path | None = None, cloning: bool = False) -> dict[str, str]:
    """The environment of such a command.

    ``filters_of``: the clone whose filter programs are switched off, for commands that write or compare files.
    ``cloning``: it is a clone from a folder of this machine.
    """
    settings = filters_off(filters_of, f"--git-dir={git_folder(filters_of)}") if filters_of is not None else []
    return git_environment(settings=settings) | ({"GIT_ALLOW_PROTOCOL": "file"} if cloning else {})
