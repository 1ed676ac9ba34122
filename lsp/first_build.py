"""A question that comes while its folder's index is made for the first time: it waits, and the client is told so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from indexer.errors import CancelledError, CodemoatError, NoIndexError
from lsp.jobs import result

if TYPE_CHECKING:
    from assistant.llm import Cancel
    from lsp.folders import Folder
    from lsp.server import Server

REASON = "index"
"""Of the event ``waiting``."""
TEXT = "Waiting: the index of this folder is being built…"
_LOOK = 0.1
"""Seconds between looks at how the build goes."""


async def wait_for_index(
    server: Server, folder: Folder, cancel: Cancel, tell: Callable[[dict[str, Any]], None]
) -> None:
    """Return when the folder's index can be read; ``tell`` gets the events while it is being built.

    Raises NoIndexError if there is none and none is being built, CancelledError once ``cancel`` is set. Whatever else
    is wrong with the index is not looked at here.
    """
    told = False
    while True:
        building = _is_building(server, folder)  # before the look, which may come just after the build's end
        missing = await result(server.jobs.reading.submit(lambda: _missing(folder)))
        if missing is None:
            break
        if not building:
            raise _explained(server, folder, missing)
        if not told:
            told = True
            tell({"kind": "waiting", "reason": REASON, "text": TEXT})
        server.indexing.asked_about.add(folder.key)
        server.indexing.look()
        try:
            while _is_building(server, folder) and not cancel.cancelled:
                await asyncio.sleep(_LOOK)
        finally:
            server.indexing.asked_about.discard(folder.key)
        if cancel.cancelled:
            raise CancelledError("The question was stopped before the index was built.", "Ask again.")
    if told:
        tell({"kind": "waiting", "reason": "", "text": ""})


def _missing(folder: Folder) -> NoIndexError | None:
    """Why there is no index yet that this version can read; None if there is one, or it is damaged."""
    try:
        _ = folder.index
    except NoIndexError as exc:
        return exc
    except CodemoatError:
        return None
    return None


def _is_building(server: Server, folder: Folder) -> bool:
    """Whether an index is being built, or will be in its turn: each folder begins with that."""
    state = server.indexing.states.get(folder.key)
    return state.state == "indexing" if state is not None else not server.settled


def _explained(server: Server, folder: Folder, missing: NoIndexError) -> NoIndexError:
    """The error, with the reason why no index is built where that is known."""
    state = server.indexing.states.get(folder.key)
    if state is None or not state.problem:
        return missing
    return NoIndexError(f"There is no index of {folder.name}. {state.problem}")
