"""What a query captured → the spans of definitions, names, references and imports.

The captures that queries use, beside ``@definition.KIND`` with a ``@name`` in it:

- ``@scope`` names the parent of what stands in it without being a symbol; ``@clause.KIND`` is one of several neighbours
  that define one name together; in ``@each.KIND`` every name is one; ``@parent`` names what a definition belongs to.
- ``@name.whole`` is taken as it is, ``@name.sigil`` without its first character, ``@name`` by its last part.
- ``@from`` and ``@until`` stretch a definition, where the grammar keeps its keyword or its body beside it; ``@body`` is
  where its signature ends, where the grammar has no field of that name, and ``@lead`` what stands before it (a
  description that is part of the definition).
- ``@structure.KIND`` is a definition in a data file, of which there may be too many (``indexer.structure``);
  ``@embedded.…`` is in another language (``indexer.embedded``).
- ``@reference.ROLE`` is a use; for ``@reference.path`` the last part of the path. ``@local`` is none, whatever else
  takes it for one (a parameter that stands where Lisp has calls). ``@import`` names a module.

Of the predicates, ``#not-any-of?`` filters nothing in py-tree-sitter 0.26: queries say ``#not-match?`` instead.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from indexer.macros import Head
from indexer.symbols import DATA, Definition, Names

if TYPE_CHECKING:
    from tree_sitter import Node

Captures = Mapping[str, Sequence["Node"]]

_WHOLE = DATA | {"namespace"}
"""Kinds whose signature has its value in it, or that only a real body may close."""
_NEAR = 200
"""Bytes of white space within which a keyword or a body still belongs to a definition."""


def definitions(text: bytes, captures: Captures, leads: Sequence[tuple[int, int]] = ()) -> list[Definition]:
    """Definitions and scopes, in no order; ``leads`` are spans that start the definition right after them."""
    found = []
    for capture, nodes in captures.items():
        role, _, kind = capture.partition(".")
        if role in ("definition", "clause", "each", "structure", "scope"):
            for node in nodes:
                body = None if kind in DATA else node.child_by_field_name("body")
                start, end = node.byte_range
                found.append(Definition(start, end, kind or role, body.start_byte if body else end, role))
    if captures.get("until"):
        _reach_forwards(text, found, _spans(captures, "until"))
    if starts := [*leads, *_spans(captures, "from")]:
        _reach_backwards(text, found, starts)
    if captures.get("body"):
        _end_signatures(found, [start for start, _ in _spans(captures, "body")])
    if captures.get("lead"):
        heads = dict(_spans(captures, "lead"))
        found = [d._replace(head=heads.get(d.start, -1)) for d in found]
    return found


def names(captures: Captures, heads: Sequence[Head] = ()) -> Names:
    """Names of definitions and of what they are members of; ``heads`` are named elsewhere than the grammar sees it."""
    whole = _spans(captures, "name.whole")
    sigils = [(start + 1, end) for start, end in _spans(captures, "name.sigil")]
    plain = {*_spans(captures, "name"), *sigils, *whole}
    found = Names(sorted(plain), _spans(captures, "parent"), {start for start, _ in whole})
    return _moved(found, heads) if heads else found


def _moved(found: Names, heads: Sequence[Head]) -> Names:
    """With the names of functions that macros define where these are, instead of where the grammar sees them."""
    seen = {head.seen for head in heads}
    names = [span for span in found.names if span[0] not in seen] + [head.name for head in heads]
    parents = [*found.parents, *(head.parent for head in heads if head.parent)]
    whole = found.whole | {head.name[0] for head in heads if head.whole}
    return Names(sorted(names), sorted(parents), whole, {head.name[0] for head in heads}, seen)


def references(text: bytes, captures: Captures) -> dict[str, list[tuple[int, int]]]:
    """Spans of uses by the role that the query gives them."""
    found = {
        capture.removeprefix("reference."): [node.byte_range for node in nodes]
        for capture, nodes in captures.items()
        if capture.startswith("reference.")
    }
    if paths := found.get("path"):
        found["path"] = [(max(start, _last_part(text, start, end)), end) for start, end in paths]
    if captures.get("local"):
        local = set(_spans(captures, "local"))
        found = {role: [span for span in spans if span not in local] for role, spans in found.items()}
    return found


def imports(text: bytes, captures: Captures) -> list[str]:
    """Imported modules in order of appearance, without keyword, quotes and angle brackets."""
    raw = (text[start:end].decode("utf-8", "replace") for start, end in _spans(captures, "import"))
    found = (" ".join(name.removeprefix("import ").strip("\"'` \t;").split()) for name in raw)
    return [name[1:-1] if name.startswith("<") else name for name in found if name]


def _spans(captures: Captures, capture: str) -> list[tuple[int, int]]:
    return sorted({node.byte_range for node in captures.get(capture, ())})


def _last_part(text: bytes, start: int, end: int) -> int:
    return max(text.rfind(separator, start, end) + len(separator) for separator in (b".", b"::", b"/", b"\\"))


def _reach_forwards(text: bytes, found: list[Definition], spans: Sequence[tuple[int, int]]) -> None:
    """Each span ends the definition right before it, whose body it is."""
    order = sorted(range(len(found)), key=lambda number: found[number].end)
    ends = [found[number].end for number in order]
    for start, end in spans:
        at = bisect_right(ends, start) - 1
        if at < 0 or not _only_space(text, ends[at], start):
            continue
        for number in order[bisect_left(ends, ends[at]) : at + 1]:
            found[number] = found[number]._replace(end=end, body=min(start, found[number].body))


def _reach_backwards(text: bytes, found: list[Definition], spans: Sequence[tuple[int, int]]) -> None:
    """Each span starts the definition right after it; several in a row all do."""
    order = sorted(range(len(found)), key=lambda number: found[number].start)
    starts = [found[number].start for number in order]
    reach = {start: start for start in starts}
    for start, end in reversed(spans):
        at = bisect_left(starts, end)
        if at < len(starts) and end <= reach[starts[at]] and _only_space(text, end, reach[starts[at]]):
            reach[starts[at]] = start
    for number, definition in enumerate(found):
        if reach[definition.start] != definition.start:
            found[number] = definition._replace(start=reach[definition.start], inner=definition.start)


def _only_space(text: bytes, start: int, end: int) -> bool:
    return end - start <= _NEAR and not text[start:end].strip()


def _end_signatures(found: list[Definition], bodies: Sequence[int]) -> None:
    """The first body inside a definition is where its signature ends."""
    for number, definition in enumerate(found):
        at = bisect_right(bodies, definition.start)
        if at < len(bodies) and bodies[at] < definition.body == definition.end and definition.kind not in _WHOLE:
            found[number] = definition._replace(body=bodies[at])
