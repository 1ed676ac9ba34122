"""A question → what it names outright: files, folders, definitions, the repository as a whole, frames of a traceback.

What is named is always a source: search ranks by words, and "What does helpers.py do?" has none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from assistant.context import CodeIndex
from assistant.names import is_compound
from assistant.pasted import Message
from assistant.path_names import WELL_KNOWN, Found, PathNames, has_extension, nearness
from assistant.plain_words import (
    FILE_WORDS,
    FOLDER_WORDS,
    SYMBOL_WORDS,
    content,
    is_foreign,
    is_plain,
    means_project,
    only_project,
    spaced,
)
from indexer.types import Symbol

MOST_FRAMES = 3
MOST_DEFINITIONS = 2
_MOST_TOKENS = 60
"""Words of a question that are looked up."""
_MOST_CHARACTERS = 300
"""Of a word that may be a name or a path."""

_TOKEN = re.compile(
    r"`(?P<ticked>[^`\n]{1,120})`|(?P<bare>[^\s`\"'“”„«»‘’<>,;?!()\[\]{}、。？！，；：（）「」『』]+(?:\(\))?)"
)
_QUOTES = re.compile(r"[\"'“„«‘「『](?P<inside>[^\s\"'“”«»‘’「」『』]{2,80})[\"'”“»’」』]")
_NAME = re.compile(r"[$@]?[^\W\d]\w*(?:(?:\.|::|->|#)[$]?[^\W\d]\w*)*")
_SEPARATOR = re.compile(r"\.|::|->|#")
_KIND_RANK = {"section": 3, "field": 2, "variable": 2, "property": 1}
_INSIDE = re.compile(r"\b(?:in|inside|within|under|below)\b", re.I)
_README = re.compile(r"readme(?:\.\w+)?", re.I)
_MANIFESTS = (
    "package.json", "pyproject.toml", "Cargo.toml", "go.mod", "pom.xml", "build.gradle.kts", "build.gradle", "setup.py",
    "setup.cfg", "composer.json", "Gemfile", "Package.swift", "mix.exs", "deno.json", "pubspec.yaml", "CMakeLists.txt",
    "configure.ac", "Makefile", "requirements.txt", "build.sbt", "stack.yaml", "rebar.config", "build.zig",
)  # fmt: skip
_MANIFEST_ENDINGS = (".gemspec", ".cabal", ".csproj", ".sln", ".nimble", ".podspec", ".rockspec")
_ENTRIES = re.compile(
    r"(?:^|/)(?:main\.\w+|__main__\.py|index\.[cm]?[jt]sx?|app\.\w+|cli\.\w+|server\.\w+|lib\.rs|mod\.rs|__init__\.py"
    r"|init\.lua|program\.cs|manage\.py)$",
    re.I,
)
_SETUP = re.compile(
    r"\b(?:depend\w*|version|licen[cs]e\w*|scripts?|manifest|abhängigkeit\w*|dépendances|dependencias|зависимост\w*)\b|依赖|依存",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Mention:
    """A file, or lines of it, that a question names."""

    kind: Literal["file", "folder", "symbol", "frame", "project"]
    path: str
    first: int = 1
    last: int = 0
    """Last line (1-based, inclusive); 0: to the end."""
    symbol: str | None = None
    line: int = 0
    """The line that matters most of ``first..last``, 0 where none does."""


@dataclass(frozen=True, slots=True)
class Mentions:
    """What a question names."""

    pinned: tuple[Mention, ...] = ()
    """In the order in which they are shown."""
    after: tuple[Mention, ...] = ()
    """What comes after all that search finds."""
    folders: tuple[str, ...] = ()
    alike: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Names of several files, and these, the one that is meant first."""
    instead: tuple[tuple[str, str], ...] = ()
    """Names of files that are not there, and the file that is shown in their place."""
    missing: tuple[str, ...] = ()
    """Names of files that are not there, nor anything like them."""
    said: frozenset[str] = frozenset()
    """The words of the question that were understood as names, as typed."""
    alone: bool = False
    """Whether the question is about nothing else."""


