"""What is shown of a generated text: never what breaks the file, by kind of fault and language. The real parser."""

from __future__ import annotations

import pytest

from assistant.completion.gate import Gate
from assistant.completion.request import CompletionRequest
from assistant.completion.trim import Trimmed, trim_begun, trim_block, trim_line, wants_block
from assistant.completion.window import window
from indexer.syntax import Verdict, errors_in
from tests.fakes import FakeLLM

PATIENT = Gate(seconds=5, patience=60)


def fitted(text: str, generated: str, language: str, gate: Gate = PATIENT) -> Trimmed:
    """What is shown at the ‸ in ``text``."""
    prefix, suffix = text.split("‸")
    around = window(prefix, suffix, 4000, 4000, FakeLLM().count)
    if wants_block(around):
        trimmed = trim_block(generated, around, language, final=True)
    else:
        trimmed = trim_line(generated, around, language)
    return gate.fit(CompletionRequest("a", language, 0, prefix, suffix), trimmed, around)


def accepted(text: str, found: Trimmed) -> str:
    """The file with the suggestion in it."""
    prefix, suffix = text.split("‸")
    return prefix + found.text + suffix[found.replaces :]


C_LIKE = "if (a > b) {\n    return b;\n  }\n  return a;\n}\n"
BLOCKS = [
    ("go", "func Min(a, b int) int {\n\t‸\n}\n", "if a > b {\n\t\treturn b\n\t}\n\treturn a\n}\n\nfunc Max() {\n"),
    ("rust", "fn min(a: i32, b: i32) -> i32 {\n    ‸\n}\n", "if a > b {\n        return b;\n    }\n    a\n}\n"),
    ("java", "class A {\n int min(int a, int b) {\n  ‸\n }\n}\n", "if (a > b) {\n   return b;\n  }\n  return a;\n }\n"),
    ("c", "int min(int a, int b) {\n  ‸\n}\n", C_LIKE),
    ("cpp", "int min(int a, int b) {\n  ‸\n}\n", C_LIKE),
    ("javascript", "function min(a, b) {\n  ‸\n}\n", C_LIKE),
    ("typescript", "function min(a: number, b: number) {\n  ‸\n}\n", C_LIKE),
    ("php", "<?php\nfunction min($a, $b) {\n  ‸\n}\n", C_LIKE.replace("a ", "$a ").replace("b", "$b")),
    ("csharp", "class A {\n int Min(int a) {\n  ‸\n }\n}\n", "if (a > 1) {\n   return 1;\n  }\n  return a;\n }\n"),
    ("kotlin", "fun min(a: Int, b: Int): Int {\n  ‸\n}\n", C_LIKE.replace(";", "")),
    ("swift", "func min(a: Int, b: Int) -> Int {\n  ‸\n}\n", C_LIKE.replace(";", "")),
    ("ruby", "def min(a, b)\n  # the smaller of both\n  ‸\nend\n", "if a > b\n    return b\n  end\n  a\nend\n"),
    ("lua", "if x then\n  ‸\nend\n", "for i = 1, 3 do\n    print(i)\n  end\nend\n"),
    ("bash", "if true; then\n  ‸\nfi\n", "for i in a b; do\n    echo $i\n  done\nfi\n"),
    ("json", '{"a": {\n  ‸\n}}\n', '"b": {\n    "c": 1\n  }\n}\n'),
]


@pytest.mark.parametrize(("language", "text", "generated"), BLOCKS, ids=[block[0] for block in BLOCKS])
def test_a_block_keeps_its_inner_closers_where_the_file_goes_on_with_one(language: str, text: str, generated: str):
    found = fitted(text, generated, language)
    opened = sum(found.text.count(c) for c in "{([")
    assert opened == sum(found.text.count(c) for c in "})]")
    assert len(found.text.split("\n")) >= 3
    assert errors_in(accepted(text, found).encode(), language) == 0


