"""Stand-ins for llama.cpp: a vocabulary of characters, and a library whose context only counts."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable
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


class FakeLibrary:
    """llama.cpp as far as ``Context`` uses it. ``before_decode`` may raise the abort flag, as another thread would."""

    LLAMA_FLASH_ATTN_TYPE_ENABLED = 1
    LLAMA_FLASH_ATTN_TYPE_DISABLED = 0
    llama_token = ctypes.c_int32
    ggml_abort_callback = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p)

    def __init__(self, context_tokens: int = 100) -> None:
        self.size = context_tokens
        self.held: list[int] = []
        self.decoded: list[int] = []
        self.before_decode: Callable[[], None] = lambda: None
        self.can_cut = True
        self.result = 0
        self.params: Any = None

    def llama_context_default_params(self) -> Any:
        class Params:
            abort_callback: Any = None
            abort_callback_data: Any = None

        self.params = Params()
        return self.params

    def llama_init_from_model(self, model: object, params: Any) -> object:
        return object()

    def llama_get_memory(self, handle: object) -> object:
        return object()

    def llama_n_ctx(self, handle: object) -> int:
        return self.size

    def llama_batch_get_one(self, array: Any, count: int) -> list[int]:
        return list(array)[:count]

    def llama_decode(self, handle: object, tokens: list[int]) -> int:
        self.before_decode()
        if self.params.abort_callback(self.params.abort_callback_data.value):
            return 2
        if self.result == 0:
            self.held += tokens
            self.decoded.append(len(tokens))
        return self.result

    def llama_memory_seq_rm(self, memory: object, sequence: int, start: int, end: int) -> bool:
        if self.can_cut:
            del self.held[start:]
        return self.can_cut

    def llama_memory_seq_pos_max(self, memory: object, sequence: int) -> int:
        return len(self.held) - 1

    def llama_memory_clear(self, memory: object, data: bool) -> None:
        self.held.clear()

    def llama_free(self, handle: object) -> None:
        pass
