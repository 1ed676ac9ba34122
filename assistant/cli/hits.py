"""How ``codemoat search`` shows ranked hits: with a preview, as one line, as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assistant.cli.output import Output, Part
from indexer.matching import line_at, stretches

if TYPE_CHECKING:
    from indexer.types import Hit

_BRIEF_CHARACTERS = 200
"""Of a line of code, where a terminal's width sets no limit."""
_LEAST_PATH = 16


def hit_object(hit: Hit, path: str) -> dict[str, Any]:
    """The JSON form of a hit."""
    chunk = hit.chunk
    return {
        "path": path,
        "start_line": chunk.span.start_line,
        "end_line": chunk.span.end_line,
        "match_line": hit.match_line,
        "score": hit.score,
        "symbol": hit.symbol,
        "language": chunk.language,
        "text": chunk.text,
        "reasons": dict(hit.reasons),
    }


def show_hit(out: Output, hit: Hit, path: str, *, explain: bool) -> None:
    """The place and the definition, then the lines around the one that matched, which is marked."""
    chunk = hit.chunk
    heading: list[Part] = [(f"{path}:{hit.match_line}", "bold cyan")]
    if hit.symbol:
        heading.append((f"  {hit.symbol}", "green"))
    heading.append((f"  {hit.score:.3f}", "dim"))
    out.line(*heading)
    if explain:
        reasons = sorted(hit.reasons.items(), key=lambda item: -item[1])
        out.line((f"  {', '.join(f'{name} {value:+.3f}' for name, value in reasons)}", "yellow"))
    shown = stretches(chunk.text, chunk.span.start_line, hit.preview)
    width = len(str(hit.preview[-1][1]))
    for place, (first, lines) in enumerate(shown):
        if place:
            out.line((f"  {'':>{width}}  …", "dim"))
        for number, line in enumerate(lines, first):
            mark, style = (">", "bold") if number == hit.match_line else (" ", "dim")
            out.line((f"{mark} {number:>{width}}  ", style), line)
    more = len(chunk.text.rstrip().split("\n")) - 1 + chunk.span.start_line - hit.preview[-1][1]
    if more > 0:
        out.line((f"  {'':>{width}}  … {more} more line{'s' * (more != 1)}", "dim"))
    out.line()


def show_brief(out: Output, hit: Hit, path: str) -> None:
    """``path:line  label  text-of-line``; a dash where there is no label."""
    text = " ".join(line_at(hit.chunk.text, hit.chunk.span.start_line, hit.match_line).split())
    width = out.width
    if width and len(path) > max(_LEAST_PATH, width // 2):
        path = f"…{path[-max(_LEAST_PATH, width // 2) :]}"
    place: Part = (f"{path}:{hit.match_line}", "bold cyan")
    out.line(place, (f"  {hit.symbol or '-'}", "green"), f"  {text[:_BRIEF_CHARACTERS]}", cut=True)
