"""The holes' measure: what is punched, what the oracle says of hand-made texts, what is counted. No model."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from assistant.completion.window import window
from benchmarks.holes import control, enough, replayed
from benchmarks.holes_report import counts, report
from benchmarks.oracle import judge, syntax_errors, unpaired
from benchmarks.punching import KINDS, Source, holes

PYTHON = '''"""Doc of the module."""

import os


def first(path, names):
    """Return the first of the names that exists below the path."""
    for name in names:
        if os.path.exists(os.path.join(path, name)):
            return name
        if name == "":
            return path
    return None


TABLE = [
    "one",
    "two",
]
'''
GO = """package main

// Max returns the larger of the two numbers.
func Max(a, b int) int {
\tif a > b {
\t\treturn a
\t}
\treturn b
}
"""


def row(language: str, text: str, raw: str, *, block: bool, reason: str = "stop", **more: Any) -> dict[str, Any]:
    """A recorded hole at ``‸`` of ``text``; what is between ``‸`` and a second one was taken out."""
    prefix, removed, suffix = (*text.split("‸"), "")[:3] if text.count("‸") == 2 else _without(text)
    return {
        "language": language,
        "kind": "made",
        "repository": "r",
        "path": "p",
        "prefix": prefix,
        "suffix": suffix,
        "removed": removed,
        "block": block,
        "above": prefix.count("\n"),
        "below": suffix.count("\n"),
        "raw": raw,
        "reason": reason,
        **more,
    }


def _without(text: str) -> tuple[str, str, str]:
    prefix, suffix = text.split("‸")
    return prefix, "", suffix


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("language", "text"), [("python", PYTHON), ("go", GO)])
def test_every_kind_takes_spans_of_the_file(language: str, text: str, kind: str) -> None:
    source = Source.of(language, "r", "p", text)
    spans = KINDS[kind](source, random.Random(0))
    assert all(0 <= start < end <= len(text) for start, end in spans)
    nowhere = {("go", "docstring or text block"), ("python", "comment")}
    assert bool(spans) == ((language, kind) not in nowhere)


def test_kinds_cut_where_they_say() -> None:
    source = Source.of("go", "r", "p", GO)
    chance = random.Random(0)
    bodies = {GO[a:b] for a, b in KINDS["block body"](source, chance)}
    assert "return a" in bodies
    with_closer = {GO[a:b] for a, b in KINDS["block body and closer"](source, chance)}
    assert "return a\n\t}" in with_closer
    for start, end in KINDS["comment"](source, chance):
        assert GO[:start].splitlines()[-1].startswith("// ") and GO[end] == "\n"
    python = Source.of("python", "r", "p", PYTHON)
    assert any(PYTHON[a:b] == "return name" for a, b in KINDS["guard"](python, chance))
    assert not KINDS["comment"](python, chance)
    documents = [PYTHON[a:b] for a, b in KINDS["docstring or text block"](python, chance)]
    assert documents and not any('"""' in text for text in documents)
    for start, end in KINDS["within a line"](python, chance):
        assert PYTHON[end] in ")]\"'>" and "\n" not in PYTHON[start:end]


def test_holes_are_even_seeded_and_only_in_files_that_parse(tmp_path: Path) -> None:
    repository = tmp_path / "repo"
    repository.mkdir()
    (repository / "a.py").write_text(PYTHON)
    (repository / "b.go").write_text(GO + "\n" * 120)
    (repository / "broken.py").write_text(PYTHON + "def broken(:\n" * 3)
    found = holes([repository], 12, seed=3)
    assert found == holes([repository], 12, seed=3)
    assert len({hole.id for hole in found}) == len(found) == 12
    assert {hole.path for hole in found} == {"a.py", "b.go"}
    for hole in found:
        whole = hole.prefix + hole.removed + hole.suffix
        assert whole == (repository / hole.path).read_text()
    kinds = [hole.kind for hole in found if hole.language == "python"]
    assert len(set(kinds)) == len(kinds)  # the first round has one of each


GO_OPEN = "package p\n\nfunc f(a, b int) int {\n\tif a > b {\n\t\t‸\n\t}\n\treturn b\n}\n"


