from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest

from assistant.errors import DamagedModelError, HostError, ModelError, NoModelError
from assistant.llama import client as module
from assistant.llama import starter
from assistant.llama.client import HostedLLM, HostSettings
from assistant.llama.hosts import stop_host
from assistant.llama.place import HostPlace
from assistant.llama.settings import EngineSettings
from assistant.llm import Cancel, Delta, FillRequest, Sampling
from indexer.errors import CancelledError, StorageError
from tests.fakes import FakeLLM
from tests.host_world import SlowLLM, model_file, serving, user

pytestmark = pytest.mark.slow
"""Processes of their own, for parts that seldom change."""


def client(folder, path=None) -> HostedLLM:
    return HostedLLM(path or model_file(folder), HostSettings(runtime_dir=folder / "run"))


def fake_process(folder, script: str) -> None:
    """An executable that stands in for the Python that would run the host."""
    folder.mkdir(exist_ok=True)
    program = folder / "python"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def test_a_model_that_is_not_there(tmp_path):
    with pytest.raises(NoModelError, match=r"The model file .*gone.gguf is not there") as caught:
        client(tmp_path, tmp_path / "gone.gguf").count(["x"])
    assert "codemoat models pull" in caught.value.hint


@pytest.mark.parametrize(
    ("content", "sentence"), [(b"<html>", "is not a GGUF model file"), (b"", "is not a GGUF"), (b"GGUF", "is damaged")]
)
def test_a_file_that_is_no_model_is_named_by_the_host(tmp_path, content, sentence):
    path = tmp_path / "bad.gguf"
    path.write_bytes(content)
    with pytest.raises(DamagedModelError, match=sentence):
        client(tmp_path, path).count(["x"])


def gguf(*pairs: tuple[bytes, int, bytes], count: int | None = None) -> bytes:
    """A GGUF file of metadata only: (key, type, value as it is written)."""
    written = b"".join(struct.pack("<Q", len(k)) + k + struct.pack("<I", kind) + value for k, kind, value in pairs)
    return b"GGUF" + struct.pack("<IQQ", 3, 0, len(pairs) if count is None else count) + written


QWEN = (b"general.architecture", 8, struct.pack("<Q", 5) + b"qwen2")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (gguf((b"general.architecture", 8, struct.pack("<Q", 2) + b"\xff\xfe")), "does not know the kind of model"),
        (gguf((b"general.architecture", 4, struct.pack("<I", 3))), "is damaged"),
        (gguf(QWEN, count=2**60), "is damaged"),
        (gguf((b"k", 8, struct.pack("<Q", 2**63) + b"x")), "is damaged"),
        # llama.cpp ends its process at this one, and prints what must not be taken for a report.
        (gguf(QWEN, (b"qwen2.block_count", 4, struct.pack("<I", 2**32 - 1))), "could not start|is damaged"),
    ],
)
def test_metadata_that_are_nonsense_are_one_sentence(tmp_path, content, sentence):
    path = tmp_path / "bad.gguf"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=sentence):
        client(tmp_path, path).count(["x"])
    for log in (tmp_path / "run" / "hosts").glob("*.log"):
        assert "Traceback" not in log.read_text() and "gdb" not in log.read_text()


def test_what_a_library_prints_is_no_report(tmp_path, monkeypatch):
    printing = "import os; os.write(1, b'loading {'); os.write(1, b'x' * 9)"
    script = f"from assistant.llama import host\nhost._keep_output()\n{printing}\nhost._tell({{'running': True}})\n"
    (tmp_path / "program.py").write_text(script)
    found = subprocess.run([sys.executable, tmp_path / "program.py"], capture_output=True, check=True)
    assert json.loads(found.stdout) == {"running": True}
    assert b"loading" in found.stderr


def test_a_host_that_dies_while_starting(tmp_path, monkeypatch):
    fake_process(tmp_path / "bin", "kill -9 $$")
    monkeypatch.setattr(starter.sys, "executable", str(tmp_path / "bin" / "python"))
    with pytest.raises(HostError, match=r"could not start \(signal 9\)"):
        client(tmp_path).count(["x"])


