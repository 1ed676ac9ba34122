"""How random a value is: the bits that its characters cost one who knows which character follows which in source code.

A table of character pairs, counted over the words of source trees (``scripts/letter_pairs.py``), gives every pair its
bits. Identifiers and words cost 4 to 5 bits a character, drawn keys 6 to 9.
"""

from __future__ import annotations

import itertools
import re
from functools import cache
from pathlib import Path

PAIRS_FILE = Path(__file__).parent / "data" / "pairs.txt"
STEP = 0.25
"""Bits a step of the table."""

_SEPARATORS = b"_-./"
_DIGIT, _OTHER = 52, 57
START = 58
"""Class of what is before the first character."""
CLASSES = 59
"""52 letters, digits, four separators, all else, and the start."""

_HEX = re.compile(rb"(?:[0-9a-f]+|[0-9A-F]+)")
_UUID = re.compile(rb"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SEQUENCES = tuple(
    sequence * 2
    for sequence in (
        b"0123456789abcdef",
        b"0123456789",
        b"abcdefghijklmnopqrstuvwxyz",
        b"1234567890qwertyuiopasdfghjkl",
    )
)


_JOINING = 4
_KINDS = bytes(
    0 if 97 <= c <= 122 else 1 if 65 <= c <= 90 else 2 if 48 <= c <= 57 else _JOINING if c in b"_-./ " else 3
    for c in range(256)
)


def character_classes() -> list[int]:
    """The class of every byte."""
    classes = [_OTHER] * 256
    for letter in range(26):
        classes[ord("a") + letter] = letter
        classes[ord("A") + letter] = 26 + letter
    for digit in b"0123456789":
        classes[digit] = _DIGIT
    for number, separator in enumerate(_SEPARATORS):
        classes[separator] = _DIGIT + 1 + number
    return classes


@cache
def _table() -> tuple[bytes, list[float]]:
    """Classes as a translation, and the bits of every pair of classes, row by row."""
    lines = PAIRS_FILE.read_bytes().splitlines()
    return bytes(character_classes()), [(step - 33) * STEP for line in lines for step in line]


def bits(value: bytes) -> float:
    """Mean bits a character of ``value``; 0 for none."""
    if not value:
        return 0.0
    classes, table = _table()
    after = value.translate(classes)
    total = table[START * CLASSES + after[0]]
    for first, second in itertools.pairwise(after):
        total += table[first * CLASSES + second]
    return total / len(value)


def is_random(value: bytes) -> bool:
    """Whether characters seem drawn: hexadecimal of 20 and more, a UUID, or more bits than words have."""
    if len(value) < 8 or len(set(value)) < 6:
        return False
    if is_uuid(value):
        return True
    if _HEX.fullmatch(value):
        return is_hexadecimal(value)
    limit = 5.3 + 6 / len(value) + (0.25 if value.isalpha() else 0)
    return bits(value) >= limit and not is_sequence(value)


def is_mixed(value: bytes, least: int = 3) -> bool:
    """Whether ``least`` kinds of characters take turns: letters, capitals, digits, signs that no identifier has."""
    kinds = value.translate(_KINDS)
    turns = sum(first != second for first, second in itertools.pairwise(kinds))
    return len(set(kinds) - {_JOINING}) >= least and 2 * turns >= len(value) - 1 and len(set(value)) >= 8


def is_uuid(value: bytes) -> bool:
    """Whether a value is a UUID."""
    return _UUID.fullmatch(value) is not None


def is_hexadecimal(value: bytes) -> bool:
    """Whether a value is a drawn hexadecimal number: 20 digits or more, letters among them, nothing counted up."""
    if len(value) < 20 or not _HEX.fullmatch(value) or value.isalpha() or value.isdigit():
        return False
    return len(set(value)) >= 6 and not is_sequence(value)


def is_sequence(value: bytes) -> bool:
    """Whether a value is counted or typed along the keys: ``0123456789abcdef``, ``00010203…``, ``abcdefgh…``."""
    lower = value.lower()
    if any(lower in sequence or lower[::-1] in sequence for sequence in _SEQUENCES):
        return True
    steps = [(after - before) % 256 for before, after in itertools.pairwise(lower)]
    return sum(step in (0, 1) for step in steps) > 0.6 * len(steps) or _counts_bytes(lower)


def _counts_bytes(lower: bytes) -> bool:
    """Bytes in hexadecimal that go up or down by one each, or by ``11``, as in test vectors."""
    if len(lower) % 2 or not _HEX.fullmatch(lower):
        return False
    numbers = bytes.fromhex(lower.decode())
    steps = [(after - before) % 256 for before, after in itertools.pairwise(numbers)]
    return len(steps) > 2 and max(steps.count(step) for step in (0, 1, 255, 0x11)) > 0.7 * len(steps)
