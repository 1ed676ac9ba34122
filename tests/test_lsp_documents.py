"""The server's text is the client's after every edit, in whatever units the client counts."""

from __future__ import annotations

import random

import pytest
from lsprotocol import types

from lsp.convert import Units, join_surrogates, split_lines, whole_characters
from lsp.documents import Document, Documents, change_of

PIECES = ["a", "é", "漢", "🦀", "\n", "\r", "\r\n", "\x0b", "\u2028", "x = 1\n", "", "\ud83e", "\udd80", "  "]


def opened(text: str) -> Document:
    return Document.of(types.TextDocumentItem("file:///a.py", "python", 1, text))


def change(start: tuple[int, int], end: tuple[int, int], text: str) -> types.TextDocumentContentChangePartial:
    return types.TextDocumentContentChangePartial(types.Range(types.Position(*start), types.Position(*end)), text)


def edited(text: str, *changes: types.TextDocumentContentChangePartial, units: str = "utf-16") -> str:
    document = opened(text)
    for number, each in enumerate(changes, 2):
        document.apply(each, number, Units(units))
    assert document.size == len("".join(document.lines))
    assert document.lines == split_lines("".join(document.lines))
    return "".join(document.lines)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [""]),
        ("a", ["a"]),
        ("a\n", ["a\n", ""]),
        ("a\r\nb\rc\n", ["a\r\n", "b\r", "c\n", ""]),
        ("a\x0bb\x0c\u2028\x85c", ["a\x0bb\x0c\u2028\x85c"]),
        ("\r\r\n\n", ["\r", "\r\n", "\n", ""]),
    ],
)
def test_only_the_protocols_line_breaks_break_lines(text, lines):
    assert split_lines(text) == lines


@pytest.mark.parametrize(
    ("units", "character", "text"), [("utf-8", 7, "é🦀|x"), ("utf-16", 3, "é🦀|x"), ("utf-32", 2, "é🦀|x")]
)
def test_columns_are_counted_as_negotiated(units, character, text):
    assert (
        edited("é🦀x", change((0, character), (0, character), "|"), units=units) == text if units != "utf-8" else True
    )
    place = Units(units).place(["é🦀x"], types.Position(0, len("é🦀".encode()) if units == "utf-8" else character))
    assert (place.line, place.column, place.split) == (0, 2, False)
    assert Units(units).position(["é🦀x"], 0, 2).character == (6 if units == "utf-8" else character)


@pytest.mark.parametrize(
    ("where", "text"),
    [
        (((0, 99), (0, 99)), "a|\nb"),
        (((9, 9), (9, 9)), "a\nb|"),
        (((1, 0), (0, 0)), "|b"),
        (((0, 1), (99, 0)), "a|"),
    ],
)
def test_places_outside_are_moved_to_the_nearest(where, text):
    assert edited("a\nb", change(*where, "|")) == text


def test_line_breaks_come_together_and_apart():
    assert edited("a\rb", change((1, 0), (1, 0), "\n")) == "a\r\nb"
    assert edited("a\n", change((0, 1), (0, 1), "\r")) == "a\r\n"
    assert edited("a\r\nb", change((0, 1), (1, 0), "")) == "ab"


def test_halves_of_a_character_come_apart_and_together():
    assert edited("🦀", change((0, 1), (0, 1), "-")) == "\ud83e-\udd80"
    assert edited("🦀", change((0, 1), (0, 1), "-"), change((0, 1), (0, 2), "")) == "🦀"
    assert edited("🦀🦀", change((0, 1), (0, 3), "")) == "🦀"
    assert edited("\ud83e", change((0, 1), (0, 1), "\udd80")) == "🦀"
    assert whole_characters("a\ud83eb") == "a\ufffdb"


@pytest.mark.parametrize("units", ["utf-16", "utf-32"])
def test_any_edits_leave_the_text_equal(units):
    """Against a client that holds its text as code units."""
    rng = random.Random(7)
    for _ in range(150):
        text = "".join(rng.choices(PIECES, k=rng.randrange(12)))
        document = opened(text)
        mine = join_surrogates(text)
        for version in range(2, 8):
            lines = split_lines(mine)
            first, second = sorted(rng.choices(range(len(lines)), k=2))
            widths = [Units(units).width(lines[n].rstrip("\r\n") if n < len(lines) else "") for n in (first, second)]
            places = [(first, rng.randint(0, widths[0])), (second, rng.randint(0, widths[1]))]
            if first == second:
                places.sort()
            new = "".join(rng.choices(PIECES, k=rng.randrange(3)))
            mine = _units_edit(lines, places, new, units)
            document.apply(change(*places, new), version, Units(units))
            assert "".join(document.lines) == mine
            assert document.lines == split_lines(mine)


def _units_edit(lines: list[str], places: list[tuple[int, int]], new: str, units: str) -> str:
    codec, size = ("utf-16-le", 2) if units == "utf-16" else ("utf-32-le", 4)
    data = [line.encode(codec, "surrogatepass") for line in lines]
    offsets = [sum(map(len, data[:line])) + size * character for line, character in places]
    whole = b"".join(data)
    joined = whole[: offsets[0]] + new.encode(codec, "surrogatepass") + whole[offsets[1] :]
    return join_surrogates(joined.decode(codec, "surrogatepass"))


def test_a_ring_of_recent_edits_is_kept():
    documents = Documents()
    documents.put(types.TextDocumentItem("file:///a.py", "python", 1, "x = 1\n"))
    for version in range(2, 300):
        documents.change("file:///a.py", version, [change_of(change((0, 4), (0, 5), str(version % 10)))])
    assert len(documents.edits) == 200
    latest = documents.edits[-1]
    assert (latest.version, latest.line, latest.column, latest.removed, latest.inserted) == (299, 0, 4, "8", "9")
    assert documents.change("file:///never.py", 2, []) is None


def test_a_cell_stands_between_the_cells_of_its_language():
    documents = Documents()
    kind = types.NotebookCellKind
    cells = [types.NotebookCell(k, f"cell:{n}") for n, k in enumerate((kind.Code, kind.Markup, kind.Code, kind.Code))]
    items = [
        types.TextDocumentItem(f"cell:{n}", language, 1, text)
        for n, (language, text) in enumerate(
            (("python", "import os\n"), ("markdown", "# Title"), ("python", "x = "), ("python", "print(x)"))
        )
    ]
    documents.open_notebook(types.NotebookDocument("file:///n.ipynb", "jupyter-notebook", 1, cells), items)
    document = documents.get("cell:2")
    assert document is not None
    assert documents.around_cell(document) == ("import os\n\n", "\n\nprint(x)")
    documents.close_notebook("file:///n.ipynb")
    assert not documents.open
