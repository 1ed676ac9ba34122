"""Which stretches of the best files say most about a question. Pure; lines here are indices from 0, half-open.

Candidates are the definitions of a file and the places that search hit. One is worth the rarity of the question's
words in it, more where its name has them, less by its length. The first files get one each; what budget is left goes to
whatever adds most that was not yet said.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from assistant.names import IDENTIFIER, is_compound
from indexer.terms import query_terms, terms
from indexer.types import Symbol

LINE = re.compile(r".*\n|.+")
"""A line with its end; ``str.splitlines`` would also cut at form feeds, which are inside lines for everybody else."""

FIRST_SHARE = 0.5
"""Most of the budget that one stretch of the best file may take: a long class must not push out every other file."""
OTHER_SHARE = 0.28
SURE_SHARE = 0.2
"""Most that the first stretch of the second and third file may take."""
LEAST_ROOM = 100.0
"""Tokens that a share is worth at least."""
FILES_SURE = 3
"""Files, best first, that get a stretch each before anything gets a second one."""
MOST_STRETCHES = 6
TOKEN_COST = 0.004
"""What a token costs in units of word rarity: 250 tokens more must add at least a common word."""
LEAST_GAIN = 2.0
"""A further stretch must add at least this."""
SAID_AGAIN = 0.4
"""What a word is still worth once another stretch has it."""
_CHARACTERS_A_TOKEN = 3.3
"""Of stripped code with Qwen's tokenizer: a little below the average, so that estimates are rather too high."""
_BEGINNING = 1.0
"""A stretch that begins with its definition: a signature says more than the middle of a body."""
_LITTLE = 90.0
"""Tokens below which a stretch (a constant, an abstract method) is shown with its neighbours."""
_HOLDERS = frozenset({"class", "interface", "enum", "type", "module"})
_MEMBERS = frozenset({"method", "constructor", "function", *_HOLDERS})
_LONG_HOLDER = 40
"""Lines from which a class is shown up to its first member only."""
_SMALL_FILE = 800
"""Characters up to which a file is shown as a whole or not at all."""
_STEP = 8
_MOST_LINES = 4_000
_HEADER_TOKENS = 30


@dataclass(frozen=True, slots=True)
class Place:
    """Lines ``first_line..last_line`` (1-based, inclusive) that search hit, and the definition they belong to."""

    first_line: int
    last_line: int
    symbol: str | None


