"""Another text than the likeliest: where the two part, and which word is taken there."""

from __future__ import annotations

import numpy as np
import pytest

from assistant.llama.engine import another

PIECES = [b"", b"   ", b" return", b" result", b"return", b" re", b"turn", b"\n", b" 1", b"1"]
END = 0


class Pieces:
    def piece(self, token: int) -> bytes:
        return PIECES[token]

    def ends(self, token: int) -> bool:
        return token == END


class Ranked:
    """Prefers tokens in this order; only those of ``tokens``, as a context does."""

    def __init__(self, *wanted: bytes) -> None:
        self.wanted = [PIECES.index(w) for w in wanted]

    def likeliest(self, count: int, tokens: object = None) -> list[int]:
        allowed = set(range(len(PIECES))) if tokens is None else set(np.asarray(tokens).tolist())
        return [t for t in self.wanted if t in allowed][:count]


@pytest.mark.parametrize(
    ("wanted", "opening", "alternative", "taken"),
    [
        ((b" return", b" result", b" 1"), b"", 1, (b" result", True)),
        ((b" return", b" result", b" 1"), b"", 2, (b" 1", True)),
        # Blanks are the same in both texts.
        ((b"   ", b" return", b" result"), b"", 1, (b"   ", False)),
        # One column further out, or nothing at all, is no other word for this place.
        ((b" return", b"1", b"\n", b"", b" result"), b"", 1, (b" result", True)),
        # What stands before the cursor already is spelled again, and then they part.
        ((b" re", b" return", b" result"), b" re", 1, (b" re", False)),
        ((b" return", b" re", b" result"), b" re", 1, (b" result", True)),
        ((b" return", b"\n"), b"", 1, (None, True)),
    ],
)
def test_the_first_visible_word_is_another(wanted, opening, alternative, taken):
    allowed = None
    if opening:
        allowed = np.array([n for n, piece in enumerate(PIECES) if piece.startswith(opening)], np.int32)
    token, said = another(Pieces(), Ranked(*wanted), allowed, opening, alternative)
    assert (None if token is None else PIECES[token], said) == taken
