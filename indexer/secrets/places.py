"""Secrets by their place: lines that look like one of ``syntax``, calls that log in, arrays, keys, manifests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from functools import cache
from typing import Any

from indexer.secrets.blocks import ARRAY_MARK, KEY_MARK, SECRET_MARK, array_spans, key_blocks, manifest_spans
from indexer.secrets.checks import is_argument
from indexer.secrets.looking import Span, done_until, line_around, linear
from indexer.secrets.names import words
from indexer.secrets.syntax import PLACES, Place

_ARGUMENT = re.compile(rb"(?<=[\"'`])(?P<v>[^\s\"'`]{12,200})(?=[\"'`])")


class Kind(Enum):
    """What a range is: a value, masked whole, or the body of a key, of which the lines stay."""

    VALUE = 1
    KEY_BLOCK = 2


@cache
def _first_look() -> Any:
    calls = rb"(?i:\b\w*(?:" + words().calls + rb")\w{0,12}\([^\n]*?[\"'`][^\s\"'`]{12})"
    return linear(b"|".join((*(place.first for place in PLACES), calls, KEY_MARK, ARRAY_MARK, SECRET_MARK)))


@cache
def _compiled(place: Place) -> re.Pattern[bytes]:
    return re.compile(place.expression, re.M)


@cache
def _call() -> re.Pattern[bytes]:
    return re.compile(rb"(?i)\b\w{0,40}(?:%s)\w{0,12}\(" % words().calls)


def placed_spans(text: bytes) -> Iterator[tuple[Kind, Span]]:
    """Where secrets by their place are; ranges may overlap."""
    done = 0
    keys = manifests = False
    for candidate in _first_look().finditer(text):
        first, last = candidate.span()
        if text[first : first + 1] in b"({[&":
            yield from ((Kind.VALUE, span) for span in array_spans(text, first))
        elif text.startswith((b"PRIVATE", b"OpenVPN", b"Private"), first):
            keys = True
        elif text.startswith(b"kind", first):
            manifests = True
        elif last > done:
            start, end = line_around(text, max(done, first), last)
            yield from ((Kind.VALUE, span) for span in _of_line(text, start, end))
            done = done_until(text, last, end)
    if keys:
        yield from ((Kind.KEY_BLOCK, span) for span in key_blocks(text))
    if manifests:
        yield from ((Kind.VALUE, span) for span in manifest_spans(text))


def _of_line(text: bytes, start: int, end: int) -> Iterator[Span]:
    """Secrets in one line or window."""
    line = text[start:end].lower()
    for place in PLACES:
        if place.word not in line:
            continue
        for match in _compiled(place).finditer(text, start, min(len(text), end + place.further)):
            if place.check(match["v"]):
                yield match.span("v")
    call = _call().search(text, start, end)
    for match in _ARGUMENT.finditer(text, call.end(), end) if call else ():
        if is_argument(match["v"]):
            yield match.span("v")
