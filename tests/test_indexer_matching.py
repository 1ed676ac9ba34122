"""What a hit shows: the symbol that matched, the line that matched, and the lines around it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.labels import check, sample
from indexer.analysis import ChunkRow, SymbolRow
from indexer.body import pack, unpack
from indexer.config import IndexConfig
from indexer.decoders import decoder
from indexer.index import Index
from indexer.matching import PREVIEW_LINES, Matcher, _Definition, stretches
from indexer.query import analyse
from indexer.terms import query_terms, terms
from indexer.types import Chunk, Hit, Span, Symbol

PACER = '''"""Waiting between two attempts."""

import time

LIMIT = 5


class Pacer:
    """Says how long to wait."""

    def first_wait(self):
        return 1.0

    def next_wait(self, attempt):
        # Doubles each time, with a ceiling.
        seconds = self.first_wait() * 2**attempt
        return min(seconds, LIMIT)


@retried(name="fetch_page")
def fetch_page(
    url,
):
    return url


def parse(text):
    return text.split()


def Parse(text):
    return parse(text)
'''
FILES = {
    "pacer.py": PACER,
    "pacer.test.js": "export const limit = 1;\nexport function waitLonger() {\n  return limit;\n}\n",
    "long.py": "def very_long(rows):\n"
    + "".join(f"    row_{n} = rows[{n}]\n" for n in range(20))
    + "    return needle\n",
    "notes.md": "# Waiting\n\nHow long a pacer waits.\n",
    "ops.c": "int gap;\nint walk(struct node *p) {\n  int n = 0;\n  while (p) p = p->next, n++;\n  return n;\n}\n",
}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("matching")
    for path, text in FILES.items():
        (folder / "root" / path).parent.mkdir(exist_ok=True)
        (folder / "root" / path).write_text(text)
    with Index.open(folder / "root", IndexConfig(cache_dir=folder / "cache", workers=1), create=True) as opened:
        opened.update()
        yield opened


def line_of(path: str, hit: Hit) -> str:
    return FILES[path].split("\n")[hit.match_line - 1]


def shown(hit: Hit) -> list[str]:
    return [line for _, lines in stretches(hit.chunk.text, hit.chunk.span.start_line, hit.preview) for line in lines]


@pytest.mark.parametrize(
    ("query", "label", "line"),
    [
        ("Pacer", "Pacer", "class Pacer:"), ("next_wait", "Pacer.next_wait", "    def next_wait(self, attempt):"),
        ("Pacer.first_wait", "Pacer.first_wait", "    def first_wait(self):"), ("LIMIT", "LIMIT", "LIMIT = 5"),
        ("fetch_page", "fetch_page", "def fetch_page("), ("parse", "parse", "def parse(text):"),
        ("Parse", "Parse", "def Parse(text):"),
    ],
)  # fmt: skip
def test_a_name_is_shown_where_it_is_defined(index: Index, query: str, label: str, line: str) -> None:
    hit = next(hit for hit in index.search(query).hits if hit.chunk.path == "pacer.py")
    assert (hit.symbol, line_of("pacer.py", hit)) == (label, line)
    assert line in shown(hit)
    assert len(shown(hit)) <= PREVIEW_LINES


def test_words_are_shown_in_the_line_that_has_most_of_them(index: Index) -> None:
    hit = index.search("doubles with a ceiling").hits[0]
    assert (hit.symbol, line_of("pacer.py", hit)) == ("Pacer.next_wait", "        # Doubles each time, with a ceiling.")
    assert "    def next_wait(self, attempt):" in shown(hit), "the definition's first line, where there is room"
    first = index.search("How long to wait").hits
    assert line_of("pacer.py", next(h for h in first if h.chunk.path == "pacer.py")).endswith('how long to wait."""')


def test_a_far_line_is_shown_with_the_first_line_of_its_definition(index: Index) -> None:
    hit = index.search("needle").hits[0]
    assert (hit.symbol, line_of("long.py", hit)) == ("very_long", "    return needle")
    assert shown(hit)[0] == "def very_long(rows):"
    assert shown(hit)[-1] == "    return needle"
    assert len(shown(hit)) == PREVIEW_LINES - 1, "and a gap"
    assert [first for first, _ in hit.preview] == [1, 17]


def test_what_is_in_no_definition_has_no_label(index: Index) -> None:
    hit = index.search("import time attempts waiting between").hits[0]
    assert line_of("pacer.py", hit).startswith('"""Waiting')
    assert hit.symbol is None


