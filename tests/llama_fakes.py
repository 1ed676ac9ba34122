"""Stand-ins for llama.cpp: a vocabulary of characters, and a library whose context only counts."""

from __future__ import annotations

import ctypes
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

QWEN_SPECIALS = {
    "<|fim_prefix|>": 1,
    "<|fim_suffix|>": 2,
    "<|fim_middle|>": 3,
    "<|repo_name|>": 4,
    "<|file_sep|>": 5,
    "<|im_start|>": 6,
    "<|im_end|>": 7,
}
ROLES = {
    "pre": "<|fim_prefix|>",
    "suf": "<|fim_suffix|>",
    "mid": "<|fim_middle|>",
    "rep": "<|repo_name|>",
    "sep": "<|file_sep|>",
}


class FakeVocabulary:
    """A token is a character (100 + code point) or a special token (below 100)."""

    def __init__(
        self,
        specials: dict[str, int] = QWEN_SPECIALS,
        architecture: str = "qwen2",
        bos: int | None = None,
        name: str = "fake",
    ) -> None:
        self.name = name
        self.specials = specials
        self.architecture = architecture
        self.bos = bos

    def tokenise(self, text: str, *, special: bool = False) -> list[int]:
        if not special or not self.specials:
            return [100 + ord(c) for c in text]
        parts = re.split("(" + "|".join(map(re.escape, self.specials)) + ")", text)
        return [t for p in parts for t in ([self.specials[p]] if p in self.specials else self.tokenise(p))]

    def fim_token(self, role: str) -> int | None:
        return self.specials.get(ROLES[role])

    def special_token(self, text: str) -> int | None:
        return self.specials.get(text)

    def token_text(self, token: int) -> str:
        return chr(token - 100) if token >= 100 else next(t for t, i in self.specials.items() if i == token)

    def show(self, tokens: list[int]) -> str:
        """The tokens written out, special ones in braces."""
        return "".join(f"{{{self.token_text(t)}}}" if t < 100 else self.token_text(t) for t in tokens)


@dataclass
class Cell:
    """A token that the library holds: where, for which sequences, and whether its key still has to be shifted."""

    token: int
    position: int
    sequences: set[int]
    shifts: bool = False


class FakeBatch(list[int]):
    """Tokens of one step; ``logits`` says for which of them logits are wanted, None for the last alone."""

    logits: Any = None


class FakeLibrary:
    """llama.cpp as far as ``Context`` uses it; it refuses what the real one refuses.

    ``before_decode`` may raise the abort flag, as another thread would.
    """

    LLAMA_FLASH_ATTN_TYPE_ENABLED = 1
    LLAMA_FLASH_ATTN_TYPE_DISABLED = 0
    llama_token = ctypes.c_int32
    ggml_abort_callback = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p)

    def __init__(self, context_tokens: int = 100) -> None:
        self.size = context_tokens
        self.cells: list[Cell] = []
        self.decoded: list[int] = []
        self.rows = 0
        """Of how many of the last step's tokens there are logits."""
        self.before_decode: Callable[[], None] = lambda: None
        self.can_cut = self.can_shift = True
        self.recurrent = False
        self.can_restore = True
        self.result = 0
        self.params: Any = None

    @property
    def held(self) -> list[int]:
        """Tokens of the main sequence in order of their positions, which have no gap."""
        cells = sorted((c for c in self.cells if 0 in c.sequences), key=lambda c: c.position)
        assert [c.position for c in cells] == list(range(len(cells)))
        return [c.token for c in cells]

    def llama_context_default_params(self) -> Any:
        class Params:
            abort_callback: Any = None
            abort_callback_data: Any = None
            n_seq_max = 1

        self.params = Params()
        return self.params

    def llama_init_from_model(self, model: object, params: Any) -> object:
        return object()

    def llama_model_is_recurrent(self, model: object) -> bool:
        return self.recurrent

    def llama_model_is_hybrid(self, model: object) -> bool:
        return False

    def llama_get_memory(self, handle: object) -> object:
        return object()

    def llama_n_ctx(self, handle: object) -> int:
        return self.size

    def llama_batch_get_one(self, array: Any, count: int) -> FakeBatch:
        return FakeBatch(list(array)[:count])

    def llama_set_abort_callback(self, handle: object, callback: Any, data: Any) -> None:
        self.params.abort_callback_data = data

    def llama_decode(self, handle: object, tokens: FakeBatch) -> int:
        self.before_decode()
        aborted = self.params.abort_callback(self.params.abort_callback_data.value)
        assert not (aborted and any(c.shifts for c in self.cells)), "keys would be shifted by half"
        for cell in self.cells:
            cell.shifts = False
        if aborted:
            return 2
        if self.result == 0:
            start = self.llama_memory_seq_pos_max(None, 0) + 1
            self.cells += [Cell(token, start + n, {0}) for n, token in enumerate(tokens)]
            assert len(self.cells) <= self.size
            self.decoded.append(len(tokens))
            self.rows = 1 if tokens.logits is None else len(tokens)
        return self.result

    def llama_memory_can_shift(self, memory: object) -> bool:
        return self.can_shift

    def llama_memory_seq_rm(self, memory: object, sequence: int, start: int, end: int) -> bool:
        if self.can_cut:
            for cell in self._within(sequence, start, end):
                cell.sequences.remove(sequence)
            self.cells = [c for c in self.cells if c.sequences]
        return self.can_cut

    def llama_memory_seq_cp(self, memory: object, source: int, target: int, start: int, end: int) -> None:
        assert max(source, target) < self.params.n_seq_max
        for cell in self._within(source, start, end):
            cell.sequences.add(target)

    def llama_memory_seq_add(self, memory: object, sequence: int, start: int, end: int, shift: int) -> None:
        for cell in self._within(sequence, start, end):
            assert cell.sequences == {sequence}, "a cell has one position, whatever sequences it is in"
            cell.position += shift
            cell.shifts = True

    def llama_memory_seq_pos_max(self, memory: object, sequence: int) -> int:
        return max((c.position for c in self._within(sequence, 0, -1)), default=-1)

    def llama_memory_clear(self, memory: object, data: bool) -> None:
        self.cells.clear()

    def llama_state_seq_get_size_ext(self, handle: object, sequence: int, flags: int) -> int:
        return 4 * len(self.held)

    def llama_state_seq_get_data_ext(self, handle: object, data: Any, size: int, sequence: int, flags: int) -> int:
        assert not any(c.shifts for c in self.cells)
        ctypes.memmove(data, struct.pack(f"{len(self.held)}i", *self.held), size)
        return size

    def llama_state_seq_set_data_ext(self, handle: object, data: Any, size: int, sequence: int, flags: int) -> int:
        if not self.can_restore:
            return 0
        tokens = struct.unpack(f"{size // 4}i", bytes(data))
        self.cells += [Cell(token, n, {sequence}) for n, token in enumerate(tokens)]
        return size

    def llama_free(self, handle: object) -> None:
        pass

    def _within(self, sequence: int, start: int, end: int) -> list[Cell]:
        return [c for c in self.cells if sequence in c.sequences and start <= c.position and not 0 <= end <= c.position]
