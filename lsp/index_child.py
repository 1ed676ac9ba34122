"""The process that makes a folder's index and keeps it up to date, so that the server's event loop never waits for it.

Reads JSON lines: first ``{"root", "settings"}``, then ``{"do": "update" | "rebuild"}``. Writes JSON lines:
``progress``, ``report``, ``mode`` and ``error`` objects, each under its name. Ends with its input, so with the server,
however that ends; even while it is stopped.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.engine import Engine
from assistant.llm import Cancel
from indexer.errors import CodemoatError
from indexer.lifeline import continue_without_parent
from lsp.options import Options

if TYPE_CHECKING:
    from indexer.reports import Progress, UpdateReport
    from indexer.watch import Watcher

_NICE = 10
"""The editor, the model and whatever the user runs go first."""
_PROGRESS_PAUSE = 0.2
_LEAVE = 0.4
"""Seconds for an update to stop in order; what it has done is kept either way."""


class IndexProcess:
    """One folder's index, updated when files change or when asked to."""

    def __init__(self, root: Path, settings: dict[str, Any]) -> None:
        # As the server reads them: a wrong key costs itself only, and the server has told of it.
        options = Options(lambda _: None)
        options.initialize(settings)
        self._engine = Engine(options.config(root), root)
        self._cancel = Cancel()
        self._tasks: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._watcher: Watcher | None = None
        self._writing = threading.Lock()
        self._next_progress = 0.0

    def listen(self) -> None:
        """Take in what is asked until the input ends; then leave, whatever the other threads do."""
        try:
            for line in sys.stdin:
                self._tasks.put(str(json.loads(line)["do"]))
        finally:  # a server that is killed can also leave half a line
            self._leave()
            time.sleep(_LEAVE)
            os._exit(0)

    def _leave(self) -> None:
        """Stop the update under way, which keeps what it has done, and ask for no other."""
        self._cancel.cancel()
        self._tasks.put(None)

    def run(self) -> None:
        """Bring the index up to date, watch, and do what is asked."""
        threading.Thread(target=self.listen, daemon=True).start()
        task: str | None = "update"
        while task is not None:
            try:
                report = self._engine.update_index(self._progress, self._cancel, rebuild=task == "rebuild")
                self._report(report)
                if self._watcher is None:
                    self._watcher = self._engine.watch(self._report, on_mode=self._mode, on_error=self._error)
            except CodemoatError as exc:
                if not self._cancel.cancelled:
                    self._error(exc)
            task = self._tasks.get()
        if self._watcher is not None:
            self._watcher.stop(_LEAVE)
        self._engine.close()

    def _progress(self, progress: Progress) -> None:
        now = time.monotonic()
        if now >= self._next_progress:
            self._next_progress = now + _PROGRESS_PAUSE
            names = ("stage", "files_done", "files_total", "bytes_done", "bytes_total", "seconds_left")
            self._tell("progress", {name: getattr(progress, name) for name in names})

    def _report(self, report: UpdateReport) -> None:
        names = ("files", "chunks", "symbols", "seconds", "generation", "files_parsed", "files_removed", "repaired")
        found = {name: getattr(report, name) for name in names}
        self._tell("report", {**found, "skipped": len(report.skipped)})

    def _mode(self, mode: str, reason: str) -> None:
        self._tell("mode", {"mode": mode, "reason": reason})

    def _error(self, error: CodemoatError) -> None:
        self._tell("error", {"code": error.code, "message": error.message, "hint": error.hint})

    def _tell(self, name: str, value: object) -> None:
        line = json.dumps({name: value}) + "\n"
        try:
            with self._writing:
                sys.stdout.write(line)
                sys.stdout.flush()
        except OSError:  # nobody reads any more: not an error of the update that tells how far it is
            self._leave()


def main() -> None:
    """Serve the folder that the first line names."""
    continue_without_parent()
    os.nice(_NICE)
    line = sys.stdin.readline()
    if not line.endswith("\n"):  # the server was gone before it had said it
        return
    first = json.loads(line)
    IndexProcess(Path(first["root"]), first["settings"]).run()


if __name__ == "__main__":
    main()
