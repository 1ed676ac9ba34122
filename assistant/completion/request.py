"""What a completion is asked with and answered by."""

from __future__ import annotations

from dataclasses import dataclass, field

from assistant.context import RequestTimings
from indexer.types import Span


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """The document at the cursor: ``prefix`` is everything before it and ``suffix`` everything after it.

    ``path`` is repository-relative POSIX, ``version`` the editor's (any number that changes with the text).
    """

    path: str
    language: str
    version: int
    prefix: str
    suffix: str
    root: str = ""
    """Which of several folders ``path`` is relative to; empty where there is only one."""


@dataclass(frozen=True, slots=True)
class Completion:
    """What to insert: ``text`` takes the place of ``replace``, a span of the document (bytes of its UTF-8 text).

    ``text`` is empty when there is nothing worth showing; ``stop_reason`` then says why. The span is empty at the
    cursor, unless the completion retyped what stands behind the cursor on its line.
    """

    text: str
    replace: Span
    reused: bool
    """Answered without asking the model."""
    stop_reason: str
    """line, block: complete; begun: the first words, more is being written; length: cut off by the token limit;
    secret-cut: cut before a line with a secret; cancelled; or why there is no text: empty, repeats, syntax (no part of
    it fits), secret-line (the cursor's line holds a secret), secret-text (the suggestion held one)."""
    timings: RequestTimings = field(default_factory=RequestTimings)
    context: tuple[str, ...] = ()
    """Paths of the files whose snippets stood in the prompt, in prompt order, as ``path:start-end``."""


@dataclass(frozen=True, slots=True)
class CompletionSettings:
    """How to complete.

    The shares are parts of ``prompt_tokens``; what one part leaves free is not given to another, so that typing moves
    no edge.
    """

    prompt_tokens: int = 1200
    """Tokens of the whole prompt. A cold prompt of 1,200 costs 6-8 s on two cores, a reused one next to nothing."""
    prefix_share: float = 0.6
    suffix_share: float = 0.15
    context_share: float = 0.25
    max_tokens: int = 160
    """Most tokens of a completion; one line gets at most ``completer.LINE_TOKENS`` of them."""
    multiline: bool = True
    """Whether an empty line that waits for a block gets several lines."""
