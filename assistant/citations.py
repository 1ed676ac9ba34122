"""The model's stream → an answer whose every citation is checked.

A small model cites poorly, so it is only asked for snippet numbers: ``[2]``. Here they become ``[path:start-end]``,
narrowed to the definition that the sentence names; numbers and places that were not among the sources go; a paragraph
without any citation is given the source whose names and words it shares, if they are enough.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.context import CodeIndex, Source
from assistant.names import identifiers, is_compound
from assistant.stretches import LINE
from indexer.reasons import visible
from indexer.terms import terms

ENOUGH_COVERED = 0.33
"""Part of a paragraph's weighted words that a source must share with it to be cited for it."""
ENOUGH_SHARED = 4.0
"""Least weight of shared words: a name that can only be code weighs 2, any other word 1."""
LONGEST_BRACKET = 200
"""Characters that are held back in the hope of a closing bracket."""

_NUMBERS = re.compile(
    r"\s*(?:(?:snippets?|sources?|refs?|references?)\s*)?#?\d+(?:\s*(?:,|;|and|&|-|–|to)\s*#?\d+)*\s*", re.I
)
_PLACE = re.compile(
    r"(?:#?(\d+)\s*:?\s+)?(?P<path>[\w./@+\-]*[\w@+\-]\.\w+)(?::(?P<first>\d+)(?:\s*[-–]\s*(?P<last>\d+))?)?"
)
_SENTENCE_END = re.compile(r"[.!?;]\s+|\]\s*")
_INLINE_CODE = re.compile(r"`([^`\n]+)`")
_FENCE = re.compile(r"^\s*(```|~~~).*?(?:^\s*\1\s*$|\Z)", re.M | re.S)
_CALL = re.compile(r"([^\W\d]\w*)\(")
_FILE = re.compile(r"[\w.\-]+(?:/[\w.\-]+)+\.\w+")


@dataclass(frozen=True, slots=True)
class Citation:
    """A checked place: lines ``start_line..end_line`` of a file of the index, inside a source that was given."""

    path: str
    start_line: int
    end_line: int

    def __str__(self) -> str:
        return f"[{visible(self.path)}:{self.start_line}-{self.end_line}]"


