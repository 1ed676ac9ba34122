"""Search tasks from public histories: what a commit's author said it does, and the files where it was done.

Rules, in this order, on ``git log --no-merges --date-order REVISION``, newest first, so that a revision gives the same
tasks everywhere:

1. The commit is not a merge, not a bot's, and changes at most 20 files.
2. Its source files (by suffix) were modified, none added, removed or renamed: the answer is in the tree before it.
3. The files to find are the modified source files. Tests and examples among them do not count where other source was
   changed too; prose never counts. One to five files.
4. The subject loses what no user types: ``fix(scope):`` and the like, ``[backport]`` in front, issue numbers, emoji,
   and ``cookie:`` in front where *cookie* is a file to find (curl's convention), which would be the answer.
5. At least three words are left, and it is no noise: versions, releases, dependencies, changelogs, typos, formatting,
   linting, CI, reverts, merges.
6. It names no file to find by path or by file name with its suffix (*fix leak in http2.c*).
7. No other task of the repository has the same subject or the same tree before it.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from benchmarks.histories import environment, git_command
from indexer.git import DIFF_OPTIONS


def words(text: str) -> frozenset[str]:
    """The words of a list."""
    return frozenset(text.split())


MOST_FILES = 20
MOST_TARGETS = 5
FEWEST_WORDS = 3
SUFFIXES = words(
    ".py .pyx .pyi .go .js .mjs .cjs .jsx .ts .tsx .mts .c .h .cc .cpp .cxx .hpp .hh .rs .java .kt .kts .scala .swift"
    " .rb .php .ex .exs .cs .hs .lua .sh .bash .zig"
)
"""What counts as source, here and for the plain baselines."""
_SIDE_FOLDERS = words(
    "test tests testing spec specs __tests__ testdata fixtures unittest unit_tests"
    " example examples samples demo demos benchmarks benchmark bench benches"
)
_PROSE_FOLDERS = frozenset({"docs", "doc", "documentation", "website", "www", "changelog"})
_SIDE_NAME = re.compile(
    r"(^|[._-])(tests?|specs?)([._-]|$)|^conftest\.|[a-z0-9](Tests?|Specs?|TestCase)\.\w+$|^test\w*\.(c|h|py|sh)$"
)
_PREFIX = re.compile(
    r"^\s*(?:\[[^\]]*\]|[^\w\s`'\"(\[]+(?=\s)|:\w+:|(?i:fix|feat|chore|refactor|perf|docs?|tests?|style|build|ci|deps|revert)"
    r"(?:\([^)]*\))?!?:)\s*"
)
_ISSUE = re.compile(
    r"\(?(?:\b(?:closes?|fix(?:es)?|refs?|resolves?|see|PR):?\s*)?(?:[\w.-]+/[\w.-]+)?#\d+\)?|\(?\bGH-\d+\)?", re.I
)
_NOISE = re.compile(
    r"""^(?:v?\d+(?:\.\d+)+|release|prepare\b.*\brelease|start\ version|merge\b|revert|bump|(?:pin|unpin|upgrade)\b
         |update\b.*\b(?:dependenc|requirement|deps\b|lock|version|submodule|copyright|authors|actions?/|to\ v?\d)
         |back\ to\ dev|move\ to\ v?\d|backport)
    | \b(?:bump(?:s|ed|ing)?|changelog|change\ ?log|history\.md|readme|typos?|spelling|misspell\w*|grammar|codespell
         |whitespace|indentation|indent|prettier|gofmt|gofumpt|rustfmt|clippy|rubocop|eslint|lint\w*|mypy|pre-commit
         |formatting|reformat\w*|code\ style|styleci|php-cs|psalm|phpstan|mix\ format|dependabot|renovate
         |github\ actions?|workflows?|travis|appveyor|codecov|ci|copyright|license|dependenc(?:y|ies)|deps|nightly
         |whats?new|release\ notes?|version\ bump|(?:next|new)\ version|release\ v?\d[\w.]*)\b""",
    re.I | re.X,
)
_PREFIX_NOISE = re.compile(r"^\s*(?:(?:style|ci|build|deps|revert)\b|(?:chore|build|fix)\(deps[^)]*\))", re.I)
"""Kinds of commit by their convention's prefix, before it is taken off."""
_BOT = re.compile(r"\[bot\]|\b(?:dependabot|renovate|pre-commit-ci|github-actions|greenkeeper|pyup)\b", re.I)
_MODULE = re.compile(r"^([\w./+-]+(?:,\s*[\w./+-]+)*): +")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Commit:
    """One commit of a history: parents' hashes, author, subject, and (status, path) of what it changed."""

    commit: str
    parents: tuple[str, ...]
    author: str
    subject: str
    changes: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Task:
    """Find ``targets`` in the tree of ``before`` by ``query``; ``commit`` is what changed them."""

    commit: str
    before: str
    query: str
    targets: tuple[str, ...]

    @property
    def side(self) -> bool:
        """Whether tests or examples are what is to be found."""
        return all(map(is_side, self.targets))

    @property
    def named(self) -> bool:
        """Whether the query holds the stem of a file to find as a word, whatever its case."""
        words = {word.lower() for word in _WORD.findall(self.query)}
        return any(PurePosixPath(path).stem.lower() in words for path in self.targets)