@dataclass(frozen=True, eq=False)
class FileText:
    """A file that search found, and the places in it."""

    path: str
    lines: list[str]
    symbols: Sequence[Symbol]
    places: Sequence[Place]
    weight: float
    """Its score as a part of the best file's."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question's ``terms``, and the ``names`` in it as they were typed."""

    terms: frozenset[str]
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Lines ``[first, last)`` of a file."""

    file: FileText
    first: int
    last: int
    symbol: str | None
    tokens: float
    """Estimated."""
    words: frozenset[str]
    bonus: float
    """What its name or being hit adds to its words."""


def choose(files: Sequence[FileText], question: str, budget: int) -> list[Stretch]:
    """Stretches for ``question`` within about ``budget`` tokens, best first, joined where they touch."""
    asked = _Asked(frozenset(query_terms(question)), frozenset(IDENTIFIER.findall(question)))
    first_room, other_room, sure_room = (
        min(float(budget), max(budget * share, LEAST_ROOM)) for share in (FIRST_SHARE, OTHER_SHARE, SURE_SHARE)
    )
    pools = [_candidates(file, asked, other_room) + _candidates(file, asked, sure_room) for file in files[1:]]
    if files:
        pools.insert(0, _candidates(files[0], asked, first_room))
    rarity = _rarity(pools, asked.terms)
    said: Counter[str] = Counter()
    chosen: list[Stretch] = []
    left = float(budget)
    for number, pool in enumerate(pools[:FILES_SURE]):
        # What other files said does not count against a file's first.
        best = _best(pool, chosen, Counter(), rarity, min(left, sure_room if number else first_room))
        if best is not None:
            chosen.append(best[1])
            said.update(best[1].words)
            left -= best[1].tokens
    everything = [stretch for pool in pools for stretch in pool]
    everything += _candidates(files[0], asked, other_room) if files else []
    while len(chosen) < MOST_STRETCHES:
        best = _best(everything, chosen, said, rarity, min(left, other_room))
        if best is None or best[0] < LEAST_GAIN:
            break
        chosen.append(best[1])
        said.update(best[1].words)
        left -= best[1].tokens
    return _joined(chosen)


def estimated_tokens(lines: Iterable[str]) -> float:
    """About how many tokens ``lines`` have, with the heading of a snippet."""
    return sum(map(_line_tokens, lines)) + _HEADER_TOKENS


def _line_tokens(line: str) -> float:
    return len(line.strip()) / _CHARACTERS_A_TOKEN + 1


def _best(
    pool: Sequence[Stretch], chosen: Sequence[Stretch], said: Counter[str], rarity: dict[str, float], room: float
) -> tuple[float, Stretch] | None:
    """The stretch of ``pool`` that fits, overlaps nothing chosen and gains most, and its gain; the first of equals."""
    best: tuple[float, Stretch] | None = None
    for stretch in pool:
        if stretch.tokens > room or any(_overlap(stretch, other) for other in chosen):
            continue
        words = sum(rarity[word] * SAID_AGAIN ** said[word] for word in sorted(stretch.words))
        gain = stretch.file.weight * (words + stretch.bonus) - TOKEN_COST * stretch.tokens
        if best is None or gain > best[0] + 1e-9:
            best = (gain, stretch)
    return best


def _rarity(pools: Sequence[Sequence[Stretch]], wanted: Iterable[str]) -> dict[str, float]:
    """Term → weight: the fewer candidates have it, the more. Terms that are identifiers weigh half more."""
    count = sum(len(pool) for pool in pools)
    spread = Counter(word for pool in pools for stretch in pool for word in stretch.words)
    return {word: math.log1p(count / max(1, spread[word])) * (1.5 if "_" in word else 1.0) for word in wanted}


def _candidates(file: FileText, asked: _Asked, room: float) -> list[Stretch]:
    """Definitions and hits of a file, cut to ``room`` estimated tokens."""
    lines = file.lines[:_MOST_LINES]
    sums = list(accumulate(map(_line_tokens, lines), initial=0.0))
    found = {n: words for n, line in enumerate(lines) if (words := asked.terms.intersection(terms(line)))}
    numbers = list(found)
    out: list[Stretch] = []
    for first, last, symbol, bonus in _spans(file, asked):
        for start, bonus_here in _starts(first, last, sums, room, bonus):
            end = min(last, bisect_right(sums, sums[start] + room - _HEADER_TOKENS) - 1)
            start, end = _grown(start, end, sums, min(room, _LITTLE + _HEADER_TOKENS) - _HEADER_TOKENS)
            while end > start and not lines[end - 1].strip():
                end -= 1
            inside = numbers[bisect_left(numbers, start) : bisect_left(numbers, end)]
            if inside:
                words = frozenset().union(*(found[n] for n in inside))
                tokens = sums[end] - sums[start] + _HEADER_TOKENS
                out.append(Stretch(file, start, end, symbol, tokens, words, bonus_here))
    return out


def _spans(file: FileText, asked: _Asked) -> Iterator[tuple[int, int, str | None, float]]:
    """(first, last, symbol, bonus) of what may be shown of a file."""
    whole = min(len(file.lines), _MOST_LINES)
    if sum(map(len, file.lines[:whole])) <= _SMALL_FILE:
        yield 0, whole, file.places[0].symbol, 1.0
        return
    for place in file.places:
        if place.first_line <= whole:
            yield place.first_line - 1, min(place.last_line, whole), place.symbol, 1.0
    for number, symbol in enumerate(file.symbols):
        first, last = symbol.span.start_line - 1, min(symbol.span.end_line, whole)
        if first >= last:
            continue
        if symbol.kind in _HOLDERS and last - first > _LONG_HOLDER:
            last = _first_member(file.symbols[number + 1 :], first, last)
        bonus = _name_bonus(symbol.name, asked)
        yield first, last, symbol.qualified, bonus


def _first_member(following: Sequence[Symbol], first: int, last: int) -> int:
    """Where the first method or inner class of a long class begins: its members are candidates of their own."""
    starts = (s.span.start_line - 1 for s in following if s.kind in _MEMBERS)
    return next((start for start in starts if first < start < last), last)


def _name_bonus(name: str, asked: _Asked) -> float:
    """What a definition's name is worth: most when the question says it as it is, else by the share of its words."""
    if name in asked.names:
        return 6.0 if is_compound(name) else 4.0
    words = [word for word in terms(name) if "_" not in word] or [name]
    # One word (``delay``, ``_download``) is said by chance.
    return (3.0 if len(words) > 1 else 1.0) * sum(word in asked.terms for word in words) / len(words)


def _starts(first: int, last: int, sums: Sequence[float], room: float, bonus: float) -> Iterator[tuple[int, float]]:
    """Where a stretch may begin within a span: at its beginning, and further in where it does not fit as a whole."""
    yield first, bonus + _BEGINNING
    if sums[last] - sums[first] + _HEADER_TOKENS > room:
        yield from ((start, 0.0) for start in range(first + _STEP, last, _STEP))


def _grown(first: int, last: int, sums: Sequence[float], tokens: float) -> tuple[int, int]:
    """The span with neighbouring lines, two below for each above, as far as they fit into ``tokens``."""
    whole = len(sums) - 1
    turn = 0
    while first > 0 or last < whole:
        turn += 1
        below = last < whole and (turn % 3 or first == 0)
        wider = (first, last + 1) if below else (max(0, first - 1), last)
        if sums[wider[1]] - sums[wider[0]] > tokens:
            break
        first, last = wider
    return first, last


def _overlap(a: Stretch, b: Stretch) -> bool:
    return a.file is b.file and a.first < b.last and b.first < a.last


def _joined(chosen: Sequence[Stretch]) -> list[Stretch]:
    """The stretches in their order, those of a file that touch (blank lines between them count as touching) as one."""
    out: list[Stretch] = []
    for stretch in chosen:
        for number, other in enumerate(out):
            if other.file is stretch.file and _touch(other, stretch):
                first, last = min(other.first, stretch.first), max(other.last, stretch.last)
                out[number] = replace(other, first=first, last=last, words=other.words | stretch.words)
                break
        else:
            out.append(stretch)
    return out if len(out) == len(chosen) else _joined(out)


def _touch(a: Stretch, b: Stretch) -> bool:
    """Whether nothing but blank lines lies between the two."""
    low, high = (a, b) if a.first <= b.first else (b, a)
    return not "".join(low.file.lines[low.last : high.first]).strip()
