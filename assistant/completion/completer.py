"""A cursor → one completion: context, generation, trimming."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial

from assistant.completion.gate import SYNTAX, Gate
from assistant.completion.nearby import NearSnippet, for_completion
from assistant.completion.request import Completion, CompletionRequest, CompletionSettings
from assistant.completion.secrecy import SECRET_LINE, holds_secret, mask_around, without_secrets
from assistant.completion.settled import Place, SettledContext
from assistant.completion.trim import (
    Trimmed,
    after_blanks,
    blanks_at_end,
    opens,
    opens_tag,
    opens_text,
    trim_block,
    trim_line,
    wants_block,
)
from assistant.completion.window import Window, same_lines, window
from assistant.context import CodeIndex, RequestTimings
from assistant.llm import LLM, Cancel, Delta, FillRequest, Sampling, StopReason
from assistant.stop import OwnStop
from indexer.types import Span

LINE_TOKENS = 64
"""Most tokens of a line: 100 columns of code are 30 to 40."""
SPARE_TOKENS = 64
"""Room in the context for the format's own tokens and the line being typed."""
_COUNTS_KEPT = 4_000
"""Lines whose tokens were counted: those of some windows. A line more is 200 bytes."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked of the model for one place."""

    asked: CompletionRequest
    """With line feeds only: what models were trained on."""
    request: FillRequest
    context: tuple[NearSnippet, ...]
    window: Window
    """As the document has it; ``request`` has its secrets masked where the model is another server's."""
    block: bool
    """Whether several lines are wanted."""
    sampling: Sampling
    retrieval_ms: float
    begun: str = ""
    """What the model wrote before and goes on with here; part of the completion."""


