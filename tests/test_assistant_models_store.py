from __future__ import annotations

import errno
from pathlib import Path

import pytest
from model_world import BODY, WRONG_BODY, entry, sha256, use_catalogue

import assistant.models.catalogue as catalogue_module
import assistant.models.store as store
from assistant.errors import DamagedModelError, NoModelError
from assistant.llm import Cancel
from assistant.models import installed, is_installed, load_catalogue, models_dir, remove, resolve, verify
from assistant.models.store import Record, partial_path, record_path, write_record
from indexer.errors import CancelledError, StorageError


@pytest.fixture(autouse=True)
def world(monkeypatch, tmp_path):
    """One pinned and one unpinned model in the catalogue, an empty data folder."""
    monkeypatch.setenv("CODEMOAT_DATA_DIR", str(tmp_path / "data"))
    use_catalogue(monkeypatch, entry(), entry(name="loose", pinned=False))
    models_dir().mkdir(parents=True)


def put(name: str = "tiny.gguf", body: bytes = BODY) -> Path:
    path = models_dir() / name
    path.write_bytes(body)
    return path


def test_resolve_finds_a_catalogue_model_whatever_its_case():
    path = put()
    assert resolve("Tiny") == path
    assert is_installed("tiny") and not is_installed("loose")


def test_a_missing_model_names_the_command_that_fetches_it():
    with pytest.raises(NoModelError, match="tiny is not on this machine") as caught:
        resolve("tiny")
    assert "codemoat models pull tiny" in caught.value.hint


def test_an_unknown_name_gets_the_nearest_one():
    with pytest.raises(NoModelError, match="no model called tinny") as caught:
        resolve("tinny")
    assert "`tiny`" in caught.value.hint


def test_a_path_to_nothing_is_told_apart_from_a_name(tmp_path):
    with pytest.raises(NoModelError, match=r"no file at .*absent\.gguf"):
        resolve(str(tmp_path / "absent.gguf"))
    (tmp_path / "folder.gguf").mkdir()
    with pytest.raises(NoModelError, match="a folder at"):
        resolve(str(tmp_path / "folder.gguf"))


def test_a_truncated_model_says_how_much_is_there():
    put(body=BODY[:-1])
    with pytest.raises(DamagedModelError, match=r"512,003 bytes instead of 512,004") as caught:
        resolve("tiny")
    assert "codemoat models pull tiny" in caught.value.hint


def test_a_truncated_unpinned_model_is_seen_by_its_record():
    path = put("loose.gguf", BODY[:-1])
    assert resolve("loose") == path
    write_record(path, Record("loose", len(BODY), sha256(BODY), False, "url", "2026-01-01"))
    with pytest.raises(DamagedModelError, match="truncated"):
        resolve("loose")


def test_a_file_that_is_no_gguf_is_refused(tmp_path):
    page = tmp_path / "page.gguf"
    page.write_bytes(b"<html>")
    with pytest.raises(DamagedModelError, match="no GGUF file"):
        resolve(str(page))


def test_resolve_takes_paths_and_names_of_own_files(tmp_path):
    own = tmp_path / "own.gguf"
    own.write_bytes(b"GGUFx")
    assert resolve(str(own)) == own
    kept = put("mine.gguf", b"GGUFy")
    assert resolve("mine") == kept


def test_no_permission_is_one_sentence(monkeypatch):
    put()

    def refuse(path, *args):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(store, "is_gguf", refuse)
    with pytest.raises(StorageError, match="No permission: reading the model"):
        resolve("tiny")


def test_verify_compares_with_the_catalogue():
    path = put()
    found = verify("tiny")
    assert (found.path, found.sha256, found.compared_with) == (path, sha256(BODY), "catalogue")


def test_verify_finds_a_wrong_hash_of_the_right_size():
    put(body=WRONG_BODY)
    assert resolve("tiny")
    with pytest.raises(DamagedModelError, match=sha256(WRONG_BODY)) as caught:
        verify("tiny")
    assert "models remove tiny" in caught.value.hint


def test_verify_without_a_pinned_hash_uses_the_record_or_says_so():
    path = put("loose.gguf")
    assert verify("loose").compared_with == ""
    write_record(path, Record("loose", len(BODY), sha256(BODY), False, "url", "2026-01-01"))
    assert verify("loose").compared_with == "record"
    path.write_bytes(WRONG_BODY)
    with pytest.raises(DamagedModelError):
        verify("loose")


def test_verify_stops_when_asked():
    put()
    cancel = Cancel()
    cancel.cancel()
    with pytest.raises(CancelledError):
        verify("tiny", cancel=cancel)


def test_verify_reports_bytes():
    put()
    seen = []
    verify("tiny", progress=seen.append)
    assert [(p.stage, p.bytes_done, p.bytes_total) for p in seen] == [("verify", len(BODY), len(BODY))]


def test_remove_deletes_the_file_its_record_and_unfinished_parts():
    path = put()
    write_record(path, Record("tiny", len(BODY), sha256(BODY), True, "url", "2026-01-01"))
    partial = partial_path(path, "url")
    partial.write_bytes(b"GGUF")
    parts = path.parent / f"{partial_path(path, 'wheel').name}.parts"
    parts.mkdir()
    (parts / "a.whl").write_bytes(b"12345")
    freed = remove("tiny")
    assert freed >= len(BODY) + 4 + 5
    assert not path.exists() and not record_path(path).exists() and not partial.exists() and not parts.exists()
    with pytest.raises(NoModelError):
        remove("tiny")


def test_remove_never_deletes_outside_the_models_folder(tmp_path):
    own = tmp_path / "own.gguf"
    own.write_bytes(b"GGUFx")
    with pytest.raises(NoModelError):
        remove(str(own))
    assert own.exists()


def test_installed_lists_catalogue_and_other_files():
    put()
    put("mine.gguf")
    partial_path(models_dir() / "loose.gguf", "url").write_bytes(b"GGUF")
    assert [(m.name, m.entry.name if m.entry else None) for m in installed()] == [("mine", None), ("tiny", "tiny")]


def test_installed_without_a_models_folder_is_empty(monkeypatch, tmp_path):
    monkeypatch.setenv("CODEMOAT_DATA_DIR", str(tmp_path / "nowhere"))
    assert installed() == ()
    assert not (tmp_path / "nowhere").exists()


def test_a_damaged_record_counts_as_none():
    path = put("loose.gguf")
    record_path(path).write_text("{", encoding="utf-8")
    assert resolve("loose") == path


def test_the_patched_catalogue_is_in_use():
    assert [e.name for e in catalogue_module.load_catalogue()] == ["tiny", "loose"]
    assert len(load_catalogue()) > 2  # the name imported before the patch is the shipped catalogue
