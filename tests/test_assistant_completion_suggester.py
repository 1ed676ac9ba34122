"""Suggestions while somebody types: which requests reach the model, and what stops it. Counts, never times."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import pytest

from assistant.completion.completer import Completer
from assistant.completion.generation import Generation
from assistant.completion.request import Completion, CompletionRequest, CompletionSettings
from assistant.completion.reuse import Suggestion, SuggestionCache, follow
from assistant.completion.suggester import Suggester
from assistant.errors import HostError
from assistant.llm import Cancel, Delta, FillRequest, Finished, Generated, Sampling, Timings
from tests.fakes import FakeLLM

END = object()


class SteppedLLM(FakeLLM):
    """Writes what the test hands it, when it hands it: ``write`` for each call in turn, ``END`` ends a call."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[queue.SimpleQueue[object]] = []
        self.begun = threading.Semaphore(0)
        self.ends: list[str] = []
        self._model = threading.Lock()

    def fill(self, request: FillRequest, sampling: Sampling, cancel: Cancel | None = None) -> Iterator[Generated]:
        self.calls.append((request, sampling))
        pieces: queue.SimpleQueue[object] = queue.SimpleQueue()
        self.pieces.append(pieces)
        self.begun.release()
        return self._write(pieces, cancel or Cancel())

    def _write(self, pieces: queue.SimpleQueue[object], cancel: Cancel) -> Iterator[Generated]:
        with self._model:  # one after the other, as the model's host takes them
            yield from self._writing(pieces, cancel)

    def _writing(self, pieces: queue.SimpleQueue[object], cancel: Cancel) -> Iterator[Generated]:
        count = 0
        while not cancel.cancelled:
            try:
                piece = pieces.get(timeout=0.005)
            except queue.Empty:
                continue
            if piece is END:
                self.ends.append("stop")
                yield Finished("stop", Timings(100, 100, count, 1000.0, 50.0))
                return
            count += 1
            yield Delta(str(piece))
        self.ends.append("cancelled")
        yield Finished("cancelled", Timings(100, 100, count))

    def write(self, *pieces: object, call: int = -1) -> None:
        for piece in pieces:
            self.pieces[call].put(piece)

    def wait_for_call(self) -> None:
        assert self.begun.acquire(timeout=10)


def at(prefix: str, suffix: str = "\n", path: str = "a.py") -> CompletionRequest:
    return CompletionRequest(path, "python", 1, prefix, suffix)


class Typist:
    """A suggester over a stepped model, asked from threads as a server would."""

    def __init__(self, *, patience: float = 60.0, multiline: bool = True) -> None:
        self.llm = SteppedLLM()
        completer = Completer(None, self.llm, CompletionSettings(multiline=multiline))
        self.suggester = Suggester(completer, patience=patience)
        self._pool = ThreadPoolExecutor(4)

    def ask(self, prefix: str, suffix: str = "\n", cancel: Cancel | None = None) -> Future[Completion]:
        return self._pool.submit(self.suggester.suggest, at(prefix, suffix), cancel)

    def begun(self, prefix: str, suffix: str = "\n", words: str = "") -> Future[Completion]:
        """Asked by somebody who takes first words."""
        return self._pool.submit(lambda: self.suggester.suggest(at(prefix, suffix), begun=words))

    def until_waited_for(self, number: int) -> None:
        """Until so many wait for the run."""
        deadline = time.monotonic() + 10
        while self.suggester._run is None or self.suggester._run.waiting != number:
            assert time.monotonic() < deadline
            time.sleep(0.001)

    def close(self) -> None:
        self.suggester.close()
        self._pool.shutdown()


@pytest.fixture
def typist() -> Iterator[Typist]:
    made = Typist()
    yield made
    made.close()


def text(future: Future[Completion]) -> str:
    return future.result(timeout=10).text


# known suggestions