@dataclass(frozen=True, slots=True)
class Token:
    """A word of a question as typed. ``before``, ``after``: its neighbours, casefolded."""

    text: str
    ticked: bool
    before: str
    after: str
    first: bool
    """Whether it begins a sentence."""


def find_mentions(
    index: CodeIndex, names: PathNames, message: Message, favoured: Sequence[str] = (), *, fresh: bool = True
) -> Mentions:
    """What ``message`` names. ``favoured``: paths that search found, best first, which settle between equal names.

    ``fresh``: nothing was talked about before and nothing is shown, so that "this" is the repository.
    """
    return _Finder(index, names, message, favoured).find(fresh=fresh)


class _Finder:
    def __init__(self, index: CodeIndex, names: PathNames, message: Message, favoured: Sequence[str]) -> None:
        self._index = index
        self._names = names
        self._message = message
        self._rank = {path: number for number, path in enumerate(favoured)}
        self._files: list[Mention] = []
        self._symbols: list[Mention] = []
        self._folders: list[str] = []
        self._alike: list[tuple[str, tuple[str, ...]]] = []
        self._instead: list[tuple[str, str]] = []
        self._missing: list[str] = []
        self._said: set[str] = set()

    def find(self, *, fresh: bool) -> Mentions:
        asked = self._message.asked
        found = list(tokens(asked))
        foreign = is_foreign(asked)
        left = [token for token in found if not is_plain(_bare(token.text), foreign=foreign)]
        alone = len(content(asked)) <= 1 or len(left) <= 1
        for token in found:
            self._token(token, alone=alone and token in left, foreign=foreign)
        frames = self._frames()
        project = means_project(asked) and (fresh or bool(asked)) and not self._message.paste
        pins = [*self._files, *self._symbols]
        folders = [mention for folder in self._folders for mention in self._main_files(folder)]
        inside = _INSIDE.search(asked) is not None
        pins = [*folders, *pins] if folders and (inside or not self._files) and not self._files else [*pins, *folders]
        pins += frames
        after: list[Mention] = []
        if project:
            own = list(self._project(asked))
            if only_project(asked) and fresh:
                pins += own
            else:
                after = own[:1]
        rest = [word for word in content(asked) if not any(word in said for said in self._said)]
        return Mentions(
            tuple(dict.fromkeys(pins)), tuple(after), tuple(self._folders), tuple(self._alike), tuple(self._instead),
            tuple(self._missing), frozenset(self._said), bool(pins) and not rest,
        )  # fmt: skip

    def _token(self, token: Token, *, alone: bool, foreign: bool) -> None:
        text, near = token.text, {token.before, token.after}
        called = text.endswith("()")
        text = text.removesuffix("()")
        pathlike = "/" in text.strip("/") or "\\" in text or has_extension(text)
        sure_symbol = (
            token.ticked or called or bool(near & SYMBOL_WORDS) or is_compound(text) or bool(_SEPARATOR.search(text))
        )
        plain = not (token.ticked or called or pathlike) and is_plain(text, foreign=foreign)
        if plain and not (alone or text.casefold() in WELL_KNOWN):
            return
        if self._folder(token, text, alone=alone):
            return
        symbols = self._definitions(text) if _NAME.fullmatch(text) else []
        if self._file(token, text, alone=alone, pathlike=pathlike, symbols=bool(symbols)):
            if not alone:
                return
        elif pathlike and has_extension(text) and not symbols and "://" not in text:
            self._absent_file(token.text)
        capital = text[:1].isupper() and not token.first
        if symbols and (sure_symbol or alone or (capital and not foreign) or (capital and not text.isalpha())):
            self._said.add(token.text)
            self._symbols += [_definition(symbol) for symbol in symbols[:MOST_DEFINITIONS]]

    def _file(self, token: Token, text: str, *, alone: bool, pathlike: bool, symbols: bool) -> bool:
        near = {token.before, token.after}
        low = text.casefold()
        capitals = text.isupper() and len(text) > 2
        meant = pathlike or low in WELL_KNOWN or capitals or bool(near & FILE_WORDS) or alone or is_compound(text)
        if not meant or (len(text) < 2):
            return False
        found = self._names.files(text)
        if found is None or (symbols and not found.exact):
            return False
        if capitals and low not in WELL_KNOWN and not pathlike and not alone and not (near & FILE_WORDS):
            found = Found(tuple(p for p in found.paths if p.rpartition("/")[2].startswith(text)))
            if not found.paths:
                return False
        if symbols and not has_extension(text) and "/" not in text and not (near & FILE_WORDS) and is_compound(text):
            return False  # a definition has this name
        if not pathlike and is_compound(text) and not alone and not near & FILE_WORDS and "." in text:
            return False
        paths = sorted(found.paths, key=self._order)
        self._said.add(token.text)
        self._files.append(Mention("file", paths[0]))
        named = paths[0].rpartition("/")[2].casefold()
        paths = [path for path in paths if path.rpartition("/")[2].casefold() == named]
        if len(paths) > 1:
            self._alike.append((text, tuple(paths)))
            if nearness(paths[0])[:2] == nearness(paths[1])[:2]:
                self._files.append(Mention("file", paths[1]))
        if not found.exact:
            self._instead.append((text, paths[0]))
        return True

    def _order(self, path: str) -> tuple[bool, int, int, str]:
        aside, depth, _, _ = nearness(path)
        return aside, depth, self._rank.get(path, len(self._rank)), path

    def _absent_file(self, text: str) -> None:
        name = text.removesuffix("()")
        if self._index.grep(name, ignore_case=True, limit=1).total:
            return  # spoken of somewhere, so search says more
        if (similar := self._names.similar(name)) is not None:
            self._files.append(Mention("file", similar))
            self._instead.append((name, similar))
            self._said.add(text)
        else:
            self._missing.append(name)

    def _folder(self, token: Token, text: str, *, alone: bool) -> bool:
        near = {token.before, token.after}
        slashed = text.endswith(("/", "\\")) or "/" in text.strip("/\\") or "\\" in text.strip("\\")
        if not (slashed or near & FOLDER_WORDS or alone):
            return False
        found = self._names.folder(text)
        if not found or (alone and not slashed and not near & FOLDER_WORDS and self._names_file(text)):
            return False
        self._said.add(token.text)
        if found[0] not in self._folders:
            self._folders.append(found[0])
        if len(found) > 1:
            self._alike.append((text, tuple(f"{folder}/" for folder in found)))
        return True

    def _names_file(self, text: str) -> bool:
        found = self._names.files(text)
        return found is not None and not nearness(found.paths[0])[0] and found.paths[0].count("/") <= 1

    def _definitions(self, text: str) -> list[Symbol]:
        """Definitions of a name, in code of the project first; of the last part where the whole is none."""
        name = text.replace("->", ".")
        found = self._index.symbols(name) or self._index.symbols(name.lstrip("$@"))
        if not found and (parts := _SEPARATOR.split(name))[1:]:
            holders = {symbol.path for part in parts[:-1] for symbol in self._index.symbols(part)}
            last = self._index.symbols(parts[-1])
            found = [symbol for symbol in last if symbol.path in holders] or last
        bare = _SEPARATOR.split(name)[-1].lstrip("$@")
        return sorted(
            found,
            key=lambda s: (
                s.name.lstrip("$@") != bare,
                nearness(s.path)[0],
                _KIND_RANK.get(s.kind, 0),
                self._rank.get(s.path, len(self._rank)),
                -(s.span.end_line - s.span.start_line),
                s.path,
            ),
        )

    def _frames(self) -> list[Mention]:
        out: dict[tuple[str, str | None], Mention] = {}
        for frame in self._message.frames:
            path = self._names.frame(frame.path)
            text = self._index.text(path) if path is not None else None
            if path is None or text is None:
                continue
            count = text.count("\n") + (not text.endswith("\n"))
            line = min(max(1, frame.line), max(1, count))
            spans = [s for s in self._index.file_symbols(path) if s.span.start_line <= line <= s.span.end_line]
            best = min(spans, key=lambda s: s.span.end_line - s.span.start_line, default=None)
            first, last = (best.span.start_line, best.span.end_line) if best else (max(1, line - 6), line + 6)
            mention = Mention("frame", path, first, min(last, count), best.qualified if best else None, line)
            out.setdefault((path, mention.symbol), mention)
        return list(out.values())[:MOST_FRAMES]

    def _main_files(self, folder: str) -> list[Mention]:
        """Of a folder: what says what it is, where it begins, and what search found in it."""
        inside = self._names.below(folder)
        own = [path for path in inside if path.count("/") == folder.count("/") + 1] or inside
        name = folder.rpartition("/")[2].casefold()

        def key(path: str) -> tuple[bool, bool, bool, int, int, str]:
            base = path.rpartition("/")[2].casefold()
            main = bool(_README.fullmatch(base) or _ENTRIES.search(path) or base.partition(".")[0] in (name, "doc"))
            text = self._index.text(path) if main else None
            empty = text is not None and not text.strip()
            rank = self._rank.get(path, len(self._rank))
            return empty, not main, nearness(base)[0], rank, 0 if _README.fullmatch(base) else 1, base

        source = [path for path in inside if path.startswith(f"{folder}/src/") and _ENTRIES.search(path)]
        source.sort(key=lambda path: (path.count("/"), path))
        return [Mention("folder", path) for path in dict.fromkeys((*sorted(own, key=key)[:3], *source[:1]))]

    def _project(self, asked: str) -> Iterator[Mention]:
        """README, manifest and entry point, those nearest to the root."""
        paths = self._names.paths
        readmes = [p for p in paths if _README.fullmatch(p.rpartition("/")[2]) and p.count("/") <= 1]
        readme = min(readmes, key=lambda p: (p.count("/"), nearness(p)), default=None)
        top = {path for path in paths if "/" not in path}
        manifest = next((name for name in _MANIFESTS if name in top), None) or next(
            (path for path in sorted(top) if path.endswith(_MANIFEST_ENDINGS)), None
        )
        entries = [path for path in paths if _ENTRIES.search(path) and not nearness(path)[0]]
        entry = min(entries, key=lambda p: (p.count("/"), "init" in p, p), default=None)
        order = [manifest, readme, entry] if _SETUP.search(asked) else [readme, manifest, entry]
        yield from (Mention("project", path) for path in order if path is not None)


