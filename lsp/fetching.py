"""A model that is loaded, or missing and offered to be fetched: asked once, never fetched unasked."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from indexer.errors import CodemoatError
from lsp.progress import WorkDone
from lsp.protocol import sentence

if TYPE_CHECKING:
    from assistant.models import ModelEntry, PullProgress
    from lsp.server import Server

_LATER = "Not now"


class Fetching:
    """Loads the model with progress and asks about a missing one."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._offered = False

    def load(self) -> None:
        """In the model lane: load the model, with progress in the editor."""
        server = self._server
        work = WorkDone(server, "Loading the model")
        try:
            server.model.load(lambda fraction: server.on_loop(partial(_percent, work, fraction)))
        except CodemoatError as exc:
            server.model_failed(exc)
        else:
            server.on_loop(server.sync.warm)
        finally:
            server.on_loop(work.end)

    def offer(self) -> None:
        """On the event loop: ask whether to fetch the missing model, once a session."""
        if self._offered:
            return
        self._offered = True
        self._server.task(self._offer())

    async def _offer(self) -> None:
        import asyncio

        server = self._server
        entry = await asyncio.wrap_future(server.jobs.reading.submit(server.model.missing))
        if entry is None:
            server.warn(server.model.problem)
            return
        title = f"Fetch it ({entry.size / 1e6:,.0f} MB)"
        note = "" if entry.commercial else f" {entry.licence_note}"
        asked = types.ShowMessageRequestParams(
            types.MessageType.Info,
            f"The model {entry.name} is not on this machine, so there are no suggestions. "
            f"Its licence: {entry.licence}.{note}",
            [types.MessageActionItem(title), types.MessageActionItem(_LATER)],
        )
        answer = await server.protocol.send_request_async(types.WINDOW_SHOW_MESSAGE_REQUEST, asked)
        if answer is not None and answer.title == title:
            server.run(server.jobs.model, partial(self._fetch, entry), "fetch")

    def _fetch(self, entry: ModelEntry) -> None:
        """In the model lane."""
        from assistant.models import pull

        server, work = self._server, WorkDone(self._server, f"Fetching {entry.name}")
        try:
            pull(entry.name, progress=lambda p: server.on_loop(partial(_transfer, work, p)))
        except CodemoatError as exc:
            server.warn(sentence(exc))
            return
        finally:
            server.on_loop(work.end)
        server.model.reset()
        self.load()


def _percent(work: WorkDone, fraction: float) -> None:
    work.report("", round(100 * fraction))


def _transfer(work: WorkDone, progress: PullProgress) -> None:
    total: Any = progress.bytes_total
    work.report(
        f"{progress.bytes_done / 1e6:,.0f} of {total / 1e6:,.0f} MB", round(100 * progress.bytes_done / total)
    ) if total else work.report(progress.message)
