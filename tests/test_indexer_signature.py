from __future__ import annotations

import random
import sys

import numpy as np

from indexer import signature as sig


def holds(bits: bytes, trigram: bytes) -> bool:
    number = int.from_bytes(trigram, "big")
    (place,) = sig.places(np.array([number], np.uint32), len(bits) * 8).tolist()
    return bool(bits[place >> 3] >> (place & 7) & 1)


def test_with_and_without_numpy_signatures_are_the_same():
    rng = random.Random(3)
    for size in (3, 4, 5, 100, 5_000):
        text = bytes(rng.choices(b"abcXYZ \n\xc5\xbf\xe2\x84\xaa", k=size))
        assert sig._slow_signature(text) == sig._fast_signature(text)


def test_numpy_is_imported_only_when_there_is_much_to_do(monkeypatch):
    monkeypatch.setattr(sig, "_bytes_taken", 0)
    monkeypatch.delitem(sys.modules, "numpy")
    monkeypatch.setattr(sig, "_fast_signature", lambda text: b"fast")
    assert sig.signature(b"abcd") == sig._slow_signature(b"abcd")
    assert sig.signature(b"a" * 100_000) == b"fast"


def test_every_trigram_of_a_text_has_its_bit_and_few_others_do():
    rng = random.Random(5)
    text = bytes(rng.choices(range(97, 123), k=4_000))
    bits = sig.signature(text)
    held = {text[i : i + 3] for i in range(len(text) - 2)}
    assert len(bits) == -(-len(held) * sig.BITS_A_TRIGRAM // 8)
    assert all(holds(bits, trigram) for trigram in held)
    others = [bytes(rng.choices(range(97, 123), k=3)) for _ in range(4_000)]
    wrong = [holds(bits, trigram) for trigram in others if trigram not in held]
    assert 0.24 < sum(wrong) / len(wrong) < 0.32


def test_texts_under_three_bytes_have_none_and_case_plays_no_part():
    assert sig.signature(b"") == sig.signature(b"ab") == b""
    assert sig.signature(b"KELVIN sign") == sig.signature(b"kelvin SIGN")
    assert sig.fold("Kelvin ſign".encode()) == b"kelvin sign"
    assert set(sig.trigrams_of(b"abab")) == {0x616261, 0x626162}
