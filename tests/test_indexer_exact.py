"""Patterns on texts: the lines that ripgrep finds, and one sentence for what is no pattern."""

from __future__ import annotations

import random
import re
import shutil
import subprocess

import pytest

from indexer.errors import BadInputError
from indexer.exact import Pattern
from indexer.pattern import translate
from indexer.required import ANYTHING, Query
from indexer.signature import fold

TEXT = (
    "def load(path):\n\treturn Path(path)\r\n\n  # naïve été Straße λόγος ſee K2\n"
    "self.x = selfish\nfoo_bar fooBar FOO\nBEGIN{2}[a]^$ \\d\n\u4f60好 x2\n\xe9foo foo\xe9\n  \n2024-01-31 a.b.c\nlast"
)


def lines(pattern: str, text: str = TEXT, **options: bool) -> list[int]:
    found = Pattern(pattern, **{"regex": True, "ignore_case": False, **options})
    return [line.number for line in found.lines(text.encode())]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("foo", [6, 9]), ("^foo", [6]), ("path\\)$", []), ("path\\)\r$", [2]), ("^$", [3]), ("last$", [12]),
        (r"\bself\b", [5]), (r"\bfoo\b", []), (r"\bfoo_bar\b", [6]), (r"foo\B", [6, 9]), (r"\w+\d\b", [4, 8, 11]),
        (r"na\wve", [4]), (r"[^\W_]{7}", [5]), (r"\p{Greek}+", [4]), (r"\p{script=Han}", [8]),
        (r"\p{Lowercase Letter}ß", [4]),
        ("[[:upper:]]{3}", [6, 7]), ("[a[x-z]]2", [8]), (r"\{2\}\[a]\^\$", [7]), (r"[\]\[]a[]]", [7]),
        (r"\x{e9}foo", [9]),
        ("a{0}last", [12]), ("(?x) d e f # or\n | l a s t", [1, 12]), ("(?i)SELF|LAST", [5, 12]), ("s(?i:EE)", []),
        ("(?i)k2", [4]), ("(?i)SEE", [4]), (r"\d{4}-\d\d-\d\d", [11]), (r"\s\s", [4, 10]), (r"^\s+$", [10]),
        ("(", None),
    ],
)  # fmt: skip
def test_lines(pattern, expected):
    if expected is None:
        with pytest.raises(BadInputError):
            lines(pattern)
    else:
        assert lines(pattern) == expected


def test_literals_are_texts_and_not_patterns():
    assert lines("^$", regex=False) == [7]
    assert lines(r"\d", regex=False) == [7]
    assert lines("FOO", regex=False) == [6]
    assert lines("FOO", regex=False, ignore_case=True) == [6, 9]
    assert lines("STRASSE", regex=False, ignore_case=True) == []
    assert lines("ÉTÉ", regex=False, ignore_case=True) == [4]


def test_a_last_line_without_end_counts_and_what_follows_the_last_end_does_not():
    assert lines("x*", "a\nb") == [1, 2]
    assert lines("x*", "a\nb\n") == [1, 2]
    assert lines("x*", "\n") == [1]
    assert lines("x*", "") == lines("^$", "") == []
    assert lines("$", "a\n\n") == [1, 2]


def test_spans_are_bytes_of_the_line_and_do_not_overlap():
    assert Pattern("aa", regex=False, ignore_case=False).spans(b"aaa-aaaa") == ((0, 2), (4, 6), (6, 8))
    assert Pattern(r"\bé\w*", regex=True, ignore_case=False).spans("xé été".encode()) == ((4, 9),)
    assert Pattern("a|ab", regex=True, ignore_case=False).spans(b"xab") == ((1, 2),)


@pytest.mark.parametrize(
    ("pattern", "place"),
    [
        ("ab(c", 3), ("ab)c", 3), ("a[bc", 2), ("*a", 1), ("a|+", 3), ("a{", 2), ("a{x}", 2), ("a{3,2}", 2),
        ("a{1001}", 2),
        ("a(?=b)", 2), ("a(?<!b)", 2), (r"(a)\1", 4), (r"a\q", 2), ("a\\", 2), (r"\p{Nothing}", 1), (r"a\x{110000}", 2),
        (r"a\xg0", 2), ("[z-a]", 2), (r"[a-\d]", 4), ("[a&&b]", 3), ("a\nb", 2), (r"a\nb", 2), (r"[\n]", 2),
        ("(?q)a", 3),
        (r"\p{L", 1), ("[a[^b]]", 3), ("(" * 200, 101), (r"\u12", 1), ("(?P<a", 1),
    ],
)  # fmt: skip
def test_what_is_no_pattern_is_said_with_its_place(pattern, place):
    with pytest.raises(BadInputError, match=rf"at character {place}\.$") as caught:
        Pattern(pattern, regex=True, ignore_case=False)
    assert caught.value.hint


