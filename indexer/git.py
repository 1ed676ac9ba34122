"""The gatekeeper of git: the only module that starts git or imports GitPython.

A repository is data, but git runs programs that its configuration names: file monitors, hooks, filters, diff and text
converters, transports of a lazy fetch, signature checkers, pagers. Every git process gets its whole environment from
``git_environment``, so that none of them runs and no variable of a hook points it at another repository. Settings of
the system and the user stay in force, above all the user's global ignore file and ``safe.directory``.
"""

from __future__ import annotations

import os
import selectors
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from indexer.errors import BadInputError, StorageError

if TYPE_CHECKING:
    from git import Git

DEADLINE = 60.0
"""Seconds for one call: listing Linux takes one. A pipe in the place of an ignore file would keep git for ever."""

DIFF_OPTIONS = ("--no-ext-diff", "--no-textconv", "--no-color", f"-O{os.devnull}", "--ignore-submodules=all")
"""For every command that shows differences. A look into a submodule would run git there, by that one's settings."""

OTHER_OWNER = "git refuses it because it belongs to another user"
"""A problem that the user can solve."""

_FORGIVEN = 600.0
"""Seconds after which a repository in which git did not answer is asked again."""

_MAX_OUTPUT = 256 << 20
"""Bytes; four million paths."""

_MAX_MEMORY = 2 << 30
"""Bytes that git may allocate; mapped packs do not count. An attributes file can be a link to /dev/zero."""

_MAX_ERRORS = 4_096
_MAX_SETTINGS_BYTES = 100_000
"""Linux takes two million bytes of arguments and environment together, and 131,072 in one."""

_KEPT = frozenset(
    ["GIT_EXEC_PATH", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_ATTR_NOSYSTEM",
     "GIT_DISCOVERY_ACROSS_FILESYSTEM", "GIT_TEST_ASSUME_DIFFERENT_OWNER"]
)  # fmt: skip
"""Variables of git that say how git is installed, what the user's settings are, and when git must refuse. All others
are dropped: what ``git rev-parse --local-env-vars`` lists names a repository, and the rest names programs, traces or
formats."""

_ENVIRONMENT = {
    # Messages are parsed.
    "LC_ALL": "C",
    "LANGUAGE": "C",
    # Reading writes nothing, not even a refreshed index.
    "GIT_OPTIONAL_LOCKS": "0",
    # In a partial clone git fetches missing objects on demand, by a program or address that the repository names.
    # Git 2.45 can be told not to; to all versions every transport is forbidden, so that such a fetch ends at once.
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "",
    "GIT_EDITOR": ":",
}

_SETTINGS = (
    ("core.fsmonitor", "false"),
    ("core.hooksPath", os.devnull),
    ("core.alternateRefsCommand", ":"),
    # A repository without a working tree may be part of a clone: what lies in it is files, its settings count nowhere.
    ("safe.bareRepository", "explicit"),
    ("credential.helper", ""),
    # `git diff` writes the index for that, with or without optional locks.
    ("diff.autoRefreshIndex", "false"),
    ("log.showSignature", "false"),
    ("gpg.program", os.devnull),
    ("gpg.openpgp.program", os.devnull),
    ("gpg.x509.program", os.devnull),
    ("gpg.ssh.program", os.devnull),
    # Git 2.40 to 2.44 would load it before a lazy fetch is refused.
    ("fetch.bundleURI", ""),
    ("maintenance.auto", "false"),
    ("gc.auto", "0"),
    ("submodule.recurse", "false"),
)
"""Given as GIT_CONFIG_COUNT, GIT_CONFIG_KEY_n and GIT_CONFIG_VALUE_n: as strong as ``-c``, and unlike there a name may
hold ``=``."""

_MAX_GITFILE = 10_000
"""Bytes; the file holds one path."""

_MUST_BE_FILES = (
    ".gitignore", ".gitattributes", ".gitmodules", ".git/HEAD", ".git/config", ".git/config.worktree", ".git/commondir",
    ".git/index", ".git/packed-refs", ".git/info/exclude", ".git/info/attributes",
)  # fmt: skip

