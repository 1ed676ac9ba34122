"""Which of some texts fits at a place in a file: the one after which the file has no more syntax errors than before.

Error counts come from tree-sitter: nodes that are ``ERROR`` or missing. Its grammar of Python knows nothing of empty
blocks or wrong indentation, so there Python's own parser has a say too. A hanging grammar hangs here: call this in a
process that can be killed (``syntax_process``).
"""

from __future__ import annotations

import ast
import re
import time
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from indexer.dialects import known
from indexer.languages import Language, by_name

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

_WHOLE_PYTHON = 24_000
"""Bytes of a Python file that Python's own parser reads whole (6 ms); of a longer one, the statement at the cursor."""
_LATER = 8
"""Further candidates that are looked at after one that leaves errors near the cursor: another may leave fewer."""
_CACHED = 8
_NEAR = 2
"""Bytes around the cursor in which an error of the file counts as the cursor's own."""
_PAGES = frozenset({"html", "vue", "svelte", "astro"})
_TAG = re.compile(rb"<(/?)([A-Za-z][\w:.-]*)(?![\w:.-])(?:[^<>\"']|\"[^\"]*\"|'[^']*')*?(/?)>")
_NO_TAGS = re.compile(rb"<!--|(<(script|style)\b[^<>]*>)", re.I)
_NO_TAGS_END = {
    b"": re.compile(rb"-->"),
    b"script": re.compile(rb"(?=</script\s*>)", re.I),
    b"style": re.compile(rb"(?=</style\s*>)", re.I),
}
_PARTNER = dict(zip(b"([{<", b")]}>", strict=True))
_VOID = frozenset(b"area base br col embed hr img input link meta param source track wbr".split())
"""Elements of HTML without an end."""
_WORDS = {
    "bash": (frozenset({"then", "do", "case"}), frozenset({"fi", "done", "esac"})),
    "lua": (frozenset({"if", "do", "function", "repeat"}), frozenset({"end", "until"})),
    "ruby": (frozenset({"do", "def", "class", "module", "begin", "case"}), frozenset({"end"})),
}
"""Words that open a block and that close one."""
_WRITTEN = ("comment", "string", "heredoc", "char_literal", "text", "doc", "regex", "literal")
"""Parts of the names of nodes in which people write prose."""


class Candidate(NamedTuple):
    """``text`` in place of the first ``replaces`` bytes after the cursor.

    ``prose``: bytes of ``text`` at which lines begin that read like prose, and so must be in a comment or a string.
    """

    text: bytes
    replaces: int = 0
    prose: tuple[int, ...] = ()


class Verdict(NamedTuple):
    """``chosen``: number of the first candidate that fits, -1 if none does; ``known``: whether that could be told.

    ``late``: the time was over before one was found; the candidates before ``tried`` do not fit.
    """

    chosen: int = -1
    known: bool = True
    late: bool = False
    tried: int = 0


@dataclass(frozen=True, slots=True)
class _Faults:
    count: int
    """Errors, Python's own included."""
    near: bool
    """Whether one of them touches the looked-at stretch."""
    opened: bytes = b""
    """Brackets that the stretch opens and does not close."""
    closed: bytes = b""
    """Brackets that it closes and did not open."""
    prose_in_code: bool = False


