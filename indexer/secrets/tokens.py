"""Tokens of known services by their form alone: ``data/tokens.txt`` as one expression, in time linear in the text.

Most of the table is CredSweeper's (MIT), taken as data: the library itself is far too slow to read every file with.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from indexer.secrets.looking import Span, linear
from indexer.secrets.names import DATA
from indexer.secrets.randomness import bits

_MORE = re.compile(rb"[\w-]*", re.ASCII)
_EXAMPLE = re.compile(rb"(?i)example|placeholder|your|dummy|changeme|redacted|x{6}|0{8}|\.{3}|<")
_OPENING = re.compile(rb"[A-Za-z0-9]{1,12}[-_.:]")
_LONG = re.compile(rb"\{(\d+)(?:,\d*)?\}")
_ENOUGH = 12
"""Characters of one kind by which a token is noticed."""


def _shortened(match: re.Match[bytes]) -> bytes:
    """A count of characters that long ones and shorter ones have."""
    return b"{%d,}" % _ENOUGH if int(match[1]) > _ENOUGH else match.group()


@cache
def formats() -> dict[str, bytes]:
    """Expression by name of service."""
    lines = (DATA / "tokens.txt").read_bytes().splitlines()
    pairs = (line.split(b"\t", 1) for line in lines if line and not line.startswith(b"#"))
    return {name.decode(): expression for name, expression in pairs}


@cache
def _search(short: bool) -> Any:
    """All forms at once; the short ones match wherever the others do, and take half the time to build."""
    every = [_LONG.sub(_shortened, e) if short else e for e in formats().values()]
    of_words = b"|".join(e for e in every if not e.startswith((rb"\$", rb"\{")))
    others = b"|".join(e for e in every if e.startswith((rb"\$", rb"\{")))
    return linear(rb"(?:\b|\\[nrtbfv]|%[0-9A-F]{2}|\x1b\[[0-9;]*m)(" + of_words + rb")|(" + others + rb")")


def token_spans(text: bytes) -> Iterator[Span]:
    """Where tokens of a known form are."""
    if not _search(True).search(text):
        return
    for match in _search(False).finditer(text):
        start, end = match.span(1) if match.group(1) is not None else match.span(2)
        before = text[max(0, start - 3) : start]
        if match.group(1) is not None and before[-1:] == b"-" and before[:2].isalnum():
            continue  # the end of a longer word with hyphens
        more = _MORE.match(text, end)
        end = max(end, more.end() if more else end)
        if _is_token(text[start:end]):
            yield start, end


def _is_token(token: bytes) -> bool:
    """Whether a match is no placeholder and no name."""
    if _EXAMPLE.search(token):
        return False
    opening = _OPENING.match(token)
    drawn = token[opening.end() if opening else 0 :]
    if len(set(drawn)) < 6:
        return False
    return any(character in b"0123456789" for character in drawn) or bits(drawn) > 5.6
