"""One run of the model, read by every later place that agrees with what it writes.

While somebody types, each keystroke asks anew. What is typed is mostly what the model is about to write, so the run
goes on and the newer request reads what is left of it. A run that nobody waits for any more goes on for a moment: the
next keystroke may agree. It stops at once on text that disagrees.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Literal

from assistant.completion.completer import Completer, Plan, better, both, final, second_guess, so_far
from assistant.completion.request import CompletionRequest
from assistant.completion.secrecy import may_begin
from assistant.completion.trim import Trimmed, after_blanks, trim_begun, trim_block, trim_line
from assistant.completion.window import Window
from assistant.context import RequestTimings
from assistant.llm import Cancel, Delta, StopReason
from assistant.stop import OwnStop
from indexer.errors import CancelledError, CodemoatError

GRACE = 0.15
"""Seconds that a run goes on without anybody waiting for it."""
_MOST_BEGUN = 3
"""Candidates for first words that a parser looks at: the model needs the processor meanwhile."""
_LOOK_AGAIN = 0.15
"""Seconds between looks at further words once the first are shown, for the same reason."""
_POLL = 0.01
"""Seconds between looks at the asker's cancel flag, which wakes nobody."""

Purpose = Literal["asked", "ahead", "other", "warm"]
"""Asked for; the suggestion that follows one which is being shown; another text for the same place; evaluating a prompt
that is likely to be asked.
"""


