"""When the model is asked, and for how much: rhythm and speed from a clock of the test's own."""

from __future__ import annotations

import pytest

from assistant.completion.pace import LONGEST_WAIT, Pace
from assistant.llm import Timings


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def typed_every(seconds: float, clock: Clock) -> Pace:
    pace = Pace(clock)
    assert pace.wait() == 0.0
    for _ in range(5):
        clock.now += seconds
        pace.keystroke()
    return pace


def test_a_burst_of_keys_is_waited_for_where_answers_take_longer_than_keys() -> None:
    clock = Clock()
    pace = typed_every(0.2, clock)
    pace.answered(Timings(100, 100, 5, 200.0, 100.0))
    assert pace.wait() == 0.0
    clock.now += 0.05
    pace.keystroke()
    assert pace.wait() == pytest.approx(0.1)
    clock.now += 0.08
    assert pace.wait() == pytest.approx(0.02)


def test_a_fast_machine_is_asked_at_once_and_a_hopeless_one_when_the_next_keystroke_is_late() -> None:
    clock = Clock()
    pace = typed_every(0.2, clock)
    pace.answered(Timings(100, 100, 5, 50.0, 50.0))
    assert pace.wait() == 0.0
    for _ in range(5):
        pace.answered(Timings(100, 100, 5, 900.0, 100.0))
    assert pace.wait() == pytest.approx(0.16)
    clock.now += 0.1
    assert pace.wait() == pytest.approx(0.06)
    clock.now += 1.0
    assert pace.wait() == 0.0
    assert LONGEST_WAIT <= 0.3


def test_pauses_are_no_rhythm() -> None:
    clock = Clock()
    pace = Pace(clock)
    for gap in (0.1, 0.1, 30.0, 0.1):
        clock.now += gap
        pace.keystroke()
    pace.answered(Timings(100, 100, 5, 900.0, 100.0))
    assert pace.wait() == pytest.approx(0.08)


def test_a_slow_machine_gets_less_context_and_a_busy_one_is_noticed() -> None:
    pace = Pace(Clock())
    assert pace.share(1200) == 1.0
    fast, slow = Timings(900, 900, 5, 2000.0, 100.0), Timings(900, 900, 5, 6000.0, 100.0)
    pace.answered(fast)
    assert (pace.share(1200), pace.busy) == (1.0, False)
    for _ in range(3):
        pace.answered(slow)
    assert (pace.share(1200), pace.busy) == (0.35, True)
    for _ in range(3):
        pace.answered(fast)
    assert [pace.share(1200) for _ in range(4)] == [0.5, 0.7, 0.7, 0.7]
    assert not pace.busy


def test_small_evaluations_say_nothing_about_speed() -> None:
    pace = Pace(Clock())
    pace.answered(Timings(900, 1, 5, 60.0, 100.0))
    assert pace.tokens_a_second is None
