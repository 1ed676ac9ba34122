from __future__ import annotations

import threading

import pytest

from assistant.llama.cancel import InterruptingCancel
from assistant.llama.gate import GRANTED_STEP, MOST_OWED, SLICE, UNLIMITED, Gate


def never() -> bool:
    return False


def nothing() -> None:
    pass


def test_an_urgent_turn_interrupts_a_patient_one_and_comes_next():
    gate, order = Gate(), []
    interrupted = threading.Event()

    def urgent() -> None:
        with gate.urgent():
            order.append("urgent")

    thread = threading.Thread(target=urgent)
    with gate.patient(interrupted.set, never) as mine:
        assert mine
        thread.start()
        assert interrupted.wait(10)
        order.append("patient leaves")
    with gate.patient(nothing, never) as mine:  # waits for the urgent one
        assert mine
        order.append("patient again")
    thread.join(10)
    assert order == ["patient leaves", "urgent", "patient again"]


def test_a_patient_turn_can_be_given_up():
    gate = Gate()
    with gate.urgent(), gate.patient(nothing, lambda: True) as mine:
        assert not mine
    with gate.patient(nothing, lambda: True) as mine:  # nobody is in the way
        assert mine


class Clock:
    """Time that passes when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Race:
    """One question, and a client that completes without a pause; both count in the seconds of a clock.

    Each side computes by moving the clock, in a thread of its own as in the host. A completion moves it only once the
    question asks for its turn, so that no scheduler decides what is counted.
    """

    def __init__(self, *, steps: int, step: float) -> None:
        """A completion has ``steps`` steps of ``step`` seconds."""
        self.clock = Clock()
        self.gate = Gate(self.clock)
        self.waits: list[float] = []
        """What completions waited, at their beginning and between their steps."""
        self.completing = 0.0
        """Seconds that they computed."""
        self._steps, self._step = steps, step
        self._stop = threading.Event()

    def _complete(self) -> None:
        while not self._stop.is_set():
            asked = self.clock.now
            with self.gate.urgent() as turn:
                for _ in range(self._steps):
                    with turn() as most:
                        assert most == UNLIMITED
                        while not self.gate.asking and not self._stop.is_set():
                            pass
                        self.waits.append(self.clock.now - asked)
                        self.clock.now += self._step
                        self.completing += self._step
                        asked = self.clock.now

    def ask(self, steps: int, step: float) -> float:
        """Compute so many steps beside completions; seconds until that is done."""
        thread = threading.Thread(target=self._complete)
        thread.start()
        done = 0
        with self.gate.conversation():
            while done < steps:
                interrupted = threading.Event()
                with self.gate.patient(interrupted.set, never) as most:
                    if most == UNLIMITED:  # between two completions, and interrupted soon
                        assert interrupted.wait(30)
                        continue
                    assert most == GRANTED_STEP
                    self.clock.now += step
                    done += 1
                    assert not interrupted.is_set()
            took = self.clock.now
        self._stop.set()
        thread.join(30)
        assert not thread.is_alive()
        return took


@pytest.mark.parametrize(
    ("steps", "step", "asked"),
    [(1, 0.1, 0.1), (4, 0.05, 0.1), (1, 0.4, 0.1), (100, 0.1, 0.1), (3, 0.002, 0.1), (10, 0.1, 5.0), (1, 0.4, 2.0)],
)
def test_a_question_has_half_of_the_time_beside_completions_without_an_end(steps: int, step: float, asked: float):
    race = Race(steps=steps, step=step)
    took = race.ask(100, asked)
    assert took <= 2.2 * 100 * asked
    # Completions have the other half, and none waits long at a time.
    assert race.completing >= 0.45 * took
    assert max(race.waits) <= MOST_OWED + asked + 1e-9


def test_the_first_turn_comes_as_soon_as_completions_are_a_slice_ahead():
    clock = Clock()
    gate = Gate(clock)
    clock.now = 100.0  # whatever completions took before the question came
    with gate.urgent() as turn, gate.conversation():
        asked: list[int] = []

        def ask() -> None:
            with gate.patient(nothing, never) as most:
                asked.append(most)
                clock.now += SLICE

        thread = threading.Thread(target=ask)
        thread.start()
        while not gate.asking:
            pass
        for _ in range(4):
            with turn() as most:
                assert most == UNLIMITED
                clock.now += SLICE / 4
                assert asked == []
        with turn() as most:  # a long completion makes room between two of its steps
            assert most == UNLIMITED
            assert asked == [GRANTED_STEP]
        thread.join(10)


def test_a_completion_given_up_while_it_makes_room_has_no_further_step():
    clock = Clock()
    gate = Gate(clock)
    given_up = threading.Event()
    with gate.conversation():
        released = threading.Event()
        entered = threading.Event()

        def ask() -> None:
            with gate.patient(nothing, never) as most:
                assert most == GRANTED_STEP
                entered.set()
                assert released.wait(30)

        thread = threading.Thread(target=ask)
        with gate.urgent(given_up.is_set) as turn:
            thread.start()
            while not gate.asking:
                pass
            with turn() as most:
                assert most == UNLIMITED
                clock.now += SLICE
            threading.Thread(target=lambda: (entered.wait(30), given_up.set())).start()
            with turn() as most:
                assert most == 0
            with turn() as most:
                assert most == 0
        released.set()
        thread.join(10)
    with gate.urgent() as turn, turn() as most:  # nobody holds it
        assert most == UNLIMITED


def test_after_time_to_itself_a_question_holds_up_no_completion_at_first():
    clock = Clock()
    gate = Gate(clock)
    with gate.conversation():
        with gate.patient(nothing, never):
            clock.now += 60
        for _ in range(8):  # somebody types: 0.8 s of completions, each after a pause in which the question went on
            with gate.urgent() as turn:
                for _ in range(2):
                    with turn() as most:
                        assert most == UNLIMITED
                        clock.now += 0.05
            assert not gate.question_first
            with gate.patient(nothing, never) as most:
                assert most == UNLIMITED
                clock.now += 0.1


def test_a_question_that_asks_for_no_turn_holds_up_no_completion():
    clock = Clock()
    gate = Gate(clock)
    with gate.conversation():
        for _ in range(5):
            with gate.urgent() as turn:
                for _ in range(5):
                    with turn() as most:
                        assert most == UNLIMITED
                        clock.now += SLICE


def test_two_questions_that_follow_each_other_begin_with_nothing_owed():
    clock = Clock()
    gate = Gate(clock)
    for _ in range(2):
        with gate.conversation():
            with gate.urgent() as turn, turn():
                clock.now += 2 * SLICE
            with gate.patient(nothing, never) as most:
                assert most == UNLIMITED
        assert not gate.question_first


def test_without_a_question_completions_never_wait_between_their_steps():
    clock = Clock()
    gate = Gate(clock)
    with gate.urgent() as turn:
        for _ in range(50):
            with turn() as most:
                assert most == UNLIMITED
                clock.now += 1.0
    with gate.idle(nothing, never) as most:
        assert most == UNLIMITED


def test_idle_work_steps_aside_for_an_answer_and_goes_on_behind_it():
    gate, order = Gate(), []
    interrupted = threading.Event()

    def answer() -> None:
        with gate.conversation():
            for n in range(2):
                with gate.patient(nothing, never):
                    order.append(f"answer {n}")

    thread = threading.Thread(target=answer)
    with gate.idle(interrupted.set, never) as most:
        assert most == UNLIMITED
        thread.start()
        assert interrupted.wait(10)
        order.append("idle leaves")
    with gate.idle(nothing, never) as most:
        order.append("idle again")
    thread.join(10)
    assert order == ["idle leaves", "answer 0", "answer 1", "idle again"]


def test_idle_work_steps_aside_for_a_completion_and_can_be_given_up():
    gate, order = Gate(), []
    interrupted = threading.Event()

    def complete() -> None:
        with gate.urgent():
            order.append("completion")

    thread = threading.Thread(target=complete)
    with gate.idle(interrupted.set, never):
        thread.start()
        assert interrupted.wait(10)
        order.append("idle leaves")
    with gate.idle(nothing, never):
        order.append("idle again")
    thread.join(10)
    assert order == ["idle leaves", "completion", "idle again"]
    with gate.conversation(), gate.idle(nothing, lambda: True) as most:
        assert most == 0


def test_a_conversation_that_ends_leaves_the_way_free():
    clock = Clock()
    gate = Gate(clock)
    with gate.conversation(), gate.urgent(), gate.patient(nothing, lambda: True) as most:
        assert most == 0
    clock.now += 60
    with gate.urgent():
        pass


def test_a_turn_ends_with_an_exception_too():
    gate = Gate()
    for _ in range(2):
        try:
            with gate.urgent():
                raise KeyError
        except KeyError:
            pass
    with gate.patient(nothing, never) as mine:
        assert mine


def test_cancelling_interrupts_at_once_and_only_while_attached():
    cancel, calls = InterruptingCancel(), []
    cancel.on_cancel(lambda: calls.append("running"))
    cancel.on_cancel(None)
    cancel.cancel()
    assert cancel.cancelled and calls == []
    cancel.on_cancel(lambda: calls.append("late"))
    assert calls == ["late"]
    cancel.cancel()
    assert calls == ["late", "late"]
