"""Whole-process start-up of the commands people wait for, as ratios to ``python -c "import numpy"``.

usage: python -m benchmarks.startup [--repeats N] [--tree DIR]

The commands take turns, so that a slow moment of the machine hits all of them; the ratio of medians is reported.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
from pathlib import Path

from benchmarks.common import CODEMOAT, PYTHON, ROOT, Results, median, run_timed


def main() -> None:
    """Measure and append one raw row a command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--tree", type=Path, default=ROOT, help="folder to search (default: this repository)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as cache:
        env = {"CODEMOAT_CACHE_DIR": cache}
        subprocess.run([CODEMOAT, "index", args.tree], env={**os.environ, **env}, check=True, capture_output=True)
        commands = {
            'python -c "import numpy"': [PYTHON, "-c", "import numpy"],
            "codemoat --help": [CODEMOAT, "--help"],
            "codemoat search": [CODEMOAT, "search", "open the index", "--path", args.tree],
            "codemoat search --json": [CODEMOAT, "search", "open the index", "--path", args.tree, "--json"],
            "codemoat status": [CODEMOAT, "status", "--path", args.tree],
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(args.repeats):
            for name, command in commands.items():
                times[name].append(run_timed([str(part) for part in command], env=env))
    base = median(times['python -c "import numpy"'])
    results = Results("startup", fresh=True)
    for name, values in times.items():
        row = {
            "command": name,
            "median_s": round(median(values), 4),
            "ratio": round(median(values) / base, 2),
            "runs": len(values),
        }
        results.add(row)
        print(f"{name:32} {row['median_s']:8.3f} s {row['ratio']:6.2f} x import numpy")


if __name__ == "__main__":
    main()
