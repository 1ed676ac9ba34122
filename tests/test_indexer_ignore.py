"""Ignore patterns are matched as pathspec would, but none can take exponential time."""

from __future__ import annotations

import random
import shutil
import subprocess
import warnings
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from indexer import ignore, ignore_pattern
from indexer.config import IndexConfig
from indexer.files import list_files
from indexer.ignore import IgnoreRules, RuleFile
from indexer.ignore_pattern import compile_pattern, parse_pattern

PIECES = st.sampled_from(
    ["a", "b", "*", "**", "?", "/", "/**/", "[ab]", "[!a]", "[]a]", "[^/]", "!", ".", "\\*", "(?:/.+)?/"]
)
NAMES = st.lists(st.text("ab.*", min_size=1, max_size=6), min_size=1, max_size=6).map("/".join)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, min_size=1, max_size=9).map("".join), st.lists(NAMES, min_size=1, max_size=12), st.booleans())
@example("*a*a*b", ["aab", "aaab", "ab"], False)
@example("**/a/**/a/**/b", ["a/a/b", "a/b", "x/a/y/a/z/b"], True)
def test_a_tamed_expression_matches_what_the_plain_one_does(pattern, names, is_dir):
    tamed = compile_pattern(pattern)
    if tamed is None:
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ignore_pattern, "_tame", lambda regex: regex)
        plain = compile_pattern(pattern)
    assert plain is not None
    for name in names:
        path = name + "/" * is_dir
        assert bool(tamed.search(path)) == bool(plain.search(path)), (pattern, path, plain.pattern, tamed.pattern)


ENDLESS = ("*a{}b", "a*{}b", "**/*a{}/b", "a/**/{}b", "?*{}b", "*[a]{}b/**")
"""The part before ``{}`` many times over."""


@pytest.mark.timeout(20)  # what it guards against takes longer than anybody lives
@pytest.mark.parametrize(
    "pattern",
    [*(one.partition("{}")[0] * 60 + one.partition("{}")[2] for one in ENDLESS), "*" * 3_000 + "b", "*" * 900_000],
)
def test_no_pattern_takes_exponential_time(pattern):
    rules = RuleFile(".gitignore", [pattern, "wanted"])
    for path in ("a" * 250, "a/" * 200 + "a", "/".join(["a" * 20] * 60)):
        assert rules.decide(path, False) is None
    assert rules.decide("wanted", False) is not None


def test_tame_patterns_stay_as_they_are():
    for line in ("*.py", "/build/", "docs/x", "!keep"):
        pattern = parse_pattern(line)
        assert pattern is not None
        assert "(?>" not in pattern.regex


SETS = r"""
[[] [[a] [a[] [a&&b] [a||b] [a~~b] [!--] [[:alpha:]] [![:digit:]a] [[:alpha:] [[ [ []a] [!]a] [a-c] [c-a] [a-] [-a] [\]]
[a-\c] [[:nope:]] [[::]] [a/b] x[ [[:a] a[/]b [[.a.]] [[=a=]] [^a] [\ [a ![ [!-a] [--0] [a-] [^]
"""
ODD = SETS.split()


@pytest.mark.parametrize("line", ODD)
def test_no_pattern_makes_a_warning(line):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        RuleFile("x", [line, f"a{line}b", f"*{line}?"]).decide("a/ab", False)
        compile_pattern(line)


SEGMENT = st.sampled_from(
    ["a", "b", "ab", "x.c", "*", "**", "?", "*.c", "a*", "*b", "a*b", "*a*", "?b", "[ab]", "[!a]", "[[:alpha:]]", "[[]",
     "[a-c]", "[]a]", "[a/b]", "\\*", "[", "[!-]", "x[.]c", "*[[:digit:]]", "\\[", "-", "["]
)  # fmt: skip
LINE = st.builds(
    lambda negated, start, segments, end: f"{'!' * negated}{start}{'/'.join(segments)}{end}",
    st.booleans(),
    st.sampled_from(["", "", "", "/", "**/"]),
    st.lists(SEGMENT, min_size=1, max_size=3),
    st.sampled_from(["", "", "", "/", "/**", " ", "/*"]),
)
NAME = st.sampled_from(["a", "b", "ab", "aab", "x.c", "c", "a.c", "[", "]", "-", "*", "xc", "a1", "B", "x", "?b"])


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    root = tmp_path_factory.mktemp("repository")
    subprocess.run(["git", "init", "-q", str(root)], check=True, capture_output=True)
    return root


