from __future__ import annotations

import threading

from assistant.llama.cancel import InterruptingCancel
from assistant.llama.gate import GRANT, GRANTED_STEP, PATIENCE, UNLIMITED, Gate


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
    """Time that passes when told. ``first`` is when the thread that made it looked at it first since that was reset."""

    def __init__(self) -> None:
        self.now = 0.0
        self.first: float | None = None
        self._owner = threading.get_ident()

    def __call__(self) -> float:
        if self.first is None and threading.get_ident() == self._owner:
            self.first = self.now
        return self.now


def completions(gate, clock, *, seconds: float):
    """Completions without an end, each of ``seconds``; stops when told."""
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            with gate.urgent():
                clock.now += seconds

    threads = [threading.Thread(target=work) for _ in range(2)]  # two, so that one always waits
    for thread in threads:
        thread.start()

    def end() -> None:
        stop.set()
        for thread in threads:
            thread.join(30)
            assert not thread.is_alive()

    return end


def test_chat_gets_on_beside_completions_without_an_end():
    clock = Clock()
    gate = Gate(clock)
    end = completions(gate, clock, seconds=0.1)
    steps, waits = 0, []
    with gate.conversation():
        while steps < 30:
            clock.first = None
            interrupted = threading.Event()
            with gate.patient(interrupted.set, never) as most:
                assert most in (UNLIMITED, GRANTED_STEP)
                waits.append(clock.now - (clock.first or clock.now))
                clock.now += 0.05
                steps += not interrupted.is_set()
    end()
    # Two more completions may begin before the clock is looked at.
    assert max(waits) <= PATIENCE + 2 * 0.1 + 0.01


def test_a_granted_turn_is_short_and_not_interrupted():
    clock, calls = Clock(), []
    gate = Gate(clock)
    with gate.conversation():
        with gate.patient(lambda: calls.append("first"), never) as most:
            assert most == UNLIMITED
            other = threading.Thread(target=lambda: gate.urgent().__enter__())
            other.start()
            while not calls:
                pass
            clock.now += PATIENCE  # the step was in vain, and now it is too long
        with gate.patient(lambda: calls.append("granted"), never) as most:
            assert most == GRANTED_STEP
        with gate.patient(lambda: calls.append("granted"), never) as most:
            assert most == GRANTED_STEP
            clock.now += GRANT
        other.join(10)
        assert not other.is_alive()
    assert calls == ["first"]


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
    clock.now += 2 * PATIENCE
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
