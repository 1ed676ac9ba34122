"""Listing: outside git, hostile trees, what is said about what was left out."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from indexer.config import IndexConfig
from indexer.errors import BadInputError, StorageError
from indexer.files import Listing, explain, list_files

CONFIG = IndexConfig()


def write(root: Path, path: str, text: str | bytes = "x = 1\n") -> Path:
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(text.encode() if isinstance(text, str) else text)
    return target


def paths(listing: Listing) -> list[str]:
    return [listed.path for listed in listing.files]


def reasons(listing: Listing) -> dict[str, str]:
    return {skip.path: skip.reason for skip in listing.skipped}


def test_lists_size_and_time_sorted_with_directories(tmp_path: Path) -> None:
    write(tmp_path, "b/c.py", "1234")
    write(tmp_path, "a.py")
    (tmp_path / "empty" / "deep").mkdir(parents=True)
    listing = list_files(tmp_path, CONFIG)
    assert paths(listing) == ["a.py", "b/c.py"]
    assert listing.files[1].size == 4
    assert listing.files[1].mtime_ns == (tmp_path / "b/c.py").stat().st_mtime_ns
    assert listing.directories == (".", "b", "empty", "empty/deep")
    assert not listing.git
    assert listing.skipped == ()


def test_nested_ignore_files_decide_as_in_git(tmp_path: Path) -> None:
    write(tmp_path, ".gitignore", "*.log\n/build/\n!keep.log\nsecret?.py\n")
    write(tmp_path, "sub/.gitignore", "!again.log\nlocal.py\r\n")
    for path in ["a.log", "keep.log", "build/x.py", "sub/build/x.py", "sub/again.log", "sub/local.py", "local.py"]:
        write(tmp_path, path)
    listing = list_files(tmp_path, CONFIG)
    kept = ["keep.log", "local.py", "sub/again.log", "sub/build/x.py"]
    assert [path for path in paths(listing) if not path.endswith(".gitignore")] == kept
    said = reasons(listing)
    assert said["a.log"] == "Excluded by .gitignore, line 1: *.log."
    assert said["build"] == "Excluded by .gitignore, line 2: /build/."
    assert said["sub/local.py"] == "Excluded by sub/.gitignore, line 2: local.py."
    assert "build/x.py" not in said, "one reason a folder is enough"


def test_codemoatignore_and_exclude_hold_and_cannot_bring_back(tmp_path: Path) -> None:
    write(tmp_path, ".gitignore", "ignored.py\n")
    write(tmp_path, ".codemoatignore", "!ignored.py\nvendor/\n")
    write(tmp_path, "ignored.py")
    write(tmp_path, "vendor/v.py")
    write(tmp_path, "docs/d.md")
    write(tmp_path, "a.py")
    listing = list_files(tmp_path, IndexConfig(exclude=("docs",)))
    assert paths(listing) == [".codemoatignore", ".gitignore", "a.py"]
    assert reasons(listing)["docs"] == "Excluded by the exclude setting, line 1: docs."
    assert "vendor" not in listing.directories


def test_a_gitignore_that_excludes_everything_is_not_followed(tmp_path: Path) -> None:
    write(tmp_path, ".gitignore", "/*\n!/debian/\n")
    write(tmp_path, ".codemoatignore", "b.py\n")
    write(tmp_path, "sub/a.py")
    write(tmp_path, "b.py")
    listing = list_files(tmp_path, CONFIG)
    assert paths(listing) == [".codemoatignore", ".gitignore", "sub/a.py"]
    assert reasons(listing) == {
        ".": "Its .gitignore excludes every file, so it was not followed.",
        "b.py": "Excluded by .codemoatignore, line 1: b.py.",
    }
    assert listing.directories == (".", "sub")
    write(tmp_path, ".codemoatignore", "*\n")
    assert paths(list_files(tmp_path, CONFIG)) == []


def test_an_invalid_exclude_pattern_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="'!'"):
        list_files(tmp_path, IndexConfig(exclude=("!",)))


def test_known_kinds_are_left_out_by_name_and_size(tmp_path: Path) -> None:
    write(tmp_path, "logo.png")
    write(tmp_path, "Cargo.lock")
    write(tmp_path, "big.py", "x" * 2_000)
    write(tmp_path, "jquery.min.js")
    write(tmp_path, "rows.csv", "1,2\n" * 60_000)
    write(tmp_path, ".env", "A=1")
    write(tmp_path, ".env.example", "A=1")
    write(tmp_path, "few.csv", "1,2\n")
    listing = list_files(tmp_path, IndexConfig(max_file_bytes=1_000))
    assert paths(listing) == [".env.example", "few.csv"]
    said = reasons(listing)
    assert said["logo.png"] == "Binary file (.png)."
    assert "package manager" in said["Cargo.lock"]
    assert "2,000 bytes of at most 1,000" in said["big.py"]
    assert "Minified" in said["jquery.min.js"]
    assert "Secret" in said[".env"]
    assert "Data file" in reasons(list_files(tmp_path, CONFIG))["rows.csv"]


def test_tool_folders_are_summarised(tmp_path: Path) -> None:
    write(tmp_path, "node_modules/a/index.js")
    write(tmp_path, "env/pyvenv.cfg")
    write(tmp_path, "env/lib/x.py")
    write(tmp_path, ".codemoat/index.sqlite")
    write(tmp_path, "a.py")
    listing = list_files(tmp_path, CONFIG)
    assert paths(listing) == ["a.py"]
    assert set(reasons(listing)) == {"node_modules", "env"}
    assert listing.directories == (".",)


def test_links_pipes_and_sockets_are_not_followed(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write(root, "a.py")
    write(tmp_path, "outside.py")
    write(tmp_path, "elsewhere/e.py")
    (root / "again.py").symlink_to("a.py")
    (root / "out.py").symlink_to(tmp_path / "outside.py")
    (root / "away").symlink_to(tmp_path / "elsewhere")
    (root / "loop").symlink_to(".")
    (root / "circle").symlink_to("circle")
    (root / "dangling.py").symlink_to("nothing.py")
    os.mkfifo(root / "pipe.py")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(root / "s.py"))
        listing = list_files(root, CONFIG)
    assert paths(listing) == ["a.py"]
    said = reasons(listing)
    assert said["again.py"].endswith("at its own place: a.py.")
    assert "leads out" in said["out.py"]
    assert "leads out" in said["away"]
    assert "folder that is found" in said["loop"]
    assert "nowhere" in said["circle"]
    assert "nowhere" in said["dangling.py"]
    assert "pipe" in said["pipe.py"]
    assert "Socket" in said["s.py"]


def test_strange_names(tmp_path: Path) -> None:
    write(tmp_path, "line\nbreak.py")
    write(tmp_path, "späße.py")
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff.py"))).write_bytes(b"x")
    listing = list_files(tmp_path, CONFIG)
    assert paths(listing) == ["line\nbreak.py", "späße.py"]
    assert reasons(listing) == {"bad\\xff.py": "Its name is not valid UTF-8."}


def test_a_trap_of_deep_folders_ends(tmp_path: Path) -> None:
    deep = tmp_path / "/".join("d" for _ in range(230))
    deep.mkdir(parents=True)
    write(deep, "x.py")
    write(tmp_path, "a.py")
    listing = list_files(tmp_path, CONFIG)
    assert paths(listing) == ["a.py"]
    assert [skip.reason for skip in listing.skipped] == ["Folders are nested too deep here."]


def test_a_folder_without_permission_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "locked/x.py")
    write(tmp_path, "a.py")
    scandir = os.scandir

    def refusing(path: str | Path) -> object:
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    listing = list_files(tmp_path, CONFIG)
    assert paths(listing) == ["a.py"]
    assert reasons(listing)["locked"] == "No permission to read it."


def test_a_bad_root_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInputError, match="no such folder"):
        list_files(tmp_path / "nowhere", CONFIG)
    with pytest.raises(BadInputError, match="is a file"):
        list_files(write(tmp_path, "a.py"), CONFIG)

    def refuse(path: str | Path) -> object:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(StorageError, match="No permission"):
        list_files(tmp_path, CONFIG)


def test_explain_says_what_the_listing_did(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write(root, ".gitignore", "*.log\nbuild/\n")
    for path in ["a.py", "x.log", "build/deep/y.py", "pic.png", "node_modules/m.js", ".codemoat/i"]:
        write(root, path)
    write(root, "key.py", 'password = "hunter2-Xy9"\n')
    write(root, "nul.py", b"a\0b")
    write(tmp_path, "outside.py")
    (root / "link.py").symlink_to("a.py")

    def why(path: str | Path) -> str:
        verdict = explain(root, path, CONFIG)
        assert verdict.included == (path in ["a.py", root / "a.py", "key.py", "."])
        return verdict.reason

    assert why("a.py") == why(root / "a.py") == "No ignore rule excludes it, a text of 6 bytes."
    assert why("key.py").endswith("Secrets masked in it: 1.")
    assert "one by one" in why(".")
    assert why("x.log") == "Excluded by .gitignore, line 1: *.log."
    assert why("build/deep/y.py") == "It lies in build, which is left out: Excluded by .gitignore, line 2: build/."
    assert why("pic.png") == "Binary file (.png)."
    assert why("nul.py") == "Binary content."
    assert why("node_modules/m.js") == "It lies in node_modules, which is left out: Installed packages."
    assert why(".codemoat/i") == "Codemoat's own data is never indexed."
    assert "link" in why("link.py")
    assert why("none.py") == "It does not exist."
    assert "outside" in why("../outside.py")
    assert "outside" in why(tmp_path / "outside.py")
