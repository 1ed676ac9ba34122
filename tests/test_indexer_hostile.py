"""The whole index over hostile trees: nothing is lost, what is left out is said, and the rest is found."""

from __future__ import annotations

import os
import re
import shutil
import socket
import stat
from pathlib import Path

import pytest
from hostile_world import (
    DEADLINE,
    Watched,
    everything_below,
    function,
    git,
    plain_git,
    write,
)

from indexer.errors import BadInputError

pytestmark = pytest.mark.slow

DEPTH = 100_000
LINES = 100_000

NAMES = {
    "upper_named": "Case.py",
    "lower_named": "case.py",
    "newline_named": "new\nline.py",
    "quote_named": "quo\"te'`$(x).py",
    "tab_named": "tab\tand  spaces .py",
    "emoji_named": "\U0001f600\u202e.py",
    "accent_named": "späße.py",
    "decomposed_named": "spa\u0308ße.py",
    "longest_named": "n" * 252 + ".py",
    "dash_named": "-rf.py",
    "dashes_named": "--help/--.py",
    "star_named": "*?[a]{b}!#%.py",
    "backslash_named": "back\\slash.py",
    "escape_named": "\x1b[31mred\x07.py",
}
"""Definition → the name of the file that it stands in."""

TEXTS: dict[str, tuple[str, bytes]] = {
    "utf16_le_marked": ("u1.py", function("utf16_le_marked").encode("utf-16")),
    "utf16_be_marked": ("u2.py", ("\ufeff" + function("utf16_be_marked")).encode("utf-16-be")),
    "utf16_le_bare": ("u3.py", function("utf16_le_bare").encode("utf-16-le")),
    "utf16_be_bare": ("u4.py", function("utf16_be_bare").encode("utf-16-be")),
    "utf8_marked": ("u5.py", function("utf8_marked").encode("utf-8-sig")),
    "invalid_utf8": ("u6.py", b'x = "\xff\xfe\x80\xc3"\n' + function("invalid_utf8").encode()),
    "surrogates": ("u7.py", b"# \xed\xa0\x80 \xf4\x90\x80\x80\n" + function("surrogates").encode()),
    "carriage_newline": ("l1.py", function("carriage_newline").replace("\n", "\r\n").encode()),
    "carriage_alone": ("l2.py", function("carriage_alone").replace("\n", "\r").encode()),
    "form_feeds": ("l3.py", b"\x0c\x0b\n" + function("form_feeds").encode() + b"\x1a"),
    "no_final_newline": ("l4.py", function("no_final_newline").rstrip().encode()),
}
"""Definition → file and its bytes."""

NESTED = {"deep.py": "(", "deep.js": "[", "deep.c": "{", "deep.rs": "{", "deep.java": "(", "deep.tex": "{"}
CLOSING = {"(": ")", "[": "]", "{": "}"}


def nested(opening: str) -> str:
    """Brackets in brackets, on lines that nobody would call minified."""
    opened, closed = f"{opening * 100}\n" * (DEPTH // 100), f"{CLOSING[opening] * 100}\n" * (DEPTH // 100)
    return f"before_it\n{opened}{closed}after_it\n"


def make_device(path: Path) -> bool:
    """A character device, if this user may make one."""
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5))
    except PermissionError:
        return False
    return True


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """One tree with everything in it that lies still, indexed once; what happens during an update comes below."""
    base = tmp_path_factory.mktemp("hostile")
    root = base / "root"
    for name, path in NAMES.items():
        write(root, path, function(name))
    for path, raw in TEXTS.values():
        write(root, f"texts/{path}", raw)
    for path, opening in NESTED.items():
        write(root, f"nested/{path}", nested(opening))
    write(root, "hang.cbl", "x\n")
    write(root, "crash.md", ">" * 50_000 + "\nlast_words_of_it\n")
    write(root, "many_lines.txt", "\n" * (LINES - 1) + "the_last_line\n")
    write(root, "too_many_lines.py", "".join(f"variable_{n} = {n}\n" for n in range(LINES)))
    write(root, "one_line.js", "function a(b,c){return b+c};" * 4_000)
    write(root, "one_line.py", "x=" + "1+" * 20_000 + "1\n")
    write(root, "nul.py", b"def f(): '\0'\n")
    write(root, b"no-utf8-\xff.py", function("unnamed"))
    with (root / "sparse.py").open("wb") as file:
        file.truncate(2 << 30)
    outside = write(base, "outside/secret.py", function("outside_the_root")).parent
    links = {"self": "self", "up": ".", "away": outside, "away.py": outside / "secret.py", "nowhere.py": "gone.py",
             "again.py": "case.py", "texts/round": "..", "pair1": "pair2", "pair2": "pair1"}  # fmt: skip
    for name, target in links.items():
        (root / name).symlink_to(target)
    os.mkfifo(root / "pipe.py")
    device = make_device(root / "device.py")
    listener = socket.socket(socket.AF_UNIX)
    place = Path.cwd()
    os.chdir(root)  # a socket's name has at most 107 bytes
    listener.bind("socket.py")
    os.chdir(place)
    with Watched(root, base / "cache") as watched:
        watched.update()
        watched.root, watched.device = root, device
        yield watched
    listener.close()


