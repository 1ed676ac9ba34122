"""Notifications whose lists may be long, read from plain JSON, and how long a list may be.

A client can put a million entries into one message. Making objects of them, or doing something for each, would hold
the event loop, and with it every request. So there is a limit to each list, and one thing that is done beyond it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from lsprotocol import types

from lsp.convert import Position
from lsp.documents import MOST_CHANGES, MOST_DOCUMENTS, NO_VERSION, Change

MOST_FOLDERS = 100
"""Of a workspace: each has an index and a process of its own."""
MOST_LISTED_FOLDERS = 1_000
"""Of one message."""
CHANGING = (
    types.TEXT_DOCUMENT_DID_CHANGE,
    types.NOTEBOOK_DOCUMENT_DID_CHANGE,
    types.TEXT_DOCUMENT_DID_OPEN,
    types.NOTEBOOK_DOCUMENT_DID_OPEN,
)
"""Notifications after which a document has another text."""
_CELLS = ("change", "cells", "structure")
_REFUSED: dict[str, Sequence[tuple[str, ...]]] = {
    types.NOTEBOOK_DOCUMENT_DID_OPEN: [("notebookDocument", "cells"), ("cellTextDocuments",)],
    types.NOTEBOOK_DOCUMENT_DID_CHANGE: [
        ("change", "cells", "data"),
        ("change", "cells", "textContent"),
        (*_CELLS, "array", "cells"),
        (*_CELLS, "didOpen"),
        (*_CELLS, "didClose"),
    ],
}
"""Lists of a message that is not read if one of them is longer than ``MOST_DOCUMENTS``."""
_CUT: dict[str, Sequence[tuple[str, ...]]] = {
    types.INITIALIZE: [("workspaceFolders",)],
    types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS: [("event", "added"), ("event", "removed")],
}
"""Lists of which only the first ``MOST_LISTED_FOLDERS`` entries are read."""


class TooLongError(ValueError):
    """A list is longer than its limit."""


def limit(method: str, params: Any) -> None:
    """See that no list of a message is too long, by cutting it or by raising TooLongError."""
    for path in _REFUSED.get(method, ()):
        if len(_list(params, path)) > MOST_DOCUMENTS:
            raise TooLongError(".".join(path))
    if method == types.NOTEBOOK_DOCUMENT_DID_CHANGE:
        contents = _list(params, ("change", "cells", "textContent"))
        if sum(len(_list(content, ("changes",))) for content in contents) > MOST_CHANGES:
            raise TooLongError("changes")
    for path in _CUT.get(method, ()):
        del _list(params, path)[MOST_LISTED_FOLDERS:]


def read_changes(params: Any) -> tuple[str, int, list[Change]]:
    """The URI, the version and the changes of ``textDocument/didChange``. Raises ValueError if they are none.

    A version that is missing or no number is ``NO_VERSION``: the text does not depend on it.
    """
    try:
        document, listed = params["textDocument"], params["contentChanges"]
        uri, version = document["uri"], NO_VERSION
        if not isinstance(uri, str) or not isinstance(listed, list):
            raise TypeError
        with suppress(TypeError):
            version = _number(document.get("version"), least=None)
        if len(listed) > MOST_CHANGES:
            raise TooLongError(f"{len(listed):,} changes in one message")
        return uri, version, [_change(each) for each in listed]
    except (KeyError, TypeError, IndexError, AttributeError) as exc:
        raise ValueError("wrong parameters") from exc


def uri_of_document(params: Any) -> str | None:
    """The URI of the document that a notification is about, as far as it says so."""
    for name in ("textDocument", "notebookDocument"):
        uri = params[name].get("uri") if isinstance(params, Mapping) and isinstance(params.get(name), Mapping) else None
        if isinstance(uri, str):
            return uri
    return None


def read_uris(params: Any, listed: str, names: Sequence[str]) -> list[str]:
    """The URIs of a notification about files, each once; entries that are none are passed over."""
    entries = _list(params, (listed,))
    return list(
        dict.fromkeys(
            uri
            for entry in entries
            if isinstance(entry, Mapping)
            for name in names
            if isinstance(uri := entry.get(name), str)
        )
    )


def _change(change: Any) -> Change:
    text, where = change["text"], change.get("range")
    if not isinstance(text, str):
        raise TypeError
    if where is None:
        return Change(None, text)
    return Change((_position(where["start"]), _position(where["end"])), text)


def _position(position: Any) -> Position:
    return Position(_number(position["line"]), _number(position["character"]))


def _number(value: Any, least: int | None = 0) -> int:
    """An integer; some JSON libraries write 3.0."""
    if type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is not int or (least is not None and value < least):
        raise TypeError
    return value


def _list(params: Any, path: Sequence[str]) -> list[Any]:
    """The list at the end of a path of names; a new one if there is none."""
    for name in path:
        params = params.get(name) if isinstance(params, Mapping) else None
    return params if isinstance(params, list) else []
