"""Sentences for the user, for the editor's log, and for ours (``--log``)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from lsp.documents import OUT_OF_STEP

if TYPE_CHECKING:
    import asyncio

    from lsp.documents import Document
    from lsp.protocol import Protocol

_MOST_BRANCHES = 5
"""Parts of one message that are named in a sentence."""
_MOST_TOLD = 100
"""Sentences about such parts in a session."""
logger = logging.getLogger("codemoat.lsp")


class Telling:
    """The server's voice. Usable from any thread."""

    protocol: Protocol

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.loop: asyncio.AbstractEventLoop | None = None
        self._told: set[str] = set()
        self._waiting: list[str] = []
        """Sentences for the editor's log from before it can be written to."""

    def on_loop(self, action: Callable[[], object]) -> None:
        """Do ``action`` on the event loop, from whatever thread."""
        if self.loop is not None and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(action)

    def warn(self, text: str) -> None:
        """Show the user a sentence."""
        logger.warning("%s", text)
        message = types.ShowMessageParams(types.MessageType.Warning, text)
        self.on_loop(partial(self.protocol.notify, types.WINDOW_SHOW_MESSAGE, message))

    def log(self, text: str) -> None:
        """Write a sentence into the editor's log."""
        logger.info("%s", text)
        self._to_editor(text)

    def tell_once(self, key: str, text: str) -> None:
        """Write a sentence into the editor's log, once a session for each key."""
        if key not in self._told:
            self._told.add(key)
            self.log(text)

    def tell_too_large(self, document: Document) -> None:
        """Say once why a document gets no suggestions and symbols."""
        if not document.told:
            document.told = True
            self._tell_problem(document.uri, document.problem)

    def tell_out_of_step(self, uri: str) -> None:
        """Say that a text is not known any more."""
        self._tell_problem(uri, OUT_OF_STEP)

    def left_out(self, method: str, branches: Sequence[str]) -> None:
        """A part of a message was not understood: say so once."""
        named = ", ".join(branches[:_MOST_BRANCHES]) + (", …" if len(branches) > _MOST_BRANCHES else "")
        text = f"{method}: not understood and left out: {named}. The rest of the message holds."
        if text in self._told or len(self._told) > _MOST_TOLD:
            return
        self._told.add(text)
        logger.warning("%s", text)
        if self.loop is None:
            self._waiting.append(text)
        else:
            self._to_editor(text)

    def tell_what_waits(self) -> None:
        """Write what could not be written before ``initialized``."""
        for text in self._waiting:
            self._to_editor(text)
        self._waiting.clear()

    def _tell_problem(self, uri: str, problem: str) -> None:
        text = f"{uri.rpartition('/')[2]}: {problem}"
        self.log(text)
        if problem == OUT_OF_STEP and OUT_OF_STEP not in self._told:
            # Suggestions stop in a file: the first time the user sees why, later the log has it.
            self._told.add(OUT_OF_STEP)
            self.warn(text)

    def _to_editor(self, text: str) -> None:
        message = types.LogMessageParams(types.MessageType.Info, text)
        self.on_loop(partial(self.protocol.notify, types.WINDOW_LOG_MESSAGE, message))
