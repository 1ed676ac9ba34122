"""One llama.cpp context that never evaluates a token twice.

A context remembers the tokens whose keys and values it holds. ``evaluate`` keeps the longest common prefix with the
next prompt and, where that is allowed, further runs that have moved (see ``reuse``); it drops the rest and evaluates
what is new, in micro-batches. What is dropped can be kept outside and restored (see ``states``). ``abort`` stops it
from any thread within milliseconds: llama.cpp polls a native callback (libc's ``strlen`` over a two-byte flag), so that
no Python runs inside the computation. As a Python callback the same poll made generation 1.4 times slower.

llama.cpp evaluates only right behind a sequence's last position. So runs that come later in the prompt wait in a second
sequence (sequences share cells: no key or value is copied) until the gap before them is filled.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assistant.errors import HostError
from assistant.llama.gate import UNLIMITED
from assistant.llama.native import Model, library
from assistant.llama.reuse import HOLE, Run, common_prefix, find_runs, moves
from assistant.llama.sampler import Sampler, vocabulary_size
from assistant.llama.settings import MICRO_BATCH
from assistant.llama.states import MARGIN, State, StateStore
from assistant.llama.system import libc
from assistant.llm import Sampling

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SMALLEST_STEP = 16
_CALM_STEP = 1
"""Tokens of the step that carries out shifts. It cannot be aborted, because keys shifted by half would be lost, so it
is as short as can be: four tokens take more than twice as long, and an abort shall never wait for 50 ms.
"""
_MAIN, _PARKED = 0, 1
"""The prompt's sequence, and the one in which runs wait for the gap before them."""
_ABORTED = 2  # llama_decode: aborted, finished micro-batches stay in the context

Turn = Callable[[], AbstractContextManager[int]]
"""Waits until this context may compute; gives how many tokens at most, 0 if the work was given up meanwhile."""


def never() -> bool:
    """A ``cancelled`` that stays false."""
    return False


