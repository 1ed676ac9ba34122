"""``codemoat/chat/…``: conversations about a folder, streamed as notifications and cited with places (docs/chat.md)."""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from lsprotocol import types
from msgspec import Meta

from assistant.errors import HostError, ModelError
from assistant.llm import Cancel
from indexer.errors import BadInputError, CancelledError
from indexer.reasons import printable
from lsp.chat_results import answer_of, head_of, source_of
from lsp.first_build import wait_for_index
from lsp.jobs import DroppedError, result
from lsp.params import Named, read

if TYPE_CHECKING:
    from assistant.chat import ChatEvent, ChatSession
    from assistant.conversation import Conversation
    from assistant.excerpts import OpenFile, Selection
    from assistant.llm import LLM
    from lsp.documents import Snapshot
    from lsp.folders import Folder
    from lsp.server import Server

EVENT = "codemoat/chat/event"
_MOST = 2**31 - 1
"""Of a line or a character, in the protocol."""
_LAST_TURN = 5.0
"""Seconds that opening a conversation waits for an answer in it to end."""
_OPEN = 8
"""Conversations that are kept in memory; a saved one opens again from the disk."""


class _Position(msgspec.Struct):
    line: Annotated[int, Meta(ge=0, le=_MOST)]
    character: Annotated[int, Meta(ge=0, le=_MOST)] = 0


class _Range(msgspec.Struct):
    start: _Position
    end: _Position


class _Selected(msgspec.Struct):
    textDocument: Named  # noqa: N815
    range: _Range


class _Ask(msgspec.Struct):
    question: Annotated[str, Meta(min_length=1, max_length=100_000)]
    conversation: str | None = None
    folder: str | None = None
    selection: _Selected | None = None
    textDocument: Named | None = None  # noqa: N815
    position: _Position | None = None
    token: str | int | None = None


class _Conversation(msgspec.Struct):
    conversation: Annotated[str, Meta(min_length=1)]
    folder: str | None = None
    token: str | int | None = None


class _Rename(msgspec.Struct):
    conversation: Annotated[str, Meta(min_length=1)]
    title: str
    folder: str | None = None


class _List(msgspec.Struct):
    folder: str | None = None


class _Stop(msgspec.Struct):
    token: str | int | None = None


