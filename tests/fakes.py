"""Stand-ins for unit tests: a scripted model and a deterministic embedder. End-to-end tests use the real ones."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

import numpy as np
from numpy.typing import NDArray

from assistant.llm import Cancel, Delta, FillRequest, Finished, Generated, Message, ModelInfo, Sampling, Timings


@dataclass
class FakeLLM:
    """Answers from a script, one entry a call, in pieces of at most 4 characters; records every call.

    A token is a word or a single other character. Chat counts what the prompt before had not; a fill counts everything.
    ``failure`` is raised after ``fail_after`` pieces, if given.
    """

    script: list[str] = field(default_factory=list)
    context_tokens: int = 4096
    fim: bool = True
    failure: Exception | None = None
    fail_after: int = 0
    alternatives: bool = False
    calls: list[object] = field(default_factory=list)
    closed: bool = False
    _held: list[str] = field(default_factory=list)

    @property
    def info(self) -> ModelInfo:
        layout = "spm" if self.fim else ""
        return ModelInfo("fake", self.context_tokens, self.fim, True, layout, self.alternatives)

    def count(self, texts: Sequence[str]) -> list[int]:
        return [len(_tokens(t)) for t in texts]

    def count_chat(self, messages: Sequence[Message]) -> int:
        return sum(self.count([m.content for m in messages])) + 4 * len(messages)

    def count_fill(self, request: FillRequest) -> int:
        return sum(self.count([request.prefix, request.suffix, *(s.text for s in request.context)])) + 3

    def chat(
        self, messages: Sequence[Message], sampling: Sampling, cancel: Cancel | None = None
    ) -> Iterator[Generated]:
        self.calls.append((tuple(messages), sampling))
        prompt = [t for m in messages for t in ("<", m.role, ">", *_tokens(m.content), "</>")]
        reused = min(
            len(list(takewhile(lambda p: p[0] == p[1], zip(prompt, self._held, strict=False)))), len(prompt) - 1
        )
        said: list[str] = []
        try:
            for event in self._stream(len(prompt), sampling, cancel, reused):
                if isinstance(event, Delta):
                    said.append(event.text)
                yield event
        finally:
            self._held = [*prompt, "<", "assistant", ">", *_tokens("".join(said))]

    def fill(self, request: FillRequest, sampling: Sampling, cancel: Cancel | None = None) -> Iterator[Generated]:
        self.calls.append((request, sampling))
        return self._stream(self.count_fill(request), sampling, cancel)

    def _stream(self, prompt: int, sampling: Sampling, cancel: Cancel | None, reused: int = 0) -> Iterator[Generated]:
        text = self.script.pop(0)
        cut = min((i for s in sampling.stop if (i := text.find(s)) >= 0), default=len(text))
        pieces = [text[:cut][i : i + 4] for i in range(0, cut, 4)]
        for n, piece in enumerate(pieces):
            if self.failure and n >= self.fail_after:
                raise self.failure
            if cancel and cancel.cancelled:
                yield Finished("cancelled", Timings(prompt, prompt - reused, n, reused_tokens=reused))
                return
            yield Delta(piece)
        yield Finished("stop", Timings(prompt, prompt - reused, len(pieces), reused_tokens=reused))

    def close(self) -> None:
        self.closed = True


def _tokens(text: str) -> list[str]:
    return re.findall(r"\w+|\S|\s+", text)


class HashEmbedder:
    """Feature hashing of words into ``dimension`` signed buckets, L2-normalised: similar words, similar vectors."""

    def __init__(self, dimension: int = 32) -> None:
        self.name = f"hash-{dimension}"
        self.dimension = dimension

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        out = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in enumerate(texts):
            for word in re.findall(r"\w+", text.lower()):
                h = zlib.crc32(word.encode())
                out[row, h % self.dimension] += 1 if h & 1024 else -1
        norm = np.linalg.norm(out, axis=1, keepdims=True)
        return out / np.maximum(norm, 1e-9)

    def embed_query(self, text: str) -> NDArray[np.float32]:
        return self.embed([text])[0]
