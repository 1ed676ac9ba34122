"""Macros that read like syntax, out of the way of grammars that cannot know them; lengths stay, so that offsets do."""

from __future__ import annotations

import re

_OBJC_MARK = re.compile(rb"\b(?:NS|CF)_ASSUME_NONNULL_(?:BEGIN|END)\b")
_OBJC_ENUM = re.compile(
    rb"\b(?:typedef\s+)?NS_(?:CLOSED_)?(?:ENUM|OPTIONS|ERROR_ENUM)\s*\(\s*[\w ]+,\s*(\w+)\s*\)(?=\s*\{)"
)
_NOT_LINE_END = re.compile(rb"[^\r\n]")


def parsable(text: bytes, language: str) -> bytes:
    """``text`` as the grammar of ``language`` understands it: the same bytes, but for macros turned into what they mean.

    Nearly every header of Objective-C stands between two marks that its grammar takes for the type of a variable, and
    names its enumerations through a macro.
    """
    if language != "objc" or b"NS_" not in text:
        return text
    return _OBJC_ENUM.sub(_enum, _OBJC_MARK.sub(lambda match: b" " * len(match[0]), text))


def _enum(match: re.Match[bytes]) -> bytes:
    """``typedef NS_ENUM(NSInteger, Color)`` → ``enum`` and ``Color``, each at its place, with blanks around."""
    blank = bytearray(_NOT_LINE_END.sub(b" ", match[0]))
    blank[:4] = b"enum"
    start, end = (offset - match.start() for offset in match.span(1))
    blank[start:end] = match[1]
    return bytes(blank)