def test_progress_is_told_and_a_start_can_be_cancelled(tmp_path, monkeypatch):
    fake_process(tmp_path / "bin", 'echo \'{"progress": 0.5}\'; read forever < "$0.fifo"')
    os.mkfifo(tmp_path / "bin" / "python.fifo")
    monkeypatch.setattr(starter.sys, "executable", str(tmp_path / "bin" / "python"))
    cancel, told = Cancel(), []

    def progress(fraction: float) -> None:
        told.append(fraction)
        cancel.cancel()

    llm = HostedLLM(model_file(tmp_path), HostSettings(runtime_dir=tmp_path / "run"), progress=progress)
    with pytest.raises(CancelledError):
        next(iter(llm.chat(user("q"), Sampling(), cancel)))
    assert told == [0.5]
    (tmp_path / "bin" / "python.fifo").write_text("go\n")  # let the process end


def test_a_host_that_vanishes_in_mid_answer(tmp_path):
    slow = SlowLLM()
    place = HostPlace.of(tmp_path / "run", model_file(tmp_path), EngineSettings())
    llm = client(tmp_path)
    with serving(slow, place) as (_, thread):
        stream = llm.fill(FillRequest("a.py", "f", ""), Sampling())
        slow.step("f")
        assert next(stream) == Delta("f0 ")
        stop_host(tmp_path / "run")
        thread.join(10)
        with pytest.raises(HostError, match="stopped in the middle of the answer"):
            list(stream)
    with serving(FakeLLM(), place):
        assert llm.count(["a b"]) == [3]
    with serving(FakeLLM(), place):  # the connection that stayed open is opened again
        assert llm.count(["a b"]) == [3]
        llm.close()


def test_a_deleted_model_is_served_on_but_not_started_again(tmp_path):
    path = model_file(tmp_path)
    place = HostPlace.of(tmp_path / "run", path, EngineSettings())
    llm = client(tmp_path)
    with serving(FakeLLM(["one"]), place):
        assert llm.count(["a"]) == [1]
        path.unlink()
        assert next(llm.chat(user("q"), Sampling())) == Delta("one")
        with pytest.raises(NoModelError):
            client(tmp_path, path).count(["a"])
    with pytest.raises(NoModelError):
        llm.count(["a"])


def test_while_another_process_loads_the_host_nothing_is_started(tmp_path, monkeypatch):
    place = HostPlace.of(tmp_path / "run", model_file(tmp_path), EngineSettings())
    place.folder.mkdir(parents=True)
    monkeypatch.setattr(module, "start_host", lambda *_: pytest.fail("started a second host"))
    locked, asked, answers = threading.Event(), threading.Event(), []
    llm = client(tmp_path)
    real = HostPlace.lock

    @contextmanager
    def noticed(self):
        with real(self) as mine:
            if threading.current_thread() is thread:
                asked.set()
            yield mine

    def wait() -> None:
        locked.wait()
        answers.append(llm.count(["a b"]))

    def loading() -> None:
        locked.set()
        assert asked.wait(30), "the client looks for the lock while the host has it"

    monkeypatch.setattr(HostPlace, "lock", noticed)
    thread = threading.Thread(target=wait)
    thread.start()
    with serving(FakeLLM(), place, loading=loading):
        thread.join(30)
        llm.close()
    assert answers == [[3]]


def test_waiting_for_a_host_that_another_process_loads_can_be_stopped(tmp_path):
    place = HostPlace.of(tmp_path / "run", model_file(tmp_path), EngineSettings())
    place.folder.mkdir(parents=True)
    cancel = Cancel()
    with place.lock(), pytest.raises(CancelledError):
        threading.Timer(0.1, cancel.cancel).start()
        next(iter(client(tmp_path).chat(user("q"), Sampling(), cancel)))


def test_a_runtime_directory_that_cannot_be_made(tmp_path):
    (tmp_path / "run").write_text("a file in the way")
    with pytest.raises(StorageError):
        client(tmp_path).count(["x"])
