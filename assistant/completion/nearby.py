"""A cursor → definitions and similar code from the rest of the repository, worth their tokens.

Nothing here looks at the line that is being typed, so typing leaves the prompt's first part as it is, and evaluated.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain

from assistant.completion.outside import Outside, is_own
from assistant.completion.window import Count, Window
from assistant.context import CodeIndex
from assistant.llm import Snippet
from assistant.names import identifiers
from assistant.stretches import LINE
from indexer.types import Symbol

NEAR_ABOVE = 24
"""Lines above the cursor's whose names are looked up; the ones below are what the new code leads to."""
NEAR_BELOW = 6
SIMILAR_LINES = 8
"""Lines above the cursor that similar code is looked for with."""
MOST_NAMES = 24
MOST_DEFINITIONS = 2
"""A name with more definitions (``get``, ``run``) says nothing, unless an import points at one of them."""
TELLING = frozenset({"class", "interface", "enum", "function", "method", "constructor", "type", "macro", "constant"})
"""Kinds of definitions that are worth showing; a variable or constant of the same name elsewhere says nothing."""
DEFINITION_LINES = 12
"""Lines of a definition that are shown: its signature, its docstring, the first fields or methods."""
SIGNATURE_LINES = 3
"""Lines shown of what is imported but not used near the cursor: perhaps it is what comes next."""
SIMILAR_SHOWN = 16
SAME_LINES = 0.5
"""A snippet with more than this part of its lines in the window already is not shown."""

_IMPORT = re.compile(
    r"^\s*(?:from\s+(?P<python>[\w.]+)\s+import|import\s+(?P<plain>[\w.]+)|(?:import|export)\b.*?from\s*['\"](?P<js>[^'\"]+)"
    r"|.*\brequire\(?\s*['\"](?P<require>[^'\"]+)|use\s+(?P<rust>[\w:\\]+)|\s*#\s*include\s*[\"<](?P<c>[^\">]+))"
)
_INDENT = re.compile(r"[ \t]*")


@dataclass(frozen=True, slots=True)
class NearSnippet:
    """A snippet for the prompt with its place: lines ``start_line..end_line`` of ``snippet.path`` in the index.

    Of the document itself its lines in the editor. Lines that only moved are the same snippet.
    """

    snippet: Snippet
    start_line: int = field(compare=False)
    end_line: int = field(compare=False)

    def __str__(self) -> str:
        return f"{self.snippet.path}:{self.start_line}-{self.end_line}"


def for_completion(
    index: CodeIndex, path: str, prefix: str, suffix: str, window: Window, budget: int, count: Count
) -> tuple[NearSnippet, ...]:
    """Snippets within ``budget`` tokens, the most telling last, nearest to the code that is being written.

    Definitions of names that the lines around the cursor use come before similar code. ``prefix`` and ``suffix`` are
    the whole text before and after the cursor: the imports decide between definitions of the same name, and what the
    document defines outside ``window`` is shown as it is now. Nothing of the document comes from the index.
    """
    head = LINE.findall(prefix)[: -1 if window.line_before else None]
    modules = {*index.imports(path), *_imports(head)}
    used, imported = _names(window, head)
    definitions = _definitions(index, path, used, modules)
    signatures = [s for s in _definitions(index, path, imported, modules) if s not in definitions]
    outside = Outside(prefix, suffix, window)
    found = chain(
        (_definition_snippet(index, symbol, DEFINITION_LINES, path, outside) for symbol in definitions),
        (_definition_snippet(index, symbol, SIGNATURE_LINES, path, outside) for symbol in signatures),
        _similar(index, path, window),
    )
    shown = {line.strip() for line in (*window.above, *window.below) if line.strip()}
    chosen = _fit(found, shown, budget, count)
    return tuple(reversed(chosen))


def _names(window: Window, head: Sequence[str]) -> tuple[list[str], list[str]]:
    """Names to look up: those that the lines around the cursor use, nearest first, and others that are imported.

    What was imported by name is certainly defined elsewhere, so of the used names these come first.
    """
    above = list(reversed(_scope(window.above)))
    imported = identifiers("".join(_import_lines(head)))
    used = identifiers("\n".join((*above, *window.below[:NEAR_BELOW])))
    used.sort(key=lambda name: name not in imported)
    return used[:MOST_NAMES], [name for name in imported if name not in used][-MOST_NAMES:]


def _import_lines(lines: Iterable[str]) -> Iterator[str]:
    """The lines that import, with those that a bracket left open on them continues to."""
    inside = False
    for line in lines:
        if inside or _IMPORT.match(line):
            yield line
            inside = ("(" in line or "{" in line or inside) and not (")" in line or "}" in line)


def _scope(above: Sequence[str]) -> list[str]:
    """The lines above that belong to the block, with the headers that enclose it; by indentation, for any language."""
    out: list[str] = []
    least: int | None = None
    for distance, line in enumerate(reversed(above)):
        if not line.strip():
            continue
        indent = len(_INDENT.match(line).group().expandtabs(4))  # type: ignore[union-attr]  # matches always
        least = indent if least is None else least
        if indent < least or distance < NEAR_ABOVE:
            out.append(line)
        least = min(least, indent)
        if least == 0 and distance >= NEAR_ABOVE:
            break
    return out[::-1]