def matched(text: str, symbols: list[Symbol], query: str, first: int = 1, rarity: dict[str, float] | None = None):
    chunk = Chunk(1, "a.py", "python", Span(0, len(text), first, first + text.count("\n")), text, "first")
    return Matcher(query, analyse(query), rarity or dict.fromkeys(query_terms(query), 1.0)).match(chunk, symbols)


def symbol(name: str, start: int, end: int, signature: str = "", kind: str = "function", parent: str | None = None):
    return Symbol(name, kind, "a.py", Span(10 * start, 10 * end, start, end), parent, signature)


def test_rare_words_count_more_than_many_common_ones() -> None:
    text = "get the value of it\nzorbat\n"
    assert matched(text, [], "get value zorbat", rarity={"get": 0.1, "value": 0.2, "zorbat": 6.0}).line == 2


def test_a_definition_comes_before_a_use_and_a_comment_belongs_to_what_is_below() -> None:
    text = "x = retry(1)\n# the retry of it\ndef again(retry):\n    pass\ndef retry_all():\n    pass\n"
    symbols = [symbol("again", 3, 4, "def again(retry):"), symbol("retry_all", 5, 6, "def retry_all():")]
    assert matched(text, symbols, "some retry")[:2] == ("retry_all", 5)
    assert matched(text, symbols, "the retry of it")[:2] == ("again", 2)
    assert matched("# why so\ndef f():\n    pass\n", [symbol("f", 2, 3, "def f():")], "why so", rarity={"so": 1.0})[
        :2
    ] == ("f", 1)


@pytest.mark.parametrize("query", ["->next", "n++", "p->next,", "p = p"])
def test_operators_and_parts_of_lines_are_looked_for_as_typed(query: str) -> None:
    text = "int n = 0;\nwhile (p)\n  p = p->next, n++;\nreturn next;\n"
    found = matched(text, [], query, rarity=dict.fromkeys(query_terms(query), 0.1))
    assert found.line == 3


def test_the_start_of_a_word_is_found_where_no_term_matches() -> None:
    assert matched("a = 1\nb = getUserById(2)\n", [], "getUs", rarity={}).line == 2
    assert matched("eins\n这个锁在这里\n", [], "锁", rarity={}).line == 2


def test_a_chunk_that_begins_within_a_definition_is_labelled_with_that() -> None:
    outer = symbol("outer", 1, 60, "def outer():")
    found = matched("    a = 1\n    needle()\n", [outer], "needle", first=40)
    assert found[:2] == ("outer", 41)
    assert found.preview == ((40, 41),)
    assert matched("    a = 1\n    outer()\n", [outer], "outer", first=40)[:2] == ("outer", 41), "not its definition"


def test_a_hit_by_meaning_alone_shows_the_first_definition() -> None:
    found = matched("\n\ndef first():\n    pass\n", [symbol("first", 3, 4, "def first():")], "unrelated", rarity={})
    assert found[:2] == ("first", 3)
    assert matched("one\ntwo\n", [], "unrelated", rarity={})[:2] == ("first", 1), "the chunk's label, without symbols"


def test_annotations_that_hold_the_name_are_not_its_line() -> None:
    text = '@Test(name = "run")\n@Other(\n  "run")\npublic void\n    run() {\n}\n'
    assert matched(text, [symbol("run", 1, 6, "public void run()")], "run").line == 5
    assert matched("export const port = x;\n", [symbol("port", 1, 1, "port = x", "constant")], "port").line == 1


def test_of_several_definitions_of_a_name_the_one_in_the_scope_is_meant() -> None:
    text = "class A:\n  def go(self): ...\nclass B:\n  def go(self): ...\n"
    symbols = [symbol("go", 2, 2, parent="A"), symbol("go", 4, 4, parent="B")]
    assert matched(text, symbols, "B.go")[:2] == ("B.go", 4)
    assert matched(text, symbols, "A::go")[:2] == ("A.go", 2)


def test_a_constant_named_in_capitals_comes_before_what_only_sounds_like_it(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "shapes.py").write_text("import re\n\nLINE = re.compile('x')\n_START = 58\n")
    for name in ("line", "start"):
        for number in range(6):
            body = f"    def {name}(self, {name}):\n        return self.{name}({name})\n" * 3
            (root / f"{name[0]}{number}.py").write_text(f"class Line{number}:\n{body}")
    with Index.open(root, IndexConfig(cache_dir=tmp_path / "cache", workers=1), create=True) as opened:
        opened.update()
        assert [opened.search(name).hits[0].chunk.path for name in ("LINE", "_START")] == ["shapes.py"] * 2
        assert opened.search("line").hits[0].chunk.path != "shapes.py"


