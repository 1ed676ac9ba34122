"""What only some queries read: texts by the bytes in them, uses of names, names and words by their beginnings."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from indexer.required import ANYTHING, Query
from indexer.signature import fold
from indexer.strings import FoldedStrings, Strings
from indexer.types import Reference, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from indexer.snapshot import Snapshot

_END_BYTES = 14
"""Of a longer text only its two ends are asked of the signatures: 24 sequences of three bytes tell enough."""
_MOST_BEGINNING = 20_000
"""Strings of a table with one beginning that are looked at."""


class Lookups:
    """Implements ``corpus.Lookups`` for a snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def files_that_may_hold(self, text: bytes, among: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
        """Living files, of those ``among``, whose signatures allow ``text``, ascending; all for under three bytes."""
        from indexer.grep import candidates

        folded = fold(text)
        parts = (folded,) if len(folded) <= 2 * _END_BYTES else (folded[:_END_BYTES], folded[-_END_BYTES:])
        required = Query(True, parts) if len(folded) > 2 else ANYTHING
        return candidates(self._snapshot, required, among)

    def text_bytes(self, file_id: int) -> bytes:
        """A living file's text as indexed."""
        return self._snapshot.text_bytes(file_id)

    def chunk_starts(self, file_id: int) -> tuple[int, list[int]]:
        """The row of a living file's first chunk, and the byte at which each chunk starts."""
        return self._snapshot.chunk_starts(file_id)

    def references(self, name: str) -> list[Reference]:
        """Uses of a bare name, by path and place."""
        size = len(name.encode("utf-8", "surrogatepass"))
        found: list[Reference] = []
        for segment, dead in self._snapshot.parts():
            where = segment.references(name)
            files = segment.column("ref_file")[where].astype(np.int64)
            live = ~np.isin(files, dead)
            columns = [segment.column(label)[where][live].tolist() for label in ("ref_start", "ref_line", "ref_scope")]
            for file_id, start, line, scope in zip(files[live].tolist(), *columns, strict=True):
                enclosing = segment.scope(scope) or None
                found.append(
                    Reference(name, self._snapshot.path(file_id), Span(start, start + size, line, line), enclosing)
                )
        return sorted(found, key=lambda reference: (reference.path, reference.span.start_byte))

    def names_beginning(self, text: str) -> list[str]:
        """Names of living definitions that begin with ``text``, in whatever ASCII case."""
        key = text.encode("utf-8", "surrogatepass").lower()
        found = dict.fromkeys(name for s, _ in self._snapshot.parts() for name in _beginning(s.defined, key))
        return [*found]

    def terms_beginning(self, text: str) -> list[str]:
        """Terms of the index that begin with ``text``."""
        key = text.encode("utf-8", "surrogatepass")
        found = dict.fromkeys(term for s, _ in self._snapshot.parts() for term in _beginning(s.terms, key))
        return [*found]


def _beginning(strings: Strings, key: bytes) -> Iterator[str]:
    folded = isinstance(strings, FoldedStrings)
    first = strings.first(key)
    for number in islice(range(first, len(strings)), _MOST_BEGINNING):
        found = strings[number]
        if not (found.lower() if folded else found).startswith(key):
            return
        yield found.decode("utf-8", "replace")
