"""``codemoat search``: find code in the index."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant.cli.common import Json, Update, chosen_root, engine_for, ready_index, repaired, stale_note
from assistant.cli.output import Output, Part
from indexer.errors import BadInputError

if TYPE_CHECKING:
    from assistant.engine import Engine
    from indexer.types import Hit, SearchResult

_SHOWN_LINES = 8


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("search")(_search)


def _search(
    ctx: typer.Context,
    query: Annotated[list[str], typer.Argument(metavar="QUERY", help="Words, names or a question.")],
    k: Annotated[int, typer.Option("-k", "--limit", min=1, max=1000, help="Most hits to show.")] = 10,
    paths: Annotated[
        list[Path] | None,
        typer.Option("--path", metavar="DIR", help="The indexed root, or several; else the repository around here."),
    ] = None,
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
    found: list[tuple[Path, SearchResult]] = []
    for path in paths or (None,):
        root = chosen_root(path)
        with engine_for(ctx, root) as engine:
            ready_index(engine, out, explicit=path is not None, update=update)
            asked = partial(_ask_index, engine, text, k, language.lower() if language else None)
            found.append((root, repaired(engine, out, asked)))
    for _, result in found:
        stale_note(out, result.generation, stale=result.stale)
        for word, others in result.spellings.items():
            out.note(f"{word} is nowhere in the index; looked for {' and '.join(others)} instead.")
    # Scores of several roots are comparable only roughly: each is relative to the best of its own.
    hits = [(root, hit) for root, result in found for hit in result.hits]
    hits = sorted(hits, key=lambda pair: -pair[1].score)[:k] if len(found) > 1 else hits
    if out.as_json:
        several = len(found) > 1
        out.data({
            "hits": [_hit_object(hit) | ({"root": str(root)} if several else {}) for root, hit in hits],
            "generation": found[0][1].generation,
            "stale": any(result.stale for _, result in found),
            "spellings": {word: list(others) for _, result in found for word, others in result.spellings.items()},
        })  # fmt: skip
        return
    for root, hit in hits:
        _show(out, hit, explain=explain, root=root if len(found) > 1 else None)
    if not hits:
        out.note("Nothing found.")


def _ask_index(engine: Engine, text: str, k: int, language: str | None) -> SearchResult:
    return engine.index.search(text, k, language=language)


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


def _show(out: Output, hit: Hit, *, explain: bool, root: Path | None) -> None:
    chunk = hit.chunk
    place = chunk.path if root is None else str(root / chunk.path)
    heading: list[Part] = [(f"{place}:{chunk.span.start_line}-{chunk.span.end_line}", "bold cyan")]
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
