"""Picks tokens by a context's logits, in llama.cpp's own samplers."""

from __future__ import annotations

from typing import Any

from assistant.llm import Sampling

_PENALTY_WINDOW = 64
_TOP_K, _TOP_P, _MIN_P = 40, 0.95, 0.05  # llama.cpp's own defaults for temperatures above zero


class Sampler:
    """Picks the next token. Use as a context manager: the native chain is freed at the end."""

    def __init__(self, context: Any, lib: Any, sampling: Sampling) -> None:
        self._context, self._lib = context, lib
        self._chain: Any = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
        for link in _links(context, lib, sampling):
            lib.llama_sampler_chain_add(self._chain, link)  # the chain owns it from here

    def __enter__(self) -> Sampler:
        return self

    def __exit__(self, *_: object) -> None:
        if self._chain:
            self._lib.llama_sampler_free(self._chain)
            self._chain = None

    def sample(self, row: int = -1) -> int:
        """The next token after ``row`` of the tokens evaluated last; by default after the last of them.

        The repeat penalty counts sampled tokens only.
        """
        return int(self._lib.llama_sampler_sample(self._chain, self._context, row))


def _links(context: Any, lib: Any, sampling: Sampling) -> list[Any]:
    """Samplers in the order of llama.cpp's own tools."""
    links: list[Any] = []
    if sampling.repeat_penalty != 1.0:
        size = vocabulary_size(context, lib)
        links.append(lib.llama_sampler_init_penalties(size, _PENALTY_WINDOW, sampling.repeat_penalty, 0.0, 0.0))
    if sampling.temperature <= 0:
        return [*links, lib.llama_sampler_init_greedy()]
    return [
        *links,
        lib.llama_sampler_init_top_k(_TOP_K),
        lib.llama_sampler_init_top_p(_TOP_P, 1),
        lib.llama_sampler_init_min_p(_MIN_P, 1),
        lib.llama_sampler_init_temp(sampling.temperature),
        lib.llama_sampler_init_dist(sampling.seed & 0xFFFFFFFF),
    ]


def vocabulary_size(context: Any, lib: Any) -> int:
    """Number of tokens of the model behind a context."""
    return int(lib.llama_vocab_n_tokens(lib.llama_model_get_vocab(lib.llama_get_model(context))))
