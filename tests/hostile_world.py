"""What a repository may hold to break an indexer, and runs of the whole index over it with real parse processes."""

from __future__ import annotations

import ctypes
import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fakes import HashEmbedder

from indexer import Index, IndexConfig
from indexer.reports import Progress, UpdateReport

DEADLINE = 2.0
_PR_CAPBSET_DROP = 24
_OVERRIDES = (1, 2)  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH: what lets root read everything


def write(root: Path, path: str | bytes, content: str | bytes) -> Path:
    """Write a file below ``root``; a path in bytes may be no UTF-8."""
    target = Path(os.fsdecode(os.fsencode(root) + b"/" + os.fsencode(path)))
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content.encode() if isinstance(content, str) else content)
    return target


def function(name: str) -> str:
    """A Python file of one definition: found by its name if the file is in the index."""
    return f"def {name}():\n    return 1\n"


class Watched:
    """An index of ``root`` and what its updates reported."""

    def __init__(self, root: Path, cache: Path, **settings: Any) -> None:
        settings = {"parse_deadline": DEADLINE, "workers": 2, **settings}
        config = IndexConfig(cache_dir=cache, **settings)
        self.index = Index.open(root, config, create=True, embedder=HashEmbedder())

    def __enter__(self) -> Watched:
        return self

    def __exit__(self, *_: object) -> None:
        self.index.close()

    def update(self, progress: Callable[[Progress], None] | None = None) -> UpdateReport:
        """Bring it up to date."""
        self.report = self.index.update(progress)
        return self.report

    @property
    def said(self) -> dict[str, str]:
        """Path → what was said of it. Everything that is said must be a sentence."""
        found = {skip.path: skip.reason for skip in self.report.skipped}
        for reason in found.values():
            assert reason.endswith(".") and reason[0].isupper() and "Traceback" not in reason and "\n" not in reason
        return found

    def finds(self, name: str) -> list[str]:
        """Files that define ``name``, and that a search for it finds too."""
        defined = [symbol.path for symbol in self.index.symbols(name)]
        found = {hit.chunk.path for hit in self.index.search(name, 20).hits}
        assert found.issuperset(defined), f"{name} is defined in {defined}, but a search finds {found}"
        return defined


class Meanwhile:
    """Runs ``act`` once while an update runs: when the first file comes back and most are not read yet."""

    def __init__(self, act: Callable[[], object]) -> None:
        self.act = act
        self.done = False

    def __call__(self, progress: Progress) -> None:
        if progress.stage == "parse" and not self.done:
            self.done = True
            self.act()


def crowd(root: Path, files: int = 120) -> None:
    """Files that sort before all others, so many that what comes after them is not read when the first come back."""
    for number in range(files):
        write(root, f"a/m{number:03}.py", function(f"crowd_{number}"))


def everything_below(root: Path) -> dict[str, int]:
    """Every entry that is no folder, as listings name it, with its mode."""
    found = {}
    for folder, folders, names in os.walk(root):
        for name in (*names, *folders):
            mode = os.lstat(os.path.join(folder, name)).st_mode  # noqa: PTH118
            if not stat.S_ISDIR(mode):
                path = os.path.relpath(os.path.join(folder, name), root)  # noqa: PTH118
                found[os.fsencode(path).decode("utf-8", "backslashreplace")] = mode
    return found


def bound_by_modes() -> None:
    """In a child about to start a program: root there may read no more than file modes say. For ``preexec_fn``."""
    if os.getuid() == 0:
        for capability in _OVERRIDES:
            ctypes.CDLL(None).prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)


def git(folder: Path, *arguments: str) -> str:
    """Run git as somebody with a name and no settings of this machine."""
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    command = ["git", *identity, "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def plain_git(setenv: Callable[[str, str], None], delenv: Callable[[str], None]) -> None:
    """A git that knows nothing of this machine's user."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        delenv(name)
    setenv("GIT_CONFIG_GLOBAL", os.devnull)
    setenv("GIT_CONFIG_NOSYSTEM", "1")
