"""What prompt building asks of a vocabulary: a seam, so that formats are tested without a model."""

from __future__ import annotations

from typing import Protocol


class Vocabulary(Protocol):
    """Implemented by ``native.Model``, and over HTTP by ``assistant.remote.llama_server``."""

    @property
    def architecture(self) -> str:
        """For example "qwen2"."""
        ...

    @property
    def name(self) -> str:
        """What the model is called."""
        ...

    @property
    def bos(self) -> int | None:
        """The token that every prompt starts with, if any."""
        ...

    def tokenise(self, text: str, *, special: bool = False) -> list[int]:
        """Tokens of a text; special ones only with ``special``."""
        ...

    def fim_token(self, role: str) -> int | None:
        """Fill-in-the-middle token by role: "pre", "suf", "mid", "rep" or "sep"."""
        ...

    def special_token(self, text: str) -> int | None:
        """The special token that is written ``text``."""
        ...

    def token_text(self, token: int) -> str:
        """How a token is written."""
        ...
