"""Files in which suggestions used to break something, completed by the real model: accepted, they parse no worse."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.completion.completer import Completer
from assistant.completion.gate import Gate
from assistant.completion.request import Completion, CompletionRequest
from assistant.llama.native import Model
from assistant.llm import LLM
from indexer.languages import detect
from indexer.syntax import errors_in

pytestmark = pytest.mark.e2e

FILES = sorted((Path(__file__).parent.parent / "data" / "completion").iterdir())
SHOWN = {
    "args.py": "blue light",
    "each.c": "for (int i = 0; i <= n; i++) {",
    "early.py": "return None",
    "inc.cpp": "string",
    "min.go": "return b",
    "run.sh": "restart)",
    "sale.html": "</s>",
    "start.py": "3)",
    "strip.js": "replace(",
    "sum.js": "if (x > 0) {",
    "turns.py": "<|im_end|>",
    "words.rs": "second_word<'a>(text: &'a str) -> &'a str",
}
"""What a right text has in it; the model is deterministic, but its kernels differ from machine to machine."""


@pytest.fixture(scope="module")
def done(real_llm: LLM) -> dict[str, tuple[str, str, Completion]]:
    completer = Completer(None, real_llm, gate=Gate(seconds=5, patience=60))
    found = {}
    for file in FILES:
        prefix, suffix = file.read_text().split("‸")
        language = detect(file.name, prefix.encode()).name
        found[file.name] = prefix, suffix, completer.complete(CompletionRequest(file.name, language, 0, prefix, suffix))
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_an_accepted_text_adds_no_error_and_repeats_nothing(file: Path, done) -> None:
    prefix, suffix, completion = done[file.name]
    language = detect(file.name, prefix.encode()).name
    replaced = completion.replace.end_byte - completion.replace.start_byte
    after = prefix + completion.text + suffix.encode()[replaced:].decode()
    assert completion.text, completion.stop_reason
    assert errors_in(after.encode(), language) <= errors_in((prefix + suffix).encode(), language)
    assert SHOWN.get(file.name, "") in completion.text
    rest = suffix.split("\n")[0]
    assert not rest or not completion.text.endswith(rest)


def test_every_token_of_the_format_ends_a_text(model_path: Path) -> None:
    model = Model(model_path, vocabulary_only=True)
    try:
        tokens = [model.fim_token(role) for role in ("pre", "suf", "mid", "rep", "sep", "pad")]
        assert all(token is not None and model.ends(token) for token in tokens)
        for text in ("<s>", "[PREFIX]", "<|", "</s>"):
            assert not any(map(model.ends, model.tokenise(text)))
    finally:
        model.close()
