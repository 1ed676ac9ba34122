"""A model that another server runs, shown no secrets: the one way from codemoat's texts to such a server."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace

from assistant.completion.secrecy import mask_around
from assistant.llm import LLM, Answered, Cancel, FillRequest, Generated, Message, ModelInfo, Sampling
from assistant.masking import Masked, mask_file, mask_typed, without
from assistant.prompts import parts

_MOST_KNOWN = 1_000
"""Secrets that are remembered, the latest ones."""


class MaskedLLM:
    """``llm``, which gets every text with its secrets overwritten, by the rules of the index.

    Snippets of a prompt are masked by their own paths, what was typed or said as ``mask_typed`` does. A value that
    showed as a secret once is masked from then on wherever it stands: the turn that named it may have left the prompt.
    """

    def __init__(self, llm: LLM) -> None:
        self.llm = llm
        self._known: dict[str, None] = {}
        self._lock = threading.Lock()

    @property
    def info(self) -> ModelInfo:
        """What the model is; ``remote``."""
        return replace(self.llm.info, remote=True)

    def count(self, texts: Sequence[str]) -> list[int]:
        """Number of tokens of each text, masked by the strictest rules: the server's tokenizer gets it."""
        return self.llm.count(self._clean([mask_typed(text) for text in texts]))

    def count_chat(self, messages: Sequence[Message]) -> int:
        """Number of prompt tokens of a conversation."""
        return self.llm.count_chat(self._messages(messages))

    def count_fill(self, request: FillRequest) -> int:
        """Number of prompt tokens of a fill request."""
        return self.llm.count_fill(self._fill(request))

    def chat(self, messages: Sequence[Message], sampling: Sampling, cancel: Cancel | None = None) -> Iterator[Answered]:
        """Answer a conversation."""
        return self.llm.chat(self._messages(messages), sampling, cancel)

    def fill(self, request: FillRequest, sampling: Sampling, cancel: Cancel | None = None) -> Iterator[Generated]:
        """Complete the middle."""
        return self.llm.fill(self._fill(request), sampling, cancel)

    def close(self) -> None:
        """Leave the model."""
        self.llm.close()

    def _messages(self, messages: Sequence[Message]) -> list[Message]:
        """A conversation without its secrets."""
        texts = self._clean([_message(message.content) for message in messages])
        return [Message(message.role, text) for message, text in zip(messages, texts, strict=True)]

    def _fill(self, request: FillRequest) -> FillRequest:
        """A hole and the snippets before it without their secrets."""
        around = mask_around(request.prefix, request.suffix, request.path)
        snippets = [mask_file(snippet.text, snippet.path) for snippet in request.context]
        own = [Masked(around.prefix, around.secrets), Masked(around.suffix)]
        prefix, suffix, *texts = self._clean([*own, *snippets])
        context = tuple(replace(old, text=text) for old, text in zip(request.context, texts, strict=True))
        return replace(request, prefix=prefix, suffix=suffix, context=context)

    def _clean(self, texts: Sequence[Masked]) -> list[str]:
        """The texts without any secret that is known, their own included."""
        found = frozenset().union(*(each.secrets for each in texts))
        with self._lock:
            self._known.update(dict.fromkeys(found))
            while len(self._known) > _MOST_KNOWN:
                del self._known[next(iter(self._known))]
            known = tuple(self._known)
        return [without(each.text, known) for each in texts]


def _message(content: str) -> Masked:
    """A message without what shows as a secret in it."""
    found = [mask_typed(text) if path is None else mask_file(text, path) for path, text in parts(content)]
    return Masked("".join(part.text for part in found), frozenset().union(*(part.secrets for part in found)))