_READING = frozenset(["cat-file", "diff", "diff-tree", "log", "ls-tree", "merge-base", "rev-list", "rev-parse", "show"])
_RUNNING = frozenset(["--ext-diff", "--textconv", "--filters", "--show-signature", "--output"])
"""Options by which a reading command runs a program or writes a file after all."""
_SHOWING = frozenset(["diff", "diff-tree", "log", "show"])

_silent: dict[Path, float] = {}
"""Working tree → when git did not answer in it."""


class GitAnswer(NamedTuple):
    """``status`` is git's exit status; ``problem`` a phrase that says why it failed, empty after success."""

    status: int
    output: bytes
    problem: str


def run_git(folder: Path, *arguments: str, given: bytes = b"", deadline: float | None = None) -> GitAnswer:
    """Run a reading git command in ``folder`` with ``given`` as its input, for at most ``deadline`` seconds.

    Never raises: whatever goes wrong is the answer's ``problem``. Git may only find the repository whose ``.git`` is
    the nearest one. It is not for commands that compare or show contents: only ``history`` switches filters and diff
    programs off.
    """
    top = work_tree(folder)
    problem = _obstacle(top)
    if problem:
        return GitAnswer(128, b"", problem)
    program = git_program()
    if program is None:
        return GitAnswer(127, b"", "there is no git program on this machine")
    try:
        # A file, not a pipe: that would have to be filled while git's answer is read.
        with tempfile.TemporaryFile() if given else nullcontext(subprocess.DEVNULL) as source:
            if not isinstance(source, int):
                source.write(given)
                source.seek(0)
            return _run([program, *_options(arguments[0]), *arguments], folder, top, source, deadline or DEADLINE)
    except OSError:
        return GitAnswer(127, b"", "the git program could not be started")


def history(folder: Path) -> Git:
    """GitPython's ``Git`` for ``folder``: commands that read histories and differences, and nothing else.

    Against the working tree ``difference`` is the better one: here files whose times changed count as changed.
    Raises BadInputError when git cannot be used there or when the repository names too many filters to switch off; so
    do the commands when they fail.

    Only ``Git``, never ``Repo``: that reads GIT_DIR and the configuration itself, and hands GIT_DIR to git, which then
    no longer looks whose repository it is.
    """
    return _reader(folder, {})


def difference(folder: Path, *arguments: str) -> GitAnswer:
    """What ``git diff`` with ``arguments`` writes in ``folder``. Raises BadInputError as ``history`` does."""
    with tempfile.TemporaryDirectory() as place:
        # Git writes what it learns of changed times into the index: into this one.
        index, copy = (repository_folder(folder) or folder) / "index", Path(place) / "index"
        try:
            if index.is_file():
                shutil.copyfile(index, copy)
        except OSError as exc:
            raise StorageError.from_os_error(exc, "copying git's index", index) from exc
        reader = _reader(folder, {"GIT_INDEX_FILE": str(copy)})
        running = reader.execute(["git", "diff", *arguments], as_process=True, start_new_session=True)
        return _answer(running.proc, work_tree(folder), DEADLINE)


def _reader(folder: Path, variables: dict[str, str]) -> Git:
    """``variables``: of git, on top of the gatekeeper's environment."""
    program = git_program()
    if program is None:
        raise BadInputError("There is no git program on this machine.", "Install git.")
    # On import GitPython asks the program for its version, and looks for it in the current folder too if PATH says so.
    os.environ.setdefault("GIT_PYTHON_GIT_EXECUTABLE", program)
    from git import Git
    from git.exc import GitError

    top = work_tree(folder)
    settings = filters_off(folder)
    if variables:
        settings += [("diff.autoRefreshIndex", "true"), ("core.splitIndex", "false")]
    environment = git_environment(top, settings) | variables

    class Reader(Git):  # type: ignore[misc]
        """Runs only reading commands, by the gatekeeper's environment."""

        __slots__ = ()

        def execute(self, command: Any, *positional: Any, **options: Any) -> Any:
            name, *arguments = command[1:]
            if name not in _READING or _RUNNING & {str(part).partition("=")[0] for part in arguments}:
                raise ValueError(f"git {name} with these options is not a command that only reads")
            shown = DIFF_OPTIONS if name in _SHOWING else ()
            safe = [program, *_options(name), name, *shown, *arguments]
            options["env"] = {**(options.get("env") or {}), **environment}
            if not options.get("as_process"):
                options.setdefault("kill_after_timeout", DEADLINE)
            # GitPython starts from os.environ and can only add to it. What must not be in it is taken out by env(1) in
            # the new process, so that os.environ, which other threads read, is left alone.
            unwanted = [name for name in os.environ if name not in environment]
            prefix = ["env", *(part for name in unwanted for part in ("-u", name))] if unwanted else []
            try:
                return super().execute([*prefix, *safe], *positional, **options)
            except GitError as exc:
                problem = _phrase(str(getattr(exc, "stderr", "") or exc))
                raise BadInputError(f"Git failed in {folder}: {problem}.", "Check the repository with git.") from exc

    return Reader(str(folder))