@pytest.mark.parametrize("pattern", ["", "((a{500}){500}){500}", "x" * 30_000, "a\udcff"])
def test_empty_and_monstrous_patterns_are_refused(pattern):
    with pytest.raises(BadInputError) as caught:
        Pattern(pattern, regex=True, ignore_case=False)
    assert len(caught.value.message) < 300


@pytest.mark.parametrize("pattern", [r"(a+)+$", r"(\w|a)*\b!", r"(?i)(a*)*b", "(.*)(.*)(.*)(.*)x"])
def test_patterns_that_make_others_backtrack_for_ever_come_to_an_end(pattern):
    text = "a" * 5_000 + "é\n"
    assert lines(pattern, text) == []


def test_word_boundaries_where_the_backtracking_engine_gives_up_are_those_of_re2(monkeypatch):
    monkeypatch.setattr("indexer.exact._SLOW_SECONDS", 1e-9)
    text = "aé " + "a" * 3_000 + "! b\n"
    assert lines(r"\b(a|a)*!", text) == [1]
    assert Pattern(r"\bb\b", regex=True, ignore_case=False).spans(b"\xc3\xa9" + b"a" * 3_000 + b" b")[-1][1] == 3_004


def test_long_lines_are_looked_at_once():
    text = "x" * 2_000_000 + "\né foo\n" + "foo é " * 50_000
    assert lines(r"\bfoo\b", text) == [2, 3]
    spans = Pattern(r"\bfoo\b", regex=True, ignore_case=False).spans(("foo é " * 50_000).encode())
    assert len(spans) == 50_000
    assert spans[-1] == (49_999 * 7, 49_999 * 7 + 3)


def test_a_pattern_of_repetitions_within_repetitions_is_not_unfolded():
    pattern = "(" * 60 + "abc" + "){4}" * 60
    assert len(str(required(pattern))) < 100_000
    with pytest.raises(BadInputError, match="cannot be used"):
        lines(pattern)
    assert holds(required("([ab][ab][ab][ab][ab][ab]" + "long" * 1_000 + "){2}"), b"ab" * 3 + b"long" * 1_000)


def required(pattern: str, **options: bool) -> Query:
    return translate(pattern, **options).required


def test_what_a_pattern_requires():
    assert required("foobar") == Query(True, (b"foobar",))
    assert required("FooBar", ignore_case=True) == Query(True, (b"foobar",))
    assert required("foo.*bar+") == Query(True, (b"foo", b"bar"))
    assert required(r"foo\w*") == Query(True, (b"foo",))
    assert required("ab[cd]") == Query(True, (Query(False, (b"abc", b"abd")),))
    assert required("(foo|b.rn)x") == ANYTHING
    assert required("foo|barn").parts[0] == Query(False, (b"barn", b"foo"))
    assert required("(foo.a|bar.b)").parts == (Query(False, (Query(True, (b"foo",)), Query(True, (b"bar",)))),)
    assert required("abcd?e").parts[0] == Query(False, (b"abcde", b"abce"))
    assert required("(abc){3}") == Query(True, (b"abcabcabc",))
    assert required("été", ignore_case=True) == required("a.b.c") == required("a*") == required("ab") == ANYTHING
    assert required("été") == Query(True, ("été".encode(),))
    assert required("Kelvin", ignore_case=True) == required("Kelvin") == Query(True, (b"kelvin",))


ALPHABET = "abAB_ .é1KſK\t"


def random_pattern(rng: random.Random, depth: int = 0) -> str:
    def atom() -> str:
        kind = rng.randrange(11 if depth < 3 else 8)
        if kind < 5:
            return re.sub(r"([.\\])", r"\\\1", rng.choice(ALPHABET))
        if kind < 8:
            return rng.choice([r"\w", ".", r"\s", r"\d", "[ab]", "[^a]", r"\b", "^", "$", "[a-z]", "(?i)", r"\W"])
        return f"({random_pattern(rng, depth + 1)})"

    def piece() -> str:
        one = atom()
        plain = one not in ("^", "$", r"\b", "(?i)")
        return one + (rng.choice(["", "", "", "*", "+", "?", "{2}", "{1,2}", "+?"]) if plain else "")

    row = "".join(piece() for _ in range(rng.randint(1, 5)))
    return f"{row}|{random_pattern(rng, depth + 1)}" if depth < 2 and rng.random() < 0.2 else row


