"""A ``Corpus`` in memory, for tests of search and for trying ideas: files, chunks and definitions given outright."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import OSA

from indexer.ranking import PathLook, PathWords, path_look, path_words
from indexer.search import Definitions, Near
from indexer.spelling import Spelling, best
from indexer.terms import count_terms, path_terms
from indexer.types import KINDS, Chunk, Span, Symbol


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
        self._scopes = [""]
        self._terms: dict[str, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
        self._path_terms: dict[str, list[int]] = defaultdict(list)
        self._definitions: dict[str, list[tuple[str, Definitions]]] = defaultdict(list)

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
            scope = qualified.rpartition(".")[0]
            if scope not in self._scopes:
                self._scopes.append(scope)
            numbers = (np.array([n]) for n in (file_id, row, KINDS.index(kind), start, end - start + 1))
            flags = (np.array([flag]) for flag in (exported, False))
            self._definitions[name.lower()].append(
                (name, Definitions(*numbers, *flags, np.array([self._scopes.index(scope)])))
            )

    def freeze(self, vectors: NDArray[np.float32] | None = None) -> MemoryCorpus:
        self.rows = len(self.chunks)
        self._accumulator = np.zeros(self.rows, np.float32)
        self.lengths = np.array(self._lengths, np.float32)
        self.file_ids = np.array(self._files, np.int32)
        self.vectors = vectors
        return self

    def accumulator(self) -> NDArray[np.float32]:
        assert not self._accumulator.any(), "left with zeros"
        return self._accumulator

    def scope(self, number: int) -> str:
        return self._scopes[number]

    @property
    def live_rows(self) -> int:
        return self.rows if self.alive is None else int(self.alive.sum())

    @property
    def mean_length(self) -> float:
        living = self.lengths if self.alive is None else self.lengths[self.alive]
        return max(1.0, float(living.mean()) if len(living) else 1.0)

    def postings(self, term: str) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
        rows, counts = self._terms.get(term, ([], []))
        found, numbers = np.array(rows, np.int32), np.array(counts, np.uint8)
        if self.alive is not None:
            keep = self.alive[found]
            found, numbers = found[keep], numbers[keep]
        return found, numbers

    def nearest(self, vector: NDArray[np.float32], n: int, allowed: NDArray[np.bool_] | None) -> Near:
        if self.vectors is None:
            return Near(np.empty(0, np.int64), np.empty(0, np.float32), 0.0)
        cosines = self.vectors @ vector
        living = np.ones(self.rows, bool) if self.alive is None else self.alive
        rows = np.flatnonzero(living if allowed is None else living & allowed)
        rows = rows[np.lexsort((rows, -cosines[rows]))][:n]
        return Near(rows, cosines[rows], float(cosines[living].mean()) if living.any() else 0.0)

    def files_with_path_term(self, term: str) -> NDArray[np.int32]:
        return np.array(self._path_terms.get(term, []), np.int32)

    def files_in(self, language: str) -> NDArray[np.int32]:
        return np.array([n for n, own in enumerate(self.languages) if own == language], np.int32)

    def all_files(self) -> list[tuple[int, str]]:
        return list(enumerate(self.paths))

    def rows_of_kinds(self, kinds: Sequence[int]) -> NDArray[np.int64]:
        found = [d for named in self._definitions.values() for _, d in named]
        return np.unique(np.array([row for d in found for row in d.rows[np.isin(d.kinds, kinds)]], np.int64))

    def definitions(self, name: str) -> Definitions:
        found = self._definitions.get(name.lower(), [])
        return Definitions.joined([d._replace(exact=np.array([own == name])) for own, d in found])

    def path(self, file_id: int) -> str:
        return self.paths[file_id]

    def language(self, file_id: int) -> str:
        return self.languages[file_id]

    def close_terms(self, term: str, edits: int) -> tuple[Spelling, ...]:
        near = {word: OSA.distance(term, word, score_cutoff=edits) for word in self._terms}
        uses = {word: len(self.postings(word)[0]) for word in near}
        return best({word: (n, uses[word]) for word, n in near.items() if 0 < n <= edits and uses[word]})

    def close_names(self, name: str, edits: int) -> tuple[Spelling, ...]:
        near = {word: OSA.distance(name.lower(), word, score_cutoff=edits) for word in self._definitions}
        found = {word: (n, self.definitions(word).total) for word, n in near.items() if 0 < n <= edits}
        return best({self._definitions[word][0][0]: counted for word, counted in found.items()})

    def lookups(self) -> MemoryCorpus:
        return self

    def files_that_may_hold(self, text: bytes, among: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
        living = range(len(self.paths)) if self.alive is None else {self._files[r] for r in np.flatnonzero(self.alive)}
        allowed = {*living} if among is None else {*living} & {*among.tolist()}
        return np.array([i for i in sorted(allowed) if text in self.text_bytes(i)], np.int64)

    def text_bytes(self, file_id: int) -> bytes:
        return "".join(c.text for c in self._own_chunks(file_id)).encode()

    def chunk_starts(self, file_id: int) -> tuple[int, list[int]]:
        sizes = [len(c.text.encode()) for c in self._own_chunks(file_id)]
        return self._files.index(file_id), [sum(sizes[:n]) for n in range(len(sizes))]

    def names_beginning(self, text: str) -> list[str]:
        return [own[0][0] for name, own in sorted(self._definitions.items()) if name.startswith(text.lower())]

    def terms_beginning(self, text: str) -> list[str]:
        return [term for term in sorted(self._terms) if term.startswith(text)]

    def _own_chunks(self, file_id: int) -> list[Chunk]:
        return [c for c, own in zip(self.chunks, self._files, strict=True) if own == file_id]

    def path_looks(self, file_ids: Sequence[int]) -> list[PathLook]:
        return [path_look(self.paths[file_id], self.languages[file_id]) for file_id in file_ids]

    def path_words(self, file_id: int) -> PathWords:
        return path_words(self.paths[file_id])

    def first_row(self, file_id: int) -> int | None:
        living = range(self.rows) if self.alive is None else np.flatnonzero(self.alive).tolist()
        return next((row for row in living if self._files[row] == file_id), None)

    def chunk(self, row: int) -> Chunk:
        return self.chunks[row]

    def chunk_symbols(self, row: int) -> list[Symbol]:
        chunk = self.chunks[row]
        found = []
        for named in self._definitions.values():
            for name, own in named:
                start, lines = int(own.start_lines[0]), int(own.lines[0])
                if self.paths[own.files[0]] != chunk.path or not (
                    start <= chunk.span.end_line and start + lines > chunk.span.start_line
                ):
                    continue
                scope, kind = self._scopes[own.scopes[0]] or None, KINDS[own.kinds[0]]
                span = Span(start, start + lines, start, start + lines - 1)
                found.append(Symbol(name, kind, chunk.path, span, scope))
        return sorted(found, key=lambda symbol: symbol.span.start_line)
