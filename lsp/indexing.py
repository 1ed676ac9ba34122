"""Each folder's indexing process: started, listened to, started again with back-off when it dies."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lsp.progress import WorkDone
from lsp.turns import Turns

if TYPE_CHECKING:
    from asyncio.subprocess import Process

    from lsp.folders import Folder
    from lsp.server import Server

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
"""Seconds before a process that died is started again; doubled each time until one brings a report."""
_LEAVE = 0.6
"""Seconds for a process to leave by itself at the end."""
_LINE = 1 << 20


@dataclass(slots=True)
class FolderState:
    """``state``: ``off`` (``problem`` says why), ``indexing``, ``ready``, ``failed`` or ``stopped`` by command."""

    state: str = "indexing"
    problem: str = ""
    progress: dict[str, Any] = field(default_factory=dict)
    report: dict[str, Any] = field(default_factory=dict)
    mode: str = ""
    restarts: int = 0
    pid: int = 0
    repair_asked: bool = False
    """Damage was met, and no report has come since the process was asked to repair it."""
    rebuild_asked: bool = False
    """Before there was a process that could be asked."""


class Indexing:
    """The indexing processes of all folders. On the event loop."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.states: dict[str, FolderState] = {}
        """By ``Folder.key``."""
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._processes: dict[str, Process] = {}
        self._turns = Turns(self._worked_in)
        self.asked_about: set[str] = set()
        """Keys of the folders that a question waits for."""

    def look(self) -> None:
        """A document was opened or a question asked: its folder is indexed before others."""
        if self._turns.waiting:
            self._turns.look()

    def _worked_in(self) -> set[str]:
        """Keys of the folders in which a document is open or that a question waits for."""
        located = map(self._server.folders.locate, self._server.documents.open)
        return {each.folder.key for each in located if each.folder is not None} | self.asked_about

    def start(self, folder: Folder) -> None:
        """Keep a folder's index up to date from now on, if it is to have one."""
        if folder.key in self._tasks:
            return
        state = self.states[folder.key] = FolderState()
        unwanted = folder.unwanted
        if unwanted is not None:
            state.state, state.problem = "off", unwanted
            self._server.changed()
            return
        self._tasks[folder.key] = asyncio.ensure_future(self._keep(folder, state))

    async def stop(self, folder: Folder, *, state: str = "stopped") -> None:
        """End a folder's process and wait for it, at most 1.2 s."""
        task = self._tasks.pop(folder.key, None)
        if task is not None:
            task.cancel()
            await asyncio.wait([task], timeout=2 * _LEAVE)
        if folder.key in self.states:
            self.states[folder.key].state = state
            self.states[folder.key].pid = 0
        self._server.changed()

    async def close(self) -> None:
        """End all processes."""
        tasks = list(self._tasks.values())
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=2 * _LEAVE)

    def ask(self, folder: Folder, what: str) -> bool:
        """Let the process ``update`` or ``rebuild``; whether there is one, or will be in its turn."""
        if folder.key in self._turns.waiting:
            self.states[folder.key].rebuild_asked |= what == "rebuild"
            return True
        process = self._processes.get(folder.key)
        if process is None or process.stdin is None or process.stdin.is_closing():
            return False
        process.stdin.write(json.dumps({"do": what}).encode() + b"\n")
        return True

    def repair(self, folder: Folder) -> None:
        """Have damage that a request met repaired: one update, however many requests meet it before it is done."""
        state = self.states.get(folder.key)
        if state is not None and not state.repair_asked:
            state.repair_asked = self.ask(folder, "update")

    async def _keep(self, folder: Folder, state: FolderState) -> None:
        """Run one process after the other until cancelled, each in its turn, which ends with its first report."""
        pause = 0.0
        while True:
            await self._turns.take(folder.key)
            try:
                reports = await self._serve(folder, state)
            finally:
                self._turns.give_back(folder.key)
            pause = _FIRST_PAUSE if reports else min(max(_FIRST_PAUSE, 2 * pause), _LONGEST_PAUSE)
            state.state, state.pid = "failed", 0
            state.restarts += 1
            told = f"The indexing of {folder.name} stopped: {state.problem} It is started again in {pause:g} s."
            # Once in a window that must be closed; what repeats itself goes to the log.
            (self._server.warn if state.restarts == 1 else self._server.log)(told)
            self._server.changed()
            await asyncio.sleep(pause)
            state.state, state.problem = "indexing", ""

    async def _serve(self, folder: Folder, state: FolderState) -> int:
        """Run a process to its end; how many reports it gave. ``state.problem`` says how it ended."""
        try:
            # -P: a folder of the workspace that is called like one of our packages must not be imported.
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", "lsp.index_child",
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
                limit=_LINE, start_new_session=True,
            )  # fmt: skip
        except OSError as exc:
            state.problem = f"no process could be started ({exc.strerror})."
            return 0
        self._processes[folder.key], state.pid, state.repair_asked = process, process.pid, False
        work, reports = WorkDone(self._server, f"Indexing {folder.name}"), 0
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            first = {"root": str(folder.root), "settings": self._server.options.overrides}
            process.stdin.write(json.dumps(first).encode() + b"\n")
            if state.rebuild_asked:
                state.rebuild_asked = False
                self.ask(folder, "rebuild")
            async for line in process.stdout:
                message = json.loads(line)
                reports += "report" in message
                self._take(folder, state, message, work)
            code = await process.wait()
            state.problem = state.problem or _ending(code)
            return reports
        finally:
            work.end()
            self._processes.pop(folder.key, None)
            await _end(process)

    def _take(self, folder: Folder, state: FolderState, message: dict[str, Any], work: WorkDone) -> None:
        if "progress" in message:
            state.state, state.progress = "indexing", message["progress"]
            done, total = state.progress["files_done"], state.progress["files_total"]
            if total:
                work.report(f"{done:,} of {total:,} files", 100 * done // total)
        elif "report" in message:
            work.end(f"{message['report']['files']:,} files")
            state.state, state.report, state.progress, state.problem = "ready", message["report"], {}, ""
            state.repair_asked = False
            self._turns.give_back(folder.key)
            folder.renew()
        elif "mode" in message:
            state.mode = message["mode"]["mode"]
        elif "error" in message:
            error = message["error"]
            text = f"{error['message']} {error['hint']}".rstrip()
            news = state.problem != text
            state.state, state.problem, state.progress = "failed", text, {}
            self._turns.give_back(folder.key)
            work.end()
            if news:
                self._server.warn(f"{folder.name}: {text}")
        self._server.changed()


async def _end(process: Process) -> None:
    """Let a process leave with its input, or kill it with all its workers; gone afterwards in both cases."""
    if process.stdin is not None:
        process.stdin.close()
    leaving = asyncio.ensure_future(process.wait())
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.wait([leaving], timeout=_LEAVE)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.wait([leaving], timeout=_LEAVE)


def _ending(code: int) -> str:
    if code < 0:
        return f"it was killed by signal {-code}."
    return f"it ended with status {code}."
