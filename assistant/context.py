"""A question → the pieces of the repository that are worth their tokens, numbered and with exact lines.

The counterpart for a cursor is ``assistant.completion.nearby``.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Protocol

from assistant.llm import LLM, Timings
from indexer.terms import path_terms, query_terms, terms
from indexer.types import Hit, Reference, SearchResult, Symbol

LINE = re.compile(r".*\n|.+")
"""A line with its end; ``str.splitlines`` would also cut at form feeds, which are inside lines for everybody else."""
FIRST_SHARE = 0.5
"""Most of the budget that the best piece may take: one long class must not push out every other file."""
OTHER_SHARE = 0.3
LEAST_TOKENS = 40
"""A piece smaller than this says too little; the budget is spent then."""
SCORE_FLOOR = 0.3
"""Hits below this part of the best hit's score are left out: a prompt token costs 5 ms and distracts a small model."""
SIMILAR_ENOUGH = 0.45
"""Cosine from which a hit counts as relevant although it shares no word with the question."""
COVERED_ENOUGH = 0.34
"""Part of the question's words that hits must share with it, together, to count as relevant."""


class CodeIndex(Protocol):
    """What the model floor reads of an index; ``indexer.Index`` is one."""

    def search(self, query: str, k: int = 10, *, language: str | None = None) -> SearchResult:
        """Best ``k`` chunks for a question or query."""
        ...

    def symbols(self, name: str) -> list[Symbol]:
        """Definitions by bare name."""
        ...

    def file_symbols(self, path: str) -> list[Symbol]:
        """Definitions of a file in order."""
        ...

    def references(self, name: str) -> list[Reference]:
        """Uses of a bare name."""
        ...

    def imports(self, path: str) -> tuple[str, ...]:
        """Modules or paths that a file imports, as written."""
        ...

    def text(self, path: str) -> str | None:
        """Text of a file as indexed, None if it is not in the index."""
        ...

    def similar(self, text: str, k: int, *, exclude: str | None = None) -> list[Hit]:
        """Chunks nearest in meaning, those of the file ``exclude`` left out."""
        ...


@dataclass(frozen=True, slots=True)
class RequestTimings(Timings):
    """What a request cost: the model's part and, in milliseconds, finding the context."""

    retrieval_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Source:
    """A numbered snippet: lines ``start_line..end_line`` (1-based, inclusive) of ``path``, whole lines."""

    number: int
    path: str
    start_line: int
    end_line: int
    text: str
    symbol: str | None = None
    """Qualified name of the definition it is or belongs to."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """Whole lines of a file, from one hit or from several that touch."""

    path: str
    start_byte: int
    end_byte: int
    start_line: int
    text: str
    symbol: str | None
    rank: int

    @property
    def lines(self) -> list[str]:
        return LINE.findall(self.text)


def for_question(index: CodeIndex, question: str, hits: Sequence[Hit], budget: int, llm: LLM) -> tuple[Source, ...]:
    """Snippets for ``question`` within ``budget`` tokens, best first; empty when nothing relevant was found.

    Chunks of a file that touch are joined. What does not fit is cut at line ends to the stretch that says most about
    the question, preferably one that begins with a definition. Tokens are counted in one batch.
    """
    hits = relevant(question, hits)
    pieces = _join(hits)
    if not pieces:
        return ()
    lines = [piece.lines for piece in pieces]
    headers = [header(Source(0, p.path, p.start_line, p.start_line + len(p.lines), "", p.symbol)) for p in pieces]
    counted = iter(llm.count([*headers, *(line for piece in lines for line in piece)]))
    header_tokens = [next(counted) for _ in headers]
    line_tokens = [[next(counted) for _ in piece] for piece in lines]

    out: list[Source] = []
    left = budget
    wanted = set(query_terms(question))
    for piece, piece_lines, tokens, head in zip(pieces, lines, line_tokens, header_tokens, strict=True):
        share = FIRST_SHARE if not out else OTHER_SHARE
        room = min(left, max(int(budget * share), 2 * LEAST_TOKENS)) - head
        if out and room < LEAST_TOKENS and sum(tokens) > room:
            continue
        starts = _definition_starts(index, piece)
        first, last = _best_window(piece_lines, tokens, room, wanted, starts)
        if last <= first:
            continue
        text = "".join(piece_lines[first:last])
        line = piece.start_line + first
        out.append(Source(len(out) + 1, piece.path, line, line + last - first - 1, text, piece.symbol))
        left -= head + sum(tokens[first:last])
    return tuple(out)


def header(source: Source) -> str:
    """The line above a snippet in the prompt: its number, its place, and the definition it belongs to."""
    of = f" ({source.symbol})" if source.symbol else ""
    return f"[{source.number}] {source.path}:{source.start_line}-{source.end_line}{of}\n"


def relevant(question: str, hits: Sequence[Hit]) -> list[Hit]:
    """The hits that are worth showing a model; empty when none has to do with the question.

    A hit that is about the question shares words with it, or is near to it in meaning. The words of all hits
    together must cover a part of the question: "how do I bake a pizza" finds "bake" somewhere in most repositories.
    """
    if not hits:
        return []
    wanted = query_terms(question)
    covered = {word for hit in hits for word in _shared(wanted, hit)}
    similar = max((hit.reasons.get("vector", 0.0) for hit in hits), default=0.0)
    if len(covered) < COVERED_ENOUGH * len(wanted) and similar < SIMILAR_ENOUGH:
        return []
    floor = SCORE_FLOOR * max(hit.score for hit in hits)
    return [hit for hit in hits if hit.score >= floor]


def _shared(wanted: Sequence[str], hit: Hit) -> set[str]:
    """Terms of the question that the hit's text or path has."""
    return set(wanted) & {*terms(hit.chunk.text), *path_terms(hit.chunk.path)}


