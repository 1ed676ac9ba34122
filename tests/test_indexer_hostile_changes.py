"""The whole index while the tree changes under it, over files that may not be read, and over very many."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hostile_world import Meanwhile, Watched, bound_by_modes, crowd, function, write
from store_tools import dump

# Real events and real waits: more than a check before every commit should take.
pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent


def swap_for_link(path):
    path.unlink()
    path.symlink_to(path.parent.parent.parent / "outside.py")


def swap_for_pipe(path):
    path.unlink()
    os.mkfifo(path)


def swap_for_folder(path):
    path.unlink()
    write(path, "inner.py", function("inner"))


MEANWHILE = {
    "deleted": (lambda path: path.unlink(), "It does not exist (any more)."),
    "replaced": (lambda path: path.write_text(function("later")), None),
    "emptied": (lambda path: path.write_text(""), None),
    "longer": (lambda path: path.write_text(function("later") * 3_000), None),
    "too long": (lambda path: os.truncate(path, 3_000_000_000), "Larger than the limit"),
    "binary": (lambda path: path.write_bytes(b"\0" * 99), "Binary content."),
    "link out of the root": (swap_for_link, "Symbolic link: links are not followed."),
    "pipe": (swap_for_pipe, "Named pipe, not a file."),
    "folder": (swap_for_folder, "A folder, not a file."),
    "folder removed": (lambda path: shutil.rmtree(path.parent), "It does not exist (any more)."),
    "folder made a link": (lambda path: move_out(path.parent), "Symbolic link: links are not followed."),
    "root removed": (lambda path: shutil.rmtree(path.parent.parent), "It does not exist (any more)."),
}


def move_out(folder):
    outside = folder.parent.parent / "outside"
    folder.rename(outside)
    folder.symlink_to(outside)


@pytest.mark.parametrize("kind", MEANWHILE)
def test_what_changes_between_listing_and_reading(tmp_path, kind):
    """The index holds what was read, says what could not be, and the next update sees the rest."""
    act, reason = MEANWHILE[kind]
    root = tmp_path / "root"
    crowd(root)
    write(tmp_path, "outside.py", function("outside"))
    victim = write(root, "z/victim.py", function("victim"))
    write(root, "z/witness.py", function("witness"))
    meanwhile = Meanwhile(lambda: act(victim))
    with Watched(root, tmp_path / "cache", workers=1) as watched:
        watched.update(meanwhile)
        assert meanwhile.done
        assert watched.index.symbols("crowd_0")
        assert watched.index.symbols("outside") == []
        if reason is None:
            assert watched.index.text("z/victim.py") == victim.read_text()
        else:
            assert watched.said["z/victim.py"].startswith(reason)
            assert "z/victim.py" not in watched.index.paths()
        assert watched.index.symbols("victim") == []
        root.mkdir(exist_ok=True)  # for the one kind that removed it
        watched.update()
        with Watched(root, tmp_path / "fresh") as fresh:
            fresh.update()
            assert dump(watched.index) == dump(fresh.index)
            assert watched.report.skipped == fresh.report.skipped


def test_a_tree_that_never_rests(tmp_path):
    """Files are rewritten, replaced, renamed and deleted while updates run; once it rests, one update is enough."""
    root = tmp_path / "root"
    crowd(root, 60)
    rest = threading.Event()

    def disturb():
        rng = random.Random(5)
        while not rest.is_set():
            path = root / f"a/m{rng.randrange(60):03}.py"
            match rng.randrange(5):
                case 0:
                    path.unlink(missing_ok=True)
                case 1:
                    path.write_text(function(f"fresh_{rng.randrange(10**6)}") * rng.randrange(1, 200))
                case 2 if path.exists():
                    path.replace(root / f"a/m{rng.randrange(60):03}.py")
                case _:
                    write(tmp_path, "new", function(f"whole_{rng.randrange(10**6)}")).replace(path)

    with Watched(root, tmp_path / "cache") as watched:
        thread = threading.Thread(target=disturb)
        thread.start()
        try:
            for _ in range(3):
                watched.update()
                watched.index.search("fresh whole crowd", 50)
        finally:
            rest.set()
            thread.join()
        watched.update()
        with Watched(root, tmp_path / "fresh") as fresh:
            fresh.update()
            assert dump(watched.index) == dump(fresh.index)


def test_files_of_one_size_and_time_that_swap_their_names(tmp_path):
    """As git leaves them: a checkout writes many files within one tick of the clock. A rename keeps time and size."""
    root = tmp_path / "root"
    one, other = write(root, "one.py", function("first")), write(root, "two.py", function("other"))
    for path in (one, other):
        os.utime(path, ns=(1_600_000_000_123_456_789, 1_600_000_000_123_456_789))
    with Watched(root, tmp_path / "cache") as watched:
        watched.update()
        one.rename(root / "spare")
        other.rename(one)
        (root / "spare").rename(other)
        watched.update()
        assert watched.finds("first") == ["two.py"]
        assert watched.finds("other") == ["one.py"]


def test_unreadable_files_and_folders(tmp_path):
    """In a process that file modes bind, whoever runs the tests."""
    root = tmp_path / "root"
    write(root, "open.py", function("open_to_all"))
    write(root, "closed.py", function("closed")).chmod(0)
    write(root, "shut/inner.py", function("inner"))
    (root / "shut").chmod(0)
    command = [sys.executable, "-m", "assistant.cli.main", "index", str(root), "--json"]
    environment = {**os.environ, "CODEMOAT_CACHE_DIR": str(tmp_path / "cache")}

    def update():
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, check=True, preexec_fn=bound_by_modes
        )
        return json.loads(done.stdout)

    try:
        report = update()
    finally:
        (root / "shut").chmod(0o755)
        (root / "closed.py").chmod(0o644)
    said = {skip["path"]: skip["reason"] for skip in report["skipped"]}
    assert said == {"closed.py": "No permission to read it.", "shut": "No permission to read it."}
    assert report["files"] == 1
    later = update()
    assert (later["files"], later["skipped"]) == (3, [])


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_very_many_files(tmp_path):
    """CODEMOAT_TEST_MANY_FILES (3,000) tiny files: all of them, then none, then one."""
    many = int(os.environ.get("CODEMOAT_TEST_MANY_FILES", "3000"))
    root = tmp_path / "root"
    for number in range(many):
        if number % 500 == 0:
            folder = root / f"d{number // 10_000}" / f"e{number // 500}"
            folder.mkdir(parents=True)
        (folder / f"f{number}.py").write_text(f"def f{number}(): return g{number % 97}({number})\n")
        os.utime(folder / f"f{number}.py", ns=(1_600_000_000_123_456_789, 1_600_000_000_123_456_789))
    with Watched(root, tmp_path / "cache", parse_deadline=5.0) as watched:
        report = watched.update()
        assert (report.files, report.files_parsed, report.symbols, report.skipped) == (many, many, many, ())
        assert watched.finds(f"f{many - 1}")
        report = watched.update()
        assert (report.files, report.files_parsed, report.bytes_read) == (many, 0, 0)
        (folder / f"f{many - 1}.py").write_text(function("edited"))
        report = watched.update()
        assert (report.files, report.files_parsed, report.bytes_read) == (many, 1, len(function("edited")))
        assert watched.finds("edited")
        assert watched.index.symbols(f"f{many - 1}") == []
