"""Which candidate fits a place, and the process that says so: it may hang or die, and nobody waits for it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from indexer import syntax_process
from indexer.syntax import Candidate, Judge, Verdict, errors_in
from indexer.syntax_process import SyntaxProcess


def judged(text: str, *candidates: str, language: str = "python", seconds: float = 60) -> Verdict:
    before, after = (part.encode() for part in text.split("‸"))
    return Judge().first_fit(before, after, language, [Candidate(c.encode()) for c in candidates], seconds)


@pytest.mark.parametrize(
    ("text", "candidates", "chosen"),
    [
        ("x = ‸\n", ("(1", "f(1"), -1),
        ("x = ‸\n", ("(1", "f(1)"), 1),
        ("x = (‸\n", ("1", "1)"), 1),
        ("x = f(‸)\n", ("1)", "1"), 1),
        ("def f(:\n    pass\n\nx = ‸\n", ("f(1))", "f(1)"), 1),
        ("def f(:\n    pass\n\nx = f(‸)\n", ("(1", "1"), 1),
    ],
)
def test_the_first_candidate_that_adds_no_error_and_leaves_nothing_open(text, candidates, chosen):
    assert judged(text, *candidates).chosen == chosen


def test_replaced_bytes_and_prose_count():
    before, after = b"x = ", b"a)\n"
    judge = Judge()
    assert judge.first_fit(before, after, "python", [Candidate(b"(b)"), Candidate(b"(b)", 2)], 60).chosen == 1
    prose = Candidate(b"Here it is", prose=(0,))
    assert judge.first_fit(b"# ", b"\n", "python", [prose], 60).chosen == 0
    assert judge.first_fit(b"", b"\n", "ruby", [prose], 60).chosen == -1


def test_without_a_grammar_nothing_is_known():
    assert judged("‸", "x", language="text") == Verdict(known=False)
    assert errors_in(b"((", "text") == 0


def test_every_token_that_does_not_fit_counts():
    # Within an error, such tokens say themselves that they have none.
    assert errors_in(b'{"a": {\n  "b": {}\n', "json") < errors_in(b'{"a": {\n -x": "1",\n  "b": {}\n', "json")


def test_time_is_counted_between_candidates():
    ticks = iter(range(100))
    judge = Judge(clock=lambda: float(next(ticks)))
    verdict = judge.first_fit(b"x = ", b"\n", "python", [Candidate(b"(")] * 10, 3.5)
    assert (verdict.chosen, verdict.late, verdict.tried) == (-1, True, 3)


def test_what_hostile_text_does_to_parsers_is_an_answer():
    deep = "(" * 3_000
    assert judged(f"x = {deep}‸\n", "1").chosen in (-1, 0)
    assert judged("x = '\0'‸\n", " + 1").chosen in (-1, 0)
    before, after = b"x = \xff\xfe", b"\xed\xa0\x80\n"
    assert Judge().first_fit(before, after, "python", [Candidate(b"\xff 1")], 60).chosen in (-1, 0)


def test_errors_are_counted_in_pages_with_scripts_and_long_files():
    assert errors_in(b"<script>f(</script>", "html") == 0  # nobody asks about a whole page: its cursor is at its end
    page = b"<script>\nlet x = "
    judge = Judge()
    verdict = judge.first_fit(page, b";\n</script>\n", "html", [Candidate(b"f(1"), Candidate(b"f(1)")], 60)
    assert verdict.chosen == 1
    long = b"def f():\n    return 1\n\n" * 2_000
    verdict = judge.first_fit(
        long + b"def g():\n    ", b"\n" + long, "python", [Candidate(b"if x:"), Candidate(b"pass")], 60
    )
    assert verdict.chosen == 1


@pytest.fixture
def process() -> Iterator[SyntaxProcess]:
    made = SyntaxProcess()
    yield made
    made.close()


def ask(process: SyntaxProcess, language: str = "python", **how: float) -> Verdict:
    how = {"seconds": 60, "patience": 120} | how
    return process.first_fit(b"x\n", b"\n", language, [Candidate(b"y = (1"), Candidate(b"y = 1")], **how)


@pytest.mark.slow
def test_a_grammar_that_hangs_costs_one_answer(process: SyntaxProcess):
    assert ask(process).chosen == 1
    first = process.pid
    # cobol hangs on "x\n"; the kernel ends the process after a second of processor time.
    assert ask(process, "cobol").late
    assert ask(process).chosen == 1
    assert process.pid != first


@pytest.mark.slow
def test_a_grammar_that_takes_long_to_load_is_not_taken_for_one_that_hangs(
    process: SyntaxProcess, monkeypatch: pytest.MonkeyPatch
):
    slow = (
        "import sys; sys.path.insert(0, sys.argv[1]); import time; import indexer.syntax as s\n"
        "real = s._parser\n"
        "def slow(grammar):\n"
        "    while time.process_time() < 1.5: pass\n"
        "    return real(grammar)\n"
        "s._parser = slow\n"
        "from indexer.syntax_child import main; main()"
    )
    monkeypatch.setattr(syntax_process, "_COMMAND", slow)
    assert ask(process).chosen == 1


def test_a_process_that_dies_is_replaced(process: SyntaxProcess):
    assert ask(process).chosen == 1
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    verdicts = [ask(process), ask(process)]
    assert verdicts[-1].chosen == 1


def test_who_does_not_wait_gets_no_answer_and_the_next_gets_his_own(process: SyntaxProcess):
    assert ask(process, patience=0.0).late
    assert ask(process).chosen == 1


def test_a_file_as_long_as_a_window_goes_through_the_pipe(process: SyntaxProcess):
    text = b"x = 1\n" * 20_000
    verdict = process.first_fit(text, text, "python", [Candidate(b"y = 1\n")], seconds=60, patience=120)
    assert verdict.chosen == 0
