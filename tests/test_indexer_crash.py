"""Writers that die, full disks, files that a power cut ruined: the index opens, and an update makes it whole.

CODEMOAT_TEST_KILLS says how many events of each kind there are (30 here, 500 in ``python -m benchmarks.crash``), and
CODEMOAT_TEST_TALLY names a file that gets what was counted, a JSON line a test.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zlib

import pytest
from crash_world import CrashWorld, build_shim, is_one_sentence, kills
from store_tools import InlinePool, without_flushing

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]
STORAGE_ERROR = 5
CHANGES = 24
"""Changes of a run at each of which a test kills it."""
LONGER = 1.1
"""By how much a run that was killed may have been longer than thought."""
needs_compiler = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("cc") is None, reason="a C compiler makes the full disk, on Linux"
)


@pytest.fixture
def world(tmp_path, monkeypatch, request):
    # The children flush and use processes; what this process does to check them need not.
    without_flushing(monkeypatch)
    monkeypatch.setattr("indexer.workers.WorkerPool", InlinePool)
    world = CrashWorld(tmp_path, seed=zlib.crc32(request.node.name.encode()))
    yield world
    if (book := os.environ.get("CODEMOAT_TEST_TALLY")) and world.tally.events:
        entry = {"test": request.node.name, "events": world.tally.events, "wrong": world.tally.wrong}
        with open(book, "a") as out:
            out.write(json.dumps(entry) + "\n")


def assert_whole(world, event, count):
    """Nothing was unopenable, unreadable, lost, different, or left lying about."""
    assert world.tally.events[event] == count
    assert not world.tally.wrong, str(world.tally)


def test_killed_at_any_moment(world):
    """kill -9 at moments spread over whole runs, cold and later ones; a quarter of them after another kill."""
    count, struck = kills(), 0
    lengths = {"cold": world.seconds_of_a_run()}
    world.check("nothing: no kill")
    world.edit()
    lengths["update"] = world.seconds_of_a_run()
    world.check("nothing: no kill")
    for number in range(count):
        kind = "cold" if number % 3 == 0 else "update"
        if kind == "cold":
            world.forget()
        else:
            world.edit()
        if number % 4 == 3:
            world.kill_after(world.rng.random() * lengths[kind])
        moment = world.rng.random() * lengths[kind]
        took = world.kill_after(moment)
        struck += took is None
        # The machine may be busier or idler than before: a run that was not killed says how long runs are now.
        lengths[kind] = LONGER * lengths[kind] if took is None else took
        world.check(f"kill: {kind}, after {moment:.3f} of {lengths[kind]:.3f} s, number {number}")
    assert_whole(world, "kill", count)
    assert struck > count // 4, "moments must fall within runs"


def some_moment(rng, most):
    """A number below ``most``: a third early, where files are made, a third late, where they are published."""
    part = rng.randrange(max(1, most // 8))
    return rng.choice((part, rng.randrange(most), most - 1 - part))


@needs_compiler
def test_killed_at_each_of_the_first_changes(world, tmp_path):
    """While folder, lock and database come to be: a handful of changes that random moments hardly meet."""
    shim = {"LD_PRELOAD": str(build_shim(tmp_path)), "SHIM_FOLDER": str(world.cache), "SHIM_DEADLY": "1"}
    for number in range(CHANGES):
        world.forget()
        world.cache.mkdir()
        assert world.command_line({**shim, "SHIM_CALLS": str(number)}).returncode < 0
        world.check(f"kill: at change {number} of a cold run")
    assert_whole(world, "kill", CHANGES)


@needs_compiler
@pytest.mark.parametrize("deadly", [False, True], ids=["full disk", "killed"])
def test_stopped_at_any_change_on_the_disk(world, tmp_path, deadly):
    """The disk is full, or the process dies, after so many bytes or changes: moments that no clock would find."""
    shim = {"LD_PRELOAD": str(build_shim(tmp_path)), "SHIM_FOLDER": str(world.cache)}
    report = tmp_path / "report"
    most: dict[str, tuple[int, int]] = {}
    events = kills(0.5)
    for number in range(-2, events):
        kind = "cold" if number % 2 == 0 else "update"
        if kind == "cold":
            world.forget()
            world.cache.mkdir()
        else:
            world.edit()
        unit = world.rng.randrange(2)
        variables = {**shim, "SHIM_REPORT": str(report), **({"SHIM_DEADLY": "1"} if deadly else {})}
        limit = 0
        if number >= 0:  # the first two runs measure
            limit = some_moment(world.rng, most[kind][unit])
            variables[("SHIM_BYTES", "SHIM_CALLS")[unit]] = str(limit)
        report.unlink(missing_ok=True)
        done = world.command_line(variables)
        event = f"{'kill' if deadly else 'full'}: {kind}, {('byte', 'change')[unit]} {limit}, number {number}"
        struck = number >= 0
        if report.exists():
            size, calls, _, struck = map(int, report.read_text().split())
            most.setdefault(kind, (size, calls))
        assert not struck or done.returncode, event
        if struck and deadly:
            assert done.returncode < 0, event
        elif struck:
            assert done.returncode == STORAGE_ERROR, f"{event}\n{done.stderr}"
            assert is_one_sentence(done.stderr), f"{event}\n{done.stderr}"
        else:
            assert done.returncode == 0, f"{event}\n{done.stderr}"
        world.check(event)
    assert_whole(world, "kill" if deadly else "full", events + 2)


# Commits that the command line makes only of large trees, or when its user stops it.
COMMITS = {
    "cold": "",
    "update": "",
    "checkpoint": "Staging.is_due = property(lambda self: self._builder is not None and self._builder.rows > 150)",
    "cancelled": "stop = lambda progress: progress.files_done > 40 and cancel.cancel()",
    "merge": "indexer.update._SMALL_MERGE, indexer.segment_merge.MOST_SEGMENTS = 0, 1",
}
COMMITTING = """
import sys
from pathlib import Path
import indexer.segment_merge, indexer.update
from indexer import Index, IndexConfig
from indexer.control import Control
from indexer.errors import CancelledError, StorageError
from indexer.staging import Staging
cancel, stop = Control(), None
exec(sys.argv[3])
try:
    Index.open(Path(sys.argv[1]), IndexConfig(cache_dir=Path(sys.argv[2]), workers=2), create=True).update(stop, cancel)
