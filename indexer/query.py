"""What a query says: the terms it is made of, the symbols it may name, the kinds of file it asks for."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from indexer.quoted import Literal, Place, literals, places
from indexer.terms import STOP_WORDS, query_terms, split_words

MAX_CHARACTERS = 4_000
"""More of a query than this adds cost, not meaning; the rest is not looked at."""
MAX_TERMS = 48
_MAX_NAMES = 24

_NAME = re.compile(r"[^\W\d]\w*(?:(?:\.|::|->|#|/)[^\W\d]\w*)*")
_SEPARATOR = re.compile(r"\.|::|->|#|/")
_OPERATOR = re.compile(r"[^\w\s]{1,4}")
"""What languages with operators of one's own define: ``<=>``, ``==``."""
_IDENTIFIER_SHAPE = re.compile(r"_|[a-z0-9][A-Z]|[A-Z]{2}[a-z]|[a-zA-Z]\d")


class Name(NamedTuple):
    """A name in the query that a symbol may have. ``scope`` is what stands before it, outermost first."""

    name: str
    scope: tuple[str, ...]
    strength: float
    """1 when it can only be a symbol (the whole query, an identifier's shape), less for plain words."""


class Compound(NamedTuple):
    """Neighbouring words of the query that may be one name: ``connectionpool``, ``connection_pool``."""

    joined: str
    snake: str


class Query(NamedTuple):
    """A query taken apart."""

    terms: tuple[str, ...]
    names: tuple[Name, ...]
    compounds: tuple[Compound, ...]
    whole: bool
    """Whether the query is nothing but one name."""
    literals: tuple[Literal, ...] = ()
    """Texts that are looked for as they stand, the likeliest first."""
    places: tuple[Place, ...] = ()
    """Lines of files that the query names, as a stack trace does."""


def analyse(text: str) -> Query:
    """Take a query apart; an empty one has no terms and no names. One without terms is nothing but a literal."""
    raw = text[:MAX_CHARACTERS].strip()
    text = raw if raw.isascii() else unicodedata.normalize("NFKC", raw)
    found = [m for m in _NAME.findall(text) if m.lower() not in STOP_WORDS]
    whole = _NAME.fullmatch(text) is not None
    names: dict[tuple[str, ...], Name] = {}
    for position, written in enumerate([text] if whole or _OPERATOR.fullmatch(text) else found):
        path = tuple(_SEPARATOR.split(written)) if whole or found else (written,)
        if path not in names and len(names) < _MAX_NAMES:
            names[path] = Name(path[-1], path[:-1], 1.0 if whole else _strength(path, position))
    words = [w for w in split_words(text) if w.lower() not in STOP_WORDS]
    terms = tuple(query_terms(text)[:MAX_TERMS])
    if not terms:
        # Nothing but a text: a name that is only a part of it, as ``x`` of ``->x``, finds what does not hold it.
        names = {path: name for path, name in names.items() if name.name == text}
    return Query(
        terms, tuple(names.values()), _compounds(words), whole, literals(raw, wordless=not terms), places(raw)
    )  # fmt: skip


def _strength(path: tuple[str, ...], position: int) -> float:
    """How sure it is that a word among others is meant as a symbol."""
    name = path[-1]
    if len(path) > 1 or is_identifier(name):
        return 1.0
    if name[0].isupper() and position > 0:
        return 0.6
    return 0.3


def is_identifier(word: str) -> bool:
    """Whether a word has the shape of a name in code: ``snake_case``, ``camelCase``, ``utf8``."""
    return _IDENTIFIER_SHAPE.search(word) is not None


def _compounds(words: list[str]) -> tuple[Compound, ...]:
    """Runs of two or three words, lowercased, without repetition."""
    words = [w.strip("_").lower() for w in words[:MAX_TERMS]]
    runs = [words[i : i + n] for n in (2, 3) for i in range(len(words) - n + 1)]
    return tuple(dict.fromkeys(Compound("".join(run).replace("_", ""), "_".join(run)) for run in runs))
