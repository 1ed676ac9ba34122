from __future__ import annotations

import os
import re
import select
import signal
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import pytest

from indexer import workers
from indexer.analyse import analyse_file
from indexer.analysis import Analysis
from indexer.body import unpack
from indexer.config import IndexConfig
from indexer.errors import CancelledError, CodemoatError
from indexer.reports import Skipped
from indexer.workers import WorkerPool

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
TWO = IndexConfig(workers=2)
QUICK = IndexConfig(workers=2, parse_deadline=1.5)
"""For files that hang; on a busy machine files that do not may take as long."""
PATIENT = 30.0


@pytest.fixture
def tree(tmp_path):
    """Forty small files, and one each whose grammar hangs and crashes (both real, in the pinned pack)."""
    for number in range(40):
        (tmp_path / f"m{number:02}.py").write_text(f"def f{number}(x):\n    return g(x)\n\n\nLIMIT = {number}\n")
    (tmp_path / "hang.cbl").write_text("x\n")
    (tmp_path / "crash.md").write_text(">" * 50_000 + "\nlast words\n")
    return tmp_path


def small(tree: Path) -> list[str]:
    return [f"m{number:02}.py" for number in range(40)]


def gone(pids) -> bool:
    """Whether all processes end within a patient while; zombies whose parent is somebody else count as ended."""
    end = time.monotonic() + PATIENT
    left = list(pids)
    while left and time.monotonic() < end:
        left = [pid for pid in left if state(pid) not in ("", "Z")]
        time.sleep(0.01)
    return not left


def state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def test_every_file_comes_back_once_and_the_same_as_in_process(tree):
    paths = [*small(tree), "absent.py"]
    with WorkerPool(tree, QUICK) as pool:
        results = {result.path: result for result in pool.analyse(iter(paths))}
    assert sorted(results) == sorted(paths)
    assert isinstance(results.pop("absent.py"), Skipped)
    for path, result in results.items():
        assert result == analyse_file(tree, path, QUICK)
    one = results["m07.py"]
    assert isinstance(one, Analysis)
    assert [(s.kind, s.name) for s in unpack(one.body).symbols] == [("function", "f7"), ("constant", "LIMIT")]
    assert one.definitions.names == ["f7", "LIMIT"]
    assert (one.uses.names, one.uses.scopes, one.uses.total) == (["g"], ["f7"], 1)
    assert (one.language, one.problem, one.size) == ("python", None, len(one.text))


def test_words_of_each_chunk_are_counted(tmp_path):
    text = "".join(f"def read_{n}(path):\n    return open(path).read()  # größer\n\n\n" for n in range(80))
    (tmp_path / "a.py").write_text(text)
    found = analyse_file(tmp_path, "a.py", TWO)
    assert isinstance(found, Analysis) and len(found.chunks) > 2
    columns = (found.words.sizes, found.words.numbers, found.words.counts)
    sizes, numbers, counts = (struct.unpack(f"<{len(column) // 4}I", column) for column in columns)
    entries = iter(zip(numbers, counts, strict=True))
    for size, chunk in zip(sizes, found.chunks, strict=True):
        expected = Counter(re.findall(r"\w+", found.text[chunk.start_byte : chunk.end_byte].decode()))
        assert {found.words.words[number]: count for number, count in islice(entries, size)} == expected
    assert not list(entries)


def test_a_grammar_that_hangs_costs_one_file_its_syntax(tree):
    with WorkerPool(tree, QUICK) as pool:
        results = {result.path: result for result in pool.analyse([*small(tree)[:20], "hang.cbl", *small(tree)[20:]])}
    hung = results.pop("hang.cbl")
    assert isinstance(hung, Analysis)
    assert hung.problem == "Parsing took longer than 1.5 s; taken by lines."
    assert (hung.language, hung.text, len(hung.chunks)) == ("cobol", b"x\n", 1)
    assert len(results) == 40
    assert all(isinstance(result, Analysis) and result.problem is None for result in results.values())


def test_a_grammar_that_crashes_costs_one_file_its_syntax(tree):
    with WorkerPool(tree, IndexConfig(workers=1)) as pool:
        results = {result.path: result for result in pool.analyse([*small(tree)[:5], "crash.md", *small(tree)[5:]])}
    crashed = results.pop("crash.md")
    assert isinstance(crashed, Analysis)
    assert re.fullmatch(r"The parser crashed \(signal SIG[A-Z]+\); taken by lines\.", crashed.problem)
    assert crashed.chunks[-1].end_byte == len(crashed.text)
    assert [r for r in results.values() if not isinstance(r, Analysis) or r.problem] == []


def test_workers_killed_from_outside_lose_no_file(tree):
    with WorkerPool(tree, TWO) as pool:
        results = {}
        for result in pool.analyse(small(tree)):
            if len(results) == 5:
                os.kill(pool.pids[0], signal.SIGKILL)
            results[result.path] = result
    assert sorted(results) == small(tree)
    blamed = [result for result in results.values() if isinstance(result, Skipped) or result.problem]
    assert len(blamed) <= 1


