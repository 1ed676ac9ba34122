"""Positions as typed: ``FILE:LINE:COL``, both 1-based, COL in characters."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from indexer.errors import BadInputError

_FORM = re.compile(r"(?s)(.+):(\d{1,9}):(\d{1,9})\Z")


@dataclass(frozen=True, slots=True)
class Place:
    """A cursor in a file: before the ``column``-th character of the ``line``-th line, both 1-based."""

    file: Path
    line: int
    column: int


def parse_place(text: str) -> Place:
    """``src/a.py:12:5`` as a place; ``split_at`` checks the numbers. Raises BadInputError for any other form."""
    match = _FORM.match(text)
    if not match:
        raise BadInputError(
            f'"{text}" is not FILE:LINE:COL.', "Name a file and a position, both numbers from 1: src/app.py:12:5"
        )
    return Place(Path(match[1]), int(match[2]), int(match[3]))


def split_at(text: str, place: Place) -> tuple[str, str]:
    """What stands before and after the cursor. Raises BadInputError if the text has no such place."""
    lines = text.split("\n")
    if not 1 <= place.line <= len(lines):
        raise BadInputError(f"{place.file} has no line {place.line}.", f"LINE goes from 1 to {len(lines)}.")
    line = lines[place.line - 1]
    # The end of a line stands before its carriage return.
    length = len(line) - line.endswith("\r")
    if not 1 <= place.column <= length + 1:
        raise BadInputError(
            f"Line {place.line} of {place.file} has no column {place.column}.",
            f"COL goes from 1 to {length + 1} there.",
        )
    offset = sum(len(before) + 1 for before in lines[: place.line - 1]) + place.column - 1
    return text[:offset], text[offset:]


def column_at(text: bytes, offset: int) -> int:
    """The 1-based column, in characters, of a byte ``offset`` of UTF-8 ``text``."""
    return len(text[text.rfind(b"\n", 0, offset) + 1 : offset].decode(errors="replace")) + 1
