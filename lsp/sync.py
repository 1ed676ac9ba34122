"""Documents, folders and files as the client tells of them. Everything here runs on the event loop and at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Set
from functools import partial
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from lsp.convert import path_of, without_break
from lsp.documents import OUT_OF_STEP
from lsp.jobs import Debounce
from lsp.notifications import CHANGING, read_changes, read_uris, uri_of_document

if TYPE_CHECKING:
    from lsp.documents import Document, Edit
    from lsp.server import Server

_PARSE_QUIET = 0.3
"""Seconds without an edit after which unsaved text is parsed."""
_WARM_QUIET = 0.25
"""Seconds without a move of the cursor after which the prompt there is evaluated."""
_FIRST_SCREEN = 40
"""Lines of a document that was just opened in which its reader is taken to be, until more is known."""
_MOST_FILES = 10_000
"""Files of one message that are looked at one by one."""


class Synchronisation:
    """Keeps ``Server.documents`` equal to the client's, and lets the rest know."""

    def __init__(self, server: Server) -> None:
        self._server = server
        server.protocol.unread, server.protocol.misread = self.unread, self.misread
        self._parse = Debounce(_PARSE_QUIET)
        self._warm = Debounce(_WARM_QUIET)
        self._reading: tuple[str, types.Position] | None = None
        """Where somebody reads, as far as is known."""
        for method, handler in (
            (types.TEXT_DOCUMENT_DID_OPEN, self._did_open),
            (types.TEXT_DOCUMENT_DID_CHANGE, self._did_change),
            (types.TEXT_DOCUMENT_DID_CLOSE, self._did_close),
            (types.TEXT_DOCUMENT_DID_SAVE, self._did_save),
            (types.NOTEBOOK_DOCUMENT_DID_OPEN, self._did_open_notebook),
            (types.NOTEBOOK_DOCUMENT_DID_CHANGE, self._did_change_notebook),
            (types.NOTEBOOK_DOCUMENT_DID_CLOSE, self._did_close_notebook),
            (types.NOTEBOOK_DOCUMENT_DID_SAVE, self._did_save_notebook),
            (types.WORKSPACE_DID_CREATE_FILES, self._files_changed("files", "uri")),
            (types.WORKSPACE_DID_RENAME_FILES, self._files_changed("files", "oldUri", "newUri")),
            (types.WORKSPACE_DID_DELETE_FILES, self._files_changed("files", "uri")),
            (types.WORKSPACE_DID_CHANGE_WATCHED_FILES, self._files_changed("changes", "uri")),
            ("codemoat/didMoveCursor", self._did_move_cursor),
        ):
            server.handle(method, handler)

    def close(self) -> None:
        """Forget what waits."""
        self._parse.close()
        self._warm.close()

    def _did_open(self, params: types.DidOpenTextDocumentParams) -> None:
        document = self._server.documents.put(params.text_document)
        if document.too_large:
            self._too_large(document)
            return
        self._parse.call(document.uri, lambda: self._put_if_unsaved(document.uri))
        self._server.use_model(document)
        self._server.indexing.look()
        self._read_at(document.uri, types.Position(min(_FIRST_SCREEN, len(document.lines) - 1), 0))

    def _did_change(self, params: Any) -> None:
        try:
            uri, version, changes = read_changes(params)
        except ValueError:
            self._lose(uri_of_document(params))
            return
        found = self._server.documents.change(uri, version, changes)
        if found is not None:
            self._changed(*found)

    def misread(self, message: Mapping[str, Any]) -> None:
        """A notification had wrong parameters: a text that it may have changed is not known any more."""
        if message["method"] not in CHANGING:
            return
        uri = uri_of_document(message.get("params"))
        if uri is not None and message["method"] == types.TEXT_DOCUMENT_DID_OPEN:
            # Open, with a text that is not known: a change may bring the whole text.
            self._server.documents.put(types.TextDocumentItem(uri, "", 0, ""))
        elif uri is not None and message["method"] == types.NOTEBOOK_DOCUMENT_DID_OPEN:
            self._server.tell_out_of_step(uri)
        self._lose(uri)

    def unread(self, sample: bytes) -> None:
        """A message could not be read at all; ``sample`` is some of it. The same holds."""
        sample = sample.replace(b"\\/", b"/")
        method = next((method for method in CHANGING if f'"{method}"'.encode() in sample), None)
        if method is None:
            return
        documents = self._server.documents
        kept = [*(uri for uri, each in documents.open.items() if not each.lost), *documents.notebooks]
        named = [uri for uri in kept if json.dumps(uri).encode() in sample]
        # What was opened by this message is not open here; what was changed by it is one of these.
        opened = method.endswith("Open")
        for uri in named if named or opened else kept:
            self._lose(uri)
        self._server.tell_once(
            "unread",
            "A message was too large or broken, so codemoat does not know what it said. "
            "Some documents may be out of step; close and open them again.",
        )

    def _lose(self, uri: str | None) -> None:
        """Forget a text that may differ from the client's."""
        server, documents = self._server, self._server.documents
        if uri is None:
            server.tell_once("no document", "A change that names no document was left out.")
            return
        document = documents.get(uri)
        if document is not None:
            documents.lose(document, OUT_OF_STEP)
            self._too_large(document)
        elif uri in documents.notebooks:
            documents.close_notebook(uri)
            server.tell_out_of_step(uri)

    def _too_large(self, document: Document) -> None:
        """A document is only kept in step, or not even that: its file is what is read and searched."""
        if self._server.documents.get(document.uri) is None:
            self._server.tell_once("documents", document.problem)
        elif not document.told:
            self._parse.cancel(document.uri)
            self._submit_drop(document.uri)
            self._server.tell_too_large(document)

    def _did_close(self, params: types.DidCloseTextDocumentParams) -> None:
        uri = params.text_document.uri
        self._server.learning.closing(uri)
        self._server.documents.drop(uri)
        self._parse.cancel(uri)
        self._warm.cancel(uri)
        self._submit_drop(uri)

    def _did_save(self, params: types.DidSaveTextDocumentParams) -> None:
        self._file_names({params.text_document.uri.rpartition("/")[2]})

    def _did_open_notebook(self, params: types.DidOpenNotebookDocumentParams) -> None:
        self._server.documents.open_notebook(params.notebook_document, params.cell_text_documents)

    def _did_change_notebook(self, params: types.DidChangeNotebookDocumentParams) -> None:
        for found in self._server.documents.change_notebook(params.notebook_document.uri, params.change) or ():
            self._changed(*found)

    def _did_close_notebook(self, params: types.DidCloseNotebookDocumentParams) -> None:
        self._server.documents.close_notebook(params.notebook_document.uri)

    def _did_save_notebook(self, params: types.DidSaveNotebookDocumentParams) -> None:
        self._server.renew()

    def _changed(self, document: Document, edit: Edit | None) -> None:
        """Text changed: tell the suggester now, parse when it is quiet."""
        if document.too_large:
            self._too_large(document)
            return
        if edit is not None:
            self._warm.cancel("cursor")
            position = _end_of(document, edit, self._server)
            self._server.inline.typed(document, position)
            self._server.learning.changed(document, edit)
        if document.notebook is None:
            self._parse.call(document.uri, lambda: self._put(document.uri))

    def _put(self, uri: str) -> None:
        """Let the unsaved text be what is searched."""
        document = self._server.documents.get(uri)
        if document is None or document.too_large:
            return
        snapshot, folders = document.snapshot(), self._server.folders

        def work() -> None:
            located = folders.locate(uri)
            if located.folder is not None:
                located.folder.put(located.path, snapshot.text)

        self._server.run(self._server.jobs.buffers, work, uri)

    def _put_if_unsaved(self, uri: str) -> None:
        """The same for a document that was opened: editors bring back unsaved text."""
        document = self._server.documents.get(uri)
        path = path_of(uri)
        if document is None or document.too_large or path is None:
            return
        snapshot, folders = document.snapshot(), self._server.folders

        def work() -> None:
            located = folders.locate(uri)
            if located.folder is None:
                return
            text = snapshot.text
            try:
                saved = path.read_bytes()
            except OSError:
                saved = b""
            if saved != text.encode():
                located.folder.put(located.path, text)

        self._server.run(self._server.jobs.buffers, work, uri)

    def _submit_drop(self, uri: str) -> None:
        self._server.run(self._server.jobs.buffers, partial(self._drop, [uri]), uri)

    def _drop(self, uris: Iterable[str]) -> None:
        """Let files stand for themselves again; in a worker."""
        folders, model = self._server.folders, self._server.model
        for uri in uris:
            located = folders.locate(uri)
            if located.folder is not None:
                located.folder.drop(located.path)
            if model.present is not None:
                model.present.forget(located.path, located.folder.key if located.folder else "")

    def _files_changed(self, listed: str, *names: str) -> Callable[[Any], None]:
        """The index hears of files by itself; what was remembered of them here is dropped."""

        def handler(params: Any) -> None:
            uris = read_uris(params, listed, names)
            closed = [uri for uri in uris if self._server.documents.get(uri) is None]
            self._server.run(self._server.jobs.buffers, partial(self._drop, closed[:_MOST_FILES]))
            self._file_names({uri.rpartition("/")[2] for uri in uris})
            self._server.renew()

        return handler

    def _file_names(self, names: Set[str]) -> None:
        """Files of these names changed; settings and ignore files are read again."""
        if ".codemoat.toml" in names:
            self._server.settings_changed()
        if names & {".codemoatignore", ".gitignore"}:
            self._server.renew()

    def _did_move_cursor(self, params: Any) -> None:
        """``{textDocument, position}``: the cursor stands here, so this is what may be asked for next."""
        try:
            uri = str(params["textDocument"]["uri"])
            position = types.Position(int(params["position"]["line"]), int(params["position"]["character"]))
        except (KeyError, TypeError, ValueError):
            return
        document = self._server.documents.get(uri)
        if document is not None:
            self._read_at(uri, position)

    def _read_at(self, uri: str, position: types.Position) -> None:
        self._reading = uri, position
        self._warm.call("cursor", self.warm)

    def warm(self) -> None:
        """Let the prompt be evaluated that is needed where somebody reads."""
        document = self._server.documents.get(self._reading[0]) if self._reading is not None else None
        if document is not None and self._reading is not None:
            self._server.inline.warm(document, self._reading[1])


def _end_of(document: Document, edit: Edit, server: Server) -> types.Position:
    """The cursor's place after an edit: the end of what was inserted."""
    rows = edit.inserted.count("\n")
    line = min(edit.line + rows, len(document.lines) - 1)
    text = without_break(document.lines[line])
    column = len(edit.inserted.rpartition("\n")[2]) + (edit.column if not rows else 0)
    return server.documents.units.position(document.lines, line, min(column, len(text)))
