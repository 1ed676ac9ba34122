"""Source files → pairs of texts that mean the same: what a static embedding is trained on.

The kinds of CodeSearchNet (Husain et al., 2019: documentation ↔ function) and of later contrastive code models
(Neelakantan et al., 2022, Text and Code Embeddings by Contrastive Pre-Training: neighbouring text): a definition's
documentation or name, a file's opening comment or its path, each ↔ code of it, and two neighbouring chunks. Definitions
and chunks are those of ``indexer.parse`` and ``indexer.chunk``, so the code sides look like what an index embeds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from assistant.adapt.corpus import SourceFile
from indexer.chunk import chunk
from indexer.embed import embedding_text
from indexer.languages import by_name
from indexer.parse import parse
from indexer.terms import parts
from indexer.types import Symbol

T = TypeVar("T")

KINDS = ("documentation", "name", "file", "path", "neighbour", "change")
"""``change``: see ``assistant.adapt.changes``."""
CHUNK_BYTES = 1_500
CODE_CHARACTERS = 2_000
"""Longer definitions are cut here, as chunking would."""
SHORTEST_BODY = 60
_QUERY_CHARACTERS = 400
_PER_FILE = 40
"""Symbols taken from a file, so that one table of constants does not fill the data."""
KINDS_OF_CODE = {
    "class",
    "interface",
    "enum",
    "function",
    "method",
    "constructor",
    "type",
    "module",
    "macro",
    "section",
}

_ATTRIBUTE = re.compile(r"^(@\w|#!?\[|\[[A-Z]|\[<|template\s*<|export\b|public\b|static\b|inline\b|@spec)")
_LINE_COMMENT = re.compile(r"^(//|#(?!!|\[|include|define|if|endif|pragma|import)|--|;|%|\"\s)")
_BLOCK_ENDS = (("*/", "/*"), ("-}", "{-"), ("*)", "(*"), ('"""', '"""'), ("]]", "--[["), ("=end", "=begin"))
_MARKERS = re.compile(
    r"^\s*(/\*+!?|\*+/|\*(?!\w)|///?!?|//+|#+'?|--+\s?\|?|;+|%+|\{-+\s?\|?|-\}|\(\*+|\*\)|\[\[|\]\])+\s?"
)
_MARKUP = re.compile(
    r"<[^<>]{1,80}>|\{@\w+\s*|[{}`*|]|\[`?|`?\](\([^)]*\))?|:\w+:(?=`)|^\s*@(moduledoc|doc|brief|short|summary)\b"
    r"|\"\"\"|\\(brief|p|c|ref|a)\b",
    re.MULTILINE,
)
_TAGS = re.compile(
    r"^\s*([@\\]\w+|:\w+[^:\n]*:|(Args|Arguments|Parameters|Returns?|Raises|Examples?|See also)\b:?\s*$|>>>)"
)
_LEGAL = re.compile(r"copyright|licen[cs]ed?\b|all rights reserved|spdx|warranty|@author|-\*-|eslint|noqa|pylint", re.I)
_PYTHON_DOC = re.compile(r"[rRbBuU]{0,2}(\"\"\"|''')(.*?)\1", re.DOTALL)
_ENGLISH = re.compile(
    r"\b(the|a|an|of|to|is|are|for|in|if|this|that|and|or|with|from|returns?|sets?|gets?|by|on|as)\b", re.I
)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts that mean the same, of one file. ``code`` says which code of the file ``document`` shows.

    It is a definition's first byte, or less than 0 for a chunk.

    Pairs of one file with different numbers are hard negatives of each other.
    """

    kind: str
    language: str
    file: str
    code: int
    query: str
    document: str


def pairs(file: SourceFile, random: Random) -> Iterator[Pair]:
    """The pairs of one file, in order. ``random`` chooses which symbols of a long file and which chunks are taken."""
    parsed = parse(file.path, file.text, by_name(file.language), block_bytes=2 * CHUNK_BYTES)
    lines = file.text.decode("utf-8", "replace").split("\n")
    symbols = [s for s in parsed.symbols if s.kind in KINDS_OF_CODE and s.span.end_byte - s.span.start_byte > 20]
    for symbol in _sample(symbols, _PER_FILE, random):
        number = symbol.span.start_byte
        body = file.text[symbol.span.start_byte : symbol.span.end_byte].decode("utf-8", "replace")
        documentation, body = _documentation(lines, symbol, body, file.language)
        body = body[:CODE_CHARACTERS]
        if len(body) < SHORTEST_BODY:
            continue
        query = first_sentences(documentation)
        if query:
            document = embedding_text(body, symbol.qualified)
            yield Pair("documentation", file.language, file.path, number, query, document)
        words = spelled(symbol.name)
        if len(words) > 1:
            # Without the name in the body: else the pair would only say that a word is like itself.
            hidden = re.sub(rf"\b{re.escape(symbol.name)}\b", " ", body)
            yield Pair("name", file.language, file.path, number, " ".join(words), hidden)
    chunks = [
        embedding_text(file.text[row.start_byte : row.end_byte].decode("utf-8", "replace"), row.symbol)
        for row in chunk(parsed, file.text, CHUNK_BYTES)
    ]
    yield from _of_chunks(file, lines, chunks, random)


