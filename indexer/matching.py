"""Which line of a found chunk a query meant, the definition that line is in, and the lines to show.

Only hits that are shown are looked at, some ten a search, and of their lines only those that may hold more of the
query than the best one found: about 0.1 ms a hit, with what it takes to decode the file's definitions.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from indexer.query import Query
from indexer.terms import terms
from indexer.types import Chunk, Symbol

PREVIEW_LINES = 8
"""Most lines of a preview."""
_LINES_BEFORE = 3
"""Lines of a preview before the matching one, where the definition's first line is too far away."""
_LINES_AFTER = 2
"""A definition's first line is shown together with the matching one if this many lines still fit after that."""
_HEAD_LINES = 40
"""Of a definition, within which its name is looked for: decorators may come first."""
_NAME_SHARE = 0.5
"""What a word in a definition's own name counts more than the same word elsewhere in a line."""
_LITERAL_SHARE = 0.5
"""What a line gets that holds the query, or a part of it between spaces, as it was typed."""
_WORD_SHARE = 0.1
"""The same for a part that is a plain word: it may be the start of a longer one."""
_COMMENT = re.compile(r"\s*(?:#|//|/\*|\*|--|;|\"\"\"|'''|@|\[|<!--|%|=begin)")
_DATA = frozenset({"variable", "field", "property", "constant"})
_EQUAL = 1e-9
"""Scores that differ by less are the same: the first line counts."""
_SHORTEST_LITERAL = 2
_MOST_LITERALS = 16


class Match(NamedTuple):
    """What a query meant in a chunk. Lines count from 1, as in the file."""

    symbol: str | None
    """Qualified name of the definition; None where the line is in none."""
    line: int
    preview: tuple[tuple[int, int], ...]
    """First and last line of one or two stretches to show, ``PREVIEW_LINES`` lines in all."""


class _Definition:
    """A definition that overlaps the chunk. Lines count from the chunk's first, which is 0."""

    def __init__(self, symbol: Symbol, lines: Sequence[str], first: int) -> None:
        self.symbol = symbol
        self.first, self.last = symbol.span.start_line - first, symbol.span.end_line - first
        self._lines = lines

    @cached_property
    def name(self) -> int | None:
        """The line with its name; None if the definition begins before the chunk.

        Looked for when asked: of most definitions nobody wants to know.
        """
        if self.first < 0:
            return None  # a declaration whose annotations are in the chunk before is not guessed at
        stop = min(len(self._lines), self.last + 1, self.first + _HEAD_LINES)
        return _name_line(self.symbol, self._lines, self.first, stop)


