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
    from indexer.filters import Filters
    from indexer.types import Hit, SearchResult

_SHOWN_LINES = 8
_HITS = 10
_MOST_HITS = 1_000


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("search")(_search)


def _search(
    ctx: typer.Context,
    query: Annotated[list[str] | None, typer.Argument(metavar="QUERY", help="Words, names or a question.")] = None,
    text: Annotated[
        str | None, typer.Option("-e", "--exact", metavar="TEXT", help="Every line with this text, instead.")
    ] = None,
    regex: Annotated[
        str | None, typer.Option("-E", "--regex", metavar="REGEX", help="Every line that this pattern matches.")
    ] = None,
    ignore_case: Annotated[bool, typer.Option("-i", "--ignore-case", help="With -e or -E: in any case.")] = False,
    k: Annotated[
        int | None, typer.Option("-k", "--limit", min=1, help="Most hits (10) or, with -e or -E, lines (100) to show.")
    ] = None,
    count: Annotated[bool, typer.Option("--count", help="With -e or -E: only how many lines match.")] = False,
    files: Annotated[bool, typer.Option("--files", help="With -e or -E: only which files have matches.")] = False,
    paths: Annotated[
        list[Path] | None,
        typer.Option("--path", metavar="DIR", help="The indexed root, or several; else the repository around here."),
    ] = None,
    globs: Annotated[
        list[str] | None,
        typer.Option("--glob", "-g", metavar="GLOB", help="Only paths like this, e.g. 'src/**'; '!*.md' leaves out."),
    ] = None,
    language: Annotated[
        list[str] | None, typer.Option("--language", "-l", help="Only this language, e.g. python; or several.")
    ] = None,
    kind: Annotated[
        list[str] | None, typer.Option("--kind", help="Only where such symbols are defined, e.g. function,class.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="REV", help="Only files that differ from this git revision.")
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Say what each retriever gave to a hit.")] = False,
    update: Update = False,
    json: Json = False,
) -> None:
    """Find code by words, names or meaning; with -e or -E by its exact text."""
    from indexer.filters import Filters

    out = Output(as_json=json)
    filters = Filters(tuple(globs or ()), _listed(language), _listed(kind), since)
    if text is not None or regex is not None:
        if query or (text is not None and regex is not None):
            raise BadInputError("Give words, -e or -E, not two of them.", "Quote a text that has spaces in it.")
        from assistant.cli.exact import Wanted, search_exactly

        wanted = Wanted(text if regex is None else regex, regex is not None, ignore_case, filters, k, count, files)
        search_exactly(ctx, out, wanted, paths, update=update)
        return
    if ignore_case or count or files:
        raise BadInputError("-i, --count and --files are about exact texts.", "Give one with -e, or a pattern with -E.")
    _search_ranked(ctx, out, query or [], k or _HITS, filters, paths, explain=explain, update=update)


def _search_ranked(
    ctx: typer.Context,
    out: Output,
    query: list[str],
    k: int,
    filters: Filters,
    paths: list[Path] | None,
    *,
    explain: bool,
    update: bool,
) -> None:
    text = " ".join(query).strip()
    if not text:
        raise BadInputError("The query is empty.", "Give some words or a name.")
    if k > _MOST_HITS:
        raise BadInputError(f"At most {_MOST_HITS} hits can be shown.", "Give a lower -k.")
    found: list[tuple[Path, SearchResult]] = []
    for path in paths or (None,):
        root = chosen_root(path)
        with engine_for(ctx, root) as engine:
            ready_index(engine, out, explicit=path is not None, update=update)
            asked = partial(_ask_index, engine, text, k, filters)
            found.append((root, repaired(engine, out, asked)))
    for _, result in found:
        stale_note(out, result.generation, stale=result.stale)
        for word, others in result.spellings.items():
            out.note(f"{word} is nowhere in the index; looked for {' and '.join(others)} instead.")
    if any(result.literal for _, result in found):
        out.note("No words in this query: searched for its exact text. -e always does, and shows every line.")
    # Scores of several roots are comparable only roughly: each is relative to the best of its own.
    hits = [(root, hit) for root, result in found for hit in result.hits]
    hits = sorted(hits, key=lambda pair: -pair[1].score)[:k] if len(found) > 1 else hits
    if out.as_json:
        several = len(found) > 1
        out.data({
            "hits": [_hit_object(hit) | ({"root": str(root)} if several else {}) for root, hit in hits],
            "generation": found[0][1].generation,
            "stale": any(result.stale for _, result in found),
            "literal": any(result.literal for _, result in found),
            "spellings": {word: list(others) for _, result in found for word, others in result.spellings.items()},
        })  # fmt: skip
        return
    for root, hit in hits:
        _show(out, hit, explain=explain, root=root if len(found) > 1 else None)
    if not hits:
        out.note("Nothing found.")


def _listed(values: list[str] | None) -> tuple[str, ...]:
    """Options that may be given several times, or once with commas."""
    return tuple(part.strip().lower() for value in values or () for part in value.split(",") if part.strip())


def _ask_index(engine: Engine, text: str, k: int, filters: Filters) -> SearchResult:
    return engine.index.search(text, k, filters=filters)


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
