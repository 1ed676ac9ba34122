"""``codemoat search -e`` and ``-E``: every line with a text or a match."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from assistant.cli.common import chosen_root, engine_for, ready_index, repaired, stale_note
from assistant.cli.output import Output, Part

if TYPE_CHECKING:
    from assistant.engine import Engine
    from indexer.filters import Filters
    from indexer.reports import GrepResult, Match

_LINES = 100
_SHOWN_CHARACTERS = 500
"""Of a longer line people are shown the stretch around its first match."""


@dataclass(frozen=True)
class Wanted:
    """What was asked for. ``limit``: None where the user said nothing."""

    pattern: str | None
    regex: bool
    ignore_case: bool
    filters: Filters
    limit: int | None
    count: bool
    files: bool


def search_exactly(ctx: typer.Context, out: Output, wanted: Wanted, paths: list[Path] | None, *, update: bool) -> None:
    """Search one root or several and show what was found. Raises what ``Index.grep`` does."""
    limit = wanted.limit or _LINES
    left = 0 if wanted.count else limit
    found: list[tuple[Path, GrepResult]] = []
    for path in paths or (None,):
        root = chosen_root(path)
        with engine_for(ctx, root) as engine:
            ready_index(engine, out, explicit=path is not None, update=update)
            asked = partial(_ask, engine, wanted, None if wanted.files else left)
            result = repaired(engine, out, asked)
        left = max(0, left - len(result.matches))
        found.append((root, result))
    if wanted.files:
        found = _files_only(found, limit)
    for _, result in found:
        stale_note(out, result.generation, stale=result.stale)
    if out.as_json:
        _write_json(out, found, several=len(found) > 1)
        return
    shown = 0
    for root, result in found:
        for match in result.matches:
            _show(out, match, root if len(found) > 1 else None, files=wanted.files)
            shown += 1
    _sum_up(out, wanted, [result for _, result in found], shown)


def _ask(engine: Engine, wanted: Wanted, limit: int | None) -> GrepResult:
    return engine.index.grep(
        wanted.pattern or "",
        regex=wanted.regex,
        ignore_case=wanted.ignore_case,
        filters=wanted.filters,
        limit=limit,
        count=wanted.count,
    )


def _files_only(found: list[tuple[Path, GrepResult]], limit: int) -> list[tuple[Path, GrepResult]]:
    """The first match of each file."""
    kept = []
    for root, result in found:
        first = {match.path: match for match in reversed(result.matches)}
        ordered = [first[path] for path in sorted(first)][:limit]
        limit -= len(ordered)
        kept.append((root, replace(result, matches=tuple(ordered))))
    return kept


def _write_json(out: Output, found: list[tuple[Path, GrepResult]], *, several: bool) -> None:
    results = [result for _, result in found]
    matches = [
        _match_object(match) | ({"root": str(root)} if several else {})
        for root, result in found
        for match in result.matches
    ]
    out.data({
        "matches": matches,
        "total": sum(result.total for result in results),
        "files": sum(result.files for result in results),
        "complete": all(result.complete for result in results),
        "generation": results[0].generation,
        "stale": any(result.stale for result in results),
    })  # fmt: skip


def _match_object(match: Match) -> dict[str, Any]:
    line = match.text.encode("utf-8", "surrogatepass")
    columns, at, before = [], 0, 1
    for start, end in match.spans:
        first = before + len(line[at:start].decode("utf-8", "replace"))
        at, before = end, first + len(line[start:end].decode("utf-8", "replace"))
        columns.append([first, before])
    return {
        "path": match.path,
        "line": match.line,
        "columns": columns,
        "text": match.text,
    }


def _show(out: Output, match: Match, root: Path | None, *, files: bool) -> None:
    place = match.path if root is None else str(root / match.path)
    if files:
        out.line((place, "bold cyan"))
        return
    out.line((place, "cyan"), ":", (str(match.line), "green"), ":", *_marked(match))


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
