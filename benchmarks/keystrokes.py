"""Real commits as keystrokes with human timing: what `benchmarks.typing` replays. Pure but for reading git histories.

A session is one hunk of a commit that only added lines: the file before it, the cursor where the lines go, and the keys
that type them. An editor indents new lines by itself, so a line's end and the next one's indentation are one key.
"""

from __future__ import annotations

import random
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.histories import environment, git_command
from indexer.git import DIFF_OPTIONS

ADDED_LINES = (1, 6)
CHARACTERS = (30, 240)
FILE_LINES = (60, 4_000)
_LOOKED_AT = 600
"""Commits of a history that are looked at, newest first."""
_HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_INTERVAL, _SPREAD = 0.17, 0.45
"""Median seconds between keys, and the spread of its logarithm: about 70 words a minute, bursts and hesitation."""
_WORD, _LINE = 0.12, 0.9
"""Seconds more, on average, before a word and before a line: thinking."""


@dataclass(frozen=True, slots=True)
class Key:
    """What one key adds, ``wait`` seconds after the one before."""

    text: str
    wait: float


@dataclass(frozen=True, slots=True)
class Session:
    """A place in a file, and the keys that are typed there."""

    repository: str
    commit: str
    path: str
    prefix: str
    suffix: str
    keys: tuple[Key, ...]


def sessions(history: Path, name: str, extensions: tuple[str, ...], count: int, seed: int = 0) -> list[Session]:
    """``count`` sessions out of a clone's history (bare or not), newest first, one a commit."""
    found: list[Session] = []
    commits = _git(history, "log", "--no-merges", f"-{_LOOKED_AT}", "--format=%H").split()
    for commit in commits:
        session = next(_of_commit(history, name, commit, extensions, seed), None)
        if session is not None:
            found.append(session)
            if len(found) == count:
                break
    return found


def _of_commit(history: Path, name: str, commit: str, extensions: tuple[str, ...], seed: int) -> Iterator[Session]:
    globs = [f"*{extension}" for extension in extensions]
    diff = _git(history, "show", "--format=", "--unified=0", "--diff-filter=M", "--no-renames", commit, "--", *globs)
    path = ""
    lines = diff.split("\n")
    for number, line in enumerate(lines):
        if line.startswith("--- a/"):
            path = line[6:]
        hunk = _HUNK.match(line)
        if not hunk or not path or re.search(r"(^|/)(tests?|docs?|examples?)/|test", path):
            continue
        removed, added = int(hunk[2] or 1), int(hunk[4] or 1)
        if removed or not ADDED_LINES[0] <= added <= ADDED_LINES[1]:
            continue
        text = "\n".join(added_line[1:] for added_line in lines[number + 1 : number + 1 + added])
        if not CHARACTERS[0] <= len(text.strip()) <= CHARACTERS[1] or not text.isascii():
            continue
        before = _git(history, "show", f"{commit}^:{path}").splitlines(keepends=True)
        if not FILE_LINES[0] <= len(before) <= FILE_LINES[1]:
            continue
        at = int(hunk[1])
        indent = text[: len(text) - len(text.lstrip())]
        prefix, suffix = "".join(before[:at]) + indent, "\n" + "".join(before[at:])
        keys = tuple(timed(text[len(indent) :], random.Random(f"{seed} {commit}")))
        yield Session(name, commit, path, prefix, suffix, keys)


def timed(text: str, chance: random.Random) -> Iterator[Key]:
    """``text`` key by key, with the waits of a person."""
    before = "\n"
    for piece in re.findall(r"\n[ \t]*|.", text.rstrip()):
        wait = chance.lognormvariate(0.0, _SPREAD) * _INTERVAL
        if piece[0] == "\n" or before[0] == "\n":
            wait += chance.expovariate(1 / _LINE)
        elif before.isspace() or (piece.isalnum() and not before[-1].isalnum()):
            wait += chance.expovariate(1 / _WORD)
        yield Key(piece, round(wait, 3))
        before = piece


def _git(history: Path, *arguments: str) -> str:
    """Output of ``log`` or ``show``."""
    name, *others = arguments
    command = git_command(history, name, *DIFF_OPTIONS, *others)
    done = subprocess.run(command, capture_output=True, check=True, env=environment())
    return done.stdout.decode("utf-8", "replace")