def random_text(rng: random.Random) -> str:
    return "".join(rng.choice(ALPHABET + "\n\n") for _ in range(rng.randint(0, 200)))


def holds(query: Query | bytes, folded: bytes) -> bool:
    if isinstance(query, bytes):
        return query in folded
    found = [holds(part, folded) for part in query.parts]
    return all(found) if query.all else any(found)


@pytest.mark.slow
def test_a_text_that_matches_holds_what_is_required():
    rng, matched = random.Random(7), 0
    for _ in range(3_000):
        pattern, text = random_pattern(rng), random_text(rng)
        ignore_case = rng.random() < 0.3
        if lines(pattern, text, ignore_case=ignore_case):
            matched += 1
            assert holds(required(pattern, ignore_case=ignore_case), fold(text.encode())), pattern
    assert matched > 500


@pytest.mark.slow
def test_random_patterns_find_the_lines_of_ripgrep(tmp_path):
    rng, agreed = random.Random(11), 0
    file = tmp_path / "text"
    for _ in range(400):
        pattern, text, ignore_case = random_pattern(rng), random_text(rng), rng.random() < 0.3
        file.write_bytes(text.encode())
        command = ["rg", "-n", "--no-filename", *(["-i"] if ignore_case else []), "-e", pattern, str(file)]
        done = subprocess.run(command, capture_output=True, check=False)
        assert done.returncode in (0, 1), done.stderr
        theirs = [int(line.partition(b":")[0]) for line in done.stdout.split(b"\n")[:-1]]
        assert lines(pattern, text, ignore_case=ignore_case) == theirs, (pattern, text)
        agreed += bool(theirs)
    assert agreed > 100


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("rg") is None, reason="no ripgrep")
@pytest.mark.parametrize(("word", "invert"), [(True, False), (False, True), (True, True)])
def test_whole_words_and_lines_without_a_match_are_those_of_ripgrep(tmp_path, word, invert):
    rng, agreed = random.Random(14), 0
    file = tmp_path / "text"
    for _ in range(200):
        pattern, text, regex = random_pattern(rng), random_text(rng), rng.random() < 0.7
        if not regex:
            pattern = text[(at := rng.randrange(len(text) or 1)) : at + rng.randrange(1, 4)].replace("\n", "") or "a"
        file.write_bytes(text.encode())
        flags = [*(["-w"] if word else []), *(["-v"] if invert else []), *([] if regex else ["-F"])]
        command = ["rg", "-n", "--no-filename", *flags, "-e", pattern, str(file)]
        done = subprocess.run(command, capture_output=True, check=False)
        assert done.returncode in (0, 1), done.stderr
        theirs = [int(line.partition(b":")[0]) for line in done.stdout.split(b"\n")[:-1]]
        wanted, raw = Pattern(pattern, regex=regex, ignore_case=False, word=word), text.encode()
        found = [*(wanted.other_lines(raw) if invert else wanted.lines(raw))]
        assert [line.number for line in found] == theirs, (pattern, regex, text)
        assert invert or all(wanted.spans(raw[line.start : line.end]) for line in found), (pattern, regex, text)
        agreed += bool(theirs)
    assert agreed > 50


def test_a_whole_word_knows_letters_of_every_script():
    def found(pattern, text, **options):
        wanted = Pattern(pattern, word=True, **{"regex": False, "ignore_case": False, **options})
        return [(n, wanted.spans(text.encode()[s:e])) for n, s, e in wanted.lines(text.encode())]

    assert found("x", "éx\nx é\nx2 x\n") == [(2, ((0, 1),)), (3, ((3, 4),))]
    assert found("->", "a->b\na -> b\n") == [(2, ((2, 4),))]
    assert found("-", "--\n") == [(1, ((0, 1), (1, 2)))]
    assert found("a|ab", "ab\n", regex=True) == [(1, ((0, 2),))], "another branch, where the first is no word"
    assert found("X", "x X\n", ignore_case=True) == [(1, ((0, 1), (2, 3)))]


def test_lines_without_a_match_and_how_many_there_are():
    wanted = Pattern("a", regex=False, ignore_case=False)
    for text, expected in ((b"", []), (b"a", []), (b"b", [1]), (b"\n\na\n", [1, 2]), (b"a\nb\r\nc", [2, 3])):
        assert [line.number for line in wanted.other_lines(text)] == expected
        assert wanted.count(text, invert=True) == len(expected)
    assert [text for _, *text in Pattern("x", regex=False, ignore_case=False).other_lines(b"a\r\nb\n")] == [
        [0, 2],
        [3, 4],
    ]
