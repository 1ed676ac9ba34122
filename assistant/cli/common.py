"""What commands share: options, the root they work in, an index and a model that are ready."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from assistant.cli.output import Output, ProgressDisplay, size
from assistant.errors import NoModelError
from indexer.errors import BadInputError, CorruptIndexError
from indexer.location import find_root, is_huge
from indexer.probing import exists, is_folder

if TYPE_CHECKING:
    from assistant.config import Config
    from assistant.engine import Engine
    from assistant.llm import Cancel, ModelInfo
    from assistant.models import PullProgress
    from indexer.reports import UpdateReport

_STDERR = 2
Answer = TypeVar("Answer")

Json = Annotated[bool, typer.Option("--json", help="Write the result as JSON to stdout.")]
Stream = Annotated[bool, typer.Option("--stream", help="Write JSON objects line by line, as they come.")]
Root = Annotated[
    Path | None, typer.Option("--path", metavar="DIR", help="The indexed root; without it, the repository around here.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Fetch a missing model without asking.")]
Update = Annotated[bool, typer.Option("--update", help="Bring the index up to date first.")]


def chosen_root(path: Path | None) -> Path:
    """The folder to work in: ``path`` exactly, or the repository around the current folder.

    Raises BadInputError if ``path`` is not a folder.
    """
    if path is None:
        return find_root(Path.cwd())
    # os.path leaves a "~name" of nobody as it is, where pathlib raises RuntimeError.
    folder = Path(os.path.expanduser(path))  # noqa: PTH111
    if not exists(folder):
        raise BadInputError(f"There is no folder {path}.", "Check the spelling.")
    if not is_folder(folder):
        raise BadInputError(f"{path} is a file, not a folder.", "Give the folder that holds the code.")
    return folder.resolve()


@contextmanager
def engine_for(ctx: typer.Context, root: Path, overrides: Mapping[str, object] | None = None) -> Iterator[Engine]:
    """An engine with the settings that hold in ``root``, closed at the end."""
    from assistant.config import load_config

    with engine_of(ctx, load_config(root, overrides), root) as engine:
        yield engine


def engine_of(ctx: typer.Context, config: Config, root: Path) -> Engine:
    """An engine with these settings; the caller closes it."""
    if ctx.obj is not None:
        engine: Engine = ctx.obj(config, root)
        return engine
    from assistant.engine import Engine

    return Engine(config, root)


def ready_index(engine: Engine, out: Output, *, explicit: bool, update: bool = False) -> None:
    """See to it that there is an index: an absent one is built, with progress on stderr.

    ``explicit``: the user named the folder. Otherwise a home folder or the file system's root is refused. A damaged
    index is repaired, with a word about it.
    """
    try:
        present = engine.has_index
        damaged = engine.index.damaged() if present else ()
    except CorruptIndexError as exc:
        present, damaged = True, (exc.message,)
    if present and not damaged and not update:
        return
    if damaged:
        out.note(f"{damaged[0]} Repairing it.")
    elif not present:
        refuse_huge(engine.root, explicit=explicit)
        out.note(f"There is no index of {engine.root} yet; building it.")
    report = update_index(engine, out)
    if not report.files:
        out.note(nothing_to_index(engine.root))


def repaired(engine: Engine, out: Output, action: Callable[[], Answer]) -> Answer:
    """What ``action`` gives; if it meets damage in the index, the index is repaired first, with a word about it."""
    try:
        return action()
    except CorruptIndexError as exc:
        out.note(f"{exc.message} Repairing it.")
        update_index(engine, out)
        return action()


def update_index(engine: Engine, out: Output, *, rebuild: bool = False) -> UpdateReport:
    """Update with progress on stderr. The first Ctrl-C stops between two files, the second at once."""
    with interrupt_cancels() as cancel, out.progress() as progress:
        return engine.update_index(progress, cancel, rebuild=rebuild)


def refuse_huge(root: Path, *, explicit: bool) -> None:
    """Raise BadInputError rather than index a whole home folder or disk that nobody asked for."""
    if not explicit and is_huge(root):
        raise BadInputError(
            f"{root} is not a project: indexing it would read everything in it.",
            "Go to a project, or name the folder: `codemoat index PATH`.",
        )


def ready_model(engine: Engine, out: Output, *, yes: bool) -> None:
    """See to it that the model's file is here: asks before it is fetched, unless ``yes``.

    Raises NoModelError if it is not to be fetched or there is nobody to ask, and what ``Engine.llm`` raises: before
    an index is built, not after.
    """
    entry = engine.missing_model
    if entry is None:
        _ = engine.llm
        return
    absent = f"The model {entry.name} is not on this machine"
    command = f"Run `codemoat models pull {entry.name}`"
    if not yes:
        answer = out.confirm(f"{absent}. Fetch it now ({size(entry.size)}, licence {entry.licence})?")
        if answer is None:
            raise NoModelError(f"{absent}.", f"{command}, or add --yes.")
        if not answer:
            raise NoModelError(f"{absent}.", f"{command} when you want it.")
    fetch_model(entry.name, out)


def start_model(engine: Engine, out: Output) -> ModelInfo:
    """Load the model, with progress on stderr if that has to be waited for."""
    with out.progress() as display:
        return engine.start_model(lambda fraction: display.percent("Loading the model", fraction))


def fetch_model(name: str, out: Output, source: str | None = None) -> Path:
    """Pull a model with progress on stderr; the first Ctrl-C keeps what came for the next time."""
    from assistant.models import find_model, pull

    entry = find_model(name)
    if entry is not None and not entry.commercial:
        out.note(f"{entry.name}: {entry.licence}. {entry.licence_note}".rstrip())
    with interrupt_cancels() as cancel, out.progress() as display:
        return pull(name, source=source, progress=lambda p: show_transfer(p, display, out), cancel=cancel)


def show_transfer(progress: PullProgress, display: ProgressDisplay, out: Output) -> None:
    """Show how far a pull or a check of a model is."""
    if progress.stage in ("download", "verify"):
        title = "Fetching" if progress.stage == "download" else "Checking"
        display.bytes(f"{title} {progress.model}", progress.bytes_done, progress.bytes_total)
    elif progress.message:
        about = f"{progress.source}: " if progress.stage == "failed" else ""
        out.note(about + progress.message)


def nothing_to_index(root: Path) -> str:
    """The remark on an index without files."""
    return f"{root} holds no files to index; `codemoat index --explain FILE` says why a file is left out."


def stale_note(out: Output, generation: int, *, stale: bool) -> None:
    """Say that the answer is from before the last changes, if it is."""
    if stale:
        out.note(f"Files changed since the index was made (generation {generation}); --update brings it up to date.")


@contextmanager
def interrupt_cancels() -> Iterator[Cancel]:
    """For the time of the block the first Ctrl-C sets the yielded flag; a second one interrupts as usual."""
    from assistant.llm import Cancel

    cancel = Cancel()
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN  # a shell's background job: its Ctrl-C is for others
    if ignored or threading.current_thread() is not threading.main_thread():
        yield cancel
        return

    def stop(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, before)
        cancel.cancel()
        # Not through the stream: the signal may have come in the middle of a write to it.
        with contextlib.suppress(OSError):
            os.write(_STDERR, b"\ncodemoat: Stopping; Ctrl-C again stops at once.\n")

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield cancel
    finally:
        signal.signal(signal.SIGINT, before)
