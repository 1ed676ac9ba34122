from __future__ import annotations

import json
import os
import stat

import pytest

from assistant.llama import place as module
from assistant.llama import threads
from assistant.llama.place import Address, HostPlace, HostState, prepare
from assistant.llama.settings import EngineSettings
from indexer.errors import StorageError
from tests.host_world import model_file

STATE = HostState(7, "secret", Address(path="/x"), "m.gguf", EngineSettings(threads=3))


def test_one_host_for_each_model_file_and_settings(tmp_path):
    path = model_file(tmp_path)
    place = HostPlace.of(tmp_path, path, EngineSettings())
    assert HostPlace.of(tmp_path, path, EngineSettings()) == place
    (tmp_path / "link.gguf").symlink_to(path)
    assert HostPlace.of(tmp_path, tmp_path / "link.gguf", EngineSettings()) == place
    assert HostPlace.of(tmp_path, path, EngineSettings(context_tokens=4096)) != place
    path.write_bytes(b"GGUF, another one")
    assert HostPlace.of(tmp_path, path, EngineSettings()) != place


def test_the_state_is_for_the_user_alone(tmp_path):
    place = HostPlace(tmp_path / "run" / "hosts", "host-1")
    prepare(place.folder)
    assert stat.S_IMODE(place.folder.stat().st_mode) == 0o700
    place.write(STATE)
    assert stat.S_IMODE(place.state_path.stat().st_mode) == 0o600
    assert place.read() == STATE
    assert HostPlace.all(tmp_path / "run") == [place]
    place.forget()
    assert place.read() is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"pid": 1}', '{"settings": {"unknown": 1}}', "\xff"])
def test_a_damaged_state_is_no_state(tmp_path, text):
    place = HostPlace(tmp_path, "host-1")
    place.state_path.write_text(text)
    assert place.read() is None


def test_what_another_version_wrote_beyond_ours_is_passed_over(tmp_path):
    place = HostPlace(tmp_path / "run" / "hosts", "host-1")
    prepare(place.folder)
    place.write(STATE)
    data = json.loads(place.state_path.read_text())
    place.state_path.write_text(json.dumps({**data, "new": 1, "settings": {**data["settings"], "newer": 2}}))
    assert place.read() == STATE


def test_an_open_folder_is_closed(tmp_path):
    folder = tmp_path / "hosts"
    folder.mkdir(mode=0o777)
    prepare(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_folder_of_another_user_is_refused(tmp_path, monkeypatch):
    other = os.geteuid() + 1
    monkeypatch.setattr(module.os, "geteuid", lambda: other)
    with pytest.raises(StorageError, match="belongs to another user"):
        prepare(tmp_path / "hosts")


def test_the_lock_has_one_holder(tmp_path):
    place = HostPlace(tmp_path, "host-1")
    with place.lock() as first:
        assert first
        with place.lock() as second:
            assert not second
    with place.lock() as third:
        assert third


def test_a_path_too_long_for_a_socket_means_loopback(tmp_path):
    assert HostPlace(tmp_path / ("x" * 200), "host-1").address() == Address()
    short = HostPlace(tmp_path.parent, "h").address()
    assert short.path or len(os.fsencode(tmp_path.parent)) > 90


@pytest.fixture
def machine(tmp_path, monkeypatch):
    def make(siblings: list[str], quota: str) -> None:
        for cpu, text in enumerate(siblings):
            folder = tmp_path / f"cpu{cpu}" / "topology"
            folder.mkdir(parents=True)
            (folder / "thread_siblings_list").write_text(f"{text}\n")
        (tmp_path / "cpu.max").write_text(quota)
        monkeypatch.setattr(threads, "_TOPOLOGY", tmp_path)
        monkeypatch.setattr(threads, "_QUOTA", tmp_path / "cpu.max")
        monkeypatch.setattr(threads.os, "sched_getaffinity", lambda _: set(range(len(siblings))), raising=False)

    return make


@pytest.mark.parametrize(
    ("siblings", "quota", "expected"),
    [
        (["0"], "max 100000", 1),
        (["0", "1"], "max 100000", 2),
        (["0", "1", "2", "3"], "max 100000", 3),
        (["0,4", "1,5", "2,6", "3,7"] * 2, "max 100000", 3),
        (["0,1", "0,1"], "max 100000", 1),
        ([str(n) for n in range(16)], "400000 100000", 3),
        ([str(n) for n in range(16)], "50000 100000", 1),
    ],
)
def test_threads_leave_a_core_to_the_editor(machine, siblings, quota, expected):
    machine(siblings, quota)
    assert threads.default_threads() == expected


def test_threads_without_topology(tmp_path, monkeypatch):
    monkeypatch.setattr(threads, "_TOPOLOGY", tmp_path / "none")
    monkeypatch.setattr(threads, "_QUOTA", tmp_path / "none")
    monkeypatch.setattr(threads.os, "sched_getaffinity", lambda _: {0, 1, 2}, raising=False)
    assert threads.usable_cores() == 3
