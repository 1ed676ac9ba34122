"""What the learning log is told: by the client, and where it does not tell, by the document (docs/log.md)."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from assistant.learning import Event, Kind, LearningLog
from indexer.errors import StorageError
from lsp.convert import language_of
from lsp.jobs import DroppedError, Lane, result

if TYPE_CHECKING:
    from lsp.decisions import Decision
    from lsp.documents import Document, Edit
    from lsp.server import Server

KEPT_AFTER = 30.0
"""Seconds after which an accepted text that still stands was kept."""
_LEAVE = 0.3
"""Seconds that leaving waits for the disk."""
_TOLD_WITHIN = 1.0
"""Seconds in which a client tells that a suggestion was accepted; then the document's word is taken for it."""


@dataclass(slots=True)
class _Accepted:
    """An acceptance whose text is looked for later. The text stays in memory."""

    decision: Decision
    text: str
    at: float
    """Unix time, seconds."""
    timer: asyncio.TimerHandle


class Learning:
    """On the event loop; a thread of its own writes. Does nothing while ``editor.learning_log`` is off."""

    def __init__(self, server: Server, log: LearningLog | None = None) -> None:
        self._server = server
        self._log = log
        self._lane = Lane("learning", waiting=256)
        self._run = secrets.token_hex(4)
        self._accepted: dict[str, _Accepted] = {}
        self._perhaps: dict[str, asyncio.TimerHandle] = {}
        """Suggestions whose text was just inserted, until the client tells or has had time to."""
        self._told_problem = False

    @property
    def on(self) -> bool:
        """Whether anything is noted."""
        return self._server.options.config().editor.learning_log

    def told(self, decision: Decision, kind: Kind, characters: int = 0, *, inferred: bool = False) -> None:
        """Something became of a suggestion."""
        if not self.on:
            return
        if decision.begun:
            # The whole suggestion follows and is what was shown, unless somebody takes the first words alone.
            if kind == "shown":
                return
            self._note(decision, "shown", 0, inferred=True)
            decision.begun = False
        if (timer := self._perhaps.pop(decision.id, None)) is not None:
            timer.cancel()
        taken = characters or (len(decision.text) if kind == "accepted" else 0)
        self._note(decision, kind, taken, inferred=inferred)
        if kind in ("accepted", "partially-accepted"):
            self._look_later(decision, decision.text[:taken])

    def changed(self, document: Document, edit: Edit) -> None:
        """Text changed: it may be that a suggestion was accepted which nobody tells of."""
        if not self.on or not edit.inserted.strip():
            return
        decision = self._server.decisions.find(uri=document.uri)
        if decision is None or decision.fate.endswith("accepted") or decision.id in self._perhaps:
            return
        if len(decision.text) > 1 and edit.inserted == decision.text and edit.line == decision.line:
            loop = asyncio.get_running_loop()
            self._perhaps[decision.id] = loop.call_later(_TOLD_WITHIN, self._infer, decision)

    def closing(self, uri: str) -> None:
        """A document is about to be closed: what was accepted in it is judged now."""
        for id_, accepted in list(self._accepted.items()):
            if accepted.decision.uri == uri:
                self._judge(id_)

    async def close(self) -> None:
        """Judge what was accepted now, and see that it is written; takes as long as that, ``_LEAVE`` at most."""
        if not self.on:
            return
        for timer in self._perhaps.values():
            timer.cancel()
        self._perhaps.clear()
        for id_ in list(self._accepted):
            self._judge(id_)
        with contextlib.suppress(TimeoutError, DroppedError):
            await asyncio.wait_for(result(self._lane.submit(lambda: None)), _LEAVE)
        self._lane.close()

    def _infer(self, decision: Decision) -> None:
        self._perhaps.pop(decision.id, None)
        if not decision.fate.endswith("accepted"):
            self._server.feedback(decision.id, "accepted", inferred=True)

    def _look_later(self, decision: Decision, text: str) -> None:
        earlier = self._accepted.pop(decision.id, None)
        if earlier is not None:
            earlier.timer.cancel()
        timer = asyncio.get_running_loop().call_later(KEPT_AFTER, self._judge, decision.id)
        self._accepted[decision.id] = _Accepted(decision, text, time.time(), timer)

    def _judge(self, id_: str) -> None:
        """Whether the accepted text still stands in the document."""
        accepted = self._accepted.pop(id_)
        accepted.timer.cancel()
        document = self._server.documents.get(accepted.decision.uri)
        if document is not None and not document.lost:
            kept = accepted.text.strip() in document.snapshot().text
            kind: Kind = "kept" if kept else "changed"
            self._note(accepted.decision, kind, len(accepted.text), inferred=True, since=accepted.at)

    def _note(self, decision: Decision, kind: Kind, taken: int, *, inferred: bool, since: float = 0.0) -> None:
        server = self._server
        document = server.documents.get(decision.uri)
        event = Event(
            at=round(time.time(), 3),
            kind=kind,
            suggestion=decision.id,
            run=self._run,
            language=language_of(decision.uri, document.language_id if document is not None else ""),
            characters=len(decision.text),
            lines=decision.text.count("\n") + 1,
            accepted=taken,
            milliseconds=round(sum(decision.timings.get(k, 0.0) for k in ("prompt_ms", "generation_ms")), 1),
            reused=decision.reused,
            model=server.model.name,
            inferred=inferred,
            after=round(time.time() - since, 1) if since else 0.0,
        )
        self._lane.submit(partial(self._write, event, decision.uri))

    def _write(self, event: Event, uri: str) -> None:
        from dataclasses import replace

        self._log = self._log or LearningLog()
        try:
            self._log.append(replace(event, file=self._log.hashed(uri)))
        except StorageError as exc:
            if not self._told_problem:
                self._told_problem = True
                self._server.log(exc.message)