def _join(hits: Sequence[Hit]) -> list[_Piece]:
    """Hits as pieces, best first; those of a file that overlap or touch become one with the better rank."""
    by_path: dict[str, list[_Piece]] = {}
    for rank, hit in enumerate(hits):
        c = hit.chunk
        piece = _Piece(c.path, c.span.start_byte, c.span.end_byte, c.span.start_line, c.text, c.symbol, rank)
        by_path.setdefault(c.path, []).append(piece)
    out: list[_Piece] = []
    for pieces in by_path.values():
        pieces.sort(key=lambda p: (p.start_byte, -p.end_byte))
        joined = [pieces[0]]
        for piece in pieces[1:]:
            if piece.start_byte <= joined[-1].end_byte:
                joined[-1] = _union(joined[-1], piece)
            else:
                joined.append(piece)
        out.extend(joined)
    return sorted(out, key=lambda p: p.rank)


def _union(a: _Piece, b: _Piece) -> _Piece:
    """``a`` and ``b``, which begins inside ``a`` or right behind it, as one."""
    more = b.text.encode()[a.end_byte - b.start_byte :].decode(errors="replace")
    best = a if a.rank <= b.rank else b
    end = max(a.end_byte, b.end_byte)
    return _Piece(a.path, a.start_byte, end, a.start_line, a.text + more, best.symbol, best.rank)


def _definition_starts(index: CodeIndex, piece: _Piece) -> set[int]:
    """Indices of the piece's lines on which a definition begins."""
    last = piece.start_line + len(piece.lines)
    lines = (symbol.span.start_line for symbol in index.file_symbols(piece.path))
    return {line - piece.start_line for line in lines if piece.start_line <= line < last}


def _best_window(
    lines: Sequence[str], tokens: Sequence[int], room: int, wanted: set[str], starts: set[int]
) -> tuple[int, int]:
    """The stretch of lines ``[first, last)`` within ``room`` tokens that says most about the ``wanted`` terms.

    A term counts by its rarity among the lines; a stretch that begins with a definition gains as much as the
    commonest term, one at the piece's own beginning half of that, so that a signature wins over a body's middle.
    """
    if sum(tokens) <= room:
        return 0, len(lines)
    found = [wanted.intersection(terms(line)) for line in lines]
    spread = {word: sum(word in line for line in found) for word in wanted}
    sums = [0, *accumulate(tokens)]
    best = (-1.0, 0, 0)
    for first in range(len(lines)):
        last = bisect_right(sums, sums[first] + room) - 1
        words: set[str] = set().union(*found[first:last])
        score = sum(1 + 1 / spread[word] for word in words)
        score += 1.0 if first in starts else 0.5 if first == 0 else 0.0
        if score > best[0] and last > first:
            best = (score, first, last)
    _, first, last = best
    while last > first and not lines[last - 1].strip():
        last -= 1
    return first, last