class CitationWriter:
    """Rewrites a streamed answer. ``feed`` returns what can be shown already, ``finish`` the rest.

    Text inside code is never touched. What may still become a citation is held back: an open bracket with the blanks
    before it, and a line's end.
    """

    def __init__(self, index: CodeIndex, sources: Sequence[Source]) -> None:
        self.citations: list[Citation] = []
        """What the answer cites, in order, each once."""
        self.dropped = 0
        """How many citations of the model were left out because they name nothing that it was given."""
        self._index = index
        self._sources = {source.number: source for source in sources}
        self._attribution = _Attribution(sources)
        self._lengths: dict[str, int] = {}
        self._pending = ""
        self._line = ""
        """The current line as written so far."""
        self._said: list[str] = []
        self._fence = ""
        self._inside = False
        """Whether the line that opened the fence is over."""
        self._code = False
        self._echo = ""
        """A snippet's heading behind its number, which the model copies at times; it would say the place twice."""
        self._cited = False
        """Whether the current line has a citation."""

    def feed(self, text: str) -> str:
        """Take the next piece of the stream; returns what is settled."""
        self._pending += text
        return self._settle(final=False)

    def finish(self) -> str:
        """The end of the stream; returns the rest, with a citation for the whole if no part got one."""
        out = self._settle(final=True) + self._close_line()
        if not self.citations and (found := self._attribution.best("".join(self._said))):
            citation = self._check(found, "".join(self._said))
            if citation:
                self.citations.append(citation)
                out += ("\n" if self._fence or self._line.lstrip().startswith("```") else " ") + str(citation)
        return out

    def _settle(self, *, final: bool) -> str:
        out: list[str] = []
        while self._pending:
            taken = self._take_code(final) if self._fence else self._take(final)
            if taken is None:
                break
            used, shown = taken
            self._pending = self._pending[used:]
            out.append(shown)
        return "".join(out)

    def _take_code(self, final: bool) -> tuple[int, str] | None:
        """The next piece inside a fenced block."""
        end = self._pending.find("\n")
        if end < 0 and not final and len(self._line + self._pending) < len(self._fence) + 4:
            return None
        piece = self._pending[: end + 1] if end >= 0 else self._pending
        self._line += piece
        if end >= 0:
            if self._inside and self._line.strip() == self._fence:
                self._fence = ""
            self._inside = True
            self._said.append(self._line)
            self._line = ""
        return len(piece), piece

    def _take(self, final: bool) -> tuple[int, str] | None:
        """The next piece of prose: (characters used, text shown), or None when more must come first."""
        pending = self._pending
        if self._echo:
            if self._echo.startswith(pending) and pending != self._echo and not final:
                return None
            echo, self._echo = self._echo, ""
            if pending.startswith(echo):
                return len(echo), ""
        if pending[0] == "\n":
            shown = self._close_line() + "\n"
            self._said.append(self._line + "\n")
            self._line, self._cited, self._code = "", False, False
            return 1, shown
        if pending[0] == "`":
            return self._take_ticks(final)
        blanks = len(pending) - len(pending.lstrip(" \t"))
        if blanks == len(pending) and not final:
            return None
        if not self._code and pending[blanks : blanks + 1] == "[" and self._may_cite(pending[:blanks]):
            return self._take_bracket(blanks, final)
        plain = re.match(r"[ \t]*(?:\[|[^\s`\[]+)?", pending)
        used = max(1, plain.end() if plain else 1)
        self._line += pending[:used]
        return used, pending[:used]

    def _take_ticks(self, final: bool) -> tuple[int, str] | None:
        """Backticks: a fence at the beginning of a line, else the edge of inline code."""
        ticks = len(self._pending) - len(self._pending.lstrip("`"))
        if ticks == len(self._pending) and ticks < 3 and not final:
            return None
        if ticks >= 3 and not self._line.strip():
            self._fence, self._inside = "`" * ticks, False
        elif ticks % 2:
            self._code = not self._code
        self._line += "`" * ticks
        return ticks, "`" * ticks

    def _may_cite(self, blanks: str) -> bool:
        """Whether a bracket here can be a citation; ``items[0]`` and ``f()[0]`` are code."""
        if blanks or not self._line:
            return True
        word = re.search(r"[\w)]+$", self._line)
        return word is None or (word.group().isalpha() and not is_compound(word.group()))

    def _take_bracket(self, blanks: int, final: bool) -> tuple[int, str] | None:
        """A bracket after ``blanks`` blanks: a citation, turned or dropped, or any other text, kept."""
        pending = self._pending
        newline = pending.find("\n", blanks)
        end = pending.find("]", blanks)
        if end < 0 and newline < 0 and len(pending) < LONGEST_BRACKET and not final:
            return None
        inside = pending[blanks + 1 : end] if end >= 0 and (newline < 0 or end < newline) else ""
        cited = self._cited_places(inside)
        if cited is None:
            self._line += pending[: blanks + 1]
            return blanks + 1, pending[: blanks + 1]
        fresh = [c for c in dict.fromkeys(cited) if str(c) not in self._line]
        self._cited = self._cited or bool(cited)
        self.citations.extend(c for c in fresh if c not in self.citations)
        shown = (pending[:blanks] or " ") + " ".join(map(str, fresh)) if fresh else ""
        if not self._line:
            shown = shown.lstrip()
        self._line += shown
        return end + 1, shown

    def _cited_places(self, inside: str) -> list[Citation] | None:
        """What a bracket's inside cites, checked; None when it is no citation."""
        sentence = _SENTENCE_END.split(self._line)[-1] or self._line
        if _NUMBERS.fullmatch(inside):
            given = [self._sources.get(n) for n in _numbers(inside)]
            found = [self._check(source, sentence) for source in given]
            if (last := given[-1]) is not None:
                self._echo = f" {visible(last.path)}:{last.start_line}-{last.end_line}"
        elif place := _PLACE.fullmatch(inside.strip().strip("`")):
            if "/" not in place["path"] and not place["first"]:
                return None
            found = [self._at(place["path"], int(place["first"] or 0), int(place["last"] or 0), sentence)]
        else:
            return None
        self.dropped += sum(c is None for c in found)
        return [c for c in found if c is not None]

    def _at(self, path: str, first: int, last: int, sentence: str) -> Citation | None:
        """The place that the model wrote itself, cut to the source that covers it."""
        last = max(first, last)
        for source in self._sources.values():
            if source.path == path and not first:
                return self._check(source, sentence)
            if source.path == path and first <= source.end_line and last >= source.start_line:
                return self._exists(Citation(path, max(first, source.start_line), min(last, source.end_line)))
        return None

    def _check(self, source: Source | None, sentence: str) -> Citation | None:
        """A citation of ``source``, narrowed to the definitions that ``sentence`` names."""
        if source is None:
            return None
        names = set(identifiers(sentence))
        spans = [
            (s.span.start_line, s.span.end_line)
            for s in self._index.file_symbols(source.path)
            if s.name in names
            and s.span.start_line >= source.start_line
            and s.span.start_line <= source.end_line
            and source.origin == "index"  # the lines of an editor's text need not be the index's
        ]
        leaves = [a for a in spans if not any(b != a and a[0] <= b[0] and b[1] <= a[1] for b in spans)]
        first = min((a[0] for a in leaves), default=source.start_line)
        last = min(max((a[1] for a in leaves), default=source.end_line), source.end_line)
        return self._exists(Citation(source.path, first, last))

    def _exists(self, citation: Citation) -> Citation | None:
        """The citation, if the index has the file and the lines."""
        if citation.path not in self._lengths:
            # What an editor shows is there, saved or not.
            shown = [s.end_line for s in self._sources.values() if s.path == citation.path and s.origin == "editor"]
            self._lengths[citation.path] = max(len(LINE.findall(self._index.text(citation.path) or "")), *shown, 0)
        ok = 1 <= citation.start_line <= citation.end_line <= self._lengths[citation.path]
        return citation if ok else None

    def _close_line(self) -> str:
        """What to add at a line's end: a citation for a statement that has none."""
        text = self._line.strip()
        if self._cited or self._fence or not text or text.startswith(("#", "```", "|")) or text.endswith(":"):
            return ""
        citation = self._check(self._attribution.best(text), text)
        if citation is None:
            return ""
        if citation not in self.citations:
            self.citations.append(citation)
        self._cited = True
        self._line += f" {citation}"
        return f" {citation}"