def git_program() -> str | None:
    """The git of the PATH; folders in it that are relative do not count, since git starts within a repository."""
    return shutil.which("git", path=_absolute_path())


def git_environment(top: Path | None = None, settings: Sequence[tuple[str, str]] = ()) -> dict[str, str]:
    """The whole environment of a git process; ``settings`` are configuration on top of the gatekeeper's own.

    ``top``: the working tree that git is to be about, whatever ``core.worktree`` in its repository says. Git still
    looks for the repository itself, and no further up than ``top``: so a damaged ``.git`` is an error instead of
    silently meaning the repository further up, and one of another user is refused.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name in _KEPT}
    environment |= _ENVIRONMENT | {"PATH": _absolute_path()}
    environment.pop("SSH_ASKPASS", None)
    if top is not None:
        environment |= {"GIT_WORK_TREE": str(top), "GIT_CEILING_DIRECTORIES": str(top.parent)}
    given = (*_SETTINGS, *settings)
    environment["GIT_CONFIG_COUNT"] = str(len(given))
    for number, (key, value) in enumerate(given):
        environment |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return environment


def work_tree(folder: Path) -> Path | None:
    """The nearest folder from ``folder`` upwards that holds a ``.git``; further up an empty one does not count."""
    if os.path.lexists(folder / ".git"):
        return folder
    for parent in folder.parents:
        mark = parent / ".git"
        if os.path.lexists(mark) and (not mark.is_dir() or os.path.lexists(mark / "HEAD")):
            return parent
    return None


def repository_folder(root: Path) -> Path | None:
    """Git's own folder of the repository that ``root`` lies in, with ``HEAD`` and ``index``; None outside one."""
    for folder in (root, *root.parents):
        mark = folder / ".git"
        try:
            mode = mark.stat().st_mode
            if stat.S_ISREG(mode):
                # A further working tree or a submodule: a file that says where.
                with mark.open("rb") as stream:
                    text = os.fsdecode(stream.read(_MAX_GITFILE))
                mark = Path(os.path.normpath(folder / text.removeprefix("gitdir:").strip()))
            # What a file names may be any folder; only one of git's has a HEAD.
            if (mark / "HEAD").is_file():
                return mark
            if stat.S_ISREG(mode):
                return None
        except (OSError, ValueError):
            continue
    return None


def _options(command: str) -> tuple[str, ...]:
    """A path with an asterisk or a bracket in it means itself; ``check-ignore`` knows nothing else."""
    return ("--no-pager",) if command == "check-ignore" else ("--no-pager", "--literal-pathspecs")


def _absolute_path() -> str:
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join(folder for folder in folders if Path(folder).is_absolute())


def _obstacle(top: Path | None) -> str:
    """Why git would not answer there, as a phrase: opening a pipe waits for a writer."""
    if top is None:
        return ""
    if time.monotonic() - _silent.get(top, -_FORGIVEN) < _FORGIVEN:
        return "git did not answer there a while ago"
    for name in _MUST_BE_FILES:
        try:
            mode = os.stat(top / name).st_mode  # noqa: PTH116
        except OSError:
            continue
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            return f"its {name} is no file"
    return ""