except CancelledError:
    pass
except StorageError as exc:
    print(exc.message, file=sys.stderr)
    sys.exit(5)
"""


@needs_compiler
@pytest.mark.parametrize("kind", COMMITS)
def test_full_disk_at_each_flush_of_the_log(world, tmp_path, kind):
    """A commit record is written and cannot be flushed: the next one who opens the index says whether it holds."""
    report = tmp_path / "report"
    shim = {
        "LD_PRELOAD": str(build_shim(tmp_path)), "SHIM_FOLDER": str(world.cache), "SHIM_REPORT": str(report),
    }  # fmt: skip
    struck, number = 1, 0
    while struck:
        if kind in ("update", "merge"):
            if world.before is None:
                world.check("nothing: no full disk")
            world.edit()
        else:
            world.forget()
            world.cache.mkdir()
        done = world.child(COMMITTING, COMMITS[kind], environment={**shim, "SHIM_FLUSHES": str(number)})
        struck = int(report.read_text().split()[-1])
        number += 1
        event = f"full: {kind}, flush {number} of the log"
        # Closing comes after the work of a cancelled update; what fails there costs nothing.
        fine = (0, STORAGE_ERROR) if struck and kind == "cancelled" else (STORAGE_ERROR if struck else 0,)
        assert done.returncode in fine, f"{event}\n{done.stderr}"
        world.check(event)
    assert_whole(world, "full", number)
    assert number > 2, "more than one flush failed before one run got through"


# Keeps the log's index in memory, so that nobody reads the log itself as long as it lives.
READING = """
import sys
from pathlib import Path
from indexer import Index, IndexConfig
with Index.open(Path(sys.argv[1]), IndexConfig(cache_dir=Path(sys.argv[2])))._view():
    print("ready", flush=True)
    sys.stdin.read()
