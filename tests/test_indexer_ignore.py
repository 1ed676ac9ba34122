"""Ignore patterns are matched as pathspec would, but none can take exponential time."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from indexer import ignore
from indexer.ignore import RuleFile, _exact, compile_pattern

PIECES = st.sampled_from(
    ["a", "b", "*", "**", "?", "/", "/**/", "[ab]", "[!a]", "[]a]", "[^/]", "!", ".", "\\*", "(?:/.+)?/"]
)
NAMES = st.lists(st.text("ab.*", min_size=1, max_size=6), min_size=1, max_size=6).map("/".join)


def sets_without_slash(regex):
    """The plain expression, but that a set of characters takes no slash: there git decides, not pathspec."""
    tokens = ignore._TOKEN.findall(regex)
    return "".join(f"(?!/){t}" if len(t) > 2 and t[0] == "[" and t[:4] != "[^/]" else t for t in tokens)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, min_size=1, max_size=9).map("".join), st.lists(NAMES, min_size=1, max_size=12), st.booleans())
@example("*a*a*b", ["aab", "aaab", "ab"], False)
@example("**/a/**/a/**/b", ["a/a/b", "a/b", "x/a/y/a/z/b"], True)
@example("x[(?:/.+)?/]*a*b", ["x?ab", "x/ab"], False)
def test_a_tamed_expression_matches_what_the_plain_one_does(pattern, names, is_dir):
    compiled = compile_pattern(pattern)
    if compiled is None or compiled.regex is None:
        return
    tamed = _exact(pattern, compiled.regex.pattern)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ignore, "_tame", sets_without_slash)
        plain = _exact(pattern, compiled.regex.pattern)
    if tamed.pattern == plain.pattern.replace("(?!/)", ""):
        return
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
    for pattern in ("*.py", "/build/", "docs/x", "!keep"):
        compiled = compile_pattern(pattern)
        assert compiled is not None and compiled.regex is not None
        assert "(?>" not in _exact(pattern, compiled.regex.pattern).pattern
        assert isinstance(_exact(pattern, compiled.regex.pattern), re.Pattern)