class Completer:
    """Completes code with ``llm``; ``index``, where there is one, gives context from other files."""

    def __init__(
        self,
        index: CodeIndex | None,
        llm: LLM,
        settings: CompletionSettings | None = None,
        *,
        gate: Gate | None = None,
    ) -> None:
        """``gate``: what suggestions must pass; by default one that a keystroke can wait for."""
        self._index = index
        self.llm = llm
        self.gate = gate or Gate()
        self.settings = settings or CompletionSettings()
        self._counts: dict[str, int] = {}
        self._settled = SettledContext()
        self._lock = threading.Lock()

    def complete(self, request: CompletionRequest, cancel: Cancel | None = None) -> Completion:
        """The completion at the cursor; its ``text`` is empty, with a reason, when none is worth showing.

        The prompt is context, then suffix, then prefix. Typing on changes nothing but its end, so that the model
        evaluates only what was typed. Raises UnsupportedModelError if the model cannot fill, PromptTooLongError if its
        context is too small even for the line, and what the index and the model raise.
        """
        if holds_secret(unix(request)):
            return answer(request, Trimmed("", SECRET_LINE), None, RequestTimings(), reused=True)
        plan = self.plan(request)
        fitted, timings = self._fitted(plan, cancel)
        other = second_guess(plan, fitted, self.llm)
        if other is not None:
            fitted, more = self._fitted(other, cancel)
            timings = both(timings, more)
        return answer(request, fitted, plan, timings)

    def _fitted(self, plan: Plan, cancel: Cancel | None) -> tuple[Trimmed, RequestTimings]:
        """What the model writes, as far as it fits, and with its block where it opens one."""
        trimmed, text, timings = self._generate(plan, cancel)
        fitted = self.fit(plan, trimmed)
        whole = self.continued(plan, text, trimmed, fitted)
        if whole is not None:
            trimmed, _, more = self._generate(whole, cancel)
            timings = both(timings, more)
            fitted = better(fitted, self.fit(whole, trimmed))
        return fitted, timings

    def fit(self, plan: Plan, trimmed: Trimmed) -> Trimmed:
        """What of a text leaves the plan's file with no more syntax errors than it has."""
        return self.gate.fit(plan.asked, trimmed, plan.window)

    def continued(self, plan: Plan, text: str, trimmed: Trimmed, fitted: Trimmed) -> Plan | None:
        """What to ask for where a single line opens a block that the file does not have: the line and its block.

        ``text``: as the model wrote it; ``trimmed``: the line of it; ``fitted``: what of that may be shown.
        """
        if plan.block or not self.settings.multiline or plan.window.line_after.strip() or trimmed.reason != "line":
            return None
        before, line, language = plan.window.prefix, trimmed.text, plan.asked.language
        whole = plan.window.line_before + line
        if line == fitted.text or not (opens(whole) or opens_tag(whole, language) or opens_text(before, line)):
            return None
        begun = text.split("\n", 1)[0] + "\n"
        request = replace(plan.request, prefix=plan.request.prefix + begun)
        sampling = Sampling(self.settings.max_tokens)
        return replace(plan, request=request, block=True, begun=begun, sampling=sampling)

    def plan(self, request: CompletionRequest, *, share: float = 1.0, idle: bool = False) -> Plan:
        """Windows and context within the budget; ``share`` of it where the machine is slow or busy.

        ``idle``: nobody waits for it, so the context may change.
        """
        started = time.perf_counter()
        self.gate.start()
        asked, settings = unix(request), self.settings
        budget = self._budget(share)
        around, shown = self._windows(asked, budget)
        context: tuple[NearSnippet, ...] = ()
        if self._index is not None and settings.context_share > 0:
            tokens = int(budget * settings.context_share)
            document = asked.path, asked.prefix, asked.suffix
            find = partial(for_completion, self._index, *document, shown, tokens, self._count)
            # The line after the cursor counts for nothing: it changes with every bracket that an editor closes.
            place = Place(len(asked.prefix) - len(around.prefix), "".join(around.below))
            with self._lock:
                context = self._settled.choose(asked.path, place, find, anew=idle)
        # Blanks at the very end would have to be tokens of their own: models write them together with the next word.
        held = blanks_at_end(around.line_before)
        prefix = shown.prefix.removesuffix(held)
        fill = FillRequest(asked.path, prefix, shown.suffix, tuple(near.snippet for near in context))
        block, limit = settings.multiline and wants_block(around), settings.max_tokens
        sampling = Sampling(limit) if block else Sampling(min(limit, LINE_TOKENS), stop=("\n",))
        spent = (time.perf_counter() - started) * 1e3
        return Plan(asked, fill, context, around, block, sampling, spent)

    def window(self, asked: CompletionRequest) -> Window:
        """What of the document the model is shown, secrets included, which another server's model is not."""
        return self._windows(asked, self._budget(1.0))[0]

    def _windows(self, asked: CompletionRequest, budget: int) -> tuple[Window, Window]:
        """The window, and the same as the model is shown it: masked where another server runs it.

        A remote tokenizer gets masked lines too; what the model writes is fitted to the lines as they are.
        """
        settings = self.settings
        shares = int(budget * settings.prefix_share), int(budget * settings.suffix_share)
        if not self.llm.info.remote:
            whole = window(asked.prefix, asked.suffix, *shares, self._count)
            return whole, whole
        masked = mask_around(asked.prefix, asked.suffix, asked.path, asked.language)
        shown = window(masked.prefix, masked.suffix, *shares, self._count)
        return same_lines(asked.prefix, asked.suffix, shown), shown

    def _budget(self, share: float) -> int:
        """Tokens of the prompt."""
        settings = self.settings
        room = self.llm.info.context_tokens - settings.max_tokens - SPARE_TOKENS
        return max(0, min(int(settings.prompt_tokens * share), room))

    def _generate(self, plan: Plan, cancel: Cancel | None) -> tuple[Trimmed, str, RequestTimings]:
        """Ask the model until the line or block is complete; the text as it wrote it, too."""
        stop = OwnStop(cancel)
        text = plan.begun
        trimmed = Trimmed("", "empty")
        stop_reason: StopReason = "stop"
        timings = RequestTimings()
        for piece in self.llm.fill(plan.request, plan.sampling, stop):
            if not isinstance(piece, Delta):
                stop_reason = piece.stop_reason
                timings = RequestTimings(**asdict(piece.timings))
            elif not stop.cancelled:
                text += piece.text
                if plan.block and "\n" in piece.text:
                    trimmed = so_far(text, plan)
                    if trimmed.done:
                        stop.cancel()
        if stop.asked:
            return Trimmed("", "cancelled"), text, timings
        if not trimmed.done:
            trimmed = final(text, plan, stop_reason)
        return trimmed, text, timings

    def _count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text; lines seen before are not counted again, so that a keystroke counts next to nothing."""
        new = [text for text in dict.fromkeys(texts) if text not in self._counts]
        if len(self._counts) + len(new) > _COUNTS_KEPT:
            self._counts.clear()
            new = list(dict.fromkeys(texts))
        if new:
            self._counts.update(zip(new, self.llm.count(new), strict=True))
        return [self._counts[text] for text in texts]


def second_guess(plan: Plan, found: Trimmed, llm: LLM) -> Plan | None:
    """What to ask for where nothing of the model's first guess can be shown; None where there is no other.

    It says what stands next or after the cursor, or does not fit: in an empty argument list it is often just ``)``.
    Somebody who puts the cursor there wants something else. So it is where the model begins a new line before the rest.
    """
    wanted = ("repeats", SYNTAX, "empty") if plan.window.line_after.strip() else ("repeats", SYNTAX)
    if found.text or found.reason not in wanted or plan.sampling.alternative or not llm.info.alternatives:
        return None
    if plan.sampling.max_tokens <= 0:  # only the prompt was evaluated
        return None
    return replace(plan, sampling=replace(plan.sampling, alternative=1))


def better(line: Trimmed, block: Trimmed) -> Trimmed:
    """The block that begins with a line, where it has more lines than this; else the line as it may be shown."""
    return block if block.text.count("\n") > line.text.count("\n") else line


def both(first: RequestTimings, second: RequestTimings) -> RequestTimings:
    """What two generations from one prompt cost together."""
    return replace(
        first,
        evaluated_tokens=first.evaluated_tokens + second.evaluated_tokens,
        generated_tokens=first.generated_tokens + second.generated_tokens,
        prompt_ms=first.prompt_ms + second.prompt_ms,
        generation_ms=first.generation_ms + second.generation_ms,
    )


def so_far(text: str, plan: Plan) -> Trimmed:
    """The completion while the model still writes."""
    shown = after_blanks(text, plan.window)
    return trim_block(shown, plan.window, plan.asked.language, final=False) if plan.block else Trimmed(shown, "line")


def final(text: str, plan: Plan, stop_reason: StopReason) -> Trimmed:
    """The completion when the model said all it would."""
    text = after_blanks(text, plan.window)
    if not plan.block:
        trimmed = trim_line(text, plan.window, plan.asked.language)
    else:
        # The last line of a text that was cut off is a fragment, worth less than nothing below whole lines.
        whole = text.rpartition("\n")[0] if stop_reason == "length" and "\n" in text.strip() else text
        trimmed = trim_block(whole, plan.window, plan.asked.language, final=True)
    return replace(trimmed, reason="length") if stop_reason == "length" and trimmed.text else trimmed


def answer(
    request: CompletionRequest, trimmed: Trimmed, plan: Plan | None, timings: RequestTimings, *, reused: bool = False
) -> Completion:
    """What the asker gets: without secrets, in his line ends, with the span that is replaced.

    ``plan``: None if none was needed.
    """
    trimmed = without_secrets(unix(request), trimmed)
    carriage = "\r\n" in request.prefix or "\r\n" in request.suffix
    return Completion(
        trimmed.text.replace("\n", "\r\n") if carriage else trimmed.text,
        _replaced(request, trimmed.replaces),
        reused,
        trimmed.reason,
        replace(timings, retrieval_ms=plan.retrieval_ms if plan else 0.0),
        tuple(map(str, plan.context)) if plan else (),
    )


def unix(request: CompletionRequest) -> CompletionRequest:
    """The request with line feeds only."""
    if "\r\n" not in request.prefix and "\r\n" not in request.suffix:
        return request
    prefix = request.prefix.replace("\r\n", "\n")
    return replace(request, prefix=prefix, suffix=request.suffix.replace("\r\n", "\n"))


def _replaced(request: CompletionRequest, characters: int) -> Span:
    """The span from the cursor over the next ``characters`` characters of its line."""
    start = len(request.prefix.encode())
    line = request.prefix.count("\n") + 1
    return Span(start, start + len(request.suffix[:characters].encode()), line, line)
