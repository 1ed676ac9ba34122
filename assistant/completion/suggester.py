"""Keystrokes → suggestions, asking the model as seldom as possible: what editors talk to.

In this order: a suggestion that is known already (``reuse``), a run that agrees with what is typed
(``generation``), a new run. After a suggestion was shown, the one that would follow its acceptance is generated ahead;
while somebody only reads, ``warm`` evaluates the prompt that a keystroke would need.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import replace

from assistant.completion.completer import Completer, Plan, answer, unix
from assistant.completion.generation import Generation, Purpose
from assistant.completion.pace import Pace
from assistant.completion.request import Completion, CompletionRequest
from assistant.completion.reuse import Suggestion, SuggestionCache
from assistant.completion.secrecy import SECRET_LINE, holds_secret
from assistant.completion.trim import Trimmed
from assistant.context import RequestTimings
from assistant.llm import Cancel
from indexer.errors import CodemoatError

FIRST_ANSWER = 1.0
"""Seconds after which whole lines of a block are shown although more may come."""
FIRST_WORDS = 0.15
"""Seconds after which the first words of a line are shown, where the asker takes them: four tokens on two cores."""

OTHERS = 2
"""Completions that can be cycled through beside the first."""
OTHERS_TIME = 1.0
"""Seconds after which no further one is begun: somebody waits."""
_OTHERS_KEPT = 8
"""Places whose other completions are kept; each holds its document."""


class Suggester:
    """Suggestions for one user. Threads may share it; the latest request wins, an older one is answered "cancelled"."""

    def __init__(
        self,
        completer: Completer | Callable[[CompletionRequest], Completer],
        pace: Pace | None = None,
        *,
        patience: float = FIRST_ANSWER,
        failed: Callable[[CodemoatError], None] | None = None,
    ) -> None:
        """``completer``: one for all, or which one a request's ``root`` has; they share a model.

        ``failed`` gets, in any thread, the error of a run that nobody waits for.
        """
        self._failed = failed
        self._completer_of = (lambda _: completer) if isinstance(completer, Completer) else completer
        self._patience = patience
        self.pace = pace or Pace()
        self._cache = SuggestionCache()
        self._lock = threading.Lock()
        self._run: Generation | None = None
        self._latest = 0
        """Number of the latest request or change: what waits for an older one may give up."""
        self._others: OrderedDict[CompletionRequest, list[Trimmed]] = OrderedDict()
        self.counts: Counter[str] = Counter()
        """How requests were answered: exact, trimmed, look-back, attached, model; and runs: started, stopped."""

    def suggest(
        self, request: CompletionRequest, cancel: Cancel | None = None, *, begun: str | None = None
    ) -> Completion:
        """The completion at the cursor, from wherever it is known; empty with a reason when there is none.

        ``begun``: what is shown so far, "" for nothing; the answer may then be the first words of a line, with the
        reason "begun", and the asker shows them and asks again with them. Raises what ``Completer.complete`` raises.
        """
        asked = unix(request)
        known = self.known(request)
        if known is not None:
            return known
        if cancel is not None and cancel.cancelled:
            # It was overtaken while it waited: it must not stop the run of who overtook it.
            return answer(request, Trimmed("", "cancelled"), None, RequestTimings())
        with self._lock:
            self._latest = ticket = self._latest + 1
        trimmed: Trimmed | None = None
        while trimmed is None:
            run, attached = self._run_for(asked)
            # What a run has written already is shown at once, so that nothing flickers while one types into it.
            words = None if begun is None else (0.0 if attached and not begun else FIRST_WORDS, begun)
            trimmed = run.wait(asked, cancel, self._patience, words)
            if trimmed is None and self._latest != ticket:
                trimmed = Trimmed("", "cancelled")
        self.counts["attached" if attached else "model"] += 1
        if trimmed.reason not in ("cancelled", "begun"):
            self._remember(asked, trimmed)
        timings = RequestTimings() if attached else run.timings
        done = answer(request, trimmed, None if attached else run.plan, timings, reused=attached)
        # Who reads what another began has its time from nowhere, but the same context.
        return replace(done, context=tuple(map(str, run.plan.context)))

    def known(self, request: CompletionRequest) -> Completion | None:
        """The completion at the cursor if no model call is needed for it; takes less than a millisecond.

        On a line that holds a secret it is empty, whatever is known.
        """
        asked = unix(request)
        if holds_secret(asked):
            return answer(request, Trimmed("", SECRET_LINE), None, RequestTimings(), reused=True)
        found = self._known(asked)
        return None if found is None else answer(request, _trimmed(found), None, RequestTimings(), reused=True)

    def others(self, request: CompletionRequest, first: Completion, cancel: Cancel | None = None) -> list[Completion]:
        """Other completions than ``first`` for its place, by other first words after the same evaluated prompt.

        At most ``OTHERS``, and what is there after ``OTHERS_TIME``; they step aside for any newer request or keystroke.
        """
        asked = unix(request)
        with self._lock:
            ticket = self._latest
            kept = self._others.get(asked)
            plan = self._run.plan if self._run is not None and self._run.told else None
        if kept is None:
            if plan is None or plan.asked != asked:
                completer = self._completer_of(asked)
                plan = completer.plan(asked, share=self.pace.share(completer.settings.prompt_tokens))
            kept = self._look_for_others(plan, first.text.replace("\r\n", "\n"), ticket, cancel)
        found = [answer(request, trimmed, None, RequestTimings(), reused=True) for trimmed in kept]
        return [completion for completion in found if completion.text]

    def _look_for_others(self, plan: Plan, first: str, ticket: int, cancel: Cancel | None) -> list[Trimmed]:
        """See ``others``; remembered once all were looked at."""
        completer = self._completer_of(plan.asked)
        if not completer.llm.info.alternatives:
            return []
        found: dict[str, Trimmed] = {}
        until = time.monotonic() + OTHERS_TIME
        for rank in range(1, OTHERS + 2):  # one more than wanted: some come to the same
            with self._lock:
                if self._latest != ticket or (cancel is not None and cancel.cancelled):
                    return list(found.values())
                if self._run is not None and self._run.running and not self._run.stopped:
                    self._stop(self._run)
                other = replace(plan, sampling=replace(plan.sampling, alternative=rank))
                run = self._begin(completer, other, "other")
            trimmed = run.wait(plan.asked, cancel, self._patience)
            run.stop()
            if trimmed is None or trimmed.reason == "cancelled":
                return list(found.values())
            if trimmed.text and trimmed.text != first:
                found.setdefault(trimmed.text, trimmed)
            if len(found) == OTHERS or time.monotonic() > until:
                break
        with self._lock:
            self._others[plan.asked] = list(found.values())
            while len(self._others) > _OTHERS_KEPT:
                self._others.popitem(last=False)
        return list(found.values())

    def typed(self, request: CompletionRequest) -> None:
        """The document changed to this, whether or not a suggestion is wanted: a run that disagrees stops now."""
        asked = unix(request)
        with self._lock:
            self._latest += 1
            self.pace.keystroke()
            run = self._run
            if run is not None and run.running and run.purpose != "warm" and not (run.told and run.agrees(asked)):
                self._stop(run)

    def shown(self, request: CompletionRequest, completion: Completion) -> None:
        """``completion`` is on the screen: generate what would follow its acceptance, as long as nothing else runs."""
        if not completion.text:
            return
        asked, text = unix(request), completion.text.replace("\r\n", "\n")
        replaced = completion.replace.end_byte - completion.replace.start_byte
        suffix = asked.suffix.encode()[replaced:].decode("utf-8", "replace") if replaced else asked.suffix
        after = replace(asked, prefix=asked.prefix + text, suffix=suffix)
        self._begin_idle(after, "ahead")

    def warm(self, request: CompletionRequest) -> None:
        """Somebody reads here: evaluate the prompt that a keystroke would need, as long as nothing else runs."""
        self._begin_idle(unix(request), "warm")

    def forget(self, path: str, root: str = "") -> None:
        """Drop what is known of a file: it changed by other hands."""
        with self._lock:
            self._cache.forget(path, root)
            self._others.clear()

    def close(self) -> None:
        """Stop what runs, and wait until the model is free."""
        with self._lock:
            run = self._run
            if run is not None:
                run.stop()
        if run is not None:
            run.join()

    def _known(self, asked: CompletionRequest) -> Suggestion | None:
        with self._lock:
            found = self._cache.find(asked)
            if found is None:
                return None
            self.counts[found.kind] += 1
            return found.suggestion

    def _run_for(self, asked: CompletionRequest) -> tuple[Generation, bool]:
        """The run that will answer, and whether it was there already."""
        completer = self._completer_of(asked)
        with self._lock:
            run = self._run
            if run is not None and run.running:
                if run.told and not run.stopped and run.agrees(asked):
                    return run, True
                self._stop(run)
            share = self.pace.share(completer.settings.prompt_tokens)
        # Looking for context takes milliseconds, in which others may look into the cache.
        plan = completer.plan(asked, share=share)
        with self._lock:
            if self._run is not None and self._run.running and not self._run.stopped:
                self._stop(self._run)
            return self._begin(completer, plan, "asked"), False

    def _begin_idle(self, asked: CompletionRequest, purpose: Purpose) -> None:
        if holds_secret(asked):
            return
        completer = self._completer_of(asked)
        with self._lock:
            busy = self._run is not None and self._run.running and not self._run.stopped
            if self._run is not None and self._run.purpose == "warm" and busy:
                if purpose == "warm" and self._run.plan.asked == asked:
                    return
                self._stop(self._run)
                busy = False
            if busy or (purpose == "ahead" and (self.pace.busy or self._cache.find(asked) is not None)):
                return
            share = self.pace.share(completer.settings.prompt_tokens)
        plan = completer.plan(asked, share=share, idle=purpose == "warm")
        if purpose == "warm":
            plan = replace(plan, sampling=replace(plan.sampling, max_tokens=0))
        with self._lock:
            if self._run is None or not self._run.running or self._run.stopped:
                self._begin(completer, plan, purpose)

    def _begin(self, completer: Completer, plan: Plan, purpose: Purpose) -> Generation:
        """Start a run; the model's host takes runs one after the other, and a stopped one ends at once. Locked."""
        self.counts["started"] += 1
        self._run = Generation(completer, plan, purpose, self._ended).start()
        return self._run

    def _stop(self, run: Generation) -> None:
        self.counts["stopped"] += 1
        run.stop()

    def _ended(self, run: Generation) -> None:
        with self._lock:
            if run.told and not run.stopped:
                self.pace.answered(run.timings)
        if run.unheard is not None and self._failed is not None:
            self._failed(run.unheard)
        if run.told and (whole := run.complete) is not None:
            self._remember(run.plan.asked, whole)

    def _remember(self, asked: CompletionRequest, trimmed: Trimmed) -> None:
        with self._lock:
            self._cache.put(asked, Suggestion(trimmed.text, trimmed.reason, trimmed.replaces))


def _trimmed(found: Suggestion) -> Trimmed:
    return Trimmed(found.text, found.reason, found.replaces)