@pytest.mark.parametrize(
    ("language", "text", "accepted", "wrong"),
    [
        ("go", GO_OPEN, "return a", ""),
        ("go", GO_OPEN, "if a > 0 {\n\t\t\treturn a", "errors open"),
        ("go", GO_OPEN, "return a\n\t}", "errors open repeats"),
        ("go", GO_OPEN, "return a\n\t}\n\treturn b", "errors open repeats"),
        ("python", 'f("blue‸")\n', ' light")', "errors open repeats"),
        ("python", 'f("blue‸")\n', " light", ""),
        ("python", "f(a, ‸)\n", "g(b)", ""),
        ("python", "def f(a):\n    if a:\n        ‸\n    return a\n", "return None\n    return a", "repeats"),
        ("python", "def f(a):\n    if a:\n        ‸\n    return a\n", "return None", ""),
        ("java", "class A {\n  void f() {\n    ‸\n\n  int b;\n}\n", "g();\n  }", ""),
        ("java", "class A {\n  void f() {\n    ‸\n\n  int b;\n}\n", "g();\n  }\n}", "open"),
        ("java", "class A {\n  void f() {\n    ‸\n\n  int b;\n}\n", "g(", "errors open"),
        ("python", "x = 1\n‸\ny = 2\n", "z = (1,", "errors open"),
        ("c", "#include <str‸>\n", "ing.h>", "errors repeats"),
        ("javascript", "const a = require('‸')\n", "console'", "errors repeats"),
        ("json", '{"a": [1, ‸]}\n', "2]", "open repeats"),
        ("json", '{"a": {\n  ‸\n}}\n', '"b": {\n    "c": 1\n  }', ""),
        ("bash", "case $1 in\n  a)\n    ‸\n    ;;\nesac\n", "if true; then", "errors"),
        ("rust", "fn f<'a>(x: &'a str) -> &'a str {\n    ‸\n}\n", "x", ""),
        ("ruby", "def f(a)\n  ‸\nend\n", "if a\n    1\n  end", ""),
        ("ruby", "def f(a)\n  ‸\nend\n", "a\nend", "errors repeats"),
        ("bash", "f() {\n  if a; then\n    ‸\n  fi\n}\n", "b\n  fi", "errors repeats"),
        ("bash", "f() {\n  ‸\n}\n", "case $1 in\n    a) b ;;\n    *) c ;;\n  esac", ""),
        ("lua", "if a then\n  ‸\nend\n", "b()\nend", "errors repeats"),
        ("html", "<div>\n  ‸\n</div>\n", "<p>a", ""),
        ("html", "<div>\n  ‸\n</div>\n", "<b>a", "open"),
        ("html", "<div>\n  ‸\n</div>\n", "<b>a</b>\n</div>", "errors repeats"),
        ("c", "int f(int a) {\n\treturn ‸;\n}\n", "a;", "repeats"),
        ("c", "int f(int a) {\n\treturn ‸;\n}\n", "a", ""),
        ("c", "void f(int a) {\n\tfor (‸;) {}\n}\n", "int i = 0;", ""),
        ("go", "package p\n\nvar a = f(g(‸))\n", "h(1)", ""),
        ("python", 'def f():\n    """Return ‸"""\n', 'all."""', "errors repeats"),
    ],
)
def test_the_oracle_judges_what_a_text_does_to_the_file(language: str, text: str, accepted: str, wrong: str) -> None:
    prefix, suffix = text.split("‸")
    verdict = judge(language, prefix, suffix, accepted)
    found = {"errors": verdict.adds_errors, "open": verdict.left_open, "repeats": verdict.repeats}
    assert {name for name, yes in found.items() if yes} == set(wrong.split())
    assert verdict.harmful == bool(wrong)


def test_what_a_text_replaces_is_not_there_any_more() -> None:
    verdict = judge("python", "print(a", ")\n", ', "b")', 1, "")
    assert not verdict.harmful
    assert judge("python", "f(", ", c)\n", "a, b, c)", 4, "a, b").exact
    assert not judge("python", "f(", ", c)\n", "a, d, c)", 4, "a, b").exact


def test_brackets_in_strings_and_comments_are_none() -> None:
    assert not unpaired('x = "(" # [\n', "python")
    assert unpaired("f(\n", "python") == {"(": 1}
    assert syntax_errors("f()\n", "python") == 0


def test_a_replay_trims_what_was_kept_as_if_it_were_written_now() -> None:
    whole = "def f(a):\n    ‸return a + 1‸\n\n\ndef g():\n    pass\n"
    found = replayed(row("python", whole, "    return a + 1\n\n\ndef h():\n", block=True, reason="enough"))
    assert (found.shown.text, found.judgement.exact) == ("return a + 1", True)
    line = replayed(row("python", "x = ‸1 + 2‸\ny = x\n", "1 + 2\ny = x\nz", block=False, reason="length"))
    assert (line.shown.text, line.judgement.exact) == ("1 + 2", True)
    again = row("python", "a = 1\n‸\nb = 2\n", "b = 2\n", block=False, second={"raw": "c = 3\n", "reason": "stop"})
    assert replayed(again).shown.text == "c = 3"


def test_the_recorder_stops_where_nothing_more_can_matter() -> None:
    def at(text: str) -> Any:
        prefix, suffix = text.split("‸")
        return window(prefix, suffix, 1000, 1000, lambda texts: [1 for _ in texts])

    place = at("func f() {\n\t\t‸\n}\n")
    assert not enough("\t\treturn a\n\t}\n", place, block=True)  # a closer may be owed
    assert enough("\t\treturn a\n}\nfunc g() {\n", place, block=True)
    assert enough("\t\ta\n\n\t\tb\n\n", place, block=True)
    assert enough("x\n" * 12, at("‸\n"), block=True)
    assert enough("1 + 2\n", at("a = ‸\n"), block=False)
    assert not enough("1 + (\n", at("a = ‸\n"), block=False)
    assert not enough("x:\n", at("if ‸\n"), block=False)
    assert enough("g(\n", at("a = ‸)\n"), block=False)  # within a line


def test_the_control_finds_what_was_broken_and_nothing_else() -> None:
    rows = [row("go", GO.replace("return a\n", "‸return a‸\n"), "", block=True)]
    assert [line.split()[-4:] for line in control(rows).splitlines()] == [
        [str(harmful), "harmful", "of", "1"] for harmful in (0, 1, 1, 1)
    ]


def test_figures_are_counted_and_shown_by_kind_and_language() -> None:
    bad = replayed(row("python", "f(‸)\n", "1)", block=False))
    forged = type(bad)(bad.row, type(bad.shown)("1)", "line"), judge("python", "f(", ")\n", "1)"))
    good = replayed(row("python", "x = ‸1‸\n", "1", block=False))
    found = counts([forged, good])
    assert found["holes"] == found["shown"] == 2
    assert found["harmful"] == found["adds errors"] == found["repeats"] == found["exact"] == 1
    text = report([forged, good], 1, harmful=True)
    assert "| made | 2 | 2 | 1 | 1 |" in text and "| python | made | <code>f(‸)⏎</code>" in text
    assert "adds errors" in text.rpartition("\n")[2]
