"""A world in which writers of an index die: a tree that is edited, child processes that index it, what must hold after.

Every moment and edit comes from a seeded generator. ``Tally`` counts; the tests assert that it counts nothing.
"""

from __future__ import annotations

import os
import random
import select
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from store_tools import Tree, dump

from indexer import Index
from indexer.errors import CorruptIndexError, NoIndexError
from indexer.store import DATABASE, SEGMENTS, open_reader, open_writer

TESTS = Path(__file__).parent
FILES = 220
BLOCK = 4096
HANGING_SECONDS = 900
"""A run takes a second. One that takes this long hangs, on however busy a machine and slow a disk."""
QUERIES = ("load rows of a store", "Row17", "def load_3(path)", "guide to sizes")

# Prints when an update begins and ends: moments are drawn from between the two. It has a group of its own, so that its
# parse processes can be killed with it, and files to parse for two of them.
CHILD = """
import sys
from pathlib import Path
from indexer import Index, IndexConfig
index = Index.open(Path(sys.argv[1]), IndexConfig(cache_dir=Path(sys.argv[2]), workers=2), create=True)
print("ready", flush=True)
index.update()
print("done", flush=True)
"""


def kills(share: float = 1.0) -> int:
    """How many events a test makes: ``share`` of CODEMOAT_TEST_KILLS, at least two."""
    return max(2, round(int(os.environ.get("CODEMOAT_TEST_KILLS", "30")) * share))


@dataclass
class Tally:
    """What went wrong, and on which event, counted by kind; and how many events there were of each kind."""

    wrong: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    details: list[str] = field(default_factory=list)

    def note(self, kind: str, event: str, detail: object = "") -> None:
        """Count something that must not be."""
        self.wrong[kind] += 1
        self.details.append(f"{kind} after {event}: {detail}"[:400])

    def __str__(self) -> str:
        return "\n".join([f"{dict(self.wrong)} in {dict(self.events)}", *self.details[:20]])


def build_shim(folder: Path) -> Path:
    """Compile crash_shim.c."""
    made = folder / "crash_shim.so"
    command = [
        "cc",
        "-shared",
        "-fPIC",
        "-O1",
        "-Wall",
        "-Werror",
        "-o",
        str(made),
        str(TESTS / "crash_shim.c"),
        "-ldl",
    ]
    subprocess.run(command, check=True, capture_output=True)
    return made


