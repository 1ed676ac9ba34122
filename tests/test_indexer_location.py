from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

import platformdirs
import pytest

from indexer import location
from indexer.config import IndexConfig


@pytest.mark.parametrize("kind", ["cache", "data", "config", "runtime"])
def test_environment_stands_before_the_platform(kind, monkeypatch, tmp_path):
    function = getattr(location, f"{kind}_dir")
    monkeypatch.delenv(f"CODEMOAT_{kind.upper()}_DIR", raising=False)
    assert function().name == "codemoat"
    monkeypatch.setenv(f"CODEMOAT_{kind.upper()}_DIR", str(tmp_path))
    assert function() == tmp_path


@pytest.mark.skipif(sys.platform != "linux", reason="other systems ask platformdirs itself")
@pytest.mark.parametrize("kind", ["cache", "data", "config"])
@pytest.mark.parametrize("value", [None, "", " ", "/somewhere/else", "~/mine", "not/absolute"])
def test_folders_are_those_of_platformdirs(kind, value, monkeypatch):
    monkeypatch.delenv(f"CODEMOAT_{kind.upper()}_DIR", raising=False)
    variable = f"XDG_{kind.upper()}_HOME"
    monkeypatch.delenv(variable, raising=False) if value is None else monkeypatch.setenv(variable, value)
    expected = getattr(platformdirs, f"user_{kind}_dir")("codemoat", appauthor=False)
    assert getattr(location, f"{kind}_dir")() == Path(expected)


def test_the_hash_of_a_folder_is_sha256(tmp_path):
    expected = hashlib.sha256(os.fsencode(tmp_path.resolve())).hexdigest()[:12]
    assert location.index_folder(tmp_path, IndexConfig()).name.endswith(f"-{expected}")


def test_find_root_takes_the_nearest_marker(tmp_path):
    inner = tmp_path / "outer" / "inner" / "deep"
    inner.mkdir(parents=True)
    (tmp_path / "outer" / ".git").mkdir()
    assert location.find_root(inner) == tmp_path / "outer"
    (tmp_path / "outer" / "inner" / ".codemoat").mkdir()
    assert location.find_root(inner) == tmp_path / "outer" / "inner"
    file = inner / "a.py"
    file.touch()
    assert location.find_root(file) == tmp_path / "outer" / "inner"


def test_find_root_without_marker_is_the_start(tmp_path):
    assert location.find_root(tmp_path) == tmp_path


def test_index_folder_tells_checkouts_of_one_name_apart(tmp_path):
    config = IndexConfig(cache_dir=tmp_path / "cache")
    one, two = tmp_path / "a" / "repo", tmp_path / "b" / "repo"
    assert location.index_folder(one, config) != location.index_folder(two, config)
    assert location.index_folder(one, config).parent == tmp_path / "cache" / "index"
    assert location.index_folder(one, config).name.startswith("repo-")


def test_index_folder_follows_symlinks_to_one_index(tmp_path):
    config = IndexConfig(cache_dir=tmp_path / "cache")
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert location.index_folder(tmp_path / "link", config) == location.index_folder(tmp_path / "real", config)


def test_index_folder_in_the_repository_when_asked(tmp_path):
    assert location.index_folder(tmp_path, IndexConfig(in_repository=True)) == tmp_path.resolve() / ".codemoat"


def test_user_folder_is_expanded(monkeypatch):
    monkeypatch.setenv("CODEMOAT_CACHE_DIR", "~/somewhere")
    assert location.cache_dir() == Path.home() / "somewhere"


def test_the_seal_of_an_index_in_a_repository_is_outside_of_it(tmp_path):
    config = IndexConfig(cache_dir=tmp_path / "cache", in_repository=True)
    one, two = tmp_path / "a" / "repo", tmp_path / "b" / "repo"
    assert location.seal_file(one, config) != location.seal_file(two, config)
    assert location.seal_file(one, config).parent == tmp_path / "cache" / "seals"
    assert location.seal_file(one, IndexConfig(cache_dir=tmp_path / "cache")) is None
