"""Ignore rules in .gitignore syntax, nested as git nests them, with the rule that decided.

Two kinds of rules live side by side: git's own (``.gitignore``, and in a repository those of ``excludes.py``; read only
where git cannot be asked) and codemoat's (``.codemoatignore`` in any folder and the configured ``exclude`` patterns).
Codemoat's only take away: they cannot bring back what git ignores.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from indexer.errors import BadInputError
from indexer.ignore_pattern import compile_pattern, parse_pattern, trimmed
from indexer.reasons import printable, visible
from indexer.reports import Skipped

CODEMOAT_IGNORE = ".codemoatignore"
GIT_IGNORE = ".gitignore"
EXCLUDE_SETTING = "the exclude setting"

_MAX_RULES_BYTES = 1_000_000
_MOST_ALIKE = 2_000
"""Patterns of a file that must be tried one by one for a path; literal names and ``*.ext`` do not count."""
_Tried = tuple[int, str]
"""A rule's number, and a text that a path must have somewhere."""
_SPECIAL = re.compile(r"[*?\[\\]")
_TO_LAST_SPECIAL = re.compile(r".*(?:[*?\[\]]|\\.?)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Rule:
    """The pattern that decided: where it stands (``line`` is 1-based; 0 in the configuration) and as it is written."""

    source: str
    line: int
    pattern: str

    def __str__(self) -> str:
        where = f"{self.source}, line {self.line}" if self.line else self.source
        return visible(f"{where}: {self.pattern}")


class RuleFile:
    """The patterns of one ignore file, matched against paths relative to the folder it stands in.

    Nearly all patterns are names, paths, ``*.ext`` or ``name*``: these are looked up, so that a path costs the same
    whether there are ten or a hundred thousand. Others are tried, compiled when they are first needed, where the path
    has the text that they begin or end with.
    """

    def __init__(self, source: str, lines: Sequence[str], *, most_alike: int = sys.maxsize) -> None:
        """``source`` names the file for people. Lines that are no valid pattern are dropped, as git does.

        Of patterns that must be tried and begin or end alike, only the last ``most_alike`` are kept (``dropped``).
        """
        self.source = source
        self.dropped = 0
        self._lines = lines
        self._compiled: dict[int, re.Pattern[str] | None] = {}
        self._names: dict[str, _Last] = {}
        self._paths: dict[str, _Last] = {}
        self._ends, self._begins = _Affixes[_Last](at_end=True), _Affixes[_Last](at_end=False)
        self._ending, self._beginning = _Affixes[list[_Tried]](at_end=True), _Affixes[list[_Tried]](at_end=False)
        self._headed: dict[str, list[_Tried]] = {}
        self._tailed: dict[str, list[_Tried]] = {}
        self._others: list[_Tried] = []
        seen = set()
        # From the last: of equal lines, and of rules that say something about the same name, only the last counts.
        for number in range(len(lines) - 1, -1, -1):
            line = lines[number]
            if line and line[0] != "#" and line not in seen:
                seen.add(line)
                self._take(number, line, most_alike)

    def decide(self, relative: str, is_dir: bool) -> tuple[bool, Rule] | None:
        """(ignored, rule) by the last rule that matches, or None. ``relative`` has no trailing slash."""
        name = relative[relative.rfind("/") + 1 :]
        best = -1
        for last in self._looked_up(name, relative):
            best = max(best, last.any, last.folder if is_dir else -1)
        path = relative + "/" if is_dir else relative
        for numbers in self._tried(name, relative):
            for number, literal in numbers:  # the last first
                if number <= best:
                    break
                if literal in path and self._matches(number, path):
                    best = number
                    break
        if best < 0:
            return None
        line = trimmed(self._lines[best])
        return not line.startswith("!"), Rule(self.source, best + 1, line)

    def _take(self, number: int, line: str, most_alike: int) -> None:
        """Put a rule where ``decide`` finds it."""
        text = trimmed(line)
        text = text[1:] if text.startswith("!") else text
        folder = text.endswith("/")
        body = text[:-1] if folder else text
        special = _SPECIAL.search(body)
        deep = body.startswith("**/") and "/" not in body[3:]
        name = body[3:] if deep else body
        if not name or "//" in body:  # mostly no valid pattern
            self._try(self._others, number, "", most_alike)
        elif not special or (deep and not _SPECIAL.search(name)):
            table = self._paths if "/" in name else self._names
            table.setdefault(name.removeprefix("/"), _Last()).take(number, folder)
        elif "/" not in name and name[0] == "*" and name != "*" and not _SPECIAL.search(name, 1):
            self._ends.at(name[1:], _Last).take(number, folder)
        elif "/" not in name and name[-1] == "*" and name != "*" and not _SPECIAL.search(name[:-1]):
            self._begins.at(name[:-1], _Last).take(number, folder)
        else:
            self._try(self._bucket(body), number, _literal(body), most_alike)

    def _try(self, rules: list[_Tried], number: int, literal: str, most: int) -> None:
        if len(rules) < most:
            rules.append((number, literal))
        else:
            self.dropped += 1

    def _bucket(self, body: str) -> list[_Tried]:
        """The rules that are tried for the same paths as this one.

        Of the texts that such a path must begin or end with, the one that fewest rules share tells which they are.
        """
        known: list[list[_Tried]] = []
        parent, _, last = body.rpartition("/")
        sets = "[" in body  # then a slash may stand in one, and what looks like a component may be none
        if last and not _SPECIAL.search(last) and "]" not in last:
            above = parent.rpartition("/")[2]
            known.append(self._tailed.setdefault(last, []))
            if above and not _SPECIAL.search(above) and not sets:
                known.append(self._tailed.setdefault(f"{above}/{last}", []))
        elif last != "**":
            if end := _TO_LAST_SPECIAL.sub("", last, count=1):
                known.append(self._ending.at(end, list))
            found = _SPECIAL.search(last)
            if found and found.start() and not sets:
                known.append(self._beginning.at(last[: found.start()], list))
        head, *more = body.removeprefix("/").split("/")
        if more and head and not _SPECIAL.search(head):
            known.append(self._headed.setdefault(head, []))
            if len(more) > 1 and more[0] and not _SPECIAL.search(more[0]):
                known.append(self._headed.setdefault(f"{head}/{more[0]}", []))
        return min(known, key=len, default=self._others)

    def _looked_up(self, name: str, relative: str) -> Iterator[_Last]:
        for table, key in ((self._names, name), (self._paths, relative)):
            if (last := table.get(key)) is not None:
                yield last
        yield from self._ends.of(name)
        yield from self._begins.of(name)

    def _tried(self, name: str, relative: str) -> Iterator[list[_Tried]]:
        yield from self._ending.of(name)
        yield from self._beginning.of(name)
        if self._tailed:
            above = relative[: -len(name) - 1].rpartition("/")[2]
            for tail in (name, f"{above}/{name}"):
                if (numbers := self._tailed.get(tail)) is not None:
                    yield numbers
        if self._headed:
            head, *more = relative.split("/", 2)
            for start in (head, f"{head}/{more[0] if more else ''}"):
                if (numbers := self._headed.get(start)) is not None:
                    yield numbers
        yield self._others

    def _matches(self, number: int, path: str) -> bool:
        if number not in self._compiled:
            self._compiled[number] = compile_pattern(self._lines[number])
        regex = self._compiled[number]
        return regex is not None and regex.search(path) is not None


def _literal(body: str) -> str:
    """The longest text between the stars and question marks of a pattern; empty where sets or escapes are in it."""
    if "[" in body or "\\" in body:
        return ""
    return max(re.split(r"[*?/]+", body), key=len)


class _Last:
    """Numbers of the last rules of one key: for any path, and for folders only; -1 where there is none."""

    __slots__ = ("any", "folder")

    def __init__(self) -> None:
        self.any = self.folder = -1

    def take(self, number: int, folder: bool) -> None:
        """Note a rule."""
        if folder:
            self.folder = max(self.folder, number)
        else:
            self.any = max(self.any, number)


_Value = TypeVar("_Value")


class _Affixes(Generic[_Value]):
    """Values by the end of a name, or its beginning, found with one look for each length that occurs."""

    def __init__(self, *, at_end: bool) -> None:
        self._at_end = at_end
        self._values: dict[str, _Value] = {}
        self._lengths: dict[int, None] = {}

    def at(self, affix: str, make: Callable[[], _Value]) -> _Value:
        """The value of ``affix``, made if there is none yet."""
        if affix not in self._values:
            self._values[affix] = make()
            self._lengths[len(affix)] = None
        return self._values[affix]

    def of(self, name: str) -> Iterator[_Value]:
        """The values of all beginnings, or ends, of ``name``."""
        for length in self._lengths:
            value = self._values.get(name[-length:] if self._at_end else name[:length])
            if value is not None and length <= len(name):
                yield value


_Rules = tuple[int, str, RuleFile]
"""How much to take off the front of a path, what to put there, and the rules for what results."""
_Chain = tuple[_Rules, ...]


def by_gitignore(skip: Skipped) -> bool:
    """Whether a .gitignore file that a walk followed is why something was left out."""
    return f"{GIT_IGNORE}, line" in skip.reason


class IgnoreRules:
    """All rules below a root: asks the ignore files of every folder from the path upwards, the nearest first."""

    def __init__(self, root: Path, exclude: Sequence[str], *, gitignore: bool, excludes: bool | None = None) -> None:
        """``gitignore``: read ``.gitignore`` files too; ``excludes``, if that is to differ: git's other ignore files.

        Raises BadInputError for an invalid ``exclude`` pattern.
        """
        self.problems: list[str] = []
        """Sentences about ignore files of which not everything is applied."""
        self._root = root
        self._gitignore = gitignore
        self._excludes = gitignore if excludes is None else excludes
        self._above: _Chain = ()
        self._user: list[Path] | None = None
        self._chains: dict[tuple[str, str], _Chain] = {}
        self._folders: dict[str, Rule | None] = {".": None}
        self._exclude = RuleFile(EXCLUDE_SETTING, ())
        if exclude:
            for pattern in exclude:
                if parse_pattern(pattern) is None:
                    raise BadInputError(
                        f"The exclude pattern '{visible(pattern)}' is not valid.",
                        "Write it in the syntax of .gitignore.",
                    )
            self._exclude = RuleFile(EXCLUDE_SETTING, exclude)

    def file(self, path: str) -> Rule | None:
        """The rule that leaves out the file ``path`` (relative to the root) or a folder above it, or None."""
        folder = path.rpartition("/")[0] or "."
        return self.folder(folder) or self._match(path, folder, False)

    def folder(self, path: str) -> Rule | None:
        """The rule that leaves out the folder ``path`` or one above it, or None. The root ``.`` never is."""
        unknown = []
        while path not in self._folders:
            unknown.append(path)
            path = path.rpartition("/")[0] or "."
        rule = self._folders[path]
        for each in reversed(unknown):  # from the top down, without recursion: a client may name a path of any depth
            rule = self._folders[each] = rule or self._match(each, each.rpartition("/")[0] or ".", True)
        return rule

    def reach_up_to(self, top: Path) -> None:
        """Obey git's ignore files from the folder above the root up to ``top``, the working tree it lies in."""
        prefix, place, found = "", self._root, list[_Rules]()
        while place != top:
            prefix, place = f"{place.name}/{prefix}", place.parent
            shown = os.path.relpath(place, self._root)
            found += [(0, prefix, rules) for rules in self._of_git(place, f"{shown}/")]
        self._above = tuple(found)

    def _match(self, path: str, parent: str, is_dir: bool) -> Rule | None:
        """Codemoat's rules, then git's; within each the nearest folder's file that has a say wins."""
        decided = self._match_files(CODEMOAT_IGNORE, path, parent, is_dir) or self._exclude.decide(path, is_dir)
        if decided is not None and decided[0]:
            return decided[1]
        if self._gitignore or self._excludes:
            decided = self._match_files(GIT_IGNORE, path, parent, is_dir)
            if decided is not None and decided[0]:
                return decided[1]
        return None

    def _match_files(self, name: str, path: str, folder: str, is_dir: bool) -> tuple[bool, Rule] | None:
        for start, prefix, rules in self._chain(folder, name):
            decided = rules.decide(prefix + path[start:], is_dir)
            if decided is not None:
                return decided
        return None

    def _chain(self, folder: str, name: str) -> _Chain:
        """All files ``name`` from ``folder`` up to the root, with git's other ones behind its ``.gitignore``."""
        key = (folder, name)
        chain = self._chains.get(key)
        if chain is None:
            git = name == GIT_IGNORE
            above = self._chain(folder.rpartition("/")[0] or ".", name) if folder != "." else self._above if git else ()
            shown = "" if folder == "." else f"{folder}/"
            place = self._root / folder
            own = self._of_git(place, shown) if git else self._load(place / name, shown + name)
            chain = (*((len(shown), "", rules) for rules in own), *above)
            self._chains[key] = chain
        return chain

    def _of_git(self, folder: Path, shown: str) -> list[RuleFile]:
        """The folder's ``.gitignore`` and, where it is a working tree, the repository's and the user's ignore files."""
        found = self._load(folder / GIT_IGNORE, shown + GIT_IGNORE) if self._gitignore else []
        if self._excludes and os.path.lexists(folder / ".git"):
            from indexer.excludes import repository_excludes, user_excludes

            if self._user is None:
                self._user = user_excludes()
            for path in [folder / named for named in (*repository_excludes(folder), *self._user)]:
                inside = path.is_relative_to(folder)
                found += self._load(path, shown + str(path.relative_to(folder)) if inside else str(path), links=True)
        return found

    def _load(self, path: Path, relative: str, *, links: bool = False) -> list[RuleFile]:
        """The ignore file at ``path``, or nothing when there is none that can be read. ``relative`` names it."""
        try:
            if (path.is_symlink() and not links) or not path.is_file():
                return []
            with path.open("rb") as stream:
                raw = stream.read(_MAX_RULES_BYTES + 1)
        except (OSError, ValueError):
            return []
        shown = visible(printable(relative))
        if len(raw) > _MAX_RULES_BYTES:
            raw = raw[: raw.rfind(b"\n", 0, _MAX_RULES_BYTES) + 1]
            self.problems.append(
                f"{shown} has more than {_MAX_RULES_BYTES:,} bytes; the rules after that point are ignored."
            )
        lines = raw.decode("utf-8-sig", "surrogateescape").split("\n")
        rules = RuleFile(printable(relative), [line.removesuffix("\r") for line in lines], most_alike=_MOST_ALIKE)
        if rules.dropped:
            self.problems.append(
                f"{shown} has too many wildcard patterns that begin or end alike; the last {_MOST_ALIKE:,} of each "
                f"kind are used, {rules.dropped:,} are not. Ignore a folder instead."
            )
        return [rules]
