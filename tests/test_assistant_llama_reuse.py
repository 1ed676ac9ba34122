"""Which tokens stay evaluated: plans for any two prompts, and a context that carries them out."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.llama import context as module
from assistant.llama.context import Context
from assistant.llama.reuse import HOLE, Run, common_prefix, find_runs, moves
from assistant.llama.states import MARGIN
from tests.llama_fakes import FakeLibrary

BYTES_A_TOKEN = 4  # of the fake library's states


def tokens(start: int, count: int) -> list[int]:
    return list(range(start, start + count))


A, B, C, D = (tokens(1000 * n, 60) for n in range(1, 5))
SMALL = st.lists(st.integers(0, 3), max_size=40)
"""Few different tokens, so that runs are everywhere."""
PARTS = st.lists(st.sampled_from([A, B, C, D, [1], [2, 3], tokens(50, 10)]), min_size=1, max_size=6)
"""Prompts of larger parts, as edits make them."""
PROMPTS = PARTS.map(lambda parts: [token for part in parts for token in part])


@pytest.mark.parametrize(
    ("left", "right", "length"),
    [([], [], 0), ([1], [], 0), ([1, 2, 3], [1, 2, 4], 2), ([1, 2], [1, 2, 3], 2), ([9], [1], 0), ([1, 2], [1, 2], 2)],
)
def test_common_prefix(left, right, length):
    assert common_prefix(left, right) == common_prefix(right, left) == length


def test_what_follows_removed_text_is_kept():
    assert find_runs([*A, *B, *C], [*A, *C, 1], 60) == [Run(120, 60, 60)]


def test_what_follows_inserted_text_is_kept():
    assert find_runs([*A, *C], [*A, *B, *C, 1], 60) == [Run(60, 120, 60)]


def test_a_replaced_piece_moves_what_follows():
    assert find_runs([*A, *B, *C], [*A, 1, 2, 3, *C, 4], 60) == [Run(120, 63, 60)]


def test_lines_that_the_cursor_passed_upwards_do_not_cost_the_long_runs():
    # suffix, prefix, lines -> lines, suffix, prefix: the lines could be moved too, but only instead of the rest
    lines = tokens(9000, 40)
    assert find_runs([*A, *B, *lines], [*lines, *A, *B, 1], 0) == [Run(0, 40, 120)]


def test_the_last_token_is_never_part_of_a_run():
    assert find_runs([*A, *B], [*A, 1, *B], 60) == [Run(60, 61, 59)]
    assert find_runs([*A, *B[:32]], [*A, 1, *B[:32]], 60) == []


def test_short_runs_are_not_worth_a_step():
    assert find_runs([*A, 1, *B[:31]], [*A, *B[:31], 2], 60) == []


def test_holes_are_no_tokens():
    assert find_runs([*A, HOLE, HOLE, *B], [*A, 1, 1, 1, *B, 1], 60) == [Run(62, 63, 60)]


class Counted(int):
    """A token that counts how often it is compared."""

    compared = 0

    def __eq__(self, other):
        Counted.compared += 1
        return int(self) == other

    __hash__ = int.__hash__


def test_a_text_of_one_token_takes_no_quadratic_time():
    held = [Counted(7) for _ in range(8000)]
    runs = find_runs(held, [8, *[7] * 8000], 0)
    assert sum(run.length for run in runs) >= 7000
    assert Counted.compared < 200 * len(held)


@given(SMALL, SMALL, st.integers(1, 4))
def test_runs_are_in_order_apart_and_the_same_tokens(held, prompt, minimum):
    keep = min(common_prefix(held, prompt), max(0, len(prompt) - 1))
    runs = find_runs(held, prompt, keep, minimum)
    source = target = keep
    for run in runs:
        assert run.length >= minimum
        assert run.source >= source and run.target >= target
        assert held[run.source : run.source_end] == prompt[run.target : run.target_end]
        source, target = run.source_end, run.target_end
    assert target < max(1, len(prompt))


@given(SMALL, SMALL, st.integers(1, 4))
def test_moving_runs_in_their_order_overwrites_none(held, prompt, minimum):
    runs = find_runs(held, prompt, 0, minimum)
    cells = {position: n for n, run in enumerate(runs) for position in range(run.source, run.source_end)}
    for run in moves(runs):
        mine = {position: cells.pop(position) for position in range(run.source, run.source_end)}
        moved = {position + run.shift: n for position, n in mine.items()}
        assert len(set(mine.values())) == 1 and not moved.keys() & cells.keys()
        cells |= moved
    assert cells == {position: n for n, run in enumerate(runs) for position in range(run.target, run.target_end)}


@pytest.fixture
def library(monkeypatch):
    fake = FakeLibrary(1000)
    monkeypatch.setattr(module, "library", lambda: fake)
    return fake


def make(**options) -> Context:
    return Context(SimpleNamespace(handle=None), context_tokens=1000, threads=1, micro_batch=32, **options)


def test_only_the_gaps_are_evaluated(library):
    context = make(shift=True)
    context.evaluate([*A, *B, *C, *D])
    library.decoded.clear()
    end = context.evaluate([*A, 1, 2, *C, 3, *D, 4])
    assert (end.evaluated, end.reused, end.complete) == (4, 180, True)
    assert library.held == context.tokens == [*A, 1, 2, *C, 3, *D, 4]
    assert library.decoded == [1, 1, 1, 1]


def test_the_step_that_shifts_is_small_and_cannot_be_aborted(library):
    context = make(shift=True)
    context.evaluate([*A, *C])
    library.decoded.clear()
    library.before_decode = context.abort
    assert not context.evaluate([*A, *B, *C, 1], lambda: True).complete
    assert library.decoded == [1]


def test_an_abort_in_a_gap_keeps_what_waits_behind_it(library):
    context = make(shift=True)
    context.evaluate([*A, *C])
    steps = iter([lambda: None, lambda: None, context.abort])
    library.before_decode = lambda: next(steps)()
    end = context.evaluate([*A, *B, *C, 1], lambda: True)
    assert (end.evaluated, end.reused, end.complete) == (33, 60, False)
    assert library.held == context.tokens == [*A, *B[:33]]
    library.before_decode = lambda: None
    end = context.evaluate([*A, *B, *C, 1])
    assert (end.evaluated, end.reused, end.complete) == (28, 153, True)
    assert library.held == [*A, *B, *C, 1]


@pytest.mark.parametrize("lacks", ["can_shift", "can_cut", "recurrent"])
def test_a_memory_that_cannot_shift_evaluates(library, lacks):
    setattr(library, lacks, lacks == "recurrent")
    context = make(shift=lacks != "can_cut")
    context.evaluate([*A, *B, *C])
    context.evaluate([*A, *C, 1])
    assert library.held == context.tokens == [*A, *C, 1]


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.data())
def test_after_any_prompts_and_aborts_the_context_holds_the_prompt(data):
    with pytest.MonkeyPatch.context() as patch:
        library = FakeLibrary(1000)
        patch.setattr(module, "library", lambda: library)
        context = make(shift=data.draw(st.booleans()), kept_bytes=data.draw(st.sampled_from([0, 600, 5000])))
        for _ in range(data.draw(st.integers(1, 6))):
            prompt = data.draw(PROMPTS)
            fails_at = data.draw(st.none() | st.integers(0, 6))
            calls = iter(range(1000))
            library.before_decode = lambda: context.abort() if next(calls) == fails_at else None  # noqa: B023
            before = sum(library.decoded)
            end = context.evaluate(prompt, lambda: True)
            context.resume()  # an abort during a step that cannot be aborted is still to come
            assert end.evaluated == sum(library.decoded) - before
            assert library.held == context.tokens == prompt[: end.evaluated + end.reused]
            assert end.complete or fails_at is not None
            assert 0 <= end.restored <= end.reused
            library.before_decode = lambda: None
            if end.complete and data.draw(st.booleans()):
                assert context.append(77)
                assert library.held == [*prompt, 77]


def test_a_prompt_that_was_left_comes_back(library):
    context = make(kept_bytes=10_000)
    context.evaluate([*A, *B])
    context.append(5)
    context.evaluate([*C, *D])
    back = context.evaluate([*A, *B, 6])
    assert (back.evaluated, back.reused, back.restored) == (1, 120, 120)
    there = context.evaluate([*C, *D])
    assert (there.evaluated, there.restored) == (1, 119)
    assert library.held == context.tokens == [*C, *D]


def test_nothing_is_kept_or_restored_for_little(library):
    context = make(kept_bytes=10_000)
    few = tokens(0, MARGIN - 1)
    context.evaluate(few)
    context.evaluate([*C, *D])
    assert context.evaluate(few).restored == 0


def test_what_is_kept_is_bounded_and_the_longest_unused_goes(library):
    context = make(kept_bytes=250 * BYTES_A_TOKEN)
    prompts = [tokens(1000 * n, 100) for n in range(4)]
    for prompt in prompts:
        context.evaluate(prompt)
    assert [context.evaluate(prompt).restored for prompt in (prompts[2], prompts[0])] == [99, 0]


def test_a_state_that_does_not_fit_back_is_forgotten(library):
    context = make(kept_bytes=10_000)
    context.evaluate([*A, *B])
    context.evaluate([*C, *D])
    library.can_restore = False
    end = context.evaluate([*A, *B])
    assert (end.evaluated, end.restored) == (120, 0)
    assert library.held == context.tokens == [*A, *B]
