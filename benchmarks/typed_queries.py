"""Queries as people type them: whether the wanted line is in the first three hits, and whether it is shown.

usage: python -m benchmarks.typed_queries --repos DIR [--half tuning|held-out|both] [--failures]

``data/typed/queries.jsonl`` has one query a line: its repository, its kind, and any of which lines (a glob of the path,
a piece of the line) is right. ``scripts`` is the small repository beside it, the others are folders of ``--repos``; one
that is missing is left out, with a message. Three figures for each kind:

- ``file``: a hit of the first three is in a right file;
- ``inside``: a right line is in the text of one of these hits;
- ``shown``: a right line is in what ``codemoat search -k 3 -- QUERY`` prints below such a hit.

Half of the queries are for tuning, the others are held out: those whose CRC-32 (of repository, space, query) is odd.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import sys
import tempfile
import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from assistant.cli.main import main as codemoat
from benchmarks.common import percentile
from benchmarks.retrieval import query_times
from indexer.config import IndexConfig
from indexer.index import Index

DATA = Path(__file__).parent / "data" / "typed"
HITS = 3
_HEADING = re.compile(r"^(\S[^:]*):\d+")
FIGURES = ("file", "inside", "shown")


@dataclass(frozen=True)
class Typed:
    """A query, and the lines that answer it: pairs of a glob of the path and a piece of the line."""

    repo: str
    kind: str
    query: str
    wanted: tuple[tuple[str, str], ...]

    @property
    def held_out(self) -> bool:
        """Whether it is of the half that nothing is tuned on."""
        return bool(zlib.crc32(f"{self.repo} {self.query}".encode()) & 1)

    def fits(self, path: str, text: str) -> bool:
        """Whether a wanted line of ``path`` is in ``text``."""
        return any(fnmatchcase(path, glob) and piece in text for glob, piece in self.wanted)

    def fits_path(self, path: str) -> bool:
        """Whether ``path`` is a right file."""
        return any(fnmatchcase(path, glob) for glob, _ in self.wanted)


def read_queries(path: Path = DATA / "queries.jsonl") -> list[Typed]:
    """All queries, in the order of the file."""
    rows = map(json.loads, path.read_text("utf-8").splitlines())
    return [Typed(r["repo"], r["kind"], r["query"], tuple((glob, piece) for glob, piece in r["wanted"])) for r in rows]


def main(arguments: list[str] | None = None) -> int:
    """Print the figures; 1 when a repository or a wanted line is missing."""
    options = _parse(arguments)
    asked: dict[str, list[Typed]] = defaultdict(list)
    for query in read_queries():
        if options.half == "both" or query.held_out == (options.half == "held-out"):
            asked[query.repo].append(query)
    found: dict[Typed, tuple[bool, ...]] = {}
    spent: list[float] = []
    complete = True
    with tempfile.TemporaryDirectory() as cache, _environment(XDG_CACHE_HOME=cache, NO_COLOR="1"):
        for repo, queries in asked.items():
            root = DATA / repo if repo == "scripts" else options.repos / repo
            if not root.is_dir():
                print(f"{root} is missing; its {len(queries)} queries are left out.", file=sys.stderr)
                complete = False
                continue
            _silent(["index", str(root)])
            with Index.open(root, IndexConfig()) as index:
                for query in queries:
                    if not any(query.fits(path, index.text(path) or "") for path in index.paths()):
                        print(f"{repo} has no line that answers {query.query!r}.", file=sys.stderr)
                        complete = False
                        continue
                    found[query] = (*_hits(index, query), _shown(root, query))
                spent += [query_times(index, [query.query])["query_ms_p50"] for query in queries]
    _print(found, failures=options.failures)
    print(f"query p50 {percentile(spent, 0.5):.2f} ms, p95 {percentile(spent, 0.95):.2f} ms")
    return 0 if complete else 1


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Search with queries as people type them.")
    parser.add_argument("--repos", type=Path, required=True, help="folder with a folder for each repository")
    parser.add_argument("--half", choices=("tuning", "held-out", "both"), default="tuning")
    parser.add_argument(
        "--failures", action="store_true", help="list the queries whose line is not shown (tuning half)"
    )
    return parser.parse_args(arguments)


def _hits(index: Index, query: Typed) -> tuple[bool, bool]:
    chunks = [hit.chunk for hit in index.search(query.query, HITS).hits]
    return any(query.fits_path(c.path) for c in chunks), any(query.fits(c.path, c.text) for c in chunks)


def _shown(root: Path, query: Typed) -> bool:
    """Whether the command line shows a wanted line below a hit of its file."""
    printed = _silent(["search", "-k", str(HITS), "--path", str(root), "--", query.query])
    path = ""
    for line in printed.splitlines():
        heading = _HEADING.match(line)
        path = heading[1] if heading else path
        if path and query.fits(path, line):
            return True
    return False


def _silent(arguments: Sequence[str]) -> str:
    """Standard output of a command line, run in this process."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n")
    with redirect_stdout(out), redirect_stderr(io.StringIO()):
        codemoat(arguments)
    out.seek(0)
    return out.read()


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _print(found: dict[Typed, tuple[bool, ...]], *, failures: bool) -> None:
    kinds: dict[str, list[tuple[bool, ...]]] = defaultdict(list)
    for query, right in found.items():
        kinds[query.kind].append(right)
        if failures and not right[-1] and not query.held_out:
            what = ", ".join(name for name, fits in zip(FIGURES, right, strict=True) if not fits)
            print(f"  {query.repo:18} {query.kind:10} not {what:20} {query.query}")
    kinds["all"] = list(found.values())
    print(f"{'kind':12} {'queries':>7} " + " ".join(f"{name:>7}" for name in FIGURES))
    for kind, rows in kinds.items():
        shares = [sum(row[n] for row in rows) / len(rows) for n in range(len(FIGURES))] if rows else []
        print(f"{kind:12} {len(rows):7} " + " ".join(f"{share:7.2f}" for share in shares))


if __name__ == "__main__":
    raise SystemExit(main())
