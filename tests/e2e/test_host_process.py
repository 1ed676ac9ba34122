"""The host as a process: shared, killed, idle, started by several at once."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import threading
import time
from pathlib import Path

import pytest

from assistant.errors import DamagedModelError, HostError, NoModelError
from assistant.llama.hosts import host_status, stop_host
from assistant.llm import Delta, Message, Sampling
from tests.host_world import text_of

pytestmark = pytest.mark.e2e

TALK = [Message("user", "Count from one to twenty.")]


@pytest.fixture
def own_dir():
    folder = Path(tempfile.mkdtemp(prefix="cm"))
    yield folder
    stop_host(folder)
    shutil.rmtree(folder)


def wait_until_gone(pid: int) -> None:
    for _ in range(2000):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.01)
    pytest.fail(f"process {pid} is still there")


def test_clients_that_start_at_once_share_one_host(make_llm, own_dir):
    clients = [make_llm(runtime_dir=own_dir) for _ in range(4)]
    pids: list[int] = []
    threads = [threading.Thread(target=lambda c=c: pids.append(c.pid)) for c in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(pids) == 4 and len(set(pids)) == 1
    assert [status.pid for status in host_status(own_dir)] == pids[:1]
    for client in clients:
        client.close()
    assert stop_host(own_dir) == 1
    assert not [path for path in (own_dir / "hosts").iterdir() if path.suffix in {".sock", ".json"}]
    wait_until_gone(pids[0])


def test_a_host_killed_in_mid_answer_is_one_clear_error(make_llm, own_dir):
    llm = make_llm(runtime_dir=own_dir)
    pid = llm.pid
    stream = llm.chat(TALK, Sampling(max_tokens=400))
    assert isinstance(next(stream), Delta)
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(HostError) as caught:
        list(stream)
    assert caught.value.message == "The model host stopped in the middle of the answer."
    assert text_of(llm.chat(TALK, Sampling(max_tokens=3)))[1].stop_reason == "length"
    assert llm.pid != pid
    llm.close()


def test_the_host_leaves_when_idle(make_llm, own_dir):
    llm = make_llm(runtime_dir=own_dir, idle_seconds=0.2)
    pid = llm.pid
    llm.close()
    wait_until_gone(pid)
    assert host_status(own_dir) == []
    assert not list((own_dir / "hosts").glob("*.sock"))


def test_a_terminated_host_cleans_up(make_llm, own_dir):
    llm = make_llm(runtime_dir=own_dir)
    pid = llm.pid
    os.kill(pid, signal.SIGTERM)
    wait_until_gone(pid)
    assert not list((own_dir / "hosts").glob("*.json"))
    llm.close()


def test_nothing_of_a_prompt_is_written(make_llm, own_dir):
    llm = make_llm(runtime_dir=own_dir)
    text_of(llm.chat([Message("user", "xyzzy-secret")], Sampling(max_tokens=3)))
    written = b"".join(path.read_bytes() for path in (own_dir / "hosts").iterdir() if path.is_file())
    assert b"xyzzy" not in written
    llm.close()


def test_a_model_deleted_while_used_is_served_to_the_end(make_llm, own_dir, model_path):
    copy = own_dir / "copy.gguf"
    try:
        copy.hardlink_to(model_path)
    except OSError:
        shutil.copy(model_path, copy)
    llm = make_llm(copy, runtime_dir=own_dir)
    pid = llm.pid
    copy.unlink()
    assert text_of(llm.chat(TALK, Sampling(max_tokens=3)))[1].stop_reason == "length"
    os.kill(pid, signal.SIGKILL)
    wait_until_gone(pid)
    with pytest.raises(NoModelError, match="is not there"):
        text_of(llm.chat(TALK, Sampling(max_tokens=3)))


@pytest.mark.parametrize("share", [0.001, 0.5, 0.999])
def test_a_truncated_model_is_named(make_llm, own_dir, model_path, share):
    cut = own_dir / "cut.gguf"
    size = int(model_path.stat().st_size * share)
    with model_path.open("rb") as source, cut.open("wb") as target:
        target.write(source.read(min(size, 8 << 20)))  # the header; the rest may be a hole
        target.truncate(size)
    with pytest.raises(DamagedModelError, match="damaged or incomplete") as caught:
        make_llm(cut, runtime_dir=own_dir).count(["x"])
    assert "codemoat models verify" in caught.value.hint
