"""Lanes: in turn, bounded, the latest of a key; nothing that waits is forgotten, nothing that runs is waited for."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future

import pytest

from assistant.llm import Cancel
from lsp.jobs import Debounce, DroppedError, Jobs, Lane, result
from lsp.memory import Housekeeping, give_back


class Held:
    """A lane whose only thread is busy until ``go``."""

    def __init__(self, **settings: int) -> None:
        self.lane = Lane("test", **settings)
        self._gate = threading.Event()
        begun = threading.Event()
        self.first: Future[bool] = self.lane.submit(lambda: begun.set() or self._gate.wait(10))
        assert begun.wait(10)

    def go(self) -> None:
        self._gate.set()
        assert self.first.result(10)


def test_jobs_of_a_lane_run_in_turn():
    held, seen = Held(), list[int]()
    jobs = [held.lane.submit(lambda n=n: seen.append(n)) for n in range(5)]
    held.go()
    for job in jobs:
        job.result(10)
    assert seen == [0, 1, 2, 3, 4]
    held.lane.close()


def test_the_latest_of_a_key_drops_the_one_that_waits():
    held = Held()
    old, other, new = (held.lane.submit(lambda v=v: v, key) for v, key in ((1, "a"), (2, "b"), (3, "a")))
    with pytest.raises(DroppedError):
        old.result(10)
    held.go()
    assert (other.result(10), new.result(10)) == (2, 3)
    held.lane.close()


def test_of_too_many_the_longest_waiting_is_dropped():
    held = Held(waiting=2)
    jobs = [held.lane.submit(lambda n=n: n) for n in range(3)]
    with pytest.raises(DroppedError):
        jobs[0].result(10)
    held.go()
    assert [job.result(10) for job in jobs[1:]] == [1, 2]
    held.lane.close()


def test_an_error_reaches_who_waits_and_the_lane_goes_on():
    lane = Lane("test")

    def broken() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        lane.submit(broken).result(10)
    assert lane.submit(lambda: 1).result(10) == 1
    lane.close()


def test_closing_drops_what_waits_and_takes_nothing_more():
    held = Held()
    waiting = held.lane.submit(lambda: 1)
    held.lane.close()
    for job in (waiting, held.lane.submit(lambda: 2)):
        with pytest.raises(DroppedError):
            job.result(10)
    held.go()


def test_a_chat_runs_while_every_completion_thread_is_busy():
    jobs, gate = Jobs(), threading.Event()
    for _ in range(10):
        jobs.completion.submit(lambda: gate.wait(10))
    assert jobs.chat.submit(lambda: "answer").result(10) == "answer"
    gate.set()
    jobs.close()


def test_whoever_is_cancelled_sets_the_flag():
    async def scene() -> Cancel:
        held, cancel = Held(), Cancel()
        task = asyncio.ensure_future(result(held.lane.submit(lambda: 1), cancel))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        held.go()
        held.lane.close()
        return cancel

    assert asyncio.run(scene()).cancelled


def test_only_the_last_of_a_burst_is_called():
    async def scene() -> list[int]:
        seen: list[int] = []
        debounce = Debounce(0.01)
        for number in range(5):
            debounce.call("key", lambda n=number: seen.append(n))
        debounce.call("gone", lambda: seen.append(99))
        debounce.cancel("gone")
        while not seen:
            await asyncio.sleep(0.005)
        debounce.close()
        return seen

    assert asyncio.run(scene()) == [4]


def test_memory_is_given_back_when_the_client_is_quiet_and_not_again_soon():
    async def scene() -> list[float]:
        now, given, lane = [0.0], list[float](), Lane("test")
        keeping = Housekeeping(lane, quiet=0.01, clock=lambda: now[0], work=lambda: given.append(now[0]))
        for moment in (0.0, 10.0, 59.0, 60.0):
            now[0] = moment
            for _ in range(3):
                keeping.heard()
            await asyncio.sleep(0.05)
            lane.submit(lambda: None).result(10)
        keeping.close()
        lane.close()
        return given

    assert asyncio.run(scene()) == [0.0, 60.0]


def test_giving_memory_back_harms_nothing():
    kept = [bytes(1000) for _ in range(1000)]
    give_back()
    assert len(kept) == 1000
