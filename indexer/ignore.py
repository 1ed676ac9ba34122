"""Ignore rules in .gitignore syntax, nested as git nests them, with the rule that decided.

Two kinds of rules live side by side: git's own (``.gitignore``, read only outside git, where git cannot be asked) and
codemoat's (``.codemoatignore`` in any folder and the configured ``exclude`` patterns). Codemoat's only take away: they
cannot bring back what git ignores.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.errors import BadInputError

if TYPE_CHECKING:
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

CODEMOAT_IGNORE = ".codemoatignore"
GIT_IGNORE = ".gitignore"
EXCLUDE_SETTING = "the exclude setting"

_MAX_RULES_BYTES = 1_000_000
_MAX_PATTERN = 4_096
"""Characters of a pattern; no path is longer, and a longer one takes long to compile."""

_ANY = "[^/]*"
_ANY_START, _ANY_MIDDLE = "(?:.+/)?", "(?:/.+)?/"
_TOKEN = re.compile(r"\(\?:\.\+/\)\?|\(\?:/\.\+\)\?/|\[\^/\][*+]?|\[\^?\]?[^\]]*\]|\\.|.", re.DOTALL)
_TAIL = re.compile(r"(?:/\.\+/\\Z|/\?\\Z|/\\Z|/\.)$")


@dataclass(frozen=True, slots=True)
class Rule:
    """The pattern that decided: where it stands (``line`` is 1-based; 0 in the configuration) and as it is written."""

    source: str
    line: int
    pattern: str

    def __str__(self) -> str:
        where = f"{self.source}, line {self.line}" if self.line else self.source
        return f"{where}: {self.pattern}"


class RuleFile:
    """The patterns of one ignore file, matched against paths relative to the folder it stands in."""

    def __init__(self, source: str, lines: Sequence[str]) -> None:
        """``source`` names the file for people. Lines that are no valid pattern are dropped, as git does."""
        self.source = source
        self._rules: list[tuple[re.Pattern[str], bool, Rule]] = []
        for number, line in enumerate(lines, 1):
            pattern = compile_pattern(line)
            if pattern is not None and pattern.regex is not None and pattern.include is not None:
                rule = Rule(source, number, line.strip())
                self._rules.append((_exact(line, pattern.regex.pattern), pattern.include, rule))
        self._any = self._joined()

    def _joined(self) -> Callable[[str], object] | None:
        """One expression that matches whenever any rule does: most paths match none and are done after it."""
        if not self._rules:
            return None
        return re.compile("|".join(f"(?:{regex.pattern})" for regex, _, _ in self._rules), re.DOTALL).search

    def decide(self, relative: str, is_dir: bool) -> tuple[bool, Rule] | None:
        """(ignored, rule) by the last rule that matches, or None. ``relative`` has no trailing slash."""
        if self._any is None:
            return None
        name = relative + "/" if is_dir else relative
        if not self._any(name):
            return None
        for regex, include, rule in reversed(self._rules):
            if regex.search(name):
                return include, rule
        return None


def _exact(line: str, regex: str) -> re.Pattern[str]:
    """A pattern's expression, matching the path itself only and not all that lies below it.

    pathspec's matches both, so that a plain list of files can be filtered. Here folders are decided on the way down, as
    git does; else ``!folder/`` would bring back every file in it.
    """
    regex = regex.replace("(?:(?P<ps_d>/)|$)", r"/?\Z").replace("(?P<ps_d>/)", r"/\Z")
    if regex.endswith("/"):
        regex += "."  # "folder/**" means what is in it
    if regex.startswith("^") and line.rstrip().endswith("/**/"):
        regex = regex.removesuffix(r"/\Z") + r"/.+/\Z"  # the folders in it, at any depth
    return re.compile(_tame(regex), re.DOTALL)


def _tame(regex: str) -> str:
    """The same expression without exponential search: ``*a*a*a*a*b`` must not stop the listing of a hostile tree.

    Every ``*`` but the last of a path's component, and every ``**`` but the last, takes the first place where what
    follows it fits and never another (an atomic group). Nothing is missed by that, since what stands between two of
    them has a fixed length, so that the first place leaves most to the rest.
    """
    tail = _TAIL.search(regex)
    if not regex.startswith("^") or tail is None or regex.count("*") + regex.count(".+") < 2:
        return regex
    groups, group, component = [], [], ""
    anywhere = regex.startswith(_ANY_START, 1)
    for token in _TOKEN.findall(regex[1 + len(_ANY_START) * anywhere : tail.start()]):
        if token in ("/", _ANY_MIDDLE):
            group.append(_tame_component(component))
            component = ""
            if token == _ANY_MIDDLE:
                groups.append("/".join(group))
                group = []
        else:
            component += token
    groups.append("/".join([*group, _tame_component(component)]))
    made = "^"
    for number, part in enumerate(groups):
        free = "" if not number and not anywhere else "(?:[^/]+/)*?" if not number else "(?:/[^/]+)*?/"
        made += f"{free}{part}{tail[0]}" if number == len(groups) - 1 else f"(?>{free}{part}(?=/))"
    return made


def _tame_component(component: str) -> str:
    """One component: its tokens between stars, each but the last at the first place that fits."""
    pieces = [""]
    for token in _TOKEN.findall(component):
        if token == _ANY:
            pieces.append("")
        else:
            # A set of characters such as [!a] takes no slash, as in git.
            pieces[-1] += f"(?!/){token}" if len(token) > 2 and token[0] == "[" and token[:4] != "[^/]" else token
    first, *others = pieces
    if not others:
        return first
    return first + "".join(f"(?>[^/]*?{piece})" for piece in others[:-1] if piece) + _ANY + others[-1]


def compile_pattern(line: str) -> GitIgnoreSpecPattern | None:
    """One line of an ignore file; None for a comment, an empty or an invalid one, or one too long for any path."""
    from pathspec.patterns.gitignore.base import GitIgnorePatternError
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

    if len(line) > _MAX_PATTERN:
        return None
    try:
        pattern = GitIgnoreSpecPattern(line)
    except (GitIgnorePatternError, re.error):
        return None
    return pattern if pattern.include is not None else None


class IgnoreRules:
    """All rules below a root: asks the ignore files of every folder from the path upwards, the nearest first."""

    def __init__(self, root: Path, exclude: Sequence[str], *, gitignore: bool) -> None:
        """``gitignore``: read ``.gitignore`` files too. Raises BadInputError for an invalid ``exclude`` pattern."""
        self._root = root
        self._gitignore = gitignore
        self._chains: dict[tuple[str, str], tuple[tuple[int, RuleFile], ...]] = {}
        self._folders: dict[str, Rule | None] = {".": None}
        self._exclude = RuleFile(EXCLUDE_SETTING, ())
        if exclude:
            for pattern in exclude:
                if compile_pattern(pattern) is None:
                    raise BadInputError(
                        f"The exclude pattern {pattern!r} is not valid.", "Write it in the syntax of .gitignore."
                    )
            self._exclude = RuleFile(EXCLUDE_SETTING, exclude)

    def file(self, path: str) -> Rule | None:
        """The rule that leaves out the file ``path`` (relative to the root) or a folder above it, or None."""
        folder = path.rpartition("/")[0] or "."
        return self.folder(folder) or self._match(path, folder, False)

    def folder(self, path: str) -> Rule | None:
        """The rule that leaves out the folder ``path`` or one above it, or None. The root ``.`` never is."""
        if path in self._folders:
            return self._folders[path]
        parent = path.rpartition("/")[0] or "."
        rule = self.folder(parent) or self._match(path, parent, True)
        self._folders[path] = rule
        return rule

    def _match(self, path: str, parent: str, is_dir: bool) -> Rule | None:
        """Codemoat's rules, then git's; within each the nearest folder's file that has a say wins."""
        decided = self._match_files(CODEMOAT_IGNORE, path, parent, is_dir) or self._exclude.decide(path, is_dir)
        if decided is not None and decided[0]:
            return decided[1]
        if self._gitignore:
            decided = self._match_files(GIT_IGNORE, path, parent, is_dir)
            if decided is not None and decided[0]:
                return decided[1]
        return None

    def _match_files(self, name: str, path: str, folder: str, is_dir: bool) -> tuple[bool, Rule] | None:
        for start, rules in self._chain(folder, name):
            decided = rules.decide(path[start:], is_dir)
            if decided is not None:
                return decided
        return None

    def _chain(self, folder: str, name: str) -> tuple[tuple[int, RuleFile], ...]:
        """(length of the folder's prefix, rules) of all files ``name`` from ``folder`` up to the root."""
        key = (folder, name)
        chain = self._chains.get(key)
        if chain is None:
            above = self._chain(folder.rpartition("/")[0] or ".", name) if folder != "." else ()
            own = _load(self._root, name if folder == "." else f"{folder}/{name}")
            start = 0 if folder == "." else len(folder) + 1
            chain = above if own is None else ((start, own), *above)
            self._chains[key] = chain
        return chain


def _load(root: Path, relative: str) -> RuleFile | None:
    """The ignore file at ``relative``, or None when there is none that can be read."""
    path = root / relative
    try:
        if path.is_symlink() or not path.is_file():
            return None
        with path.open("rb") as stream:
            raw = stream.read(_MAX_RULES_BYTES)
    except OSError:
        return None
    lines = raw.decode("utf-8-sig", "surrogateescape").split("\n")
    rules = [line.removesuffix("\r") for line in lines]
    return RuleFile(relative, rules)
