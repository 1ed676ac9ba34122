"""The learning log's file, and the commands that show it."""

from __future__ import annotations

import json
import os
import stat
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from assistant import learning
from assistant.learning import Event, LearningLog, summary
from indexer.errors import StorageError
from tests.cli_world import Cli, check_schema, furnish

SHOWN = Event(at=1.0, kind="shown", suggestion="1", run="r", language="python", file="f", characters=5, lines=1)


def test_events_are_kept_for_their_owner_alone(tmp_path: Path) -> None:
    log = LearningLog(tmp_path / "data" / "learning.jsonl")
    assert log.read().events == ()
    log.append(SHOWN)
    log.append(replace(SHOWN, kind="accepted", accepted=5))
    assert [event.kind for event in log.read().events] == ["shown", "accepted"]
    assert stat.S_IMODE(log.path.stat().st_mode) == 0o600
    assert log.erase() > 0
    assert log.read().events == ()
    assert log.erase() == 0


def test_a_torn_line_costs_itself_only(tmp_path: Path) -> None:
    log = LearningLog(tmp_path / "learning.jsonl")
    log.append(SHOWN)
    with log.path.open("ab") as file:
        file.write(b'{"at": 1.0, "kind": "sho')
    log.append(replace(SHOWN, at=2.0))
    assert [event.at for event in log.read().events] == [1.0, 2.0]
    assert log.read().damaged == 1


def test_what_another_version_adds_is_passed_over(tmp_path: Path) -> None:
    log = LearningLog(tmp_path / "learning.jsonl")
    log.append(SHOWN)
    log.path.write_text(json.dumps({**json.loads(log.path.read_text()), "new": 1}) + "\n")
    assert log.read().events == (SHOWN,)


def test_the_older_half_goes_when_the_log_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = LearningLog(tmp_path / "learning.jsonl")
    monkeypatch.setattr(learning, "MOST_BYTES", 4_000)
    for number in range(60):
        log.append(replace(SHOWN, at=float(number)))
    times = [event.at for event in log.read().events]
    assert times == sorted(times)
    assert times[-1] == 59.0
    assert log.path.stat().st_size <= 4_000
    assert len(times) > 5


def test_many_may_write_at_once(tmp_path: Path) -> None:
    path = tmp_path / "learning.jsonl"

    def write() -> None:
        for _ in range(10):
            LearningLog(path).append(SHOWN)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(LearningLog(path).read().events), LearningLog(path).read().damaged) == (40, 0)


def test_a_file_is_a_hash_of_this_machine(tmp_path: Path) -> None:
    here, there = LearningLog(tmp_path / "a" / "l.jsonl"), LearningLog(tmp_path / "b" / "l.jsonl")
    assert here.hashed("file:///a.py") == here.hashed("file:///a.py") != here.hashed("file:///b.py")
    assert here.hashed("file:///a.py") != there.hashed("file:///a.py")


def test_a_log_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(StorageError, match="learning log"):
        LearningLog(tmp_path / "data" / "learning.jsonl").append(SHOWN)


def test_shares_are_by_language() -> None:
    kinds = ["shown", "shown", "accepted", "kept", "rejected"]
    events = [replace(SHOWN, kind=kind) for kind in kinds] + [replace(SHOWN, language="go")]
    python, go = summary(events)
    assert (python["language"], python["shown"], python["accepted_share"], python["kept_share"]) == (
        "python",
        2,
        0.5,
        1,
    )
    assert (go["shown"], go["accepted_share"], go["kept_share"]) == (1, 0.0, None)


def test_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    furnish(monkeypatch, tmp_path)
    cli = Cli(capsys)
    assert "Switch it on" in cli("log", "show").out
    log = LearningLog()
    for kind in ("shown", "accepted", "kept"):
        log.append(replace(SHOWN, kind=kind))
    assert "python                 1         1  100 %      1  100 %         0" in cli("log", "show").out
    check_schema("log-show", [cli("log", "show", "--json").json])
    lines = cli("log", "export").out.splitlines()
    check_schema("log-export", [json.loads(line) for line in lines])
    cli("log", "export", "--output", str(tmp_path / "out.jsonl"))
    assert (tmp_path / "out.jsonl").read_text().splitlines() == lines
    assert "Say --yes" in cli("log", "erase").err
    check_schema("log-erase", [cli("log", "erase", "--yes", "--json").json])
    assert log.read().events == ()


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "learning.jsonl").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StorageError):
        LearningLog(tmp_path / "learning.jsonl").append(SHOWN)
    assert not (tmp_path / "elsewhere").exists()


def test_a_pipe_in_its_place_is_not_waited_for(tmp_path: Path) -> None:
    log = LearningLog(tmp_path / "learning.jsonl")
    os.mkfifo(log.path)
    os.mkfifo(log.path.with_suffix(".key"))
    for use in (lambda: log.append(SHOWN), log.read, lambda: log.hashed("a.py")):
        with pytest.raises(StorageError):
            use()