class Matcher:
    """What a query asks of lines, worked out once for all hits of a search."""

    def __init__(self, text: str, query: Query, rarity: Mapping[str, float]) -> None:
        """``text``: the query as typed; ``query``: the same taken apart; ``rarity``: the idf of its terms."""
        self._rarity = {term: max(idf, 0.01) for term, idf in rarity.items()}
        self._names = [(_folded(name.name), name) for name in query.names]
        self._wanted = {folded for folded, _ in self._names}
        parts = [*dict.fromkeys((text.strip(), *text.split()))][:_MOST_LITERALS]
        self._literals = {
            part.casefold(): _WORD_SHARE if part.isascii() and part.isalnum() else _LITERAL_SHARE
            for part in parts
            if len(part) >= _SHORTEST_LITERAL or not part.isascii()
        }
        # A stem is the start of its word, but for a "y" at the end: policies → policy.
        self._starts = {term: term.removesuffix("y") or term for term in self._rarity}

    def match(self, chunk: Chunk, symbols: Sequence[Symbol], quoted: int | None = None) -> Match:
        """``symbols``: definitions that overlap the chunk, in the file's order.

        ``quoted``: the line of the file where something stands that the query quotes, if it does in this chunk.
        """
        first = chunk.span.start_line
        lines = chunk.text.split("\n")[: max(1, chunk.span.end_line - first + 1)]
        definitions = [_Definition(symbol, lines, first) for symbol in symbols]
        named = self._named(definitions)
        found: _Definition | None
        if quoted is not None and first <= quoted < first + len(lines):
            at = quoted - first
            found = _around(definitions, lines, at)
        elif named is not None:
            found, at = named, named.name or 0
        elif (line := self._best_line(lines, definitions)) is not None:
            found, at = _around(definitions, lines, line), line
        else:  # found by its meaning or its path
            found = next((d for d in definitions if d.symbol.qualified == chunk.symbol), None)
            at = (found.name or 0) if found is not None else 0
        label = found.symbol.qualified if found is not None else None if symbols else chunk.symbol
        shown = _preview(found, at, lines)
        return Match(label, first + at, tuple((first + start, first + end) for start, end in shown))

    def _named(self, definitions: Sequence[_Definition]) -> _Definition | None:
        """The definition that the query names in so many words."""
        best: tuple[tuple[float, ...], _Definition] | None = None
        for definition in definitions:
            symbol = definition.symbol
            folded = _folded(symbol.name)
            if folded not in self._wanted or definition.name is None:
                continue
            scope = _scope(symbol)
            for wanted, name in self._names:
                if wanted != folded or name.strength < 1:
                    continue
                inner = _folded(name.scope[-1]) if name.scope else ""
                key = (
                    float(not inner or inner in scope),
                    float(symbol.name == name.name),
                    float(symbol.kind not in _DATA),
                    -float(len(scope)),
                )
                if best is None or key > best[0]:
                    best = key, definition
        return best[1] if best is not None else None

    def _best_line(self, lines: Sequence[str], definitions: Sequence[_Definition]) -> int | None:
        """The line with most of the query's words by their rarity, definitions before uses; None if there is none."""
        defined: dict[int, set[str]] = {}
        for definition in definitions:
            own = self._rarity.keys() & {*terms(definition.symbol.name)}
            if own and definition.name is not None:
                defined.setdefault(definition.name, set()).update(own)
        best, most = None, 0.0
        bounds = [(-bound, at) for at, bound in self._bounds(lines, defined).items()]
        for bound, at in sorted(bounds):
            if best is not None and -bound < most - _EQUAL:
                break
            held = self._rarity.keys() & {*terms(lines[at])}
            score = sum(self._rarity[term] for term in held) + self._literal_share(lines[at].casefold())
            score += _NAME_SHARE * sum(self._rarity[term] for term in held & defined.get(at, set()))
            if score > most + _EQUAL or (best is not None and at < best and score > most - _EQUAL):
                best, most = at, score
        return best

    def _bounds(self, lines: Sequence[str], defined: Mapping[int, Collection[str]]) -> dict[int, float]:
        """The most that each line can get that can get anything.

        Finding a line's terms takes far longer, and most lines have no chance.
        """
        text = "\n".join(lines)
        out: dict[int, float] = {}
        if not text.isascii():
            # What case and width mean there, only ``terms`` knows.
            most = (1 + _NAME_SHARE) * sum(self._rarity.values()) + sum(self._literals.values())
            out = {at: most for at, line in enumerate(lines) if not line.isascii()}
            text = "\n".join("" if at in out else line for at, line in enumerate(lines))
        low = text.lower()
        bare = low.replace("_", "")
        for term, start in self._starts.items():
            for at in _lines_with(start, bare):
                share = 1 + _NAME_SHARE if term in defined.get(at, ()) else 1
                out[at] = out.get(at, 0.0) + share * self._rarity[term]
        for literal, share in self._literals.items():
            for at in _lines_with(literal, low):
                out[at] = out.get(at, 0.0) + share
        return out

    def _literal_share(self, low: str) -> float:
        return sum(share for literal, share in self._literals.items() if literal in low)


