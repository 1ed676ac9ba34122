"""``codemoat status``: what the index holds, and whether it is up to date."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from assistant.cli.common import Json, Root, chosen_root, engine_for
from assistant.cli.output import Output, size

if TYPE_CHECKING:
    from indexer.reports import IndexStatus


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("status")(_status)


def _status(ctx: typer.Context, path: Root = None, json: Json = False) -> None:
    """Show what the index holds and whether it is up to date."""
    out = Output(as_json=json)
    with engine_for(ctx, chosen_root(path)) as engine:
        status = engine.index.status()
        model, endpoint = engine.config.model.name, engine.config.model.endpoint
    if endpoint is not None:
        model = endpoint.name or endpoint.url
    if out.as_json:
        server = None if endpoint is None else {"url": endpoint.url, "leaves_machine": not endpoint.is_local}
        out.data(asdict(status) | {"languages": dict(status.languages), "model": model, "model_server": server})
    else:
        _show(out, status, model if endpoint is None else f"{model}: {endpoint.notice}")


def _show(out: Output, status: IndexStatus, model: str) -> None:
    updated = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(status.updated_at))
    languages = sorted(status.languages.items(), key=lambda item: (-item[1], item[0]))
    rows = {
        "root": status.root,
        "index": f"{status.index_path} ({size(status.bytes_on_disk)}, {status.segments} segments)",
        "sizes": ", ".join(f"{name} {size(count)}" for name, count in status.parts.items())
        + (f"; {status.dead_chunks} chunks wait to be cleared away" if status.dead_chunks else ""),
        "generation": f"{status.generation}, made {updated} ({_age(status.updated_at)})"
        + (", files changed since" if status.stale else ""),
        "health": status.damaged[0] if status.damaged else "good",
        "files": f"{status.files} ({size(status.bytes)})",
        "chunks": str(status.chunks),
        "symbols": f"{status.symbols}, {status.references} references",
        "languages": ", ".join(f"{name} {count}" for name, count in languages),
        "embedding": f"{status.embedder}, {status.dimension} numbers",
        "model": model,
    }
    for name, value in rows.items():
        out.line((f"{name:<11} ", "bold"), value)
    if status.pending:
        out.note(f"An update was interrupted; {status.pending} files of it are done, `codemoat index` goes on with it.")
    if status.damaged:
        out.note("`codemoat index` repairs it.")
    elif status.stale:
        out.note("`codemoat index` brings it up to date.")


def _age(since: float) -> str:
    """How long ago a Unix time was, in the largest fitting unit."""
    seconds = max(0.0, time.time() - since)
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit} ago"
    return f"{seconds:.0f} seconds ago"
