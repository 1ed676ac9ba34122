"""Words out of the way of grammars that do not know them; lengths stay, so that offsets do."""

from __future__ import annotations

import re

from indexer.macros import LANGUAGES as WITH_MACROS
from indexer.macros import Readable, readable

_OBJC_MARK = re.compile(rb"\b(?:NS|CF)_ASSUME_NONNULL_(?:BEGIN|END)\b")
_OBJC_ENUM = re.compile(
    rb"\b(?:typedef\s+)?NS_(?:CLOSED_)?(?:ENUM|OPTIONS|ERROR_ENUM)\s*\(\s*[\w ]+,\s*(\w+)\s*\)(?=\s*\{)"
)
_SQL_PROCEDURE = re.compile(rb"\b(CREATE\s+(?:OR\s+(?:REPLACE|ALTER)\s+)?)PROCEDURE\b", re.IGNORECASE)
_NOT_LINE_END = re.compile(rb"[^\r\n]")


def parsable(text: bytes, language: str) -> Readable:
    """``text`` as the grammar of ``language`` understands it: as long, with other words for what it does not know.

    Nearly every header of Objective-C stands between two marks that its grammar takes for the type of a variable, and
    names its enumerations through a macro. SQL's grammar knows functions, no procedures. For C and C++ see
    ``indexer.macros``.
    """
    if language in WITH_MACROS:
        return readable(text, language != "c")
    return Readable(known(text, language), [], [], [], [])


def known(text: bytes, language: str) -> bytes:
    """``text`` with words that the grammar knows, C's and C++'s macros left as they are: what a quick look needs."""
    if language == "objc" and b"NS_" in text:
        return _OBJC_ENUM.sub(_enum, _OBJC_MARK.sub(lambda match: b" " * len(match[0]), text))
    if language == "sql":
        return _SQL_PROCEDURE.sub(rb"\1FUNCTION ", text)
    return text


def _enum(match: re.Match[bytes]) -> bytes:
    """``typedef NS_ENUM(NSInteger, Color)`` → ``enum`` and ``Color``, each at its place, with blanks around."""
    blank = bytearray(_NOT_LINE_END.sub(b" ", match[0]))
    blank[:4] = b"enum"
    start, end = (offset - match.start() for offset in match.span(1))
    blank[start:end] = match[1]
    return bytes(blank)
