"""Suggestions at the cursor: ``textDocument/inlineCompletion``, and ``textDocument/completion`` as a fallback."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from lsprotocol import types

from assistant.completion.request import Completion, CompletionRequest
from assistant.llm import Cancel
from indexer.errors import CodemoatError, IndexStoreError
from lsp.convert import language_of
from lsp.decisions import ACCEPT, REASONS, Decision, Offer
from lsp.jobs import DroppedError, result
from lsp.popup import Popup
from lsp.protocol import sentence

if TYPE_CHECKING:
    from lsp.documents import Document, Snapshot
    from lsp.folders import Located
    from lsp.server import Server

_TELLING = 1.0
"""Seconds that a request waits for the suggester to know of the edits before it; that takes milliseconds."""
_LOOK = 0.01
"""Seconds between looks at whether a request that waits for the next keystroke is still wanted."""


@dataclass(frozen=True, slots=True)
class _Selected:
    """The entry of the editor's own list that a suggestion must begin with."""

    text: str
    range: types.Range


@dataclass(frozen=True, slots=True)
class _Asked:
    """One request, as of the moment it came."""

    document: Snapshot
    notebook: str | None
    cells: tuple[str, str]
    position: types.Position
    trigger: str
    selected: _Selected | None
    ticket: int
    words: str | None
    """First words that the client shows here; None where it does not take any."""
    context: tuple[str, ...]
    """What these words were written with."""
    typing: Future[None] | None
    """Telling of the edits before it; told later, they would be taken for newer than the request."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a worker found. ``request``: None where nothing was asked."""

    outcome: str
    reason: str
    completion: Completion | None = None
    request: CompletionRequest | None = None
    failure: CodemoatError | None = None
    others: tuple[Completion, ...] = ()
    """For an invoked request: what can be cycled through."""