def no_turn() -> AbstractContextManager[int]:
    """A turn that comes at once, for as much as a step may be."""
    return nullcontext(UNLIMITED)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How an ``evaluate`` went: tokens evaluated, whether it got to the end, and tokens of the prompt held before.

    ``restored`` of the ``reused`` ones came back from a state kept outside.
    """

    evaluated: int
    complete: bool
    reused: int = 0
    restored: int = 0


class Context:
    """A llama_context for one prompt. One thread at a time, except ``abort``, which any thread may call.

    ``shift``: whether runs of tokens may be moved, where the model's memory can do that. ``kept_bytes``: how much
    memory dropped prompts may take outside, for them to come back.
    """

    def __init__(
        self,
        model: Model,
        *,
        context_tokens: int,
        threads: int,
        flash_attention: bool = False,
        micro_batch: int = MICRO_BATCH,
        shift: bool = False,
        kept_bytes: int = 0,
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
        self.cuts = not (lib.llama_model_is_recurrent(model.handle) or lib.llama_model_is_hybrid(model.handle))
        """Whether tokens can be dropped at the end without dropping all."""
        shift = shift and self.cuts
        if shift:
            params.n_seq_max, params.kv_unified = 2, True
        self._flag = ctypes.create_string_buffer(2)  # "\0\0" is false, "\1\0" is true
        self._calm_flag = ctypes.create_string_buffer(2)  # stays false
        self._poll = params.abort_callback = ctypes.cast(libc().strlen, lib.ggml_abort_callback)
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
        self._shift = shift and bool(lib.llama_memory_can_shift(self._memory))
        self._shifts_wait = False
        self._parked: list[tuple[int, list[int]]] = []  # runs by position, in order; all behind ``tokens``
        self._states = StateStore(kept_bytes)
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
        restored = self._recall(prompt)
        self._arrange(prompt)
        evaluated, step = 0, self._micro_batch
        while (done := len(self.tokens)) < len(prompt):
            with turn() as most:
                end = min(done + step, done + most, self._parked[0][0] if self._parked else len(prompt))
                complete = most > 0 and self._decode(prompt[done:end])
            evaluated += len(self.tokens) - done
            self._unpark()
            if complete:
                step = min(2 * step, self._micro_batch)
            elif self._stopped(cancelled):
                break
            else:
                step = max(_SMALLEST_STEP, step // 2)
        held = len(self.tokens)
        return Evaluation(evaluated, held == len(prompt), held - evaluated, restored)

    def append(self, token: int, cancelled: Callable[[], bool] = never, turn: Turn = no_turn) -> bool:
        """Evaluate one more token; False if it was aborted while ``cancelled()``."""
        return self.extend([token], cancelled, turn) > 0

    def extend(self, tokens: list[int], cancelled: Callable[[], bool] = never, turn: Turn = no_turn) -> int:
        """Evaluate further tokens in one step, with logits for each; how many, 0 if aborted while ``cancelled()``.

        Fewer than all where the turn, or shifts that wait, allow only so many.
        """
        while True:
            with turn() as most:
                taken = tokens[: min(most, _CALM_STEP) if self._shifts_wait else most]
                complete = most > 0 and self._decode(taken, all_logits=True)
            if complete:
                return len(taken)
            if self._stopped(cancelled):
                return 0

    def retract(self, count: int) -> None:
        """Drop the last ``count`` tokens again; only where ``cuts``."""
        self._truncate(len(self.tokens) - count)

    def best_of(self, tokens: NDArray[np.int32]) -> int:
        """The likeliest of some tokens after what the context holds."""
        import numpy as np

        size = vocabulary_size(self._handle, self._lib)
        logits = np.ctypeslib.as_array(self._lib.llama_get_logits_ith(self._handle, -1), (size,))
        return int(tokens[np.argmax(logits[tokens])])

    def likeliest(self, count: int, tokens: NDArray[np.int32] | None = None) -> list[int]:
        """The ``count`` likeliest tokens after what the context holds, or of ``tokens``; the likeliest first."""
        import numpy as np

        size = vocabulary_size(self._handle, self._lib)
        logits = np.ctypeslib.as_array(self._lib.llama_get_logits_ith(self._handle, -1), (size,))
        chosen = np.arange(size, dtype=np.int32) if tokens is None else tokens
        best = np.argsort(-logits[chosen], kind="stable")[:count]
        return [int(token) for token in chosen[best]]

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
        self._parked.clear()
        self._shifts_wait = False

    def forget(self) -> None:
        """Forget what is kept outside, too."""
        self.clear()
        self._states.clear()

    def close(self) -> None:
        """Free the context. Safe to call twice."""
        if self._handle:
            self._lib.llama_free(self._handle)
            self._handle = None

    def _stopped(self, cancelled: Callable[[], bool]) -> bool:
        """After an abort: whether to give up. The flag is cleared first, so that a cancel in between is not lost."""
        self.resume()
        return cancelled()

    def _recall(self, prompt: list[int]) -> int:
        """Keep what ``prompt`` drops, and restore what it shares with something kept; tokens that came back."""
        keep = self._keep(prompt)
        reused = keep + sum(run.length for run in self._find_runs(prompt, keep))
        state = self._states.find(prompt, reused)
        if len(self.tokens) - reused >= MARGIN:
            self._save()
        if state is None:
            return 0
        self.clear()
        read = self._lib.llama_state_seq_set_data_ext(self._handle, state.data, state.size, _MAIN, 0)
        if not read:  # no room for it in one piece
            self.clear()
            self._states.forget(state)
            return 0
        self.tokens.extend(state.tokens)
        return self._keep(prompt) - keep

    def _save(self) -> None:
        """Keep what the context holds, if there is room for it."""
        size = int(self._lib.llama_state_seq_get_size_ext(self._handle, _MAIN, 0))
        if self._shifts_wait or not self._states.wants(self.tokens, size):
            return
        data = (ctypes.c_uint8 * size)()
        if self._lib.llama_state_seq_get_data_ext(self._handle, data, size, _MAIN, 0) == size:
            self._states.put(State(tuple(self.tokens), data, size))

    def _keep(self, prompt: list[int]) -> int:
        """How much of ``prompt``'s beginning is held; never its last token."""
        return min(common_prefix(self.tokens, prompt), len(prompt) - 1)

    def _find_runs(self, prompt: list[int], keep: int) -> list[Run]:
        """What else is held of it, elsewhere or parked."""
        if not self._shift:
            return []
        held = list(self.tokens)
        for position, tokens in self._parked:
            held += [HOLE] * (position - len(held)) + tokens
        return find_runs(held, prompt, keep)

    def _arrange(self, prompt: list[int]) -> None:
        """Keep the common prefix, and park what else can be kept at its new position."""
        keep = self._keep(prompt)
        runs = self._find_runs(prompt, keep)
        lib, memory = self._lib, self._memory
        for run in runs:  # those that were parked before are in that sequence already
            lib.llama_memory_seq_cp(memory, _MAIN, _PARKED, run.source, run.source_end)
        self._truncate(keep)
        if self._shift:
            free = 0
            for run in runs:
                lib.llama_memory_seq_rm(memory, _PARKED, free, run.source)
                free = run.source_end
            lib.llama_memory_seq_rm(memory, _PARKED, free, -1)
            for run in moves(runs):
                lib.llama_memory_seq_add(memory, _PARKED, run.source, run.source_end, run.shift)
                self._shifts_wait = True
        self._parked = [(run.target, prompt[run.target : run.target_end]) for run in runs]
        self._unpark()

    def _unpark(self) -> None:
        """Take a run back whose turn has come."""
        while self._parked and self._parked[0][0] == len(self.tokens):
            position, tokens = self._parked.pop(0)
            end = position + len(tokens)
            self._lib.llama_memory_seq_cp(self._memory, _PARKED, _MAIN, position, end)
            self._lib.llama_memory_seq_rm(self._memory, _PARKED, position, end)
            self.tokens.extend(tokens)

    def _truncate(self, keep: int) -> None:
        """Drop everything behind the first ``keep`` tokens; everything, where the model's memory cannot be cut."""
        if keep >= len(self.tokens):
            return
        if self._lib.llama_memory_seq_rm(self._memory, _MAIN, keep, -1):
            del self.tokens[keep:]
        else:
            self.clear()

    def _decode(self, tokens: list[int], *, all_logits: bool = False) -> bool:
        """Evaluate what comes next, or a first part of it where shifts wait; False if it was aborted."""
        if self._shifts_wait:
            del tokens[_CALM_STEP:]
        array = (self._lib.llama_token * len(tokens))(*tokens)
        batch = self._lib.llama_batch_get_one(array, len(tokens))
        if all_logits:
            wanted = (ctypes.c_int8 * len(tokens))(*[1] * len(tokens))
            batch.logits = ctypes.cast(wanted, ctypes.POINTER(ctypes.c_int8))
        if self._shifts_wait:
            self._listen_to(self._calm_flag)
            result = int(self._lib.llama_decode(self._handle, batch))
            self._listen_to(self._flag)
            self._shifts_wait = False
        else:
            result = int(self._lib.llama_decode(self._handle, batch))
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

    def _listen_to(self, flag: ctypes.Array[ctypes.c_char]) -> None:
        """Which flag aborts an evaluation."""
        self._lib.llama_set_abort_callback(self._handle, self._poll, ctypes.cast(flag, ctypes.c_void_p))

    def _resynchronise(self, tokens: list[int]) -> None:
        """After an abort, believe the library about what it still holds."""
        held = int(self._lib.llama_memory_seq_pos_max(self._memory, _MAIN)) + 1
        self.tokens.extend(tokens)
        del self.tokens[held:]