class Polls:
    """A cancel flag that runs ``act`` (the number of the poll is its argument) and is set when that returns true."""

    def __init__(self, act):
        self.act, self.count = act, 0

    @property
    def cancelled(self):
        self.count += 1
        return self.act(self.count)


@pytest.fixture
def clock(monkeypatch):
    """The pool's clock, which goes by ``clock.now`` alone, in seconds."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(workers, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def stopped_worker(pool, clock, deadlines):
    """What becomes of a file whose worker gets no processor time for that many deadlines."""
    list(pool.analyse(["m00.py"]))
    (pid,) = pool.pids
    os.kill(pid, signal.SIGSTOP)

    def act(count):
        if count == 2:
            clock.now += deadlines * pool._config.parse_deadline
        elif count == 4 and pool.pids == [pid]:
            os.kill(pid, signal.SIGCONT)
        return count > 1_000

    (result,) = pool.analyse(["m01.py"], Polls(act))
    return result, pool.pids == [pid]


def test_a_worker_without_processor_time_is_not_blamed(tree, clock):
    with WorkerPool(tree, IndexConfig(workers=1)) as pool:
        result, same = stopped_worker(pool, clock, workers._STARVED)
    assert same and isinstance(result, Analysis) and result.problem is None


def test_a_worker_that_gets_no_processor_time_for_ever_is_given_up(tree, clock):
    with WorkerPool(tree, IndexConfig(workers=1)) as pool:
        result, same = stopped_worker(pool, clock, workers._STARVED + 1)
    assert (
        not same and isinstance(result, Analysis) and result.problem == "Parsing took longer than 5 s; taken by lines."
    )


def test_a_caller_that_is_slow_to_take_results_costs_no_worker(tree, clock):
    with WorkerPool(tree, IndexConfig(workers=1)) as pool:
        found = []
        for result in pool.analyse(small(tree)):
            found.append(result)
            if any(worker.jobs for worker in pool._workers) and len(found) % 8 == 0:
                select.select([worker.output for worker in pool._workers], [], [], 1.0)
                clock.now += 1_000
        assert clock.now
    assert [r for r in found if not isinstance(r, Analysis) or r.problem] == []


def test_cancelling_ends_the_work_and_its_workers(tree):
    with WorkerPool(tree, IndexConfig(workers=1, parse_deadline=60)) as pool:
        with pytest.raises(CancelledError):
            list(pool.analyse(["hang.cbl"], Polls(lambda count: count > 3)))
        assert pool.pids == []
        assert len(list(pool.analyse(small(tree)))) == 40


def test_leaving_the_results_midway_leaves_a_usable_pool(tree):
    with WorkerPool(tree, TWO) as pool:
        results = pool.analyse(small(tree))
        next(results)
        results.close()
        assert sorted(r.path for r in pool.analyse(small(tree))) == small(tree)
        pids = pool.pids
        assert pids
    assert pool.pids == []
    assert [pid for pid in pids if state(pid)] == []


def test_few_files_start_one_worker_and_many_the_configured_number(tree):
    with WorkerPool(tree, IndexConfig(workers=3)) as pool:
        assert pool.pids == []
        list(pool.analyse(small(tree)[:3]))
        assert len(pool.pids) == 1
        list(pool.analyse(small(tree)))
        assert len(pool.pids) == 3


def test_it_works_from_a_thread_and_ignores_modules_in_the_current_folder(tree, monkeypatch):
    for name in ("struct.py", "indexer.py", "msgspec.py"):
        (tree / name).write_text("raise RuntimeError('imported from the indexed folder')\n")
    monkeypatch.chdir(tree)
    found = []

    def work():
        with WorkerPool(tree, TWO) as pool:
            found.extend(pool.analyse([*small(tree), "struct.py"]))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(PATIENT)
    assert len(found) == 41
    assert all(isinstance(result, Analysis) for result in found)


SCRIPTED = """
import os, sys
sys.path.insert(0, sys.argv[1])
import msgspec
from indexer.frames import Answer, frame, take_frames
setup = bytearray()
while not take_frames(setup):
    setup += os.read(0, 1)