class InlineCompletion:
    """Requests on the event loop, answers from the completion lane; the latest request wins."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._latest = 0
        self._typing: Future[None] | None = None
        self._begun: tuple[tuple[str, int, types.Position], Decision] | None = None
        """First words that were sent last, and for which place."""
        self._popup = Popup(server)
        server.handle(types.TEXT_DOCUMENT_INLINE_COMPLETION, self.inline)
        server.handle(types.TEXT_DOCUMENT_COMPLETION, self.popup)

    async def inline(self, params: types.InlineCompletionParams) -> types.InlineCompletionList:
        """One item, and for an invoked request others to cycle through; a command tells that one was accepted."""
        invoked = params.context.trigger_kind == types.InlineCompletionTriggerKind.Invoked
        selected = params.context.selected_completion_info
        chosen = _Selected(selected.text, selected.range) if selected is not None else None
        trigger = "invoked" if invoked else "automatic"
        decision, answer = await self._answer(params.text_document.uri, params.position, trigger, chosen)
        if decision is None or answer is None or not decision.text:
            return types.InlineCompletionList([])
        item = types.InlineCompletionItem(
            insert_text=(chosen.text if chosen else "") + decision.text,
            range=self._range(params.position, answer, chosen),
            command=types.Command("Accept", ACCEPT, arguments=[decision.id, *self._more(params, answer, decision)]),
        )
        return types.InlineCompletionList(
            [item, *(self._other(params, answer, each, chosen) for each in answer.others)]
        )

    def _other(
        self, params: types.InlineCompletionParams, answer: _Answer, completion: Completion, chosen: _Selected | None
    ) -> types.InlineCompletionItem:
        """Another item for the same place, with a decision of its own, so that taking it can be told."""
        server, place = self._server, params.position
        document = server.documents.get(params.text_document.uri)
        decision = Decision(
            server.decisions.next_id(), params.text_document.uri, document.version if document is not None else -1,
            place.line, place.character, "invoked", "suggested", REASONS["other"], completion.text,
            reused=completion.reused,
        )  # fmt: skip
        assert answer.request is not None
        server.decisions.add_other(decision, Offer(answer.request, completion))
        return types.InlineCompletionItem(
            insert_text=(chosen.text if chosen else "") + completion.text,
            range=self._range(place, replace(answer, completion=completion), chosen),
            command=types.Command("Accept", ACCEPT, arguments=[decision.id]),
        )

    def _more(self, params: types.InlineCompletionParams, answer: _Answer, decision: Decision) -> list[dict[str, bool]]:
        """What tells the client to ask again, after the first words of a suggestion."""
        completion, request = answer.completion, answer.request
        if completion is None or request is None or completion.stop_reason != "begun":
            return []
        self._begun = (params.text_document.uri, request.version, params.position), decision
        return [{"more": True}]

    async def popup(self, params: types.CompletionParams) -> types.CompletionList:
        """The same suggestion as an entry of the list, where the setting wants it."""
        if not self._server.options.config().editor.popup:
            return types.CompletionList(is_incomplete=False, items=[])
        found = await self._popup.within_limit(
            lambda waited: self._answer(params.text_document.uri, params.position, "popup", None, waited)
        )
        decision, answer = found or (None, None)
        if decision is None or answer is None or not decision.text:
            return types.CompletionList(is_incomplete=True, items=[])
        assert answer.request is not None
        end = self._range(params.position, answer, None).end
        entry = self._popup.entry(params.position, end, answer.request.prefix, decision)
        return types.CompletionList(is_incomplete=True, items=[entry] if entry is not None else [])

    def typed(self, document: Document, position: types.Position) -> None:
        """Text changed here, whether or not a suggestion is wanted: let a run that disagrees stop."""
        suggester = self._server.model.present
        if suggester is None or document.too_large:
            return
        asked = self._asked(document, position, "automatic", None)
        self._typing = self._server.jobs.typing.submit(lambda: suggester.typed(self._request(asked)[1]), document.uri)

    def warm(self, document: Document, position: types.Position) -> None:
        """Somebody reads here: let the prompt be evaluated that a keystroke would need."""
        server = self._server
        if server.model.state != "ready":
            return
        if document.too_large or server.model.blocked or self._off(document, automatic=True) is not None:
            return
        asked = self._asked(document, position, "automatic", None)

        def work() -> None:
            located, request = self._request(asked)
            if located.folder is not None and located.folder.refuses(located.path) is not None:
                return
            try:
                server.model.suggester.warm(request)
            except CodemoatError as exc:
                server.model_failed(exc)

        server.jobs.ahead.submit(work, (document.uri, "warm"))

    def shown(self, id_: str) -> None:
        """A suggestion is on the screen: generate what would follow its acceptance."""
        server = self._server
        offer, suggester = server.decisions.offer(id_), server.model.present
        if offer is None or suggester is None:
            return

        def work() -> None:
            try:
                suggester.shown(offer.request, offer.completion)
            except CodemoatError as exc:
                server.model_failed(exc)

        server.jobs.ahead.submit(work, "ahead")

    async def _answer(
        self,
        uri: str,
        position: types.Position,
        trigger: str,
        selected: _Selected | None,
        waited: Callable[[], bool] = lambda: True,
    ) -> tuple[Decision | None, _Answer | None]:
        """Decide, keep the decision for ``codemoat/why``, and see to what follows.

        ``waited``: whether the request was not answered without a suggestion meanwhile.
        """
        server, came = self._server, time.time()
        document = server.documents.get(uri)
        version = document.version if document is not None else -1
        noted = partial(
            Decision, server.decisions.next_id(), uri, version, position.line, position.character, trigger, at=came
        )
        if document is None:
            server.decisions.add(noted("off", "The document is not open."))
            return None, None
        reason = self._off(document, automatic=trigger == "automatic")
        if reason is not None:
            server.decisions.add(noted("off", reason))
            return None, None
        self._latest += 1
        cancel = Cancel()
        asked = self._asked(document, position, trigger, selected)
        try:
            answer = await result(
                server.jobs.completion.submit(partial(self._work, asked, cancel), "suggestion"), cancel
            )
        except DroppedError:
            answer = _Answer("cancelled", REASONS["cancelled"])
        except asyncio.CancelledError:
            server.decisions.add(noted("cancelled", REASONS["cancelled"]))
            raise
        if answer.failure is not None:
            server.model_failed(answer.failure)
        if asked.words and self._begun is not None:
            came = self._begun[1].at  # the key came before its first words
        decision, completion = noted(answer.outcome, answer.reason, at=came), answer.completion
        decision.timings = {"total_ms": max(0.0, time.time() - came) * 1e3}
        if completion is None or answer.request is None:
            server.decisions.add(decision)
            return None, None
        decision.text, decision.reused = completion.text, completion.reused
        # The rest of a line may be known by now; it was written with what its beginning was.
        decision.context = completion.context or asked.context
        decision.timings |= asdict(completion.timings)
        decision.begun = completion.stop_reason == "begun"
        server.decisions.add(decision, Offer(answer.request, completion))
        if decision.text and not server.client_tells_shown and waited():
            server.learning.told(decision, "shown", inferred=True)
            if not decision.begun:
                self.shown(decision.id)
        return decision, answer

    def _off(self, document: Document, *, automatic: bool) -> str | None:
        """Why nothing is suggested in a document, as far as that can be told at once."""
        server = self._server
        if document.too_large:
            server.tell_too_large(document)
            return document.problem
        language = language_of(document.uri, document.language_id)
        config = server.options.config()
        return server.switches.refuse(config, language, document.language_id, automatic=automatic)

    def _asked(self, document: Document, position: types.Position, trigger: str, selected: _Selected | None) -> _Asked:
        documents = self._server.documents
        cells = documents.around_cell(document) if document.notebook is not None else ("", "")
        words = "" if self._server.client_takes_words and trigger != "popup" else None
        context: tuple[str, ...] = ()
        if (
            words is not None
            and self._begun is not None
            and self._begun[0] == (document.uri, document.version, position)
        ):
            words, context = self._begun[1].text, self._begun[1].context
        return _Asked(
            document.snapshot(),
            document.notebook,
            cells,
            position,
            trigger,
            selected,
            self._latest,
            words,
            context,
            self._typing,
        )

    def _work(self, asked: _Asked, cancel: Cancel) -> _Answer:
        """The completion lane's part."""
        server = self._server
        located, request = self._request(asked)
        if located.folder is not None and (refused := located.folder.refuses(located.path)) is not None:
            return _Answer("off", f"There are no suggestions in this file: {refused}")
        blocked = server.model.blocked
        if blocked is not None:
            return _Answer("failed", blocked)
        try:
            completion = self._complete(request, asked, cancel)
            if not completion.reused:
                server.model.worked()
        except IndexStoreError as exc:
            return _Answer("failed", sentence(exc))
        except CodemoatError as exc:
            return _Answer("failed", sentence(exc), failure=exc)
        reason = completion.stop_reason
        told = REASONS.get(reason, reason)
        if reason == "cancelled" and not completion.text:
            return _Answer("cancelled", told)
        others: tuple[Completion, ...] = ()
        if asked.trigger == "invoked" and completion.text and reason != "begun" and asked.ticket == self._latest:
            others = self._others(request, completion, cancel)
        return _Answer("suggested" if completion.text else "nothing", told, completion, request, others=others)

    def _others(self, request: CompletionRequest, first: Completion, cancel: Cancel) -> tuple[Completion, ...]:
        """What can be cycled through; the first is worth an answer even if these fail."""
        try:
            return tuple(self._server.model.suggester.others(request, first, cancel))
        except CodemoatError:
            return ()

    def _complete(self, request: CompletionRequest, asked: _Asked, cancel: Cancel) -> Completion:
        suggester = self._server.model.suggester
        if asked.typing is not None:
            wait([asked.typing], _TELLING)
        known = suggester.known(request)
        if known is not None:
            return known
        if asked.trigger == "automatic" and not asked.words:
            until = time.monotonic() + suggester.pace.wait()
            while time.monotonic() < until and not cancel.cancelled and asked.ticket == self._latest:
                time.sleep(_LOOK)
        if cancel.cancelled or asked.ticket != self._latest:
            cancel.cancel()
        return suggester.suggest(request, cancel, begun=asked.words)

    def _request(self, asked: _Asked) -> tuple[Located, CompletionRequest]:
        document, units = asked.document, self._server.documents.units
        located = self._server.folders.locate(asked.notebook or document.uri)
        if asked.selected is None:
            before, behind = document.around(units.place(document.lines, asked.position))
        else:
            before = document.around(units.place(document.lines, asked.selected.range.start))[0] + asked.selected.text
            behind = document.around(units.place(document.lines, asked.selected.range.end))[1]
        language = language_of(located.path, document.language_id, before)
        root = located.folder.key if located.folder is not None else ""
        prefix, suffix = asked.cells[0] + before, behind + asked.cells[1]
        return located, CompletionRequest(located.path, language, document.version, prefix, suffix, root)

    def _range(self, position: types.Position, answer: _Answer, selected: _Selected | None) -> types.Range:
        """What the item replaces: nothing at the cursor, or what it retypes behind it."""
        start = selected.range.start if selected is not None else position
        end = selected.range.end if selected is not None else position
        completion, request = answer.completion, answer.request
        assert completion is not None
        assert request is not None
        count = completion.replace.end_byte - completion.replace.start_byte
        replaced = request.suffix.encode()[:count].decode("utf-8", "ignore")
        return types.Range(
            start, types.Position(end.line, end.character + self._server.documents.units.width(replaced))
        )
