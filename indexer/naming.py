"""Part of a name → the definitions whose names hold it: what an editor's "go to symbol" asks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from indexer.types import Symbol

if TYPE_CHECKING:
    from indexer.snapshot import Snapshot

_MOST_PLACES = 20_000
"""Places in all names together that are looked at for a text of one or two letters."""


def symbols_like(snapshot: Snapshot, text: str, limit: int) -> list[Symbol]:
    """At most ``limit`` definitions, of the same name first, then of names that begin so, then the shortest names.

    A qualified ``text`` (``Index.sea``) wants the last part in the name and the rest as it stands before.
    """
    *scope, bare = re.split(r"\.|::|#", text.strip())
    if not bare:
        return []
    found: list[Symbol] = []
    for name in _names(snapshot, bare.lower()):
        wanted = ".".join((*scope, name)).lower()
        own = snapshot.symbols(name)
        found += [s for s in own if s.name == name and f".{s.qualified}".lower().endswith(f".{wanted}")]
        if len(found) >= limit:
            break
    return found[:limit]


def _names(snapshot: Snapshot, part: str) -> list[str]:
    """Distinct names that hold ``part`` (lower case), the likeliest first."""
    key, names = part.encode("utf-8", "surrogatepass"), set()
    for segment, _ in snapshot.parts():
        places = [found.start() for found in re.finditer(re.escape(key), segment.defined.text().lower())]
        numbers = np.unique(segment.defined.numbers_at(np.array(places[:_MOST_PLACES], np.int64)))
        names |= {segment.defined[number].decode("utf-8", "replace") for number in numbers.tolist()}
    # A place may lie across two names that stand side by side.
    holding = [name for name in names if part in name.lower()]
    return sorted(holding, key=lambda n: (n.lower() != part, not n.lower().startswith(part), len(n), n))