CLOSERS = [
    ("python", 'add("--blue", help="‸")\n', 'blue light")', "blue light"),
    ("javascript", "const c = require('‸');\n", "console')", "console"),
    ("javascript", "const c = require('‸');\n", "console');", "console"),
    ("cpp", "#include <‸>\nint x;\n", "string>", "string"),
    ("java", "class A { int f() { return ‸; } }\n", "a - b;", "a - b"),
    ("javascript", "function f(a, b) { return ‸; }\n", "a - b; }", "a - b"),
    ("go", 'func f() {\n\tif c.engine.‸ != "" {\n\t}\n}\n', 'Platform != "" {', "Platform"),
    ("python", "foo(bar(‸))\n", "x))", "x"),
    ("python", "foo(‸)\n", "bar(x)", "bar(x)"),
    ("python", "foo(‸)\n", "a, b)", "a, b"),
    ("python", "foo(‸):\n", "a, b", "a, b"),
    ("python", "foo(\n    a,\n    ‸\n)\n", "b,)", "b,"),
    ("python", "return ‸ + tail\n", "head + tail", "head"),
    ("python", "x = [‸]\n", "'a)', (1)]", "'a)', (1)"),
    ("html", '<a href="‸">x</a>\n', 'index.html">', "index.html"),
    ("html", "<label fo‸>Password</label>\n", 'r="email">Email</label>', 'r="email"'),
    ("html", "<ul>\n  <li>‸</li>\n</ul>\n", "one</li>", "one"),
    ("ruby", "f('support/*‸).sort.each { |f| g f }\n", "', __FILE__).each do |f|", "', __FILE__"),
    ("json", '{"a": "‸"}\n', 'b"}', "b"),
    ("css", "a { color: ‸; }\n", "red; }", "red"),
    ("rust", 'fn f() { println!("‸"); }\n', 'hello");', "hello"),
    ("ruby", "puts(‸)\n", "name)", "name"),
]


@pytest.mark.parametrize(("language", "text", "generated", "shown"), CLOSERS)
def test_closers_after_the_cursor_are_not_doubled(language: str, text: str, generated: str, shown: str):
    assert fitted(text, generated, language).text == shown


NO_BRACKETS = [
    ("rust", "‸\n", "pub fn third_word<'a>(text: &'a str) -> &'a str { text }"),
    ("bash", 'case "$1" in\n  stop)\n    halt\n    ;;\n  ‸\n    start\n    ;;\nesac\n', "restart)"),
    ("javascript", "function f(s) {\n  return ‸\n}\n", "s.replace(/[}\\]]/g, '');"),
    ("python", "# 1) one\n# 2) two\n# ‸\nx = 1\n", "3) the server starts"),
    ("python", 'def user(text):\n    return ‸\n', '"<|im_start|>user\\n" + text + "<|im_end|>\\n"'),
    ("html", "<ul>\n  <li>‸\n</ul>\n", "<s>$10</s> $5 hat</li>"),
    ("python", "x = ‸\n", '"[PREFIX]" + "<fim_prefix>" + "</s>"'),
    ("python", "it = ‸\n", "don[\"'(\"]"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "text", "generated"), NO_BRACKETS)
def test_what_only_looks_like_a_bracket_or_a_token_is_not_cut(language: str, text: str, generated: str):
    assert fitted(text, generated, language).text == generated


PROSE = [
    ("python", 'def f(x):\n    """Return x.\n\n    ‸\n    """\n    return x\n', "The value must not be empty."),
    ("python", "# ‸\nx = 1\n", "This is the number of words in the text."),
    ("java", "/**\n * ‸\n */\nclass A {}\n", "This class holds the words of a text."),
    ("javascript", "/* ‸ */\nf();\n", "This is what the function does"),
    ("markdown", "‸\n", "This function returns the sum of the numbers."),
]


@pytest.mark.parametrize(("language", "text", "generated"), PROSE)
def test_comments_and_docstrings_get_prose(language: str, text: str, generated: str):
    assert fitted(text, generated, language).text == generated


@pytest.mark.parametrize("language", ["python", "go", "ruby", "bash", "javascript", "lua", "text/unknown"])
def test_prose_is_no_code(language: str):
    found = fitted("‸\n", "This function returns the sum of the numbers.", language)
    assert (found.text, found.reason) == ("", "syntax")


def test_a_guard_may_say_what_the_function_ends_with():
    text = "def f(a):\n    if not a:\n        ‸\n    return None\n"
    assert fitted(text, "return None\n    return a\n", "python").text == "return None"
    assert fitted("    ‸\n    return total\n", "return total", "python").reason == "repeats"


def test_a_block_that_the_model_could_not_finish_is_closed_or_cut_before_it():
    text = "func f() int {\n\t‸\n}\n"
    found = fitted(text, "x := 1\n\tfor i := range 3 {\n\t\tx += i", "go")
    assert found.text == "x := 1"
    found = fitted(text, "for i := range 3 {\n\t\tx += i", "go")
    assert found.text == "for i := range 3 {\n\t\tx += i\n\t}"
    found = fitted("<?php\nfunction f() {\n  ‸\n}\n", "return [\n    'a',\n    'b',", "php")
    assert found.text == "return [\n    'a',\n    'b',\n  ];"
    found = fitted("if x then\n  ‸\nend\n", "while y do\n    call(y)", "lua")
    assert found.text == "while y do\n    call(y)\n  end"


