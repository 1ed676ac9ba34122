"""One llama.cpp context that never evaluates a token twice.

A context remembers the tokens whose keys and values it holds. ``evaluate`` keeps the longest common prefix with the
next prompt, drops the rest and evaluates what is new, in micro-batches. ``abort`` stops it from any thread within
milliseconds: llama.cpp polls a native callback (libc's ``strlen`` over a two-byte flag), so that no Python runs inside
the computation. As a Python callback the same poll made generation 1.4 times slower.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assistant.errors import HostError
from assistant.llama.native import Model, libc, library
from assistant.llama.settings import MICRO_BATCH
from assistant.llm import Sampling

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SMALLEST_STEP = 16
_ABORTED = 2  # llama_decode: aborted, finished micro-batches stay in the context
_PENALTY_WINDOW = 64
_TOP_K, _TOP_P, _MIN_P = 40, 0.95, 0.05  # llama.cpp's own defaults for temperatures above zero


Turn = Callable[[], AbstractContextManager[bool]]
"""Waits until this context may compute; False if the work was given up meanwhile."""


def never() -> bool:
    """A ``cancelled`` that stays false."""
    return False


def no_turn() -> AbstractContextManager[bool]:
    """A turn that comes at once."""
    return nullcontext(True)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How an ``evaluate`` went: tokens evaluated (not reused), and whether it got to the end."""

    evaluated: int
    complete: bool


class Context:
    """A llama_context with one sequence. One thread at a time, except ``abort``, which any thread may call."""

    def __init__(
        self,
        model: Model,
        *,
        context_tokens: int,
        threads: int,
        flash_attention: bool = True,
        micro_batch: int = MICRO_BATCH,
    ) -> None:
        lib = library()
        params = lib.llama_context_default_params()
        params.n_ctx = context_tokens
        params.n_batch = params.n_ubatch = micro_batch
        params.n_threads = params.n_threads_batch = threads
        params.flash_attn_type = (
            lib.LLAMA_FLASH_ATTN_TYPE_ENABLED if flash_attention else lib.LLAMA_FLASH_ATTN_TYPE_DISABLED
        )
        params.no_perf = True
        self._flag = ctypes.create_string_buffer(2)  # "\0\0" is false, "\1\0" is true
        params.abort_callback = ctypes.cast(libc().strlen, lib.ggml_abort_callback)
        params.abort_callback_data = ctypes.cast(self._flag, ctypes.c_void_p)
        self._handle: Any = lib.llama_init_from_model(model.handle, params)
        if not self._handle:
            raise HostError(
                f"There is not enough memory for a context of {context_tokens:,} tokens.",
                "Set a smaller model.context_tokens, or choose a smaller model.",
            )
        self._lib = lib
        self._memory = lib.llama_get_memory(self._handle)
        self._micro_batch = micro_batch
        self.size = int(lib.llama_n_ctx(self._handle))
        self.tokens: list[int] = []
        """Tokens whose keys and values the context holds, in order."""

    def abort(self) -> None:
        """Stop the evaluation that runs, else the next one."""
        self._flag[0] = b"\1"

    def resume(self) -> None:
        """Allow evaluation again."""
        self._flag[0] = b"\0"

    def evaluate(self, prompt: list[int], cancelled: Callable[[], bool] = never, turn: Turn = no_turn) -> Evaluation:
        """Make the context hold exactly ``prompt``, with the logits of its last token.

        At least the last token is evaluated, because only evaluation yields logits. ``prompt`` must not be empty and
        must fit ``size``. An abort while ``cancelled()`` is false means to step aside: the step is done again, smaller,
        so that something gets done between frequent interruptions. Raises HostError if the library fails.
        """
        self._truncate(min(common_prefix(self.tokens, prompt), len(prompt) - 1))
        evaluated, step = 0, self._micro_batch
        while (done := len(self.tokens)) < len(prompt):
            with turn() as mine:
                complete = mine and self._decode(prompt[done : done + step])
            evaluated += len(self.tokens) - done
            if complete:
                step = min(2 * step, self._micro_batch)
            elif self._stopped(cancelled):
                return Evaluation(evaluated, complete=False)
            else:
                step = max(_SMALLEST_STEP, step // 2)
        return Evaluation(evaluated, complete=True)

    def append(self, token: int, cancelled: Callable[[], bool] = never, turn: Turn = no_turn) -> bool:
        """Evaluate one more token; False if it was aborted while ``cancelled()``."""
        while True:
            with turn() as mine:
                complete = mine and self._decode([token])
            if complete:
                return True
            if self._stopped(cancelled):
                return False

    def best_of(self, tokens: NDArray[np.int32]) -> int:
        """The likeliest of some tokens after what the context holds."""
        import numpy as np

        size = vocabulary_size(self._handle, self._lib)
        logits = np.ctypeslib.as_array(self._lib.llama_get_logits_ith(self._handle, -1), (size,))
        return int(tokens[np.argmax(logits[tokens])])

    def log_probability(self, token: int) -> float:
        """Natural logarithm of how likely ``token`` is after what the context holds."""
        import numpy as np

        size = vocabulary_size(self._handle, self._lib)
        logits = np.ctypeslib.as_array(self._lib.llama_get_logits_ith(self._handle, -1), (size,)).astype(np.float64)
        logits -= logits.max()
        return float(logits[token] - np.log(np.exp(logits).sum()))

    def sampler(self, sampling: Sampling) -> Sampler:
        """A fresh sampler over this context's logits."""
        return Sampler(self._handle, self._lib, sampling)

    def clear(self) -> None:
        """Forget every token."""
        self._lib.llama_memory_clear(self._memory, False)
        self.tokens.clear()

    def close(self) -> None:
        """Free the context. Safe to call twice."""
        if self._handle:
            self._lib.llama_free(self._handle)
            self._handle = None

    def _stopped(self, cancelled: Callable[[], bool]) -> bool:
        """After an abort: whether to give up. The flag is cleared first, so that a cancel in between is not lost."""
        self.resume()
        return cancelled()

    def _truncate(self, keep: int) -> None:
        """Drop everything behind the first ``keep`` tokens; everything, where the model's memory cannot be cut."""
        if keep >= len(self.tokens):
            return
        if self._lib.llama_memory_seq_rm(self._memory, 0, keep, -1):
            del self.tokens[keep:]
        else:
            self.clear()

    def _decode(self, tokens: list[int]) -> bool:
        array = (self._lib.llama_token * len(tokens))(*tokens)
        result = int(self._lib.llama_decode(self._handle, self._lib.llama_batch_get_one(array, len(tokens))))
        if result == 0:
            self.tokens.extend(tokens)
            return True
        if result == _ABORTED:
            self._resynchronise(tokens)
            return False
        self.clear()
        raise HostError(
            f"llama.cpp could not evaluate the prompt (result {result}).",
            "Run the command again; see `codemoat doctor`.",
        )

    def _resynchronise(self, tokens: list[int]) -> None:
        """After an abort, believe the library about what it still holds."""
        held = int(self._lib.llama_memory_seq_pos_max(self._memory, 0)) + 1
        self.tokens.extend(tokens)
        del self.tokens[held:]


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

    def sample(self) -> int:
        """The next token after what the context holds. The repeat penalty counts generated tokens only."""
        return int(self._lib.llama_sampler_sample(self._chain, self._context, -1))


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


def common_prefix(left: list[int], right: list[int]) -> int:
    """Length of the longest common prefix of two token lists."""
    shorter = min(len(left), len(right))
    if left[:shorter] == right[:shorter]:
        return shorter
    return next(i for i in range(shorter) if left[i] != right[i])
