"""Chat formats of well-known families, for models whose own template cannot be used.

A format is recognised by its special tokens in the vocabulary. The spellings are those of the families' model cards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assistant.llama.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class ChatFormat:
    """``before`` and ``after`` stand around each message (``{role}`` is its role); ``answer`` begins the answer."""

    specials: tuple[str, ...]
    """Tokens that the vocabulary must have."""
    before: str
    after: str
    answer: str

    def pieces(self, roles: Sequence[str]) -> tuple[str | int, ...]:
        """The text around messages of these roles, and at odd places their numbers."""
        made: list[str | int] = []
        text = ""
        for number, role in enumerate(roles):
            made += [text + self.before.format(role=role), number]
            text = self.after
        return (*made, text + self.answer)


FORMATS = (
    # Qwen and many others
    ChatFormat(("<|im_start|>", "<|im_end|>"), "<|im_start|>{role}\n", "<|im_end|>\n", "<|im_start|>assistant\n"),
    # Llama 3
    ChatFormat(
        ("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
        "<|start_header_id|>{role}<|end_header_id|>\n\n",
        "<|eot_id|>",
        "<|start_header_id|>assistant<|end_header_id|>\n\n",
    ),
    # Granite 3
    ChatFormat(
        ("<|start_of_role|>", "<|end_of_role|>", "<|end_of_text|>"),
        "<|start_of_role|>{role}<|end_of_role|>",
        "<|end_of_text|>\n",
        "<|start_of_role|>assistant<|end_of_role|>",
    ),
    # Phi 3
    ChatFormat(("<|user|>", "<|assistant|>", "<|system|>", "<|end|>"), "<|{role}|>\n", "<|end|>\n", "<|assistant|>\n"),
)


def find_chat_format(vocabulary: Vocabulary) -> ChatFormat | None:
    """The first format all of whose special tokens the vocabulary has, or None."""
    return next((f for f in FORMATS if all(vocabulary.special_token(t) is not None for t in f.specials)), None)
