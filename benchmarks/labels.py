"""Exact-name queries: whether a hit is labelled with the name, placed at the line that defines it, and shows that line.

``python -m benchmarks.labels FOLDER…`` samples symbols of the folders' indexes, made in a cache folder of its own, and
asks for each by its bare name. A query is right when one of the first three hits has all three; a name that is defined
several times may show any of its definitions.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from indexer.config import IndexConfig
from indexer.index import Index
from indexer.types import Hit, Symbol

SEED = 14
_FIRST = 3


class Wrong(NamedTuple):
    """A query that failed, and what was shown in its place."""

    symbol: Symbol
    shown: tuple[str, ...]


def sample(index: Index, n: int, seed: int = SEED) -> list[Symbol]:
    """``n`` definitions with different names, each as likely as any other; not headings, which are no names."""
    found = [s for path in index.paths() for s in index.file_symbols(path) if s.kind != "section"]
    random.Random(seed).shuffle(found)
    by_name: dict[str, Symbol] = {}
    for symbol in found:
        if re.fullmatch(r"[^\W\d]\w*", symbol.name):
            by_name.setdefault(symbol.name, symbol)
    return [*by_name.values()][:n]


def check(index: Index, symbols: Sequence[Symbol]) -> Iterator[Wrong]:
    """The queries among the symbols' names whose first three hits do not show a definition."""
    for symbol in symbols:
        hits = index.search(symbol.name, 10).hits[:_FIRST]
        if not any(_is_right(index, symbol.name, hit) for hit in hits):
            yield Wrong(symbol, tuple(f"{hit.chunk.path}:{hit.match_line} {hit.symbol}" for hit in hits))


def _is_right(index: Index, name: str, hit: Hit) -> bool:
    own = [s for s in index.file_symbols(hit.chunk.path) if s.name == name and s.qualified == hit.symbol]
    text = (index.text(hit.chunk.path) or "").split("\n")
    shown = any(first <= hit.match_line <= last for first, last in hit.preview)
    return shown and any(_declares(symbol, hit.match_line, text[hit.match_line - 1]) for symbol in own)


def _declares(symbol: Symbol, number: int, line: str) -> bool:
    """Whether a line is the one of a symbol's declaration that holds its name."""
    if not symbol.span.start_line <= number <= symbol.span.end_line or symbol.name not in line:
        return False
    folded, signature = " ".join(line.split()).rstrip(" {:="), symbol.signature
    # Of a declaration of several lines a line is a part; before its start there may be a keyword, as ``export``.
    named = [text[text.find(symbol.name) :] for text in (signature, folded)]
    begun = symbol.name in signature and named[0].startswith(named[1][:150])
    return folded in signature or signature in folded or begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--each", type=int, default=25, help="symbols of each folder")
    parser.add_argument("--seed", type=int, default=SEED)
    given = parser.parse_args()
    asked = failed = 0
    with tempfile.TemporaryDirectory() as cache:
        for folder in given.folders:
            with Index.open(folder, IndexConfig(cache_dir=Path(cache)), create=True) as index:
                index.update()
                symbols = sample(index, given.each, given.seed)
                started = time.perf_counter()
                wrong = [*check(index, symbols)]
                spent = time.perf_counter() - started
            asked, failed = asked + len(symbols), failed + len(wrong)
            print(f"{folder.name}: {len(symbols) - len(wrong)} of {len(symbols)}, {spent:.1f} s")
            for each in wrong:
                at = each.symbol
                print(f"  {at.name} ({at.kind}, {at.path}:{at.span.start_line}): {'; '.join(each.shown)}")
    print(f"label, line and preview right: {asked - failed} of {asked}")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
