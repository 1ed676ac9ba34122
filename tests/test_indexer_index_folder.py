"""What a repository puts where its index would be is not followed, not written, not removed. Dummy folders only."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from fakes import HashEmbedder
from store_tools import TREE, InlinePool, Tree, without_flushing

from indexer import Index
from indexer.errors import CodemoatError, UnsafeIndexError


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    without_flushing(monkeypatch)
    monkeypatch.setattr("indexer.workers.WorkerPool", InlinePool)


@pytest.fixture(params=["by descriptor", "by path"])
def way(request, monkeypatch):
    """Systems without descriptors of folders make the same checks by path."""
    if request.param == "by path":
        monkeypatch.setattr("indexer.index_folder._BY_DESCRIPTOR", False)


@pytest.fixture
def tree(tmp_path):
    tree = Tree(tmp_path / "repo", tmp_path)
    tree.root.mkdir()
    tree.write(TREE)
    yield tree
    tree.close()


@pytest.fixture
def precious(tmp_path):
    """Somebody's folder outside of the repository, laid out so that an index would mistake it for its own."""
    folder = tmp_path / "precious"
    for path in (
        "photos/one.raw",
        "0001/columns.bin",
        ".tmp-0002/notes",
        "segments/0007/manifest.json",
        "index.sqlite",
    ):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(f"precious {path}")
    (folder / "empty").mkdir()
    return folder


def contents(folder: Path) -> dict[str, object]:
    """Every path below ``folder``, with what it is, its mode and its bytes."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        mode = path.lstat().st_mode
        found[str(path.relative_to(folder))] = (mode, path.read_bytes() if stat.S_ISREG(mode) else None)
    return found


def open_inside(tree: Tree, **options) -> Index:
    options = {"embedder": HashEmbedder(), **options}
    index = Index.open(tree.root, tree.config(in_repository=True), **options)
    tree.opened.append(index)
    return index


def made_inside(tree: Tree) -> Path:
    """The folder of a whole index inside the repository, which nobody has open."""
    index = open_inside(tree, create=True)
    index.update()
    index.close()
    return index.folder


def everything(tree: Tree) -> list[CodemoatError | None]:
    """Open for reading, update, make again: the error of each, None where there was none."""
    found: list[CodemoatError | None] = []
    for action in (
        lambda: open_inside(tree).paths(),
        lambda: open_inside(tree, create=True).update(),
        lambda: open_inside(tree, create=True, rebuild=True).rebuild(),
    ):
        try:
            action()
            found.append(None)
        except CodemoatError as exc:
            found.append(exc)
    return found


def assert_refused(tree: Tree, path: Path, why: str) -> None:
    for error in everything(tree):
        assert isinstance(error, UnsafeIndexError), error
        assert error.message == f"The index is not used: {path} {why}."
        assert "Remove it" in error.hint


@pytest.mark.parametrize("place", [".codemoat", ".codemoat/segments"])
def test_a_link_in_the_place_of_a_folder(tree, precious, way, place):
    made_inside(tree) if "/" in place else None
    path = tree.root / place
    if path.exists():
        path.rename(tree.cache / "aside")
    path.symlink_to(precious, target_is_directory=True)
    before = contents(precious)
    assert_refused(tree, path, "is a link")
    assert contents(precious) == before


@pytest.mark.parametrize("kind", ["file", "link to a file", "link to nothing", "pipe"])
def test_something_else_in_the_place_of_the_index_folder(tree, precious, way, kind):
    path, target = tree.root / ".codemoat", precious / "index.sqlite"
    match kind:
        case "file":
            path.write_text("mine")
        case "link to a file":
            path.symlink_to(target)
        case "link to nothing":
            path.symlink_to(precious / "new")
        case "pipe":
            os.mkfifo(path)
    before = contents(precious)
    assert_refused(tree, path, "is a link" if "link" in kind else "is not a folder")
    assert contents(precious) == before
    assert path.is_symlink() or path.exists()


@pytest.mark.parametrize("made", [True, False])
@pytest.mark.parametrize("kind", ["link", "link to nothing", "pipe", "hard link", "folder"])
@pytest.mark.parametrize(
    "name",
    ["index.sqlite", "index.sqlite-wal", "index.sqlite-shm", "index.sqlite-journal", "lock", "suspect", ".gitignore"],
)
def test_something_else_in_the_place_of_a_file(tree, precious, way, name, kind, made):
    folder = made_inside(tree) if made else tree.root / ".codemoat"
    folder.mkdir(exist_ok=True)
    path, target = folder / name, precious / "photos" / "one.raw"
    path.unlink(missing_ok=True)
    match kind:
        case "link":
            path.symlink_to(target)
        case "link to nothing":
            path.symlink_to(precious / "new")
        case "pipe":
            os.mkfifo(path)
        case "hard link":
            path.hardlink_to(target)
        case "folder":
            path.mkdir()
    before = contents(precious)
    why = {
        "link": "is a link",
        "link to nothing": "is a link",
        "hard link": "is a hard link: the same file has another name",
    }.get(kind, "is not a regular file")
    assert_refused(tree, path, why)
    assert contents(precious) == before


@pytest.mark.parametrize("name", ["columns.bin", "vectors.faiss", "manifest.json"])
@pytest.mark.parametrize("kind", ["link", "pipe", "hard link", "folder"])
def test_something_else_in_the_place_of_a_segments_file(tree, precious, way, name, kind):
    """Damage like any other: said, and repaired from the files of the repository."""
    folder = made_inside(tree)
    path, target = folder / "segments" / "0001" / name, precious / "photos" / "one.raw"
    path.unlink()
    match kind:
        case "link":
            path.symlink_to(target)
        case "pipe":
            os.mkfifo(path)
        case "hard link":
            path.hardlink_to(target)
        case "folder":
            path.mkdir()
    before = contents(precious)
    (problem,) = open_inside(tree).damaged()
    assert str(path) in problem
    assert open_inside(tree, create=True).update().repaired
    index = open_inside(tree)
    assert not index.damaged()
    assert [s.path for s in index.symbols("Store")] == ["app/model.py"]
    assert contents(precious) == before


def test_a_link_in_the_place_of_a_segment_is_left_alone(tree, precious, way):
    folder = made_inside(tree)
    segments = folder / "segments"
    (segments / "0001").rename(tree.cache / "aside")
    for name in ("0001", "0002", "0003", ".tmp-0002", ".tmp-0004"):
        (segments / name).symlink_to(precious, target_is_directory=True)
    before = contents(precious)
    assert open_inside(tree).damaged()
    assert open_inside(tree, create=True).update().repaired
    assert [s.path for s in open_inside(tree).symbols("Store")] == ["app/model.py"]
    assert contents(precious) == before
    assert (segments / "0001").is_symlink()


def test_a_prepared_folder_without_an_index(tree, precious, way):
    """The first index of a clone whose ``segments`` hold links and folders of the repository's own."""
    segments = tree.root / ".codemoat" / "segments"
    (segments / "thesis" / "deep").mkdir(parents=True)
    (segments / "thesis" / "deep" / "chapter").write_text("mine")
    (segments / "photos").symlink_to(precious, target_is_directory=True)
    (segments / "0009").mkdir()
    for name in ("columns.bin", "posting_count.scratch"):
        (segments / "0009" / name).symlink_to(precious / "index.sqlite")
    before = contents(precious)
    open_inside(tree, create=True).update()
    assert contents(precious) == before
    assert (segments / "thesis" / "deep" / "chapter").read_text() == "mine"
    assert (segments / "photos").is_symlink()
    assert not (segments / "0009").exists(), "what could be an index's own is removed, links as links"


