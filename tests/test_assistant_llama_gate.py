from __future__ import annotations

import threading

from assistant.llama.cancel import InterruptingCancel
from assistant.llama.gate import Gate


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
