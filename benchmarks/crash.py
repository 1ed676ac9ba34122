"""Killed writers, full disks and ruined files, many of each, and what did not come back from them.

usage: python -m benchmarks.crash [--kills N]

Runs tests/test_indexer_crash.py with CODEMOAT_TEST_KILLS and keeps what it counted. Fails where the tests do, after the
counts are written.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.common import ROOT, Results, read_rows

WRONG = ("unopenable", "unreadable", "lost", "not repaired", "different", "left over")


def main() -> None:
    """Run the tests and append a raw row for each that counted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=500)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        book = Path(folder) / "tally.jsonl"
        command = [sys.executable, "-m", "pytest", "-q", "tests/test_indexer_crash.py"]
        variables = {"CODEMOAT_TEST_KILLS": str(args.kills), "CODEMOAT_TEST_TALLY": str(book)}
        done = subprocess.run(command, cwd=ROOT, env={**os.environ, **variables}, check=False)
        results = Results("crash", fresh=True)
        for row in read_rows(book):
            results.add(row)
            print(row)
    raise SystemExit(done.returncode)


if __name__ == "__main__":
    main()
