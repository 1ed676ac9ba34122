"""Our own questions: status, why, search, index control, a document's digest, and what became of suggestions."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, cast

import msgspec
from msgspec import Meta

from indexer.errors import BadInputError, NoIndexError, StorageError
from indexer.matching import stretches
from indexer.reasons import visible
from lsp.convert import range_of, split_lines
from lsp.decisions import as_json
from lsp.folders import uri_in
from lsp.hello import own_version
from lsp.jobs import result
from lsp.options import is_not_code
from lsp.params import Named, read
from lsp.protocol import all_visible

if TYPE_CHECKING:
    from assistant.config import Config
    from assistant.learning import Kind
    from indexer.filters import Filters
    from lsp.folders import Folder
    from lsp.server import Server

STATUS_CHANGED = "codemoat/statusChanged"


class _Why(msgspec.Struct):
    id: str | None = None
    textDocument: Named | None = None  # noqa: N815


_Word = Annotated[str, Meta(min_length=1, max_length=1_000)]


class _Search(msgspec.Struct):
    query: Annotated[str, Meta(min_length=1, max_length=10_000)]
    limit: Annotated[int, Meta(ge=1, le=100)] = 10
    folder: str | None = None
    globs: Annotated[list[_Word], Meta(max_length=100)] = []
    languages: Annotated[list[_Word], Meta(max_length=100)] = []
    kinds: Annotated[list[_Word], Meta(max_length=100)] = []
    since: _Word | None = None

    @property
    def filters(self) -> Filters:
        """Which part of an index is asked about."""
        from indexer.filters import Filters

        return Filters(tuple(self.globs), tuple(self.languages), tuple(self.kinds), self.since)


class _Index(msgspec.Struct):
    do: Annotated[str, Meta(pattern="^(update|rebuild|stop|start)$")]
    folder: str | None = None


class _Digest(msgspec.Struct):
    textDocument: Named  # noqa: N815


class _Fate(msgspec.Struct):
    id: str
    characters: Annotated[int, Meta(ge=0)] = 0


_FATES: dict[str, Kind] = {
    "codemoat/didShow": "shown",
    "codemoat/didAccept": "accepted",
    "codemoat/didPartiallyAccept": "partially-accepted",
    "codemoat/didReject": "rejected",
}


class Status:
    """The ``codemoat/…`` methods that are no chat."""

    def __init__(self, server: Server) -> None:
        self._server = server
        for method, handler in (
            ("codemoat/status", lambda params: self.current()),
            ("codemoat/why", self._why),
            ("codemoat/document", self._digest),
        ):
            server.handle(method, handler)
        server.handle("codemoat/search", self._search)
        server.handle("codemoat/index", self._index)
        for method, fate in _FATES.items():
            server.handle(method, self._fate(fate))

    def current(self) -> dict[str, Any]:
        """What the server does and can do, from memory (``docs/schemas/lsp-status.json``)."""
        server = self._server
        config = server.options.config()
        model = server.model
        status: dict[str, Any] = {
            "version": own_version(),
            "suggestions": {
                "enabled": config.editor.enabled,
                "automatic": config.editor.automatic,
                "snoozedSeconds": round(server.switches.snoozed_seconds),
                "languagesOff": sorted(
                    {*config.editor.languages_off, *server.switches.languages, *self._not_code(config)}
                    - {name for name, on in server.switches.languages.items() if on}
                ),
                "counts": dict(server.decisions.counts),
                "suggester": dict(model.present.counts) if model.present is not None else {},
            },
            "model": {
                "name": config.model.name,
                "loaded": model.name,
                "state": model.state,
                "problem": model.problem,
                "failures": model.failures,
            },
            "folders": [self._folder(folder) for folder in server.folders],
            "documents": len(server.documents.open),
        }
        # All texts in it are there to be shown, and names of folders and files may hold anything.
        return cast("dict[str, Any]", all_visible(status))

    def _not_code(self, config: Config) -> set[str]:
        """Languages of open documents that get no suggestions because they are not code."""
        ids = {document.language_id for document in self._server.documents.open.values()}
        return {each for each in ids if is_not_code(config, each)}

    def _folder(self, folder: Folder) -> dict[str, Any]:
        state = self._server.indexing.states.get(folder.key)
        if state is None:
            return {"uri": folder.uri, "name": folder.name, "state": "off", "problem": ""}
        return {
            "uri": folder.uri,
            "name": folder.name,
            "state": state.state,
            "problem": state.problem or folder.problem,
            "progress": state.progress or None,
            "files": state.report.get("files", 0),
            "generation": state.report.get("generation", 0),
            "watching": state.mode,
            "restarts": state.restarts,
            "pid": state.pid,
        }

    def _why(self, params: Any) -> dict[str, Any] | None:
        """The decision of an id, else the one that is meant in a document or in all; null if there is none."""
        asked, decisions = read(params or {}, _Why), self._server.decisions
        uri = asked.textDocument.uri if asked.textDocument else None
        told = self._server.client_tells_shown
        found = decisions.find(asked.id) if asked.id is not None else decisions.why(uri, told=told)
        if found is None:
            return None
        shown = as_json(found)
        return {**shown, "reason": all_visible(shown["reason"]), "context": all_visible(shown["context"])}

    def _digest(self, params: Any) -> dict[str, Any] | None:
        """What the server holds of a document, for clients that check it; null if that is nothing."""
        document = self._server.documents.get(read(params, _Digest).textDocument.uri)
        if document is None or document.lost:
            return None
        return {
            "version": document.version,
            "lines": len(document.lines),
            "characters": document.size,
            "sha256": document.digest(),
        }

    async def _search(self, params: Any) -> dict[str, Any]:
        """The best chunks for a question or words, over one folder or all."""
        asked = read(params, _Search)
        folders = [self._named(asked.folder)] if asked.folder is not None else list(self._server.folders)
        parts = [await result(self._server.jobs.reading.submit(partial(self._hits, each, asked))) for each in folders]
        hits = sorted((hit for found, _, _ in parts for hit in found), key=lambda hit: -hit["score"])
        for folder, (_, _, problem) in zip(folders, parts, strict=True):
            if problem:
                self._server.indexing.repair(folder)
        problem = next((problem for _, _, problem in parts if problem), "")
        return {"hits": hits[: asked.limit], "stale": any(stale for _, stale, _ in parts), "problem": visible(problem)}

    def _hits(self, folder: Folder, asked: _Search) -> tuple[list[dict[str, Any]], bool, str]:
        """Hits in a folder, whether its index is behind, and one sentence about what of the index is damaged."""
        try:
            index = folder.index
        except NoIndexError:
            return [], True, ""
        except StorageError as exc:  # the other folders are searched all the same
            return [], True, exc.message
        units, folders = self._server.documents.units, self._server.folders
        before = f"{folders.label(folder)}/" if len(folders) > 1 else ""
        found, hits = index.search(asked.query, asked.limit, filters=asked.filters), []
        for hit in found.hits:
            text = index.text(hit.chunk.path) or ""
            place = range_of(units, text.encode("utf-8", "replace"), split_lines(text), hit.chunk.span)
            hits.append(
                {
                    "uri": uri_in(folder, hit.chunk.path),
                    "path": hit.chunk.path,
                    "label": visible(before + hit.chunk.path),
                    "range": {
                        "start": {"line": place.start.line, "character": place.start.character},
                        "end": {"line": place.end.line, "character": place.end.character},
                    },
                    "language": hit.chunk.language,
                    "symbol": hit.symbol,
                    "matchLine": hit.match_line - 1,
                    "preview": [
                        {"line": first - 1, "text": "\n".join(lines)}
                        for first, lines in stretches(hit.chunk.text, hit.chunk.span.start_line, hit.preview)
                    ],
                    "text": hit.chunk.text,
                    "score": hit.score,
                    "reasons": dict(hit.reasons),
                }
            )
        return hits, found.stale, found.damaged[0] if found.damaged else ""

    async def _index(self, params: Any) -> dict[str, Any]:
        """Let a folder's index, or all, be updated, made anew, left alone or taken up again."""
        asked = read(params, _Index)
        for folder in [self._named(asked.folder)] if asked.folder is not None else list(self._server.folders):
            if asked.do == "stop":
                await self._server.indexing.stop(folder)
            elif asked.do == "start" or not self._server.indexing.ask(folder, asked.do):
                await self._server.indexing.stop(folder)
                self._server.indexing.start(folder)
        return self.current()

    def _named(self, uri: str) -> Folder:
        folder = self._server.folders.by_uri(uri)
        if folder is None:
            raise BadInputError(f"{uri} is no folder of the workspace.", "`codemoat/status` lists them.")
        return folder

    def _fate(self, fate: Kind) -> Any:
        def handler(params: Any) -> None:
            asked = read(params, _Fate)
            self._server.feedback(asked.id, fate, asked.characters)

        return handler
