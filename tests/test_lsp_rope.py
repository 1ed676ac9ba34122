"""Many edits of one message: the same text as one by one, for work that does not grow with the document."""

from __future__ import annotations

import random

import pytest
from lsprotocol import types

from lsp import documents, rope
from lsp.convert import Position, Units
from lsp.documents import Change, Document

PIECES = ["a", "é", "漢", "🦀", "\n", "\r", "\r\n", "\x0b", "\u2028", "x = 1\n", "", "\ud83e", "\udd80", "  "]
CODE = "def f(x):\n    return x + 1\n"


def opened(text: str) -> Document:
    return Document.of(types.TextDocumentItem("file:///a.py", "python", 1, text))


def change(start: tuple[int, int], end: tuple[int, int], text: str) -> Change:
    return Change((Position(*start), Position(*end)), text)


def one_by_one(text: str, changes: list[Change], units: str) -> Document:
    document = opened(text)
    for version, each in enumerate(changes, 2):
        document.change([each], version, Units(units))
    return document


@pytest.mark.parametrize("units", ["utf-8", "utf-16", "utf-32"])
@pytest.mark.parametrize("block", [3, 8, 2_048])
def test_many_edits_at_once_are_the_edits_one_by_one(units: str, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rope, "_SIZE", block)
    monkeypatch.setattr(rope, "_LEAP", 3)
    rng = random.Random(block)
    for _ in range(150):
        text = "".join(rng.choices(PIECES, k=rng.randrange(40)))

        def place() -> tuple[int, int]:
            return rng.choice([0, 1, 2, 3, 5, 9, 99]), rng.choice([0, 1, 2, 3, 4, 7, 30])

        changes = [
            change(place(), place(), "".join(rng.choices(PIECES, k=rng.randrange(5))))
            for _ in range(documents._MANY + 8)
        ]
        document = opened(text)
        edit = document.change(changes, 99, Units(units))
        expected = one_by_one(text, changes, units)
        assert document.lines == expected.lines
        assert (document.size, document.version) == (len("".join(expected.lines)), 99)
        assert edit is not None


CASES = {
    "at the start": ("", [change((0, 0), (0, 0), "x")] * 2_000),
    "from the end on": (CODE * 10_000, [change((n, 3), (n, 4), "a\nb") for n in range(19_999, 9_999, -5)]),
    "from the start on": (CODE * 10_000, [change((n, 3), (n, 4), "ab") for n in range(0, 20_000, 10)]),
    "anywhere in one line": (
        "x" * 500_000,
        [change((0, n * 7_919 % 499_000), (0, n * 7_919 % 499_000 + 1), "ab") for n in range(2_000)],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_edits_cost_what_they_and_the_text_have_together(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted in characters that are cut into lines, which each single edit does with the lines it touches."""
    text, changes = CASES[name]
    counted = 0
    split = documents.split_lines

    def counting(given: str) -> list[str]:
        nonlocal counted
        counted += len(given)
        return split(given)

    monkeypatch.setattr(documents, "split_lines", counting)
    document = opened(text)
    document.change(changes, 2, Units())
    inserted = sum(len(each.text) for each in changes)
    assert counted <= 5 * (len(text) + inserted)
    assert document.size == len(text) + inserted - len(changes) * (name != "at the start")


@pytest.mark.parametrize("name", CASES)
def test_an_edit_copies_a_few_blocks(name: str) -> None:
    text, changes = CASES[name]
    made = rope.Rope(text, Units())
    before = made.copied
    for each in changes:
        assert each.range is not None
        made.replace(*each.range, each.text)
    assert made.copied - before <= len(changes) * 4 * rope._SIZE
    assert made.text == "".join(_expected(name, text, changes))


def _expected(name: str, text: str, changes: list[Change]) -> list[str]:
    if name == "at the start":
        return ["x" * len(changes)]
    # One by one over a list of characters, since no edit of these removes or adds a line break before its place.
    lines = [list(line) for line in text.splitlines(keepends=True)]
    for each in changes:
        assert each.range is not None
        line, column = each.range[0]
        lines[line][column : each.range[1].character] = each.text
    return ["".join(map("".join, lines))]


def test_what_comes_before_a_whole_text_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("an edit was made for nothing")

    document = opened("a")
    monkeypatch.setattr(Document, "_replace", never)
    document.change([*[change((0, 0), (0, 0), "x")] * 100, Change(None, "b\n")], 2, Units())
    assert document.lines == ["b\n", ""]
