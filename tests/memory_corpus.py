"""A ``Corpus`` in memory, for tests of search and for trying ideas: files, chunks and definitions given outright."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from indexer.search import Definition
from indexer.terms import count_terms, path_terms
from indexer.types import Chunk, Span


class MemoryCorpus:
    """Add files with ``add``, then ``freeze``; ``vectors``: one row a chunk, or nothing for lexical search only."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.languages: list[str] = []
        self.chunks: list[Chunk] = []
        self.alive: NDArray[np.bool_] | None = None
        self.vectors: NDArray[np.float32] | None = None
        self._files: list[int] = []
        self._lengths: list[int] = []
        self._terms: dict[str, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
        self._path_terms: dict[str, list[int]] = defaultdict(list)
        self._definitions: dict[str, list[Definition]] = defaultdict(list)

    def add(
        self,
        path: str,
        language: str,
        chunks: Iterable[tuple[int, int, str, str | None]],
        definitions: Sequence[tuple[str, str, str, int, int, bool]] = (),
    ) -> None:
        """``chunks``: (start, end line, text, symbol); ``definitions``: (name, qualified, kind, lines, exported)."""
        file_id, first = len(self.paths), len(self.chunks)
        self.paths.append(path)
        self.languages.append(language)
        for term in path_terms(path):
            self._path_terms[term].append(file_id)
        for start, end, text, symbol in chunks:
            row = len(self.chunks)
            self.chunks.append(Chunk(row, path, language, Span(0, len(text), start, end), text, symbol))
            counts = count_terms(text)
            self._files.append(file_id)
            self._lengths.append(counts.total())
            for term, n in counts.items():
                rows, numbers = self._terms[term]
                rows.append(row)
                numbers.append(n)
        for name, qualified, kind, start, end, exported in definitions:
            before = (r for r in range(first, len(self.chunks)) if self.chunks[r].span.start_line <= start)
            row = max(before, default=first)
            definition = Definition(file_id, row, name, qualified, kind, start, end, exported)
            self._definitions[name.lower()].append(definition)

    def freeze(self, vectors: NDArray[np.float32] | None = None) -> MemoryCorpus:
        self.rows = len(self.chunks)
        self.file_count = len(self.paths)
        self.lengths = np.array(self._lengths, np.float32)
        self.file_ids = np.array(self._files, np.int32)
        self.vectors = vectors
        return self

    def postings(self, term: str) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        rows, counts = self._terms.get(term, ([], []))
        found, numbers = np.array(rows, np.int32), np.array(counts, np.float32)
        if self.alive is not None:
            keep = self.alive[found]
            found, numbers = found[keep], numbers[keep]
        return found, numbers

    def similarities(self, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        if self.vectors is None:
            return np.full(self.rows, -np.inf, np.float32)
        return self.vectors @ vector

    def files_with_path_term(self, term: str) -> NDArray[np.int32]:
        return np.array(self._path_terms.get(term, []), np.int32)

    def definitions(self, name: str) -> list[Definition]:
        found = self._definitions.get(name.lower(), [])
        return sorted(found, key=lambda d: (d.name != name, d.file_id, d.start_line))

    def path(self, file_id: int) -> str:
        return self.paths[file_id]

    def language(self, file_id: int) -> str:
        return self.languages[file_id]

    def chunk(self, row: int) -> Chunk:
        return self.chunks[row]
