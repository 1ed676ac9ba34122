"""Work-done progress in the editor, for those that show it."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from lsprotocol import types

if TYPE_CHECKING:
    from concurrent.futures import Future
    from typing import Any

    from lsp.server import Server


class WorkDone:
    """One piece of work's progress. On the event loop; does nothing for a client that cannot show it."""

    def __init__(self, server: Server, title: str) -> None:
        self._server = server
        self._title = title
        self._token = f"codemoat-{uuid.uuid4()}"
        self._state = "new"

    def report(self, message: str, percentage: int | None = None) -> None:
        """Show how far it is; the first call asks the client for its place on the screen."""
        if self._state == "new":
            window = self._server.client_capabilities.window
            self._state = "asked" if window is not None and window.work_done_progress else "none"
            if self._state == "asked":
                asked = types.WorkDoneProgressCreateParams(self._token)
                future = self._server.protocol.send_request(types.WINDOW_WORK_DONE_PROGRESS_CREATE, asked)
                future.add_done_callback(self._created)
        elif self._state == "shown":
            self._send(types.WorkDoneProgressReport(message=message, percentage=percentage))

    def end(self, message: str = "") -> None:
        """Take it from the screen."""
        if self._state == "shown":
            self._send(types.WorkDoneProgressEnd(message=message or None))
        self._state = "ended"

    def _created(self, future: Future[Any]) -> None:
        if self._state != "asked":
            return
        if future.cancelled() or future.exception() is not None:
            self._state = "none"
            return
        self._state = "shown"
        self._send(types.WorkDoneProgressBegin(title=self._title, percentage=0))

    def _send(self, value: object) -> None:
        self._server.protocol.notify(types.PROGRESS, types.ProgressParams(self._token, value))
