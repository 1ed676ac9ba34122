"""A plain word search to compare with: BM25 over 50-line pieces or over whole files, and nothing else.

Words are runs of letters and digits; an identifier counts by its parts (``getUserByID``: get, user, by, id), without
case, stop words or stemming. k1 1.2, b 0.75 and the usual idf (Robertson, Zaragoza: The Probabilistic Relevance
Framework, 2009). A file ranks by its best piece. It is given source files only, which is to its advantage: prose and
settings, which other systems must tell apart by themselves, never take a place.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache

import numpy as np

PIECE_LINES = 50
_K1 = 1.2
_B = 0.75
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+")


def parts(text: str) -> list[str]:
    """Words of a text, identifiers cut where case, digits or underscores say so."""
    return [part.lower() for part in _PART.findall(text)]


@lru_cache(maxsize=20_000)
def _counts(text: str, lines: int | None) -> tuple[Counter[str], ...]:
    """Occurrences of each word in a file's pieces; kept, since few files change between two commits."""
    rows = text.splitlines()
    step = lines or max(1, len(rows))
    return tuple(Counter(parts("\n".join(rows[at : at + step]))) for at in range(0, max(1, len(rows)), step))


class PlainBm25:
    """BM25 over the pieces of ``texts`` (path → text); ``lines`` to a piece, None for whole files."""

    def __init__(self, texts: Mapping[str, str], lines: int | None) -> None:
        self._paths: list[str] = []
        self._pieces: list[Counter[str]] = []
        for path in sorted(texts):
            own = _counts(texts[path], lines)
            self._paths += [path] * len(own)
            self._pieces += own
        lengths = np.array([piece.total() for piece in self._pieces], np.float64)
        self._norms = _K1 * (1 - _B + _B * lengths / max(1.0, lengths.mean() if len(lengths) else 1.0))

    def files(self, query: str, most: int) -> list[str]:
        """Paths with a word of the query, best first, at most ``most``; equal ones by path."""
        scores = np.zeros(len(self._pieces))
        for word, times in Counter(parts(query)).items():
            found = np.array([piece[word] for piece in self._pieces], np.float64)
            holding = np.count_nonzero(found)
            idf = np.log1p((len(found) - holding + 0.5) / (holding + 0.5))
            scores += times * idf * found * (_K1 + 1) / (found + self._norms)
        order = np.argsort(-scores, kind="stable")
        best = dict.fromkeys(self._paths[at] for at in order[: np.count_nonzero(scores > 0)])
        return list(best)[:most]
