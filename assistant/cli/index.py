"""``codemoat index``: build or update the index of a folder."""

from __future__ import annotations

import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.cli.common import (
    Json,
    chosen_root,
    engine_for,
    interrupt_cancels,
    nothing_to_index,
    refuse_huge,
    update_index,
)
from assistant.cli.output import Output, size
from indexer.errors import BadInputError

if TYPE_CHECKING:
    from assistant.engine import Engine
    from indexer.config import IndexConfig
    from indexer.reports import UpdateReport

_SHOWN_SKIPPED = 10
_LOOK_SECONDS = 0.2


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("index")(_index)


def _index(
    ctx: typer.Context,
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="[PATH]…", help="Folders; else the repository around here.")
    ] = None,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Start from nothing, e.g. when the index is of a newer version.")
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Stay, and update the index as files change.")] = False,
    background: Annotated[
        bool, typer.Option("--background", help="Give way to everything else that wants the processor.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, max=64, help="Parse processes; else one a core, at most 8.")
    ] = None,
    explain: Annotated[
        Path | None, typer.Option("--explain", metavar="FILE", help="Only say why a file is in the index or not.")
    ] = None,
    json: Json = False,
) -> None:
    """Build the index of a folder, or bring it up to date. Each of several folders has an index of its own."""
    out = Output(as_json=json)
    overrides = {
        **({"index.background": True} if background else {}),
        **({"index.workers": workers} if workers is not None else {}),
    }
    if len(paths or ()) > 1 and (watch or explain):
        raise BadInputError("--watch and --explain take one folder.", "Name one folder, or run the command for each.")
    for path in paths or (None,):
        root = chosen_root(path)
        with engine_for(ctx, root, overrides) as engine:
            if explain is not None:
                _explain(out, root, explain, engine.config.index_config())
                return
            refuse_huge(root, explicit=path is not None)
            _report(out, root, update_index(engine, out, rebuild=rebuild))
            if watch:
                _watch(out, root, engine)


def _report(out: Output, root: Path, report: UpdateReport) -> None:
    if not report.files:
        out.note(nothing_to_index(root))
    if out.as_json:
        out.data(asdict(report))
    else:
        _show(out, root, report)


def _watch(out: Output, root: Path, engine: Engine) -> None:
    """Show each update until Ctrl-C."""

    def show(report: UpdateReport) -> None:
        if out.as_json:
            out.data(asdict(report))
        elif report.files_parsed or report.files_removed or report.repaired:
            took = f"{report.seconds:.2f} s"
            done = f"{report.files_parsed} files read, {report.files_removed} removed in {took}"
            out.line(f"{done}; {report.files} files.")

    out.note(f"Watching {root}; Ctrl-C ends it.")
    watcher = engine.watch(
        show,
        on_mode=lambda mode, reason: (
            out.note(f"Comparing times instead of waiting for events: {reason}.") if mode == "polling" else None
        ),
        on_error=lambda error: out.note(f"{error.message} {error.hint}".rstrip()),
    )
    try:
        with interrupt_cancels() as cancel:
            while not cancel.cancelled and watcher.failure is None:
                time.sleep(_LOOK_SECONDS)
    finally:
        watcher.stop()
    if watcher.failure is not None:
        raise watcher.failure


def _show(out: Output, root: Path, report: UpdateReport) -> None:
    out.line(
        ("Indexed ", "bold"),
        f"{report.files} files ({size(report.bytes)}): {report.chunks} chunks, {report.symbols} symbols, "
        f"{report.references} references in {report.seconds:.1f} s.",
    )
    out.line(
        f"{report.files_parsed} files read, {report.files_removed} removed; generation {report.generation} "
        f"of {root} in {report.index_path}"
    )
    for damage in report.repaired:
        out.line(("  repaired ", "yellow"), damage)
    if report.files_resumed:
        out.line(f"  {report.files_resumed} files were taken over from an update that was interrupted")
    for skipped in report.skipped[:_SHOWN_SKIPPED]:
        out.line(("  skipped ", "dim"), skipped.path, (f": {skipped.reason}", "dim"))
    if len(report.skipped) > _SHOWN_SKIPPED:
        out.line((f"  and {len(report.skipped) - _SHOWN_SKIPPED} more; --json lists them all", "dim"))


def _explain(out: Output, root: Path, path: Path, config: IndexConfig) -> None:
    from indexer.files import explain

    # As typed, from the current folder; a path as results show it, from the root, is understood too.
    here = Path.cwd() / path
    verdict = explain(root, here if os.path.lexists(here) else path, config)
    if out.as_json:
        out.data({"path": str(path), "included": verdict.included, "reason": verdict.reason})
    else:
        out.line((f"{path}", "bold"), f" is {'in' if verdict.included else 'not in'} the index: {verdict.reason}")
