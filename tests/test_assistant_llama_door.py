"""Files and sockets of the model host that are not this user's alone count as not there."""

from __future__ import annotations

import os
import socket
import stat

import pytest

from assistant.llama import door
from assistant.llama.client import HostedLLM, HostSettings
from assistant.llama.place import Address, HostPlace, HostState, prepare
from assistant.llama.settings import EngineSettings
from assistant.llama.starter import _launch
from assistant.llama.wire import connect
from indexer.errors import StorageError
from tests.fakes import FakeLLM
from tests.host_world import model_file, serving

STATE = HostState(7, "secret", Address(path="/x"), "m.gguf", EngineSettings())


@pytest.fixture
def place(tmp_path):
    found = HostPlace(tmp_path / "run" / "hosts", "host-1")
    prepare(found.folder)
    found.write(STATE)
    assert found.read() == STATE
    return found


def another_user(monkeypatch) -> None:
    other = os.getuid() + 1
    monkeypatch.setattr(door.os, "getuid", lambda: other)


def as_link(place):
    place.state_path.rename(place.folder / "elsewhere.json")
    place.state_path.symlink_to(place.folder / "elsewhere.json")


def as_pipe(place):
    place.state_path.unlink()
    os.mkfifo(place.state_path)


def as_folder(place):
    place.state_path.unlink()
    place.state_path.mkdir()


def as_huge(place):
    with place.state_path.open("a") as file:
        file.write(" " * 70_000)


def as_open(place):
    place.state_path.chmod(0o644)


def as_nested(place):
    place.state_path.write_text("[" * 60_000)


def as_wrong_types(place):
    place.state_path.write_text(
        '{"pid": "7", "token": 1, "model": [], "address": {"path": 3, "port": "x"}, "settings": {}}'
    )


def as_open_folder(place):
    place.folder.chmod(0o755)


def as_linked_folder(place):
    place.folder.rename(place.folder.parent / "real")
    place.folder.symlink_to(place.folder.parent / "real")


HARMS = [as_link, as_pipe, as_folder, as_huge, as_open, as_nested, as_wrong_types, as_open_folder, as_linked_folder]


@pytest.mark.parametrize("harm", HARMS)
def test_a_state_that_somebody_else_could_have_put_there_is_no_state(place, harm):
    harm(place)
    assert place.read() is None
    assert place.findable("secret") is False


def test_a_state_of_another_user_is_no_state(place, monkeypatch):
    another_user(monkeypatch)
    assert place.read() is None


@pytest.mark.parametrize("kind", ["link", "pipe", "file"])
def test_the_state_is_never_written_through_what_is_in_the_way(place, kind):
    new = place.state_path.with_suffix(".new")
    victim = place.folder / "victim"
    victim.write_text("precious")
    if kind == "link":
        new.symlink_to(victim)
    elif kind == "pipe":
        os.mkfifo(new)
    else:
        new.write_text("old")
    place.write(STATE)
    assert place.read() == STATE
    assert stat.S_IMODE(place.state_path.stat().st_mode) == 0o600
    assert victim.read_text() == "precious"


def test_a_state_that_cannot_be_written_is_one_sentence(place):
    place.state_path.unlink()
    place.state_path.mkdir()
    with pytest.raises(StorageError, match="Writing the model host's state"):
        place.write(STATE)


def test_the_log_is_never_written_through_a_link(place, tmp_path, monkeypatch):
    victim = place.folder / "victim"
    victim.write_text("precious")
    place.log_path.symlink_to(victim)
    monkeypatch.setattr("assistant.llama.starter.sys.executable", "/bin/true")
    process = _launch(place, model_file(tmp_path), EngineSettings(), 1.0)
    assert process.stdout is not None
    process.stdout.close()
    process.wait()
    assert victim.read_text() == "precious"
    assert stat.S_IMODE(place.log_path.lstat().st_mode) == 0o600


