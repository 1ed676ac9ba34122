"""Listing some paths says exactly what the full listing says of them, or that only a full listing can tell."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pytest
from test_indexer_files import paths, reasons, write
from test_indexer_files_git import git, plain_git, repository

from indexer.config import IndexConfig
from indexer.errors import BadInputError
from indexer.files import Listing, list_files
from indexer.listing_part import MAX_PATHS, list_some
from indexer.reasons import printable

pytestmark = pytest.mark.slow

CONFIG = IndexConfig()
__all__ = ["plain_git"]  # the fixture of the other file, used by itself here too

FOLDERS = [
    "src",
    "src/deep",
    "lib",
    "node_modules",
    "src/build",
    "build",
    ".codemoat",
    "we ird[a]",
    "vendor",
    "env",
    "é",
]
NAMES = [
    "a.py", "b.py", "*.py", "x.log", "keep.log", ".env", "logo.png", "q?.c", "-n.py", "new\nline.py", "bad\udcff.py",
    "go.sum", "big.py", "späße.md",
]  # fmt: skip
IGNORES = ["*.log\n!keep.log\nbuild/\n", "/lib/\n", "*\n!*.py\n!*/\n", "deep\n", ""]
SWITCHED = {"gitignore": ".gitignore", "codemoatignore": ".codemoatignore"}


def restricted(listing: Listing, wanted: set[str]) -> tuple[list[object], list[object]]:
    """The entries of a full listing that equal a wanted path or lie below one."""

    def has(path: str, places: set[str]) -> bool:
        return any(path == place or path.startswith(place + "/") for place in places)

    shown = {printable(path) for path in wanted}
    return (
        [file for file in listing.files if has(file.path, wanted)],
        [skip for skip in listing.skipped if has(skip.path, shown)],
    )


def check(root: Path, config: IndexConfig, wanted: set[str]) -> bool:
    """Whether the part could be told; that it is right is asserted."""
    part, whole = list_some(root, config, wanted), list_files(root, config)
    if part is None:
        return False
    assert (list(part.files), list(part.skipped)) == restricted(whole, wanted), wanted
    assert part.git == whole.git
    assert set(part.directories) <= set(whole.directories)
    above = {str(parent) for file in part.files for parent in Path(file.path).parents}
    assert above <= set(part.directories)
    return True


class Tree:
    """A random tree and random changes to it; every change returns the paths that events would name."""

    def __init__(self, root: Path, seed: int) -> None:
        self.root = root
        self.random = random.Random(seed)

    def fill(self) -> None:
        write(self.root, "README.md")
        for _ in range(self.random.randint(5, 25)):
            self.add()
        for name in (".gitignore", ".codemoatignore", "src/.gitignore", "we ird[a]/.gitignore"):
            if self.random.random() < 0.4:
                write(self.root, name, self.random.choice(IGNORES))
        if self.random.random() < 0.3:
            write(self.root, "env/pyvenv.cfg")

    def place(self) -> str:
        folder = self.random.choice(["", *FOLDERS])
        name = self.random.choice(NAMES)
        return f"{folder}/{name}" if folder else name

    def add(self) -> set[str]:
        path = self.place()
        if any((self.root / part).is_symlink() for part in [path, *map(str, Path(path).parents)]):
            return {path}
        write(self.root, path, "x" * self.random.choice([1, 3_000]))
        return {path}

    def files(self) -> list[str]:
        found = [
            path.relative_to(self.root).as_posix()
            for path in self.root.rglob("*")
            if ".git" not in path.parts and not path.name.endswith("ignore") and (path.is_file() or path.is_symlink())
        ]
        return sorted(path for path in found if path not in ("README.md", "env/pyvenv.cfg"))

    def edit(self) -> set[str]:
        path = self.random.choice([*self.files(), "README.md"])
        if not (self.root / path).is_symlink():
            write(self.root, path, "y" * self.random.randint(1, 9))
        return {path}

    def delete(self) -> set[str]:
        for path in self.random.sample(self.files(), min(1, len(self.files()))):
            (self.root / path).unlink()
            return {path}
        return {"nothing.py"}

    def rename(self) -> set[str]:
        old, new = self.random.choice([*self.files(), "README.md"]), self.place()
        if old == "README.md" or os.path.lexists(self.root / new) or not (self.root / new).parent.is_dir():
            return {old}
        (self.root / old).rename(self.root / new)
        return {old, new}

    def move_folder(self) -> set[str]:
        old, new = self.random.sample([folder for folder in FOLDERS if "/" not in folder], 2)
        if not (self.root / old).is_dir() or os.path.lexists(self.root / new):
            return {old, new}
        (self.root / old).rename(self.root / new)
        return {old, new}

    def remove_folder(self) -> set[str]:
        folder = self.random.choice(FOLDERS)
        if (self.root / folder).is_dir() and not (self.root / folder).is_symlink():
            shutil.rmtree(self.root / folder)
        return {folder}

    def link(self) -> set[str]:
        path = self.place()
        if os.path.lexists(self.root / path) or not (self.root / path).parent.is_dir():
            return {path}
        (self.root / path).symlink_to(self.random.choice(["README.md", "src", "/", "nowhere"]))
        return {path}

    def empty_folder(self) -> set[str]:
        (self.root / "fresh" / "below").mkdir(parents=True, exist_ok=True)
        return {"fresh"}

    def nothing(self) -> set[str]:
        return set(self.random.sample([*FOLDERS, *self.files()], 3)) | {self.place(), "no/such"}


@pytest.mark.parametrize("kind", ["git", "walk", "emptied walk", "folder of git", "ignored folder of git"])
@pytest.mark.parametrize("seed", range(8))
def test_a_part_is_what_the_whole_says_of_it(tmp_path: Path, kind: str, seed: int) -> None:
    root = tmp_path / "root" / "inner"
    root.mkdir(parents=True)
    tree = Tree(root, seed)
    tree.fill()
    if kind == "emptied walk":
        write(root, ".gitignore", "/*\n")
    elif kind != "walk":
        repository(root if kind == "git" else root.parent)
    if kind == "ignored folder of git":
        write(root.parent, ".gitignore", "inner/\n")
    elif "walk" not in kind:
        git(root, "add", *(["-f"] if seed % 2 else []), "-A")
        git(root, "commit", "-qm", "first")
    config = IndexConfig(max_file_bytes=2_000, exclude=("vendor",) if seed % 3 else ())
    assert list_files(root, config).git == (kind in ("git", "folder of git"))
    plain = (tree.edit, tree.add, tree.delete, tree.rename)
    rare = (tree.move_folder, tree.remove_folder, tree.link, tree.empty_folder, tree.nothing)
    for number in range(24):
        change = tree.random.choice(plain if number % 2 else rare)
        wanted = change() | (change() if number % 3 == 0 else set())
        if not check(root, config, wanted):
            whole = list_files(root, config)
            counts_elsewhere = len(whole.files) > len(restricted(whole, wanted)[0])
            followed = "." not in reasons(whole)
            assert kind != "emptied walk"
            assert not whole.git and not (counts_elsewhere and followed), f"{wanted} need no full listing"


def test_an_unknown_folder_is_found_with_all_in_it(tmp_path: Path) -> None:
    root = repository(tmp_path, a="1")
    write(root, "new/.gitignore", "*.log\n")
    write(root, "new/deep/b.py")
    write(root, "new/x.log")
    (root / "new/empty").mkdir()
    part = list_some(root, CONFIG, ["new", "new/deep/b.py"])
    assert part is not None
    assert paths(part) == ["new/.gitignore", "new/deep/b.py"]
    assert part.directories == (".", "new", "new/deep", "new/empty")
    assert check(root, CONFIG, {"new"})


@pytest.mark.parametrize(
    "path",
    [
        ".gitignore", "src/.gitignore", ".codemoatignore", "src/.codemoatignore", ".gitmodules", ".", "", "/src",
        "src/..", "src/", ".git", ".git/info/exclude", ".git/config", "src/.git", "src/.git/HEAD",
    ],
)  # fmt: skip
def test_a_path_that_decides_about_others_wants_a_full_listing(tmp_path: Path, path: str) -> None:
    root = repository(tmp_path, src__a="1")
    assert list_some(root, CONFIG, [path, "src/a.py"]) is None
    assert list_some(root, CONFIG, ["src/a.py"]) is not None


def test_many_paths_want_a_full_listing(tmp_path: Path) -> None:
    root = repository(tmp_path, a="1")
    many = [f"{number}.py" for number in range(MAX_PATHS)]
    assert list_some(root, CONFIG, many) is not None
    assert list_some(root, CONFIG, [*many, "a.py"]) is None
    assert list_some(root, CONFIG, [f"{'n' * 250}/{path}" for path in many[:300]]) is not None
    assert list_some(root, CONFIG, [f"{'n' * 600}/{path}" for path in many]) is None


def test_what_is_in_gits_own_folder_is_no_matter(tmp_path: Path) -> None:
    root = repository(tmp_path, a="1", b="2")
    for wanted in ([], [".git/index"], [".git/HEAD", ".git/objects/ab/cdef"]):
        part = list_some(root, CONFIG, wanted)
        assert part is not None
        assert (part.git, part.files, part.skipped, part.directories) == (True, (), (), (".",))
        assert paths(list_some(root, CONFIG, [*wanted, "a.py"])) == ["a.py"]  # type: ignore[arg-type]


def test_repositories_in_a_repository_want_a_full_listing(tmp_path: Path) -> None:
    library = repository(tmp_path / "library", lib="1")
    root = repository(tmp_path / "root", a="1", src__b="2")
    git(root, "submodule", "add", "-q", str(library), "third/lib")
    git(root, "commit", "-qm", "submodule")
    repository(root / "src/nested", n="1")
    for path in [
        "third/lib",
        "third",
        "third/lib/lib.py",
        "src",
        "src/nested",
        "src/nested/n.py",
        "src/nested/gone.py",
    ]:
        assert list_some(root, CONFIG, [path]) is None, path
    assert check(root, CONFIG, {"a.py", "src/b.py"})
    git(root, "submodule", "deinit", "-q", "-f", "third/lib")
    assert list_some(root, CONFIG, ["third/lib"]) is None
    write(root, "third/lib/stray.py")
    assert list_some(root, CONFIG, ["third/lib/stray.py"]) in (None, Listing((), (), (".",), True))


def test_a_damaged_repository_wants_a_full_listing(tmp_path: Path) -> None:
    root = repository(tmp_path, a="1")
    (root / ".git/index").write_bytes(b"DIRC nonsense, long enough to be looked at")
    assert list_some(root, CONFIG, ["a.py"]) is None


def test_a_tree_that_its_gitignore_would_empty(tmp_path: Path) -> None:
    write(tmp_path, ".gitignore", "/*\n")
    write(tmp_path, "a.py")
    write(tmp_path, "sub/b.py")
    assert check(tmp_path, CONFIG, {"a.py", "sub", "no/such"}), "nothing counts, and none of these ever did"
    write(tmp_path, ".gitignore", "/*\n!/a.py\n")
    assert list_some(tmp_path, CONFIG, ["a.py"]) is None, (
        "it is the only one: without it the rules would not be followed"
    )
    write(tmp_path, ".gitignore", "/*\n!/a.py\n!/c.py\n")
    write(tmp_path, "c.py")
    assert check(tmp_path, CONFIG, {"a.py", "sub"})


def test_a_mark_of_an_environment_wants_a_full_listing_where_marks_count(tmp_path: Path) -> None:
    write(tmp_path, "README.md")
    write(tmp_path, "env/lib/x.py")
    write(tmp_path, "env/pyvenv.cfg")
    assert list_some(tmp_path, CONFIG, ["env/pyvenv.cfg"]) is None
    assert check(tmp_path, CONFIG, {"env/lib/x.py"})
    part = list_some(tmp_path, CONFIG, ["env"])
    assert part is not None
    assert list(reasons(part)) == ["env"]


def test_a_part_of_a_trap_of_deep_folders(tmp_path: Path) -> None:
    write(tmp_path, "README.md")
    deep = "/".join("d" for _ in range(230))
    write(tmp_path, f"{deep}/x.py")
    for wanted in ({"d"}, {f"{deep}/x.py"}, {"/".join("d" for _ in range(199))}):
        assert check(tmp_path, CONFIG, wanted)


def test_a_folder_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "locked/x.py")
    write(tmp_path, "a.py")
    scandir = os.scandir

    def refusing(path: str | Path) -> object:
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    assert check(tmp_path, CONFIG, {"locked"})
    assert check(tmp_path, CONFIG, {"locked/x.py"})


def test_a_bad_root_is_an_error_as_for_all(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="no such folder"):
        list_some(tmp_path / "nowhere", CONFIG, ["a.py"])
    with pytest.raises(BadInputError, match="'!'"):
        list_some(tmp_path, IndexConfig(exclude=("!",)), ["a.py"])
