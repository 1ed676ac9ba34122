"""``textDocument/documentSymbol`` from the unsaved text, ``workspace/symbol`` from the indexes of all folders."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from lsprotocol import types

from indexer.outlines import Outlines
from indexer.reasons import visible
from indexer.types import Span, Symbol
from lsp.convert import Units, language_of, range_of, split_lines, symbol_kind
from lsp.folders import uri_in
from lsp.jobs import result

if TYPE_CHECKING:
    from lsp.documents import Snapshot
    from lsp.folders import Folder
    from lsp.server import Server

_MOST = 100
"""Symbols of a workspace that are answered; whoever looks for one types on."""
_LONGEST_QUERY = 1_000
_NAME_BYTES = 2_000
"""Of a definition, within which its name is looked for."""


class Symbols:
    """Requests on the event loop, answers from the reading lane."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._outlines = Outlines()
        server.handle(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL, self.document)
        server.handle(types.WORKSPACE_SYMBOL, self.workspace)

    def close(self) -> None:
        """End the worker that parses."""
        self._outlines.close()

    async def document(
        self, params: types.DocumentSymbolParams
    ) -> list[types.DocumentSymbol] | list[types.SymbolInformation] | None:
        """The outline of an open document as it stands in the editor."""
        document = self._server.documents.get(params.text_document.uri)
        if document is None or document.too_large:
            return None
        snapshot, units = document.snapshot(), self._server.documents.units
        tree = self._wants_tree()
        return await result(self._server.jobs.reading.submit(lambda: self._outline(snapshot, units, tree)))

    async def workspace(self, params: types.WorkspaceSymbolParams) -> list[types.SymbolInformation]:
        """Definitions whose names hold the query; folder by folder where the client takes partial results."""
        found: list[types.SymbolInformation] = []
        if len(params.query) > _LONGEST_QUERY:
            return found  # no name is that long
        for folder in self._server.folders:
            part, damaged = await result(self._server.jobs.reading.submit(partial(self._like, folder, params.query)))
            if damaged:
                self._server.indexing.repair(folder)
            if params.partial_result_token is not None:
                if part:
                    progress = types.ProgressParams(params.partial_result_token, part)
                    self._server.protocol.notify(types.PROGRESS, progress)
            else:
                found += part
        return found

    def _wants_tree(self) -> bool:
        text_document = self._server.client_capabilities.text_document
        symbols = text_document.document_symbol if text_document is not None else None
        return bool(symbols is not None and symbols.hierarchical_document_symbol_support)

    def _outline(
        self, document: Snapshot, units: Units, tree: bool
    ) -> list[types.DocumentSymbol] | list[types.SymbolInformation]:
        path = _path_for(self._server.folders.locate(document.uri).path, document)
        symbols, text = self._outlines.of(path, document.text)
        if tree:
            return _tree(symbols, text, units, document.lines)
        return [_flat(s, document.uri, range_of(units, text, document.lines, s.span)) for s in symbols]

    def _like(self, folder: Folder, query: str) -> tuple[list[types.SymbolInformation], bool]:
        """Symbols of a folder's index, and whether a part of that is damaged."""
        index = folder.readable
        if index is None:
            return [], False
        units, texts = self._server.documents.units, dict[str, tuple[bytes, list[str]]]()
        folders = self._server.folders
        label = visible(folders.label(folder)) if len(folders) > 1 else None
        found = []
        for symbol in index.symbols_like(query, _MOST):
            if symbol.path not in texts:
                text = index.text(symbol.path) or ""
                texts[symbol.path] = text.encode("utf-8", "replace"), split_lines(text)
            place = range_of(units, *texts[symbol.path], symbol.span)
            found.append(_flat(symbol, uri_in(folder, symbol.path), place, label))
        return found, bool(index.damaged())


def _tree(symbols: Sequence[Symbol], text: bytes, units: Units, lines: Sequence[str]) -> list[types.DocumentSymbol]:
    """Symbols within the symbols that enclose them."""
    roots: list[types.DocumentSymbol] = []
    open_: list[tuple[int, types.DocumentSymbol]] = []
    for symbol in sorted(symbols, key=lambda s: (s.span.start_byte, -s.span.end_byte)):
        node = types.DocumentSymbol(
            symbol.name or "?",
            symbol_kind(symbol.kind),
            range_of(units, text, lines, symbol.span),
            range_of(units, text, lines, _name_of(symbol, text)),
            detail=symbol.signature or None,
            children=[],
        )
        while open_ and open_[-1][0] < symbol.span.end_byte:
            open_.pop()
        inside = open_[-1][1].children if open_ else roots
        assert isinstance(inside, list)
        inside.append(node)
        open_.append((symbol.span.end_byte, node))
    return roots


def _flat(symbol: Symbol, uri: str, place: types.Range, folder: str | None = None) -> types.SymbolInformation:
    """``folder``: its label, where there are several."""
    location, parents = types.Location(uri, place), [each for each in (folder, symbol.parent) if each]
    container = ": ".join(parents) or None
    return types.SymbolInformation(location, symbol.name or "?", symbol_kind(symbol.kind), container_name=container)


def _name_of(symbol: Symbol, text: bytes) -> Span:
    """Where a definition's name stands in it; its first byte where it does not."""
    span = symbol.span
    name = symbol.name.encode("utf-8", "replace")
    at = text.find(name, span.start_byte, min(span.end_byte, span.start_byte + _NAME_BYTES)) if name else -1
    if at < 0:
        return Span(span.start_byte, span.start_byte, span.start_line, span.start_line)
    line = span.start_line + text.count(b"\n", span.start_byte, at)
    return Span(at, at + len(name), line, line)


def _path_for(path: str, document: Snapshot) -> str:
    """A path by which the parser knows the language: the document's, or one with the editor's language in its name."""
    from indexer.languages import extension_of

    language = language_of(path, document.language_id, document.lines[0])
    if language_of(path, "", document.lines[0]) == language:
        return path
    return f"{path}{extension_of(language)}"