def tokens(text: str) -> Iterator[Token]:
    """Words of a question as they may be names, with their neighbours."""
    quoted = {found["inside"] for found in _QUOTES.finditer(text)}
    found = list(_TOKEN.finditer(spaced(text)))[:_MOST_TOKENS]
    written = [(m["ticked"] or m["bare"].rstrip(".:…·*_-") or m["bare"]).strip() for m in found]
    plain = [_bare(word).casefold() for word in written]
    for number, (match, word) in enumerate(zip(found, written, strict=True)):
        before = plain[number - 1] if number else ""
        after = plain[number + 1] if number + 1 < len(plain) else ""
        ends = number == 0 or match.string[: match.start()].rstrip()[-1:] in (".", "?", "!", "。", "？", ":")
        ticked = match["ticked"] is not None or word in quoted
        if word.startswith("./"):
            word = word[2:]
        # What stands between quotation marks or after a slash alone is no name.
        if word.strip("/\\.-") and len(word) <= _MOST_CHARACTERS:
            yield Token(word, ticked, before, after, ends)


def _bare(word: str) -> str:
    return word.strip("$@#*_./\\-:").removesuffix("()")


def _definition(symbol: Symbol) -> Mention:
    return Mention("symbol", symbol.path, symbol.span.start_line, symbol.span.end_line, symbol.qualified)