def by_git(root: Path, lines: list[str], paths: list[str]) -> set[str]:
    """The paths that git ignores; those with a slash at the end are folders, which are made: git looks at them."""
    for entry in root.iterdir():
        if entry.name != ".git":
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    for path in paths:
        if path.endswith("/"):
            (root / path).mkdir(parents=True, exist_ok=True)
    (root / ".gitignore").write_text("\n".join(lines) + "\n")
    asked = subprocess.run(
        ["git", "-C", str(root), "-c", "core.excludesFile=/dev/null", "check-ignore", "--no-index", "-z", "--stdin"],
        input="\0".join(path.removesuffix("/") for path in paths).encode(),
        capture_output=True,
        check=False,
    )
    assert asked.returncode in (0, 1), asked.stderr
    ignored = {path.decode() for path in asked.stdout.split(b"\0") if path}
    return {path for path in paths if path.removesuffix("/") in ignored}


def by_us(root: Path, paths: list[str]) -> set[str]:
    rules = IgnoreRules(root, (), gitignore=True)
    return {p for p in paths if (rules.folder(p[:-1]) if p.endswith("/") else rules.file(p)) is not None}


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(
    st.lists(LINE, min_size=1, max_size=6),
    st.lists(st.tuples(st.lists(NAME, min_size=1, max_size=3), st.booleans()), min_size=1, max_size=12),
)
@example(["a*b", "!ab", "**/ab/"], [(["ab"], True), (["x", "ab"], False)])
@example(["[[:alpha:]]", "![b]"], [(["a"], False), (["b"], False), (["1"], False)])
@example(["[a/b]"], [(["a"], False), (["x", "a"], False)])
@example(["a[/]b"], [(["a", "b"], False), (["ab"], False)])
@example(["a/**", "!a/b"], [(["a", "b"], False), (["a"], True), (["a", "c"], False)])
def test_rules_decide_as_git_does(repository, lines, names):
    folders = {"/".join(parts[:end]) for parts, is_dir in names for end in range(1, len(parts) + is_dir)}
    paths = sorted({"/".join(parts) + "/" * ("/".join(parts) in folders) for parts, _ in names})
    wanted = by_git(repository, lines, paths)
    assert by_us(repository, paths) == wanted, lines


ENDS = [
    "",
    " ",
    "  ",
    "\t",
    " \t",
    "\t ",
    "\\ ",
    "\\  ",
    "\\\\ ",
    "\\\t",
    "\0",
    "\0b",
    " \0b",
    "\v",
    "\f",
    "\r",
    "\r\r",
    "\xa0",
]
"""Of a line: what git leaves out there, and what belongs to the name."""


@pytest.mark.parametrize("start", ["a", "*a", "?", "[a]", "/a", "a/", "!a", " a", " !a", "a/**", "x/[ab]"])
def test_the_end_of_a_line_is_what_it_is_to_git(repository, start):
    ends = ("", " ", "  ", "\t", " \t", "\\", "\v", "\f", "\r", "\xa0", "b")
    names = [f"{head}a{end}" for head in ("", " ", " !", "x/") for end in ends] + ["a b", "\t"]
    for end in ENDS:
        lines = ["*", f"{start}{end}"] if start.startswith("!") else [f"{start}{end}"]
        wanted = by_git(repository, lines, names)
        assert by_us(repository, names) == wanted, lines


