"""How much of a data file (JSON, YAML, TOML …) counts as its structure: keys that somebody looks up, not rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from indexer.analysis import SymbolRow

MAX_ENTRIES = 200
"""Names under one parent. What has more is a table: none is kept, as no row of a table tells more than another."""
MAX_INNER = 1_000
"""Names below the top level of one file; with more, only the top level is kept."""


def bounded(symbols: Sequence[SymbolRow]) -> list[SymbolRow]:
    """The symbols without what is rows rather than structure, so that a data file yields few however large it is."""
    entries = Counter(symbol.parent for symbol in symbols)
    if entries[None] > MAX_ENTRIES:
        return []
    kept = [symbol for symbol in symbols if entries[symbol.parent] <= MAX_ENTRIES]
    if len(kept) - entries[None] > MAX_INNER:
        return [symbol for symbol in kept if symbol.parent is None]
    return kept
