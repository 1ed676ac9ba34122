"""What takes time with the square of a text's length hangs on a hostile one. Each case took 6 s and more, now 0.1 s."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from assistant import absent, mentions, pasted
from assistant.completion import gate, trim
from assistant.completion.brackets import open_after, unmatched_closers
from assistant.completion.request import CompletionRequest
from assistant.completion.secrecy import SECRET_CUT, SECRET_TEXT, without_secrets
from assistant.completion.trim import Trimmed
from assistant.completion.window import window
from assistant.context import Source
from assistant.mentions import Mention, Mentions
from assistant.path_names import PathNames
from assistant.pinned import described
from assistant.understanding import understand
from indexer import syntax
from tests.fakes import FakeLLM
from tests.small_index import SmallIndex

N = 100_000
DEADLINE = 3.0
"""Seconds of processor time that only a failure reaches."""


def _many(text: str) -> str:
    return text * (N // len(text))


def _ask(text: str) -> None:
    message = pasted.take_apart(text)
    for token in mentions.tokens(message.asked):
        absent._is_key(token.text, token, called=False, foreign=False)


CASES: dict[str, Callable[[], object]] = {
    "blanks before a comment": lambda: trim.opens("x" + _many(" ") + "x"),
    "words of prose": lambda: trim.reads_like_prose("Ab " + _many("ab ") + "{"),
    "a long word of prose": lambda: trim.reads_like_prose("Ab ab ab " + _many("a") + "{"),
    "blanks after do": lambda: gate._OPENS.search("do" + _many(" ") + "x"),
    "escaped quotes": lambda: open_after('"' + _many('\\"')),
    "a long tag": lambda: syntax._unpaired_tags(b"<" + _many("a").encode()),
    "comments of a page": lambda: syntax._unpaired_tags(_many("<!--").encode()),
    "scripts without an end": lambda: syntax._unpaired_tags(_many("<script>").encode()),
    "end tags of nothing": lambda: syntax._unpaired_tags((_many("<a>") + _many("</b>")).encode()),
    "a word of capitals": lambda: _ask("what is " + _many("A") + "?"),
    "a mark of a compiler": lambda: _ask(_many("^") + "!"),
    "a long path": lambda: _ask("at " + _many("$") + "!"),
    "a member with points": lambda: _ask("panic: no\n" + _many("A.") + "("),
    "blanks": lambda: _ask("panic: no\n" + _many(" ") + "x"),
}


@pytest.mark.parametrize("name", CASES)
def test_the_time_grows_with_the_length_of_a_text(name: str) -> None:
    started = time.process_time()
    CASES[name]()
    assert time.process_time() - started < DEADLINE


def test_quotes_without_a_pair_hide_no_later_pair() -> None:
    assert open_after('"\\"(\n"(" [') == [")", "]"]
    assert unmatched_closers("it's )\n']' )") == [5, 11]


@pytest.mark.parametrize(
    ("page", "unpaired"),
    [
        (b"<p><!-- <b> --></p>", 0),
        (b"<script>if (a <b>c) {}</script >", 0),
        (b"<p><!-- <b></p>", 1),
        (b"<script><b></script", 2),
        (b"<style>a<b></STYLE><i></i></u>", 1),
        (b"<a><b></c></a>", 2),
    ],
)
def test_tags_are_paired_outside_comments_and_scripts(page: bytes, unpaired: int) -> None:
    assert syntax._unpaired_tags(page) == unpaired


def test_of_a_long_line_only_what_is_near_is_parsed() -> None:
    line = "var a = [1, 2, 3];" * 60_000
    before, after = gate._around(CompletionRequest("a.js", "javascript", 1, line, line))
    assert len(before) <= 40_000
    assert len(after) <= 24_000
    assert line.endswith(before)
    assert line.startswith(after)


def test_of_a_long_file_whole_lines_are_parsed() -> None:
    lines = "let a = 1;\n" * 10_000
    before, after = gate._around(CompletionRequest("a.js", "javascript", 1, lines + "b", "c\n" + lines))
    assert before.startswith("let a = 1;\n")
    assert before.endswith("\nb")
    assert after.startswith("c\nlet")
    assert after.endswith(";\n")


def test_a_line_of_blanks_is_no_paste() -> None:
    message = pasted.take_apart("Why is this slow?\n   \n    for a in b:\n")
    assert not message.paste


def test_of_a_long_question_beginning_and_end_are_asked() -> None:
    message = pasted.take_apart("What does open do? " + "word " * 200_000 + "And close?")
    assert message.asked.startswith("What does open do?")
    assert message.asked.endswith("And close?")
    assert len(message.asked) < 2 * pasted.ASKED_CHARACTERS


SECRET = 'password = "hunter2-Kx9vQ2mZ7pL4"'


def _cut(text: str, language: str = "javascript", prefix: str = "") -> Trimmed:
    asked = CompletionRequest(f"a.{language}", language, 1, prefix, "\n")
    return without_secrets(asked, Trimmed(text, "block"))


def test_what_is_cut_before_a_secret_leaves_no_bracket_open() -> None:
    cut = _cut(f"open();\nconnect(() => {{\n  const {SECRET};\n}});")
    assert (cut.text, cut.reason) == ("open();", SECRET_CUT)
    cut = _cut(f"if (a) {{\n  const {SECRET};\n}}")
    assert (cut.text, cut.reason) == ("", SECRET_TEXT)


def test_what_is_cut_before_a_secret_leaves_no_block_open() -> None:
    assert _cut(f"def f():\n    {SECRET}\n", "python").text == ""
    assert _cut(f"a = 1\nif a:\n    {SECRET}\n", "python").text == "a = 1"
    assert _cut(f"function f()\n  {SECRET}\nend", "lua").text == ""
    assert _cut(f"a = 1\n{SECRET}\nb = 2", "python").text == "a = 1"


def test_lists_of_names_in_a_prompt_are_short_whatever_the_names() -> None:
    folder = {f"lib/{'x' * 200}{n}.py": "" for n in range(90)}
    long = {"lib/b.py": "\n".join(f"def {'f' * 300}{n}():\n    pass\n" for n in range(60))}
    index = SmallIndex({**folder, **long})
    names = PathNames(index.paths())
    mentions = Mentions(folders=("lib",), pinned=(Mention("file", "lib/b.py"),))
    told = described(index, names, mentions)
    assert "has 91 files: b.py, xxx" in told
    assert " more. " in told
    assert len(told) < 3_000


def test_short_names_are_listed_whole() -> None:
    index = SmallIndex({f"lib/{n}.py": "a = 1\n" for n in range(42)})
    told = described(index, PathNames(index.paths()), Mentions(folders=("lib",)))
    assert "0.py, 1.py, 10.py" in told
    assert told.endswith(" and 2 more. ")


@pytest.mark.parametrize(("path", "shown"), [("a.foo", "a: 1\n  b: 2"), ("notes.txt", "a: 1\n  b: 2\n}\nmore")])
def test_brackets_count_in_a_file_of_an_unknown_language_but_not_in_prose(path: str, shown: str) -> None:
    asked = CompletionRequest(path, "text", 1, "x = {\n  ", "\n}\n")
    around = window(asked.prefix, asked.suffix, 400, 400, FakeLLM().count)
    found = gate.Gate(seconds=5, patience=60).fit(asked, Trimmed("a: 1\n  b: 2\n}\nmore", "block"), around)
    assert found.text == shown


def test_a_secret_in_a_question_is_no_name_that_is_nowhere() -> None:
    token = "ghp_" + "q7Zx81LmPd02VtYw93Rb" + "K4sN6uHjC5aE8fGo"
    index = SmallIndex({"a.py": "x = 1\n"})
    assert understand(index, f"what does this do with {token}?", (), (), 5).opening == ""
    assert "`GraphQL` occurs nowhere" in understand(index, "what does GraphQL do?", (), (), 5).opening


def test_the_model_is_asked_about_what_is_shown_even_with_a_name_that_is_nowhere() -> None:
    index = SmallIndex({"a.py": "x = 1\n"})
    shown = Source(1, "a.py", 1, 1, "x = 1\n", None)
    assert not understand(index, "is this what GraphQL does?", (), (shown,), 5).nowhere
    assert understand(index, "what does GraphQL do?", (), (), 5).nowhere