class Generation:
    """A run for one plan. Thread-safe; ends by itself, by ``stop``, or when nobody waits."""

    def __init__(
        self, completer: Completer, plan: Plan, purpose: Purpose, ended: Callable[[Generation], None] | None = None
    ) -> None:
        """``ended`` is called on the run's thread after its end."""
        self.plan = plan
        self.purpose: Purpose = purpose
        self.timings = RequestTimings()
        self._completer = completer
        self._stop = Cancel()
        self._changed = threading.Condition()
        self._text = ""
        self._complete: Trimmed | None = None
        self._block = plan.block
        self._written = False
        """Whether the model has ended, and a parser looks at what it wrote."""
        self._ended = False
        self._error: CodemoatError | None = None
        self._unheard: CodemoatError | None = None
        self._waiting = 0
        self._on_end = ended
        self._thread = threading.Thread(target=self._work, name=f"completion-{purpose}", daemon=True)

    def start(self) -> Generation:
        """Begin."""
        self._thread.start()
        return self

    @property
    def running(self) -> bool:
        """Whether the model still works on it."""
        return not self._ended

    @property
    def waiting(self) -> int:
        """How many wait for it."""
        return self._waiting

    @property
    def stopped(self) -> bool:
        """Whether it was told to stop before its end."""
        return self._stop.cancelled and self._complete is None

    @property
    def told(self) -> bool:
        """Whether what it writes is the model's first choice: what others may read, and what is remembered."""
        return self.purpose in ("asked", "ahead")

    @property
    def complete(self) -> Trimmed | None:
        """The completion of the plan's own place, once it is whole."""
        return self._complete

    @property
    def unheard(self) -> CodemoatError | None:
        """The error that ended it, if nobody waited who would have it raised."""
        return self._unheard

    def stop(self) -> None:
        """End it at once; whoever waits gets None."""
        self._stop.cancel()
        with self._changed:
            self._changed.notify_all()

    def join(self) -> None:
        """Wait until the model is free."""
        self._thread.join()

    def agrees(self, asked: CompletionRequest) -> bool:
        """Whether what was typed since is what it has written or may still write."""
        with self._changed:
            return self._left(asked) is not None

    def wait(
        self,
        asked: CompletionRequest,
        cancel: Cancel | None,
        patience: float | None = None,
        begun: tuple[float, str] | None = None,
    ) -> Trimmed | None:
        """The completion for ``asked``'s place as soon as it is whole; None when the run disagrees or was stopped.

        ``patience``: seconds after which whole lines are enough; ``begun``: seconds after which the first words are,
        where they are others than these. Raises what the model raised.
        """
        with self._changed:
            self._waiting += 1
        try:
            return self._wait(asked, cancel, patience, begun)
        finally:
            with self._changed:
                self._waiting -= 1
                alone = not self._waiting and not self._ended
            if alone:
                timer = threading.Timer(GRACE, self._stop_if_alone)
                timer.daemon = True
                timer.start()

    def _wait(
        self,
        asked: CompletionRequest,
        cancel: Cancel | None,
        patience: float | None,
        begun: tuple[float, str] | None,
    ) -> Trimmed | None:
        waited = 0.0
        window: Window | None = None
        looked_at, words_at = "", begun[0] if begun is not None else 0.0
        while True:
            with self._changed:
                if self._error is not None:
                    raise self._error
                if cancel is not None and cancel.cancelled:
                    return Trimmed("", "cancelled")
                left = self._left(asked)
                if left is None or self.stopped:
                    return None
                ended, whole = self._ended, self._complete
            if whole is not None and asked == self.plan.asked:
                return whole
            early = patience is not None and waited >= patience and "\n" in left.strip()
            words_due = begun is not None and waited >= words_at and bool(left.strip()) and not self._written
            if ended or (left != looked_at and (early or words_due)):
                window = window or self._completer.window(asked)
                looked_at, words_at = left, waited + (_LOOK_AGAIN if begun is not None and begun[1] else 0.0)
                if ended or early:
                    found = self._trimmed(left, window, asked, ended=ended)
                    if ended or found.text:
                        return found
                elif begun is not None and (words := self._begun(left, window, asked)) and words.text != begun[1]:
                    return words
            with self._changed:
                if not self._ended:
                    self._changed.wait(_POLL)
            waited += _POLL

    def _trimmed(self, left: str, window: Window, asked: CompletionRequest, *, ended: bool) -> Trimmed:
        """What is left as a completion of a place further on than the plan's."""
        language = self.plan.asked.language
        found = trim_block(left, window, language, final=ended) if self._block else trim_line(left, window, language)
        return self._completer.gate.fit(asked, found, window)

    def _begun(self, left: str, window: Window, asked: CompletionRequest) -> Trimmed | None:
        """The first words of what is left, if they may be shown."""
        words = trim_begun(left, window, self.plan.asked.language)
        if not words.text or not may_begin(asked, words.text):
            return None
        words = self._completer.gate.fit(asked, words, window, most=_MOST_BEGUN)
        # What replaces the line's rest is known only when the line is whole.
        return words if words.text and not words.replaces and "\n" not in words.text else None

    def _left(self, asked: CompletionRequest) -> str | None:
        """What is written beyond ``asked``'s cursor, "" if it may still come; None if the two disagree. Locked."""
        base = self.plan.asked
        if (asked.root, asked.path, asked.suffix) != (base.root, base.path, base.suffix) or not asked.prefix.startswith(
            base.prefix
        ):
            return None
        typed = asked.prefix[len(base.prefix) :]
        written = after_blanks(self._text, self.plan.window)
        if self._complete is not None and typed:
            written = self._complete.text
        if written.startswith(typed):
            return written[len(typed) :] if not self._ended or len(written) > len(typed) or not typed else None
        return "" if typed.startswith(written) and not self._ended else None

    def _work(self) -> None:
        try:
            self._run()
        except CodemoatError as exc:
            with self._changed:
                # Stopped while the model was loading: nothing failed.
                self._error = None if self._stop.cancelled and isinstance(exc, CancelledError) else exc
        finally:
            with self._changed:
                self._ended = True
                if self.purpose != "asked" and not self._waiting:
                    self._unheard = self._error
                self._changed.notify_all()
            if self._on_end is not None:
                self._on_end(self)

    def _run(self) -> None:
        fitted = self._fitted(self.plan)
        other = second_guess(self.plan, fitted, self._completer.llm) if fitted is not None else None
        if other is not None:
            first = self.timings
            with self._changed:
                self._text, self._block = "", self.plan.block
            fitted = self._fitted(other)
            self.timings = both(first, self.timings)
        with self._changed:
            self._complete = fitted

    def _fitted(self, plan: Plan) -> Trimmed | None:
        """What the model writes, as far as it fits, with the block that it opens; None where it was stopped."""
        found = self._write(plan)
        if found is None:
            return None
        fitted = self._completer.fit(plan, found)
        whole = self._completer.continued(plan, self._text, found, fitted)
        if whole is None:
            return fitted
        first = self.timings
        with self._changed:
            self._text, self._block = whole.begun, True
        block = self._write(whole)
        self.timings = both(first, self.timings)
        return better(fitted, self._completer.fit(whole, block)) if block is not None else None

    def _write(self, plan: Plan) -> Trimmed | None:
        """Let the model write; None where it was stopped before that was complete."""
        reason: StopReason = "stop"
        done: Trimmed | None = None
        stop = OwnStop(self._stop)
        self._written = False
        sampling = replace(plan.sampling, ahead=self.purpose == "ahead")
        for piece in self._completer.llm.fill(plan.request, sampling, stop):
            if not isinstance(piece, Delta):
                reason, self._written = piece.stop_reason, True
                self.timings = RequestTimings(**asdict(piece.timings))
                continue
            if stop.cancelled:
                continue
            with self._changed:
                self._text += piece.text
                self._changed.notify_all()
            if plan.block and "\n" in piece.text and (trimmed := so_far(self._text, plan)).done:
                done = trimmed
                self._written = True
                stop.cancel()
        if done is None and reason == "cancelled" and self.purpose == "ahead":
            self._stop.cancel()  # by a question: whoever reads it by now begins a run of their own
        if self._stop.cancelled or done is not None:
            return None if self._stop.cancelled else done
        return final(self._text, plan, reason)

    def _stop_if_alone(self) -> None:
        with self._changed:
            alone = not self._waiting and not self._ended and self.purpose == "asked"
        if alone:
            self.stop()
