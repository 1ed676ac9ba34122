"""What codemoat keeps of somebody's code and words is for them alone; a command says why an index is not used."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from assistant import learning
from assistant.config import find_setting
from assistant.config_file import set_value
from assistant.conversation import Conversation
from assistant.learning import Event, LearningLog
from assistant.saved_chats import SavedChats
from indexer.errors import StorageError
from indexer.private import replace_file
from tests.cli_world import Cli, check_schema, furnish, write_files

SHOWN = Event(at=1.0, kind="shown", suggestion="1", run="r")


@pytest.fixture(autouse=True)
def open_hearted():
    """With this umask everybody may read and write whatever is not asked for otherwise."""
    old = os.umask(0)
    yield
    os.umask(old)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def assert_private(folder: Path) -> None:
    found = {path: mode(path) for path in (folder, *folder.rglob("*"))}
    assert {path: bits for path, bits in found.items() if bits & 0o077} == {}


def test_everything_that_commands_leave_is_private(tmp_path, monkeypatch, capsys):
    furnish(monkeypatch, tmp_path / "user")
    monkeypatch.setenv("CODEMOAT_INDEX_IN_REPOSITORY", "true")
    root = write_files(tmp_path / "root")
    cli = Cli(capsys)
    assert cli("index", root).code == 0
    assert cli("search", "engine", "--path", root).code == 0
    assert cli("config", "set", "editor.index", "true").code == 0
    assert_private(root / ".codemoat")
    assert_private(tmp_path / "user")


def conversation(chats: SavedChats) -> Conversation:
    return Conversation(id="20260101-000000-abcdef", root=chats.root, title="t", created=1.0)


def test_conversations_and_what_is_above_them(tmp_path, monkeypatch):
    monkeypatch.setenv("CODEMOAT_DATA_DIR", str(tmp_path / "new" / "data"))
    chats = SavedChats(tmp_path)
    chats.save(conversation(chats))
    assert_private(tmp_path / "new")
    chats.folder.chmod(0o777)
    chats.save(conversation(chats))
    assert_private(tmp_path / "new")


def test_the_learning_log_and_its_halving(tmp_path, monkeypatch):
    log = LearningLog(tmp_path / "data" / "learning.jsonl")
    log.append(SHOWN)
    log.hashed("a.py")
    assert_private(tmp_path / "data")
    for path in (log.path, log.path.with_suffix(".lock")):
        path.chmod(0o666)
    log.append(SHOWN)
    assert mode(log.path) == 0o600
    # A draft that a killed process left, or that somebody put there.
    precious = tmp_path / "precious"
    precious.write_text("mine")
    log.path.with_suffix(".new").symlink_to(precious)
    monkeypatch.setattr(learning, "MOST_BYTES", 100)
    log.append(SHOWN)
    assert precious.read_text() == "mine"
    assert mode(log.path) == 0o600


def test_the_learning_log_does_not_change_what_a_link_leads_to(tmp_path):
    precious = tmp_path / "precious"
    precious.write_text("mine")
    precious.chmod(0o644)
    log = LearningLog(tmp_path / "learning.jsonl")
    log.path.symlink_to(precious)
    with pytest.raises(StorageError):
        log.append(SHOWN)
    assert (precious.read_text(), mode(precious)) == ("mine", 0o644)


def test_the_users_settings_are_private_and_a_repositorys_are_not(tmp_path):
    setting = find_setting("editor.index", "here")
    user = tmp_path / "config" / "codemoat" / "config.toml"
    set_value(user, setting, True)
    assert_private(tmp_path / "config")
    user.chmod(0o640)
    set_value(user, setting, False)
    assert mode(user) == 0o640, "what the user chose stays"


@pytest.mark.parametrize(
    "command", [["index", "{root}"], ["search", "x", "--path", "{root}"], ["status", "--path", "{root}"]]
)
def test_a_command_says_why_the_index_is_not_used(tmp_path, monkeypatch, capsys, command):
    furnish(monkeypatch, tmp_path / "user")
    monkeypatch.setenv("CODEMOAT_INDEX_IN_REPOSITORY", "true")
    root, precious = write_files(tmp_path / "root"), tmp_path / "precious"
    (precious / "photos").mkdir(parents=True)
    (root / ".codemoat").symlink_to(precious, target_is_directory=True)
    cli = Cli(capsys)
    argv = [part.format(root=root) for part in command]
    plain = cli(*argv)
    assert (plain.code, plain.out) == (3, "")
    assert f"The index is not used: {root / '.codemoat'} is a link." in plain.err
    assert "index.in_repository = false" in plain.err
    found = cli(*argv, "--json")
    check_schema("error", [found.json])
    assert found.json["error"]["code"] == "unsafe_index"
    assert [path.name for path in precious.rglob("*")] == ["photos"]


def test_two_that_replace_one_file_at_once_both_get_one(tmp_path, monkeypatch):
    path = tmp_path / "log"
    unlink = Path.unlink

    def overtaken(self: Path, missing_ok: bool = False) -> None:
        unlink(self, missing_ok)
        monkeypatch.undo()
        self.write_text("another process's")  # between the removal and the creation

    monkeypatch.setattr(Path, "unlink", overtaken)
    with os.fdopen(replace_file(path), "w") as file:
        file.write("mine")
    assert path.read_text() == "mine"