@pytest.mark.slow
def test_every_name_is_labelled_placed_and_shown(tmp_path: Path) -> None:
    here = Path(__file__).parent
    root = tmp_path / "root"
    for folder in (
        here.parent / "indexer",
        here.parent / "editors" / "nvim" / "lua",
        here.parent / "editors" / "vscode" / "src",
    ):
        for path in folder.rglob("*"):
            if path.suffix in (".py", ".lua", ".ts", ".scm"):
                copy = root / path.relative_to(here.parent)
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(path.read_bytes())
    with Index.open(root, IndexConfig(cache_dir=tmp_path / "cache", workers=1), create=True) as opened:
        opened.update()
        symbols = sample(opened, 1_000_000)
        assert len(symbols) > 2000
        wrong = [*check(opened, symbols)]
        # A plain word that names a file as well, as ``index`` does, finds that file first.
        files = {Path(path).stem for path in opened.paths()}
        assert [each for each in wrong if each.symbol.name not in files] == []
        assert len(wrong) <= 3


def _scored_one_by_one(matcher: Matcher, lines: list[str], definitions: list[Any]) -> int | None:
    """``Matcher._best_line`` without its short cuts: the terms of every line."""
    best, most = None, 0.0
    for at, line in enumerate(lines):
        held = {term: matcher._rarity[term] for term in matcher._rarity.keys() & {*terms(line)}}
        named = {term for d in definitions if d.name == at for term in terms(d.symbol.name)}
        score = sum(share * (1.5 if term in named else 1) for term, share in held.items())
        score += sum(share for literal, share in matcher._literals.items() if literal in line.casefold())
        if score > most + 1e-9:
            best, most = at, score
    return best


_WORDS = [
    "get_user",
    "getUser",
    "user",
    "users",
    "policies",
    "policy",
    "größe",
    "ＡＢ",
    "a->b",
    "x",
    "",
    "--max-user",
    "锁",
]


@given(
    st.lists(st.lists(st.sampled_from(_WORDS), max_size=4).map(" ".join), min_size=1, max_size=12),
    st.lists(st.sampled_from(_WORDS), min_size=1, max_size=4).map(" ".join),
    st.integers(0, 11),
)
def test_lines_that_are_passed_over_could_not_have_won(lines: list[str], query: str, at: int) -> None:
    asked = analyse(query)
    matcher = Matcher(query, asked, {term: 1.0 + n / 3 for n, term in enumerate(asked.terms)})
    at %= len(lines)
    symbol = Symbol("get_user", "function", "a.py", Span(0, 1, at + 1, at + 1))
    definitions = [_Definition(symbol, lines, 1)]
    assert matcher._best_line(lines, definitions) == _scored_one_by_one(matcher, lines, definitions)


def test_most_lines_with_some_word_of_the_query_are_not_taken_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    monkeypatch.setattr("indexer.matching.terms", lambda line: seen.append(line) or terms(line))
    lines = [f"user_{n} = 1" for n in range(50)] + ["the user is recovered"] + [f"call(user, {n})" for n in range(50)]
    matcher = Matcher("user recovered", analyse("user recovered"), {"user": 1.0, "recover": 3.0})
    assert matcher._best_line(lines, []) == 50
    assert seen == ["the user is recovered"]


def test_the_definitions_of_a_file_are_decoded_once_for_all_its_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    text = b"class A:\n    def b(self):\n        pass\n\n    def c(self):\n        pass\n\ndef d():\n    pass\n"
    places = [("A", 0, 67, 1, 6), ("b", 13, 41, 2, 3), ("c", 47, 75, 5, 6), ("d", 76, 93, 8, 9)]
    symbols = [SymbolRow(n, "function", s, e, f, last, None, "") for n, s, e, f, last in places]
    chunks = [ChunkRow(0, 43, 1, 4, None), ChunkRow(43, 76, 5, 7, None), ChunkRow(76, len(text), 8, 9, None)]
    body = unpack(pack(text, chunks, symbols, ()))
    decoded: list[Any] = []
    monkeypatch.setattr("indexer.body.decoder", lambda kind: decoded.append(kind) or decoder(kind))
    found = [body.symbols_in(chunk) for chunk in body.chunks]
    assert [[row.name for row in rows] for rows in found] == [["A", "b"], ["A", "c"], ["d"]]
    assert len(decoded) == 1
    assert {row for rows in found for row in rows} == {*body.symbols}
