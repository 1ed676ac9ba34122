from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from indexer.languages import Language, by_name, detect, names
from indexer.outline import Block
from indexer.parse import MAX_DEPTH, parse, parse_rows, query_source
from indexer.types import Span

SAMPLES = Path(__file__).parent / "data" / "languages"
EXPECTED = json.loads((SAMPLES / "expected.json").read_text(encoding="utf-8"))
# By file: references that must be found as "name@line<enclosing", and names that must not be (locals, parameters).
REFERENCES = json.loads((SAMPLES / "references.json").read_text(encoding="utf-8"))


def parse_sample(name: str):
    text = (SAMPLES / name).read_bytes()
    return parse(name, text, detect(name, text), block_bytes=3_000)


def parse_text(language: str, text: str):
    return parse("x", text.encode(), by_name(language), block_bytes=3_000)


@pytest.mark.parametrize("name", EXPECTED)
def test_symbols_and_imports_of_each_language(name):
    parsed = parse_sample(name)
    assert parsed.language == EXPECTED[name]["language"]
    assert [
        f"{s.kind} {s.qualified} {s.span.start_line}-{s.span.end_line} | {s.signature}" for s in parsed.symbols
    ] == EXPECTED[name]["symbols"]
    assert list(parsed.imports) == EXPECTED[name]["imports"]


@pytest.mark.parametrize("name", REFERENCES)
def test_references_of_each_language(name):
    wanted, unwanted = (part.split() for part in REFERENCES[name])
    references = parse_sample(name).references
    found = {f"{r.name}@{r.span.start_line}" for r in references}
    found |= {f"{r.name}@{r.span.start_line}<{r.enclosing}" for r in references}
    assert set(wanted) - found == set()
    assert {r.name for r in references} & set(unwanted) == set()


def test_every_language_with_a_query_has_a_golden_file_and_known_references():
    queries = {name: by_name(name).query for name in names() if by_name(name).query}
    assert {expected["language"] for expected in EXPECTED.values()} == set(queries)
    with_references = {name for name, query in queries.items() if "@reference" in query_source(query)}
    assert {EXPECTED[name]["language"] for name in REFERENCES} == with_references


def test_spans_point_at_the_bytes():
    text = "# é\n\nclass Ä:\n    def f(self): return Öl()\n".encode()
    parsed = parse("x.py", text, by_name("python"), block_bytes=3_000)
    method = parsed.symbols[1]
    assert (method.qualified, method.kind, method.path) == ("Ä.f", "method", "x.py")
    assert text[method.span.start_byte : method.span.end_byte] == "def f(self): return Öl()".encode()
    use = next(r for r in parsed.references if r.name == "Öl")
    assert use.span == Span(text.index("Öl".encode()), text.index(b"()\n"), 4, 4)
    assert use.enclosing == "Ä.f"


def test_signature_is_one_line_of_at_most_200_characters():
    parameters = ",\n    ".join(f"parameter_{i}: int" for i in range(40))
    (symbol,) = parse_text("python", f"def f(\n    {parameters}\n) -> None:\n    pass\n").symbols
    assert symbol.signature.startswith("def f( parameter_0: int, parameter_1: int, ")
    assert len(symbol.signature) <= 200
    assert "\n" not in symbol.signature


def test_c_sees_both_branches_of_a_conditional_and_no_prototypes():
    parsed = parse_text(
        "c", "int later(int);\n#if A\nint f(void) { return 1; }\n#else\nint f(void) { return 2; }\n#endif\n"
    )
    assert [(s.name, s.span.start_line) for s in parsed.symbols] == [("f", 3), ("f", 5)]


def test_python_conditional_definitions_and_locals():
    parsed = parse_text(
        "python", "if X:\n    def f(): y = 1\nelse:\n    ZED = 2\nfor i in z:\n    total = 1\nA, b = 1, 2\n"
    )
    found = [(s.kind, s.name) for s in parsed.symbols]
    assert found == [("function", "f"), ("constant", "ZED"), ("variable", "A"), ("variable", "b")]


