from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.chunk import chunk, chunk_lines
from indexer.languages import by_name, detect
from indexer.outline import Block, ParsedFile
from indexer.parse import parse

ROOT = Path(__file__).parent.parent
SAMPLES = sorted((ROOT / "tests" / "data" / "languages").glob("[sS]ample.*"))
TARGET = 1_500


def check(text: bytes, rows, target: int) -> None:
    """Every property that any chunking must have."""
    assert b"".join(text[row.start_byte : row.end_byte] for row in rows) == text
    position, limit = 0, 2 * target
    for row in rows:
        assert row.start_byte == position < row.end_byte
        position = row.end_byte
        piece = text[row.start_byte : row.end_byte]
        assert len(piece) <= limit
        piece.decode("utf-8")
        assert row.start_line == text.count(b"\n", 0, row.start_byte) + 1
        assert row.end_line == text.count(b"\n", 0, row.end_byte - 1) + 1
        if row.start_byte and text[row.start_byte - 1] != 10:
            start = text.rfind(b"\n", 0, row.start_byte) + 1
            end = text.find(b"\n", row.start_byte)
            assert (len(text) if end < 0 else end) - start >= limit - 1, "cut inside a line that would have fitted"
    assert position == len(text)


def chunks_of(path: str, text: bytes, target: int):
    parsed = parse(path, text, detect(path, text), block_bytes=2 * target)
    return chunk(parsed, text, target)


@given(st.text(alphabet=st.sampled_from("ab \n\n\r\t{}é漢😀"), max_size=600), st.integers(8, 60))
def test_lines_are_lossless_on_random_text(text, target):
    raw = text.encode()
    check(raw, chunk_lines(raw, target), target)


@st.composite
def outlines(draw, start: int, end: int, depth: int = 0) -> tuple[Block, ...]:
    """Any well-formed outline of [start, end): ordered blocks that do not overlap, children inside."""
    cuts = sorted(draw(st.lists(st.integers(start, end), max_size=8)))
    blocks = []
    for low, high in zip(cuts[::2], cuts[1::2], strict=False):
        if low < high:
            children = draw(outlines(low, high, depth + 1)) if depth < 3 and draw(st.booleans()) else ()
            blocks.append(Block(low, high, draw(st.sampled_from((None, f"s{low}"))), children))
    return tuple(blocks)


@given(st.data())
@settings(max_examples=100)
def test_any_outline_is_lossless(data):
    text = data.draw(st.text(alphabet=st.sampled_from("abc \n\n;é漢😀"), max_size=400)).encode()
    target = data.draw(st.integers(8, 60))
    parsed = ParsedFile("x", "x", outline=data.draw(outlines(0, len(text))))
    check(text, chunk(parsed, text, target), target)


@given(
    st.sampled_from(SAMPLES),
    st.data(),
    st.integers(20, 400),
)
@settings(max_examples=40, deadline=None)
def test_samples_cut_anywhere_are_lossless(path, data, target):
    text = path.read_text(encoding="utf-8")
    start = data.draw(st.integers(0, len(text)))
    raw = text[start : data.draw(st.integers(start, len(text)))].encode()
    check(raw, chunks_of(path.name, raw, target), target)


@pytest.mark.parametrize("target", [64, 300, TARGET])
@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_samples_are_lossless(path, target):
    text = path.read_bytes()
    check(text, chunks_of(path.name, text, target), target)


def test_this_repository_is_lossless_and_has_sensible_sizes():
    sizes = []
    for path in sorted([*ROOT.glob("indexer/*.py"), *ROOT.glob("docs/*.md"), ROOT / "pyproject.toml"]):
        text = path.read_bytes()
        rows = chunks_of(path.name, text, TARGET)
        check(text, rows, TARGET)
        sizes += [row.end_byte - row.start_byte for row in rows[:-1]]
    assert 0.5 * TARGET < sum(sizes) / len(sizes) < 1.3 * TARGET
    assert sum(size < TARGET / 8 for size in sizes) < 0.03 * len(sizes)


