"""Putting together what the four looks find, and writing stars over it."""

from __future__ import annotations

import re

from indexer.secrets.looking import Span
from indexer.secrets.named import named_spans
from indexer.secrets.paths import is_table, rules_of
from indexer.secrets.places import Kind, placed_spans
from indexer.secrets.tables import table_spans
from indexer.secrets.tokens import token_spans

_KEY_CHARACTERS = re.compile(rb"\\[nrt]|[A-Za-z0-9+/=]{2,}|[A-Za-z0-9/=]")


def masked(text: bytes, path: str) -> tuple[bytes, int]:
    """What ``mask_secrets`` gives."""
    placed = list(placed_spans(text))
    blocks = [span for kind, span in placed if kind is Kind.KEY_BLOCK]
    spans = _merged(
        [*token_spans(text), *named_spans(text, path), *(span for kind, span in placed if kind is Kind.VALUE)]
    )
    if is_table(path):
        rules = rules_of(path)
        spans = _merged([*spans, *table_spans(text, rules.table, strict=rules.strict)])
    if not spans and not blocks:
        return text, 0
    out = bytearray(text)
    for start, end in spans:
        start, end = _whole_characters(text, start, end)
        out[start:end] = re.sub(rb"[^\r\n]", b"*", text[start:end])
    for start, end in blocks:
        out[start:end] = _KEY_CHARACTERS.sub(_stars, bytes(out[start:end]))
    return bytes(out), len(spans) + len(blocks)


def _stars(match: re.Match[bytes]) -> bytes:
    """Stars for key data; the line ends of a key written as a string literal stay."""
    found = match.group()
    return found if found.startswith(b"\\") else b"*" * len(found)


def _merged(spans: list[Span]) -> list[Span]:
    """Sorted, overlapping ones joined."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _whole_characters(text: bytes, start: int, end: int) -> Span:
    """The range widened so that it cuts no UTF-8 character."""
    while start > 0 and text[start] & 0xC0 == 0x80:
        start -= 1
    while end < len(text) and text[end] & 0xC0 == 0x80:
        end += 1
    return start, end
