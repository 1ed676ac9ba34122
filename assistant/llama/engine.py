"""The model in this process: one set of weights, two contexts. It implements the LLM protocol; the host serves it.

Completion and chat have a context each, so that their prompts never evict each other. Only one of them computes at a
time (two thread pools on the same cores spin against each other), and completion goes first: see ``gate``.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.errors import PromptTooLongError, UnsupportedModelError
from assistant.llama import fim, states
from assistant.llama.cancel import InterruptingCancel
from assistant.llama.context import Context, Evaluation, Turn, no_turn
from assistant.llama.gate import Gate
from assistant.llama.healing import Healer
from assistant.llama.lookup import Decoding, Lookup
from assistant.llama.native import Model
from assistant.llama.settings import EngineSettings
from assistant.llama.streaming import TextStream
from assistant.llama.templates import ChatTemplate
from assistant.llama.threads import default_threads
from assistant.llm import (
    Cancel,
    Delta,
    FillRequest,
    Finished,
    Generated,
    Message,
    ModelInfo,
    Sampling,
    StopReason,
    Timings,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SHIFT = True
"""Whether completions reuse evaluated tokens that moved. As many are right as after fresh evaluation, with a sixth of
the tokens evaluated (`benchmarks/shifting.py`).
"""


class _Lane:
    """A context that is made on first use, and the lock of its user."""

    def __init__(self, make: Callable[[], Context]) -> None:
        self.lock = threading.Lock()
        self._make = make
        self._context: Context | None = None

    @property
    def context(self) -> Context:
        """The context; raises HostError if memory does not suffice for it."""
        if self._context is None:
            self._context = self._make()
        return self._context

    def close(self) -> None:
        with self.lock:
            if self._context is not None:
                self._context.close()
                self._context = None


class LocalLLM:
    """The LLM protocol over llama.cpp in this process. Threads may share it; each context serves one at a time."""

    def __init__(
        self,
        path: Path,
        settings: EngineSettings,
        *,
        progress: Callable[[float], None] | None = None,
        shift: bool = SHIFT,
    ) -> None:
        self._model = Model(path, gpu_layers=settings.gpu_layers, progress=progress)
        self._format = fim.find_format(self._model)
        self._template: ChatTemplate | UnsupportedModelError | None = None
        self._template_lock = threading.Lock()
        self._healer = Healer(self._model)
        self._gate = Gate()
        self._draft_tokens = settings.draft_tokens
        self._size = min(settings.context_tokens, self._model.trained_context)
        make = partial(
            Context,
            self._model,
            context_tokens=self._size,
            threads=settings.threads or default_threads(),
            flash_attention=settings.flash_attention,
            micro_batch=settings.micro_batch,
        )
        self._completion = _Lane(partial(make, shift=shift, kept_bytes=states.CAPACITY))
        # A conversation is come back to after another window's question.
        self._conversation = _Lane(partial(make, kept_bytes=states.CHAT_CAPACITY))

    @property
    def info(self) -> ModelInfo:
        """What the model is."""
        return ModelInfo(
            self._model.name,
            self._size,
            fim=self._format is not None,
            # Whether the template works shows when the first conversation needs it: that takes a process.
            chat=bool(self._model.chat_template) and not isinstance(self._template, UnsupportedModelError),
            fim_layout=self._format.layout if self._format else "",
            alternatives=True,
        )

    def count(self, texts: Sequence[str]) -> list[int]:
        """Number of tokens of each text, without special tokens."""
        return [len(self._model.tokenise(text)) for text in texts]

    def count_chat(self, messages: Sequence[Message]) -> int:
        """Number of prompt tokens of a conversation, template included."""
        return len(self._chat().build(messages))

    def count_fill(self, request: FillRequest) -> int:
        """Number of prompt tokens of a fill request."""
        return len(fim.build(self._model, self._format, request))

    def chat(
        self, messages: Sequence[Message], sampling: Sampling, cancel: Cancel | None = None
    ) -> Iterator[Generated]:
        """Answer a conversation. A completion interrupts it for as long as that takes."""
        cancel = cancel or Cancel()
        template = self._chat()
        prompt = template.build(messages)
        self._check_fits(prompt, sampling)
        with self._conversation.lock:
            context = self._conversation.context
            turn = partial(self._gate.patient, context.abort, lambda: cancel.cancelled)
            with self._gate.conversation(), interrupting(cancel, context):
                yield from generate(
                    self._model,
                    context,
                    prompt,
                    sampling,
                    cancel,
                    turn,
                    template.remember,
                    draft_tokens=self._draft_tokens,
                )

    def fill(self, request: FillRequest, sampling: Sampling, cancel: Cancel | None = None) -> Iterator[Generated]:
        """Complete the middle.

        ``max_tokens`` 0 only evaluates the prompt, for the next request to reuse, while nothing else is to be done.
        """
        cancel = cancel or Cancel()
        prompt = fim.build(self._model, self._format, request)
        self._check_fits(prompt, sampling)
        opening = b""
        if request.prefix and self._format is not None and self._format.order[-1] == "prefix":
            prompt, opening = self._healer.cut(prompt)
        with self._completion.lock:
            context = self._completion.context
            whole: AbstractContextManager[Turn] = self._gate.urgent(lambda: cancel.cancelled)
            if sampling.max_tokens <= 0:  # nobody waits for it
                whole = nullcontext(partial(self._gate.idle, context.abort, lambda: cancel.cancelled))
            with whole as turn, interrupting(cancel, context):
                yield from generate(
                    self._model,
                    context,
                    prompt,
                    sampling,
                    cancel,
                    turn,
                    opening=opening,
                    healer=self._healer,
                    draft_tokens=self._draft_tokens,
                )

    def forget(self) -> None:
        """Forget every evaluated token of completions, for measurements that start cold."""
        with self._completion.lock:
            self._completion.context.forget()

    def close(self) -> None:
        """Free contexts and weights. Safe to call twice."""
        self._completion.close()
        self._conversation.close()
        self._model.close()

    def _chat(self) -> ChatTemplate:
        """The template, made on first use. Raises UnsupportedModelError if the model has none that works."""
        with self._template_lock:
            if self._template is None:
                self._template = self._chat_template()
        if isinstance(self._template, UnsupportedModelError):
            raise UnsupportedModelError(self._template.message, self._template.hint)
        return self._template

    def _chat_template(self) -> ChatTemplate | UnsupportedModelError:
        """The template, or why there is none: a model may complete without being able to chat."""
        model = self._model
        try:
            return ChatTemplate(model, model.chat_template, bos_text=model.bos_text, eos_text=model.eos_text)
        except UnsupportedModelError as exc:
            return exc

    def _check_fits(self, prompt: list[int], sampling: Sampling) -> None:
        wanted = max(0, sampling.max_tokens)
        if len(prompt) + wanted > self._size:
            raise PromptTooLongError(
                f"The prompt has {len(prompt):,} tokens and up to {wanted:,} more were asked for, "
                f"but the context holds {self._size:,}.",
                "Ask with less text, or set a larger model.context_tokens.",
            )


@contextmanager
def interrupting(cancel: Cancel, context: Context) -> Iterator[None]:
    """Let ``cancel`` abort the context's evaluation at once; a plain flag is looked at between steps."""
    if isinstance(cancel, InterruptingCancel):
        cancel.on_cancel(context.abort)
    try:
        yield
    finally:
        if isinstance(cancel, InterruptingCancel):
            cancel.on_cancel(None)
        context.resume()


