"""A cursor → one completion: context, generation, trimming."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from assistant.completion.nearby import NearSnippet, for_completion
from assistant.completion.request import Completion, CompletionRequest, CompletionSettings
from assistant.completion.trim import Trimmed, after_blanks, blanks_at_end, trim_block, trim_line, wants_block
from assistant.completion.window import Window, window
from assistant.context import CodeIndex, RequestTimings
from assistant.llm import LLM, Cancel, Delta, FillRequest, Sampling, StopReason
from assistant.stop import OwnStop
from indexer.types import Span

LINE_TOKENS = 64
"""Most tokens of a line: 100 columns of code are 30 to 40."""
SPARE_TOKENS = 64
"""Room in the context for the format's own tokens and the line being typed."""
_COUNTS_KEPT = 20_000


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is asked of the model."""

    request: FillRequest
    context: tuple[NearSnippet, ...]
    window: Window
    block: bool


class Completer:
    """Completes code with ``llm``; ``index``, where there is one, gives context from other files."""

    def __init__(self, index: CodeIndex | None, llm: LLM, settings: CompletionSettings | None = None) -> None:
        self._index = index
        self._llm = llm
        self._settings = settings or CompletionSettings()
        self._counts: dict[str, int] = {}

    def complete(self, request: CompletionRequest, cancel: Cancel | None = None) -> Completion:
        """The completion at the cursor; its ``text`` is empty, with a reason, when none is worth showing.

        The prompt is context, then suffix, then prefix. Typing on changes nothing but its end, so that the model
        evaluates only what was typed. Raises UnsupportedModelError if the model cannot fill, PromptTooLongError if its
        context is too small even for the line, and what the index and the model raise.
        """
        started = time.perf_counter()
        carriage = "\r\n" in request.prefix or "\r\n" in request.suffix
        plan = self._plan(_unix(request) if carriage else request)
        retrieval_ms = (time.perf_counter() - started) * 1e3
        trimmed, timings = self._generate(plan, request.language, cancel)
        return Completion(
            trimmed.text.replace("\n", "\r\n") if carriage else trimmed.text,
            _replaced(request, trimmed.replaces),
            False,
            trimmed.reason,
            replace(timings, retrieval_ms=retrieval_ms),
            tuple(map(str, plan.context)),
        )

    def _plan(self, request: CompletionRequest) -> _Plan:
        """Windows and context within the budget."""
        settings = self._settings
        room = self._llm.info.context_tokens - settings.max_tokens - SPARE_TOKENS
        budget = max(0, min(settings.prompt_tokens, room))
        around = window(
            request.prefix,
            request.suffix,
            int(budget * settings.prefix_share),
            int(budget * settings.suffix_share),
            self._count,
        )
        context: tuple[NearSnippet, ...] = ()
        if self._index is not None and settings.context_share > 0:
            tokens = int(budget * settings.context_share)
            context = for_completion(self._index, request.path, request.prefix, around, tokens, self._count)
        # Blanks at the very end would have to be tokens of their own: models write them together with the next word.
        held = blanks_at_end(around.line_before)
        prefix = around.prefix.removesuffix(held)
        fill = FillRequest(request.path, prefix, around.suffix, tuple(near.snippet for near in context))
        return _Plan(fill, context, around, settings.multiline and wants_block(around))

    def _generate(self, plan: _Plan, language: str, cancel: Cancel | None) -> tuple[Trimmed, RequestTimings]:
        """Ask the model until the line or block is complete."""
        limit = self._settings.max_tokens
        sampling = Sampling(limit) if plan.block else Sampling(min(limit, LINE_TOKENS), stop=("\n",))
        stop = OwnStop(cancel)
        text = ""
        trimmed = Trimmed("", "empty")
        stop_reason: StopReason = "stop"
        timings = RequestTimings()
        for piece in self._llm.fill(plan.request, sampling, stop):
            if not isinstance(piece, Delta):
                stop_reason = piece.stop_reason
                timings = RequestTimings(**asdict(piece.timings))
            elif not stop.cancelled:
                text += piece.text
                if plan.block and "\n" in piece.text:
                    trimmed = trim_block(after_blanks(text, plan.window), plan.window, language, final=False)
                    if trimmed.done:
                        stop.cancel()
        if stop.asked:
            return Trimmed("", "cancelled"), timings
        if not trimmed.done:
            trimmed = _final(text, plan, language, stop_reason)
        return trimmed, timings

    def _count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text; lines seen before are not counted again, so that a keystroke counts next to nothing."""
        new = [text for text in dict.fromkeys(texts) if text not in self._counts]
        if len(self._counts) + len(new) > _COUNTS_KEPT:
            self._counts.clear()
            new = list(dict.fromkeys(texts))
        if new:
            self._counts.update(zip(new, self._llm.count(new), strict=True))
        return [self._counts[text] for text in texts]


def _final(text: str, plan: _Plan, language: str, stop_reason: StopReason) -> Trimmed:
    """The completion when the model said all it would."""
    text = after_blanks(text, plan.window)
    if not plan.block:
        trimmed = trim_line(text, plan.window, language)
    else:
        # The last line of a text that was cut off is a fragment, worth less than nothing below whole lines.
        whole = text.rpartition("\n")[0] if stop_reason == "length" and "\n" in text.strip() else text
        trimmed = trim_block(whole, plan.window, language, final=True)
    return replace(trimmed, reason="length") if stop_reason == "length" and trimmed.text else trimmed


def _unix(request: CompletionRequest) -> CompletionRequest:
    """The request with line feeds only: what models were trained on."""
    prefix = request.prefix.replace("\r\n", "\n")
    return replace(request, prefix=prefix, suffix=request.suffix.replace("\r\n", "\n"))


def _replaced(request: CompletionRequest, characters: int) -> Span:
    """The span from the cursor over the next ``characters`` characters of its line."""
    start = len(request.prefix.encode())
    line = request.prefix.count("\n") + 1
    return Span(start, start + len(request.suffix[:characters].encode()), line, line)