class Judge:
    """Judges candidates for places; keeps what it knows of the last files. One thread at a time."""

    def __init__(self, clock: Callable[[], float] = time.thread_time) -> None:
        """``clock`` tells seconds of processor time."""
        self._clock = clock
        self._bases: dict[tuple[bytes, bytes, str], _Faults] = {}

    def first_fit(
        self, before: bytes, after: bytes, language: str, candidates: Sequence[Candidate], seconds: float
    ) -> Verdict:
        """The first of ``candidates`` that fits between ``before`` and ``after``; at most ``seconds`` are spent.

        It must add no errors, leave nothing open that it opened, and close nothing that it did not open, unless the
        file has fewer errors for it. Where the file has an error right at the cursor, a candidate that leaves fewer is
        preferred to an earlier one.
        """
        found = by_name(language)
        if found.grammar is None:
            return Verdict(known=False)
        load(language)  # not on the clock
        until = self._clock() + seconds
        base = self._base(before, after, found)
        best, fewest, first = -1, base.count + 1, len(candidates)
        for number, candidate in enumerate(candidates):
            if self._clock() > until:
                return Verdict(best, late=best < 0, tried=number)
            if number > first + _LATER:
                break
            faults = _faults(before, candidate, after, found)
            if faults.prose_in_code or faults.count >= fewest:
                continue
            if faults.count == 0:
                return Verdict(number)
            if faults.count == base.count:
                if faults.opened or faults.closed:
                    continue
            elif faults.opened and not _takes(faults.opened, before, after, found):
                continue
            if not base.near:
                return Verdict(number)
            best, fewest, first = number, faults.count, min(first, number)
        return Verdict(best)

    def _base(self, before: bytes, after: bytes, language: Language) -> _Faults:
        key = before, after, language.name
        faults = self._bases.get(key)
        if faults is None:
            faults = self._bases[key] = _faults(before, Candidate(b""), after, language)
            while len(self._bases) > _CACHED:
                del self._bases[next(iter(self._bases))]
        return faults


def _faults(before: bytes, candidate: Candidate, after: bytes, language: Language) -> _Faults:
    """What is wrong with the file once the candidate is in it."""
    start, end = len(before), len(before) + len(candidate.text)
    text = before + candidate.text + after[candidate.replaces :]
    root = _parser(language.grammar or "").parse(known(text, language.name)).root_node
    count, near = _errors(root, start - _NEAR, end + _NEAR)
    if language.name in _PAGES:
        count += _unpaired_tags(text)
        if (inner := _script_at(root, text, start)) is not None:
            more, inside = _errors(inner, start - _NEAR, end + _NEAR)
            count, near = count + more, near or inside
            root = inner
    if language.name == "python" and not _python_reads(text, root, start):
        count, near = count + 1, True  # where it is cannot be told: it is named where Python notices it
    opened, closed = _balance(root, text, start, end, language.name)
    prose = any(not _is_written(root, start + at) for at in candidate.prose)
    return _Faults(count, near, opened, closed, prose)


def _takes(opened: bytes, before: bytes, after: bytes, language: Language) -> bool:
    """Whether closers after a place that nothing before it needs are there for each of ``opened``."""
    text = before + after
    root = _parser(language.grammar or "").parse(known(text, language.name)).root_node
    needed, _ = _balance(root, text, 0, len(before), language.name)
    _, there = _balance(root, text, len(before), len(text), language.name)
    spare = Counter(there)
    spare.subtract(_PARTNER[mark] for mark in needed)
    spare.subtract(_PARTNER[mark] for mark in opened)
    return all(spare[_PARTNER[mark]] >= 0 for mark in opened)


def errors_in(text: bytes, language: str) -> int:
    """Syntax errors of a whole file, 0 where the language has no grammar."""
    found = by_name(language)
    return _faults(text, Candidate(b""), b"", found).count if found.grammar is not None else 0


def load(language: str) -> None:
    """Get the grammar of a language ready: on a slow machine that takes longer than a text may take."""
    if (grammar := by_name(language).grammar) is not None:
        _parser(grammar)


@cache
def _parser(grammar: str) -> Parser:
    from tree_sitter import Parser
    from tree_sitter_language_pack import get_language

    return Parser(get_language(grammar))


def _errors(root: Node, start: int, end: int) -> tuple[int, bool]:
    """Error and missing nodes below ``root``, and whether one touches ``[start, end]``."""
    count, near = 0, False
    nodes = [root] if root.has_error else []
    while nodes:
        node = nodes.pop()
        if node.is_error or node.is_missing:
            count += 1
            near = near or (node.start_byte <= end and node.end_byte >= start)
        nodes += [child for child in node.children if child.has_error or child.is_error or child.is_missing]
    return count, near


