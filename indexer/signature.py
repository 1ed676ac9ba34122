"""A file's signature: which sequences of three bytes it holds, as a bit array with one hash (a Bloom filter).

The idea is that of Russ Cox's codesearch and of zoekt (a file that lacks a trigram of the wanted text cannot hold the
text); a bit array a file instead of a list of files a trigram takes about 4 % of the source instead of 20 %, and stands
with the file's rows in a segment, so that it is merged, buried and repaired with them.

Bytes are folded first: ASCII letters to lower case, and the two other characters that Unicode folds to ASCII letters
(the Kelvin sign to ``k``, the long s to ``s``), so that one signature serves searches with and without case.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BITS_A_TRIGRAM = 3
"""A file lacks a trigram and yet has its bit in 1 - exp(-1/3) = 28 % of cases; n trigrams at once in 0.28ⁿ."""
_FEW_BYTES = 100_000
"""As much text is taken without numpy: importing it takes a parse process longer than that."""

_bytes_taken = 0


def fold(text: bytes) -> bytes:
    """What signatures are made of, and what they are asked for."""
    if not text.isascii():
        text = text.replace(b"\xe2\x84\xaa", b"k").replace(b"\xc5\xbf", b"s")
    return text.lower()


def signature(text: bytes) -> bytes:
    """The bit array of a text: 3 bits for each different trigram, in whole bytes; empty for under three bytes."""
    global _bytes_taken
    if len(text) < 3:
        return b""
    _bytes_taken += len(text)
    if "numpy" not in sys.modules and _bytes_taken < _FEW_BYTES:
        return _slow_signature(text)
    return _fast_signature(text)


def _fast_signature(text: bytes) -> bytes:
    import numpy as np

    codes = np.frombuffer(fold(text), np.uint8).astype(np.uint32)
    trigrams = codes[:-2] << 16
    trigrams |= codes[1:-1] << 8
    trigrams |= codes[2:]
    trigrams.sort()
    first = np.ones(len(trigrams), np.bool_)
    np.not_equal(trigrams[1:], trigrams[:-1], out=first[1:])
    different: NDArray[Any] = trigrams[first]
    bits = np.zeros(size_of(len(different)) * 8, np.uint8)
    bits[places(different, len(bits))] = 1
    return np.packbits(bits, bitorder="little").tobytes()


def _slow_signature(text: bytes) -> bytes:
    """The same without numpy."""
    folded = fold(text)
    different = {a << 16 | b << 8 | c for a, b, c in zip(folded, folded[1:], folded[2:], strict=False)}
    bits = bytearray(size_of(len(different)))
    for trigram in different:
        place = mixed(trigram) * len(bits) * 8 >> 32
        bits[place >> 3] |= 1 << (place & 7)
    return bytes(bits)


def size_of(different: int) -> int:
    """Bytes of the bit array for so many different trigrams."""
    return -(-different * BITS_A_TRIGRAM // 8)


def mixed(trigram: int) -> int:
    """32 bits, evenly spread, of a trigram's 24."""
    value = trigram * 0x9E3779B1 & 0xFFFFFFFF
    value ^= value >> 15
    return value * 0x85EBCA77 & 0xFFFFFFFF


def places(trigrams: NDArray[np.uint32], bits: int) -> NDArray[Any]:
    """The bit of each trigram in an array of ``bits`` bits: ``mixed``, scaled."""
    import numpy as np

    value = trigrams * np.uint32(0x9E3779B1)
    value ^= value >> np.uint32(15)
    value *= np.uint32(0x85EBCA77)
    return (value.astype(np.uint64) * np.uint64(bits)) >> np.uint64(32)


def trigrams_of(text: bytes) -> list[int]:
    """The different trigrams of a folded text, in no order of meaning."""
    return sorted({a << 16 | b << 8 | c for a, b, c in zip(text, text[1:], text[2:], strict=False)})
