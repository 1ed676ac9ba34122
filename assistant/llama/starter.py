"""Starts a host process and waits until it serves."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from assistant.errors import HostError
from assistant.llama import door, protocol
from assistant.llama.place import HostPlace
from assistant.llama.protocol import Json
from assistant.llama.settings import EngineSettings
from assistant.llm import Cancel
from indexer.errors import CancelledError, StorageError

_POLL_SECONDS = 0.05
_LINE_LIMIT = 65_536
"""Bytes of a report; a longer line is cut there, which makes it no JSON."""


def start_host(
    place: HostPlace,
    model: Path,
    settings: EngineSettings,
    idle_seconds: float,
    progress: Callable[[float], None] | None = None,
    cancel: Cancel | None = None,
) -> None:
    """Start a host, unless one runs, and return when it listens (or another process is about to).

    ``progress`` gets the loaded fraction. Raises the host's own error if it cannot start, HostError if it dies without
    a word, CancelledError if ``cancel`` is set meanwhile (the host goes on loading and serves the next call).
    """
    for report in _reports(_launch(place, model, settings, idle_seconds), place, cancel):
        if "progress" in report and progress is not None:
            progress(float(report["progress"]))
        if "error" in report:
            raise protocol.error_from_json(report["error"])
        if "ready" in report or "running" in report:
            return


def _launch(place: HostPlace, model: Path, settings: EngineSettings, idle_seconds: float) -> subprocess.Popen[bytes]:
    """The process, in a session of its own: it outlives the window that started it."""
    # -P: never import from the current directory, which may be a repository that nobody has read yet.
    command = [sys.executable, "-P", "-m", "assistant.llama.host"]
    command += ["--model", str(model), "--folder", str(place.folder), "--name", place.name]
    command += ["--context-tokens", str(settings.context_tokens), "--threads", str(settings.threads)]
    command += ["--gpu-layers", str(settings.gpu_layers), "--idle-seconds", str(idle_seconds)]
    command += ["--micro-batch", str(settings.micro_batch), "--draft-tokens", str(settings.draft_tokens)]
    command.append("--flash-attention" if settings.flash_attention else "--no-flash-attention")
    try:
        descriptor = door.create_private(place.log_path)
    except OSError as exc:
        raise StorageError.from_os_error(exc, "writing the model host's log", place.log_path) from exc
    with os.fdopen(descriptor, "wb") as log:
        try:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=place.folder,
                start_new_session=True,
            )
        except OSError as exc:
            raise HostError(f"The model host could not be started: {exc.strerror}.", "Close other programs.") from exc


def _reports(process: subprocess.Popen[bytes], place: HostPlace, cancel: Cancel | None) -> Iterator[Json]:
    """What the host says until it closes its standard output, which it does once it serves."""
    assert process.stdout is not None
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(process, process.stdout, lines), daemon=True).start()
    while True:
        if cancel is not None and cancel.cancelled:
            raise CancelledError("Stopped while the model was loading.")
        try:
            line = lines.get(timeout=_POLL_SECONDS)
        except queue.Empty:
            continue
        if not line:
            raise _died(process, place)
        yield protocol.decode(line)


def _listen(process: subprocess.Popen[bytes], output: IO[bytes], lines: queue.SimpleQueue[bytes]) -> None:
    """Pass lines on, an empty one at the end; then stay to collect the exit status, so that no zombie is left."""
    with output:
        while line := output.readline(_LINE_LIMIT):
            lines.put(line)
    lines.put(b"")
    process.wait()


def _died(process: subprocess.Popen[bytes], place: HostPlace) -> HostError:
    status = process.wait()
    how = f"signal {-status}" if status < 0 else f"exit status {status}"
    return HostError(
        f"The model host could not start ({how}).",
        f"Its log is {place.log_path}; check the model with `codemoat models verify`.",
    )
