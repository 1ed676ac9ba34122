"""The model host: a process that loads one model and serves it to every window and command of one user.

``python -m assistant.llama.host --model FILE --folder DIR --name NAME …`` is run by ``starter``. It reports on
standard output, a JSON object a line: ``{"progress": 0.4}`` while loading, then ``{"ready": true}``,
``{"running": true}`` if another process is the host already, or ``{"error": …}``. Standard error goes to its log;
prompts are never written. It leaves when no client has been connected for ``--idle-seconds``.
"""

from __future__ import annotations

import argparse
import asyncio
import faulthandler
import os
import secrets
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from assistant.llama import protocol
from assistant.llama.place import Address, HostPlace, HostState, prepare
from assistant.llama.protocol import Json
from assistant.llama.server import Host
from assistant.llama.settings import DRAFT_TOKENS, MICRO_BATCH, EngineSettings
from indexer.errors import CodemoatError

_LOCK_SECONDS = 0.5  # a client that looks whether the lock is held holds it for an instant
_NICENESS = 5
_SPINS = 1000
_FAILED = 70  # EX_SOFTWARE


def main(arguments: list[str] | None = None) -> int:
    """Run a host until it is stopped; the exit status."""
    options = _parse(arguments)
    _keep_output()
    _settle()
    place = HostPlace(options.folder, options.name)
    settings = EngineSettings(
        context_tokens=options.context_tokens,
        threads=options.threads,
        gpu_layers=options.gpu_layers,
        flash_attention=options.flash_attention,
        micro_batch=options.micro_batch,
        draft_tokens=options.draft_tokens,
    )
    try:
        prepare(place.folder)
        with place.lock(_LOCK_SECONDS) as mine:
            if not mine:
                _tell({"running": True})
                return 0
            _serve_model(place, options.model, settings, options.idle_seconds)
    except CodemoatError as exc:
        _tell(protocol.event_to_json(exc))
        return exc.exit_code
    return 0


def _serve_model(place: HostPlace, model: Path, settings: EngineSettings, idle_seconds: float) -> None:
    from assistant.llama.engine import LocalLLM

    llm = LocalLLM(model, settings, progress=_report_progress())
    token = secrets.token_hex(32)

    def listening(address: Address) -> None:
        place.write(HostState(os.getpid(), token, address, str(model), settings))
        _tell({"ready": True})
        _detach_output()

    def findable() -> bool | None:
        found = place.findable(token)
        if found is False:
            prepare(place.folder)
        return found

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(_die)
        host = Host(llm, token, idle_seconds)
        for number in (signal.SIGTERM, signal.SIGINT):
            with suppress(NotImplementedError):  # Windows
                loop.add_signal_handler(number, host.stop)
        await host.serve(place.address(), listening, findable)

    try:
        asyncio.run(serve())
    finally:
        if place.findable(token) is not None:
            place.forget()
    llm.close()


def _settle() -> None:
    """Be a good neighbour: lower priority, no core dumps (they would hold prompts), files for this user alone."""
    faulthandler.enable()
    sys.excepthook = _log_failure
    threading.excepthook = _thread_failed
    os.umask(0o077)
    # GNU OpenMP lets threads spin while they wait for each other. A short spin costs nothing on a quiet machine (22
    # tokens a second either way); beside one busy process it generates 12 tokens a second instead of 7. Not spinning at
    # all: 16 and 13.
    os.environ.setdefault("GOMP_SPINCOUNT", str(_SPINS))
    # When ggml aborts it starts a debugger for a backtrace, whose values may hold prompts; the log names the place.
    os.environ["GGML_NO_BACKTRACE"] = "1"
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.nice(_NICENESS)


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m assistant.llama.host", description="Serve one model (internal).")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--context-tokens", type=int, required=True)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--gpu-layers", type=int, default=0)
    parser.add_argument("--flash-attention", action=argparse.BooleanOptionalAction, default=False)
    parser.add_argument("--micro-batch", type=int, default=MICRO_BATCH)
    parser.add_argument("--draft-tokens", type=int, default=DRAFT_TOKENS)
    parser.add_argument("--idle-seconds", type=float, default=900.0)
    return parser.parse_args(arguments)


_reports = 1
"""Where lines for the starter go: standard output as it was when the process began."""


def _keep_output() -> None:
    """Keep standard output for reports: what libraries print goes to the log instead, and makes no report invalid."""
    global _reports
    _reports = os.dup(1)
    os.dup2(2, 1)


def _tell(message: Json) -> None:
    """A line for the starter; it may have gone, and the host stays for others."""
    with suppress(OSError):
        os.write(_reports, protocol.encode(message))


def _report_progress() -> Callable[[float], None]:
    """Tell the starter every twentieth of the loading."""
    told = -1

    def report(fraction: float) -> None:
        nonlocal told
        if int(fraction * 20) > told:
            told = int(fraction * 20)
            _tell({"progress": round(fraction, 2)})

    return report


def _detach_output() -> None:
    """Let go of the starter's pipe."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, _reports)
    os.close(null)


def _die(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """A failure nobody expected: leave, so that clients get an error and the next call a fresh host."""
    error = context.get("exception")
    if isinstance(error, Exception):
        _log_failure(type(error), error, error.__traceback__)
        if not isinstance(error, OSError):  # a connection that could not be accepted harms nobody else
            os._exit(_FAILED)


def _thread_failed(failure: threading.ExceptHookArgs) -> None:
    """A lane failed in a way nobody expected; without it the host would be deaf."""
    _log_failure(failure.exc_type, failure.exc_value, failure.exc_traceback)
    os._exit(_FAILED)


def _log_failure(kind: type[BaseException], _error: BaseException | None, trace: TracebackType | None) -> None:
    """Where it failed and with what class; never the message, which may quote a prompt."""
    traceback.print_tb(trace)
    sys.stderr.write(f"{kind.__name__}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