def _imports(lines: Iterable[str]) -> set[str]:
    """Modules that the buffer imports, as written; the index may not know the file's newest imports."""
    found = (match for line in lines if (match := _IMPORT.match(line)))
    return {next(filter(None, match.groups())) for match in found}


def _definitions(index: CodeIndex, path: str, names: Sequence[str], imports: set[str]) -> list[Symbol]:
    """One definition for each name that has a clear one, in the order of ``names``."""
    keys = [_module_parts(module, path) for module in sorted(imports)]
    out: list[Symbol] = []
    for name in names:
        named = [s for s in index.symbols(name) if s.name == name and s.kind in TELLING]
        pointed = [s for s in named if s.parent is None and any(_points_at(key, s.path) for key in keys)]
        # Nobody imports a method; several of one name are as good as none.
        unclear = len(named) > (MOST_DEFINITIONS if any(s.parent is None for s in named) else 1)
        candidates = pointed or ([] if unclear else named)
        if candidates:
            out.append(min(candidates, key=partial(_preference, path)))
    return list(dict.fromkeys(out))


def _preference(path: str, symbol: Symbol) -> tuple[bool, int, str, int]:
    """Sort key of definitions of one name, seen from ``path``: top-level first, then near, then by place."""
    return symbol.parent is not None, _distance(path, symbol.path), symbol.path, symbol.span.start_line


def _module_parts(module: str, path: str) -> tuple[str, ...]:
    """``scrapy.http`` → (scrapy, http); ``./util`` and ``.util`` → the parts of the path they mean."""
    folder = path.split("/")[:-1]
    if module.startswith("."):
        dots = len(module) - len(module.lstrip("."))
        if module.startswith(("./", "../")):
            up = module.count("../")
            rest = re.sub(r"^(\.{1,2}/)+", "", module)
        else:
            up, rest = dots - 1, module[dots:]
        folder = folder[: len(folder) - up] if up else folder
        return (*folder, *filter(None, re.split(r"[./]", rest)))
    return tuple(filter(None, re.split(r"[./:\\]+", re.sub(r"\.(?:h|hpp|js|ts|py)$", "", module))))


def _points_at(module: tuple[str, ...], path: str) -> bool:
    """Whether a module's parts stand in a row in the path: the module is this file, or a package around it."""
    parts = (*path.split("/")[:-1], path.rpartition("/")[2].partition(".")[0])
    return bool(module) and any(parts[i : i + len(module)] == module for i in range(len(parts)))


def _distance(a: str, b: str) -> int:
    """Folders between two files."""
    left, right = a.split("/")[:-1], b.split("/")[:-1]
    common = sum(1 for _ in _common(left, right))
    return len(left) + len(right) - 2 * common


def _common(left: Sequence[str], right: Sequence[str]) -> Iterable[str]:
    for a, b in zip(left, right, strict=False):
        if a != b:
            return
        yield a


def _definition_snippet(index: CodeIndex, symbol: Symbol, most: int, path: str, outside: Outside) -> NearSnippet | None:
    """The first lines of a definition, at most ``most``: as indexed, of the document ``path`` as it is now."""
    lines = LINE.findall(index.text(symbol.path) or "")
    first = symbol.span.start_line
    shown = lines[first - 1 : min(symbol.span.end_line, first + most - 1)]
    if not is_own(symbol.path, path):
        return _near(symbol.path, first, shown)
    header = next((line for line in shown if symbol.name in line), "")
    own = outside.definition(header, len(shown))
    return _near(path, *own) if own is not None else None


def _similar(index: CodeIndex, path: str, window: Window) -> Iterable[NearSnippet | None]:
    """Code of other files that looks like the lines above the cursor."""
    query = "".join([line for line in window.above if line.strip()][-SIMILAR_LINES:])
    if not query.strip():
        return
    for hit in index.similar(query, 3, exclude=path):
        if is_own(hit.chunk.path, path):
            continue
        lines = LINE.findall(hit.chunk.text)[:SIMILAR_SHOWN]
        yield _near(hit.chunk.path, hit.chunk.span.start_line, lines)


def _near(path: str, first: int, lines: Sequence[str]) -> NearSnippet | None:
    text = "".join(lines).rstrip()
    return NearSnippet(Snippet(path, text), first, first + text.count("\n")) if text else None


def _fit(found: Iterable[NearSnippet | None], shown: set[str], budget: int, count: Count) -> list[NearSnippet]:
    """The snippets that fit, in order; none twice and none that the window or another snippet shows already."""
    kept: list[NearSnippet] = []
    candidates = [near for near in found if near is not None]
    tokens = count([f"{near.snippet.path}\n{near.snippet.text}\n" for near in candidates])
    for near, cost in zip(candidates, tokens, strict=True):
        lines = [line.strip() for line in near.snippet.text.splitlines() if line.strip()]
        if cost <= budget and sum(line in shown for line in lines) <= SAME_LINES * len(lines):
            kept.append(near)
            budget -= cost
            shown = shown.union(lines)
    return kept