class _Attribution:
    """Finds the source that a text speaks of, by the words they share. Deterministic."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = list(sources)
        self._terms = [{*terms(s.text), *terms(s.symbol or ""), *terms(s.path)} for s in sources]
        self._spread = Counter(term for words in self._terms for term in words)

    def best(self, text: str) -> Source | None:
        """The source that shares most with ``text``, words of few sources counting more; None if it is not enough.

        A source whose file ``text`` names gets what the sharing of ``ENOUGH_SHARED`` is worth on top.
        """
        weights = dict.fromkeys(terms(text), 1.0)
        weights.update({name.strip("_").lower(): 2.0 for name in identifiers(text) if is_compound(name)})
        whole = sum(weights.values())
        best: tuple[float, Source] | None = None
        for source, words in zip(self._sources, self._terms, strict=True):
            shared = [term for term in weights if term in words]
            weight = sum(weights[term] for term in shared)
            if weight < ENOUGH_SHARED or weight < ENOUGH_COVERED * whole:
                continue
            named = ENOUGH_SHARED if source.path.rpartition("/")[2] in text else 0.0
            score = named + sum(weights[term] / self._spread[term] for term in shared)
            if best is None or score > best[0]:
                best = (score, source)
        return best[1] if best else None


def unverified(answer: str, question: str, sources: Sequence[Source], index: CodeIndex) -> tuple[str, ...]:
    """Names and files that the answer speaks of as code and that neither the sources nor the index know.

    Looked at: what stands in inline code or is called, in prose, if it can only be code. Names that example code of the
    answer defines are its own business.
    """
    prose = _FENCE.sub("", answer)
    spans = _INLINE_CODE.findall(prose)
    named = [n for span in spans for n in identifiers(span) if is_compound(n)]
    called = [n for n in _CALL.findall(prose) if len(n) > 2]
    known = {*identifiers(question), *identifiers("\n".join(block.group() for block in _FENCE.finditer(answer)))}
    for source in sources:
        known.update(identifiers(f"{source.text} {source.path} {source.symbol or ''}"))
    names = [n for n in dict.fromkeys((*named, *called)) if n not in known and identifiers(n)]
    bad = [n for n in names if not any(s.name == n for s in index.symbols(n)) and not index.references(n)]
    files = [f for f in dict.fromkeys(_FILE.findall(" ".join(spans))) if f not in {s.path for s in sources}]
    return (*bad, *(f for f in files if index.text(f) is None))


def _numbers(inside: str) -> list[int]:
    """Numbers of ``1, 3`` or ``2-4``."""
    out: list[int] = []
    for first, last in re.findall(r"(\d+)(?:\s*[-–]\s*#?(\d+))?", inside):
        low, high = int(first), int(last or first)
        out.extend(range(low, high + 1) if low <= high < low + 20 else (low,))
    return out
