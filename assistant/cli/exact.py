"""``codemoat search -e`` and ``-E``: every line with a text or a match."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import typer

from assistant.cli.common import engine_for, ready_index, repaired, stale_note
from assistant.cli.output import Output, Part
from assistant.cli.places import Place, empty_note

if TYPE_CHECKING:
    from assistant.engine import Engine
    from indexer.exact import LineOptions
    from indexer.filters import Filters
    from indexer.reports import GrepResult, Match

_LINES = 100
_SHOWN_CHARACTERS = 500
"""Of a longer line people are shown the stretch around its first match."""


@dataclass(frozen=True)
class Wanted:
    """What was asked for. ``limit``: None where the user said nothing."""

    pattern: str
    regex: bool
    ignore_case: bool
    lines: LineOptions
    filters: Filters
    limit: int | None
    count: bool
    files: bool
    only: bool
    """Only the matches, not their lines."""


Found = list[tuple[Place, "GrepResult"]]


def search_exactly(ctx: typer.Context, out: Output, wanted: Wanted, places: Sequence[Place], *, update: bool) -> bool:
    """Search the places and show what was found; whether that is anything. Raises what ``Index.grep`` does."""
    limit = wanted.limit or _LINES
    left = 0 if wanted.count else limit
    found: Found = []
    for place in places:
        with engine_for(ctx, place.root) as engine:
            ready_index(engine, out, explicit=place.given, update=update)
            asked = partial(_ask, engine, wanted, place, None if wanted.files else left)
            result = repaired(engine, out, asked)
            empty_note(out, engine, place)
        left = max(0, left - len(result.matches))
        found.append((place, result))
    if wanted.files:
        found = _files_only(found, limit)
    for _, result in found:
        stale_note(out, result.generation, stale=result.stale)
    any_line = any(result.total for _, result in found)
    if out.as_json:
        _write_json(out, wanted, found)
        return any_line
    _show_all(out, wanted, found)
    _sum_up(out, wanted, [result for _, result in found], sum(len(result.matches) for _, result in found))
    return any_line


def _ask(engine: Engine, wanted: Wanted, place: Place, limit: int | None) -> GrepResult:
    return engine.index.grep(
        wanted.pattern,
        regex=wanted.regex,
        ignore_case=wanted.ignore_case,
        options=wanted.lines,
        filters=place.filters(wanted.filters),
        limit=limit,
        count=wanted.count,
    )


def _files_only(found: Found, limit: int) -> Found:
    """The first match of each file."""
    kept: Found = []
    for place, result in found:
        first = {match.path: match for match in reversed(result.matches)}
        ordered = [first[path] for path in sorted(first)][:limit]
        limit -= len(ordered)
        kept.append((place, replace(result, matches=tuple(ordered))))
    return kept


def _write_json(out: Output, wanted: Wanted, found: Found) -> None:
    results = [result for _, result in found]
    several = len(found) > 1
    matches = [
        form | ({"root": str(place.shown)} if several else {})
        for place, result in found
        for match in result.matches
        for form in _match_objects(match, place.name(match.path), wanted)
    ]
    out.data({
        "matches": matches,
        "total": sum(result.total for result in results),
        "files": sum(result.files for result in results),
        "complete": all(result.complete for result in results),
        "generation": results[0].generation,
        "stale": any(result.stale for result in results),
    })  # fmt: skip


def _match_objects(match: Match, path: str, wanted: Wanted) -> Iterator[dict[str, Any]]:
    """A line; with ``only`` an object for each match in it."""
    line = match.text.encode("utf-8", "surrogatepass")
    columns, at, before = [], 0, 1
    for start, end in match.spans:
        first = before + len(line[at:start].decode("utf-8", "replace"))
        at, before = end, first + len(line[start:end].decode("utf-8", "replace"))
        columns.append([first, before])
    if wanted.only:
        for own, (start, end) in zip(columns, match.spans, strict=True):
            if end > start:
                yield {"path": path, "line": match.line, "columns": [own], "text": _text(line[start:end])}
        return
    form: dict[str, Any] = {"path": path, "line": match.line, "columns": columns, "text": match.text}
    if wanted.lines.before or wanted.lines.after:
        form |= {"before": list(match.before), "after": list(match.after)}
    yield form


def _show_all(out: Output, wanted: Wanted, found: Found) -> None:
    several, around = len(found) > 1, bool(wanted.lines.before or wanted.lines.after)
    last: tuple[str, int] | None = None
    for place, result in found:
        for match in result.matches:
            path = str(place.root / match.path) if several else place.name(match.path)
            if wanted.files:
                out.line((path, "bold cyan"))
                continue
            first = match.line - len(match.before)
            if around and last is not None and last != (path, first - 1):
                out.line(("--", "dim"))
            _show(out, wanted, match, path)
            last = path, match.line + len(match.after)


def _show(out: Output, wanted: Wanted, match: Match, path: str) -> None:
    for number, text in enumerate(match.before, match.line - len(match.before)):
        _show_beside(out, path, number, text)
    place: list[Part] = [(path, "cyan"), ":", (str(match.line), "green"), ":"]
    if wanted.only:
        line = match.text.encode("utf-8", "surrogatepass")
        for start, end in match.spans:
            if end > start:
                out.line(*place, (_text(line[start:end][:_SHOWN_CHARACTERS]), "bold red"))
    else:
        out.line(*place, *_marked(match))
    for number, text in enumerate(match.after, match.line + 1):
        _show_beside(out, path, number, text)


def _show_beside(out: Output, path: str, number: int, line: str) -> None:
    """A line around a match, with dashes as from grep."""
    line = line.removesuffix("\r")
    more = " …" if len(line) > _SHOWN_CHARACTERS else ""
    out.line((path, "cyan"), "-", (str(number), "green"), "-", line[:_SHOWN_CHARACTERS] + more)


def _marked(match: Match) -> list[Part]:
    """The line with its matches marked, cut where it is very long."""
    line = match.text.encode("utf-8", "surrogatepass").removesuffix(b"\r")
    spans = [(start, min(end, len(line))) for start, end in match.spans if start < len(line)]
    low, high = 0, len(line)
    if high > _SHOWN_CHARACTERS:
        low = max(0, spans[0][0] - _SHOWN_CHARACTERS // 4) if spans else 0
        high = min(high, low + _SHOWN_CHARACTERS)
    parts: list[Part] = ["… "] if low else []
    at = low
    for start, end in spans:
        if low <= start < end <= high:
            parts += [_text(line[at:start]), (_text(line[start:end]), "bold red")]
            at = end
    parts.append(_text(line[at:high]))
    return [*parts, " …"] if high < len(line) else parts


def _text(part: bytes) -> str:
    return part.decode("utf-8", "ignore")


def _sum_up(out: Output, wanted: Wanted, results: list[GrepResult], shown: int) -> None:
    total, files = sum(result.total for result in results), sum(result.files for result in results)
    complete = all(result.complete for result in results)
    amount = (
        f"{'' if complete else 'at least '}{total:,} line{'s' * (total != 1)} in {files:,} file{'s' * (files != 1)}"
    )
    if wanted.count:
        out.line(amount)
    elif not total:
        out.note("Nothing found.")
    elif wanted.files and shown < files:
        more = files - shown
        out.note(f"{more:,} more file{' matches' if more == 1 else 's match'}, {amount} in all; -k shows more.")
    elif not wanted.files and shown < total:
        out.note(f"{'At least ' * (not complete)}{total - shown:,} more; {amount} in all; -k shows more.")
