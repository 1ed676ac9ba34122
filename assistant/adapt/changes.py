"""Change logs → pairs: what a line says was changed ↔ the definition that it names.

The nearest thing to commit messages that packages carry. A line counts when it is an English sentence and names
something that the package defines once or twice; the name is hidden in the code, so that the rest of the line has to
be learnt.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from random import Random

from assistant.adapt.corpus import SourceFile
from assistant.adapt.pairs import CHUNK_BYTES, CODE_CHARACTERS, KINDS_OF_CODE, SHORTEST_BODY, Pair, first_sentences
from indexer.embed import embedding_text
from indexer.languages import by_name
from indexer.parse import parse

MOST = 3_000
"""Pairs taken from a package."""
_AMBIGUOUS = 2
"""A name with more definitions says too little about which one is meant."""
_NAMES = 3
"""A line that names more is a list."""
_A_DEFINITION = 3
"""Lines taken about one definition."""

_BULLET = re.compile(r"^\s*([-*+•o]|\d+[.)]|\*\)|==?)\s+")
_NOISE = re.compile(
    r"\(?#\d+\)?|\bgh-?\d+|https?://\S+|\[[^\]]*\]\([^)]*\)|:\w+:`~?\.?([^`]*)`|\bby @?\w+|@[\w-]+|\b[0-9a-f]{7,40}\b"
    r"|\(?\b[A-Z]+-\d+\)?|\[[^\]]{1,40}\]|\*\*|``?|^\s*[\w./, *-]+\.\w+( \([^)]*\))?:\s",
)
_NAME = re.compile(r"[A-Za-z_]\w*(?:(?:\.|::|#|->)[A-Za-z_]\w*)*")
_SHAPE = re.compile(r"_|[a-z0-9][A-Z]|[A-Z]{2}[a-z]")


def entries(text: str) -> Iterator[str]:
    """Each bullet or paragraph of a change log as one line, names in it as they stand."""
    entry: list[str] = []
    for line in text.split("\n"):
        bullet = _BULLET.match(line)
        if entry and (bullet or not line.strip()):
            yield " ".join(entry)
            entry = []
        if bullet:
            entry = [line[bullet.end() :].strip()]
        elif entry and len(entry) < 6 and line.strip():
            entry.append(line.strip())


def names(entry: str) -> list[str]:
    """Bare names that can only be identifiers: by their shape, a scope, brackets or code marks."""
    found = []
    for match in _NAME.finditer(entry):
        written = match[0]
        bare = re.split(r"\W+", written)[-1]
        before, after = entry[max(0, match.start() - 1) : match.start()], entry[match.end() : match.end() + 1]
        if bare != written or _SHAPE.search(bare) or after == "(" or (before == "`" and after in "`("):
            found.append(bare)
    return list(dict.fromkeys(found))


def pairs(files: Sequence[SourceFile], logs: Iterable[str], random: Random) -> Iterator[Pair]:
    """Pairs of one package, in the order of its logs' lines; at most ``MOST``, chosen by ``random``."""
    named = [(entry, names(entry)) for log in logs for entry in entries(log)]
    if not any(own for _, own in named):
        return
    defined = _defined(files, {name for _, own in named for name in own})
    found: list[Pair] = []
    taken: dict[tuple[str, int], int] = defaultdict(int)
    for entry, own in named:
        known = [name for name in own if 0 < len(defined.get(name, ())) <= _AMBIGUOUS]
        query = first_sentences(_NOISE.sub(r" \1 ", entry)) if 0 < len(known) <= _NAMES else ""
        if not query:
            continue
        language, path, number, document = defined[known[0]][0]
        if taken[path, number] < _A_DEFINITION:
            taken[path, number] += 1
            found.append(Pair("change", language, path, number, query, document))
    chosen = sorted(random.sample(range(len(found)), min(MOST, len(found))))
    yield from (found[i] for i in chosen)


def _defined(files: Sequence[SourceFile], wanted: set[str]) -> Mapping[str, list[tuple[str, str, int, str]]]:
    """Definitions of the ``wanted`` names: language, path, number in the file, code without the name."""
    found: dict[str, list[tuple[str, str, int, str]]] = defaultdict(list)
    searched = re.compile(rb"\w+")
    keys = {name.encode() for name in wanted}
    for file in files:
        if keys.isdisjoint(searched.findall(file.text)):
            continue
        for symbol in parse(file.path, file.text, by_name(file.language), block_bytes=2 * CHUNK_BYTES).symbols:
            if symbol.name not in wanted or symbol.kind not in KINDS_OF_CODE or symbol.kind == "section":
                continue
            body = file.text[symbol.span.start_byte : symbol.span.end_byte].decode("utf-8", "replace")
            body = re.sub(rf"\b{re.escape(symbol.name)}\b", " ", body[:CODE_CHARACTERS])
            if len(body) >= SHORTEST_BODY:
                parent = symbol.qualified.removesuffix(symbol.name).rstrip(".:#")
                document = embedding_text(body, parent or None)
                found[symbol.name].append((file.language, file.path, symbol.span.start_byte, document))
    return found
