"""Prompt lookup: what is guessed, and that guesses never change the text."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.llama.context import Context
from assistant.llama.lookup import Decoding, Lookup
from tests.llama_fakes import FakeLibrary


def test_what_followed_the_last_tokens_before_is_guessed() -> None:
    lookup = Lookup([1, 2, 3, 4, 5, 6, 1, 2], most=3)
    assert lookup.guess() == [3, 4, 5]
    lookup.add(9)
    assert lookup.guess() == []
    for token in (2, 3):
        lookup.add(token)
    assert lookup.guess() == [4, 5, 6], "two tokens are enough"


def test_longer_and_later_agreement_wins() -> None:
    assert Lookup([1, 2, 3, 7, 0, 2, 3, 8, 1, 2, 3], most=1).guess() == [7]
    assert Lookup([2, 3, 7, 2, 3, 8, 2, 3], most=1).guess() == [8]


def test_guesses_are_as_long_as_guesses_lately_held() -> None:
    lookup = Lookup([1, 2, *range(10, 30), 1, 2], most=8)
    assert len(lookup.guess()) == 8
    lookup.held(8, 0)
    assert len(lookup.guess()) == 1
    lookup.held(1, 1)
    assert len(lookup.guess()) == 2
    lookup.held(2, 2)
    lookup.held(4, 3)
    assert len(lookup.guess()) == 3


def test_nothing_is_guessed_when_nothing_may_be() -> None:
    lookup = Lookup([1, 2, 3, 1, 2], most=0)
    lookup.add(3)
    assert lookup.guess() == []


class Script:
    """Samples a fixed text: what comes next depends on how many tokens are held, as with a real model."""

    def __init__(self, context: Context, library: FakeLibrary, prompt: int, text: list[int]) -> None:
        self._context, self._library, self._prompt, self._text = context, library, prompt, text

    def sample(self, row: int = -1) -> int:
        assert -self._library.rows <= row < 0
        return self._text[len(self._context.tokens) + row + 1 - self._prompt]


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> FakeLibrary:
    fake = FakeLibrary(1_000)
    monkeypatch.setattr("assistant.llama.context.library", lambda: fake)
    return fake


def written(library: FakeLibrary, prompt: list[int], text: list[int], most: int) -> list[int]:
    """The text as it is decoded; every step is in ``library.decoded``."""
    context = Context(SimpleNamespace(handle=None), context_tokens=1_000, threads=1, micro_batch=32)  # type: ignore[arg-type]
    context.evaluate(prompt)
    library.decoded.clear()
    sampler: Any = Script(context, library, len(prompt), text)
    decoding = Decoding(context, sampler, context.extend, Lookup(prompt, most))
    out = []
    for _ in text:
        token = decoding.sample()
        out.append(token)
        assert decoding.accept(token)
        assert context.tokens[: len(prompt) + len(out)] == prompt + out
    decoding.finish()
    assert context.tokens == library.held == prompt + out
    return out


def test_repeated_text_takes_fewer_steps(library: FakeLibrary) -> None:
    prompt = list(range(20))
    text = list(range(5, 17))
    assert written(library, prompt, text, 4) == text
    assert library.decoded == [1, 5, 5, 5]  # 5, 6 with 7-10 behind it, 11 with 12-15, 16 with what nobody needs


@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=30),
    st.lists(st.integers(0, 3), min_size=1, max_size=30),
    st.integers(0, 8),
)
def test_guesses_never_change_the_text(prompt: list[int], text: list[int], most: int) -> None:
    fake = FakeLibrary(1_000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("assistant.llama.context.library", lambda: fake)
        assert written(fake, prompt, text, most) == text


def test_a_short_turn_evaluates_a_part_of_the_guess(library: FakeLibrary) -> None:
    from contextlib import nullcontext

    context = Context(SimpleNamespace(handle=None), context_tokens=1_000, threads=1, micro_batch=32)  # type: ignore[arg-type]
    context.evaluate([1, 2])
    assert context.extend([3, 4, 5], turn=lambda: nullcontext(2)) == 2
    assert context.tokens == [1, 2, 3, 4]
    context.retract(1)
    assert context.tokens == library.held == [1, 2, 3]