os.write(1, frame(msgspec.msgpack.encode(Answer(None, None, 0.0))))
os.read(0, 1)
os._exit(3)
"""


def test_a_file_that_fails_even_by_lines_is_skipped(tree, monkeypatch):
    monkeypatch.setattr(workers, "_COMMAND", SCRIPTED)
    with WorkerPool(tree, IndexConfig(workers=1)) as pool:
        assert list(pool.analyse(["m00.py", "m01.py"])) == [
            Skipped("m00.py", "The parser crashed (exit status 3), even by lines."),
            Skipped("m01.py", "The parser crashed (exit status 3), even by lines."),
        ]


def test_workers_that_do_not_start_are_one_clear_error(tree, monkeypatch):
    monkeypatch.setattr(workers, "_COMMAND", "raise SystemExit('no such module')")
    with WorkerPool(tree, TWO) as pool:
        with pytest.raises(CodemoatError, match=r"The parse processes do not start: no such module\.?") as caught:
            list(pool.analyse(small(tree)))
        assert "codemoat doctor" in caught.value.hint
        assert pool.pids == []


PARENT = """
import sys, threading
from pathlib import Path
from types import SimpleNamespace
from indexer.config import IndexConfig
from indexer.workers import WorkerPool

class Report:
    @property
    def cancelled(self):
        if len(pool.pids) == 2 and all(w.ready for w in pool._workers):
            print(*pool.pids, flush=True)
        return False

pool = WorkerPool(Path(sys.argv[1]), IndexConfig(workers=2, parse_deadline=0.25))
list(pool.analyse(["hang.cbl"] * 8, Report()))
"""


def test_no_worker_outlives_a_parent_that_is_killed(tree):
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(tree)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    pids = [int(word) for word in parent.stdout.readline().split()]
    assert len(pids) == 2 and all(state(pid) not in ("", "Z") for pid in pids)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert gone(pids)


# As PARENT, with workers that no deadline ends.
BUSY_PARENT = PARENT.replace("parse_deadline=0.25", "parse_deadline=3600")


@pytest.mark.parametrize("stopped", [False, True], ids=["busy in a grammar", "stopped"])
def test_workers_end_at_once_with_a_parent_that_is_killed(tree, stopped):
    """No deadline ends them, they do not read, and a stopped process could not even if it wanted."""
    command = [sys.executable, "-c", BUSY_PARENT, str(tree)]
    parent = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    pids = [int(word) for word in parent.stdout.readline().split()]
    assert len(pids) == 2
    if stopped:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    try:
        assert gone(pids)
    finally:
        for pid in pids:
            if state(pid) not in ("", "Z"):
                os.kill(pid, signal.SIGKILL)


def test_a_worker_whose_parent_is_gone_before_it_has_begun_ends(tree):
    command = [sys.executable, "-P", "-c", workers._COMMAND, str(ROOT)]
    for pipes in ({"stdin": subprocess.DEVNULL}, {"stdin": subprocess.PIPE, "stderr": broken_pipe()}):
        worker = subprocess.Popen(command, stdout=subprocess.DEVNULL, **{"stderr": subprocess.PIPE, **pipes})
        assert worker.wait(PATIENT) == 0
        for pipe in (worker.stdin, worker.stderr):
            if pipe is not None:
                assert not pipe.readable() or pipe.read() == b""
                pipe.close()
        if isinstance(pipes.get("stderr"), int):
            os.close(pipes["stderr"])


def broken_pipe() -> int:
    """The end for writing of a pipe that nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    return writer


def test_a_worker_that_cannot_be_killed_is_not_waited_for(tree, monkeypatch):
    """As one that reads from a file system that hangs."""
    waits = []

    def never(process, timeout=None):
        waits.append(timeout)
        raise subprocess.TimeoutExpired("worker", timeout)

    pool = WorkerPool(tree, TWO)
    list(pool.analyse(small(tree)))
    pids, processes = pool.pids, [worker.process for worker in pool._workers]
    monkeypatch.setattr(subprocess.Popen, "wait", never)
    pool.close()
    assert pool.pids == [] and len(waits) == 2 * len(pids) and None not in waits
    monkeypatch.undo()
    for process in processes:
        process.wait()


def test_a_worker_that_takes_nothing_in_is_given_up(tree, monkeypatch):
    """A buffer is larger than the pipe to a worker; a stopped worker must not stop its parent for ever."""
    buffer = b"x = 1\n" * 100_000
    with WorkerPool(tree, IndexConfig(workers=1)) as pool:
        pool.analyse_buffer("first.py", b"x = 1\n")
        (pid,) = pool.pids
        pool._workers[0]._patience = 0.1
        os.kill(pid, signal.SIGSTOP)
        found = []
        asking = threading.Thread(target=lambda: found.append(pool.analyse_buffer("m.py", buffer)), daemon=True)
        asking.start()
        try:
            asking.join(PATIENT)
            assert isinstance(found[0], Analysis) and "SIGKILL" in (found[0].problem or "")
        finally:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
            asking.join(PATIENT)


def test_a_worker_that_was_stopped_before_it_began_is_killed_too(tmp_path: Path) -> None:
    worker = workers._Worker(tmp_path, IndexConfig())
    os.kill(worker.process.pid, signal.SIGSTOP)
    workers.kill_workers()
    assert worker.process.wait(60) == -signal.SIGKILL
    worker.end()
    assert worker not in workers._alive
