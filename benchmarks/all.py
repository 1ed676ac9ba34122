"""Every figure of README.md, one benchmark after the other; a stopped run goes on where it was.

usage: python -m benchmarks.all [--fresh]
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks import peers, report
from benchmarks.common import ROOT
from benchmarks.trees import tree

PUBLIC = ROOT.parent / "shared" / "bench" / "retrieval"
CHECKOUTS = Path(os.environ.get("CODEMOAT_BENCH_REPOS", PUBLIC / "repos"))
"""The benchmark's repositories, each checked out at its revision in a folder of its name."""

HOLES = os.environ.get("CODEMOAT_BENCH_HOLES")
"""Folder of repositories for ``benchmarks.holes``."""

HISTORIES = os.environ.get("CODEMOAT_BENCH_HISTORIES")
"""Folder of clones for ``benchmarks.natural``."""


def main() -> None:
    """Run all, then write the tables."""
    fresh = ["--fresh"] if "--fresh" in sys.argv else []
    peers.main()
    run("startup", "--tree", str(tree("django")))
    run("indexing", *fresh, *(str(tree(name)) for name in ("scrapy", "django", "linux-core")))
    run("scale", *fresh)
    run("grep", *fresh, *(str(tree(name)) for name in ("django", "linux")))
    run("changes")
    run("watching", str(tree("linux")))
    run("concurrency", str(tree("django")))
    run("secrets")
    run("masking", *(str(tree(name)) for name in ("scrapy", "django", "linux-core")))
    run("assistant", *fresh)
    run("shifting", *fresh)
    run("aborting")
    run("memory")
    run("tuning", *fresh)
    completion(fresh)
    retrieval(fresh)
    natural(fresh)
    run("crash")
    run("lsp_latency")
    run("soak")
    run("vscode")
    run("nvim")
    report.main()


def retrieval(fresh: list[str]) -> None:
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
    run("beside", *fresh, "--shared", str(PUBLIC), "--repos", str(CHECKOUTS))
    run("embedders", *fresh, "--shared", str(PUBLIC), "--repos", str(CHECKOUTS))


def natural(fresh: list[str]) -> None:
    """Commits of public histories, where clones of them are at hand."""
    if HISTORIES is None:
        print(
            "natural: skipped. It needs clones of the repositories of benchmarks/natural.toml in a folder that"
            " CODEMOAT_BENCH_HISTORIES names; `python -m benchmarks.natural --histories DIR` says how to get them."
        )
        return
    run("natural", *fresh, "--histories", HISTORIES)


def completion(fresh: list[str]) -> None:
    """Typing, infilling and holes, where their data is at hand; all say what they miss."""
    server = os.environ.get("CODEMOAT_LLAMA_SERVER") or shutil.which("llama-server")
    if HISTORIES and server:
        run("typing", "--histories", HISTORIES, "--llama-server", server, *fresh)
    else:
        print("typing: skipped. It needs CODEMOAT_BENCH_HISTORIES and a llama-server (or CODEMOAT_LLAMA_SERVER).")
    data = os.environ.get("CODEMOAT_INFILLING")
    if data:
        run("infilling", "--data", data, *fresh)
    else:
        print("infilling: skipped. CODEMOAT_INFILLING names its data; see the head of benchmarks/infilling.py.")
    if HOLES:
        run("holes", "record", *(str(folder) for folder in sorted(Path(HOLES).iterdir()) if folder.is_dir()))
        run("holes", "replay")
    else:
        print("holes: skipped. It needs repositories in a folder that CODEMOAT_BENCH_HOLES names.")


def run(name: str, *arguments: str) -> None:
    """Run one benchmark in a process of its own; a failure ends the whole."""
    print(f"\n== {name}", flush=True)
    subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *arguments], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
