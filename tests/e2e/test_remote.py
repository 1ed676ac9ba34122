"""A llama-server's interface over the real model's vocabulary: prompts built over HTTP are the prompts built here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assistant.llama import fim
from assistant.llama.native import Model
from assistant.llama.templates import ChatTemplate
from assistant.llm import FillRequest, Message, Sampling, Snippet
from assistant.remote.client import RemoteLLM
from assistant.remote.endpoint import Endpoint
from assistant.remote.llama_server import beginning_with
from tests.remote_world import ModelServer, serving

pytestmark = pytest.mark.e2e

TEXTS = ["def f(x):\n", "", "    return x\n", "<|im_end|>", "naïve 😀 日本", "\t\t\n\n"]
REQUEST = FillRequest("a.py", "x = f<|fim_middle|>(", ")\n", (Snippet("b/c.py", "def f(x): ...\n"),), "shop")
MESSAGES = [Message("system", "Be brief."), Message("user", "What is <|im_end|>?"), Message("assistant", "A token.")]


@pytest.fixture(scope="module")
def model(model_path: Path) -> Iterator[Model]:
    found = Model(model_path)
    yield found
    found.close()


@pytest.fixture
def server(model: Model) -> Iterator[ModelServer]:
    with serving("llama-server") as made:

        def answer(path: str, body: Any) -> dict[str, Any] | None:
            if path == "/props":
                return {
                    "default_generation_settings": {"n_ctx": 4096},
                    "model_path": str(model.path),
                    "chat_template": model.chat_template,
                    "bos_token": model.bos_text,
                    "eos_token": model.eos_text,
                }
            if path == "/detokenize":
                return {"content": b"".join(map(model.piece, body["tokens"])).decode("utf-8", "replace")}
            content = body["content"] if isinstance(body["content"], list) else [body["content"]]
            tokens: list[int] = []
            for part in content:
                special = body["parse_special"]
                tokens += [part] if isinstance(part, int) else model.tokenise(part, special=special)
            if body.get("with_pieces"):
                return {"tokens": [{"id": token, "piece": model.token_text(token)} for token in tokens]}
            return {"tokens": tokens}

        made.answer = answer  # type: ignore[method-assign]
        yield made


def test_prompts_and_counts_are_those_of_the_model_here(server: ModelServer, model: Model) -> None:
    llm = RemoteLLM(Endpoint.parse(server.url))
    try:
        assert (llm.info.fim, llm.info.chat, llm.info.fim_layout) == (True, True, "spm")
        assert llm.count(TEXTS) == [len(model.tokenise(text)) for text in TEXTS]
        server.says("x")
        list(llm.fill(REQUEST, Sampling(4)))
        built = fim.build(model, fim.find_format(model), REQUEST)
        sent = server.asked("/completion")[-1]
        # The last token is written again.
        assert (sent["prompt"], sent["grammar"]) == (built[:-1], beginning_with(">("))
        list(llm.chat(MESSAGES, Sampling(4)))
        template = ChatTemplate(model, model.chat_template, bos_text=model.bos_text, eos_text=model.eos_text)
        assert server.asked("/completion")[-1]["prompt"] == template.build(MESSAGES)
    finally:
        llm.close()


@pytest.mark.parametrize("opening", [".", ">(", '"', "\\", "é", " if"])
def test_llama_cpp_reads_the_grammar_that_a_cut_token_is_written_again_under(model: Model, opening: str) -> None:
    import ctypes

    import llama_cpp

    sampler = llama_cpp.llama_sampler_init_grammar(model._vocab, beginning_with(opening).encode(), b"root")
    assert sampler
    try:
        size = model.vocabulary_size
        array = (llama_cpp.llama_token_data * size)()
        for token in range(size):
            array[token].id = token
        found = llama_cpp.llama_token_data_array(data=array, size=size, selected=-1, sorted=False)
        llama_cpp.llama_sampler_apply(sampler, ctypes.byref(found))
        allowed = [model.piece(array[i].id) for i in range(found.size) if array[i].logit > -1e30]
    finally:
        llama_cpp.llama_sampler_free(sampler)
    wanted = opening.encode()
    assert wanted in allowed or any(piece.startswith(wanted) for piece in allowed)
    assert all(piece.startswith(wanted) or wanted.startswith(piece) for piece in allowed)