def _lines_with(part: str, text: str) -> Iterator[int]:
    """Lines, from 0, that hold ``part``, which is within one."""
    line = place = 0
    found = text.find(part)
    while found >= 0:
        line += text.count("\n", place, found)
        yield line
        place = text.find("\n", found)
        if place < 0:
            return
        found = text.find(part, place)


def stretches(text: str, first: int, preview: Sequence[tuple[int, int]]) -> list[tuple[int, list[str]]]:
    """The lines of a preview: number of the first line, and the lines; ``text`` begins with line ``first``."""
    lines = text.split("\n")
    return [(start, [line.rstrip("\r") for line in lines[start - first : end - first + 1]]) for start, end in preview]


def line_at(text: str, first: int, number: int) -> str:
    """Line ``number`` of a text that begins with line ``first``, without its end."""
    lines = text.split("\n")
    return lines[number - first].rstrip("\r") if 0 <= number - first < len(lines) else ""


def _name_line(symbol: Symbol, lines: Sequence[str], start: int, stop: int) -> int:
    """The line with a definition's name, not an annotation or a comment before it that holds the same word."""
    name = symbol.name
    if stop - start <= 1:
        return min(start, len(lines) - 1)
    head = start
    for at in range(start, stop):
        folded = " ".join(lines[at].split()).rstrip(" {:")
        if folded and (symbol.signature.startswith(folded) or (symbol.signature and symbol.signature in folded)):
            head = at
            break
    return next((at for at in range(head, stop) if _holds_word(lines[at], name)), head)


def _holds_word(line: str, name: str) -> bool:
    """Whether a line holds a name that is no part of a longer one; a pattern for each name would take much longer."""
    at = line.find(name)
    while at >= 0:
        before, after = line[at - 1 : at], line[at + len(name) : at + len(name) + 1]
        inside = name[:1].isalnum() and (before == "_" or before.isalnum())
        if not inside and not (name[-1:].isalnum() and (after == "_" or after.isalnum())):
            return True
        at = line.find(name, at + 1)
    return False


def _around(definitions: Sequence[_Definition], lines: Sequence[str], at: int) -> _Definition | None:
    """The definition whose name is in the line, else the innermost around it, else the one that it comments on."""
    around = [d for d in definitions if d.first <= at <= d.last]
    inner = next((d for d in around if d.name == at), None)
    if inner is not None:
        return inner
    inner = min(around, key=lambda d: d.symbol.span.end_byte - d.symbol.span.start_byte, default=None)
    end = at
    while end < len(lines) and _COMMENT.match(lines[end]):
        end += 1
    below = next((d for d in definitions if d.first == end and end > at), None)
    return below or inner


def _preview(found: _Definition | None, at: int, lines: Sequence[str]) -> list[tuple[int, int]]:
    """Stretches of lines, from 0, that show ``at`` and, where there is room, the first line of its definition."""
    last = len(lines) - 1
    while last > at and not lines[last].strip():
        last -= 1
    if found is None or found.name is None or found.name > at:
        start = at - _LINES_BEFORE
    elif at - found.name + _LINES_AFTER < PREVIEW_LINES:
        head = found.name
        start = head - max(0, min(head - found.first, PREVIEW_LINES - 1 - _LINES_AFTER - (at - head)))
    else:
        rest = PREVIEW_LINES - 2  # one line is the gap's
        start = max(min(at - _LINES_BEFORE + 1, last - rest + 1), found.name + 1)
        return [(found.name, found.name), (start, min(last, start + rest - 1))]
    start = max(0, min(start, last - PREVIEW_LINES + 1))
    return [(start, min(last, start + PREVIEW_LINES - 1))]


def _folded(name: str) -> str:
    return name.replace("_", "").casefold() or name


def _scope(symbol: Symbol) -> set[str]:
    return {_folded(part) for part in re.split(r"\.|::", symbol.parent)} if symbol.parent else set()