def _of_chunks(file: SourceFile, lines: Sequence[str], chunks: Sequence[str], random: Random) -> Iterator[Pair]:
    """What a file says of itself ↔ a chunk of it, and neighbouring chunks; numbered below 0."""
    wordy = [i for i, c in enumerate(chunks) if len(c) > 2 * SHORTEST_BODY and not _LEGAL.search(c[:300])]
    if not wordy:
        return
    opening = first_sentences(_opening(lines, file.language))
    if opening:
        at = random.choice(wordy[1:] or wordy)
        yield Pair("file", file.language, file.path, -1 - at, opening, chunks[at])
    name = file.path.rsplit(".", 1)[0].split("/")
    words = [w for component in name[-2:] for w in spelled(component)]
    if len(words) > 1:
        at = random.choice(wordy)
        yield Pair("path", file.language, file.path, -1 - at, " ".join(words), chunks[at])
    following = [i for i in wordy if i + 1 in wordy]
    for at in _sample(following, 2, random):
        yield Pair("neighbour", file.language, file.path, -2 - at, chunks[at], chunks[at + 1])


def _sample(items: Sequence[T], most: int, random: Random) -> list[T]:
    """At most ``most`` of ``items``, in order."""
    chosen = sorted(random.sample(range(len(items)), min(most, len(items))))
    return [items[i] for i in chosen]


def spelled(name: str) -> list[str]:
    """Words of a name, without single letters and numbers: ``parseHTTP2Header`` → parse, http, header."""
    return [p for p in parts(name) if len(p) > 1 and not p.isdigit()]


def _documentation(lines: Sequence[str], symbol: Symbol, body: str, language: str) -> tuple[str, str]:
    """Documentation of a definition (a docstring in it, else the comment above it), and its text without it."""
    if language in ("python", "clojure"):
        head = re.search(r":\s*(#[^\n]*)?\n\s*(?=[rRbBuU]{0,2}(\"\"\"|'''))", body[:1_500])
        found = _PYTHON_DOC.match(body, head.end()) if head else None
        if found:
            return found[2], body[: found.start()] + body[found.end() :]
    return comment_above(lines, symbol.span.start_line - 1), body


def comment_above(lines: Sequence[str], row: int) -> str:
    """The comment that ends right above line ``row`` (0-based), beyond attributes and decorators; else ``""``."""
    at = row - 1
    while at >= 0 and row - at <= 6 and _ATTRIBUTE.match(lines[at].strip()):
        at -= 1
    if at < 0 or not lines[at].strip():
        return ""
    end = at
    line = lines[at].strip()
    for closing, opening in _BLOCK_ENDS:
        if line.endswith(closing):
            if closing == opening and line.count(closing) == 1:
                at -= 1
            while at > 0 and opening not in lines[at] and end - at < 80:
                at -= 1
            return "\n".join(lines[at : end + 1]) if opening in lines[at] else ""
    while at >= 0 and end - at < 80 and _LINE_COMMENT.match(lines[at].strip()):
        at -= 1
    return "\n".join(lines[at + 1 : end + 1])


def _opening(lines: Sequence[str], language: str) -> str:
    """The first comment or docstring of a file that is not about its licence."""
    if language == "python":
        found = _PYTHON_DOC.search("\n".join(lines[:30]))
        return found[2] if found else ""
    for row in range(1, min(60, len(lines))):
        above = lines[row - 1].strip()
        if above and not _LINE_COMMENT.match(lines[row].strip()) and not lines[row].strip().startswith("*"):
            comment = comment_above(lines, row)
            if comment and first_sentences(comment):
                return comment
    return ""


def first_sentences(comment: str) -> str:
    """The first paragraph of a comment as plain words, at most 400 characters; ``""`` if it is no English sentence."""
    kept: list[str] = []
    for line in comment.split("\n"):
        plain = _MARKERS.sub("", line)
        if _TAGS.match(plain) and not re.match(r"\s*@(moduledoc|doc|brief|short|summary)\b|\s*\\brief", plain):
            break
        plain = " ".join(_MARKUP.sub(" ", plain).split())
        if not plain or not re.search(r"\w", plain):
            if sum(map(len, kept)) > 20:
                break
            continue
        kept.append(plain)
    text = " ".join(kept).removesuffix("*/").strip()[:_QUERY_CHARACTERS]
    words = re.findall(r"[A-Za-z]{2,}", text)
    if len(words) < 3 or _LEGAL.search(text) or not text.isascii() or not _ENGLISH.search(text):
        return ""
    return text
