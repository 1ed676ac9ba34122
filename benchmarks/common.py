"""What every benchmark shares: where raw results go, what machine they are from, and how processes are measured."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).resolve().parent / "results"
PYTHON = ROOT / ".venv" / "bin" / "python"
CODEMOAT = ROOT / ".venv" / "bin" / "codemoat"


def environment(seed: int = 0) -> dict[str, Any]:
    """Describe what a raw result was made with: commit (with ``+`` if files were changed), machine, seed, date."""
    git = ["git", "-C", str(ROOT)]
    commit = subprocess.run([*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True).stdout.strip()
    dirty = subprocess.run([*git, "status", "--porcelain", "-uno"], capture_output=True, text=True).stdout.strip()
    return {
        "commit": commit + ("+" if dirty else ""),
        "machine": f"{_processor()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "seed": seed,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


class Results:
    """Raw results of one benchmark: a JSON line an item, appended at once, so that a stopped run goes on."""

    def __init__(self, name: str, *, fresh: bool = False) -> None:
        self.path = RESULTS / f"{name}.jsonl"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if fresh:
            self.path.unlink(missing_ok=True)
        self.rows: list[dict[str, Any]] = read_rows(self.path)

    def done(self, **key: Any) -> bool:
        """Whether a row with these values is there already."""
        return any(all(row.get(k) == v for k, v in key.items()) for row in self.rows)

    def add(self, row: Mapping[str, Any], seed: int = 0) -> None:
        """Append one row with the environment it was measured in."""
        full = {**row, **environment(seed)}
        self.rows.append(full)
        with self.path.open("a", encoding="utf-8") as out:
            out.write(json.dumps(full) + "\n")


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Read raw results; a line cut short by a crash is dropped."""
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return rows


def median(values: Iterable[float]) -> float:
    """Median of ``values``."""
    return statistics.median(values)


def percentile(values: Sequence[float], share: float) -> float:
    """Smallest value that at least ``share`` (0-1) of ``values`` do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-int(share * len(ordered) * 1000) // 1000) - 1))]


@dataclass(frozen=True)
class Run:
    """One process run: wall time in seconds, peak resident memory over it and its children in bytes, output."""

    seconds: float
    peak_bytes: int
    stdout: str
    stderr: str
    returncode: int


def run_measured(command: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> Run:
    """Run ``command``; sample the memory of its whole process tree every 50 ms (proportional share, Linux)."""
    started = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=cwd, env=_environment(env), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    peak = 0
    while True:
        try:
            stdout, stderr = process.communicate(timeout=0.05)
            break
        except subprocess.TimeoutExpired:
            peak = max(peak, _tree_memory(process.pid))
    return Run(time.perf_counter() - started, peak, stdout, stderr, process.returncode)


def _environment(changes: Mapping[str, str] | None) -> dict[str, str]:
    """The environment of users: compiled modules are kept, even where this machine says otherwise."""
    return {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | dict(changes or {})


def run_timed(command: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> float:
    """Wall time of ``command`` in seconds; its output is dropped."""
    started = time.perf_counter()
    subprocess.run(
        command,
        cwd=cwd,
        env=_environment(env),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    return time.perf_counter() - started


def _tree_memory(pid: int) -> int:
    total, queue = 0, [pid]
    while queue:
        current = queue.pop()
        try:
            rollup = Path(f"/proc/{current}/smaps_rollup").read_text()
            total += next(int(x.split()[1]) for x in rollup.splitlines() if x.startswith("Pss:")) * 1024
            for task in Path(f"/proc/{current}/task").iterdir():
                queue += map(int, (task / "children").read_text().split())
        except (OSError, StopIteration):
            continue
    return total