def test_typing_into_a_suggestion_asks_nothing(typist: Typist) -> None:
    first = typist.ask("x = ")
    typist.llm.wait_for_call()
    typist.llm.write("compute(", "a, b)", END)
    assert text(first) == "compute(a, b)"
    for typed in ("c", "com", "compute(a"):
        done = typist.ask("x = " + typed).result(timeout=10)
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
    again = typist.ask("x = ").result(timeout=10)
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
    assert first.result(timeout=10).stop_reason == "cancelled"
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
    assert first.result(timeout=10).stop_reason == "cancelled"
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
    assert first.result(timeout=10).stop_reason == "cancelled"
    assert typist.suggester.counts["stopped"] == 1


def test_a_run_that_nobody_waits_for_ends(typist: Typist) -> None:
    cancel = Cancel()
    first = typist.ask("x = ", cancel=cancel)
    typist.llm.wait_for_call()
    cancel.cancel()
    assert first.result(timeout=10).stop_reason == "cancelled"
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


# ahead of time


def test_what_follows_an_accepted_suggestion_is_generated_ahead(typist: Typist) -> None:
    first = typist.ask("x = ")
    typist.llm.wait_for_call()
    typist.llm.write("1", END)
    done = first.result(timeout=10)
    typist.suggester.shown(at("x = "), done)
    typist.llm.wait_for_call()
    typist.llm.write(" + 2", END)
    accepted = typist.ask("x = 1")
    assert text(accepted) == " + 2"
    assert len(typist.llm.calls) == 2


def test_a_request_comes_before_what_runs_ahead(typist: Typist) -> None:
    first = typist.ask("x = ")
    typist.llm.wait_for_call()
    typist.llm.write("1", END)
    typist.suggester.shown(at("x = "), first.result(timeout=10))
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
    again = typist.ask("def f(x):\r\n    a = 1\r\n", "\r\n").result(timeout=10)
    assert (again.text, again.reused) == ("    return a", True)


def test_who_was_overtaken_before_asking_leaves_the_run_of_the_other(typist: Typist) -> None:
    newer = typist.ask("x = c")
    typist.llm.wait_for_call()
    overtaken = Cancel()
    overtaken.cancel()
    assert typist.ask("x = ", cancel=overtaken).result(timeout=10).stop_reason == "cancelled"
    typist.llm.write("ompute()", END)
    assert text(newer) == "ompute()"
    assert len(typist.llm.calls) == 1


# first words


def test_first_words_are_shown_while_the_line_is_written(typist: Typist) -> None:
    first = typist.begun("x = ")
    typist.llm.wait_for_call()
    typist.llm.write("comp", "ute(a, b")
    done = first.result(timeout=10)
    assert (done.text, done.stop_reason) == ("compute(a,", "begun")
    more = typist.begun("x = ", words=done.text)
    typist.llm.write(")", END)
    assert more.result(timeout=10).stop_reason == "line"
    assert text(more) == "compute(a, b)"
    assert len(typist.llm.calls) == 1


def test_the_rest_of_a_line_has_the_context_of_its_beginning(typist: Typist, monkeypatch: pytest.MonkeyPatch) -> None:
    plan, context = Completer.plan, ("shop/prices.py:1-2",)
    monkeypatch.setattr(Completer, "plan", lambda *args, **kind: replace(plan(*args, **kind), context=context))
    first = typist.begun("x = ")
    typist.llm.wait_for_call()
    typist.llm.write("comp", "ute(a, b")
    assert first.result(timeout=10).context == context
    more = typist.begun("x = ", words=text(first))
    typist.llm.write(")", END)
    assert more.result(timeout=10).context == context
    assert more.result(timeout=10).reused


def test_first_words_are_not_remembered_and_stay_while_one_types_into_them(typist: Typist) -> None:
    first = typist.begun("x = ")
    typist.llm.wait_for_call()
    typist.llm.write("compute(", "a, b")
    assert text(first) == "compute(a,"
    assert typist.suggester.known(at("x = ")) is None
    assert text(typist.begun("x = comp")) == "ute(a,"
    assert len(typist.llm.calls) == 1
