"""One line of an ignore file → an expression that matches what git's own matcher does (``wildmatch.c``).

pathspec translates the line but for its sets of characters, which Python's ``re`` would read otherwise: to git
``[[:alpha:]]`` is a letter, ``[[]`` a bracket and ``[a--]`` a range. A set is replaced by a character of Unicode's
private use area while pathspec translates, and put in afterwards.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_MAX_PATTERN = 4_096
"""Characters of a pattern; no path is longer, and a longer one takes long to compile."""
_PRIVATE = range(0xE000, 0xF8FF)
_ANY = "[^/]*"
_ANY_START, _ANY_MIDDLE = "(?:.+/)?", "(?:/.+)?/"
_TOKEN = re.compile(r"\(\?:\.\+/\)\?|\(\?:/\.\+\)\?/|\[\^/\][*+]?|\\.|.", re.DOTALL)
_TAIL = re.compile(r"(?:/\.\+/\\Z|/\?\\Z|/\\Z|/\.)$")
_CLASSES = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "blank": r" \t", "cntrl": r"\x00-\x1f\x7f", "digit": "0-9",
    "graph": "!-~", "lower": "a-z", "print": " -~", "punct": r"!-/:-@\[-`{-~", "space": r" \t\n\r",
    "upper": "A-Z", "xdigit": "0-9A-Fa-f",
}  # fmt: skip
"""As git has them, in ASCII."""


class IgnorePattern(NamedTuple):
    """An expression for ``re.DOTALL``, and whether what it matches is left out (rather than brought back)."""

    regex: str
    include: bool


def trimmed(line: str) -> str:
    """The pattern of a line: to git a NUL ends it, and spaces at its end do not count, unless escaped; a tab does."""
    line = line.partition("\0")[0]
    bare = line.rstrip(" ")
    escaped = (len(bare) - len(bare.rstrip("\\"))) % 2
    return line[: len(bare) + escaped]


def parse_pattern(line: str) -> IgnorePattern | None:
    """One line of an ignore file; None for a comment, an empty or an invalid one, or one too long for any path."""
    from pathspec.patterns.gitignore.base import GitIgnorePatternError
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

    line = trimmed(line)
    if len(line) > _MAX_PATTERN:
        return None
    taken = _without_sets(line) if "[" in line and not line.startswith("#") else (line, {})
    if taken is None:
        return None
    plain, sets = taken
    if plain[-1:].isspace() and plain[-1] != " ":  # pathspec would leave it out
        mark = next(chr(number) for number in _PRIVATE if chr(number) not in plain)
        plain, sets = plain[:-1] + mark, {**sets, mark: re.escape(plain[-1])}
    try:
        regex, include = GitIgnoreSpecPattern.pattern_to_regex(plain)
    except GitIgnorePatternError:
        return None
    if regex is None or include is None:
        return None
    exact = _exact(plain, regex)
    return IgnorePattern("".join(sets.get(character, character) for character in exact) if sets else exact, include)


def compile_pattern(line: str) -> re.Pattern[str] | None:
    """The compiled expression of a line; None where ``parse_pattern`` has none."""
    pattern = parse_pattern(line)
    return None if pattern is None else re.compile(pattern.regex, re.DOTALL)


def _without_sets(line: str) -> tuple[str, dict[str, str]] | None:
    """The line with a private character for each ``[…]``, and the expressions of those; None if a set has no end."""
    free = (chr(number) for number in _PRIVATE if chr(number) not in line)
    made, sets, at, slash = "", {}, 0, False
    while at < len(line):
        if line[at] == "\\":
            made += line[at : at + 2]
            at += 2
        elif line[at] == "[":
            found = _set(line, at + 1)
            if found is None:
                return None
            mark = next(free)
            slash = slash or "/" in line[at : found[1]]
            sets[mark], at = found
            made += mark
        else:
            made += line[at]
            at += 1
    if slash and "/" not in made.removeprefix("!")[:-1]:  # to git a slash within a set anchors a pattern too
        made = f"!/{made[1:]}" if made.startswith("!") else f"/{made}"
    return made, sets


def _set(line: str, at: int) -> tuple[str, int] | None:
    """A set whose content begins at ``at``, as an expression, and where it ends; None if it does not, as in git."""
    negated = line[at : at + 1] in ("!", "^")
    at += negated
    items: list[str] = []
    before, first = "", True
    while first or line[at : at + 1] != "]":
        first = False
        char = line[at : at + 1]
        if char == "[" and line[at + 1 : at + 2] == ":":
            end = line.find("]", at + 2)
            if end < 0:
                return None
            if end > at + 2 and line[end - 1] == ":":
                name = line[at + 2 : end - 1]
                if name not in _CLASSES:
                    return None
                items.append(_CLASSES[name])
                before, at = "", end + 1
                continue
        if char == "-" and before and line[at + 1 : at + 2] not in ("", "]"):
            at += 1
            if line[at] == "\\":
                at += 1
            high = line[at : at + 1]
            if not high:
                return None
            if before <= high:
                items.append(f"{_escaped(before)}-{_escaped(high)}")
            before = ""
        else:
            if char == "\\":
                at += 1
                char = line[at : at + 1]
            if not char:
                return None
            items.append(_escaped(char))
            before = char
        at += 1
    # A set takes no slash, whatever it holds.
    return f"(?!/)[{'^' if negated else ''}{''.join(items)}]", at + 1


def _escaped(char: str) -> str:
    """A character within brackets."""
    return char if char.isalnum() else f"\\{char}" if char.isascii() and char.isprintable() else re.escape(char)


def _exact(line: str, regex: str) -> str:
    """A pattern's expression, matching the path itself only and not all that lies below it.

    pathspec's matches both, so that a plain list of files can be filtered. Here folders are decided on the way down, as
    git does; else ``!folder/`` would bring back every file in it.
    """
    regex = regex.replace("(?:(?P<ps_d>/)|$)", r"/?\Z").replace("(?P<ps_d>/)", r"/\Z")
    if regex.endswith("/"):
        regex += "."  # "folder/**" means what is in it
    if regex.startswith("^") and line.endswith("/**/"):
        regex = regex.removesuffix(r"/\Z") + r"/.+/\Z"  # the folders in it, at any depth
    return _tame(regex)


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
            pieces[-1] += token
    first, *others = pieces
    if not others:
        return first
    return first + "".join(f"(?>[^/]*?{piece})" for piece in others[:-1] if piece) + _ANY + others[-1]