def test_nothing_is_lost(hostile):
    indexed, said = set(hostile.index.paths()), hostile.said
    for path in everything_below(hostile.root):
        assert path in indexed or path in said, f"{path!r} is neither in the index nor reported"
    assert hostile.report.files == hostile.report.files_parsed == len(indexed)
    for path in indexed:
        text = hostile.index.text(path)
        assert text is not None and text.encode("utf-8")


def test_unchanged_it_is_not_read_again(hostile):
    before = hostile.said
    again = hostile.update()
    assert (again.files_parsed, again.files_removed, again.bytes_read) == (0, 0, 0)
    assert hostile.said == before


@pytest.mark.parametrize("name", NAMES)
def test_names(hostile, name):
    assert hostile.finds(name) == [NAMES[name]]
    assert hostile.index.text(NAMES[name]) == function(name)


@pytest.mark.parametrize("name", TEXTS)
def test_encodings_and_line_ends(hostile, name):
    path = f"texts/{TEXTS[name][0]}"
    assert hostile.finds(name) == [path]
    assert f"def {name}():" in hostile.index.text(path)


@pytest.mark.parametrize("path", NESTED)
def test_deep_nesting_is_searchable(hostile, path):
    text = hostile.index.text(f"nested/{path}")
    assert text == nested(NESTED[path])
    with hostile.index._view() as snapshot:
        rows = snapshot.rows_of(f"nested/{path}")
        chunks = [snapshot.chunk(row) for row in range(*rows.indices(snapshot.rows))]
    assert "".join(chunk.text for chunk in chunks) == text


def test_hanging_and_crashing_grammars_cost_their_files_only_their_syntax(hostile):
    assert hostile.said["hang.cbl"] == f"Parsing took longer than {DEADLINE:g} s; taken by lines."
    # It writes where it must not; what that ends it with is up to where it writes.
    assert re.fullmatch(r"The parser crashed \(signal SIG[A-Z]+\); taken by lines\.", hostile.said["crash.md"])
    assert hostile.index.text("hang.cbl") == "x\n"
    assert hostile.index.search("last_words_of_it").hits[0].chunk.path == "crash.md"


def test_a_hundred_thousand_lines_below_the_limit(hostile):
    hit = hostile.index.search("the_last_line").hits[0]
    assert (hit.chunk.path, hit.chunk.span.end_line) == ("many_lines.txt", LINES)


@pytest.mark.slow
def test_a_hundred_thousand_definitions_below_the_limit(tmp_path):
    write(tmp_path, "root/many.py", "".join(f"v{n}=1\n" for n in range(LINES - 1)) + "the_last_name = 1\n")
    write(tmp_path, "root/other.py", function("other"))
    with Watched(tmp_path / "root", tmp_path / "cache", parse_deadline=30.0) as watched:
        report = watched.update()
        assert (report.symbols, report.skipped) == (LINES + 1, ())
        assert watched.finds("the_last_name") == ["many.py"]
        assert watched.index.symbols(f"v{LINES - 2}")[0].span.start_line == LINES - 1


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("too_many_lines.py", "Larger than the limit: 2,277,780 bytes of at most 1,000,000."),
        ("sparse.py", "Larger than the limit: 2,147,483,648 bytes of at most 1,000,000."),
        ("one_line.js", "Minified or packed: its lines are far too long to be written by hand."),
        ("one_line.py", "Minified or packed: its lines are far too long to be written by hand."),
        ("nul.py", "Binary content."),
        (r"no-utf8-\xff.py", "Its name is not valid UTF-8."),
        ("self", "Symbolic link that leads nowhere."),
        ("pair1", "Symbolic link that leads nowhere."),
        ("nowhere.py", "Symbolic link that leads nowhere."),
        ("away", "Symbolic link that leads out of the indexed folder."),
        ("away.py", "Symbolic link that leads out of the indexed folder."),
        ("up", "Symbolic link to a folder that is found at its own place: .."),
        ("texts/round", "Symbolic link to a folder that is found at its own place: .."),
        ("again.py", "Symbolic link to a file that is found at its own place: case.py."),
        ("pipe.py", "Named pipe, not a file."),
        ("socket.py", "Socket, not a file."),
        ("device.py", "Device, not a file."),
    ],
)
def test_what_is_left_out_is_said(hostile, path, reason):
    if path == "device.py" and not hostile.device:
        assert path not in hostile.said
        return
    assert hostile.said[path] == reason
    assert path not in hostile.index.paths()


def test_nothing_outside_the_root_is_known(hostile):
    assert hostile.index.symbols("outside_the_root") == []
    assert "outside_the_root" not in str(hostile.index.search("outside_the_root", 100))


