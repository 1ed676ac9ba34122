"""A model that another server runs, shown no secrets: the one way from codemoat's texts to such a server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from assistant.completion.secrecy import mask_around
from assistant.llm import LLM, Cancel, FillRequest, Generated, Message, ModelInfo, Sampling
from assistant.masking import mask_file, mask_typed, without
from assistant.prompts import parts

_LINE_OF_ANYTHING = "typed.env"
"""The path of texts that are only counted: the strictest rules."""


class MaskedLLM:
    """``llm``, which gets every text with its secrets overwritten, by the rules of the index.

    Snippets of a prompt are masked by their own paths, what was typed or said as ``mask_typed`` does; a secret that
    shows as one in any message is masked in all of them.
    """

    def __init__(self, llm: LLM) -> None:
        self.llm = llm

    @property
    def info(self) -> ModelInfo:
        """What the model is; ``remote``."""
        return replace(self.llm.info, remote=True)

    def count(self, texts: Sequence[str]) -> list[int]:
        """Number of tokens of each text, masked: the server's tokenizer gets them."""
        return self.llm.count([mask_file(text, _LINE_OF_ANYTHING).text for text in texts])

    def count_chat(self, messages: Sequence[Message]) -> int:
        """Number of prompt tokens of a conversation."""
        return self.llm.count_chat(mask_messages(messages))

    def count_fill(self, request: FillRequest) -> int:
        """Number of prompt tokens of a fill request."""
        return self.llm.count_fill(mask_fill(request))

    def chat(
        self, messages: Sequence[Message], sampling: Sampling, cancel: Cancel | None = None
    ) -> Iterator[Generated]:
        """Answer a conversation."""
        return self.llm.chat(mask_messages(messages), sampling, cancel)

    def fill(self, request: FillRequest, sampling: Sampling, cancel: Cancel | None = None) -> Iterator[Generated]:
        """Complete the middle."""
        return self.llm.fill(mask_fill(request), sampling, cancel)

    def close(self) -> None:
        """Leave the model."""
        self.llm.close()


def mask_messages(messages: Sequence[Message]) -> list[Message]:
    """A conversation without its secrets."""
    masked: list[str] = []
    secrets: set[str] = set()
    for message in messages:
        found = [mask_typed(text) if path is None else mask_file(text, path) for path, text in parts(message.content)]
        masked.append("".join(part.text for part in found))
        secrets.update(*(part.secrets for part in found))
    return [Message(message.role, without(text, secrets)) for message, text in zip(messages, masked, strict=True)]


def mask_fill(request: FillRequest) -> FillRequest:
    """A hole and the snippets before it without their secrets."""
    around = mask_around(request.prefix, request.suffix, request.path)
    found = [mask_file(snippet.text, snippet.path) for snippet in request.context]
    secrets = around.secrets.union(*(each.secrets for each in found))
    context = tuple(
        replace(snippet, text=without(each.text, secrets)) for snippet, each in zip(request.context, found, strict=True)
    )
    prefix, suffix = without(around.prefix, secrets), without(around.suffix, secrets)
    return replace(request, prefix=prefix, suffix=suffix, context=context)
