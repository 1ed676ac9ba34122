"""What commands write: results on stdout, notes and progress on stderr.

Three forms: styled on a terminal (rich, imported only then), plain otherwise, JSON when asked. Everything that may come
from a repository passes ``visible`` of ``indexer.reasons``: a control character must never reach the terminal, and a
line's end in a file's name makes no line of its own. Only ``text`` and ``piece`` write several lines.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, TextIO

from indexer.errors import CodemoatError
from indexer.reasons import visible

if TYPE_CHECKING:
    from rich.console import Console

    from indexer.reports import Progress

Part = str | tuple[str, str]
"""Text, or (text, rich style)."""

_STAGES = {
    "wait": "Waiting for another process that writes the index",
    "list": "Listing files",
    "parse": "Reading files",
    "anew": "Making the index again",
    "paused": "Paused",
    "write": "Writing the index",
    "merge": "Tidying the index up",
}
_PLAIN_PROGRESS_SECONDS = 5.0
_SHOWN_PATH = 40


class Output:
    """One command's way to the outside. ``as_json``: the result is JSON; ``stream``: one object a line, as it comes."""

    def __init__(self, *, as_json: bool = False, stream: bool = False) -> None:
        self.as_json = as_json or stream
        self.stream = stream
        self._consoles: dict[int, Console] = {}

    def data(self, value: Mapping[str, Any]) -> None:
        """Write one JSON object on a line of stdout, in ASCII: escaped text is safe on any terminal and encoding."""
        sys.stdout.write(json.dumps(value, allow_nan=False) + "\n")
        sys.stdout.flush()

    @property
    def width(self) -> int | None:
        """Columns of the terminal that stdout is; None where it is none."""
        return self._console(sys.stdout).width if sys.stdout.isatty() else None

    def line(self, *parts: Part, cut: bool = False) -> None:
        """Write one line to stdout; line ends in its parts are shown as escapes, tabs stay.

        ``cut``: on a terminal, no more than fits into its width.
        """
        self._write(sys.stdout, parts, "\n", cut=cut)

    def text(self, text: str) -> None:
        """Write text of several lines, and a line's end, to stdout."""
        self._write(sys.stdout, (text.replace("\r\n", "\n"),), "\n", keep="\n\t")

    def piece(self, text: str) -> None:
        """Write a piece of streamed text to stdout at once."""
        sys.stdout.write(clean(text))
        sys.stdout.flush()

    def note(self, text: str) -> None:
        """Write a remark of one line to stderr: not part of the result."""
        self._write(sys.stderr, [("codemoat: ", "dim"), text], "\n")

    def confirm(self, question: str) -> bool | None:
        """Ask a person; None if there is none to ask (not a terminal)."""
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            return None
        self._write(sys.stderr, [question, " [y/N] "], "")
        sys.stderr.flush()
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    @contextmanager
    def progress(self) -> Iterator[ProgressDisplay]:
        """Show ``Progress`` values on stderr for the time of the block; the value is what to call with them."""
        display = _RichProgress(self._console(sys.stderr)) if sys.stderr.isatty() else ProgressDisplay()
        with display:
            yield display

    @contextmanager
    def waiting(self) -> Iterator[Callable[[str], None]]:
        """Shows why something waits on a line of stderr, where that is a terminal.

        Each call of the value takes the place of what is shown; an empty text, and the end of the block, take it away.
        """
        shown = ""

        def show(text: str) -> None:
            nonlocal shown
            if text == shown or not sys.stderr.isatty():
                return
            text = visible(text)[: shutil.get_terminal_size().columns - 1]
            sys.stderr.write(f"\r{' ' * len(shown)}\r{text}")
            sys.stderr.flush()
            shown = text

        try:
            yield show
        finally:
            show("")

    def _write(self, stream: TextIO, parts: Sequence[Part], end: str, keep: str = "\t", *, cut: bool = False) -> None:
        shown = [(visible(p, keep), "") if isinstance(p, str) else (visible(p[0], keep), p[1]) for p in parts]
        if not stream.isatty():
            stream.write("".join(text for text, _ in shown) + end)
            return
        from rich.text import Text

        console, text = self._console(stream), Text.assemble(*shown)
        if cut:
            text.truncate(console.width, overflow="ellipsis")
        console.print(text, end=end, soft_wrap=True)

    def _console(self, stream: TextIO) -> Console:
        from rich.console import Console

        return self._consoles.setdefault(id(stream), Console(file=stream, highlight=False, markup=False, emoji=False))


class ProgressDisplay:
    """Plain progress: a line when the stage changes, and one every few seconds within a stage."""

    def __init__(self) -> None:
        self._stage = ""
        self._next = 0.0

    def __enter__(self) -> ProgressDisplay:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def __call__(self, progress: Progress) -> None:
        """Show how far an index update is."""
        amount = f"{progress.files_done}/{progress.files_total}" if progress.files_total else ""
        if progress.bytes_total and progress.stage == "parse":
            amount += f", {size(progress.bytes_done)} of {size(progress.bytes_total)}"
        if progress.rate:
            amount += f", {size(round(progress.rate))}/s"
        if progress.seconds_left is not None:
            amount += f", {duration(progress.seconds_left)} left"
        if progress.stage == "anew":
            amount = progress.current
        self._show_index(progress, amount)

    def _show_index(self, progress: Progress, amount: str) -> None:
        self._show(_STAGES.get(progress.stage, progress.stage), amount, progress.files_done, progress.files_total)

    def bytes(self, title: str, done: int, total: int) -> None:
        """Show how far a download is, in bytes."""
        percent = f"{100 * done // total}% of {size(total)}" if total else size(done)
        self._show(title, percent, done, total)

    def percent(self, title: str, fraction: float) -> None:
        """Show a fraction from 0 to 1."""
        self._show(title, f"{fraction:.0%}", round(100 * fraction), 100)

    def _show(self, title: str, amount: str, done: int, total: int) -> None:
        now = time.monotonic()
        if title == self._stage and now < self._next:
            return
        self._stage, self._next = title, now + _PLAIN_PROGRESS_SECONDS
        sys.stderr.write(visible(f"{title} {amount}".rstrip()) + "\n")
        sys.stderr.flush()


class _RichProgress(ProgressDisplay):
    """A bar on a terminal."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        self._bar = Bar(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[amount]}", markup=False),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._task = self._bar.add_task("", total=None, amount="")

    def __enter__(self) -> ProgressDisplay:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def _show_index(self, progress: Progress, amount: str) -> None:
        # A terminal shows the file under way too; in a log it would be one of thousands.
        shown = progress.current if progress.stage == "parse" else ""
        shown = f"…{shown[-_SHOWN_PATH:]}" if len(shown) > _SHOWN_PATH else shown
        super()._show_index(progress, f"{amount}  {visible(shown)}".rstrip())

    def _show(self, title: str, amount: str, done: int, total: int) -> None:
        self._bar.update(self._task, description=visible(title), completed=done, total=total or None, amount=amount)


def clean(text: str) -> str:
    """``visible`` text of several lines: newlines and tabs stay."""
    return visible(text.replace("\r\n", "\n"), "\n\t")


def size(count: int) -> str:
    """A number of bytes for people: ``491 MB``."""
    amount = float(count)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"


def duration(seconds: float) -> str:
    """A time for people: ``1 min 20 s``."""
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60} s"


def error_object(error: CodemoatError) -> dict[str, dict[str, str]]:
    """The JSON form of an error."""
    return {"error": {"code": error.code, "message": error.message, "hint": error.hint}}
