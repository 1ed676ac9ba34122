"""Token healing: which tokens may spell the end of the prompt again, and what of them is shown."""

from __future__ import annotations

import numpy as np
import pytest

from assistant.llama.engine import generate
from assistant.llama.healing import Healer
from assistant.llm import Cancel, Delta, Finished, Sampling

PIECES = [b"", b"self", b".", b"._", b"._st", b"_", b"stats", b"s", b"\n", b" ", b" x", b"\xc3", b"\xa9"]


class Pieces:
    vocabulary_size = len(PIECES)

    def piece(self, token: int) -> bytes:
        return PIECES[token]

    def ends(self, token: int) -> bool:
        return token == 0


class Context:
    """Prefers tokens in the order of ``wanted``; remembers the prompt and what it was limited to."""

    cuts = True

    def __init__(self, *wanted: bytes) -> None:
        self.wanted = [PIECES.index(w) for w in wanted]
        self.prompt: list[int] = []
        self.limits: list[set[bytes]] = []

    def evaluate(self, prompt, cancelled, turn):
        from assistant.llama.context import Evaluation

        self.prompt = prompt
        return Evaluation(len(prompt), complete=True)

    def best_of(self, tokens):
        self.limits.append({PIECES[t] for t in tokens})
        return next(t for t in self.wanted if t in tokens)

    def sampler(self, sampling):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def sample(self, row):
        return self.wanted.pop(0)

    def extend(self, tokens, cancelled, turn):
        if tokens[0] in self.wanted[:1]:
            self.wanted.pop(0)
        return 1


def spell(*pieces: bytes) -> list[int]:
    return [PIECES.index(p) for p in pieces]


def test_the_last_token_is_cut_off():
    assert Healer(Pieces()).cut(spell(b"self", b".")) == (spell(b"self"), b".")


@pytest.mark.parametrize("end", [b"\n", b""])
def test_line_ends_and_control_tokens_stay(end):
    prompt = spell(b"self", end)
    assert Healer(Pieces()).cut(prompt) == (prompt, b"")


def test_a_prompt_is_never_emptied():
    assert Healer(Pieces()).cut(spell(b"self")) == (spell(b"self"), b"")


@pytest.mark.parametrize(
    ("opening", "allowed"),
    [
        (b".", {b".", b"._", b"._st"}),
        (b"._", {b".", b"._", b"._st"}),
        (b"._s", {b".", b"._", b"._st"}),
        (b"s", {b"s", b"self", b"stats"}),
        (b"\xc3", {b"\xc3"}),
        (b" ", {b" ", b" x"}),
    ],
)
def test_allowed_tokens_continue_the_opening_or_are_a_part_of_it(opening, allowed):
    tokens = Healer(Pieces()).allowed(opening)
    assert tokens.dtype == np.int32
    assert {PIECES[t] for t in tokens} == allowed


def run(context: Context, prompt: list[int], opening: bytes, **sampling) -> tuple[str, Finished]:
    model = Pieces()
    *deltas, end = generate(
        model, context, prompt, Sampling(**sampling), Cancel(), opening=opening, healer=Healer(model)
    )
    assert isinstance(end, Finished)
    return "".join(d.text for d in deltas if isinstance(d, Delta)), end


def test_what_was_typed_already_is_not_shown_again():
    text, end = run(Context(b"._st", b"s", b""), spell(b"self"), b".")
    assert text == "_sts"
    assert end.stop_reason == "stop"


def test_an_opening_may_take_several_tokens():
    context = Context(b".", b"_", b"stats", b"")
    text, _ = run(context, spell(b"self"), b"._")
    assert text == "stats"
    assert context.limits == [{b".", b"._", b"._st"}, {b"_"}]


def test_stop_strings_are_looked_for_behind_the_opening():
    text, end = run(Context(b".", b"stats", b"\n", b"s"), spell(b"self"), b".", stop=(".", "\n"))
    assert (text, end.stop_reason) == ("stats", "stop")


def test_a_character_that_the_opening_began_is_not_shown_in_pieces():
    text, _ = run(Context(b"\xc3", b"\xa9", b"s", b""), spell(b"self"), b"\xc3\xa9")
    assert text == "s"