"""


@needs_compiler
def test_killed_after_a_commit_that_failed_while_somebody_reads(world, tmp_path):
    """The record of the failed commit stays in the log, and the next writer dies before it writes there itself."""
    shim = {"LD_PRELOAD": str(build_shim(tmp_path)), "SHIM_FOLDER": str(world.cache)}
    world.check("nothing: no kill")
    changes = CHANGES // 2
    for number in range(changes):
        world.edit()
        world.empty_log()
        with world.start(READING) as reader:
            # The first flush is that of the log's head, the second one that of the commit.
            done = world.child(COMMITTING, "", environment={**shim, "SHIM_FLUSHES": "1"})
            assert done.returncode == STORAGE_ERROR, done.stderr
            assert world.unlisted(), "the segments of the failed commit stay"
            variables = {**shim, "SHIM_DEADLY": "1", "SHIM_CALLS": str(number)}
            assert world.child(COMMITTING, "", environment=variables).returncode < 0
            reader.kill()
        world.check(f"kill: at change {number} after a failed commit")
    assert_whole(world, "kill", changes)


def test_files_that_a_power_cut_ruined(world):
    """A file of the index is shortened, partly zeroed or gone, after a writer finished or was killed."""
    count = kills(0.5)
    length = world.seconds_of_a_run()
    for number in range(count):
        if world.before is None:  # at the start, and after something that could not be repaired
            world.check("nothing: no harm")
        if number % 2:
            world.edit()
            world.kill_after(world.rng.random() * length)
        files = sorted(path for path in world.folder.rglob("*") if path.is_file())
        by_name = {path.name: path for path in world.rng.sample(files, len(files))}
        victim = by_name[world.rng.choice(sorted(by_name))]
        world.check(f"harm: {world.harm(victim)}, number {number}", damaged=True)
    assert_whole(world, "harm", count)


MOUNT_AND_RUN = 'mount -t tmpfs -o size="$1"k disk "$2" && shift 2 && exec "$@"'
MOUNT = ["unshare", "--mount", "--map-root-user", "sh", "-c", MOUNT_AND_RUN, "sh"]


@pytest.fixture
def small_disks(tmp_path):
    """Skips where this user may not mount a disk for a child alone."""
    if sys.platform != "linux" or subprocess.run([*MOUNT, "64", tmp_path, "true"], check=False).returncode:
        pytest.skip("a small disk that fills up needs Linux and leave to mount one")


def on_small_disk(world, kilobytes, *child):
    """Run a child that alone sees a tmpfs of this size in the place of the cache."""
    world.cache.mkdir()
    return subprocess.run(
        [*MOUNT, str(kilobytes), str(world.cache), sys.executable, *child],
        env={**os.environ, "CODEMOAT_CACHE_DIR": str(world.cache)}, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.usefixtures("small_disks")
@pytest.mark.parametrize("kilobytes", [64, 200, 400])
def test_really_full_disk(world, kilobytes):
    """What the system itself says and does when a disk is full, not what the shim makes of it."""
    done = on_small_disk(world, kilobytes, "-m", "assistant.cli.main", "index", str(world.tree.root))
    assert done.returncode == STORAGE_ERROR, done.stderr
    assert is_one_sentence(done.stderr)


# Nine segments, so that the next update merges; then ever more room, until there is enough.
MERGING = """
import os, sys
from pathlib import Path
from indexer import Index, IndexConfig
from indexer.errors import StorageError
root, cache = Path(sys.argv[1]), Path(sys.argv[2])
index = Index.open(root, IndexConfig(cache_dir=cache, workers=1), create=True)
for number in range(9):
    names = " ".join(f"name_{number}_{k}" for k in range(3000))
    (root / f"extra{number}.md").write_text(f"# Extra {number}\\n\\n{names}\\n")
    if number < 8:
        index.update()
filler, failures = cache / "filler", 0
free = os.statvfs(cache).f_bavail * os.statvfs(cache).f_frsize
filler.write_bytes(bytes(free))
while True:
    try:
        index.update()
        break
    except StorageError as exc:
        failures += 1
        os.truncate(filler, max(0, filler.stat().st_size - 16384))
        print(failures, exc, file=sys.stderr, flush=True)
print(failures, index.status().segments, flush=True)
"""


@pytest.mark.usefixtures("small_disks")
def test_really_full_disk_while_segments_are_merged(world):
    """A page of a memory map that finds no room on the disk ends the process (SIGBUS): none may be written so."""
    done = on_small_disk(world, 8000, "-c", MERGING, str(world.tree.root), str(world.cache))
    assert done.returncode == 0, f"{done.returncode}: {done.stderr[-1000:]}"
    failures, segments = map(int, done.stdout.split())
    assert failures > 3 and segments < 9, "the last update merged, and the disk was full in several places before"
