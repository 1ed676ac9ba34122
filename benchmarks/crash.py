"""Killed writers, full disks and ruined files, many of each, and what did not come back from them.

usage: python -m benchmarks.crash [--kills N]

Runs tests/test_indexer_crash.py with CODEMOAT_TEST_KILLS and keeps what it counted. Fails where the tests do, after the
counts are written.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

from benchmarks.common import ROOT, Results

WRONG = ("unopenable", "unreadable", "lost", "not repaired", "different", "left over")


def main() -> None:
    """Run the tests and append a raw row for each that counted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=500)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "tests/test_indexer_crash.py", f"--junitxml={report}"]
        done = subprocess.run(
            command, cwd=ROOT, env={**os.environ, "CODEMOAT_TEST_KILLS": str(args.kills)}, check=False
        )
        cases = ElementTree.parse(report).iter("testcase")
        results = Results("crash", fresh=True)
        for case in cases:
            for found in case.iter("property"):
                if found.get("name") == "tally":
                    tally = json.loads(found.get("value", "{}"))
                    row = {"test": case.get("name"), "seconds": round(float(case.get("time", 0))), **tally}
                    results.add(row)
                    print(row)
    raise SystemExit(done.returncode)


if __name__ == "__main__":
    main()
