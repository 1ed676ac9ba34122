"""A question → the pieces of the repository that are worth their tokens, numbered and with exact lines.

The counterpart for a cursor is ``assistant.completion.nearby``.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, groupby
from typing import Literal, Protocol

from assistant.llm import LLM, Timings
from assistant.plain_words import content, is_foreign
from assistant.stretches import LINE, FileText, Place, choose, estimated_tokens
from indexer.filters import Filters
from indexer.reasons import visible
from indexer.reports import GrepResult, Skipped
from indexer.terms import path_terms, query_terms, terms
from indexer.types import Hit, Reference, SearchResult, Symbol

SCORE_FLOOR = 0.55
"""Files below this part of the best one's score are left out: a prompt token costs 5 ms and distracts a small model."""
COVERED_ENOUGH = 0.34
"""Part of the question's words that hits must share with it, together, to count as relevant."""
_MOST_FILES = 4
_LEAST_LINES = 3
"""Lines with text that are worth a snippet of their own, where the lines around them were given before."""


class CodeIndex(Protocol):
    """What the model floor reads of an index; ``indexer.Index`` is one."""

    def search(self, query: str, k: int = 10, *, filters: Filters | None = None) -> SearchResult:
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

    def paths(self) -> list[str]:
        """Paths of all indexed files, sorted."""
        ...

    def skipped(self) -> list[Skipped]:
        """Files that were listed and not read."""
        ...

    def grep(
        self, pattern: str, *, regex: bool = False, ignore_case: bool = False, limit: int | None = None
    ) -> GrepResult:
        """Lines that hold a text or match a pattern."""
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
    origin: Literal["index", "editor"] = "index"
    """"editor": text that the user showed, selected or open; the index may have the file otherwise, or not at all."""


def for_question(
    index: CodeIndex,
    question: str,
    hits: Sequence[Hit],
    budget: int,
    llm: LLM,
    given: Sequence[Source] = (),
    first: int = 1,
) -> tuple[Source, ...]:
    """Snippets for ``question`` within ``budget`` tokens, best first; empty when nothing relevant was found.

    A hit names a file and a place in it. Shown are the definitions and stretches of the best files that say most about
    the question (see ``assistant.stretches``), joined where they touch, cut at line ends. Tokens are counted in one
    batch.

    Lines of the sources in ``given`` are not repeated and cost nothing: the result begins with those of them that were
    found again, then come the new ones, numbered from ``first``.
    """
    hits = relevant(question, hits)
    files: list[FileText] = []
    for path, found in _by_file(hits).items():
        if (text := index.text(path)) is not None:
            places = _places(found)
            weight = found[0].score / hits[0].score if hits[0].score > 0 else 1.0
            files.append(FileText(path, LINE.findall(text), index.file_symbols(path), places, weight))
    known = [source for source in given if any(source.path == file.path for file in files)]
    room = budget + round(sum(estimated_tokens(LINE.findall(source.text)) for source in known))
    sources = [
        Source(0, s.file.path, s.first + 1, s.last, "".join(s.file.lines[s.first : s.last]), s.symbol)
        for s in choose(files, question, room)
    ]
    return not_given(sources, known, budget, llm, first)


def not_given(
    sources: Sequence[Source], given: Sequence[Source], budget: int, llm: LLM, first: int
) -> tuple[Source, ...]:
    """Those of ``given`` that ``sources`` overlap, then what of ``sources`` is new, in ``budget``."""
    again = [old for old in given if any(_overlaps(old, source) for source in sources)]
    return (*again, *within([part for source in sources for part in _fresh(source, given)], budget, llm, first))


def _overlaps(a: Source, b: Source) -> bool:
    return a.path == b.path and a.start_line <= b.end_line and b.start_line <= a.end_line