@pytest.mark.slow
def test_the_standard_library_is_lossless():
    import json

    files = sorted(Path(json.__file__).parent.parent.rglob("*.py"))
    files = [path for path in files if "site-packages" not in path.parts][::7]
    assert len(files) > 100
    for path in files:
        text = path.read_bytes().decode("utf-8", "replace").encode()
        check(text, chunks_of(path.name, text, TARGET), TARGET)


def test_the_empty_file_has_no_chunks():
    assert chunk_lines(b"", TARGET) == []


def function(name: str, size: int, indent: str = "") -> str:
    """A Python function of about ``size`` bytes."""
    line = f"{indent}    value = compute('something', value)\n"
    return f"{indent}def {name}(value):\n" + line * (size // len(line)) + f"{indent}    return value\n\n"


def symbols_of(text: str, target: int = TARGET):
    raw = text.encode()
    rows = chunks_of("x.py", raw, target)
    check(raw, rows, target)
    return [(row.symbol, row.start_line, row.end_line) for row in rows]


def test_definitions_up_to_twice_the_target_stay_whole():
    text = function("first", 2_800) + "\n" + function("second", 2_800) + "\n" + function("third", 1_400)
    rows = chunks_of("x.py", text.encode(), TARGET)
    assert [row.symbol for row in rows] == ["first", "second", "third"]
    for row in rows:
        piece = text.encode()[row.start_byte : row.end_byte]
        assert piece.startswith(b"def ") and piece.rstrip().endswith(b"return value")


def test_small_siblings_are_merged_up_to_the_target():
    rows = chunks_of("x.py", "".join(function(f"f{i}", 250) for i in range(20)).encode(), TARGET)
    assert all(row.end_byte - row.start_byte <= TARGET for row in rows)
    assert len(rows) <= 6
    assert rows[0].symbol == "f0"


def test_a_large_class_is_cut_between_its_methods():
    text = 'class Store(Base):\n    """Keeps things."""\n\n    limit = 10\n\n'
    text += "".join(function(f"method_{i}", 1_300, "    ") for i in range(4))
    assert symbols_of(text) == [
        ("Store", 1, 37),
        ("Store.method_1", 38, 69),
        ("Store.method_2", 70, 101),
        ("Store.method_3", 102, 133),
    ]


def test_a_large_method_is_cut_at_its_statements_and_keeps_its_name():
    loop = "        for item in items:\n            process(item)\n            report(item, 'done')\n"
    text = "class Store:\n    def run(self, items):\n" + loop * 60
    rows = chunks_of("x.py", text.encode(), TARGET)
    assert len(rows) > 2
    assert {row.symbol for row in rows[1:]} == {"Store.run"}
    assert all(text.encode()[row.start_byte :].startswith(b"        for item in") for row in rows[1:])


def test_comments_and_decorators_stay_with_their_definition():
    head = "# Why this one is needed.\n@cached\n"
    text = function("before", 1_400) + "\n" + head + function("after", 1_400)
    rows = chunks_of("x.py", text.encode(), TARGET)
    assert [row.symbol for row in rows] == ["before", "after"]
    assert text.encode()[rows[1].start_byte :].startswith(head.encode())


def test_text_is_cut_at_blank_lines_where_there_are_some():
    paragraph = ("word " * 15 + "\n") * 4 + "\n"
    text = (paragraph * 30).encode()
    rows = chunk_lines(text, TARGET)
    check(text, rows, TARGET)
    assert all(text[: row.end_byte].endswith(b"\n\n") for row in rows)


def test_one_long_line_is_cut_at_characters_only_as_far_as_needed():
    text = "漢".encode() * 4_000
    rows = chunk_lines(text, TARGET)
    check(text, rows, TARGET)
    assert len(rows) == 4


def test_a_minified_line_is_cut_at_syntax():
    text = b"".join(b"function f%d(a){return call(a,%d)};" % (i, i) for i in range(300))
    rows = chunk(parse("x.js", text, by_name("javascript"), block_bytes=2 * TARGET), text, TARGET)
    check(text, rows, TARGET)
    assert all(text[row.start_byte :].startswith((b"function", b";")) for row in rows)
