from __future__ import annotations

from types import SimpleNamespace

import pytest

from assistant.errors import HostError
from assistant.llama import context as module
from assistant.llama.context import Context, Evaluation
from tests.llama_fakes import FakeLibrary


@pytest.fixture
def library(monkeypatch):
    fake = FakeLibrary()
    monkeypatch.setattr(module, "library", lambda: fake)
    return fake


@pytest.fixture
def context(library):
    return Context(SimpleNamespace(handle=None), context_tokens=100, threads=1, micro_batch=32)


def test_only_what_is_new_is_evaluated(context, library):
    assert context.evaluate(list(range(50))) == Evaluation(50, True, 0)
    assert context.evaluate([*range(48), 7, 8, 9]) == Evaluation(3, True, 48)
    assert library.held == context.tokens == [*range(48), 7, 8, 9]


def test_prompts_are_evaluated_in_micro_batches(context, library):
    context.evaluate(list(range(70)))
    assert library.decoded == [32, 32, 6]


def test_the_last_token_is_always_evaluated(context, library):
    context.evaluate(list(range(20)))
    assert context.evaluate(list(range(20))) == Evaluation(1, True, 19)
    assert context.evaluate(list(range(10))) == Evaluation(1, True, 9)
    assert library.held == list(range(10))


def test_a_memory_that_cannot_be_cut_is_cleared(context, library):
    context.evaluate([1, 2, 3])
    library.can_cut = False
    assert context.evaluate([1, 2, 4]) == Evaluation(3, True)
    assert library.held == [1, 2, 4]


def test_cancel_stops_midway_and_what_was_done_is_kept(context, library):
    steps = iter([lambda: None, context.abort])
    library.before_decode = lambda: next(steps)()
    assert context.evaluate(list(range(90)), lambda: True) == Evaluation(32, False)
    assert context.tokens == library.held == list(range(32))
    library.before_decode = lambda: None
    assert context.evaluate(list(range(90))) == Evaluation(58, True, 32)


def test_stepping_aside_repeats_the_step_in_smaller_ones(context, library):
    steps = iter([context.abort])
    library.before_decode = lambda: next(steps, lambda: None)()
    assert context.evaluate(list(range(60))) == Evaluation(60, True)
    assert library.decoded == [16, 32, 12]


def test_append_steps_aside_or_gives_up(context, library):
    context.evaluate([1])
    steps = iter([context.abort])
    library.before_decode = lambda: next(steps, lambda: None)()
    assert context.append(2)
    library.before_decode = context.abort
    assert not context.append(3, lambda: True)
    assert context.tokens == library.held == [1, 2]


def test_a_failure_of_the_library_forgets_everything(context, library):
    context.evaluate([1, 2])
    library.result = -3
    with pytest.raises(HostError, match="could not evaluate"):
        context.evaluate([1, 2, 3])
    assert context.tokens == []


def test_too_little_memory_for_a_context(library, monkeypatch):
    monkeypatch.setattr(library, "llama_init_from_model", lambda model, params: None)
    with pytest.raises(HostError, match="not enough memory for a context of 1,000 tokens"):
        Context(SimpleNamespace(handle=None), context_tokens=1000, threads=1)
