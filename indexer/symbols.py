"""Captured spans → symbols with parents and signatures, references with what encloses them. Pure, by byte offsets."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from indexer.analysis import ReferenceRow, SymbolRow


class Definition(NamedTuple):
    """A node that defines something: its extent, what it defines, and where its body starts (or its end).

    Kind ``scope`` names no symbol of its own but is the parent of what stands in it (a Rust ``impl`` block).
    """

    start: int
    end: int
    kind: str
    body: int


Spans = Sequence[tuple[int, int]]

# Where two patterns take the same node, the more telling kind wins: the later one here.
_KINDS = ("variable", "constant", "field", "property", "type", "module", "scope", "section", "macro")
_RANK = {kind: n for n, kind in enumerate((*_KINDS, "class", "interface", "enum", "function", "method", "constructor"))}
_CALLABLE = frozenset({"function", "method", "constructor"})
_CLASSLIKE = frozenset({"class", "interface", "enum", "scope"})
_SCOPES = _CALLABLE | _CLASSLIKE | {"module", "type", "section"}
_DATA = frozenset({"variable", "constant", "field"})
_CONSTRUCTORS = frozenset({"__init__", "constructor", "initialize", "__construct", "init"})
_MAX_NESTING = 64
_MAX_SIGNATURE = 200
_SEPARATOR = re.compile(r"::|\.|\\|:|->")
_IGNORED_PARENTS = frozenset({"module", "exports", "prototype", "this", "self", "window", "global", "globalThis", "_G"})
_TEMPLATE_ARGUMENTS = re.compile(r"<[^<>]*>")
_SPACE = re.compile(r"\s+")


def resolve_symbols(
    text: bytes, newlines: Sequence[int], definitions: Sequence[Definition], names: Spans, parents: Spans
) -> tuple[list[SymbolRow], set[int]]:
    """Symbols in order of position, and the start offsets of the names that define them.

    A name belongs to the innermost definition around it; ``parents`` are names of what a definition is a member of
    where that does not enclose it (the receiver of a Go method).
    """
    ordered = _distinct(definitions)
    names_of = _owned(ordered, names)
    parents_of = _owned(ordered, parents)
    symbols: list[SymbolRow] = []
    name_starts = {start for owned in names_of for start, _ in owned}
    scopes: list[tuple[int, str, str]] = []  # end, kind, qualified name
    for number, definition in enumerate(ordered):
        while scopes and scopes[-1][0] <= definition.start:
            scopes.pop()
        owned = names_of[number]
        if not owned:
            continue
        outer_kind, outer = (scopes[-1][1], scopes[-1][2]) if scopes else ("", "")
        if definition.kind in _DATA:
            if outer_kind in _CALLABLE:
                continue  # a local variable
        else:
            owned = owned[:1]
        for name_start, name_end in owned:
            name, within = _split_name(text[name_start:name_end].decode("utf-8", "replace"))
            explicit = parents_of[number]
            if explicit:
                within = ".".join(_split_name(text[s:e].decode("utf-8", "replace"))[0] for s, e in explicit)
            parent = f"{outer}.{within}" if outer and within else outer or within
            if not name:
                continue
            kind = _kind(definition.kind, name, outer_kind, bool(within), parent)
            if len(scopes) < _MAX_NESTING and definition.kind in _SCOPES:
                scopes.append((definition.end, kind, f"{parent}.{name}" if parent else name))
            if kind != "scope":
                symbols.append(
                    SymbolRow(
                        name,
                        kind,
                        definition.start,
                        definition.end,
                        bisect_left(newlines, definition.start) + 1,
                        bisect_left(newlines, max(definition.start, definition.end - 1)) + 1,
                        parent or None,
                        _signature(text, definition, name_end),
                    )
                )
    return symbols, name_starts


def resolve_references(
    text: bytes,
    newlines: Sequence[int],
    spans: Mapping[str, Spans],
    symbols: Sequence[SymbolRow],
    name_starts: set[int],
) -> list[ReferenceRow]:
    """References in order of position.

    Calls, types, members and imported names all count. A plain identifier (``name``) counts if the file defines or
    imports that name or it starts with a capital: the rest are locals and parameters, which nobody looks up.
    """
    names: dict[bytes, str] = {s.name.encode(): s.name for s in symbols}
    found: dict[int, int] = {}
    for kind, some in spans.items():
        if kind != "name":
            found.update(some)
    for start, end in spans.get("import", ()):
        raw = text[start:end]
        names.setdefault(raw, raw.decode("utf-8", "replace"))
    known = set(names)
    for start, end in spans.get("name", ()):
        if text[start:end] in known or 65 <= text[start] <= 90:
            found.setdefault(start, end)
    rows: list[ReferenceRow] = []
    scopes: list[tuple[int, str]] = []
    upcoming = [(s.start_byte, s.end_byte, f"{s.parent}.{s.name}" if s.parent else s.name) for s in symbols]
    upcoming.reverse()
    for start in sorted(found):
        if start in name_starts:
            continue
        while upcoming and upcoming[-1][0] <= start:
            _, end, name = upcoming.pop()
            while scopes and scopes[-1][0] <= start:
                scopes.pop()
            scopes.append((end, name))
        while scopes and scopes[-1][0] <= start:
            scopes.pop()
        end = found[start]
        raw = text[start:end]
        name = names.get(raw) or names.setdefault(raw, raw.decode("utf-8", "replace"))
        line = bisect_left(newlines, start) + 1
        rows.append(ReferenceRow(name, start, end, line, scopes[-1][1] if scopes else None))
    return rows


def _distinct(definitions: Sequence[Definition]) -> list[Definition]:
    """One definition for each extent, outer before inner."""
    best: dict[tuple[int, int], Definition] = {}
    for definition in definitions:
        key = (definition.start, -definition.end)
        other = best.get(key)
        if other is None or _RANK.get(definition.kind, 0) > _RANK.get(other.kind, 0):
            best[key] = definition
    return [best[key] for key in sorted(best)]


def _owned(ordered: Sequence[Definition], names: Spans) -> list[list[tuple[int, int]]]:
    """For each definition the names whose innermost definition it is."""
    owned: list[list[tuple[int, int]]] = [[] for _ in ordered]
    around: list[int] = []
    upcoming = 0
    for start, end in names:
        while upcoming < len(ordered) and ordered[upcoming].start <= start:
            while around and ordered[around[-1]].end <= ordered[upcoming].start:
                around.pop()
            around.append(upcoming)
            upcoming += 1
        while around and ordered[around[-1]].end <= start:
            around.pop()
        if around:
            owned[around[-1]].append((start, end))
    return owned


def _split_name(raw: str) -> tuple[str, str]:
    """``A::B<T>::f`` or ``M.x`` → bare name and dotted parent (``f``, ``A.B``); plain names have no parent."""
    raw = _SPACE.sub("", raw.strip("\"'`"))
    if raw.isidentifier() or "operator" in raw:
        head, separator, tail = raw.rpartition("::")
        return (tail, head.replace("::", ".")) if separator else (raw, "")
    while "<" in raw:
        shorter = _TEMPLATE_ARGUMENTS.sub("", raw)
        if shorter == raw:
            break
        raw = shorter
    *within, name = [part for part in _SEPARATOR.split(raw) if part] or [""]
    if name in _IGNORED_PARENTS and within:
        return "", ""
    return name, ".".join(part for part in within if part not in _IGNORED_PARENTS)


def _kind(kind: str, name: str, outer_kind: str, qualified: bool, parent: str) -> str:
    """The captured kind, made exact by where it stands."""
    if kind == "function" and (outer_kind in _CLASSLIKE or qualified):
        kind = "method"
    if kind == "method" and parent and (name in _CONSTRUCTORS or name == parent.rpartition(".")[2]):
        return "constructor"
    if kind == "variable" and name.isupper():
        return "constant"
    return kind


def _signature(text: bytes, definition: Definition, name_end: int) -> str:
    """The declaration without annotations and body, white space folded, at most 200 characters."""
    start, stop = definition.start, min(definition.body, definition.start + 8 * _MAX_SIGNATURE)
    while text.startswith((b"@", b"[", b"#["), start):
        line_end = text.find(b"\n", start, name_end)
        if line_end < 0:
            break
        start = line_end + 1
        while text[start : start + 1] in (b" ", b"\t"):
            start += 1
    end = text.find(b"\n", name_end, stop)
    while end >= 0 and _open_brackets(text, start, end) > 0:
        end = text.find(b"\n", end + 1, stop)
    raw = text[start : stop if end < 0 else end].decode("utf-8", "replace")
    return _SPACE.sub(" ", raw)[:_MAX_SIGNATURE].rstrip(" {:").strip()


def _open_brackets(text: bytes, start: int, end: int) -> int:
    """How many round and square brackets are still open."""
    return (
        text.count(b"(", start, end)
        + text.count(b"[", start, end)
        - text.count(b")", start, end)
        - text.count(b"]", start, end)
    )