def generate(
    model: Model,
    context: Context,
    prompt: list[int],
    sampling: Sampling,
    cancel: Cancel,
    turn: Turn = no_turn,
    remember: Callable[[str, Sequence[int]], None] | None = None,
    *,
    opening: bytes = b"",
    healer: Healer | None = None,
    draft_tokens: int = 0,
) -> Iterator[Generated]:
    """Evaluate ``prompt`` as far as the context does not hold it, then generate.

    ``remember`` is told the text and its tokens, if the tokens make up exactly the text. With ``opening``, which needs
    ``healer``, the first tokens must spell these bytes, the end of the text before the cursor; they are not shown.
    """
    run = _Run(len(prompt))
    turn = run.clocked(turn)
    evaluation = context.evaluate(prompt, lambda: cancel.cancelled, turn)
    run.evaluated(evaluation)
    if not evaluation.complete or cancel.cancelled:
        yield run.finished("cancelled")
        return
    stream = TextStream(sampling.stop)
    pieces: list[str] = []
    reason: StopReason = "length"
    said = False
    with context.sampler(sampling) as sampler:
        extend = partial(context.extend, cancelled=lambda: cancel.cancelled, turn=turn)
        decoding = Decoding(context, sampler, extend, Lookup(prompt, draft_tokens if context.cuts else 0))
        while len(run.tokens) < sampling.max_tokens:
            allowed = healer.allowed(opening) if opening and healer else None
            token: int | None
            if sampling.alternative and not said:
                token, said = another(model, context, allowed, opening, sampling.alternative)
            else:
                token = decoding.sample() if allowed is None else context.best_of(allowed)
            if token is None or model.ends(token):
                reason = "stop"
                break
            run.tokens.append(token)
            piece = model.piece(token)
            piece, opening = piece[len(opening) :], opening[len(piece) :]
            if text := stream.push(piece):
                pieces.append(text)
                yield Delta(text)
            if stream.stopped:
                reason = "stop"
                break
            if cancel.cancelled or not decoding.accept(token, guess=not opening):
                reason = "cancelled"
                break
        decoding.finish()
    if text := stream.finish():
        pieces.append(text)
        yield Delta(text)
    if remember is not None and not stream.stopped:
        remember("".join(pieces), run.tokens)
    yield run.finished(reason)


