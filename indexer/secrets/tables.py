"""Passwords in a column of a table: files of comma-separated values, tables in Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator

from indexer.secrets.judging import Link, is_secret
from indexer.secrets.looking import Span
from indexer.secrets.names import Strength

_HEAD = re.compile(
    rb"(?i)[\s\"'*`]*(?:[\w -]{1,30}[ _-])?(?:password|passwd|pwd|passphrase|passwort|kennwort|senha|contrase\xc3\xb1a"
    rb"|mot de passe|wachtwoord)[\s\"'*`]*"
)
_RULE = re.compile(rb"\n[ \t]*\|?[ \t]*:?-{2,}:?[ \t]*\|[ \t:|-]*\r?(?:\n|\Z)")
"""The line under the head of a Markdown table."""
_TRIM = b" \t\r\"'`*"


def table_spans(text: bytes, delimiter: bytes, *, strict: bool) -> Iterator[Span]:
    """Passwords below a head that says so."""
    if delimiter != b"|":
        first = text.find(b"\n")
        if first > 0:
            yield from _column(text, _columns(text[:first], delimiter), first + 1, delimiter, strict=strict)
        return
    for rule in _RULE.finditer(text):
        head = text[text.rfind(b"\n", 0, rule.start()) + 1 : rule.start()]
        yield from _column(text, _columns(head, delimiter), rule.end(), delimiter, strict=strict)


def _columns(head: bytes, delimiter: bytes) -> list[int]:
    """Numbers of the columns that hold passwords."""
    return [number for number, cell in enumerate(head[:2000].split(delimiter)) if _HEAD.fullmatch(cell)]


def _column(text: bytes, columns: list[int], position: int, delimiter: bytes, *, strict: bool) -> Iterator[Span]:
    """The passwords in some columns of the lines from a position on; a Markdown table ends with its last ``|``."""
    while columns and position < len(text):
        end = text.find(b"\n", position)
        end = len(text) if end < 0 else end
        line = text[position:end]
        if delimiter == b"|" and b"|" not in line:
            return
        cells = line[:4000].split(delimiter)
        for column in columns:
            if column < len(cells):
                value = cells[column].strip(_TRIM)
                if is_secret(value, Strength.PASSWORD, Link.ASSIGNED, strict=strict):
                    start = position + sum(len(cell) + 1 for cell in cells[:column]) + cells[column].find(value)
                    yield start, start + len(value)
        position = end + 1
