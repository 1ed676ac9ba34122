"""Bytes of a source file → symbols, references, imports and the outline that chunking cuts at.

One tree-sitter parse and one pass of one query a file. Everything after that works on byte offsets, because a Python
object per syntax node is what would make it slow. Nothing recurses: nesting depth is the input's choice.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from indexer import captures as captured
from indexer.analysis import ReferenceRow, SymbolRow
from indexer.dialects import parsable
from indexer.embedded import Part, parts
from indexer.languages import Language, by_name
from indexer.outline import Block, ParsedFile
from indexer.structure import bounded
from indexer.symbols import Resolved, joined, qualified, resolve_references, resolve_symbols
from indexer.types import Reference, Span, Symbol

if TYPE_CHECKING:
    from tree_sitter import Node, Parser, Query

QUERY_FOLDER = Path(__file__).parent / "queries"
MAX_DEPTH = 200
"""Nodes nested deeper in the outline are not opened: chunking cuts them at lines. Real code stays far below."""


@dataclass(frozen=True, slots=True)
class ParsedRows:
    """What ``parse`` finds, as the rows that leave a worker: no object per position."""

    symbols: list[SymbolRow]
    references: list[ReferenceRow]
    imports: tuple[str, ...]
    outline: tuple[Block, ...]


BY_MATCH = "; taken match by match"
"""A query with this comment has patterns that stay open for long. In order of position, as captures otherwise come,
that costs quadratic time; match by match it is linear, though slower for all other queries."""


class _Grammar(NamedTuple):
    parser: Parser
    query: Query | None
    by_match: bool


def parse(path: str, text: bytes, language: Language, *, block_bytes: int) -> ParsedFile:
    """Parse ``text`` (UTF-8). Only nodes of more than ``block_bytes`` bytes are opened in the outline.

    A language without a grammar yields an empty outline (its chunks follow lines). A hanging or crashing grammar hangs
    or crashes here: call it in a process that can be killed (``indexer.workers``).
    """
    rows = parse_rows(text, language, block_bytes=block_bytes)
    symbols = tuple(
        Symbol(s.name, s.kind, path, Span(s.start_byte, s.end_byte, s.start_line, s.end_line), s.parent, s.signature)
        for s in rows.symbols
    )
    references = tuple(
        Reference(r.name, path, Span(r.start_byte, r.end_byte, r.line, r.line), r.enclosing) for r in rows.references
    )
    return ParsedFile(path, language.name, symbols, references, rows.imports, rows.outline)


def parse_rows(text: bytes, language: Language, *, block_bytes: int) -> ParsedRows:
    """The same as ``parse`` in the form that workers send."""
    if language.grammar is None or not text:
        return ParsedRows([], [], (), ())
    grammar = _load(language)
    source = parsable(text, language.name)
    root = grammar.parser.parse(source.text).root_node
    if grammar.query is None:
        return ParsedRows([], [], (), _outline(root, text, block_bytes, Resolved(), {}))
    captures = _captures(grammar, root)
    newlines = _newlines(text)
    names = captured.names(captures, source.heads)
    resolved = resolve_symbols(text, newlines, captured.definitions(text, captures, source.leads), names)
    if any(capture.startswith("structure.") for capture in captures):
        resolved.symbols = bounded(resolved.symbols)
    uses = captured.references(text, captures)
    for role, spans in (("macro", source.macros), ("name", source.words)):
        if spans:
            uses.setdefault(role, []).extend(spans)
    imports = captured.imports(text, captures)
    roots: dict[tuple[int, int], Node] = {}
    scripts: list[Resolved] = []
    for part in parts(text, captures):
        roots[part.start, part.end], captures = _parse_part(text, newlines, part)
        for role, spans in captured.references(text, captures).items():
            uses.setdefault(role, []).extend(spans)
        if not part.expression:
            names = captured.names(captures)
            scripts.append(resolve_symbols(text, newlines, captured.definitions(text, captures), names))
            imports += captured.imports(text, captures)
    if scripts:
        resolved = joined([resolved, *scripts])
    references = resolve_references(text, newlines, uses, resolved)
    outline = _outline(root, text, block_bytes, resolved, roots)
    return ParsedRows(resolved.symbols, references, tuple(dict.fromkeys(imports)), outline)


def _parse_part(text: bytes, newlines: Sequence[int], part: Part) -> tuple[Node, dict[str, list[Node]]]:
    """Parse one part of a page; offsets stay those of the page. It need not have a query."""
    from tree_sitter import Parser, Range

    grammar = _load(by_name(part.language))
    assert grammar.parser.language is not None
    extent = Range(_point(newlines, part.start), _point(newlines, part.end), part.start, part.end)
    root = Parser(grammar.parser.language, included_ranges=[extent]).parse(text).root_node
    return root, _captures(grammar, root)


def _point(newlines: Sequence[int], offset: int) -> tuple[int, int]:
    """Row and column of a byte, both from 0."""
    row = bisect_left(newlines, offset)
    return row, offset - (newlines[row - 1] + 1 if row else 0)


@cache
def _load(language: Language) -> _Grammar:
    """Grammar and compiled query, once a process and language: compiling takes 1-60 ms, 0.2 s for C++."""
    from tree_sitter import Parser, Query
    from tree_sitter_language_pack import get_language

    assert language.grammar is not None
    loaded = get_language(language.grammar)
    source = query_source(language.query) if language.query else ""
    return _Grammar(Parser(loaded), Query(loaded, source) if source else None, BY_MATCH in source)


def query_source(name: str) -> str:
    """Text of ``queries/NAME.scm``, after those that its first line (``; inherits: a, b``) names."""
    source = (QUERY_FOLDER / f"{name}.scm").read_text(encoding="utf-8")
    first, _, _ = source.partition("\n")
    if not first.startswith("; inherits:"):
        return source
    parents = first.removeprefix("; inherits:").split(",")
    return "\n".join([*(query_source(parent.strip()) for parent in parents), source])


def _captures(grammar: _Grammar, root: Node) -> dict[str, list[Node]]:
    from tree_sitter import QueryCursor

    if grammar.query is None:
        return {}
    if not grammar.by_match:
        return QueryCursor(grammar.query).captures(root)
    found: dict[str, list[Node]] = {}
    for _, captures in QueryCursor(grammar.query).matches(root):
        for capture, nodes in captures.items():
            found.setdefault(capture, []).extend(nodes)
    return found


def _newlines(text: bytes) -> list[int]:
    """Offsets of all line feeds, ascending."""
    found: list[int] = []
    position = text.find(b"\n")
    while position >= 0:
        found.append(position)
        position = text.find(b"\n", position + 1)
    return found


class _Frame:
    """A node being opened: its own extent and symbol, the children still to do, the blocks made so far."""

    __slots__ = ("blocks", "children", "end", "next", "pending", "start", "symbol")

    def __init__(self, start: int, end: int, symbol: str | None, children: list[Node]) -> None:
        self.start = start
        self.end = end
        self.symbol = symbol
        self.children = children
        self.next = 0
        self.pending = -1
        self.blocks: list[Block] = []


def _outline(
    root: Node, text: bytes, block_bytes: int, resolved: Resolved, roots: Mapping[tuple[int, int], Node]
) -> tuple[Block, ...]:
    """Blocks for the root's children; those above ``block_bytes`` are opened, to a depth of ``MAX_DEPTH``.

    ``roots`` has the trees of embedded parts by the extent of the node that they stand in.
    """
    name_of = _SymbolFinder(resolved)
    frames = [_Frame(root.start_byte, root.end_byte, None, root.named_children)]
    while True:
        frame = frames[-1]
        if frame.next == len(frame.children):
            _flush_pending(frame)
            frames.pop()
            if not frames:
                return tuple(frame.blocks)
            frames[-1].blocks.append(Block(frame.start, frame.end, frame.symbol, tuple(frame.blocks)))
            continue
        node = frame.children[frame.next]
        frame.next += 1
        start, end = node.byte_range
        if _leads(frame, node) and end - start <= block_bytes and _touches_next(frame, text, end):
            if frame.pending < 0:
                frame.pending = start
            continue
        lead, frame.pending = (start if frame.pending < 0 else frame.pending), -1
        symbol = name_of(start, end) or (name_of(lead, end) if lead < start else None)
        inner = roots.get((start, end), node)
        if end - start > block_bytes and len(frames) < MAX_DEPTH and inner.named_child_count:
            frames.append(_Frame(lead, end, symbol, inner.named_children))
        else:
            frame.blocks.append(Block(lead, end, symbol))


def _flush_pending(frame: _Frame) -> None:
    if frame.pending >= 0:
        frame.blocks.append(Block(frame.pending, frame.children[-1].end_byte))
        frame.pending = -1


def _leads(frame: _Frame, node: Node) -> bool:
    """Whether such a node belongs to what stands right below it: comments, attributes, signatures beside their body."""
    kind = node.type
    if "comment" in kind or kind in ("attribute_item", "decorator", "attribute_list", "annotation"):
        return True
    return kind.endswith("_signature") and (
        frame.next < len(frame.children) and frame.children[frame.next].type == "function_body"
    )


def _touches_next(frame: _Frame, text: bytes, end: int) -> bool:
    """Whether the next sibling follows without a blank line, so that the two read as one."""
    if frame.next == len(frame.children):
        return False
    gap = text[end : frame.children[frame.next].start_byte]
    # A comment node may or may not include its own line feed, depending on the grammar.
    return gap.count(b"\n") + text.endswith(b"\n", end - 1, end) < 2


class _SymbolFinder:
    """Which definition a block is: the one with its very extent, or the first inside that fills half of it."""

    __slots__ = ("_exact", "_starts", "_symbols")

    def __init__(self, resolved: Resolved) -> None:
        self._symbols = resolved.symbols
        self._starts = [symbol.start_byte for symbol in resolved.symbols]
        self._exact = resolved.extents

    def __call__(self, start: int, end: int) -> str | None:
        """Its qualified name, or None."""
        name = self._exact.get((start, end))
        if name is not None:
            return name
        at = bisect_left(self._starts, start)
        if at == len(self._starts):
            return None
        symbol = self._symbols[at]
        if symbol.end_byte <= end and 2 * (symbol.end_byte - symbol.start_byte) >= end - start:
            return qualified(symbol)
        return None