def _balance(root: Node, text: bytes, start: int, end: int, language: str) -> tuple[bytes, bytes]:
    """Brackets that ``text[start:end]`` leaves open, and those that it closes without opening them; so for blocks.

    Only tokens of the grammar count: no bracket in a string, a comment or a regular expression does. A word that opens
    or closes a block counts as ``<`` or ``>``.
    """
    opened, closed = bytearray(), bytearray()
    openers, closers = _WORDS.get(language, (frozenset(), frozenset()))
    for leaf in _leaves(root, start, end):
        if leaf.is_named or leaf.is_missing:
            continue
        if leaf.end_byte - leaf.start_byte > 3 or leaf.type.isalpha():
            marks = b"<" if leaf.type in openers else b">" if leaf.type in closers else b""
        else:
            marks = bytes(mark for mark in text[leaf.start_byte : leaf.end_byte] if mark in b"()[]{}")
        for mark in marks:
            if mark in _PARTNER:
                opened.append(mark)
            elif opened and _PARTNER[opened[-1]] == mark:
                opened.pop()
            else:
                closed.append(mark)
    return bytes(opened), bytes(closed)


def _unpaired_tags(text: bytes) -> int:
    """Tags of a page without a partner, those of scripts, styles and comments left out."""
    unpaired = 0
    opened: list[bytes] = []
    depth: Counter[bytes] = Counter()
    for closes, name, alone in _TAG.findall(_tags_only(text)):
        name = name.lower()
        if alone or name in _VOID:
            continue
        if not closes:
            opened.append(name)
            depth[name] += 1
        elif depth[name]:
            while (last := opened.pop()) != name:
                depth[last] -= 1
                unpaired += 1
            depth[name] -= 1
        else:
            unpaired += 1
    return unpaired + len(opened)


def _tags_only(text: bytes) -> bytes:
    """``text`` without comments and without what stands in scripts and styles; takes time in proportion to it."""
    kept = bytearray()
    at = look = 0
    endless: set[bytes] = set()
    while (found := _NO_TAGS.search(text, look)) is not None:
        name = (found[2] or b"").lower()
        end = None if name in endless else _NO_TAGS_END[name].search(text, found.end())
        if end is None:
            endless.add(name)
            look = found.end()
            continue
        kept += text[at : found.start()] + (found[1] or b"")
        at = look = end.end()
    return bytes(kept + text[at:])


def _leaves(root: Node, start: int, end: int) -> list[Node]:
    """Leaves that begin in ``[start, end)``, in order."""
    found: list[Node] = []
    nodes = [root]
    while nodes:
        node = nodes.pop()
        if node.end_byte <= start or node.start_byte >= end:
            continue
        if node.child_count:
            nodes += reversed(node.children)
        elif node.start_byte >= start:
            found.append(node)
    return found


def _is_written(root: Node, at: int) -> bool:
    """Whether the byte ``at`` stands in a comment, a string or the text of a page."""
    node: Node | None = root.descendant_for_byte_range(at, at)
    while node is not None:
        if any(part in node.type for part in _WRITTEN):
            return True
        node = node.parent
    return False


def _script_at(root: Node, text: bytes, at: int) -> Node | None:
    """The tree of the script or style of a page that the byte ``at`` stands in."""
    from tree_sitter import Parser, Range

    from indexer.embedded import language_of

    node = root.descendant_for_byte_range(at, at)
    while node is not None and node.type not in ("script_element", "style_element"):
        node = node.parent
    if node is None:
        return None
    inner = next((child for child in node.children if child.type == "raw_text"), None)
    if inner is None:
        return None
    name = language_of(text, inner, "script" if node.type == "script_element" else "style")
    language = by_name(name) if name else None
    if language is None or language.grammar is None:
        return None
    extent = Range(inner.start_point, inner.end_point, inner.start_byte, inner.end_byte)
    return Parser(_parser(language.grammar).language, included_ranges=[extent]).parse(text).root_node


def _python_reads(text: bytes, root: Node, at: int) -> bool:
    """Whether Python's own parser reads the file or, if it is long, the statement of its top level around ``at``."""
    if len(text) > _WHOLE_PYTHON:
        around = [node for node in root.children if node.start_byte <= at <= node.end_byte]
        if not around:
            return True
        text = text[around[0].start_byte : around[-1].end_byte]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return False
    return True