def filters_off(folder: Path, *options: str) -> list[tuple[str, str]]:
    """Settings that switch off the filter programs of all configuration; ``options`` of git say which repository.

    Raises BadInputError when git cannot say, and for too many.
    """
    answer = run_git(folder, *options, "config", "--name-only", "-z", "--get-regexp", r"^filter\.")
    if answer.status not in (0, 1):  # 1: there are none
        raise BadInputError(f"Git cannot be asked about {folder}: {answer.problem}.", "Repair the repository.")
    names = {name.rpartition(".")[0] for name in answer.output.decode("utf-8", "surrogateescape").split("\0") if name}
    programs = (("clean", ""), ("smudge", ""), ("process", ""), ("required", "false"))
    settings = [(f"{name}.{key}", value) for name in sorted(names) for key, value in programs]
    if sum(len(os.fsencode(key)) for key, _ in settings) > _MAX_SETTINGS_BYTES:
        raise BadInputError(f"The git repository of {folder} names too many filters.", "Search without --since.")
    return settings


def _run(command: list[str], folder: Path, top: Path | None, source: Any, seconds: float) -> GitAnswer:
    process = subprocess.Popen(
        command, cwd=folder, env=git_environment(top), stdin=source, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip
    return _answer(process, top, seconds)


def _answer(process: subprocess.Popen[bytes], top: Path | None, seconds: float) -> GitAnswer:
    """Wait for git, which leads a session of its own; it is ended with all that it started when it takes too long."""
    ends = time.monotonic() + seconds
    assert process.stdout is not None
    assert process.stderr is not None
    _limit_memory(process.pid)
    finished = False
    with process:
        try:
            output, errors = _gather(process.stdout, process.stderr, ends)
            status = process.wait(max(0.0, ends - time.monotonic()))
            finished = True
        except (TimeoutError, subprocess.TimeoutExpired):
            if top is not None:
                _silent[top] = time.monotonic()
            return GitAnswer(124, b"", f"git did not answer within {seconds:g} seconds")
        except OverflowError:
            return GitAnswer(125, b"", "git's answer is too long")
        finally:
            if not finished:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
    return GitAnswer(status, output, "" if status == 0 else _phrase(errors.decode("utf-8", "replace")))


def _limit_memory(pid: int) -> None:
    """Where the system can limit another process: setting limits between fork and exec is not safe with threads."""
    import resource

    if hasattr(resource, "prlimit"):
        with suppress(OSError, ValueError):
            resource.prlimit(pid, resource.RLIMIT_DATA, (_MAX_MEMORY, _MAX_MEMORY))


def _gather(output: IO[bytes], errors: IO[bytes], ends: float) -> tuple[bytes, bytes]:
    """All that is written to both. Raises TimeoutError after the time ``ends`` and OverflowError for too much."""
    taken = {output.fileno(): bytearray(), errors.fileno(): bytearray()}
    with selectors.DefaultSelector() as selector:
        for stream in (output, errors):
            selector.register(stream, selectors.EVENT_READ)
        while selector.get_map():
            left = ends - time.monotonic()
            ready = selector.select(left) if left > 0 else []
            if not ready:
                raise TimeoutError
            for key, _ in ready:
                data = os.read(key.fd, 1 << 16)
                if not data:
                    selector.unregister(key.fileobj)
                elif key.fd == output.fileno():
                    taken[key.fd] += data
                    if len(taken[key.fd]) > _MAX_OUTPUT:
                        raise OverflowError
                else:
                    taken[key.fd] += data[: _MAX_ERRORS - len(taken[key.fd])]
    return bytes(taken[output.fileno()]), bytes(taken[errors.fileno()])


def _phrase(errors: str) -> str:
    """A phrase for what git wrote when it failed."""
    if "dubious ownership" in errors:
        return OTHER_OWNER
    if "not a git repository" in errors or "invalid gitfile format" in errors:
        return "its .git is damaged"
    lines = errors.strip().splitlines()
    fatal = [line for line in lines if line.startswith("fatal: ")] or lines
    return fatal[0].removeprefix("fatal: ").strip().rstrip(".") if fatal else "git failed"