def test_a_closer_that_the_file_owes_is_written_and_one_that_it_has_is_not():
    generated = "return x;\n}\n\nfunction g() {\n"
    assert fitted("function f(x) {\n  ‸\n", generated, "javascript").text == "return x;\n}"
    assert fitted("function f(x) {\n  ‸\n}\n", generated, "javascript").text == "return x;"
    unclosed = "function f(user) {\n  if (user.active) {\n    log(user.name);\n  ‸\n}\n"
    assert fitted(unclosed, "}", "javascript").text == "}"


def test_python_needs_a_body_and_the_right_depth():
    # Its grammar in tree-sitter takes both; Python does not.
    assert fitted("def f(x):\n    y = 1\n    ‸\n    return y\n", "for n in x:", "python").text == ""
    found = fitted("def f(x):\n    ‸\n", "a = 1\n    if a:\n    b = 2\n", "python")
    assert found.text == "a = 1"


def test_an_error_elsewhere_in_the_file_hides_nothing_and_forbids_nothing():
    broken = "def broken(:\n    pass\n\n"
    assert fitted(broken + "x = foo(‸)\n", "a, b))", "python").text == "a, b"
    assert fitted(broken + "x = ‸\n", "compute(a, b)", "python").text == "compute(a, b)"
    assert fitted(broken + "x = ‸\n", "compute(a, b", "python").text == "compute"


def test_a_rest_that_was_retyped_and_gone_beyond_is_replaced():
    found = fitted("def f(‸)\n    pass\n", "a, b) -> int:", "python")
    assert (found.text, found.replaces) == ("a, b) -> int:", 1)
    found = fitted("x = ‸value.a\n", "self.value.a.b()", "python")
    assert (found.text, found.replaces) == ("self.value.a.b()", len("value.a"))
    found = fitted(
        'fn f() { assert_eq!(g([‸), e("x")); }\n', '"a", "b", "c"]), e("some other text, in words"));', "rust"
    )
    assert (found.text, found.replaces) == ('"a", "b", "c"]', 0)


def test_scripts_of_a_page_are_parsed_as_scripts():
    page = "<html><script>\nfunction f() {\n  return ‸;\n}\n</script></html>\n"
    assert fitted(page, "g(a));", "html").text == "g(a)"


def test_a_page_gets_no_tag_without_its_partner():
    page = "<div>\n  <p>\n    ‸\n  </p>\n</div>\n"
    assert fitted(page, '<a href="x">', "html").text == ""
    assert fitted(page, '<a href="x">y</a>', "html").text == '<a href="x">y</a>'
    assert fitted(page, "</div>", "html").text == ""
    assert fitted("<ul>\n  <li>one‸\n</ul>\n", "</li>", "html").text == "</li>"
    assert fitted(page, '<img src="a.png">', "html").text == '<img src="a.png">'


def test_a_text_that_only_says_the_rest_is_none():
    assert fitted("x = ‸value\n", "value", "python").reason == "repeats"
    assert fitted("foo(a‸)\n", ")", "python").text == ""


def test_first_words_open_nothing_that_is_still_to_be_closed():
    prefix, suffix = "x = ", "\n"
    around = window(prefix, suffix, 4000, 4000, FakeLLM().count)
    words = trim_begun("compute(alpha, be", around, "python")
    assert words.text == "compute(alpha,"
    asked = CompletionRequest("a.py", "python", 0, prefix, suffix)
    assert PATIENT.fit(asked, words, around, most=3).text == "compute"


class _Silent:
    """A parser that never answers in time."""

    def first_fit(self, *_: object, **__: object) -> Verdict:
        return Verdict(late=True)


@pytest.mark.parametrize(
    ("generated", "shown"),
    [("a = g(1)\n    b = (\n        2)", "a = g(1)"), ("a = (\n        2)\n    return a", ""), ("a = '('", "a = '('")],
)
def test_what_is_late_counts_with_its_first_line_if_that_balances(generated: str, shown: str):
    gate = Gate(_Silent())  # type: ignore[arg-type]
    assert fitted("def f():\n    ‸\n", generated, "python", gate).text == shown


def test_without_a_grammar_brackets_are_counted():
    assert fitted("foo(‸)\n", "a))", "nolanguage").text == "a"
    assert fitted("foo(bar(‸)\n", "a)", "nolanguage").text == "a)"
    assert fitted("x = ‸\n", "f(a", "nolanguage").text == "f"


def test_bytes_and_characters_are_told_apart():
    text = 'größe("ä", "‸")  # ü\n'
    assert fitted(text, 'größer")', "python").text == "größer"
    lone = 'x = "\udcff" + ‸\n'
    assert fitted(lone, "y", "python").text == "y"
