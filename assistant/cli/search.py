"""``codemoat search``: find code in the index."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant.cli.common import Json, Update, engine_for, ready_index, repaired, stale_note
from assistant.cli.dashes import SearchCommand
from assistant.cli.hits import hit_object, show_brief, show_hit
from assistant.cli.output import Output
from assistant.cli.places import Place, empty_note, places_of, take_folders
from indexer.errors import BadInputError

if TYPE_CHECKING:
    from assistant.engine import Engine
    from indexer.filters import Filters
    from indexer.types import SearchResult

_HITS = 10
_MOST_HITS = 1_000
_MOST_AROUND = 1_000
"""Lines around a match that may be asked for."""


@dataclass(frozen=True)
class _Asked:
    k: int | None
    filters: Filters
    paths: list[Path] | None
    brief: bool
    explain: bool
    update: bool


def _around(letter: str, name: str, where: str) -> Any:
    return typer.Option(
        letter, f"--{name}", min=0, max=_MOST_AROUND, metavar="N", help=f"With -e or -E: N lines {where} too."
    )


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("search", cls=SearchCommand)(_search)


def _search(
    ctx: typer.Context,
    query: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="QUERY",
            help="Words, names or a question. An argument such as src/ that names a folder: only there.",
        ),
    ] = None,
    text: Annotated[
        str | None, typer.Option("-e", "--exact", metavar="TEXT", help="Every line with this text, instead.")
    ] = None,
    regex: Annotated[
        str | None, typer.Option("-E", "--regex", metavar="REGEX", help="Every line that this pattern matches.")
    ] = None,
    ignore_case: Annotated[bool, typer.Option("-i", "--ignore-case", help="With -e or -E: in any case.")] = False,
    word: Annotated[bool, typer.Option("-w", "--word", help="With -e or -E: whole words only.")] = False,
    invert: Annotated[bool, typer.Option("-v", "--invert", help="With -e or -E: lines without a match.")] = False,
    only: Annotated[
        bool, typer.Option("-o", "--only-matching", help="With -e or -E: only the matches, each on a line.")
    ] = False,
    after: Annotated[int | None, _around("-A", "after", "after a match")] = None,
    before: Annotated[int | None, _around("-B", "before", "before a match")] = None,
    around: Annotated[int | None, _around("-C", "context", "around a match")] = None,
    k: Annotated[
        int | None, typer.Option("-k", "--limit", min=1, help="Most hits (10) or, with -e or -E, lines (100) to show.")
    ] = None,
    count: Annotated[bool, typer.Option("--count", help="With -e or -E: only how many lines match.")] = False,
    files: Annotated[bool, typer.Option("--files", help="With -e or -E: only which files have matches.")] = False,
    paths: Annotated[
        list[Path] | None,
        typer.Option(
            "--path", metavar="DIR", help="A root, or a folder of an indexed one; or several. Else the repository here."
        ),
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
    brief: Annotated[
        bool, typer.Option("--brief", help="One line a hit: path:line, the definition, the line's text.")
    ] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Say what each retriever gave to a hit.")] = False,
    update: Update = False,
    json: Json = False,
) -> None:
    """Find code by words, names or meaning; with -e or -E by its exact text.

    Exit code: 0; with -e or -E, as from grep, 1 if no line was found; 2 and more for errors.
    """
    from indexer.filters import Filters

    out = Output(as_json=json)
    filters = Filters(tuple(globs or ()), _listed(language), _listed(kind), since)
    if brief and explain:
        raise BadInputError("--brief leaves no room for what --explain says.", "Give one of them.")
    asked = _Asked(k, filters, paths, brief, explain, update)
    given = [value for value in (after, before, around) if value is not None]
    if text is None and regex is None:
        if ignore_case or word or invert or only or given or count or files:
            raise BadInputError(
                "-i, -w, -v, -o, -A, -B, -C, --count and --files are about exact texts.",
                "Give one with -e, or a pattern with -E.",
            )
        _search_ranked(ctx, out, query or [], asked)
        return
    if text is not None and regex is not None:
        raise BadInputError("Give words, -e or -E, not two of them.", "Quote a text that has spaces in it.")
    _check_form(count=count, files=files, only=only, invert=invert, around=bool(given), brief=brief, explain=explain)
    from assistant.cli.exact import Wanted, search_exactly
    from indexer.exact import LineOptions

    lines = LineOptions(word, invert, _first(before, around), _first(after, around))
    pattern, is_regex = (regex, True) if regex is not None else (text or "", False)
    wanted = Wanted(pattern, is_regex, ignore_case, lines, filters, k, count, files, only)
    places = take_folders(query or [], places_of(ctx, paths), out, exact=True)[1]
    if not search_exactly(ctx, out, wanted, places, update=update):
        raise typer.Exit(1)


def _first(*values: int | None) -> int:
    return next((value for value in values if value is not None), 0)


def _check_form(
    *, count: bool, files: bool, only: bool, invert: bool, around: bool, brief: bool, explain: bool
) -> None:
    """Raises BadInputError for options of which one would have no effect."""
    if (count or files) and (only or around):
        raise BadInputError("--count and --files show no lines, so -o, -A, -B and -C do not apply.", "Leave them out.")
    if only and (invert or around):
        raise BadInputError("-o shows nothing but matches, so -v, -A, -B and -C do not apply.", "Leave -o out.")
    if brief and around:
        raise BadInputError("--brief is one line a match, so -A, -B and -C do not apply.", "Leave them out.")
    if explain:
        raise BadInputError("--explain is about ranked hits, not about exact texts.", "Leave it out.")


def _search_ranked(ctx: typer.Context, out: Output, query: list[str], asked: _Asked) -> None:
    if not " ".join(query).strip():
        raise BadInputError("The query is empty.", "Give some words or a name.")
    k = asked.k or _HITS
    if k > _MOST_HITS:
        raise BadInputError(f"At most {_MOST_HITS} hits can be shown.", "Give a lower -k.")
    words, places = take_folders(query, places_of(ctx, asked.paths), out, exact=False)
    found: list[tuple[Place, SearchResult]] = []
    for place in places:
        with engine_for(ctx, place.root) as engine:
            ready_index(engine, out, explicit=place.given, update=asked.update)
            search = partial(_ask_index, engine, " ".join(words).strip(), k, place.filters(asked.filters))
            found.append((place, repaired(engine, out, search)))
            empty_note(out, engine, place)
    for _, result in found:
        stale_note(out, result.generation, stale=result.stale)
        for word, others in result.spellings.items():
            out.note(f"{word} is nowhere in the index; looked for {' and '.join(others)} instead.")
    if any(result.literal for _, result in found):
        out.note("No words in this query: searched for its exact text. -e always does, and shows every line.")
    # Scores of several roots are comparable only roughly: each is relative to the best of its own.
    hits = [(place, hit) for place, result in found for hit in result.hits]
    several = len(found) > 1
    hits = sorted(hits, key=lambda pair: -pair[1].score)[:k] if several else hits
    if out.as_json:
        out.data({
            "hits": [
                hit_object(hit, place.name(hit.chunk.path)) | ({"root": str(place.shown)} if several else {})
                for place, hit in hits
            ],
            "generation": found[0][1].generation,
            "stale": any(result.stale for _, result in found),
            "literal": any(result.literal for _, result in found),
            "spellings": {word: list(others) for _, result in found for word, others in result.spellings.items()},
        })  # fmt: skip
        return
    for place, hit in hits:
        path = str(place.root / hit.chunk.path) if several else place.name(hit.chunk.path)
        if asked.brief:
            show_brief(out, hit, path)
        else:
            show_hit(out, hit, path, explain=asked.explain)
    if not hits:
        out.note("Nothing found.")


def _listed(values: list[str] | None) -> tuple[str, ...]:
    """Options that may be given several times, or once with commas."""
    return tuple(part.strip().lower() for value in values or () for part in value.split(",") if part.strip())


def _ask_index(engine: Engine, text: str, k: int, filters: Filters) -> SearchResult:
    return engine.index.search(text, k, filters=filters)
