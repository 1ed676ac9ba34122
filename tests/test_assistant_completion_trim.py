"""What is kept of generated text: one good line, or a block that ends where it should."""

from __future__ import annotations

import pytest

from assistant.completion.trim import after_blanks, trim_begun, trim_block, trim_line, wants_block
from assistant.completion.window import Window, window
from tests.fakes import FakeLLM


def at(text: str) -> Window:
    """The window at the ‸ in ``text``."""
    prefix, suffix = text.split("‸")
    return window(prefix, suffix, 2000, 2000, FakeLLM().count)


def line(text: str, generated: str, language: str = "python"):
    return trim_line(generated, at(text), language)


def block(text: str, generated: str, language: str = "python", *, final: bool = True) -> str:
    return trim_block(generated, at(text), language, final=final).text


@pytest.mark.parametrize(
    ("text", "generated", "kept"),
    [
        ("x = ‸\n", "1\ny = 2\n", "1"),
        ("x = ‸\n", "1   ", "1"),
    ],
)
def test_one_line_is_kept(text, generated, kept):
    assert line(text, generated).text == kept
    assert line(text, generated).replaces == 0


@pytest.mark.parametrize(
    ("text", "generated", "reason"),
    [
        ("x = ‸\n", "", "empty"),
        ("x = ‸\n", "   \n", "empty"),
        ("x = ‸\n", "```python", "empty"),
        ("    ‸\n    return total\n", "return total", "repeats"),
    ],
)
def test_why_nothing_is_kept(text, generated, reason):
    found = line(text, generated)
    assert (found.text, found.reason) == ("", reason)


@pytest.mark.parametrize(
    ("text", "generated", "kept"),
    [
        ("x = ‸\n", " 1", "1"),
        ("x = ‸\n", "1", "1"),
        ("x =  ‸\n", " 1", "1"),
        ("x =‸\n", " 1", " 1"),
        ("    ‸\n", "    if x:\n        y()", "if x:\n        y()"),
        ("  ‸\n", "    if x:\n        y()", "  if x:\n        y()"),
        ("        ‸\n", "    if x:\n        y()\n\n    z()", "if x:\n            y()\n\n        z()"),
        ("\t‸\n", "    if x:\n        y()", "if x:\n        y()"),
    ],
)
def test_blanks_that_the_model_was_not_shown_are_taken_off(text, generated, kept):
    assert after_blanks(generated, at(text)) == kept


def test_prose_and_fences_are_welcome_in_markdown():
    assert line("‸\n", "This function returns the sum of numbers.", "markdown").text.startswith("This")
    assert line("‸\n", "```python", "markdown").text == "```python"


@pytest.mark.parametrize(
    "text",
    [
        "def f(x):\n    ‸\n",
        "def f(x):\n    ‸\n\ndef g():\n    pass\n",
        "def f(x):‸\n",
        "class A:\n    def f(self):\n        ‸\n\n    def g(self):\n        pass\n",
        'def f(x):\n    """Doc."""\n    ‸\n\nx = 1\n',
        "function f(x) {\n  ‸\n}\n",
        "const f = (x) => {‸\n}\n",
        "if x then\n  ‸\nend\n",
        "    # sort the rows by key\n    ‸\n    return rows\n",
    ],
)
def test_a_block_is_wanted_where_one_is_missing(text):
    assert wants_block(at(text))


@pytest.mark.parametrize(
    "text",
    [
        "x = ‸\n",
        "def f(x):\n    ret‸\n",
        "def f(x):\n    ‸\n    return x\n",
        "def f(‸):\n",
        "x = 1\n‸\ny = 2\n",
        "#include <stdio.h>\n‸\n",
        "call(a, ‸)\n",
        "call(‸\n",
        "‸",
    ],
)
def test_one_line_is_wanted_elsewhere(text):
    assert not wants_block(at(text))


def test_a_block_ends_where_the_indentation_does():
    generated = "total = 0\n    for n in x:\n        total += n\n\n    return total\n\n\ndef other():\n    pass\n"
    assert block("def f(x):\n    ‸\n", generated) == (
        "total = 0\n    for n in x:\n        total += n\n\n    return total"
    )


def test_a_block_after_its_opener_on_the_same_line():
    assert block("def f(x):‸\n", "\n    return x\n\ndef g(): pass") == "\n    return x"


def test_a_closing_line_is_taken_along_unless_the_file_has_it_next():
    generated = "return x;\n}\n\nfunction g() {\n"
    assert block("function f(x) {\n  ‸\n", generated, "javascript") == "return x;\n}"
    assert block("function f(x) {\n  ‸\n}\n", generated, "javascript") == "return x;"
    assert block("if (y) {\n  f(x => {\n    ‸\n  }\n}\n", "g();\n  });\n", "javascript") == "g();\n  });"


def test_inner_closers_do_not_end_a_block():
    generated = "if (x) {\n    return x;\n  }\n  return 1;\n}\n"
    assert block("function f(x) {\n  ‸\n}\n", generated, "javascript") == generated[:-3]


def test_a_block_goes_on_in_a_docstring():
    generated = '"""Return x.\n\n    This function returns the value of x.\n    """\n    return x\n'
    assert block("def f(x):\n    ‸\n", generated) == generated.rstrip()


def test_a_block_stops_before_what_the_file_says_next():
    assert block("    # sort\n    ‸\n    return rows\n", "rows.sort()\n    return rows\n") == "rows.sort()"


def test_a_block_that_a_comment_announced_ends_at_a_blank_line():
    assert block("    # sort\n    ‸\n    x = 1\n", "rows.sort()\n\n    more()\n") == "rows.sort()"


@pytest.mark.parametrize("drift", ["```\nThis code does it.", "In this example we add the numbers up.", "<|fim_pad|>x"])
def test_drift_into_prose_is_cut(drift):
    assert block("def f(x):\n    ‸\n", f"return x\n{drift}") == "return x"


def test_a_loop_is_cut():
    assert block("def f(x):\n    ‸\n", "call(x)\n" + "    call(x)\n" * 30).count("call") <= 4


def test_unfinished_lines_wait_while_more_text_comes():
    view = at("def f(x):\n    ‸\n")
    found = trim_block("a = 1\n    retu", view, "python", final=False)
    assert (found.text, found.done) == ("a = 1", False)
    found = trim_block("a = 1\ndef g", view, "python", final=False)
    assert not found.done
    found = trim_block("a = 1\ndef g():\n", view, "python", final=False)
    assert (found.text, found.done) == ("a = 1", True)


def test_a_block_has_a_most_of_lines():
    generated = "".join(f"    line_{n}()\n" for n in range(60))
    found = trim_block(generated, at("def f(x):\n    ‸\n"), "python", final=False)
    assert found.done
    assert found.text.count("\n") == 19


@pytest.mark.parametrize(
    ("text", "generated", "kept"),
    [
        ("x = ‸\n", "compute(alpha, be", "compute(alpha,"),
        ("x = ‸\n", "compute(alpha)", "compute(alpha)"),
        ("x = ‸\n", "comp", ""),
        ("x = ‸\n", "((", ""),
        ("‸\ny = compute(b)\n", "y = compute", ""),
        ("‸\ny = compute(b)\n", "y = compute(a, c", "y = compute(a,"),
        ("if a:\n    ‸\n", "b = 1\nc = 2", "b = 1"),
    ],
)
def test_first_words_are_whole_and_say_something_new(text, generated, kept):
    assert trim_begun(generated, at(text), "python").text == kept
