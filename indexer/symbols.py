"""Captured spans → symbols with parents and signatures, references with what encloses them. Pure, by byte offsets."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import NamedTuple

from indexer.analysis import ReferenceRow, SymbolRow


class Definition(NamedTuple):
    """A node that defines something: its extent, what it defines, and where its body starts (or its end).

    Kind ``scope`` names no symbol of its own but is the parent of what stands in it (a Rust ``impl`` block).
    By its ``role`` it is a plain ``definition``, a ``scope``, a ``clause``, i.e. one of several neighbours that define
    one name together (a Haskell signature and its equations), ``each``, where every name in it is a definition, or
    ``structure``. ``inner`` is where its syntax node starts, if a keyword beside that node was added to the extent;
    ``head`` is where its signature starts, if not at its start.
    """

    start: int
    end: int
    kind: str
    body: int
    role: str = "definition"
    inner: int = -1
    head: int = -1


Spans = Sequence[tuple[int, int]]


class Names(NamedTuple):
    """Where the names of definitions stand, each list ascending.

    ``parents`` are names of what a definition is a member of where that does not enclose it (the receiver of a Go
    method). ``whole`` holds the starts of names that are taken as they are, because what separates the parts of a name
    elsewhere is part of it here (``string->number``, ``print.data.frame``). ``functions`` holds those of functions,
    even with a parent, and ``unreal`` where the grammar sees names that are not in the text.
    """

    names: Spans
    parents: Spans = ()
    whole: Set[int] = frozenset()
    functions: Set[int] = frozenset()
    unreal: Set[int] = frozenset()


# Where two patterns take the same node, the more telling kind wins: the later one here.
_KINDS = ("variable", "constant", "field", "property", "type", "module", "namespace", "scope", "section", "macro")
_RANK = {
    kind: rank
    for rank, kind in enumerate((*_KINDS, "class", "interface", "enum", "method", "function", "constructor", "import"))
}
_CALLABLE = frozenset({"function", "method", "constructor"})
_CLASSLIKE = frozenset({"class", "interface", "enum", "scope"})
DATA = frozenset({"variable", "constant", "field", "property"})
"""Kinds of which one declaration may name several."""
_SCOPES = _CALLABLE | _CLASSLIKE | DATA | {"module", "namespace", "section"}
_CONSTRUCTORS = frozenset({"__init__", "constructor", "initialize", "__construct", "init"})
_MEMBERS = frozenset({"field", "property", "method", "constructor"})
_BUILT_IN = frozenset(
    b"""any bool boolean byte char double error float float32 float64 i16 i32 i64 i8 int int16 int32 int64 int8 isize
    long never none null number object self short str string this u16 u32 u64 u8 uint uint16 uint32 uint64 uint8
    undefined unknown usize void Self""".split()
) | {b""}  # where the parser misses a name it puts an empty one
_MAX_NESTING = 64
_MAX_SIGNATURE = 200
_MAX_NAME = 100
_SEPARATOR = re.compile(r"::|\.|\\|:|->")
_IGNORED_PARENTS = frozenset({"module", "exports", "prototype", "this", "self", "window", "global", "globalThis", "_G"})
_OPERATOR = re.compile(r"(?:^|::)\s*(operator\b.*)$", re.DOTALL)
_TEMPLATE_ARGUMENTS = re.compile(r"<[^<>]*>")
_SPACE = re.compile(r"\s+")


@dataclass(slots=True)
class Resolved:
    """What the definitions of a file come to."""

    symbols: list[SymbolRow] = field(default_factory=list)
    """In order of position."""
    names: set[int] = field(default_factory=set)
    """Start offsets of the names that define something, so that they do not count as uses."""
    extents: dict[tuple[int, int], str] = field(default_factory=dict)
    """Qualified name of every definition and scope by its first byte and the byte after its last."""


class _Scope(NamedTuple):
    end: int
    kind: str
    qualified: str


def resolve_symbols(text: bytes, newlines: Sequence[int], definitions: Sequence[Definition], names: Names) -> Resolved:
    """Definitions with the names in them → symbols with parents; a name belongs to the innermost one around it."""
    ordered = _distinct(definitions)
    names_of = _owned(ordered, names.names)
    parents_of = _owned(ordered, names.parents)
    resolved = Resolved(names=set(names.unreal))
    scopes: list[_Scope] = []
    clauses: dict[str, int] = {}  # by parent: the symbol that the next clause may belong to
    for number, definition in enumerate(ordered):
        owned = names_of[number]
        if not owned or definition.kind == "import":
            continue
        while scopes and (scopes[-1].end <= definition.start or definition.kind == "namespace"):
            scopes.pop()
        outer = scopes[-1] if scopes else _Scope(0, "", "")
        for start, end in owned:
            resolved.names.update((start, max(start, text.rfind(b".", start, end) + 1)))
        if definition.kind in DATA and outer.kind in _CALLABLE:
            continue  # a local variable
        for name_start, name_end in owned if definition.kind in DATA or definition.role == "each" else owned[:1]:
            raw = text[name_start:name_end]
            name, within = (_whole(raw), "") if name_start in names.whole else _name(definition.kind, raw)
            if parents_of[number]:
                within = ".".join(_name("", text[start:end])[0] for start, end in parents_of[number])
            if not name:
                continue
            parent = f"{outer.qualified}.{within}" if outer.qualified and within else outer.qualified or within
            full_name = f"{parent}.{name}" if parent else name
            resolved.extents.setdefault((definition.start, definition.end), full_name)
            if definition.inner >= 0:
                resolved.extents.setdefault((definition.inner, definition.end), full_name)
            kind = _kind(definition.kind, name, outer.kind, bool(within) and name_start not in names.functions, parent)
            if definition.kind in _SCOPES and len(scopes) < _MAX_NESTING:
                # A namespace without a body reaches to the next one.
                whole_file = definition.kind == "namespace" and definition.body == definition.end
                scopes.append(_Scope(len(text) if whole_file else definition.end, kind, full_name))
            if kind == "scope":
                continue
            last_line = bisect_left(newlines, max(definition.start, definition.end - 1)) + 1
            before = clauses.pop(parent, -1)
            if definition.role == "clause":
                earlier = resolved.symbols[before] if before >= 0 else None
                if earlier is not None and earlier.name == name:
                    resolved.symbols[before] = earlier._replace(end_byte=definition.end, end_line=last_line)
                    clauses[parent] = before
                    continue
                clauses[parent] = len(resolved.symbols)
            first_line = bisect_left(newlines, definition.start) + 1
            signature = _signature(text, definition, name_end)
            resolved.symbols.append(
                SymbolRow(
                    name, kind, definition.start, definition.end, first_line, last_line, parent or None, signature
                )
            )
    return resolved


def joined(parts: Sequence[Resolved]) -> Resolved:
    """What the parts of one file define, together."""
    whole = Resolved(sorted((s for part in parts for s in part.symbols), key=lambda s: (s.start_byte, -s.end_byte)))
    for part in parts:
        whole.names |= part.names
        whole.extents.update(part.extents)
    return whole


def resolve_references(
    text: bytes,
    newlines: Sequence[int],
    spans: Mapping[str, Spans],
    resolved: Resolved,
) -> list[ReferenceRow]:
    """References in order of position.

    Calls, types, members and imported names all count, except built-in types. A plain identifier counts if the file
    defines or imports that name or it starts with a capital: the rest are locals and parameters, which nobody looks up.
    For ``name`` that excludes members, for ``bare`` (languages with an implicit ``this``) it includes them.
    """
    names: dict[bytes, str] = {}
    found: dict[int, int] = {}
    for kind, some in spans.items():
        if kind not in ("name", "bare"):
            found.update(some)
    imported = {text[start:end] for start, end in spans.get("import", ())}
    for kind in ("name", "bare"):
        known = imported | {s.name.encode() for s in resolved.symbols if kind == "bare" or s.kind not in _MEMBERS}
        found.update(
            (start, end) for start, end in spans.get(kind, ()) if (raw := text[start:end]) in known or raw[:1].isupper()
        )
    rows: list[ReferenceRow] = []
    scopes: list[tuple[int, str]] = []
    upcoming = [(s.start_byte, s.end_byte, qualified(s)) for s in resolved.symbols]
    upcoming.reverse()
    defining, ignored, newline_before = resolved.names, _BUILT_IN, bisect_left
    for start, end in sorted(found.items()):
        raw = text[start:end]
        if raw in ignored or start in defining:
            continue
        while upcoming and upcoming[-1][0] <= start:
            _, scope_end, scope = upcoming.pop()
            while scopes and scopes[-1][0] <= start:
                scopes.pop()
            scopes.append((scope_end, scope))
        while scopes and scopes[-1][0] <= start:
            scopes.pop()
        name = names.get(raw) or names.setdefault(raw, raw.decode("utf-8", "replace"))
        line = newline_before(newlines, start) + 1
        rows.append(ReferenceRow(name, start, end, line, scopes[-1][1] if scopes else None))
    return rows


def qualified(symbol: SymbolRow) -> str:
    """Dotted name within the file, e.g. ``Index.search``."""
    return f"{symbol.parent}.{symbol.name}" if symbol.parent else symbol.name


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
    if not names:
        return owned
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


def _whole(raw: bytes) -> str:
    """The name as written, without quotes around it and with white space folded."""
    name = _SPACE.sub(" ", raw.decode("utf-8", "replace").strip())[:_MAX_NAME]
    return name[1:-1].strip() if len(name) > 1 and name[0] == name[-1] and name[0] in "\"'`" else name


def _name(kind: str, raw: bytes) -> tuple[str, str]:
    """Bare name and dotted parent: ``A::B<T>::f`` → ``f``, ``A.B``; ``M.x`` → ``x``, ``M``; ``f`` → ``f`` and none.

    Empty names stand for what names nothing, such as ``module.exports`` or the result of a call.
    """
    name = raw.decode("utf-8", "replace")
    if name.isidentifier():
        return name, ""
    name = name.strip("\"'` \t\r\n")
    if kind == "section":
        return _SPACE.sub(" ", name), ""
    operator = _OPERATOR.search(name)
    if operator:
        name, last = name[: operator.start()], _SPACE.sub(" ", operator[1])
    name = _SPACE.sub("", name)
    while (shorter := _TEMPLATE_ARGUMENTS.sub("", name)) != name:
        name = shorter
    parts = [part for part in _SEPARATOR.split(name) if part]
    if operator:
        parts.append(last)
    if not parts or "(" in name or (len(parts) > 1 and parts[-1] in _IGNORED_PARENTS):
        return "", ""
    return parts[-1], ".".join(part for part in parts[:-1] if part not in _IGNORED_PARENTS)


def _kind(kind: str, name: str, outer_kind: str, of_other: bool, parent: str) -> str:
    """The captured kind, made exact by where it stands."""
    if kind == "namespace":
        return "module"
    if kind == "function" and (outer_kind in _CLASSLIKE or of_other):
        kind = "method"
    if kind == "method" and parent and (name in _CONSTRUCTORS or name == parent.rpartition(".")[2]):
        return "constructor"
    if kind in ("variable", "field") and len(name) > 1 and name.isupper():
        return "constant"
    return kind


def _signature(text: bytes, definition: Definition, name_end: int) -> str:
    """The declaration without annotations and body, white space folded, at most 200 characters."""
    start = definition.start if definition.head < 0 else definition.head
    while text.startswith((b"@", b"[", b"#["), start):
        line_end = text.find(b"\n", start, name_end)
        while line_end >= 0 and _open_brackets(text, start, line_end) > 0:
            line_end = text.find(b"\n", line_end + 1, name_end)
        if line_end < 0:
            break
        start = line_end + 1
        while text[start : start + 1] in (b" ", b"\t"):
            start += 1
    stop = min(definition.body, max(start, name_end) + 4 * _MAX_SIGNATURE)
    if definition.kind in DATA and text.find(b"\n", start, stop) < 0:  # the usual field or constant
        return _SPACE.sub(" ", text[start:stop].decode("utf-8", "replace"))[:_MAX_SIGNATURE].rstrip(" {:")
    end = text.find(b"\n", name_end, stop)
    while end >= 0 and _open_brackets(text, start, end) > 0:
        end = text.find(b"\n", end + 1, stop)
    stop = stop if end < 0 else end
    # Braces open a body, unless that is known to start with something else; right after a word they rather belong to
    # an expression (``#cart{}``).
    if definition.kind not in DATA and (definition.body == definition.end or text.startswith(b"{", definition.body)):
        brace = text.find(b"{", name_end, stop)
        while brace >= 0 and (text[brace - 1 : brace].isalnum() or _open_brackets(text, name_end, brace) > 0):
            brace = text.find(b"{", brace + 1, stop)
        stop = stop if brace < 0 else brace
    raw = text[start:stop].decode("utf-8", "replace")
    return _SPACE.sub(" ", raw)[:_MAX_SIGNATURE].rstrip(" {:").removesuffix(" =").strip()


def _open_brackets(text: bytes, start: int, end: int) -> int:
    """How many round and square brackets are still open."""
    return (
        text.count(b"(", start, end)
        + text.count(b"[", start, end)
        - text.count(b")", start, end)
        - text.count(b"]", start, end)
    )