class CrashWorld:
    """One tree of small files, one index of it, and the truth: a fresh index of the same tree."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.rng = random.Random(seed)
        self.tree = Tree(folder / "repo", folder)
        self.cache = folder / "cache"
        self.tally = Tally()
        self.step = 0
        self.before: dict[str, Any] | None = None
        """What the index held when it was last seen whole; None where there was none."""
        self.tree.root.mkdir(parents=True)
        self.tree.write({f"p{n % 9}/m{n}.py": self._text(n) for n in range(FILES)})
        self.tree.write({"docs/guide.md": "# Guide\n\nA guide to sizes.\n", "ignored.bin": "x"})

    @property
    def folder(self) -> Path:
        """The folder of the index under test; it need not exist."""
        with Index.open(self.tree.root, self.tree.config(), rebuild=True) as index:
            return index.folder

    def edit(self) -> None:
        """Change, add, delete and rename some files, from a handful to a third of all."""
        self.step += 1
        present = sorted(p.relative_to(self.tree.root).as_posix() for p in self.tree.root.rglob("*.py"))
        for path in self.rng.sample(present, self.rng.choice((3, 20, 70))):
            match self.rng.randrange(8):
                case 0 if len(present) > FILES * 0.8:
                    (self.tree.root / path).unlink()
                case 1:
                    (self.tree.root / path).rename(
                        (self.tree.root / path).with_stem(f"moved{self.rng.randrange(10**6)}")
                    )
                case 2:
                    self.tree.write({f"new/n{self.rng.randrange(10**6)}.py": self._text(self.rng.randrange(FILES))})
                case _:
                    self.tree.write({path: self._text(self.rng.randrange(FILES))})

    def _text(self, n: int) -> str:
        part = f"def load_{n}(path):\n    return open_rows(path, {self.rng.random()})\n\n\n"
        return (
            f"import os\n\n\n{part * self.rng.randrange(1, 12)}class Row{n}:\n    def size(self):\n        return {n}\n"
        )

    def forget(self) -> None:
        """No index at all: what comes next is a cold one."""
        shutil.rmtree(self.cache, ignore_errors=True)
        self.before = None

    def start(self, script: str = CHILD) -> subprocess.Popen[str]:
        """A child that is about to update the index, or to do what another ``script`` does after "ready"."""
        command = [sys.executable, "-c", script, str(self.tree.root), str(self.cache)]
        child = subprocess.Popen(
            command, cwd=TESTS.parent, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True, start_new_session=True,
        )  # fmt: skip
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        return child

    def seconds_of_a_run(self) -> float:
        """How long a child's update takes when nobody kills it."""
        with self.start() as child:
            started = time.monotonic()
            assert child.stdout is not None and child.stdout.readline() == "done\n"
            return time.monotonic() - started

    def kill_after(self, seconds: float) -> float | None:
        """Start a child and kill it after so long, half of the time with its parse processes.

        None, or how many seconds it took if it was ready by then.
        """
        with self.start() as child:
            assert child.stdout is not None
            started = time.monotonic()
            done = select.select([child.stdout], [], [], seconds)[0]
            took = time.monotonic() - started
            if self.rng.random() < 0.5:
                child.kill()
            else:
                os.killpg(child.pid, signal.SIGKILL)
        return took if done else None

    def command_line(self, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """``codemoat index`` as users run it, with further variables."""
        variables = {"CODEMOAT_INDEX_WORKERS": "2", "CODEMOAT_CACHE_DIR": str(self.cache), **environment}
        return self._run(["-m", "assistant.cli.main", "index", str(self.tree.root)], variables)

    def child(self, script: str, *arguments: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """A script that is given root, cache and ``arguments``, with further variables."""
        return self._run(["-c", script, str(self.tree.root), str(self.cache), *arguments], environment)

    def _run(self, arguments: list[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """Run Python to its end. One that hangs fails the test, with the stacks of its threads."""
        command = [sys.executable, "-X", "faulthandler", *arguments]
        variables = {**os.environ, **environment}
        with subprocess.Popen(
            command, cwd=TESTS.parent, env=variables, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as child:
            try:
                output, error = child.communicate(timeout=HANGING_SECONDS)
            except subprocess.TimeoutExpired:
                child.send_signal(signal.SIGABRT)
                raise AssertionError(f"{arguments} hangs:\n{child.communicate()[1]}") from None
        return subprocess.CompletedProcess(command, child.returncode, output, error)

    def empty_log(self) -> None:
        """Let the next writer begin the log again, as the last process that closes the database does."""
        with closing(open_writer(self.folder)):
            pass
        assert not Path(f"{self.folder / DATABASE}-wal").exists()

    def unlisted(self) -> set[int]:
        """Numbers of segments on the disk that no generation lists, as a new connection reads it."""
        with closing(open_reader(self.folder)) as database:
            return {int(entry.name) for entry in (self.folder / SEGMENTS).iterdir()} - set(database.all_segments())

    def harm(self, path: Path) -> str:
        """Do to a file what a power cut may: shorten it, zero its last blocks, or lose it. What was done, in words."""
        size = path.stat().st_size
        where = self.rng.randrange(size + 1)
        match self.rng.randrange(3):
            case 0:
                os.truncate(path, where)
                return f"{path.name} cut to {where} of {size} bytes"
            case 1:
                # A file's length can reach the disk without its last blocks: those read as zeros, whole blocks.
                where -= where % BLOCK
                os.truncate(path, where)
                os.truncate(path, size)
                return f"{path.name} zeroed from {where} of {size} bytes"
            case _:
                path.unlink()
                return f"{path.name} deleted"

    def check(self, event: str, *, damaged: bool = False) -> None:
        """Everything that must hold after ``event``. ``damaged``: files were harmed, earlier contents may be gone."""
        self.tally.events[event.partition(":")[0]] += 1
        truth = self._truth()
        try:
            index = Index.open(self.tree.root, self.tree.config(), create=True)
        except Exception as exc:
            self.tally.note("unopenable", event, repr(exc))
            self.forget()
            return
        with index:
            self._check_reading(index, event, truth, damaged)
            try:
                index.update()
                now = dump(index)
                index.verify()
                segments = index.status().segments
            except Exception as exc:
                self.tally.note("not repaired", event, repr(exc))
                self.forget()
                return
            if now != truth:
                self.tally.note("different", event, difference(now, truth))
            found = sorted(entry.name for entry in (index.folder / "segments").glob("*"))
            if len(found) != segments:
                self.tally.note("left over", event, found)
        self.before = truth

    def _check_reading(self, index: Index, event: str, truth: dict[str, Any], damaged: bool) -> None:
        """Before anything is repaired, readers see the last generation or the new one, or at worst none."""
        try:
            for query in QUERIES:
                index.search(query, 5)
            found = None if damaged else dump(index)
        except CorruptIndexError as exc:
            # A ruined database may be readable in part only; the sentence has to say what brings it back.
            if not damaged or "`codemoat index`" not in exc.hint:
                self.tally.note("unreadable", event, repr(exc))
        except NoIndexError:
            if not damaged and self.before is not None:
                self.tally.note("lost", event, "no index any more")
        except Exception as exc:
            self.tally.note("unreadable", event, repr(exc))
        else:
            if not damaged and found not in (self.before, truth):
                self.tally.note("lost", event, difference(found or {}, self.before or truth))

    def _truth(self) -> dict[str, Any]:
        with Index.open(self.tree.root, self.tree.config("fresh"), rebuild=True) as fresh:
            fresh.rebuild()
            return dump(fresh)


def difference(found: Any, wanted: Any, where: str = "") -> str:
    """Where two dumps differ first, in words."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        keys = [key for key in {**wanted, **found} if found.get(key) != wanted.get(key)]
        return difference(found.get(keys[0]), wanted.get(keys[0]), f"{where}/{keys[0]}") if keys else "nothing"
    return f"{where}: {str(found)[:300]} instead of {str(wanted)[:300]}"


def is_one_sentence(error: str) -> bool:
    """Whether a command's last line is the sentence that users are to see, and no traceback stands before it."""
    lines = error.strip().splitlines()
    return bool(lines) and lines[-1].startswith("codemoat: ") and "Traceback" not in error
