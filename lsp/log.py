"""The log that ``--log FILE`` asks for: what happened, and never a text or a prompt.

Whatever a line holds, it is one line of printable UTF-8: line breaks and control characters are escaped, lone
surrogates too. An exception is logged as its class and the frames it came through; its message may quote a text.
"""

from __future__ import annotations

import contextlib
import copy
import logging
import os
import stat
import sys
from pathlib import Path

from assistant.traces import trace
from indexer.reasons import visible

_MOST_CHARACTERS = 4_000
"""Of a line; the names of methods and files come from outside."""


def start_log(path: Path | None) -> None:
    """Log to a file from now on, or nowhere. Where it cannot be written, standard error says why."""
    logger = logging.getLogger("codemoat")
    logger.propagate = False
    if path is None:
        logger.addHandler(logging.NullHandler())
        return
    try:
        handler = LogHandler(_open(path))
    except (OSError, ValueError) as exc:
        logger.addHandler(logging.NullHandler())
        reason = exc.strerror if isinstance(exc, OSError) else str(exc)
        tell(f"{path} cannot be written: {reason}. The server runs without a log.")
        return
    handler.setFormatter(_Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)


def tell(sentence: str) -> None:
    """Write a sentence to standard error, if there is one."""
    if sys.stderr is not None:
        try:
            sys.stderr.write(f"codemoat-lsp: {printable(sentence)}\n")
            sys.stderr.flush()
        except (OSError, ValueError):
            return


def printable(text: str) -> str:
    """``text`` as one line: characters that steer a terminal or cannot be encoded are escaped; long text is cut."""
    shown = text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]} …"
    return visible(shown)


class LogHandler(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes to the file until that fails, which is told once."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace"))
        self._failed = False

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        if not self._failed:
            super().emit(record)

    def close(self) -> None:
        """Close the file."""
        with contextlib.suppress(OSError):
            self.stream.close()
        super().close()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Stop logging. The default would print the record's arguments."""
        self._failed = True
        exc = sys.exc_info()[1]
        reason = exc.strerror if isinstance(exc, OSError) else type(exc).__name__
        tell(f"The log ends here, it cannot be written any more: {reason}.")


class _Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        # What another handler made of the error may quote its message.
        message = copy.copy(record)
        message.exc_info = message.exc_text = None
        lines = [printable(super().format(message))]
        if record.exc_info:
            lines += (f"    {printable(line)}" for line in trace(record.exc_info[1]).splitlines())
        return "\n".join(lines)


def _open(path: Path) -> int:
    """The file's descriptor, at its end. Raises OSError; ValueError for what is no regular file.

    Neither a link is followed, which may have been put there to have another file written to, nor is a pipe waited for.
    """
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    if path.is_symlink():
        raise ValueError("it is a link")
    if path.exists() and not path.is_file():
        raise ValueError("it is no regular file")
    descriptor = os.open(path, flags, 0o600)
    # Asked again of what was opened: the path may mean something else by now.
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ValueError("it is no regular file")
    return descriptor
