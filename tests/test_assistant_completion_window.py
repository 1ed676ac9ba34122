"""Windows of the document: their edges stay while one types, their budgets hold."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.completion.window import ANCHOR, window
from tests.fakes import FakeLLM

COUNT = FakeLLM().count
LINES = [f"value_{n} = compute({n})\n" for n in range(200)]


def split(line: int, column: int = 4, lines: list[str] = LINES) -> tuple[str, str]:
    text = lines[line]
    return "".join(lines[:line]) + text[:column], text[column:] + "".join(lines[line + 1 :])


def test_the_window_is_the_text_around_the_cursor():
    prefix, suffix = split(100)
    view = window(prefix, suffix, 400, 200, COUNT)
    assert prefix.endswith(view.prefix)
    assert suffix.startswith(view.suffix)
    assert (view.line_before, view.line_after) == ("valu", "e_100 = compute(100)")
    assert "".join(view.above) + view.line_before == view.prefix
    assert view.line_after + "\n" + "".join(view.below) == view.suffix
    assert sum(COUNT(view.above)) <= 400
    assert sum(COUNT(view.below)) <= 200


def test_both_edges_lie_on_anchors():
    prefix, suffix = split(100)
    view = window(prefix, suffix, 400, 200, COUNT)
    assert (100 - len(view.above)) % ANCHOR == 0
    assert (len(LINES) - 101 - len(view.below)) % ANCHOR == 0


def test_typing_on_a_line_moves_no_edge():
    prefix, suffix = split(100)
    first = window(prefix, suffix, 400, 200, COUNT)
    for typed in ("x", "xy", "xy = some_long_function_name(with, arguments, " * 30):
        later = window(prefix + typed, suffix, 400, 200, COUNT)
        assert (later.above, later.suffix) == (first.above, first.suffix)


def test_a_new_line_leaves_the_suffix_and_mostly_the_upper_edge():
    prefix, suffix = split(100, len(LINES[100]) - 1)
    starts, suffixes = set(), set()
    for typed in range(ANCHOR):
        view = window(prefix + "\nx = 1" * typed, suffix, 400, 200, COUNT)
        starts.add(view.above[0])
        suffixes.add(view.suffix)
    assert len(suffixes) == 1
    assert len(starts) <= 2


def test_a_small_file_is_there_as_a_whole():
    view = window("a = 1\nb = ", "\nc = 3", 400, 200, COUNT)
    assert (view.prefix, view.suffix) == ("a = 1\nb = ", "\nc = 3")


def test_empty_text_and_no_budget():
    assert window("", "", 100, 100, COUNT).prefix == ""
    view = window("a = 1\nb = ", "2\nc = 3\n", 0, 0, COUNT)
    assert (view.prefix, view.suffix) == ("b = ", "2\n")


def test_a_minified_line_is_cut_at_the_cursor():
    view = window("x" * 50_000, "y" * 50_000, 400, 200, COUNT)
    assert 0 < len(view.prefix) < 5_000
    assert 0 < len(view.suffix) < 5_000


def test_lines_too_long_for_an_anchor_still_give_context():
    lines = [f"row_{n} = [{', '.join(map(str, range(60)))}]\n" for n in range(40)]
    prefix, suffix = split(20, 3, lines)
    view = window(prefix, suffix, 700, 400, COUNT)
    assert view.above
    assert view.below
    assert sum(COUNT(view.above)) <= 700


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="ab (\n\t\r\x0cé", max_size=400), st.integers(0, 400), st.integers(0, 90), st.integers(0, 90))
def test_any_text_keeps_its_order_and_budget(text, at, above, below):
    prefix, suffix = text[:at], text[at:]
    view = window(prefix, suffix, above, below, COUNT)
    assert prefix.endswith(view.prefix)
    assert suffix.startswith(view.suffix)
    assert sum(COUNT(view.above)) <= above
    assert sum(COUNT(view.below)) <= below
