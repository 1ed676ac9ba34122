"""What this processor's own kernels compute, against the plain ones: the real model's weights, repacked and not."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

import indexer.snapshot
from assistant.llama import native
from assistant.llama.context import Context
from assistant.llama.native import Model, requantise

pytestmark = pytest.mark.e2e

TEXT = inspect.getsource(indexer.snapshot)
EVALUATED, JUDGED = 512, 48
"""Tokens that come in large steps, then one by one."""


def judged(path: Path) -> list[float]:
    """Log-probability of each token of a text behind its beginning."""
    model = Model(path)
    context = Context(model, context_tokens=1_024, threads=2)
    tokens = model.tokenise(TEXT)
    context.evaluate(tokens[:EVALUATED])
    found = []
    for token in tokens[EVALUATED : EVALUATED + JUDGED]:
        found.append(context.log_probability(token))
        context.append(token)
    context.close()
    model.close()
    return found


def test_repacked_weights_say_what_plain_ones_say(
    model_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "q4_0.gguf"
    requantise(model_path, copy, "Q4_0")
    repacked = judged(copy)
    monkeypatch.setattr(native, "_crashing_amx", lambda: True)
    plain = judged(copy)
    assert sum(abs(a - b) for a, b in zip(repacked, plain, strict=True)) / JUDGED < 0.1
    assert sum(plain) / JUDGED > -3, "and that is text the model expects"
    copy.unlink()
