"""Asking git: what it lists, tracks and ignores. The only importer of GitPython."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from indexer.errors import BadInputError
from indexer.kinds import JUNK_FOLDERS
from indexer.reasons import encodable, printable


def git_names(
    folder: Path, *, nested: bool = False, only: Sequence[str] = ()
) -> tuple[list[tuple[bool, str]] | None, str | None]:
    """What git lists in ``folder``: (tracked, name) relative to it, folders that are repositories with a final ``/``.

    None when it lies in no repository, and then also why when it should have (a phrase). ``nested``: the folder must
    be a repository itself, one further up does not count. ``only``: names in it, nothing else is listed then.
    """
    own = os.path.lexists(folder / ".git")
    if not own and (nested or not any(os.path.lexists(parent / ".git") for parent in folder.parents)):
        return None, None
    # With a ceiling, a damaged .git is an error instead of silently meaning the repository further up.
    environment = {"GIT_CEILING_DIRECTORIES": str(folder.parent)} if own else {}
    command = ("ls-files", "-t", "-z", "--cached", "--others", "--exclude-standard", "--", *only)
    status, output, problem = run_git(folder, environment | _AS_WRITTEN, *command)
    if status != 0:
        return None, problem if own or only else None
    if not own and run_git(folder, environment, "check-ignore", "--quiet", ".")[0] == 0:
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
    others = ("ls-files", "-z", "--others", "--directory", "--exclude-standard")
    status, output, _ = run_git(folder, _AS_WRITTEN, *others, "--", *only)
    tops = [name[:-1] for name in _split(output) if name.endswith("/") and name != "./"] if status == 0 else []
    # Git names only the topmost; below it may lie folders of any depth, of which some are ignored.
    below = [name for top in tops for name in _folders_below(folder, top)]
    return [*tops, *_not_ignored(folder, below)]


def _not_ignored(folder: Path, names: list[str]) -> list[str]:
    if not names:
        return []
    _, output, _ = run_git(folder, {}, "check-ignore", "-z", "--stdin", given=os.fsencode("\0".join(names)))
    ignored = set(_split(output))
    return [name for name in names if name not in ignored]


def changed_since(root: Path, revision: str) -> set[str]:
    """Paths below ``root``, relative to it, that differ from ``revision``: committed since, uncommitted or untracked.

    Submodules are not looked into. Raises BadInputError outside a repository, for an unknown revision, and when git
    fails.
    """
    if repository_folder(root) is None:
        raise BadInputError(f"{root} lies in no git repository.", "Search without --since.")
    # "-" in front would be an option, ":" a file's contents.
    known = revision and not revision.startswith("-") and encodable(revision) and "\0" not in revision
    if not known or run_git(root, {}, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")[0] != 0:
        raise BadInputError(
            f"There is no revision {printable(revision)!r} in the git repository of {root}.",
            "Give a commit, branch or tag, such as HEAD~5 or main; `git log` lists commits.",
        )
    diff = ("diff", "--name-only", "-z", "--relative", "--no-renames", "--no-ext-diff", "--ignore-submodules=all")
    others = ("ls-files", "-z", "--others", "--exclude-standard")
    changed: set[str] = set()
    for command in ((*_no_programs(root), *diff, f"{revision}^{{commit}}", "--", "."), others):
        status, output, problem = run_git(root, _AS_WRITTEN, *command)
        if status != 0:
            raise BadInputError(f"Git could not say what changed since {revision}: {problem}.", "Search without it.")
        changed.update(_split(output))
    return changed


def _no_programs(root: Path) -> list[str]:
    """Options that keep git from running filter programs that the repository's own configuration may name."""
    _, output, _ = run_git(root, {}, "config", "--name-only", "-z", "--get-regexp", r"^filter\.")
    filters = {name.rpartition(".")[0] for name in _split(output)}
    settings = [f"{name}.{key}" for name in sorted(filters) for key in ("clean=", "process=", "required=false")]
    return [part for setting in settings for part in ("-c", setting)]


def repository_folder(root: Path) -> Path | None:
    """Git's own folder of the repository that ``root`` lies in, with ``HEAD`` and ``index``; None outside one."""
    for folder in (root, *root.parents):
        mark = folder / ".git"
        if mark.is_dir():
            return mark
        try:
            # A further working tree or a submodule: a file that says where.
            text = mark.read_text(encoding="utf-8", errors="surrogateescape")
        except OSError:
            continue
        place = Path(os.path.normpath(folder / text.removeprefix("gitdir:").strip()))
        return place if place.is_dir() else None
    return None


_AS_WRITTEN = {"GIT_LITERAL_PATHSPECS": "1"}
"""A path with an asterisk or a bracket in it means itself."""


def _split(output: bytes) -> list[str]:
    return [name for name in output.decode("utf-8", "surrogateescape").split("\0") if name]


def _is_plain(name: str) -> bool:
    """Whether a listed name leads below its folder; a damaged index can hold ``./`` or worse."""
    return not any(part in ("", ".", "..") for part in name.removesuffix("/").split("/"))


def _folders_below(folder: Path, name: str) -> list[str]:
    """The folders below ``name`` on disk, without links, junk and repositories."""
    found, pending = [], [name]
    while pending:
        place = pending.pop()
        try:
            with os.scandir(folder / place) as entries:
                below = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
        except OSError:
            continue
        if ".git" not in below and place.rpartition("/")[2] not in JUNK_FOLDERS:
            pending += [f"{place}/{one}" for one in below]
            found += [f"{place}/{one}" for one in below if one not in JUNK_FOLDERS]
    return found


def run_git(folder: Path, environment: dict[str, str], *arguments: str, given: bytes = b"") -> tuple[int, bytes, str]:
    """Run git in ``folder``: exit status, standard output and, when it failed, why (a phrase)."""
    try:
        from git import Git
        from git.exc import GitCommandNotFound
    except ImportError:  # what GitPython raises when there is no git program
        return 127, b"", "there is no git program on this machine"
    # A repository's own configuration may name a program to run as its file monitor: never run it.
    command = [Git.GIT_PYTHON_GIT_EXECUTABLE, "-c", "core.fsmonitor=false", *arguments]
    try:
        with tempfile.TemporaryFile() if given else nullcontext() as stream:
            if stream is not None:
                # A file, not a pipe: that would have to be filled while git's answer is read.
                stream.write(given)
                stream.seek(0)
            status, output, errors = Git(str(folder)).execute(
                command,
                istream=stream,
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
    if "not a git repository" in errors or "invalid gitfile format" in errors:
        return "its .git is damaged"
    first = errors.strip().partition("\n")[0].removeprefix("fatal: ").strip().rstrip(".")
    return first or "git failed"
