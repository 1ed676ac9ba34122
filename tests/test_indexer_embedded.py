"""Scripts and styles inside pages, and how much of a data file counts as structure."""

from __future__ import annotations

import json

import pytest

from indexer.embedded import MAX_PARTS
from indexer.languages import by_name
from indexer.parse import parse, parse_rows
from indexer.structure import MAX_ENTRIES, MAX_INNER, bounded


def parse_page(language: str, text: bytes, block_bytes: int = 3_000):
    return parse("page", text, by_name(language), block_bytes=block_bytes)


def test_offsets_and_lines_are_those_of_the_page():
    text = "<p>é</p>\n<script>\nfunction ä() {\n  return ö()\n}\nfunction ö() {}\n</script>\n".encode()
    page = parse_page("html", text)
    first, second = page.symbols
    assert text[first.span.start_byte : first.span.end_byte] == "function ä() {\n  return ö()\n}".encode()
    assert (first.span.start_line, first.span.end_line, second.span.start_line) == (3, 5, 6)
    (use,) = page.references
    assert (use.name, use.span.start_line, use.enclosing) == ("ö", 4, "ä")
    assert text[use.span.start_byte : use.span.end_byte] == "ö".encode()


@pytest.mark.parametrize(
    ("tag", "symbols"),
    [
        ("<script>", ["f"]),
        ("<script type=module>", ["f"]),
        ("<script type='text/javascript' defer>", ["f"]),
        ('<script lang="ts">', ["I", "f"]),
        ('<script setup lang="tsx" generic="T extends Item">', ["I", "f"]),
        ('<script type="text/x-template">', []),
        ('<script type="application/ld+json">', []),
        ('<script lang="coffee">', []),
    ],
)
def test_the_tag_says_which_language_a_script_is_in(tag, symbols):
    page = parse_page("vue", f"{tag}\ninterface I {{}}\nfunction f() {{}}\n</script>\n".encode())
    assert [s.name for s in page.symbols if s.name in ("I", "f")] == symbols


def test_a_broken_script_does_not_spoil_the_next():
    page = parse_page("html", b"<script>const a = `open</script>\n<script>function good() {}</script>\n")
    assert "good" in [s.name for s in page.symbols]


def test_a_template_uses_what_the_script_defines():
    text = b"""<script setup>
const total = 1
function add(x) {}
</script>
<template><p :title="total" @click="add(item)">{{ total }}</p></template>
"""
    uses = [(r.name, r.span.start_line) for r in parse_page("vue", text).references]
    assert uses == [("total", 5), ("add", 5), ("total", 5)]


def test_a_long_script_is_cut_along_its_functions():
    functions = "".join(f"function f{i}() {{\n  return {i}\n}}\n\n" for i in range(30))
    (page,) = parse_page("html", f"<script>\n{functions}</script>\n".encode(), block_bytes=200).outline
    script = next(block for block in page.children if block.children)
    assert [block.symbol for block in script.children] == [f"f{i}" for i in range(30)]


def test_a_page_of_very_many_expressions_has_a_limit():
    text = b"<template>" + b"<p>{{ Shop }}</p>\n" * (MAX_PARTS + 500) + b"</template>"
    assert len(parse_page("vue", text).references) == MAX_PARTS


def test_structure_is_two_levels_of_keys():
    text = b'{"a": {"b": {"c": {"d": 1}}}, "e": [{"f": 1}]}'
    assert [s.qualified for s in parse_page("json", text).symbols] == ["a", "a.b", "e"]


@pytest.mark.parametrize(
    "data",
    [
        {f"key{i}": i for i in range(10_000)},
        {f"key{i}": {"x": 1, "y": 2} for i in range(5_000)},
        {"rows": {f"key{i}": i for i in range(10_000)}},
        {f"part{i}": {f"key{j}": j for j in range(150)} for i in range(70)},
        [{"id": i} for i in range(10_000)],
    ],
)
@pytest.mark.parametrize("language", ["json", "yaml"])
def test_a_data_file_yields_few_symbols(data, language):
    rows = parse_rows(json.dumps(data, indent=1).encode(), by_name(language), block_bytes=3_000)
    assert len(rows.symbols) <= MAX_ENTRIES


def test_the_limits_of_structure():
    wide = json.dumps({f"part{i}": {f"key{j}": j for j in range(10)} for i in range(90)}, indent=1).encode()
    symbols = parse_rows(wide, by_name("json"), block_bytes=3_000).symbols
    assert len(symbols) == 990
    assert bounded(symbols) == symbols
    more = [s._replace(parent=f"{s.parent}{n}") for n in range(2) for s in symbols if s.parent]
    assert len(more) > MAX_INNER
    assert bounded([*symbols, *more]) == [s for s in symbols if s.parent is None]
