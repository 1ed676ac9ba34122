"""``codemoat search``: find code in the index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant.cli.common import Json, Root, Update, chosen_root, engine_for, ready_index, stale_note
from assistant.cli.output import Output, Part
from indexer.errors import BadInputError

if TYPE_CHECKING:
    from indexer.types import Hit

_SHOWN_LINES = 8


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("search")(_search)


def _search(
    ctx: typer.Context,
    query: Annotated[list[str], typer.Argument(metavar="QUERY", help="Words, names or a question.")],
    k: Annotated[int, typer.Option("-k", "--limit", min=1, max=1000, help="Most hits to show.")] = 10,
    path: Root = None,
    language: Annotated[str | None, typer.Option("--language", "-l", help="Only this language, e.g. python.")] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Say what each retriever gave to a hit.")] = False,
    update: Update = False,
    json: Json = False,
) -> None:
    """Find code by words, names or meaning."""
    out = Output(as_json=json)
    text = " ".join(query).strip()
    if not text:
        raise BadInputError("The query is empty.", "Give some words or a name.")
    with engine_for(ctx, chosen_root(path)) as engine:
        ready_index(engine, out, explicit=path is not None, update=update)
        result = engine.index.search(text, k, language=language.lower() if language else None)
    stale_note(out, result.generation, stale=result.stale)
    if out.as_json:
        hits = [_hit_object(hit) for hit in result.hits]
        out.data({"hits": hits, "generation": result.generation, "stale": result.stale})
        return
    for hit in result.hits:
        _show(out, hit, explain=explain)
    if not result.hits:
        out.note("Nothing found.")


def _hit_object(hit: Hit) -> dict[str, Any]:
    chunk = hit.chunk
    return {
        "path": chunk.path,
        "start_line": chunk.span.start_line,
        "end_line": chunk.span.end_line,
        "score": hit.score,
        "symbol": chunk.symbol,
        "language": chunk.language,
        "text": chunk.text,
        "reasons": dict(hit.reasons),
    }


def _show(out: Output, hit: Hit, *, explain: bool) -> None:
    chunk = hit.chunk
    heading: list[Part] = [(f"{chunk.path}:{chunk.span.start_line}-{chunk.span.end_line}", "bold cyan")]
    if chunk.symbol:
        heading.append((f"  {chunk.symbol}", "green"))
    heading.append((f"  {hit.score:.3f}", "dim"))
    out.line(*heading)
    if explain:
        reasons = sorted(hit.reasons.items(), key=lambda item: -item[1])
        out.line((f"  {', '.join(f'{name} {value:+.3f}' for name, value in reasons)}", "yellow"))
    lines = chunk.text.rstrip().split("\n")
    width = len(str(chunk.span.start_line + _SHOWN_LINES))
    for number, line in enumerate(lines[:_SHOWN_LINES], chunk.span.start_line):
        out.line((f"  {number:>{width}}  ", "dim"), line.rstrip("\r"))
    if len(lines) > _SHOWN_LINES:
        out.line((f"  {'':>{width}}  … {len(lines) - _SHOWN_LINES} more lines", "dim"))
    out.line()