_CONSIDERED = 8
"""Tokens that are looked at for each alternative: some are blanks, or begin further in or out."""


def another(
    model: Model, context: Context, allowed: NDArray[np.int32] | None, opening: bytes, alternative: int
) -> tuple[int | None, bool]:
    """The next token of another text than the likeliest, and whether the two part here, at their first visible word.

    None where nothing else is likely.
    """
    likely = context.likeliest(_CONSIDERED * alternative, allowed)
    said = [model.piece(token)[len(opening) :] for token in likely]
    if not said[0].strip():
        return likely[0], False
    # As far in as the likeliest: a word without its blank before it would stand one column further out.
    others = [t for t, text in zip(likely, said, strict=True) if text.strip() and _margin(text) == _margin(said[0])]
    return (others[alternative] if len(others) > alternative else None), True


def _margin(text: bytes) -> int:
    return len(text) - len(text.lstrip())


class _Run:
    """Counts and times of one generation, without the time in which it waited for its turns."""

    def __init__(self, prompt_tokens: int) -> None:
        self.tokens: list[int] = []
        self._prompt_tokens = prompt_tokens
        self._evaluation = Evaluation(0, False)
        self._waited = 0.0
        self._start = self._prompt_done = time.perf_counter()

    def clocked(self, turn: Turn) -> Turn:
        """``turn``, with what is waited for it left out of the times."""

        @contextmanager
        def clocked() -> Iterator[int]:
            asked = time.perf_counter()
            with turn() as most:
                self._waited += time.perf_counter() - asked
                yield most

        return clocked

    def evaluated(self, evaluation: Evaluation) -> None:
        """The prompt is done, as far as it goes."""
        self._evaluation = evaluation
        self._prompt_done = time.perf_counter() - self._waited

    def finished(self, reason: StopReason) -> Finished:
        """The end, with what it cost."""
        now = time.perf_counter() - self._waited
        return Finished(
            reason,
            Timings(
                self._prompt_tokens,
                self._evaluation.evaluated,
                len(self.tokens),
                1000 * (self._prompt_done - self._start),
                1000 * (now - self._prompt_done),
                self._evaluation.reused,
                self._evaluation.restored,
            ),
        )
