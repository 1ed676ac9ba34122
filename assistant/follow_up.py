"""What to look for when a question leans on the conversation: "and where is it called?" is about what was named before.

No model is asked. A question that points (it, they, that) or says next to nothing itself is searched for together with
the names that the last turns were about; any other question stands for itself, as the first one does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from assistant.context import CodeIndex, Source
from assistant.conversation import Turn
from assistant.names import identifiers, is_compound
from assistant.stretches import LINE
from indexer.terms import query_terms
from indexer.types import Chunk, Hit, Span, Symbol

MOST_NAMES = 3
"""Names that a question gets from the conversation: more would outweigh its own words."""
_TURNS = 3
"""Turns that are looked at; each one back counts half."""
_FEW_TERMS = 2
"""A question of so few words ("Which tests?", "Why?") is one about the conversation."""
_MOST_USES = 8

_POINTS = re.compile(
    r"^(?:and|but|so|then|also|ok|okay|why|how so|what about|how about)\b"
    r"|(?<!is )(?<!are )\bthere\b"
    r"|\b(?:it|its|itself|they|them|their|these|those|he|she|above|former|latter|same|again)\b"
    r"|\bthis\b(?! (?:project|repository|repo|package|library|code ?base|program|tool)\b)"
    r"|\b(?:does|do|did|is|was|of|about|like|after|before|calls?|uses?|for|with|to|from|in|by|on|why|how) that\b"
    r"|\bthat\W*$|\b(?:both|two|difference|compare|summar\w+|in short)\b"
    r"|\b(?:more|else|example|details?|simpler|shorter)\W*$",
    re.I,
)
"""A word that stands for something said before; "this project" and "is there a …" do not."""
_USE = re.compile(r"\b(?:call(?:s|ed|ers?)?|use(?:s|d|rs?)?|usages?|invoke[sd]?|references?|referenced)\b", re.I)
_CODE = re.compile(r"`[^`\n]+`|\b\w+\(")
_CITATION = re.compile(r"\[[^\[\]\s]+:\d+-\d+\]")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a question is about. ``leans``: whether it needs the conversation to be understood."""

    query: str
    names: tuple[str, ...] = ()
    leans: bool = False


def wanted(index: CodeIndex, question: str, turns: Sequence[Turn], shown: Sequence[Source] = ()) -> Wanted:
    """What to search for. ``turns``: those before; ``shown``: what the user selected, which "this" means first."""
    leans = bool(_POINTS.search(question.strip())) or len(query_terms(question)) <= _FEW_TERMS
    if not leans or not (turns or shown):
        return Wanted(question)
    own = [name for name in identifiers(question) if is_compound(name) and _known(index, name)]
    names = _defined(index, shown) or _subject(index, turns)
    names = tuple(name for name in names if name not in own)[: max(1, MOST_NAMES - len(own))]
    return Wanted(" ".join((question, *names)), (*own, *names), leans=True)


def _subject(index: CodeIndex, turns: Sequence[Turn]) -> tuple[str, ...]:
    """What the last turns were about, most of all first: names of code in question and answer, and what was cited."""
    weight = 1.0
    counts: dict[str, float] = {}
    for turn in reversed(turns[-_TURNS:]):
        for name in _names(index, turn.question):
            counts[name] = counts.get(name, 0.0) + 3.0 * weight
        for name in _names(index, _CITATION.sub("", turn.answer)):
            counts[name] = counts.get(name, 0.0) + 2.0 * weight
        weight /= 2
    if not counts and turns:
        symbols = (source.symbol for turn in turns[-1:] for source in turn.given if source.symbol)
        counts = {symbol.rpartition(".")[2]: 1.0 for symbol in symbols} or dict.fromkeys(
            query_terms(turns[-1].question)[:MOST_NAMES], 1.0
        )
    return tuple(sorted(counts, key=lambda name: -counts[name]))[:MOST_NAMES]


def _names(index: CodeIndex, text: str) -> Iterable[str]:
    """Names in ``text`` that the index defines; ordinary words only where they are written as code."""
    code = set(identifiers(" ".join(_CODE.findall(text))))
    return [n for n in identifiers(text) if (is_compound(n) or n[0].isupper() or n in code) and index.symbols(n)]


def _defined(index: CodeIndex, shown: Sequence[Source]) -> tuple[str, ...]:
    """What the shown text defines, else the names of code in it."""
    text = "\n".join(source.text for source in shown)
    defined = [
        symbol.name
        for source in shown
        for symbol in index.file_symbols(source.path)
        if source.start_line <= symbol.span.start_line <= source.end_line and symbol.name in text
    ]
    used = (name for name in identifiers(text) if is_compound(name) and index.symbols(name))
    return tuple(dict.fromkeys((*defined, *used)))[:MOST_NAMES]


def _known(index: CodeIndex, name: str) -> bool:
    return bool(index.symbols(name) or index.references(name))


def uses(index: CodeIndex, question: str, about: Wanted, score: float) -> list[Hit]:
    """Where the name that the question is about is used, if it asks for that; each as a hit with ``score``.

    Search finds words, and a call shares fewer words with the question than the definition does.
    """
    if not about.leans or not about.names or not _USE.search(question):
        return []
    name = about.names[0]
    found: dict[tuple[str, str | None], Hit] = {}
    definitions = {(symbol.path, symbol.qualified) for symbol in index.symbols(name)}
    for reference in index.references(name):
        key = (reference.path, reference.enclosing)
        if key in found or key in definitions or (text := index.text(reference.path)) is None:
            continue
        lines = LINE.findall(text)
        first, last = _around(index.file_symbols(reference.path), reference.span.start_line, len(lines))
        if first == last and not reference.enclosing and lines[first - 1].lstrip().startswith(("import ", "from ")):
            continue
        span = Span(reference.span.start_byte, reference.span.end_byte, first, last)
        chunk = Chunk(0, reference.path, "", span, "".join(lines[first - 1 : last]), reference.enclosing)
        found[key] = Hit(chunk, score, {"reference": score})
    # Tests say how code is called too, but after the code itself.
    return sorted(found.values(), key=lambda hit: "test" in hit.chunk.path)[:_MOST_USES]


def _around(symbols: Sequence[Symbol], line: int, count: int) -> tuple[int, int]:
    """The smallest definition around ``line``, or the line alone."""
    spans = [s.span for s in symbols if s.span.start_line <= line <= s.span.end_line]
    best = min(spans, key=lambda span: span.end_line - span.start_line, default=None)
    return (best.start_line, min(best.end_line, count)) if best else (line, line)
