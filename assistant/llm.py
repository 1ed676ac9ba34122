"""The LLM protocol: what codemoat asks of a language model, and the values that pass.

Implementations: ``assistant.llama.client.HostedLLM`` (the model host process), ``tests.fakes.FakeLLM``. A running
llama-server, Ollama or any OpenAI-compatible endpoint: ``assistant.remote.client.RemoteLLM``; and for models that can
only chat ``assistant.completion.instruct.InstructFill`` around one of them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

Role = Literal["system", "user", "assistant"]
StopReason = Literal["stop", "length", "cancelled"]
WaitReason = Literal["", "completions", "question"]


class Cancel:
    """A flag that stops work: set by the asker, polled by the worker. Safe across threads."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        """Ask for the work to stop."""
        self._event.set()

    @property
    def cancelled(self) -> bool:
        """Whether the work should stop."""
        return self._event.is_set()


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What a loaded model is and can do. ``context_tokens`` is the size of the context it was opened with."""

    name: str
    context_tokens: int
    fim: bool
    chat: bool
    fim_layout: str = ""
    """"spm" (prefix last) or "psm"; "server" where another server builds the prompt, "chat" where the hole is asked for
    in words; empty where the model cannot fill."""
    alternatives: bool = False
    """Whether it heeds ``Sampling.alternative``."""
    remote: bool = False
    """Whether another server runs it, which is shown no secrets."""


@dataclass(frozen=True, slots=True)
class Timings:
    """What one generation cost. Times in milliseconds, without waiting for other work of the model.

    Of ``prompt_tokens`` ``evaluated_tokens`` were evaluated and ``reused_tokens`` were not; both together are fewer if
    it was cancelled on the way. ``restored_tokens`` of the reused ones came back from a prompt that had been left.
    """

    prompt_tokens: int = 0
    evaluated_tokens: int = 0
    generated_tokens: int = 0
    prompt_ms: float = 0.0
    generation_ms: float = 0.0
    reused_tokens: int = 0
    restored_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to generate. Temperature 0 is greedy. ``stop`` strings end the text and are not part of it."""

    max_tokens: int = 256
    temperature: float = 0.0
    stop: tuple[str, ...] = ()
    seed: int = 0
    repeat_penalty: float = 1.0
    alternative: int = 0
    """Another text than the likeliest (0): its first word is the next likely one (1), the one after that (2), …"""
    ahead: bool = False
    """Nobody waits for it yet: it is cancelled when somebody asks a question, or while one is answered."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """A piece of another file, put before a fill-in-the-middle prompt."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class FillRequest:
    """Fill the hole between ``prefix`` and ``suffix`` of ``path``; ``context`` snippets come first, in this order."""

    path: str
    prefix: str
    suffix: str
    context: tuple[Snippet, ...] = ()
    repository: str = ""


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of generated text."""

    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of a generation."""

    stop_reason: StopReason
    timings: Timings = field(default_factory=Timings)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Why the first word of an answer takes longer than alone; with no reason, that it does not any more.

    "completions" are being computed at the same time, "question": an earlier one is answered first.
    """

    reason: WaitReason


Generated = Delta | Finished
"""A stream is any number of ``Delta`` and exactly one ``Finished``."""
Answered = Generated | Waiting
"""The stream of an answer may have any number of ``Waiting`` before its first ``Delta``."""


class LLM(Protocol):
    """A language model that streams. Every method may raise ``assistant.errors.ModelError`` subclasses.

    Cancelling stops prompt evaluation midway; the stream then ends with ``Finished("cancelled")``. Closing the
    iterator cancels too.
    """

    @property
    def info(self) -> ModelInfo:
        """What the model is; loads it if it is not loaded."""
        ...

    def count(self, texts: Sequence[str]) -> list[int]:
        """Number of tokens of each text, by the model's own tokenizer, without special tokens."""
        ...

    def chat(self, messages: Sequence[Message], sampling: Sampling, cancel: Cancel | None = None) -> Iterator[Answered]:
        """Answer a conversation in the model's own chat template.

        Raises PromptTooLongError if the messages and ``max_tokens`` do not fit the context.
        """
        ...

    def count_chat(self, messages: Sequence[Message]) -> int:
        """Number of prompt tokens of a conversation, template included."""
        ...

    def fill(self, request: FillRequest, sampling: Sampling, cancel: Cancel | None = None) -> Iterator[Generated]:
        """Complete the middle in the model's own fill-in-the-middle format.

        Raises UnsupportedModelError if the model has none, PromptTooLongError if it does not fit.
        """
        ...

    def count_fill(self, request: FillRequest) -> int:
        """Number of prompt tokens of a fill request, special tokens included."""
        ...

    def close(self) -> None:
        """Leave the model. Safe to call twice."""
        ...
