"""An index over a few Python texts in memory: enough for what the assistant reads of one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise

from indexer.filters import Filters
from indexer.reports import GrepResult, Match, Skipped
from indexer.terms import path_terms, query_terms, terms
from indexer.types import Chunk, Hit, Reference, SearchResult, Span, Symbol

_DEFINITION = re.compile(r"([ \t]*)(def|class)\s+(\w+)")


class SmallIndex:
    """Definitions by indentation, one chunk for each top-level definition and what stands before it."""

    def __init__(self, files: Mapping[str, str], *, stale: bool = False, similarity: float = 0.0) -> None:
        self.files = dict(files)
        self.stale = stale
        self.similarity = similarity
        self.unread: list[Skipped] = []
        self.queries: list[str] = []
        self.chunks = [chunk for path in sorted(files) for chunk in self._chunks(path)]

    def search(self, query: str, k: int = 10, *, filters: Filters | None = None) -> SearchResult:
        self.queries.append(query)
        wanted = set(query_terms(query))
        scored = []
        for chunk in self.chunks:
            shared = len(wanted & {*terms(chunk.text), *path_terms(chunk.path)})
            if shared:
                scored.append(Hit(chunk, float(shared), {"lexical": float(shared)}))
            elif self.similarity:
                scored.append(Hit(chunk, self.similarity, {"vector": self.similarity}))
        scored.sort(key=lambda hit: (-hit.score, hit.chunk.id))
        return SearchResult(tuple(scored[:k]), 1, self.stale)

    def symbols(self, name: str) -> list[Symbol]:
        return [s for path in self.files for s in self.file_symbols(path) if s.name == name]

    def file_symbols(self, path: str) -> list[Symbol]:
        lines = re.findall(r".*\n|.+", self.files.get(path, ""))
        starts = [0]
        for line in lines:
            starts.append(starts[-1] + len(line.encode()))
        out: list[Symbol] = []
        enclosing: list[tuple[int, str]] = []
        for number, line in enumerate(lines):
            if not (found := _DEFINITION.match(line)):
                continue
            depth = len(found[1])
            enclosing = [e for e in enclosing if e[0] < depth]
            end = number + 1
            while end < len(lines) and (not lines[end].strip() or len(lines[end]) - len(lines[end].lstrip()) > depth):
                end += 1
            while not lines[end - 1].strip():
                end -= 1
            parent = ".".join(e[1] for e in enclosing) or None
            span = Span(starts[number], starts[end], number + 1, end)
            out.append(Symbol(found[3], found[2].replace("def", "function"), path, span, parent, line.strip()))
            enclosing.append((depth, found[3]))
        return out

    def references(self, name: str) -> list[Reference]:
        out = []
        for path, text in self.files.items():
            for number, line in enumerate(text.split("\n"), 1):
                if re.search(rf"\b{name}\b", line):
                    around = [s for s in self.file_symbols(path) if s.span.start_line <= number <= s.span.end_line]
                    enclosing = around[-1].qualified if around else None
                    out.append(Reference(name, path, Span(0, 0, number, number), enclosing))
        return out

    def imports(self, path: str) -> tuple[str, ...]:
        return tuple(re.findall(r"^(?:from|import)\s+([\w.]+)", self.files.get(path, ""), re.M))

    def text(self, path: str) -> str | None:
        return self.files.get(path)

    def paths(self) -> list[str]:
        return sorted(self.files)

    def skipped(self) -> list[Skipped]:
        return list(self.unread)

    def grep(
        self, pattern: str, *, regex: bool = False, ignore_case: bool = False, limit: int | None = None
    ) -> GrepResult:
        wanted = re.compile(pattern if regex else re.escape(pattern), re.I if ignore_case else 0)
        found = [
            Match(path, number, tuple(m.span() for m in wanted.finditer(line)), line)
            for path in sorted(self.files)
            for number, line in enumerate(self.files[path].split("\n"), 1)
            if wanted.search(line)
        ]
        return GrepResult(tuple(found[:limit]), len(found), len({m.path for m in found}), 0, 0, 1, self.stale)

    def similar(self, text: str, k: int, *, exclude: str | None = None) -> list[Hit]:
        wanted = set(terms(text))
        scored = [
            Hit(c, len(wanted & set(terms(c.text))) / (len(wanted) or 1), {"vector": 1.0})
            for c in self.chunks
            if c.path != exclude
        ]
        return sorted(scored, key=lambda hit: (-hit.score, hit.chunk.id))[:k]

    def _chunks(self, path: str) -> list[Chunk]:
        data = self.files[path].encode()
        top = [s for s in self.file_symbols(path) if s.parent is None]
        cuts = [0, *(s.span.start_byte for s in top if s.span.start_byte), len(data)]
        out = []
        for first, last in pairwise(cuts):
            text = data[first:last].decode()
            line = data[:first].count(b"\n") + 1
            end = line + max(text.rstrip("\n").count("\n"), 0)
            symbol = next((s.name for s in top if s.span.start_byte == first), None)
            identity = len(out) + 1000 * sorted(self.files).index(path)
            out.append(Chunk(identity, path, "python", Span(first, last, line, end), text, symbol))
        return out