def _fresh(source: Source, given: Sequence[Source]) -> list[Source]:
    """The parts of ``source`` whose lines are in none of ``given``; less than ``_LEAST_LINES`` are no part."""
    old = {n for other in given if _overlaps(source, other) for n in range(other.start_line, other.end_line + 1)}
    if not old:
        return [source]
    lines = LINE.findall(source.text)
    new = [n for n in range(source.start_line, source.end_line + 1) if n not in old]
    out: list[Source] = []
    for _, run in groupby(enumerate(new), lambda pair: pair[1] - pair[0]):
        numbers = [number for _, number in run]
        text = lines[numbers[0] - source.start_line : numbers[-1] - source.start_line + 1]
        if sum(1 for line in text if line.strip()) >= _LEAST_LINES:
            out.append(replace(source, start_line=numbers[0], end_line=numbers[-1], text="".join(text)))
    return out


def _by_file(hits: Sequence[Hit]) -> dict[str, list[Hit]]:
    """Hits by path, best file first, at most ``_MOST_FILES``."""
    out: dict[str, list[Hit]] = {}
    for hit in hits:
        if hit.chunk.path in out or len(out) < _MOST_FILES:
            out.setdefault(hit.chunk.path, []).append(hit)
    return out


def _places(hits: Sequence[Hit]) -> list[Place]:
    """Where the hits of one file lie, in order of their lines; those that overlap or touch are one place."""
    out: list[Place] = []
    for hit in sorted(hits, key=lambda hit: hit.chunk.span.start_byte):
        first, last = hit.chunk.span.start_line, hit.chunk.span.end_line
        if out and first <= out[-1].last_line + 1:
            out[-1] = replace(out[-1], last_line=max(last, out[-1].last_line))
        else:
            out.append(Place(first, last, hit.chunk.symbol))
    return out


def within(sources: Sequence[Source], budget: int, llm: LLM, first: int = 0) -> tuple[Source, ...]:
    """The sources with what is over the budget cut off at a line's end, counted by the model's own tokenizer.

    They are numbered from ``first``; 0 leaves them the numbers that they have.
    """
    lines = [LINE.findall(source.text) for source in sources]
    if not sources:
        return ()
    counted = iter(llm.count([*map(header, sources), *(line for text in lines for line in text)]))
    headers = [next(counted) for _ in sources]
    out: list[Source] = []
    for source, text, head in zip(sources, lines, headers, strict=True):
        sums = list(accumulate(next(counted) for _ in text))
        kept = bisect_right(sums, budget - head)
        while kept and not text[kept - 1].strip():
            kept -= 1
        if kept:
            budget -= head + sums[kept - 1]
            end = source.start_line + kept - 1
            out.append(
                replace(
                    source, number=first + len(out) if first else source.number, end_line=end, text="".join(text[:kept])
                )
            )
    return tuple(out)


def header(source: Source) -> str:
    """The line above a snippet in the prompt: its number, its place, and the definition it belongs to."""
    of = f" ({source.symbol})" if source.symbol else ""
    return f"[{source.number}] {visible(source.path)}:{source.start_line}-{source.end_line}{of}\n"


def relevant(question: str, hits: Sequence[Hit]) -> list[Hit]:
    """The hits that are worth showing a model; empty when none has to do with the question.

    The words of all hits together must cover a part of the question: "how do I bake a pizza" finds "bake" somewhere in
    most repositories. Meaning alone is no evidence: the static embedding puts pizza as near to code as real questions.
    Of a question in another language one word is enough: most of its words are in no code.
    """
    if not hits:
        return []
    wanted = query_terms(" ".join(content(question)) or question)
    covered = {word for hit in hits for word in _shared(wanted, hit)}
    if len(covered) < (1.0 if is_foreign(question) else max(1.0, COVERED_ENOUGH * len(wanted))):
        return []
    # Search marks tests that were not asked for; they say how code is called, seldom what it does.
    hits = [hit for hit in hits if hit.reasons.get("test", 0.0) >= 0] or list(hits)
    floor = SCORE_FLOOR * max(hit.score for hit in hits)
    return [hit for hit in hits if hit.score >= floor]


def _shared(wanted: Sequence[str], hit: Hit) -> set[str]:
    """Terms of the question that the hit's text or path has."""
    return set(wanted) & {*terms(hit.chunk.text), *path_terms(hit.chunk.path)}