def test_what_is_too_large_is_not_read(tmp_path):
    write(tmp_path, "root/small.py", function("small"))
    with (tmp_path / "root/sparse.py").open("wb") as file:
        file.truncate(2 << 30)
    with Watched(tmp_path / "root", tmp_path / "cache") as watched:
        report = watched.update()
    assert report.bytes_read == report.bytes == len(function("small"))


@pytest.fixture
def alone(monkeypatch):
    plain_git(monkeypatch.setenv, monkeypatch.delenv)


def test_names_in_a_git_repository(tmp_path, alone):
    root = tmp_path / "root"
    for name, path in NAMES.items():
        write(root, path, function(name))
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "first")
    write(root, "untracked\n.py", function("untracked"))
    with Watched(root, tmp_path / "cache") as watched:
        watched.update()
        assert watched.said == {}
        assert {name: watched.finds(name) for name in NAMES} == {name: [path] for name, path in NAMES.items()}
        assert watched.finds("untracked") == ["untracked\n.py"]


def without_link(root, content):
    (root / ".git").rmdir()
    (root / ".git").write_text(content)


BROKEN = {
    "empty file": (lambda root: without_link(root, ""), "its .git is damaged"),
    "pointing nowhere": (lambda root: without_link(root, "gitdir: /nowhere/at/all\n"), "its .git is damaged"),
    "pointing at itself": (lambda root: without_link(root, "gitdir: .git\n"), "its .git is damaged"),
    "no words": (lambda root: without_link(root, "\0\xff"), "its .git is damaged"),
    "empty folder": (lambda root: None, "its .git is damaged"),
    "garbage HEAD": (lambda root: made(root, "HEAD", b"\0garbage\xff"), "its .git is damaged"),
    "empty HEAD": (lambda root: made(root, "HEAD", b""), "its .git is damaged"),
    "truncated index": (lambda root: cut_index(made(root)), "index"),
    "index of 20 bytes": (lambda root: os.truncate(made(root) / "index", 20), "index file smaller than expected"),
    "garbage config": (lambda root: made(root, "config", b"[[[\n"), "config"),
    "no objects": (lambda root: shutil.rmtree(made(root) / "objects"), "its .git is damaged"),
}


def made(root, name=None, content=b""):
    """A real repository with one commit, and one of its files replaced."""
    (root / ".git").rmdir()
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "first")
    if name is not None:
        (root / ".git" / name).write_bytes(content)
    return root / ".git"


def cut_index(folder):
    os.truncate(folder / "index", (folder / "index").stat().st_size // 2)


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_repository_is_walked_and_says_so(tmp_path, alone, kind):
    root = tmp_path / "root"
    write(root, "src/mine.py", function("mine"))
    write(root, ".gitignore", "*.log\n")
    write(root, "noise.log", "noise\n")
    (root / ".git").mkdir()
    damage, reason = BROKEN[kind]
    damage(root)
    with Watched(root, tmp_path / "cache") as watched:
        watched.update()
        assert reason in watched.said["."]
        assert watched.finds("mine") == ["src/mine.py"]
        assert watched.index.paths() == [".gitignore", "src/mine.py"]


def test_a_repository_that_is_empty(tmp_path, alone):
    root = tmp_path / "root"
    root.mkdir()
    git(root, "init", "-q")
    with Watched(root, tmp_path / "cache") as watched:
        report = watched.update()
        assert (report.files, report.generation, report.skipped) == (0, 1, ())
        assert watched.index.search("anything").hits == ()
        write(root, "first.py", function("first"))
        watched.update()
        assert watched.finds("first") == ["first.py"]


def test_a_repository_of_another_user(tmp_path, alone, monkeypatch):
    root = tmp_path / "root"
    write(root, "theirs.py", function("theirs"))
    (root / ".git").mkdir()
    made(root)
    if os.getuid() == 0:
        for path in (root, *root.rglob("*")):
            os.chown(path, 12345, 12345)
    else:
        monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with Watched(root, tmp_path / "cache") as watched:
        watched.update()
        assert "belongs to another user" in watched.said["."]
        assert watched.finds("theirs") == ["theirs.py"]


def test_a_root_whose_name_is_no_utf8(tmp_path):
    root = Path(os.fsdecode(os.fsencode(tmp_path) + b"/r-\xff"))
    write(root, "a.py", function("in_an_odd_folder"))
    with Watched(root, tmp_path / "cache") as watched:
        watched.update()
        assert watched.finds("in_an_odd_folder") == ["a.py"]


def test_an_included_folder_whose_name_is_too_long_is_named(tmp_path):
    write(tmp_path / "tree", "a.py", function("here"))
    with (
        Watched(tmp_path / "tree", tmp_path / "cache", include=("a" * 300,)) as watched,
        pytest.raises(BadInputError, match="which is not a folder in"),
    ):
        watched.update()
