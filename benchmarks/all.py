"""Every figure of README.md, one benchmark after the other; a stopped run goes on where it was.

usage: python benchmarks/all.py [--fresh]
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import peers, report  # noqa: E402
from benchmarks.trees import tree  # noqa: E402

PUBLIC = ROOT.parent / "shared" / "bench" / "retrieval"
CHECKOUTS = Path(os.environ.get("CODEMOAT_BENCH_REPOS", PUBLIC / "repos"))
"""The benchmark's repositories, each checked out at its revision in a folder of its name."""


def main() -> None:
    """Run all, then write the tables."""
    fresh = ["--fresh"] if "--fresh" in sys.argv else []
    peers.main()
    run("startup", "--tree", str(tree("django")))
    run("indexing", *fresh, *(str(tree(name)) for name in ("scrapy", "django", "linux-core")))
    run("scale", *fresh)
    run("changes")
    run("watching", str(tree("linux")))
    run("concurrency", str(tree("django")))
    run("masking", *(str(tree(name)) for name in ("scrapy", "django", "linux-core")))
    run("assistant", *fresh)
    run("shifting", *fresh)
    run("aborting")
    retrieval()
    run("crash")
    report.main()


def retrieval() -> None:
    """The public code-search benchmark, where its data is at hand."""
    if not (PUBLIC / "queries.jsonl").exists() or not CHECKOUTS.is_dir():
        print(
            f"retrieval: skipped. It needs the queries in {PUBLIC} and the repositories, checked out at the"
            f" revisions of repos.json, in {CHECKOUTS} (or in the folder that CODEMOAT_BENCH_REPOS names)."
        )
        return
    queries, repos = str(PUBLIC / "queries.jsonl"), str(PUBLIC / "repos.json")
    out = str(ROOT / "benchmarks" / "results" / "retrieval.jsonl")
    run("retrieval", "--queries", queries, "--repos-json", repos, "--repos", str(CHECKOUTS), "--out", out)


def run(name: str, *arguments: str) -> None:
    """Run one benchmark in a process of its own; a failure ends the whole."""
    print(f"\n== {name}", flush=True)
    subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *arguments], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