def test_broken_source_still_yields_what_is_whole():
    parsed = parse_text("python", "def good():\n    pass\n\ndef bad(:\n    x = [\n\nclass Last:\n    pass\n")
    assert "good" in {s.name for s in parsed.symbols}


def test_text_and_empty_files_have_no_outline():
    assert parse_text("text", "some words\n").outline == ()
    assert parse_text("python", "").outline == ()


def test_a_grammar_without_a_query_has_an_outline_only():
    json_only = Language("json", "json")
    parsed = parse("x.json", b'{"a": [1, 2], "b": 3}', json_only, block_bytes=4)
    assert parsed.symbols == () and parsed.references == ()
    (top,) = parsed.outline
    assert [(b.start_byte, b.end_byte) for b in top.children] == [(1, 12), (14, 20)]


def test_outline_opens_only_what_is_large_and_keeps_comments_with_their_definition():
    body = "".join(f"    def m{i}(self):\n        return {i}\n\n" for i in range(10))
    text = (
        f"import os\n\n# About A.\n# More.\n@decorated\nclass A:\n{body}\n\n# Apart.\n\ndef f():\n    pass\n".encode()
    )
    outline = parse("x.py", text, by_name("python"), block_bytes=200).outline
    assert [text[b.start_byte : b.start_byte + 8] for b in outline] == [
        b"import o",
        b"# About ",
        b"# Apart.",
        b"def f():",
    ]
    assert [b.symbol for b in outline] == [None, "A", None, "f"]
    assert outline[1].children and not outline[0].children
    assert "A.m3" in {b.symbol for b in flatten(outline[1])}


def flatten(block: Block) -> list[Block]:
    return [block, *(b for child in block.children for b in flatten(child))]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("python", b"x = " + b"(" * 100_000 + b"1" + b")" * 100_000 + b"\n"),
        ("json", b"[" * 100_000 + b"]" * 100_000),
        ("rust", b"fn f(){" * 20_000 + b"}" * 20_000),
        ("cpp", b"namespace a{" * 20_000 + b"}" * 20_000),
    ],
    ids=["python", "json", "rust", "cpp"],
)
def test_deep_nesting_neither_recurses_nor_grows_without_bound(language, text):
    rows = parse_rows(text, by_name(language), block_bytes=3_000)
    depth, level = 0, rows.outline
    while level:
        depth, level = depth + 1, tuple(child for block in level for child in block.children)
    assert depth <= MAX_DEPTH + 1
    assert max((len(s.parent or "") for s in rows.symbols), default=0) < 200


def test_macros_of_objective_c_do_not_hide_what_follows_and_offsets_stay():
    text = (
        b"NS_ASSUME_NONNULL_BEGIN\n@interface Cart : NSObject\n@end\n"
        b"typedef NS_OPTIONS(NSUInteger,\n    Color) { Red };\nNS_ASSUME_NONNULL_END\n"
    )
    symbols = parse("x.m", text, by_name("objc"), block_bytes=3_000).symbols
    assert [(s.kind, s.qualified, s.span.start_line) for s in symbols] == [
        ("class", "Cart", 2),
        ("enum", "Color", 4),
        ("constant", "Color.Red", 5),
    ]
    assert text[symbols[2].span.start_byte : symbols[2].span.end_byte] == b"Red"
    assert symbols[1].signature == "typedef NS_OPTIONS(NSUInteger, Color)"


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in EXPECTED if n != "sample.md"])
def test_truncated_sources_never_break_the_parser(name):
    text = (SAMPLES / name).read_bytes()
    language: Language = detect(name, text)
    for end in range(0, len(text), 37):
        parse(name, text[:end], language, block_bytes=300)


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPECTED)
def test_long_sources_take_no_quadratic_time(name):
    text = (SAMPLES / name).read_bytes().partition(b"__END__")[0] + b"\n"
    language = detect(name, text)
    parse_rows(text, language, block_bytes=3_000)
    before = time.process_time()
    parse_rows(text * (200_000 // len(text)), language, block_bytes=3_000)
    assert time.process_time() - before < 2
