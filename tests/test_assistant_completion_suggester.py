"""Suggestions while somebody types: which requests reach the model, and what stops it. Counts, never times."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from dataclasses import replace

import pytest

from assistant.completion.completer import Completer
from assistant.completion.generation import Generation
from assistant.completion.reuse import Suggestion, SuggestionCache, follow
from assistant.completion.suggester import Suggester
from assistant.errors import HostError
from assistant.llm import Cancel
from indexer.errors import CodemoatError
from tests.fakes import FakeLLM
from tests.typist_world import CANCELLED, END, Typist, at, text


@pytest.fixture
def typist() -> Iterator[Typist]:
    made = Typist()
    yield made
    made.close()


# known suggestions


def test_typing_into_a_suggestion_asks_nothing(typist: Typist) -> None:
    first = typist.ask("x = ")
    typist.llm.wait_for_call()
    typist.llm.write("compute(", "a, b)", END)
    assert text(first) == "compute(a, b)"
    for typed in ("c", "com", "compute(a"):
        done = typist.ask("x = " + typed).result(timeout=60)
        assert (done.text, done.reused) == ("compute(a, b)"[len(typed) :], True)
    assert len(typist.llm.calls) == 1
    assert typist.suggester.counts["look-back"] == 3
    assert typist.suggester.known(at("x = comp")) is not None
    assert typist.suggester.known(at("x = cob")) is None


def test_going_back_to_a_place_asks_nothing(typist: Typist) -> None:
    first = typist.ask("x = ")
    typist.llm.wait_for_call()
    typist.llm.write("1", END)
    assert text(first) == "1"
    again = typist.ask("x = ").result(timeout=60)
    assert (again.text, again.reused) == ("1", True)
    assert typist.suggester.counts["exact"] == 1


def test_a_change_far_away_does_not_forget_a_suggestion() -> None:
    cache = SuggestionCache()
    body = "".join(f"line{n}\n" for n in range(30))
    cache.put(at("import os\n" + body + "x = "), Suggestion("1", "line"))
    found = cache.find(at("import sys\n" + body + "x = "))
    assert found is not None
    assert (found.suggestion.text, found.kind) == ("1", "trimmed")
    assert cache.find(at("import sys\n" + body.replace("line28", "other") + "x = ")) is None
    assert cache.find(at("import os\n" + body + "x = ", "y\n")) is None
    assert cache.find(at("import os\n" + body + "x = ", path="b.py")) is None


def test_an_empty_suggestion_counts_only_where_all_is_the_same() -> None:
    cache = SuggestionCache()
    body = "".join(f"line{n}\n" for n in range(30))
    cache.put(at("a\n" + body), Suggestion("", "empty"))
    assert cache.find(at("a\n" + body)) is not None
    assert cache.find(at("b\n" + body)) is None


def test_the_cache_keeps_the_latest_used_and_forgets_a_file() -> None:
    cache = SuggestionCache(most=2)
    for name in "ab":
        cache.put(at(name), Suggestion(name, "line"))
    assert cache.find(at("a")) is not None
    cache.put(at("c", path="other.py"), Suggestion("c", "line"))
    assert cache.find(at("b")) is None
    assert cache.find(at("a")) is not None
    cache.forget("a.py")
    assert len(cache) == 1


def test_following_a_suggestion() -> None:
    whole = Suggestion("abc", "line", 2)
    assert follow(whole, "ab") == Suggestion("c", "line", 2)
    assert follow(whole, "abc") is None
    assert follow(whole, "b") is None


# a run that goes on


def test_typing_on_reads_the_run_that_goes_on(typist: Typist) -> None:
    first_cancel = Cancel()
    first = typist.ask("x = ", cancel=first_cancel)
    typist.llm.wait_for_call()
    typist.llm.write("com")
    first_cancel.cancel()
    assert first.result(timeout=60).stop_reason == "cancelled"
    second = typist.ask("x = comp")  # further than it has written so far
    typist.until_waited_for(1)
    typist.llm.write("pute(", ")", END)
    assert text(second) == "ute()"
    assert len(typist.llm.calls) == 1
    assert typist.llm.ends == ["stop"]
    assert typist.suggester.counts["attached"] == 1


def test_text_that_disagrees_stops_the_run_at_once(typist: Typist) -> None:
    first = typist.ask("x = ")
    typist.llm.wait_for_call()
    typist.llm.write("com")
    second = typist.ask("x = d")
    typist.llm.wait_for_call()
    assert first.result(timeout=60).stop_reason == "cancelled"
    typist.llm.write("ict()", END)
    assert text(second) == "ict()"
    assert typist.llm.ends == ["cancelled", "stop"]


def test_a_run_that_turns_out_to_disagree_is_followed_by_one_that_does_not(typist: Typist) -> None:
    typist.ask("x = ")
    typist.llm.wait_for_call()
    second = typist.ask("x = co")  # nothing written yet: it may agree
    typist.until_waited_for(2)
    typist.llm.write("dict()", call=0)
    typist.llm.wait_for_call()
    typist.llm.write("unt()", END, call=1)
    assert text(second) == "unt()"


def test_a_change_without_a_request_stops_what_it_disagrees_with(typist: Typist) -> None:
    first = typist.ask("x = ")
    typist.llm.wait_for_call()
    typist.llm.write("com")
    typist.suggester.typed(at("x = c"))
    typist.suggester.typed(at("y = "))
    assert first.result(timeout=60).stop_reason == "cancelled"
    assert typist.suggester.counts["stopped"] == 1


def test_a_run_that_nobody_waits_for_ends(typist: Typist) -> None:
    cancel = Cancel()
    first = typist.ask("x = ", cancel=cancel)
    typist.llm.wait_for_call()
    cancel.cancel()
    assert first.result(timeout=60).stop_reason == "cancelled"
    run = typist.suggester._run
    assert isinstance(run, Generation)
    run.join()
    assert typist.llm.ends == ["cancelled"]


def test_whole_lines_are_shown_when_the_rest_takes_long() -> None:
    typist = Typist(patience=0.0)
    first = typist.ask("def f(x):\n    ")
    typist.llm.wait_for_call()
    typist.llm.write("total = 0\n", "    for")
    assert text(first) == "total = 0"
    typist.close()


def test_errors_reach_who_waits(typist: Typist) -> None:
    broken = FakeLLM(["abcdefgh"], failure=HostError("gone", "again"), fail_after=1)
    suggester = Suggester(Completer(None, broken))
    with pytest.raises(HostError):
        suggester.suggest(at("x = "))
    suggester.close()


def test_a_second_guess_is_shown_in_place_of_the_next_line() -> None:
    llm = FakeLLM(["    return 1", "    x = 1"], alternatives=True)
    suggester = Suggester(Completer(None, llm))
    asked = at("def f():\n    y = 2\n", "\n    return 1\n")
    found = suggester.suggest(asked)
    assert (found.text, found.timings.generated_tokens) == ("    x = 1", 6)
    assert suggester.suggest(asked).reused
    suggester.close()


# ahead of time


def test_an_error_that_nobody_waits_for_is_passed_on() -> None:
    told: queue.SimpleQueue[CodemoatError] = queue.SimpleQueue()
    broken = FakeLLM(["word", "word"], failure=HostError("gone", "again"))
    suggester = Suggester(Completer(None, broken), failed=told.put)
    suggester.warm(at("x"))
    assert told.get(timeout=60).message == "gone"
    with pytest.raises(HostError):
        suggester.suggest(at("y"))
    suggester.close()
    assert told.empty(), "who waited has it already"


def test_what_follows_an_accepted_suggestion_is_generated_ahead(typist: Typist) -> None:
    first = typist.ask("x = ")
    typist.llm.wait_for_call()
    typist.llm.write("1", END)
    done = first.result(timeout=60)
    typist.suggester.shown(at("x = "), done)
    typist.llm.wait_for_call()
    typist.llm.write(" + 2", END)
    accepted = typist.ask("x = 1")
    assert text(accepted) == " + 2"
    assert len(typist.llm.calls) == 2


def test_who_reads_what_runs_ahead_asks_anew_when_a_question_ends_it(typist: Typist) -> None:
    first = typist.ask("x = ")
    typist.llm.wait_for_call()
    typist.llm.write("1", END)
    typist.suggester.shown(at("x = "), first.result(timeout=60))
    typist.llm.wait_for_call()
    assert typist.llm.calls[-1][1].ahead
    typist.llm.write(" + ")
    accepted = typist.ask("x = 1")
    typist.until_waited_for(1)
    typist.llm.write(CANCELLED)  # by the host
    typist.llm.wait_for_call()
    assert not typist.llm.calls[-1][1].ahead
    typist.llm.write(" + 2", END)
    assert text(accepted) == " + 2"


def test_a_request_comes_before_what_runs_ahead(typist: Typist) -> None:
    first = typist.ask("x = ")
    typist.llm.wait_for_call()
    typist.llm.write("1", END)
    typist.suggester.shown(at("x = "), first.result(timeout=60))
    typist.llm.wait_for_call()
    other = typist.ask("y = ")
    typist.llm.wait_for_call()
    typist.llm.write("2", END)
    assert text(other) == "2"
    assert typist.llm.ends == ["stop", "cancelled", "stop"]


def test_warming_evaluates_the_prompt_only_and_steps_aside(typist: Typist) -> None:
    typist.suggester.warm(at("x = "))
    typist.llm.wait_for_call()
    assert typist.llm.calls[0][1].max_tokens == 0
    asked = typist.ask("x = ")
    typist.llm.wait_for_call()
    assert typist.llm.calls[0][0] == typist.llm.calls[1][0]
    typist.llm.write("1", END)
    assert text(asked) == "1"
    assert typist.llm.ends == ["cancelled", "stop"]


def test_a_place_that_is_being_warmed_is_not_begun_anew(typist: Typist) -> None:
    typist.suggester.warm(at("x = "))
    typist.llm.wait_for_call()
    typist.suggester.warm(at("x = "))
    assert typist.suggester.counts["started"] == 1
    typist.suggester.warm(at("y = "))
    assert typist.suggester.counts["started"] == 2


def test_nothing_is_warmed_while_somebody_waits(typist: Typist) -> None:
    first = typist.ask("x = ")
    typist.llm.wait_for_call()
    typist.until_waited_for(1)
    typist.suggester.warm(at("y = "))
    typist.llm.write("1", END)
    assert text(first) == "1"
    assert len(typist.llm.calls) == 1


def test_line_ends_of_the_document_come_back(typist: Typist) -> None:
    first = typist.ask("def f(x):\r\n    ", "\r\n")
    typist.llm.wait_for_call()
    typist.llm.write("    a = 1\n    return a\n\n", "def g", END)
    assert text(first) == "a = 1\r\n    return a"
    again = typist.ask("def f(x):\r\n    a = 1\r\n", "\r\n").result(timeout=60)
    assert (again.text, again.reused) == ("    return a", True)


def test_who_was_overtaken_before_asking_leaves_the_run_of_the_other(typist: Typist) -> None:
    newer = typist.ask("x = c")
    typist.llm.wait_for_call()
    overtaken = Cancel()
    overtaken.cancel()
    assert typist.ask("x = ", cancel=overtaken).result(timeout=60).stop_reason == "cancelled"
    typist.llm.write("ompute()", END)
    assert text(newer) == "ompute()"
    assert len(typist.llm.calls) == 1


# first words


def test_first_words_are_shown_while_the_line_is_written(typist: Typist) -> None:
    first = typist.begun("x = ")
    typist.llm.wait_for_call()
    typist.llm.write("comp", "ute(a, b")
    done = first.result(timeout=60)
    assert (done.text, done.stop_reason) == ("compute", "begun")
    more = typist.begun("x = ", words=done.text)
    typist.llm.write(")", END)
    assert more.result(timeout=60).stop_reason == "line"
    assert text(more) == "compute(a, b)"
    assert len(typist.llm.calls) == 1


def test_the_rest_of_a_line_has_the_context_of_its_beginning(typist: Typist, monkeypatch: pytest.MonkeyPatch) -> None:
    plan, context = Completer.plan, ("shop/prices.py:1-2",)
    monkeypatch.setattr(Completer, "plan", lambda *args, **kind: replace(plan(*args, **kind), context=context))
    first = typist.begun("x = ")
    typist.llm.wait_for_call()
    typist.llm.write("comp", "ute(a, b")
    assert first.result(timeout=60).context == context
    more = typist.begun("x = ", words=text(first))
    typist.until_waited_for(1)
    typist.llm.write(")", END)
    assert more.result(timeout=60).context == context
    assert more.result(timeout=60).reused


def test_first_words_are_not_remembered_and_stay_while_one_types_into_them(typist: Typist) -> None:
    first = typist.begun("x = ")
    typist.llm.wait_for_call()
    typist.llm.write("compute(", "a, b")
    assert text(first) == "compute"
    assert typist.suggester.known(at("x = ")) is None
    assert text(typist.begun("x = comp")) == "ute"
    assert len(typist.llm.calls) == 1


def test_others_use_the_same_prompt_and_step_aside_for_a_keystroke(typist: Typist) -> None:
    asked = at("x = ")
    first = typist.ask("x = ")
    typist.llm.wait_for_call()
    typist.llm.write("compute(a)", END)
    others = typist._pool.submit(typist.suggester.others, asked, first.result(10))
    typist.llm.wait_for_call()
    typist.llm.write("combine(a)", END)
    typist.llm.wait_for_call()
    typist.suggester.typed(at("x = c"))
    assert [other.text for other in others.result(10)] == ["combine(a)"]
    assert [(request, sampling.alternative) for request, sampling in typist.llm.calls] == [
        (typist.llm.calls[0][0], rank) for rank in range(3)
    ]


def test_others_are_neither_joined_nor_remembered_as_the_suggestion(typist: Typist) -> None:
    first = typist.ask("x = ")
    typist.llm.wait_for_call()
    typist.llm.write("compute(a)", END)
    completion = first.result(10)
    others = typist._pool.submit(typist.suggester.others, at("x = "), completion)
    for written in ("combine(a)", "call(a)"):
        typist.llm.wait_for_call()
        typist.llm.write(written, END)
    assert [other.text for other in others.result(10)] == ["combine(a)", "call(a)"]
    assert typist.suggester.others(at("x = "), completion) == others.result(10)
    known = typist.suggester.known(at("x = "))
    assert known is not None
    assert known.text == "compute(a)"


def test_warming_before_the_rest_of_a_line_makes_no_second_guess() -> None:
    llm = FakeLLM(["", ""], alternatives=True)
    suggester = Suggester(Completer(None, llm))
    suggester.warm(at("x = f(", ")\n"))
    assert suggester._run is not None
    suggester._run.join()
    assert [sampling.alternative for _, sampling in llm.calls] == [0]
