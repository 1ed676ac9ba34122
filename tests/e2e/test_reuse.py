"""What the real model evaluates when the cursor moves, files are switched and work is aborted: counts, never times."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import assistant.config
import assistant.llama.client
from assistant.llama.context import Context
from assistant.llama.hosts import host_status
from assistant.llama.native import Model
from assistant.llama.reuse import MINIMUM
from assistant.llama.settings import MICRO_BATCH
from assistant.llm import LLM, FillRequest, Finished, Message, Sampling, Snippet
from tests.host_world import text_of

pytestmark = pytest.mark.e2e

FEW = Sampling(max_tokens=2)
NOTHING = Sampling(max_tokens=0)
FIRST = inspect.getsource(assistant.llama.client)
SECOND = inspect.getsource(assistant.config)


@pytest.fixture(scope="module")
def model(model_path: Path) -> Iterator[Model]:
    """The weights in this process."""
    made = Model(model_path)
    yield made
    made.close()


@pytest.fixture
def context(model: Model) -> Iterator[Context]:
    """A context that may do everything."""
    made = Context(model, context_tokens=1024, threads=1, shift=True, kept_bytes=32 << 20)
    yield made
    made.close()


def next_token(context: Context, model: Model) -> int:
    return context.best_of(np.arange(model.vocabulary_size, dtype=np.int32))


def positions(context: Context) -> tuple[int, int]:
    """The last position of both sequences, by the library."""
    last = context._lib.llama_memory_seq_pos_max
    return last(context._memory, 0), last(context._memory, 1)


def lines(text: str, first: int, last: int) -> str:
    return "".join(text.splitlines(keepends=True)[first:last])


def test_only_the_gaps_between_moved_runs_are_evaluated(model: Model, context: Context) -> None:
    head, passed, suffix, prefix, typed = (
        model.tokenise(text)
        for text in (
            "# head\n", lines(FIRST, 60, 63), lines(FIRST, 63, 80), lines(FIRST, 40, 60), "        return self._info\n"
        )
    )  # fmt: skip
    assert len(suffix) > MINIMUM and len(prefix) > MINIMUM
    context.evaluate([*head, *passed, *suffix, *prefix])
    prompt = [*head, *suffix, *prefix, *passed, *typed]  # the cursor moved down by three lines
    end = context.evaluate(prompt)
    assert end.complete and end.evaluated == len(passed) + len(typed)
    assert context.tokens == prompt and positions(context) == (len(prompt) - 1, -1)
    end = context.evaluate([*head, *passed, *suffix, *prefix])  # and up again
    assert end.complete and end.evaluated <= len(passed) + 1
    assert positions(context) == (len(context.tokens) - 1, -1)


def test_a_prompt_that_comes_back_goes_on_as_before(model: Model, context: Context) -> None:
    first, second = model.tokenise(lines(FIRST, 0, 20)), model.tokenise(lines(SECOND, 30, 50))
    context.evaluate(first)
    expected = next_token(context, model)
    context.evaluate(second)
    end = context.evaluate(first)
    assert (end.evaluated, end.restored) == (1, len(first) - 1)
    assert next_token(context, model) == expected
    assert positions(context) == (len(first) - 1, -1)


def test_an_abort_evaluates_at_most_one_step_more(model: Model, context: Context) -> None:
    prompt = model.tokenise(FIRST)[:1000]
    ends = []
    thread = threading.Thread(target=lambda: ends.append(context.evaluate(prompt, lambda: True)))
    thread.start()
    while not context.tokens:
        pass
    before = len(context.tokens)
    context.abort()
    thread.join(120)
    assert not ends[0].complete
    assert len(context.tokens) - before <= MICRO_BATCH
    assert context.tokens == prompt[: ends[0].evaluated] and positions(context)[0] == ends[0].evaluated - 1
    rest = context.evaluate(prompt[:300])
    assert rest.complete and rest.evaluated == max(1, 300 - ends[0].evaluated)


def test_an_abort_in_a_gap_loses_nothing_that_is_behind_it(model: Model, context: Context) -> None:
    head, gap, tail = model.tokenise("# head\n"), model.tokenise(SECOND)[:400], model.tokenise(lines(FIRST, 40, 70))
    context.evaluate([*head, *tail])
    prompt = [*head, *gap, *tail, *head]
    ends = []
    thread = threading.Thread(target=lambda: ends.append(context.evaluate(prompt, lambda: True)))
    thread.start()
    while len(context.tokens) < len(head) + 20:
        pass
    context.abort()
    thread.join(120)
    assert not ends[0].complete and len(context.tokens) < len(head) + len(gap)
    assert positions(context)[0] == len(context.tokens) - 1
    rest = context.evaluate(prompt)
    assert rest.complete and ends[0].evaluated + rest.evaluated == len(gap) + len(head)
    assert context.tokens == prompt and positions(context) == (len(prompt) - 1, -1)


def fill(llm: LLM, prefix: str, suffix: str, sampling: Sampling = FEW) -> Finished:
    return text_of(llm.fill(FillRequest("a.py", prefix, suffix), sampling))[1]


@pytest.mark.parametrize("moved", [3, -3])
def test_moving_the_cursor_by_three_lines_evaluates_hardly_more_than_these(llm: LLM, moved: int) -> None:
    at, to = 60, 60 + moved
    fill(llm, lines(FIRST, 30, at), lines(FIRST, at, 85))
    timings = fill(llm, lines(FIRST, 30, to), lines(FIRST, to, 85)).timings
    passed = llm.count([lines(FIRST, min(at, to), max(at, to))])[0]
    assert timings.prompt_tokens > 300
    assert timings.evaluated_tokens <= passed + 8
    assert timings.restored_tokens == 0


def test_a_replaced_snippet_evaluates_hardly_more_than_itself(llm: LLM) -> None:
    def ask(snippet: str) -> Finished:
        context = (Snippet("b.py", snippet), Snippet("c.py", lines(SECOND, 40, 60)))
        request = FillRequest("a.py", lines(FIRST, 40, 60), lines(FIRST, 60, 80), context)
        return text_of(llm.fill(request, FEW))[1]

    new = lines(SECOND, 90, 100)
    ask(lines(SECOND, 20, 35))
    timings = ask(new).timings
    assert timings.prompt_tokens > 400
    assert timings.evaluated_tokens <= llm.count([new])[0] + 8


def test_switching_between_files_evaluates_next_to_nothing(llm: LLM) -> None:
    one, other = (lines(FIRST, 20, 40), lines(FIRST, 40, 60)), (lines(SECOND, 10, 40), lines(SECOND, 40, 60))
    fill(llm, *one)
    fill(llm, *other)
    for prefix, suffix in (one, other, one):
        timings = fill(llm, prefix + "    x", suffix).timings
        assert timings.evaluated_tokens <= 6
        assert timings.restored_tokens > 200
        assert timings.reused_tokens + timings.evaluated_tokens == timings.prompt_tokens


def test_evaluating_ahead_makes_way_at_once_and_is_not_lost(llm: LLM, runtime_dir: Path) -> None:
    long = lines(SECOND, 60, 190)
    warmed: list[Finished] = []
    thread = threading.Thread(target=lambda: warmed.append(fill(llm, "x = ", long, NOTHING)))
    thread.start()
    while not any(status.busy for status in host_status(runtime_dir)):
        pass
    assert fill(llm, "def add(a, b):\n    return a", "\n").stop_reason != "cancelled"
    thread.join(120)
    assert warmed[0].stop_reason == "cancelled"
    before, after = warmed[0].timings, fill(llm, "x = ", long).timings
    assert after.prompt_tokens >= before.prompt_tokens
    assert before.evaluated_tokens < before.prompt_tokens
    if before.evaluated_tokens >= MICRO_BATCH:  # worth keeping
        assert after.reused_tokens >= before.evaluated_tokens


def test_an_answer_gets_on_beside_completions_without_a_pause(llm: LLM) -> None:
    stop = threading.Event()
    count = 0

    def complete() -> None:
        nonlocal count
        while not stop.is_set():
            fill(llm, f"def add(a, b):\n    # {count}\n    return a", "\n")
            count += 1

    threads = [threading.Thread(target=complete) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        _, end = text_of(llm.chat([Message("user", "Count to three.")], Sampling(max_tokens=5)))
    finally:
        stop.set()
        for thread in threads:
            thread.join(120)
    assert end.timings.generated_tokens > 0
    assert count > 0