def test_a_linked_folder_is_refused(tmp_path):
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "hosts").symlink_to(tmp_path / "real")
    with pytest.raises(StorageError, match="is a symbolic link"):
        prepare(tmp_path / "hosts")


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "hosts").write_text("")
    with pytest.raises(StorageError, match="is not a folder"):
        prepare(tmp_path / "hosts")


def test_a_folder_whose_parent_everybody_may_write_is_refused(tmp_path):
    parent = tmp_path / "run"
    parent.mkdir()
    parent.chmod(0o777)
    with pytest.raises(StorageError, match="Every user may write"):
        prepare(parent / "hosts")
    parent.chmod(0o1777)  # like /tmp: nobody can replace another's folder
    prepare(parent / "hosts")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
@pytest.mark.parametrize("which", ["run", "run/hosts"])
def test_folders_of_another_user_are_refused(place, which):
    os.chown(place.folder.parent.parent / which, 65534, 65534)
    assert which == "run" or place.read() is None
    with pytest.raises(StorageError, match="belongs to another user"):
        prepare(place.folder)


def test_the_client_names_a_folder_that_is_not_its_own(tmp_path):
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "run").mkdir(mode=0o700)
    (tmp_path / "run" / "hosts").symlink_to(tmp_path / "real")
    with pytest.raises(StorageError, match="is a symbolic link") as caught:
        HostedLLM(model_file(tmp_path), HostSettings(runtime_dir=tmp_path / "run")).count(["x"])
    assert "CODEMOAT_RUNTIME_DIR" in caught.value.hint


def test_the_client_closes_a_folder_that_was_opened_and_finds_the_host_again(tmp_path):
    place = HostPlace.of(tmp_path / "run", model_file(tmp_path), EngineSettings())
    with serving(FakeLLM(), place):
        place.folder.chmod(0o755)
        client = HostedLLM(model_file(tmp_path), HostSettings(runtime_dir=tmp_path / "run"))
        assert client.count(["a b"]) == [3]
        client.close()
    assert stat.S_IMODE(place.folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("harm", ["link", "file", "open folder", "other user"])
def test_only_an_own_socket_is_connected_to(tmp_path, monkeypatch, harm):
    monkeypatch.chdir(tmp_path)  # short paths
    prepare(tmp_path / "hosts")
    real = tmp_path / "hosts" / "real.sock"
    listening = socket.socket(socket.AF_UNIX)
    listening.bind("hosts/real.sock")
    listening.listen()
    listening.setblocking(False)
    path = real
    if harm == "link":
        path = tmp_path / "hosts" / "h.sock"
        path.symlink_to(real)
    elif harm == "file":
        path = tmp_path / "hosts" / "h.sock"
        path.write_text("")
    elif harm == "open folder":
        (tmp_path / "hosts").chmod(0o755)
    else:
        another_user(monkeypatch)
    assert connect(HostState(7, "secret", Address(path=f"hosts/{path.name}"), "m", EngineSettings())) is None
    with pytest.raises(BlockingIOError):
        listening.accept()
    listening.close()


@pytest.mark.parametrize("kind", ["file", "link"])
def test_what_lies_where_the_socket_belongs_is_removed_not_followed(tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)
    place = HostPlace(tmp_path.relative_to(tmp_path) / "hosts", "h")
    prepare(place.folder)
    victim = tmp_path / "victim"
    victim.write_text("precious")
    socket_path = tmp_path / "hosts" / "h.sock"
    if kind == "file":
        socket_path.write_text("")
    else:
        socket_path.symlink_to(victim)
    with serving(FakeLLM(), place) as (state, _):
        assert state.address.path
        wire = connect(state)
        assert wire is not None
        wire.close()
    assert victim.read_text() == "precious"


@pytest.mark.parametrize("kind", ["link", "folder"])
def test_a_lock_that_is_no_file_is_one_sentence(place, kind):
    lock = place.folder / f"{place.name}.lock"
    victim = place.folder / "victim"
    victim.write_text("precious")
    if kind == "link":
        lock.symlink_to(victim)
    else:
        lock.mkdir()
    with pytest.raises(StorageError, match="Locking the model host's place"), place.lock():
        pass
    assert victim.read_text() == "precious"
