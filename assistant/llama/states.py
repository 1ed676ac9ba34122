"""Evaluated prompts that were left and may come back: switching between files must not evaluate each anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from assistant.llama.reuse import common_prefix

CAPACITY = 128 << 20
"""Bytes kept for a context: eight prompts of 1,300 tokens of the 0.5B model (12 KB a token), three of the 1.5B one."""
CHAT_CAPACITY = 64 << 20
"""Bytes kept of left conversations: one or two of the 0.5B model with some questions each."""
MARGIN = 64
"""Tokens that must be gained: copying a state in or out costs as much as a few tokens."""


@dataclass(frozen=True, slots=True)
class State:
    """Tokens and the library's own copy of their keys and values."""

    tokens: tuple[int, ...]
    data: Any
    """A buffer of ``size`` bytes."""
    size: int


class StateStore:
    """The latest states, the last used kept longest, within ``capacity`` bytes. One thread at a time."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._states: list[State] = []
        """The last used one at the end."""

    def __len__(self) -> int:
        return len(self._states)

    @property
    def size(self) -> int:
        """Bytes of keys and values."""
        return sum(state.size for state in self._states)

    def wants(self, tokens: Sequence[int], size: int) -> bool:
        """Whether a state of these tokens would be kept: it is neither too large nor, but for a margin, there."""
        known = max((common_prefix(state.tokens, tuple(tokens)) for state in self._states), default=0)
        return len(tokens) - known >= MARGIN and size <= self._capacity

    def put(self, new: State) -> None:
        """Keep a state. States that are hardly more than its beginning go, then the longest unused ones."""
        self._states = [
            state for state in self._states if len(state.tokens) - common_prefix(state.tokens, new.tokens) >= MARGIN
        ]
        self._states.append(new)
        while self._states and self.size > self._capacity:
            del self._states[0]

    def find(self, prompt: Sequence[int], held: int) -> State | None:
        """The state with most of ``prompt``'s beginning, if that is a margin more than the ``held`` tokens."""
        wanted = tuple(prompt)
        best, most = None, held + MARGIN - 1
        for state in self._states:
            common = min(common_prefix(state.tokens, wanted), len(wanted) - 1)
            if common > most:
                best, most = state, common
        if best is not None:
            self._states.remove(best)
            self._states.append(best)
        return best

    def forget(self, state: State) -> None:
        """Drop a state that cannot be restored."""
        self._states.remove(state)

    def clear(self) -> None:
        """Drop all."""
        self._states.clear()
