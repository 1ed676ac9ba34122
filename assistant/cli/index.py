"""``codemoat index``: build or update the index of a folder."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.cli.common import Json, chosen_root, engine_for, nothing_to_index, refuse_huge, update_index
from assistant.cli.output import Output, size

if TYPE_CHECKING:
    from indexer.config import IndexConfig
    from indexer.types import UpdateReport

_SHOWN_SKIPPED = 10


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("index")(_index)


def _index(
    ctx: typer.Context,
    path: Annotated[
        Path | None, typer.Argument(metavar="[PATH]", help="Folder; else the repository around here.")
    ] = None,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Start from nothing, e.g. when the index is damaged.")
    ] = False,
    explain: Annotated[
        Path | None, typer.Option("--explain", metavar="FILE", help="Only say why a file is in the index or not.")
    ] = None,
    json: Json = False,
) -> None:
    """Build the index of a folder, or bring it up to date."""
    out = Output(as_json=json)
    root = chosen_root(path)
    with engine_for(ctx, root) as engine:
        if explain is not None:
            _explain(out, root, explain, engine.config.index_config())
            return
        refuse_huge(root, explicit=path is not None)
        report = update_index(engine, out, rebuild=rebuild)
    if not report.files:
        out.note(nothing_to_index(root))
    if out.as_json:
        out.data(asdict(report))
    else:
        _show(out, root, report)


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