def is_source(path: str) -> bool:
    """Whether a path's suffix is that of source code, outside folders of documentation."""
    pure = PurePosixPath(path)
    return pure.suffix.lower() in SUFFIXES and not _PROSE_FOLDERS & {part.lower() for part in pure.parts[:-1]}


def is_side(path: str) -> bool:
    """Whether a source file is a test or an example, by its folders and its name."""
    pure = PurePosixPath(path)
    return any(part.lower() in _SIDE_FOLDERS for part in pure.parts[:-1]) or bool(_SIDE_NAME.search(pure.name))


def cleaned(subject: str) -> str:
    """The subject as a user might type it: without prefixes of conventions, issue numbers, quotes of code."""
    text = subject.strip()
    while (found := _PREFIX.match(text)) and found.end():
        text = text[found.end() :]
    text = _ISSUE.sub(" ", text)
    return re.sub(r"\s+", " ", text.replace("`", "")).strip(" .,:;-")


def without_module(query: str, targets: Iterable[str]) -> str:
    """The query without ``name:`` in front where that is the stem of a file to find."""
    found = _MODULE.match(query)
    stems = {PurePosixPath(path).stem.lower() for path in targets}
    return query[found.end() :] if found and stems & set(re.split(r"[,/\s]+", found[1].lower())) else query


def is_noise(subject: str) -> bool:
    """Whether a cleaned subject says nothing about what code does, or too little to search with."""
    return len(_WORD.findall(subject)) < FEWEST_WORDS or bool(_NOISE.search(subject))


def targets_of(changes: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Files to find by what was changed, sorted; empty where the commit makes no task."""
    source = [(status, path) for status, path in changes if is_source(path)]
    if not source or len(changes) > MOST_FILES or any(status != "M" for status, path in source if not is_side(path)):
        return ()
    main = [path for _, path in source if not is_side(path)]
    found = main or [path for status, path in source if status == "M"]
    return tuple(sorted(found)) if 1 <= len(found) <= MOST_TARGETS else ()


def names_target(query: str, targets: Iterable[str]) -> bool:
    """Whether the query holds the path or the whole file name of a file to find."""
    low = query.lower()
    return any(path.lower() in low or PurePosixPath(path).name.lower() in low for path in targets)


def task_of(commit: Commit) -> Task | None:
    """The task that a commit makes, or None."""
    if len(commit.parents) != 1 or _BOT.search(commit.author) or _BOT.search(commit.subject):
        return None
    if _PREFIX_NOISE.match(commit.subject):
        return None
    targets = targets_of(commit.changes)
    query = without_module(cleaned(commit.subject), targets)
    if not targets or is_noise(query) or names_target(query, targets):
        return None
    return Task(commit.commit, commit.parents[0], query, targets)


def choose(commits: Iterable[Commit], most: int) -> list[Task]:
    """The first ``most`` tasks of a history."""
    found: list[Task] = []
    seen: set[str] = set()
    for commit in commits:
        task = task_of(commit)
        if task is None or task.query.lower() in seen or task.before in seen:
            continue
        seen |= {task.query.lower(), task.before}
        found.append(task)
        if len(found) == most:
            break
    return found


def history(clone: Path, revision: str) -> Iterator[Commit]:
    """Commits up to ``revision``, newest first. Raises SystemExit where the clone does not hold it."""
    form = "%x01%H%x00%P%x00%an%x00%s"
    command = git_command(clone, "-c", "core.quotePath=false", "log", *DIFF_OPTIONS, "--no-merges", "--date-order")
    command += ["--no-renames", "--name-status", f"--format={form}", revision, "--"]
    # Git walks the whole history; a task list is full long before, and closing the pipe ends it.
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment()) as process:
        assert process.stdout
        block = b""
        try:
            while part := process.stdout.read(1 << 16):
                *whole, block = (block + part).split(b"\x01")
                yield from map(parse_commit, filter(None, whole))
            if block:
                yield parse_commit(block)
        finally:
            process.stdout.close()
            process.kill()


def parse_commit(block: bytes) -> Commit:
    """One commit of the format that ``history`` asks git for."""
    head, _, rest = block.decode("utf-8", "replace").partition("\n")
    commit, parents, author, subject = head.split("\0")
    changes = [tuple(line.split("\t", 1)) for line in rest.splitlines() if "\t" in line]
    return Commit(commit, tuple(parents.split()), author, subject, tuple((c[0][:1], c[1]) for c in changes))
