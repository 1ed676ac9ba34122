"""Queries as people type them: scripts without spaces, beginnings of names, operators, options, pasted lines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import HashEmbedder
from store_tools import InlinePool, without_flushing

from indexer import Index, IndexConfig
from indexer.filters import Filters

CJK = Path(__file__).parent / "data" / "search-cjk"
FILES = {
    "shop/users.py": (
        "import os\n\n\ndef getUserName(key):\n    return key\n\n\ndef getUserById(key):\n    return key\n"
        "\n\ndef session_store(path):\n    return path\n\n\ndef _prepare_content_length(body):\n    return len(body)\n"
    ),
    "shop/session.py": "def store(session):\n    return session\n\n\ndef get(us):\n    # of all users\n    return us\n",
    "shop/errors.py": (
        "def check(size, name):\n    if size < 0:\n"
        '        raise ValueError("The size must not be negative")\n'
        '    raise LookupError(f"Failed to look up view {name!r} in the folder of views")\n'
        + "".join(f"\n\ndef other_{n}(size):\n    # views, folders, size, names\n    return {n}\n" for n in range(40))
    ),
    "core/flags.rs": (
        "// Flags of the program.\n"
        + "".join(f"pub fn flag_{n}(columns: u32) -> u32 {{\n    columns.max({n})\n}}\n\n" for n in range(60))
        + '/// -M/--max-columns\npub fn name_long() -> &str {\n    "max-columns"\n}\n'
    ),
    "lib/order.rb": "class Order\n  def <=>(other)\n    total <=> other.total && 1\n  end\nend\n",
    "lib/call.c": "int width(struct box *b) {\n  return b->x + b->y;\n}\n",
    "lib/g.py": "def g():\n    return 1\n",
    "lib/set.ts": "export function fill(options) {\n  options.code ??= 'x';\n  return a::b;\n}\n",
    "config/app.toml": '[profile.release-lto]\ncodegen-units = 1\noverflow-checks = false\n\n[other]\nunits = 2\n',
    "docs/guide.md": "# Guide\n\nChecks of overflow, units of code, max of columns.\n",
}  # fmt: skip


def opened(root: Path, cache: Path) -> Iterator[Index]:
    with pytest.MonkeyPatch.context() as patch:
        without_flushing(patch)
        patch.setattr("indexer.workers.WorkerPool", InlinePool)
        with Index.open(root, IndexConfig(cache_dir=cache), create=True, embedder=HashEmbedder()) as index:
            index.update()
            yield index


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    root = tmp_path_factory.mktemp("repo")
    for path, text in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    yield from opened(root, tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def scripts(tmp_path_factory):
    yield from opened(CJK, tmp_path_factory.mktemp("cache"))


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("锁", "single.py"),
        ("栈", "single.py"),
        ("사용자", "ko.py"),
        ("사용자", "ko2.py"),
        ("삭제", "ko.py"),
        ("세션", "ko.py"),
        ("세션을", "ko.py"),
        ("zorbat", "mixed1.py"),
        ("zorbat", "mixed2.py"),
        ("api", "mixed3.py"),
        ("json", "mixed3.py"),
        ("json数据", "mixed3.py"),
        ("сессии", "ru.py"),
        ("phiên", "vi.py"),
        ("phiên", "vi_nfd.py"),
        ("phie\u0302n", "vi.py"),
        ("ログイン", "half.py"),
        ("ログイン", "ja.py"),
        ("ﾛｸﾞｲﾝ", "ja.py"),
        ("ＪＳＯＮ", "mixed3.py"),
        ("𠮷", "extb.py"),
        ("店舗", "extb.py"),
        ("ผู้ใช้", "th.py"),
    ],
)
def test_every_script_is_found_by_its_words(scripts, query, path):
    words = {hit.chunk.path for hit in scripts.search(query, 5).hits if hit.reasons.get("words")}
    assert path in words, f"{query} by words"


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("getUs", "getUserName"),
        ("getUserN", "getUserName"),
        ("get_us", "getUserById"),
        ("getusern", "getUserName"),
        ("sess_st", "session_store"),
        ("session_sto", "session_store"),
        ("sessSt", "session_store"),
        ("prep_cont_len", "_prepare_content_length"),
        ("prepare_con", "_prepare_content_length"),
        ("where is getUserN defined", "getUserName"),
    ],
)
def test_the_beginning_of_a_name_finds_the_name(index, query, name):
    found = index.search(query, 3)
    assert found.hits[0].chunk.path == "shop/users.py"
    assert name in found.hits[0].chunk.text
    assert any(name in others for others in found.spellings.values())


def test_a_word_that_occurs_is_no_beginning(index):
    """``sessions`` is the word of a text, ``get`` and ``store`` are names."""
    for query in ("session", "store", "get", "getUserName"):
        assert not index.search(query, 3).spellings, query


def test_a_beginning_is_no_misspelling(index):
    assert index.search("getUserNam", 3).spellings == {"getUserNam": ("getUserName",)}


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("<=>", "lib/order.rb"),
        ("&&", "lib/order.rb"),
        ("->x", "lib/call.c"),
        ("??=", "lib/set.ts"),
        ("::", "lib/set.ts"),
        ("a::b", "lib/set.ts"),
    ],
)
def test_operators_are_found_as_they_stand(index, query, path):
    found = index.search(query, 3)
    assert found.hits[0].chunk.path == path
    assert query in found.hits[0].chunk.text
    assert found.hits[0].reasons["literal"] == 2.0
    assert found.literal, "single letters are no words"


@pytest.mark.parametrize("query", ["|||", "->g", "if g", "&g ="])
def test_a_text_that_is_nowhere_finds_nothing(index, query):
    found = index.search(query, 3)
    assert not found.hits, "g is defined, but is only a part of the text"
    assert found.literal
    assert not index.search("   ", 3).hits


def test_a_single_letter_is_no_part_of_a_word(index):
    assert [hit.chunk.path for hit in index.search("y", 3).hits] == ["lib/call.c"]


@pytest.mark.parametrize(
    ("query", "path", "line"),
    [
        ("--max-columns", "core/flags.rs", "/// -M/--max-columns"),
        ("where is --max-columns handled", "core/flags.rs", "/// -M/--max-columns"),
        ("codegen-units", "config/app.toml", "codegen-units = 1"),
        ("overflow-checks = false", "config/app.toml", "overflow-checks = false"),
        ("profile.release-lto", "config/app.toml", "[profile.release-lto]"),
        ("The size must not be negative", "shop/errors.py", "The size must not be negative"),
        ("ValueError: The size must not be negative", "shop/errors.py", "The size must not be negative"),
        ('"The size must not be negative"', "shop/errors.py", "The size must not be negative"),
        ("LookupError: Failed to look up view 'index' in the folder of views", "shop/errors.py", "Failed to look up"),
    ],
)
def test_a_text_that_was_copied_wins(index, query, path, line):
    found = index.search(query, 3)
    assert found.hits[0].chunk.path == path
    assert line in found.hits[0].chunk.text
    assert found.hits[0].reasons["literal"] > 0
    assert not found.literal


@pytest.mark.parametrize(
    "query",
    [
        'File "/usr/lib/python3/site-packages/shop/errors.py", line {}, in other_30',
        "at check (/srv/app/shop/errors.py:{}:7)",
        "shop/errors.py:{}: error",
        r"C:\work\shop\errors.py({},3): error",
        "in /app/shop/errors.py on line {}",
        "thrown in /app/shop/errors.py:line {}",
        "/app/shop/errors.py:{}:in `check'",
    ],
)
def test_a_line_of_a_stack_trace_finds_its_place(index, query):
    text = FILES["shop/errors.py"]
    line = text[: text.index("def other_30")].count("\n") + 1
    hit = index.search(query.format(line), 3).hits[0]
    assert hit.chunk.path == "shop/errors.py"
    assert hit.chunk.span.start_line <= line <= hit.chunk.span.end_line
    assert hit.reasons["place"] == 3.0


def test_a_line_beyond_the_end_is_the_last_one(index):
    assert "other_39" in index.search("shop/errors.py:99999", 1).hits[0].chunk.text


def test_a_place_outside_of_the_index_is_no_place(index):
    for hit in index.search("/usr/lib/python3/asyncio/users_loop.py:12 in run", 3).hits:
        assert "place" not in hit.reasons


def test_filters_hold_for_texts_and_places(index):
    only = Filters(("docs/**",), (), (), None)
    for query in ("--max-columns", "&&", "shop/errors.py:3"):
        assert all(hit.chunk.path == "docs/guide.md" for hit in index.search(query, 5, filters=only).hits)


def test_unsaved_text_is_found_as_it_stands(index):
    index.put_buffer("lib/call.c", "int width(struct box *b) {\n  return b <=> c;\n}\n")
    try:
        assert {hit.chunk.path for hit in index.search("<=>", 5).hits} == {"lib/call.c", "lib/order.rb"}
        assert not index.search("->y", 5).hits
    finally:
        index.drop_buffer("lib/call.c")
