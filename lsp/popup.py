"""The suggestion as an entry of the editor's list of completions, for editors that show no inline ones."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from lsprotocol import types

from lsp.decisions import ACCEPT

if TYPE_CHECKING:
    from lsp.decisions import Decision
    from lsp.server import Server

Found = TypeVar("Found")

LIMIT = 2.0
"""Seconds after which the list comes without us: editors show nothing of it before all have answered."""
_LABEL = 80
"""Characters of an entry."""
_WORD_AT_END = re.compile(r"[\w$]+\Z")
_BEFORE_BRACKET = re.compile(r"[^(\r\n]*")


class Popup:
    """On the event loop."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def within_limit(self, work: Callable[[Callable[[], bool]], Coroutine[Any, Any, Found]]) -> Found | None:
        """What comes of ``work`` within the limit, else None; it goes on, so that the next key has its result.

        ``work`` is given what tells whether its result is still waited for.
        """
        waited = True
        task = asyncio.ensure_future(work(lambda: waited))
        self._server.keep(task)
        try:
            done, _ = await asyncio.wait([task], timeout=LIMIT)
        except asyncio.CancelledError:
            task.cancel()
            raise
        if not done:
            waited = False
            return None
        return task.result()

    def entry(
        self, position: types.Position, end: types.Position, prefix: str, decision: Decision
    ) -> types.CompletionItem | None:
        """The entry for a suggestion at ``position`` that replaces the text up to ``end``; None if it cannot be one.

        ``prefix``: the text before the cursor. Clients filter by the word there, and put the entry in its place.
        """
        found = _WORD_AT_END.search(prefix)
        word = found[0] if found else ""
        start = position.character - self._server.documents.units.width(word)
        text = word + decision.text
        if self._cuts():
            text, end = _BEFORE_BRACKET.match(text)[0].rstrip(), position  # type: ignore[index]
            if len(text) <= len(word):
                return None
        first_line = text.split("\n")[0]
        return types.CompletionItem(
            label=first_line.strip()[:_LABEL],
            kind=types.CompletionItemKind.Text,
            detail="codemoat",
            sort_text=" ",  # before all others; a NUL would sort before a blank, but Emacs takes no message with one
            filter_text=first_line,
            insert_text=text,  # for clients that do not look at the edit
            text_edit=types.TextEdit(types.Range(types.Position(position.line, start), end), text),
            insert_text_format=types.InsertTextFormat.PlainText,
            command=types.Command("Accept", ACCEPT, arguments=[decision.id]),
        )

    def _cuts(self) -> bool:
        """Whether the client inserts an entry's text up to its first ``(`` only, whatever the entry says: ALE does.

        It does not name itself. What it says of completion, nobody else says. There the entry ends before the
        bracket, so that what it shows is what it inserts; after the bracket is typed, the rest comes as the next one.
        """
        text_document = self._server.client_capabilities.text_document
        completion = text_document.completion if text_document is not None else None
        item = completion.completion_item if completion is not None else None
        return (
            completion is not None
            and item is not None
            and completion.context_support is False
            and item.commit_characters_support is False
            and item.preselect_support is False
            and item.deprecated_support is False
            and item.label_details_support is None
        )