@dataclass(eq=False, slots=True)
class _Answering:
    """An answer that waits or runs: the client's name for it, what stops it, and the conversation once it is known."""

    token: str | int | None
    cancel: Cancel
    conversation: str | None
    left: bool = False
    """Whether the client shows another conversation by now: no further event of it is sent."""
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class Chat:
    """Requests on the event loop, answers from the chat lane. A conversation answers one question at a time."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._lock = threading.Lock()
        self._sessions: OrderedDict[str, tuple[ChatSession, LLM, object]] = OrderedDict()
        """By id, the last used at the end; with the model and index that they were opened with."""
        self._running: list[_Answering] = []
        for method, handler in (
            ("ask", self._ask),
            ("regenerate", self._regenerate),
            ("stop", self._stop),
            ("list", self._list),
            ("open", self._open),
            ("rename", self._rename),
            ("delete", self._delete),
        ):
            server.handle(f"codemoat/chat/{method}", handler)

    async def _ask(self, params: Any) -> dict[str, Any]:
        """Answer a question in a new or an earlier conversation; the events come as notifications meanwhile."""
        asked = read(params, _Ask)
        shown = asked.selection.textDocument if asked.selection is not None else asked.textDocument
        folder = self._folder(asked.folder, shown.uri if shown is not None else None)
        selection, file = self._selection(asked), self._file(asked)
        if asked.conversation is None and asked.token is not None:
            # A new chat takes the place of the one that is shown; answers of one token belong together.
            self._leave(lambda each: each.token != asked.token)

        def events(session: ChatSession, cancel: Cancel) -> Generator[ChatEvent, None, None]:
            return session.ask(asked.question, cancel, selection=selection, file=file)

        return await self._answer(folder, asked.conversation, asked.token, events)

    async def _regenerate(self, params: Any) -> dict[str, Any]:
        """Answer the last question of a conversation anew."""
        asked = read(params, _Conversation)
        folder = self._folder(asked.folder, None)
        return await self._answer(folder, asked.conversation, asked.token, lambda s, cancel: s.regenerate(cancel))

    def _stop(self, params: Any) -> dict[str, bool]:
        """End an answer, or all of them; what was said so far stays."""
        token = read(params or {}, _Stop).token
        found = [answering for answering in self._running if token is None or answering.token == token]
        for answering in found:
            answering.cancel.cancel()
        return {"stopped": bool(found)}

    async def _list(self, params: Any) -> dict[str, Any]:
        """The saved conversations about a folder, the last used first."""
        folder = self._folder(read(params or {}, _List).folder, None)
        listing = await result(self._server.jobs.reading.submit(lambda: folder.chats.list()))
        return {"conversations": [head_of(each) for each in listing.conversations], "problems": list(listing.problems)}

    async def _open(self, params: Any) -> dict[str, Any]:
        """A conversation with its turns. It is shown from now on, so whatever is being answered ends."""
        asked = read(params, _Conversation)
        folder = self._folder(asked.folder, None)
        for each in self._leave(lambda _: True):
            if each.conversation == asked.conversation:
                with suppress(TimeoutError):  # its last turn is to be among them
                    await asyncio.wait_for(each.ended.wait(), _LAST_TURN)
        conversation = await result(self._server.jobs.reading.submit(lambda: self._find(folder, asked.conversation)))
        turns = [
            {
                "question": turn.question,
                "answer": turn.answer,
                "sources": [source_of(folder, source) for source in conversation.sources_of(turn)],
                "model": turn.model,
                "stopReason": turn.stop_reason,
                "at": turn.at,
            }
            for turn in conversation.turns
        ]
        return {**head_of(conversation), "turns": turns}

    async def _rename(self, params: Any) -> dict[str, Any]:
        """Give a conversation another title."""
        asked = read(params, _Rename)
        folder = self._folder(asked.folder, None)

        def work() -> Conversation:
            with self._lock:
                held = self._sessions.get(asked.conversation)
            if held is not None:
                held[0].rename(asked.title)
                return held[0].conversation
            return folder.chats.rename(asked.conversation, asked.title)

        return head_of(await result(self._server.jobs.reading.submit(work)))

    async def _delete(self, params: Any) -> dict[str, Any]:
        """Remove a conversation; an answer in it is stopped."""
        asked = read(params, _Conversation)
        folder = self._folder(asked.folder, None)
        self._leave(lambda each: each.conversation == asked.conversation)

        def work() -> str:
            with self._lock:
                held = self._sessions.pop(asked.conversation, None)
            if held is None:
                return folder.chats.delete(asked.conversation)
            held[0].forget()
            with suppress(BadInputError):  # not saved before its first answer ends
                folder.chats.delete(asked.conversation)
            return asked.conversation

        return {"conversation": await result(self._server.jobs.reading.submit(work))}

    def _leave(self, which: Callable[[_Answering], bool]) -> list[_Answering]:
        """End answers that are not shown any more, without further events; what was said so far is kept."""
        found = [answering for answering in self._running if which(answering)]
        for answering in found:
            answering.left = True
            answering.cancel.cancel()
        return found

    async def _answer(
        self,
        folder: Folder,
        conversation: str | None,
        token: str | int | None,
        events: Callable[[ChatSession, Cancel], Generator[ChatEvent, None, None]],
    ) -> dict[str, Any]:
        answering = _Answering(token, Cancel(), conversation)
        self._running.append(answering)
        work = partial(self._work, folder, answering, events)
        try:
            await wait_for_index(self._server, folder, answering.cancel, partial(self._tell, answering))
            return await result(self._server.jobs.chat.submit(work), answering.cancel)
        except DroppedError as exc:
            raise CancelledError("Too many questions wait already.", "Ask again in a moment.") from exc
        finally:
            self._running.remove(answering)
            answering.ended.set()

    def _work(
        self,
        folder: Folder,
        answering: _Answering,
        events: Callable[[ChatSession, Cancel], Generator[ChatEvent, None, None]],
    ) -> dict[str, Any]:
        """The chat lane's part. Raises what ends the answer, after what was said was told."""
        from assistant.chat import Delta, Done, Failed, Sources, Waiting

        try:
            session = self._session(folder, answering.conversation)
            answering.conversation = session.id
            tell = partial(self._tell, answering)
            for event in events(session, answering.cancel):
                match event:
                    case Sources(sources, stale):
                        tell({"kind": "sources", "sources": [source_of(folder, s) for s in sources], "stale": stale})
                    case Waiting(reason):
                        tell({"kind": "waiting", "reason": reason, "text": event.text})
                    case Delta(text):
                        tell({"kind": "delta", "text": text})
                    case Done():
                        self._server.model.worked()
                        return {**head_of(session.conversation), **answer_of(folder, event)}
                    case Failed(error):
                        raise error
        except ModelError as exc:
            self._server.model_failed(exc)
            raise
        raise HostError("The answer ended without an end.", "Ask again.")

    def _session(self, folder: Folder, wanted: str | None) -> ChatSession:
        """The conversation, opened anew where its model or index is not today's."""
        llm, index = self._server.model.llm, folder.index
        with self._lock:
            held = self._sessions.get(wanted) if wanted is not None else None
            if held is None or held[1] is not llm or held[2] is not index:
                if held is not None:
                    session = folder.chat(llm, conversation=held[0].conversation)
                else:
                    session = folder.chat(llm, resume=wanted)
                held = session, llm, index
            self._sessions[held[0].id] = held
            self._sessions.move_to_end(held[0].id)
            while len(self._sessions) > _OPEN:
                self._sessions.popitem(last=False)
        return held[0]

    def _find(self, folder: Folder, wanted: str) -> Conversation:
        with self._lock:
            held = self._sessions.get(wanted)
        return held[0].conversation if held is not None else folder.chats.load(wanted)

    def _tell(self, answering: _Answering, event: dict[str, Any]) -> None:
        """Send an event, in order, from any thread; none after the request's response."""
        value = {"conversation": answering.conversation, "token": answering.token, **event}

        def send() -> None:
            if answering in self._running and not answering.left:
                self._server.protocol.notify(EVENT, value)

        self._server.on_loop(send)

    def _folder(self, uri: str | None, document: str | None) -> Folder:
        """The folder that is named, the one a document lies in, or the first. Raises BadInputError."""
        folders = self._server.folders
        if uri is not None:
            folder = folders.by_uri(uri)
            if folder is None:
                raise BadInputError(f"{uri} is no folder of the workspace.", "`codemoat/status` lists them.")
            return folder
        located = folders.locate(document).folder if document is not None else None
        folder = located or next(iter(folders), None)
        if folder is None:
            raise BadInputError("No folder is open that could be asked about.", "Open the folder of a project.")
        return folder

    def _selection(self, asked: _Ask) -> Selection | None:
        """The selected lines, whole, as they stand in the editor."""
        from assistant.excerpts import Selection

        if asked.selection is None:
            return None
        document, where = self._snapshot(asked.selection.textDocument.uri), asked.selection.range
        place = self._server.documents.units.place
        start = place(document.lines, types.Position(where.start.line, where.start.character))
        end = place(document.lines, types.Position(where.end.line, where.end.character))
        # A selection that ends before the first character of a line does not mean that line.
        last = end.line if end.column or end.line <= start.line else end.line - 1
        text = "".join(document.lines[start.line : last + 1])
        path = printable(self._server.folders.locate(document.uri).path)
        return Selection(path, text, start.line + 1, document.language_id)

    def _file(self, asked: _Ask) -> OpenFile | None:
        """The document before the user, as it stands in the editor."""
        from assistant.excerpts import OpenFile

        named = asked.textDocument or (asked.selection.textDocument if asked.selection is not None else None)
        if named is None:
            return None
        opened = self._server.documents.get(named.uri)
        if opened is not None and opened.lost:
            return None  # the question is answered without it
        document = self._snapshot(named.uri)
        line = asked.position.line + 1 if asked.position is not None else 1
        path = printable(self._server.folders.locate(document.uri).path)
        return OpenFile(path, document.text, line, document.language_id)

    def _snapshot(self, uri: str) -> Snapshot:
        document = self._server.documents.get(uri)
        if document is None:
            raise BadInputError(f"{uri} is not open.", "Send textDocument/didOpen first.")
        if document.lost:
            raise BadInputError(document.lost, "Ask without a selection.")
        return document.snapshot()
