"""What macros of C and C++ hide from grammars, and names that are imports rather than definitions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from indexer.dialects import parsable
from indexer.languages import by_name, detect
from indexer.parse import parse

SAMPLES = Path(__file__).parent / "data" / "macros"
EXPECTED = json.loads((SAMPLES / "expected.json").read_text(encoding="utf-8"))


def parse_text(language: str, text: str):
    return parse("x", text.encode(), by_name(language), block_bytes=3_000)


@pytest.mark.parametrize("name", EXPECTED)
def test_definitions_are_found_as_if_there_were_no_macros(name):
    text = (SAMPLES / name).read_bytes()
    parsed = parse(name, text, detect(name, text), block_bytes=3_000)
    assert [f"{s.kind} {s.qualified} {s.span.start_line}" for s in parsed.symbols] == EXPECTED[name]


@pytest.mark.parametrize("name", [name for name in EXPECTED if name.endswith((".c", ".hpp"))])
def test_what_the_grammar_gets_has_the_same_offsets(name):
    text = (SAMPLES / name).read_bytes()
    seen = parsable(text, detect(name, text).name).text
    assert len(seen) == len(text)
    assert [line for line in range(len(text)) if text[line] == 10] == [at for at in range(len(seen)) if seen[at] == 10]


def test_macros_and_their_arguments_stay_references():
    parsed = parse_text(
        "cpp",
        "class MY_EXPORT Store {\n  Mutex mu_;\n  int count_ GUARDED_BY(mu_);\n};\n"
        "MY_EXPORT int make(int k) { return k; }\nTEST_F(Store, Counts) { }\n",
    )
    found = {(r.name, r.span.start_line) for r in parsed.references}
    assert {("MY_EXPORT", 1), ("MY_EXPORT", 5), ("GUARDED_BY", 3), ("TEST_F", 6), ("Store", 6)} <= found


def test_comments_strings_and_directives_are_left_alone():
    text = (
        b"// NOTE this is prose\n#if DEBUG && TRACE\nint f(void);\n#endif\n"
        b"/* SEE the (manual) */\n#define RUN(x) \\\n    CHECK(x)\nextern int g(void);\n"
    )
    readable = parsable(text, "c")
    assert readable.text == text
    assert not readable.macros and not readable.words


def test_the_signature_keeps_macros_of_the_same_line():
    signatures = {
        s.name: s.signature for s in parse_text("cpp", "MY_API int f(int a) { }\nclass X_EXPORT C { };").symbols
    }
    assert signatures == {"f": "MY_API int f(int a)", "C": "class X_EXPORT C"}


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("zig", "const Store = shop.store.Store;\nconst b = Store.init();\n"),
        ("lua", "local Store = require('shop.store').Store\nStore.new()\n"),
        ("javascript", "const Store = shop.store.Store;\nnew Store();\n"),
        ("typescript", "export const Store = shop.store.Store;\nnew Store();\n"),
    ],
)
def test_a_name_for_the_same_name_elsewhere_is_a_use(language, text):
    parsed = parse_text(language, text)
    assert "Store" not in {s.name for s in parsed.symbols}
    assert {1, 2} <= {r.span.start_line for r in parsed.references if r.name == "Store"}


@pytest.mark.parametrize(
    "text",
    [
        "A(" * 20_000,
        "A_B (" * 20_000,
        "class A " * 20_000,
        "AAA " * 20_000,
        ") AAA" * 20_000,
        "AAA /* " * 20_000,
        "AAA;" * 20_000,
        "LIST_HEAD(a, " * 9_000,
    ],
    ids=lambda text: text[:12],
)
def test_hostile_text_takes_linear_time(text):
    assert len(parsable(text.encode(), "cpp").text) == len(text)
