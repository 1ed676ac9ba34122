"""Holes of several kinds in the files of repositories: a cursor, the text around it, and what was taken out there.

A hole is a span of a file that parses without an error. The kinds are the places where people stop typing: within a
line, within brackets or quotes that the editor closed, on an empty line, in an empty block, in a comment.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

from benchmarks.oracle import comment_lines, syntax_errors, text_lines
from indexer.languages import detect

LANGUAGES = (
    "python",
    "javascript",
    "typescript",
    "go",
    "rust",
    "java",
    "c",
    "cpp",
    "ruby",
    "php",
    "lua",
    "bash",
    "csharp",
    "kotlin",
    "swift",
    "html",
    "css",
    "json",
)
MOST_BYTES = 64 << 10
LEAST_BYTES = 200
FILES = 40
"""Files of a language that holes are punched into; more are not even parsed."""
LONG_LINE = 160
BODY_LINES = 12
_PASSED_OVER = frozenset({".git", "node_modules", "vendor", "dist", "build", ".venv"})

_CLOSER = re.compile(r"\s*(?:[)\]}]+[)\]};,]*|end\b|fi\b|done\b|esac\b|</\w+>|\*/|-->)")
_LONE_CLOSER = re.compile(r"\s*(?:[)\]}]+[;,]?|end|fi|done|esac|</[\w-]+>)\s*$")
_OPENER = re.compile(
    r"(?:[{(\[]|\bthen|\bdo(?: \|[^|]*\|)?|\belse)\s*$"
    r"|^\s*(?:local )?(?:def|function|class|module|if|unless|while|for)\b[^;]*$"
    r"|^\s*<(?!!|/)[\w-]+[^<>]*(?<!/)>\s*$"
)
_GUARD = re.compile(r"\s*(return|break|continue|raise|throw|next|exit)\b")
_QUOTED = re.compile(r"(\"(?:[^\"\\\n]|\\.){3,80}\"|'(?:[^'\\\n]|\\.){3,80}'|<[^<>\n]{3,80}>)")
_CALL = re.compile(r"[\w.:!]*\w!?\(")
_TAG = re.compile(r"<[\w-]+ (?=[^<>\n]{4,120}>)")
_COMMENT_MARK = re.compile(r"\s*(?:#+!?|//+!?|/\*+|\*(?!/)|--+|<!--|;+|\"\"\"|''')?\s*")
_COMMENT_END = re.compile(r"\s*(?:\*/|-->|\"\"\"|''')?\s*$")
_FIRST_WORD = re.compile(r"\s*(\W*\w+)")


@dataclass(frozen=True)
class Hole:
    """``prefix`` + ``removed`` + ``suffix`` is the file; the cursor is between ``prefix`` and ``suffix``."""

    language: str
    kind: str
    repository: str
    path: str
    prefix: str
    suffix: str
    removed: str

    @property
    def id(self) -> str:
        """Names the place; the same in every run."""
        place = f"{self.repository}\0{self.path}\0{self.kind}\0{len(self.prefix)}\0{len(self.removed)}"
        return hashlib.sha256(place.encode()).hexdigest()[:16]

    def row(self) -> dict[str, Any]:
        """As a row of a record."""
        return {"id": self.id, **asdict(self)}


@dataclass(frozen=True)
class Source:
    """A whole file, with its lines (without their ends), where they start, and which are prose."""

    language: str
    repository: str
    path: str
    text: str
    lines: tuple[str, ...]
    starts: tuple[int, ...]
    comments: frozenset[int]
    texts: frozenset[int]

    @classmethod
    def of(cls, language: str, repository: str, path: str, text: str) -> Source:
        """Look at ``text`` once."""
        lines = tuple(text.split("\n"))
        starts = [0]
        for line in lines:
            starts.append(starts[-1] + len(line) + 1)
        comments, texts = comment_lines(text, language), text_lines(text, language)
        return cls(language, repository, path, text, lines, tuple(starts), comments, texts)


Span = tuple[int, int]
"""Offsets of what is taken out."""


def holes(folders: Sequence[Path], most: int, seed: int, kinds: Sequence[str] = ()) -> list[Hole]:
    """``most`` holes, evenly over languages and kinds, or fewer where the files have no more.

    Every round has one hole of each language and kind that there is, so that the first part of the list is even too.
    """
    found = sources(folders, seed, LANGUAGES)
    cells = [(language, kind) for language in LANGUAGES if found[language] for kind in kinds or KINDS]
    # Each cell has its own chance: another kind or language changes nothing for the others.
    chances = {cell: random.Random(f"{seed} {cell}") for cell in cells}
    files = {cell: cycle(chances[cell].sample(found[cell[0]], len(found[cell[0]]))) for cell in cells}
    order = random.Random(seed)
    out: dict[str, Hole] = {}
    while cells and len(out) < most:
        order.shuffle(cells)
        empty = []
        for language, kind in cells:
            hole = _punch(files[language, kind], kind, chances[language, kind], out)
            if hole is None:
                empty.append((language, kind))
            else:
                out[hole.id] = hole
        cells = [cell for cell in cells if cell not in empty]
    return list(out.values())[:most]


def _punch(files: Iterator[Source], kind: str, chance: random.Random, known: dict[str, Hole]) -> Hole | None:
    """A new hole of ``kind`` in the next file that has a place for one."""
    for _ in range(FILES):
        source = next(files)
        spans = KINDS[kind](source, chance)
        chance.shuffle(spans)
        for start, end in spans[:3]:
            text = source.text
            hole = Hole(
                source.language, kind, source.repository, source.path, text[:start], text[end:], text[start:end]
            )
            if hole.id not in known and hole.removed.strip():
                return hole
    return None


def sources(folders: Sequence[Path], seed: int, languages: Sequence[str]) -> dict[str, list[Source]]:
    """Files of each language that parse without errors, from the repositories in turn."""
    chance = random.Random(seed)
    found: dict[str, dict[str, list[Path]]] = {language: {} for language in languages}
    for folder in sorted(folders):
        paths = sorted(p for p in folder.rglob("*") if not _PASSED_OVER.intersection(p.relative_to(folder).parts))
        chance.shuffle(paths)
        for path in paths:
            if not path.is_symlink() and path.is_file() and LEAST_BYTES <= path.stat().st_size <= MOST_BYTES:
                with path.open("rb") as file:
                    language = detect(path.name, file.read(4096)).name
                if language in found:
                    found[language].setdefault(folder.name, []).append(path)
    by_name = {folder.name: folder for folder in folders}
    return {language: _clean(language, by_folder, by_name) for language, by_folder in found.items()}


def _clean(language: str, by_folder: dict[str, list[Path]], folders: dict[str, Path]) -> list[Source]:
    """The first files without syntax errors, one of each repository in turn."""
    out: list[Source] = []
    queues = {name: iter(paths) for name, paths in by_folder.items()}
    while queues and len(out) < FILES:
        for name in list(queues):
            path = next(queues[name], None)
            if path is None:
                del queues[name]
                continue
            try:
                text = path.read_bytes().decode().replace("\r\n", "\n")
            except UnicodeDecodeError:
                continue
            if not text.startswith("\ufeff") and syntax_errors(text, language) == 0:
                out.append(Source.of(language, name, path.relative_to(folders[name]).as_posix(), text))
    return out


def _code(source: Source, least: int) -> Iterator[tuple[int, str]]:
    """Lines of code that are neither short nor very long."""
    for number, line in enumerate(source.lines):
        prose = number in source.comments or number in source.texts
        if not prose and least <= len(line.strip()) and len(line) <= LONG_LINE:
            yield number, line


def _line_rest(source: Source, chance: random.Random) -> list[Span]:
    out = []
    for number, line in _code(source, 12):
        first = len(line) - len(line.lstrip())
        length = len(line.strip())
        at = first + chance.randint(length // 4, 3 * length // 4)
        out.append((source.starts[number] + at, source.starts[number] + len(line.rstrip())))
    return out


def _within_line(source: Source, chance: random.Random) -> list[Span]:
    out = []
    for number, line in _code(source, 6):
        inner = [(match.start() + 1, match.end() - 1) for match in _QUOTED.finditer(line)]
        inner += [pair for at, char in enumerate(line) if char in "([" if (pair := (at + 1, _closer(line, at)))[1] > at]
        for start, end in inner:
            if end - start >= 3:
                base = source.starts[number]
                out.append((base + chance.randint(start, start + (end - start) // 2), base + end))
    return out


def _line(source: Source, chance: random.Random) -> list[Span]:
    return [_whole(source, number) for number, line in _code(source, 6) if re.search(r"\w", line)]


def _body(source: Source, chance: random.Random) -> list[Span]:
    return [(start, end) for start, end, _ in _bodies(source)]


def _body_open(source: Source, chance: random.Random) -> list[Span]:
    out = []
    for start, _, closer in _bodies(source):
        if closer is not None and _LONE_CLOSER.match(source.lines[closer]):
            out.append((start, source.starts[closer] + len(source.lines[closer].rstrip())))
    return out


def _arguments(source: Source, chance: random.Random) -> list[Span]:
    out = []
    for number, line in _code(source, 6):
        base = source.starts[number]
        if source.language == "html":
            out += [(base + match.end(), base + line.index(">", match.end())) for match in _TAG.finditer(line)]
            continue
        for match in _CALL.finditer(line):
            end = _closer(line, match.end() - 1)
            if end - match.end() >= 3:
                out.append((base + match.end(), base + end))
    return out


def _comment(source: Source, chance: random.Random) -> list[Span]:
    return _prose(source, source.comments - source.texts, chance)


def _docstring(source: Source, chance: random.Random) -> list[Span]:
    return _prose(source, source.texts, chance)


def _prose(source: Source, lines: frozenset[int], chance: random.Random) -> list[Span]:
    out = []
    for number in sorted(lines):
        line = source.lines[number]
        mark, end = _COMMENT_MARK.match(line), _COMMENT_END.search(line)
        assert mark is not None and end is not None  # both match anything
        words = [match.start() for match in re.finditer(r"\S+", line) if mark.end() <= match.start() < end.start()]
        if len(words) >= 3 and len(line) <= LONG_LINE:
            base = source.starts[number]
            out.append((base + chance.choice(words[: len(words) // 2 + 1]), base + end.start()))
    return out


def _guard(source: Source, chance: random.Random) -> list[Span]:
    out = []
    pattern = _FIRST_WORD if source.language in ("html", "css", "json") else _GUARD
    for number, line in _code(source, 4):
        guard = pattern.match(line)
        if guard is None:
            continue
        below = (pattern.match(other) for other in source.lines[number + 1 : number + 7])
        if any(other is not None and other.group(1) == guard.group(1) for other in below):
            out.append(_whole(source, number))
    return out


KINDS: dict[str, Callable[[Source, random.Random], list[Span]]] = {
    "rest of a line": _line_rest,
    "within a line": _within_line,
    "whole line": _line,
    "block body": _body,
    "block body and closer": _body_open,
    "arguments": _arguments,
    "comment": _comment,
    "docstring or text block": _docstring,
    "guard": _guard,
}


def _whole(source: Source, number: int) -> Span:
    """A line without its indentation and its end."""
    line, base = source.lines[number], source.starts[number]
    return base + len(line) - len(line.lstrip()), base + len(line.rstrip())


def _closer(line: str, at: int) -> int:
    """Where the bracket at ``at`` is closed on its line; -1 where it is not."""
    depth = 0
    for place in range(at, len(line)):
        depth += (line[place] in "([{") - (line[place] in ")]}")
        if depth == 0:
            return place
    return -1


def _bodies(source: Source) -> Iterator[tuple[int, int, int | None]]:
    """Bodies of blocks of a few lines: where they start and end, and the line of the closer, if one closes them."""
    for number, line in _code(source, 1):
        colon = source.language == "python" and line.rstrip().endswith(":")
        if not (colon or _OPENER.search(line)):
            continue
        last = number
        for below in range(number + 1, min(number + 1 + BODY_LINES, len(source.lines))):
            if source.lines[below].strip() and _indent(source.lines[below]) <= _indent(line):
                break
            last = below if source.lines[below].strip() else last
        else:
            continue
        if last == number or not source.lines[number + 1].strip():
            continue
        closed = not colon and _indent(source.lines[below]) == _indent(line) and _CLOSER.match(source.lines[below])
        if colon or closed:
            yield _whole(source, number + 1)[0], _whole(source, last)[1], below if closed else None


def _indent(line: str) -> int:
    expanded = line.expandtabs(4)
    return len(expanded) - len(expanded.lstrip())
