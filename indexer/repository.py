"""What git says of a folder: which files it lists, tracks and ignores, and what changed; and which folders are its own.

``git.py`` starts git; here are the questions and how the answers are read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from indexer.errors import BadInputError
from indexer.git import OTHER_FILE_SYSTEM, OTHER_OWNER, difference, repository_folder, run_git, work_tree
from indexer.kinds import JUNK_FOLDERS
from indexer.reasons import encodable, visible

GIT_FOLDER = "Data of git (HEAD, objects and refs): git's own files are not indexed."
"""Why a folder is left out for which ``is_git_folder`` is true."""

GIT_FOLDER_MARKS = frozenset(["HEAD", "objects", "refs"])
"""Names that make the folder they are in git's own, all three together."""


def is_git_folder(folder: str | Path) -> bool:
    """Whether git keeps a repository's data right in ``folder``: a bare clone, or a ``.git`` under any name.

    A folder that holds a ``.git`` besides is somebody's working tree.
    """
    base = os.fspath(folder)
    return (
        os.path.lexists(f"{base}/HEAD")
        and os.path.isdir(f"{base}/objects")  # noqa: PTH112  (asked of every folder; a Path costs more than the call)
        and os.path.isdir(f"{base}/refs")  # noqa: PTH112
        and not os.path.lexists(f"{base}/.git")
    )


def lies_in_git_folder(root: Path) -> bool:
    """Whether ``root`` (absolute, without links) is one of git's own folders or lies in one, such as ``.git/hooks``.

    A working tree ends the search upwards: one that lies within a bare repository's folder is not git's own.
    """
    for folder in (root, *root.parents):
        if os.path.lexists(folder / ".git"):
            return False
        if folder.name == ".git" or is_git_folder(folder):
            return True
    return False


def git_names(
    folder: Path, *, nested: bool = False, only: Sequence[str] = ()
) -> tuple[list[tuple[bool, str]] | None, str | None]:
    """What git lists in ``folder``: (tracked, name) relative to it, folders that are repositories with a final ``/``.

    None when it lies in no repository, and then also why when it should have (a phrase). ``nested``: the folder must
    be a repository itself, one further up does not count. ``only``: names in it, nothing else is listed then.
    """
    own = os.path.lexists(folder / ".git")
    if not own and (nested or work_tree(folder) is None):
        return None, None
    status, output, problem = run_git(
        folder, "ls-files", "-t", "-z", "--cached", "--others", "--exclude-standard", "--", *only
    )
    if status != 0:
        return None, None if problem == OTHER_FILE_SYSTEM else problem
    if not own and run_git(folder, "check-ignore", "--quiet", ".").status == 0:
        # An ignored folder of a repository (an environment, a build) that was asked for by name.
        return None, None
    entries = {entry[2:]: entry[:1] != "?" for entry in _split(output)}
    if any(not _is_plain(name) for name in entries):
        return None, "its index is damaged"
    return [(tracked, name) for name, tracked in entries.items()], None


def untracked_folders(folder: Path, only: Sequence[str] = ()) -> list[str]:
    """Folders of a repository with nothing tracked in them, empty ones among them: files may yet come there.

    ``only``: names in it, nothing else is looked at then.
    """
    answer = run_git(folder, "ls-files", "-z", "--others", "--directory", "--exclude-standard", "--", *only)
    names = _split(answer.output) if answer.status == 0 else []
    tops = [name[:-1] for name in names if name.endswith("/") and name != "./"]
    # Git names only the topmost; below it may lie folders of any depth, of which some are ignored.
    below = [name for top in tops for name in _folders_below(folder, top)]
    return [*tops, *_not_ignored(folder, below)]


def is_tracked(folder: Path, name: str) -> bool:
    """Whether git tracks the file ``name``, relative to ``folder``."""
    answer = run_git(folder, "ls-files", "-z", "--cached", "--", name)
    return answer.status == 0 and bool(answer.output)


def ignored_by(folder: Path, name: str) -> str | None:
    """The rule by which git ignores ``name`` ("FILE, line N: PATTERN"), or None where it does not."""
    output = run_git(folder, "check-ignore", "--verbose", "--", f"./{name}").output.decode("utf-8", "replace")
    rule = re.match(r"(.+?):(\d+):(.+)\t", output)
    return f"{rule[1]}, line {rule[2]}: {rule[3]}" if rule else None


def changed_since(root: Path, revision: str) -> set[str]:
    """Paths below ``root``, relative to it, that differ from ``revision``: committed since, uncommitted or untracked.

    Submodules are not looked into. Raises BadInputError outside a repository, for an unknown revision, and when git
    fails, and StorageError when git's index cannot be copied.
    """
    if repository_folder(root) is None:
        raise BadInputError(f"{root} lies in no git repository.", "Search without --since.")
    # "-" in front would be an option, ":" a file's contents.
    known = revision and not revision.startswith("-") and encodable(revision) and "\0" not in revision
    if not known or run_git(root, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}").status != 0:
        usable = run_git(root, "rev-parse", "--git-dir")
        if usable.status != 0:
            raise _unanswered(revision, usable.problem)
        raise BadInputError(
            f"There is no revision '{visible(revision)}' in the git repository of {root}.",
            "Give a commit, branch or tag, such as HEAD~5 or main; `git log` lists commits.",
        )
    listed = run_git(root, "ls-files", "-z", "--others", "--exclude-standard")
    if listed.status != 0:
        raise _unanswered(revision, listed.problem)
    options = ("--name-only", "-z", "--relative", "--no-renames")
    differs = difference(root, *options, f"{revision}^{{commit}}", "--", ".")
    if differs.status != 0:
        raise _unanswered(revision, differs.problem)
    return {*_split(listed.output), *_split(differs.output)}


def _unanswered(revision: str, problem: str) -> BadInputError:
    hint = "Search without --since."
    if problem == OTHER_OWNER:
        hint = "`git status` there says how to trust it (safe.directory); or search without --since."
    return BadInputError(f"Git could not say what changed since {visible(revision)}: {problem}.", hint)


def _not_ignored(folder: Path, names: list[str]) -> list[str]:
    if not names:
        return []
    # "./", since a colon in front would not be part of the name.
    given = os.fsencode("\0".join(f"./{name}" for name in names))
    ignored = set(_split(run_git(folder, "check-ignore", "-z", "--stdin", given=given).output))
    return [name for name in names if f"./{name}" not in ignored]


def _split(output: bytes) -> list[str]:
    return [name for name in output.decode("utf-8", "surrogateescape").split("\0") if name]


def _is_plain(name: str) -> bool:
    """Whether a listed name leads below its folder; a damaged index can hold ``./`` or worse."""
    return not any(part in ("", ".", "..") for part in name.removesuffix("/").split("/"))


def _folders_below(folder: Path, name: str) -> list[str]:
    """The folders below ``name`` on disk, without links, junk, repositories and git's own."""
    found, pending = [], [name]
    while pending:
        place = pending.pop()
        try:
            with os.scandir(folder / place) as entries:
                names = {entry.name: entry.is_dir(follow_symlinks=False) for entry in entries}
        except OSError:
            continue
        if ".git" in names or place.rpartition("/")[2] in JUNK_FOLDERS or is_git_folder(folder / place):
            continue
        below = [one for one, is_dir in names.items() if is_dir]
        pending += [f"{place}/{one}" for one in below]
        found += [f"{place}/{one}" for one in below if one not in JUNK_FOLDERS]
    return found