def test_what_an_index_did_not_make_stays(tree, way):
    folder = made_inside(tree)
    mine = ("notes.txt", "backup/a", "segments/notes.txt", "segments/0001/notes.txt", "segments/12345678901234/a")
    for path in (*mine, "segments/0050/columns.bin", "segments/.tmp-0051/term.scratch"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("mine")
    open_inside(tree, create=True, rebuild=True).rebuild()
    (folder / "index.sqlite").write_text("no database " * 1000)
    assert open_inside(tree, create=True).update().repaired
    assert [(folder / path).read_text() for path in mine] == ["mine"] * len(mine)
    assert not (folder / "segments/0050").exists()
    assert not (folder / "segments/.tmp-0051").exists()
    assert not (folder / "segments/0001/columns.bin").exists(), "the old segment's own files go"


def modes(folder: Path) -> set[tuple[bool, int]]:
    return {(path.is_dir(), stat.S_IMODE(path.lstat().st_mode)) for path in (folder, *folder.rglob("*"))}


@pytest.mark.parametrize("umask", [0o000, 0o002, 0o022])
def test_an_index_is_its_owners_whatever_the_umask(tree, umask):
    old = os.umask(umask)
    try:
        index = tree.open("new/cache")
        index.update()
        tree.write({"app/more.py": "def more(): pass\n"})
        index.update()
        assert index.symbols("more")
        assert (index.folder / "index.sqlite-wal").exists(), "SQLite's own files are looked at too"
    finally:
        os.umask(old)
    assert modes(tree.cache / "new") == {(True, 0o700), (False, 0o600)}


def test_an_old_index_is_made_private(tree):
    index = tree.open()
    index.update()
    index.close()
    for path in (index.folder, *index.folder.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o666)
    index = tree.open()
    index.update()
    assert stat.S_IMODE(index.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((index.folder / "segments").stat().st_mode) == 0o700
    assert {stat.S_IMODE(p.stat().st_mode) for p in index.folder.iterdir() if p.is_file()} == {0o600}


@pytest.mark.skipif(os.name != "posix", reason="no owners")
@pytest.mark.parametrize("place", ["", "index.sqlite", "lock", "segments"])
def test_what_belongs_to_somebody_else_is_refused(tree, monkeypatch, place):
    path = made_inside(tree) / place
    if os.geteuid() == 0:
        os.chown(path, 65534, 65534)
    else:
        mine = os.geteuid()
        monkeypatch.setattr("os.geteuid", lambda: mine + 1)
        path = path if not place else path.parent
    assert_refused(tree, path, "belongs to another user")
