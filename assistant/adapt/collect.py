"""Fetch the training packages and write their pairs: one zstandard-packed JSON-lines file a package.

    python -m assistant.adapt.collect --downloads FOLDER --out FOLDER

A package's file holds a first line about the package and one pair a line; what exists already is kept.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import astuple
from functools import partial
from pathlib import Path
from random import Random

import zstandard

from assistant.adapt import changes
from assistant.adapt.corpus import Package, archives, change_logs, packages, source_files
from assistant.adapt.pairs import Pair, pairs
from indexer.errors import BadInputError

PER_LANGUAGE = 30_000_000
"""Bytes of source wanted for a language; shared by its packages, so that a large one does not decide alone."""
PER_PACKAGE = (1_500_000, 15_000_000)


def limits(listed: Sequence[Package]) -> dict[str, int]:
    """Bytes that a package of each language may give."""
    count = Counter(p.language for p in listed)
    return {name: min(max(PER_LANGUAGE // n, PER_PACKAGE[0]), PER_PACKAGE[1]) for name, n in count.items()}


def collect(package: Package, limit: int, downloads: Path, out: Path, seed: int = 0) -> str:
    """Write the pairs of one package; returns a line about it."""
    target = out / f"{package.registry}+{package.name.replace('/', '+')}.jsonl.zst"
    if target.exists():
        return f"{package.name}: there"
    try:
        there = archives(package, downloads)
        found = [f for archive in there for f in source_files(archive, limit)]
    except BadInputError as exc:
        return f"{package.name}: {exc}"
    random = Random(f"{seed} {package.name}")
    rows = [pair for file in found for pair in pairs(file, random)]
    rows += changes.pairs(found, (log for archive in there for log in change_logs(archive)), random)
    head = {"name": package.name, "version": package.version, "licence": package.licence, "files": len(found)}
    lines = [json.dumps(head), *(json.dumps(astuple(row)) for row in rows)]
    unfinished = target.with_suffix(".part")
    unfinished.write_bytes(zstandard.compress("\n".join(lines).encode("utf-8", "replace"), 3))
    unfinished.replace(target)
    return f"{package.name}: {len(found)} files, {sum(len(f.text) for f in found)} bytes, {len(rows)} pairs"


def read(path: Path) -> tuple[str, list[Pair]]:
    """Name and pairs of the package whose file ``path`` is."""
    lines = zstandard.decompress(path.read_bytes()).decode("utf-8").split("\n")
    return json.loads(lines[0])["name"], [Pair(*json.loads(line)) for line in lines[1:]]


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of this script; one line a package on standard error."""
    parser = argparse.ArgumentParser(description="Fetch the training packages and write their pairs.")
    parser.add_argument("--downloads", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    listed = packages()
    limit = limits(listed)
    with ProcessPoolExecutor(options.processes) as pool:
        jobs = [pool.submit(partial(collect, p, limit[p.language], options.downloads, options.out)) for p in listed]
        for job in jobs:
            print(job.result(), file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
