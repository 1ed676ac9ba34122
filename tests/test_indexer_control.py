from __future__ import annotations

import os
import sys
import threading

import pytest

from indexer import Index, IndexConfig
from indexer.control import Control, Pace, give_way


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


def test_pace_is_measured_over_the_last_seconds(clock):
    pace = Pace()
    assert pace.at(0, 1000) == (0.0, None)
    clock[0] += 1
    assert pace.at(100, 1000) == (100.0, 9.0)
    for _ in range(20):  # a machine that got slower
        clock[0] += 1
        rate, left = pace.at(100 + 10, 1000)
    assert (rate, left) == (0.0, None), "nothing moved for longer than the window"


def test_a_pause_is_no_slowness(clock):
    pace = Pace()
    pace.at(0, 1000)
    clock[0] += 3600
    pace.rest()
    pace.at(500, 1000)
    clock[0] += 1
    assert pace.at(600, 1000) == (100.0, 4.0)


def test_control_pauses_resumes_and_cancels():
    control = Control()
    control.wait()
    control.pause()
    assert control.paused
    passed = threading.Event()
    thread = threading.Thread(target=lambda: (control.wait(), passed.set()))
    thread.start()
    assert not passed.is_set()
    control.resume()
    thread.join(30)
    assert (passed.is_set(), control.paused, control.cancelled) == (True, False, False)
    control.pause()
    control.cancel()
    control.wait()
    control.pause()
    assert (control.cancelled, control.paused) == (True, False), "what is cancelled does not wait"


@pytest.mark.skipif(sys.platform != "linux", reason="threads have priorities of their own on Linux only")
def test_giving_way_concerns_one_thread_only():
    before = os.getpriority(os.PRIO_PROCESS, 0)
    inside = []

    def work():
        give_way()
        inside.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(30)
    assert (inside, os.getpriority(os.PRIO_PROCESS, 0)) == ([19], before)


def test_kept_workers_serve_update_after_update_and_end_with_the_index(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.py").write_text("def one(): pass\n")
    index = Index.open(root, IndexConfig(cache_dir=tmp_path / "cache", workers=1, background=True), create=True)
    index.keep_workers()
    pids = set()
    threads = []

    def update(number):
        (root / "a.py").write_text(f"def version{number}(): pass\n" * (number + 1))
        index.update(paths=["a.py"] if number else None)
        pids.update(index._pool.pids)

    for number in range(3):  # each from a thread of its own: giving way is for good
        threads.append(threading.Thread(target=update, args=(number,)))
        threads[-1].start()
        threads[-1].join(60)
    assert index.symbols("version2")
    (pid,) = pids
    assert os.getpriority(os.PRIO_PROCESS, pid) == 19
    index.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
