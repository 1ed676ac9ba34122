from __future__ import annotations

import unicodedata
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer import terms as module
from indexer.terms import MAX_TOKEN, count_terms, parts, path_terms, query_terms, split_words, stem, terms


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("getUserByID", ["getuserbyid", "get", "user", "id"]),
        ("get_user_by_id", ["getuserbyid", "get", "user", "id"]),
        ("HTTPServer2", ["httpserver2", "http", "serv", "2"]),
        ("XMLHttpRequest", ["xmlhttprequest", "xml", "http", "request"]),
        ("utf8Decode", ["utf8decode", "utf", "8", "decod"]),
        ("parseURLs", ["parseurls", "pars", "url"]),
        ("IDs", ["id"]),
        ("MAX_SIZE", ["maxsize", "max", "siz"]),
        ("__init__", ["init"]),
        ("_private", [stem("private")]),
        ("0x1F", ["0x1f"]),
        ("getGröße", ["getgrösse", "get", "grösse"]),
        ("用户登录", ["用户", "户登", "登录", "用", "户", "登", "录"]),
        ("json数据", ["json", "数据", "数", "据"]),
        ("api를", ["api", "를"]),
        ("_用户_id", ["用户", "用", "户", "id"]),
        ("ﾛｸﾞｲﾝ", ["ログ", "グイ", "イン"]),
        ("ＧＥＴ", ["get"]),
        ("phie\u0302n", ["phiên"]),
        ("получитьДанные", ["получитьданные", "получит", "данн"]),
        ("𠮷", ["𠮷"]),
        ("x = y + T", []),
        ("if the of and", []),
        ("", []),
        ("--- *** ===", []),
        ("____", []),
    ],
)
def test_terms_of_names_in_every_style(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


@pytest.mark.parametrize("style", ["getUserByID", "get_user_by_id", "GET_USER_BY_ID", "get user by id", "GetUserById"])
def test_naming_styles_meet(style: str) -> None:
    assert {"get", "user", "id"} <= set(terms(style))


@pytest.mark.parametrize(
    "family",
    [
        ("parse", "parses", "parsed", "parsing", "parser", "parsers"),
        ("validate", "validates", "validated", "validating", "validation", "validator"),
        ("connect", "connects", "connected", "connecting", "connection", "connections"),
        ("match", "matches", "matched", "matching"),
        ("class", "classes"),
        ("query", "queries"),
        ("cache", "caches", "cached", "caching"),
        ("run", "running"),
        ("id", "ids"),
    ],
)
def test_word_forms_share_a_stem(family: tuple[str, ...]) -> None:
    assert len({stem(word) for word in family}) == 1


@pytest.mark.parametrize(
    "pair", [("string", "str"), ("class", "cla"), ("status", "stat"), ("user", "us"), ("css", "cs")]
)
def test_stems_keep_different_words_apart(pair: tuple[str, str]) -> None:
    assert stem(pair[0]) != stem(pair[1])


def test_long_words_are_data() -> None:
    assert terms("a" * (MAX_TOKEN + 1)) == []
    assert terms("ab" * (MAX_TOKEN // 2)) != []


def test_question_words_leave_queries_only() -> None:
    assert query_terms("how does the parser work") == [stem("parser"), "work"]
    assert query_terms("where is the cache") == [stem("cache")]
    assert stem("where") in terms("query.where(x)")
    assert query_terms("where") == [stem("where")]
    assert query_terms("") == []
    assert query_terms("retry retries") == ["retry"]


def test_path_terms_leave_the_extension_out() -> None:
    found = path_terms("src/http/HTTPServer.py")
    assert found == ["src", "http", "httpserver", stem("server")]
    assert "py" not in found
    assert path_terms("Makefile") == [stem("makefile")]
    assert path_terms(".gitignore") == [stem("gitignore")]


@pytest.mark.parametrize(
    ("query", "expected"),
    [("사용자", ["사용", "용자"]), ("锁", ["锁"]), ("json数据", ["json", "数据"]), ("入栈 栈", ["入栈", "栈"])],
)
def test_queries_ask_for_single_characters_only_alone(query: str, expected: list[str]) -> None:
    assert query_terms(query) == expected
    assert set(expected) <= {*terms(query)}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("phi\u00ean", "phie\u0302n"),
        ("ログイン", "ﾛｸﾞｲﾝ"),
        ("ABC123", "ＡＢＣ１２３"),
        ("größe", "gro\u0308ße"),
        ("ガギグ", "カ\u3099キ\u3099ク\u3099"),
    ],
)
def test_composed_full_and_half_width_forms_are_one(one: str, other: str) -> None:
    assert one != other
    assert terms(one) == terms(other)


@pytest.mark.parametrize("word", ["ลบผู้ใช้", "प्रयोक्ता", "ব্যবহারকারী", "ผู้ใช้", "שָׁלוֹם", "မြန်မာ", "ភាសាខ្មែរ"])
def test_marks_do_not_cut_words(word: str) -> None:
    assert split_words(f"{word} = {word}") == [unicodedata.normalize("NFKC", word)] * 2


@pytest.mark.parametrize(
    "family", [("сессия", "сессии", "сессий", "сессию", "сессиями"), ("заказ", "заказы", "заказов")]
)
def test_cyrillic_endings_share_a_stem(family: tuple[str, ...]) -> None:
    assert len({*map(stem, family)}) == 1
    assert stem("дом") == "дом"


def test_a_run_without_spaces_costs_two_terms_a_character() -> None:
    text = "".join(map(chr, range(0x4E00, 0x4E00 + 500)))
    assert len(terms(text)) == 999
    assert max(map(len, terms(text))) == 2, "no sentence is a term"


def test_parts() -> None:
    assert parts("json数据") == ["json", "数据"]
    assert parts("HTTPServer2") == ["http", "server", "2"]
    assert parts("naïveÄrger") == ["naïve", "ärger"]


@given(st.text())
def test_counting_agrees_with_listing(text: str) -> None:
    assert count_terms(text) == Counter(terms(text))
    assert all(t and t == t.lower() for t in terms(text) if t.isascii())


def test_the_memo_stays_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MEMO_LIMIT", 3)
    memo = module._Memo()
    for n in range(10):
        assert memo[f"word{n}"][0] == f"word{n}"
        assert len(memo) <= 3
