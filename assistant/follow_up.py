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
from indexer.types import Symbol

MOST_NAMES = 3
"""Names that a question gets from the conversation: more would outweigh its own words."""
_TURNS = 3
"""Turns that are looked at; each one back counts half."""
_FEW_TERMS = 1
"""A question of so few words ("Which tests?", "Why?") is one about the conversation."""
_MOST_USES = 6
_USE_LINES = 16
"""Lines of a long definition that are shown of a use: a third of them after it."""

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
_USE = re.compile(
    r"\b(?:where|when|who|what|which \w+)\b.*\b(?:called|used|invoked|referenced|calls|uses|invokes)\b"
    r"|\b(?:callers?|usages?|call sites?|(?:used|called) by)\b",
    re.I | re.S,
)
_REPHRASE = re.compile(
    r"\b(?:simpler|shorter|rephrase|summar\w+|in short|in other words|in more detail|step by step)\b"
    r"|^explain (?:it|that|this)\b|^i do(?:n't| not) understand\b",
    re.I,
)
_IMPORT = re.compile(
    r"\s*(?:from\s+\S+\s+import\b|(?:import|use|using|require|include)\b|#\s*include\b|export\b.*\bfrom\b|.*\brequire\()"
)
_CODE = re.compile(r"`[^`\n]+`|\b\w+\(")
_CITATION = re.compile(r"\[[^\[\]\s]+:\d+-\d+\]")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a question is about. ``leans``: whether it needs the conversation to be understood."""

    query: str
    names: tuple[str, ...] = ()
    leans: bool = False
    unsaid: str = ""
    """The name that the question means and does not say, if the conversation has one."""
    rephrases: bool = False
    """Whether it asks for the last answer in other words: nothing new has to be found for that."""
    brief: bool = False
    """Whether it says hardly more than that ("What does it return?"): what mentions no name is no help."""

    def tells(self, source: Source) -> bool:
        """Whether ``source`` is about what the question means."""
        return any(name in source.text for name in ((self.unsaid,) if self.unsaid else self.names))


def wanted(index: CodeIndex, question: str, turns: Sequence[Turn], shown: Sequence[Source] = ()) -> Wanted:
    """What to search for. ``turns``: those before; ``shown``: what the user selected, which "this" means first."""
    if turns and not shown and _REPHRASE.search(question.strip()):
        return Wanted(question, leans=True, rephrases=True)
    brief = len(query_terms(question)) <= _FEW_TERMS
    leans = brief or bool(_POINTS.search(question.strip()))
    if not leans or not (turns or shown):
        return Wanted(question)
    own = [name for name in identifiers(question) if is_compound(name) and _known(index, name)]
    subject = _defined(index, shown) or _subject(index, turns)
    names = tuple(name for name in subject if name not in own)[: max(1, MOST_NAMES - len(own))]
    unsaid = names[0] if names and not own and not shown and index.symbols(names[0]) else ""
    return Wanted(" ".join((question, *names)), (*own, *names), True, unsaid, brief=brief)


def _subject(index: CodeIndex, turns: Sequence[Turn]) -> tuple[str, ...]:
    """What the last turns were about, most of all first: names of code in question and answer, and what was cited."""
    weight = 1.0
    counts: dict[str, float] = {}
    for turn in reversed(turns[-_TURNS:]):
        for name in (*_names(index, turn.question), *([turn.about] if turn.about else ())):
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


def uses(index: CodeIndex, question: str, about: Wanted) -> list[Source]:
    """Where the name that the question is about is used, if it asks for that: the definitions around, or parts of them.

    Search finds words, and a call shares fewer words with the question than the definition does.
    """
    if not about.leans or not about.names or not _USE.search(question):
        return []
    name = about.names[0]
    found: dict[tuple[str, int], Source] = {}
    definitions = {(symbol.path, symbol.qualified) for symbol in index.symbols(name)}
    for reference in index.references(name):
        if (reference.path, reference.enclosing) in definitions:
            continue
        if (text := index.text(reference.path)) is not None:
            lines = LINE.findall(text)
            if reference.enclosing is None and _imports(lines, reference.span.start_line):
                continue
            first, last = _around(index.file_symbols(reference.path), reference.span.start_line, len(lines))
            part = "".join(lines[first - 1 : last])
            found.setdefault((reference.path, first), Source(0, reference.path, first, last, part, reference.enclosing))
    # Tests say how code is called too, but after the code itself; what stands in no definition may be a list of names.
    return sorted(found.values(), key=lambda source: (source.symbol is None, "test" in source.path))[:_MOST_USES]


def _imports(lines: Sequence[str], number: int) -> bool:
    """Whether a line brings a name in, alone or as a part of a list in brackets."""
    for line in reversed(lines[max(0, number - _USE_LINES) : number]):
        if _IMPORT.match(line):
            return True
        if not re.match(r"[\s\w,.{}*/]*$", line):
            return False
    return False


def _around(symbols: Sequence[Symbol], line: int, count: int) -> tuple[int, int]:
    """The smallest definition around ``line``, cut to the lines near it where it is long."""
    spans = [s.span for s in symbols if s.span.start_line <= line <= s.span.end_line]
    best = min(spans, key=lambda span: span.end_line - span.start_line, default=None)
    near = max(1, line - _USE_LINES // 3), min(count, line + _USE_LINES // 3)
    first, last = (best.start_line, min(best.end_line, count)) if best else near
    if last - first >= _USE_LINES:
        after = _USE_LINES // 3
        first, last = max(first, line - _USE_LINES + after), min(last, line + after)
    return first, last
