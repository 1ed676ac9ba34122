from __future__ import annotations

import errno
import functools
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections import namedtuple
from pathlib import Path

import pytest
from model_world import BODY, WRONG_BODY, entry, furnish, serving, sha256, use_catalogue

import assistant.models.pulling as pull_module
import assistant.models.transfer as transfer_module
from assistant.errors import DamagedModelError, NetworkError
from assistant.llm import Cancel
from assistant.models import models_dir, pull, resolve, verify
from assistant.models.catalogue import PathSource, UrlSource
from assistant.models.store import partial_path, read_record
from indexer.errors import BadInputError, CancelledError, StorageError

pytestmark = pytest.mark.slow
"""Processes of their own, for parts that seldom change."""


@pytest.fixture
def server():
    with serving() as running:
        yield running


@pytest.fixture(autouse=True)
def world(monkeypatch, tmp_path):
    furnish(monkeypatch, tmp_path / "data")


@pytest.fixture
def know(monkeypatch):
    """Replace the catalogue."""
    return functools.partial(use_catalogue, monkeypatch)


@pytest.fixture
def closed_port():
    """An address where nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return f"http://127.0.0.1:{port}/tiny.gguf"


def hidden_files() -> list[str]:
    """What a pull left besides models and records; the lock may stay."""
    return [f.name for f in models_dir().glob(".*") if not f.name.endswith(".lock")]


def test_pull_from_an_address_brings_a_checked_file_and_its_record(server, know):
    know(entry(UrlSource(server.url + "/tiny.gguf")))
    seen = []
    path = pull("tiny", progress=seen.append)
    assert path == resolve("tiny")
    assert path.read_bytes() == BODY
    record = read_record(path)
    assert record is not None
    assert (record.sha256, record.pinned, record.size) == (sha256(BODY), True, len(BODY))
    assert record.source == server.url + "/tiny.gguf"
    assert hidden_files() == []
    stages = [p.stage for p in seen]
    assert stages[0] == "contact" and stages[-1] == "done" and "verify" in stages
    done = [p.bytes_done for p in seen if p.stage == "download"]
    assert done == sorted(done) and done[-1] == len(BODY)


def test_a_second_pull_asks_nobody(server, know):
    know(entry(UrlSource(server.url)))
    pull("tiny")
    server.requests.clear()
    pull("tiny")
    assert server.requests == []


def test_a_broken_connection_goes_on_where_it_stopped(server, know):
    know(entry(UrlSource(server.url)))
    server.cut_after = [100_000, 50_000]
    assert pull("tiny").read_bytes() == BODY
    assert server.gets() == ["", "bytes=100000-", "bytes=150000-"]


def test_a_later_run_goes_on_where_a_stopped_one_left(server, know):
    know(entry(UrlSource(server.url)))
    server.gate = threading.Event()
    cancel = Cancel()

    def stop_midway(progress):
        if progress.stage == "download":
            cancel.cancel()

    with pytest.raises(CancelledError) as caught:
        pull("tiny", progress=stop_midway, cancel=cancel)
    assert "goes on" in caught.value.hint
    server.gate.set()
    server.gate = None
    have = partial_path(models_dir() / "tiny.gguf", "url").stat().st_size
    assert 0 < have < len(BODY)
    assert not (models_dir() / "tiny.gguf").exists()
    server.requests.clear()
    assert pull("tiny").read_bytes() == BODY
    assert server.gets() == [f"bytes={have}-"]


@pytest.mark.parametrize("ranges", [True, False])
def test_a_file_that_changed_meanwhile_is_fetched_from_its_beginning(server, know, ranges):
    know(entry(UrlSource(server.url), pinned=False))
    server.body, server.cut_after, server.status = WRONG_BODY, [100_000], 200
    server.ranges = ranges
    cancel = Cancel()
    with pytest.raises(CancelledError):
        pull("tiny", progress=lambda p: cancel.cancel() if p.bytes_done else None, cancel=cancel)
    server.body, server.etag, server.cut_after = BODY, '"two"', []
    assert pull("tiny").read_bytes() == BODY


def test_a_complete_partial_file_is_not_fetched_again(server, know, monkeypatch):
    know(entry(UrlSource(server.url)))

    def killed(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(pull_module, "sha256_of", killed)
        with pytest.raises(KeyboardInterrupt):
            pull("tiny")
    server.requests.clear()
    assert pull("tiny").read_bytes() == BODY
    assert server.gets() == [f"bytes={len(BODY)}-"]


def test_a_wrong_hash_never_gets_the_models_name(server, know):
    know(entry(UrlSource(server.url)))
    server.body = WRONG_BODY
    with pytest.raises(DamagedModelError, match=f"sha256 {sha256(WRONG_BODY)} instead of {sha256(BODY)}"):
        pull("tiny")
    assert list(models_dir().glob("[!.]*")) == []
    assert hidden_files() == []


def test_another_size_is_refused_before_it_is_fetched(server, know):
    know(entry(UrlSource(server.url)))
    server.body = BODY + b"more"
    with pytest.raises(NetworkError, match="another file"):
        pull("tiny")
    assert hidden_files() == []


def test_a_page_instead_of_a_model_is_refused(server, know):
    know(entry(UrlSource(server.url), pinned=False))
    server.body = b"<html>please log in</html>"
    with pytest.raises(DamagedModelError, match="no GGUF file"):
        pull("tiny")


def test_an_unreachable_source_gives_way_to_the_next_and_says_why(server, know, closed_port):
    know(entry(UrlSource(closed_port), UrlSource(server.url)))
    seen = []
    assert pull("tiny", progress=seen.append).read_bytes() == BODY
    (failure,) = [p for p in seen if p.stage == "failed"]
    assert failure.source == closed_port and "cannot be reached" in failure.message


def test_a_source_that_never_answers_gives_way_after_the_contact_time(server, know, monkeypatch):
    assert transfer_module.CONTACT_SECONDS < 5
    monkeypatch.setattr(transfer_module, "CONTACT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/tiny.gguf"
        know(entry(UrlSource(url), UrlSource(server.url)))
        seen = []
        assert pull("tiny", progress=seen.append).read_bytes() == BODY
    assert any(p.stage == "failed" and p.source == url for p in seen)


def test_a_name_look_up_that_hangs_is_left_behind(monkeypatch):
    stuck = threading.Event()
    transfer = transfer_module.Transfer("tiny", "hub", Path("unused"))
    with pytest.raises(NetworkError, match=r"did not answer within 0.05 s"):
        transfer_module.with_deadline(lambda: stuck.wait(30), 0.05, transfer, "the hub")
    stuck.set()


def test_when_no_source_works_every_reason_is_named(server, know, closed_port, tmp_path):
    server.status = 503
    absent = tmp_path / "absent.gguf"
    know(entry(UrlSource(closed_port), UrlSource(server.url), PathSource(absent)))
    with pytest.raises(NetworkError) as caught:
        pull("tiny")
    for part in ("cannot be reached", "503", str(absent)):
        assert part in caught.value.message
    assert "--from" in caught.value.hint


def test_a_failing_answer_keeps_what_is_already_here(server, know):
    know(entry(UrlSource(server.url)))
    cancel = Cancel()
    server.cut_after = [100_000]
    with pytest.raises(CancelledError):
        pull("tiny", progress=lambda p: cancel.cancel() if p.bytes_done else None, cancel=cancel)
    have = partial_path(models_dir() / "tiny.gguf", "url").stat().st_size
    server.status = 503
    with pytest.raises(NetworkError):
        pull("tiny")
    assert partial_path(models_dir() / "tiny.gguf", "url").stat().st_size == have


def test_a_full_disk_is_noticed_before_anything_is_fetched(server, know, monkeypatch):
    know(entry(UrlSource(server.url)))
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 10**9, 1_000))
    with pytest.raises(StorageError, match="Not enough free disk for tiny") as caught:
        pull("tiny")
    assert "CODEMOAT_DATA_DIR" in caught.value.hint
    assert server.requests == []


def test_a_disk_that_fills_up_midway_is_one_sentence_and_the_bytes_stay(server, know, monkeypatch):
    know(entry(UrlSource(server.url)))
    real = os.write

    def filling(file, data):
        if os.fstat(file).st_size > 100_000:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(file, data)

    with monkeypatch.context() as patch:
        patch.setattr(transfer_module.os, "write", filling)
        with pytest.raises(StorageError, match="The disk is full: fetching tiny"):
            pull("tiny")
    assert partial_path(models_dir() / "tiny.gguf", "url").stat().st_size > 100_000
    assert pull("tiny").read_bytes() == BODY


def test_a_read_only_data_folder_is_one_sentence(know, monkeypatch):
    know(entry(UrlSource("http://127.0.0.1:9/unused")))

    def refuse(self, *args, **kwargs):
        raise OSError(errno.EROFS, "Read-only file system", str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(StorageError, match="read-only") as caught:
        pull("tiny")
    assert "CODEMOAT_DATA_DIR" in caught.value.hint


def test_a_data_folder_that_cannot_be_made_is_one_sentence(know, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CODEMOAT_DATA_DIR", str(tmp_path / "file" / "data"))
    know(entry(UrlSource("http://127.0.0.1:9/unused")))
    with pytest.raises(StorageError, match="Fetching tiny"):
        pull("tiny")


def test_a_truncated_model_is_fetched_anew(server, know):
    know(entry(UrlSource(server.url)))
    path = pull("tiny")
    path.write_bytes(BODY[:1000])
    assert pull("tiny").read_bytes() == BODY


def test_an_unpinned_hash_is_recorded_and_said(server, know):
    know(entry(UrlSource(server.url), pinned=False))
    seen = []
    path = pull("tiny", progress=seen.append)
    record = read_record(path)
    assert record is not None and record.sha256 == sha256(BODY) and not record.pinned
    assert sha256(BODY) in seen[-1].message and "no sha256 is pinned" in seen[-1].message
    assert verify("tiny").compared_with == "record"


def test_trust_on_first_use_notices_another_file_later(server, know):
    know(entry(UrlSource(server.url), pinned=False))
    path = pull("tiny")
    path.write_bytes(BODY[:10])
    server.body = WRONG_BODY
    with pytest.raises(DamagedModelError, match=sha256(BODY)):
        pull("tiny")


def test_pull_takes_addresses_and_paths_of_models_in_no_catalogue(server, tmp_path):
    assert pull(server.url + "/other.gguf?x=1") == models_dir() / "other.gguf"
    own = tmp_path / "own.bin"
    own.write_bytes(BODY)
    assert pull(str(own)).read_bytes() == BODY
    assert resolve("own") == models_dir() / "own.gguf"


def test_another_place_for_a_catalogue_model_must_bring_the_same_file(know, tmp_path):
    know(entry(UrlSource("http://127.0.0.1:9/unused")))
    copy = tmp_path / "copy.gguf"
    copy.write_bytes(WRONG_BODY)
    with pytest.raises(DamagedModelError):
        pull("tiny", source=str(copy))
    copy.write_bytes(BODY)
    assert pull("tiny", source=str(copy)).read_bytes() == BODY


@pytest.mark.parametrize("name", ["https://example.org/", "hf:owner", "hf:owner/repo/readme.md", "no-such-model"])
def test_what_names_no_model_is_bad_input(name):
    with pytest.raises(BadInputError):
        pull(name)


PULLER = """
import sys
import assistant.models.catalogue as c, assistant.models.store as s, assistant.models.transfer as t
from model_world import entry
t.SPARE_BYTES = 0
entries = (entry(c.UrlSource(sys.argv[1])),)
c.load_catalogue = s.load_catalogue = lambda: entries
from assistant.models import pull
print(pull("tiny", progress=lambda p: p.stage == "wait" and print("waits", flush=True)), flush=True)
"""


def test_two_processes_fetch_a_model_once(server, tmp_path):
    server.gate = threading.Event()
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    command = [sys.executable, "-c", PULLER, server.url]

    def start():
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)

    with start() as first, start() as second:
        # One of them sits at the half-way gate with the lock; open the gate only when the other says that it waits.
        said: list[str] = []
        readers = [threading.Thread(target=lambda p=p: said.append(p.stdout.readline())) for p in (first, second)]
        for reader in readers:
            reader.start()
        while "waits\n" not in said and len(server.gets()) < 2:
            for reader in readers:
                reader.join(0.05)
        server.gate.set()
        for reader in readers:
            reader.join()
        said += [line for p in (first, second) for line in p.stdout]
        assert first.wait() == second.wait() == 0
    assert sorted(said) == sorted(["waits\n", *[f"{models_dir() / 'tiny.gguf'}\n"] * 2])
    assert server.gets() == [""]


def test_records_are_plain_json(server, know):
    know(entry(UrlSource(server.url)))
    path = pull("tiny")
    note = json.loads((path.parent / "tiny.gguf.json").read_text())
    assert set(note) == {"name", "size", "sha256", "pinned", "source", "date"}
