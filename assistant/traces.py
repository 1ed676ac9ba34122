"""Where something failed, for a log: frames and class names, never messages, which may quote prompts or files."""

from __future__ import annotations

import copy
import logging
import sys
import threading
import traceback
from types import TracebackType


def trace(error: BaseException | None) -> str:
    """The frames of an error and of what caused it, oldest first, each with the class of the error alone."""
    parts: list[str] = []
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        frames = "".join(traceback.format_tb(error.__traceback__))
        parts.append(f"Traceback (most recent call last):\n{frames}{type(error).__name__}\n")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "".join(reversed(parts))


class TraceFormatter(logging.Formatter):
    """Log lines whose errors are ``trace``."""

    def format(self, record: logging.LogRecord) -> str:
        """A log line. What another handler made of the error is not taken."""
        record = copy.copy(record)
        record.exc_text = None
        return super().format(record)

    def formatException(  # noqa: N802 - the library's name
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        """The error of a log record."""
        return trace(ei[1]).rstrip("\n")


def hide_messages() -> None:
    """Let errors that nobody caught be written as ``trace``, in every thread, to standard error.

    Editors keep what a server writes there in their own logs.
    """
    sys.excepthook = _uncaught
    threading.excepthook = lambda failed: _write(failed.exc_value, failed.exc_type)
    sys.unraisablehook = lambda failed: _write(failed.exc_value, failed.exc_type)
    # What asyncio says of a callback quotes it, arguments included; the class and the frames are enough.
    handler = logging.StreamHandler()
    handler.setFormatter(TraceFormatter("%(name)s: an error that nobody caught"))
    logger = logging.getLogger("asyncio")
    logger.addHandler(handler)
    logger.propagate = False


def no_core_dumps() -> None:
    """Let a crash leave no image of the memory, which holds buffers; inherited by child processes."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _uncaught(kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
    _write(error, kind)


def _write(error: BaseException | None, kind: type[BaseException]) -> None:
    if not issubclass(kind, SystemExit):
        sys.stderr.write(trace(error) or f"{kind.__name__}\n")
        sys.stderr.flush()