def test_many_rules_decide_as_each_one_compiled_would():
    """The tables against the plain way, with rules that overlap."""
    chance = random.Random(7)
    pieces = ["a", "b", "ab", "*", "a*", "*b", "?", "[ab]", "a*b", "**", "*.c", "x.c"]
    lines = []
    for _ in range(3_000):
        body = "/".join(chance.choices(pieces, k=chance.randint(1, 3)))
        lines.append(
            f"{'!' * chance.randint(0, 1)}{chance.choice(['', '', '/', '**/'])}{body}{chance.choice(['', '', '/'])}"
        )
    for size in (3, 30, 3_000):
        rules = RuleFile("x", lines[:size])
        compiled = [(compile_pattern(line), line) for line in lines[:size]]
        for _ in range(60):
            path = "/".join(chance.choices(["a", "b", "ab", "aab", "x.c", "c"], k=chance.randint(1, 4)))
            is_dir = chance.random() < 0.5
            want = next(
                (n for n in range(size - 1, -1, -1)
                 if compiled[n][0] is not None and compiled[n][0].search(path + "/" * is_dir)), None,
            )  # fmt: skip
            got = rules.decide(path, is_dir)
            assert (got and got[1].line) == (None if want is None else want + 1), path
            assert got is None or got[0] != lines[want].startswith("!")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("form", "path"),
    [
        ("name{}", "name7"),
        ("/a/b{}/c", "a/b7/c"),
        ("*.x{}", "q.x7"),
        ("x{}*", "x7"),
        ("a{}*b{}.txt", "a7-b7.txt"),
        ("dir{}/**", "dir7/q"),
        ("**/x{}/y", "q/x7/y"),
        ("?x{}", "-x7"),
        ("[ab]c{}", "ac7"),
    ],
)
def test_a_hundred_thousand_rules_compile_only_what_a_path_needs(monkeypatch, form, path):
    compiled = []
    real = ignore.compile_pattern
    monkeypatch.setattr(ignore, "compile_pattern", lambda line: compiled.append(line) or real(line))
    rules = RuleFile("x", [form.replace("{}", str(n)) for n in range(100_000)])
    for n in range(200):
        rules.decide(f"src/module{n}/file{n}.py", False)
    assert not compiled
    found = rules.decide(path, False)
    assert found is not None and found[1].line == 8
    assert len(compiled) <= 1


def test_an_ignore_file_that_is_too_long_is_said_and_cut_at_a_line(tmp_path, monkeypatch):
    monkeypatch.setattr(ignore, "_MAX_RULES_BYTES", 100)
    (tmp_path / ".codemoatignore").write_text("a.py\n" * 19 + "bbbbbbbb.py\nc.py\n")
    for name in ("a.py", "bbbb", "c.py", "d.py"):
        (tmp_path / name).write_text("x = 1\n")
    listing = list_files(tmp_path, IndexConfig())
    assert [listed.path for listed in listing.files] == [".codemoatignore", "bbbb", "c.py", "d.py"]
    reasons = [skip.reason for skip in listing.skipped if skip.path == "."]
    assert reasons == [".codemoatignore has more than 100 bytes; the rules after that point are ignored."]


def test_patterns_that_are_too_many_are_said_and_the_last_ones_count(tmp_path, monkeypatch):
    monkeypatch.setattr(ignore, "_MOST_ALIKE", 3)
    (tmp_path / ".codemoatignore").write_text("".join(f"*{c}*\n" for c in "abcde"))
    for name in ("xa", "xc", "xe"):
        (tmp_path / name).write_text("x = 1\n")
    listing = list_files(tmp_path, IndexConfig())
    assert [listed.path for listed in listing.files] == ["xa"]
    assert [skip.reason for skip in listing.skipped if skip.path == "."] == [
        ".codemoatignore has too many wildcard patterns that begin or end alike; the last 3 of each kind are used, 2 "
        "are not. Ignore a folder instead."
    ]
