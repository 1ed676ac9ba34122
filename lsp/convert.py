"""URIs ↔ paths, and positions of the protocol ↔ places in lines: the one module that knows what is counted how.

Inside the server a place is a line number (from 0) and a column in characters (code points). A client counts columns in
UTF-8 bytes, UTF-16 code units or characters, whichever was negotiated. Positions outside a document are moved to the
nearest place in it: to the line's end before its line break, or to the document's end.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

from lsprotocol import types

from indexer.languages import TEXT, by_name, detect
from indexer.types import Span

_SURROGATE = re.compile("[\ud800-\udfff]")
_ENCODINGS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}
"""By the protocol's name: Python's codec and the bytes of a unit."""

_LONGEST_PATH = {"linux": 4_096, "darwin": 1_024}.get(sys.platform, 32_768)
_LONGEST_NAME = 255
"""Bytes of a path and of one of its components (``PATH_MAX``, ``NAME_MAX``)."""

_LANGUAGES = {
    "shellscript": "bash", "sh": "bash", "zsh": "bash", "typescriptreact": "tsx", "javascriptreact": "javascript",
    "objective-c": "objc", "objective-cpp": "objc", "makefile": "make", "jsonc": "json", "viml": "vim", "tex": "latex",
    "restructuredtext": "rst", "cuda-cpp": "cuda", "emacs-lisp": "elisp", "lisp": "commonlisp", "c_sharp": "csharp",
    "cs": "csharp", "dockercompose": "yaml", "perl6": "perl", "terraform-vars": "terraform", "golang": "go",
    "systemverilog": "verilog", "bazel": "starlark", "proto3": "proto", "vue-html": "vue", "git-commit": "text",
}  # fmt: skip
"""What editors call a language, where that is not our name."""

_KINDS = {
    "class": types.SymbolKind.Class, "interface": types.SymbolKind.Interface, "enum": types.SymbolKind.Enum,
    "function": types.SymbolKind.Function, "method": types.SymbolKind.Method, "property": types.SymbolKind.Property,
    "constructor": types.SymbolKind.Constructor, "field": types.SymbolKind.Field, "module": types.SymbolKind.Module,
    "variable": types.SymbolKind.Variable, "constant": types.SymbolKind.Constant, "type": types.SymbolKind.Class,
    "macro": types.SymbolKind.Function, "section": types.SymbolKind.String,
}  # fmt: skip


class Position(NamedTuple):
    """A position as the client counts; ``lsprotocol`` has the same with checks, which take their time."""

    line: int
    character: int


class Place(NamedTuple):
    """A place in lines. ``split``: the client's position lies inside the character, between two surrogates."""

    line: int
    column: int
    split: bool = False


@dataclass(frozen=True, slots=True)
class Units:
    """What the client counts columns in: ``utf-8``, ``utf-16`` or ``utf-32``."""

    name: str = "utf-16"

    def place(self, lines: Sequence[str], position: types.Position | Position) -> Place:
        """The nearest place in ``lines``, of which there is at least one and the last has no line break."""
        line = max(0, position.line)
        if line >= len(lines):
            return Place(len(lines) - 1, len(lines[-1]))
        return Place(line, *self.column(without_break(lines[line]), max(0, position.character)))

    def position(self, lines: Sequence[str], line: int, column: int) -> types.Position:
        """A place as the client counts."""
        return types.Position(line, self.width(lines[line][:column]))

    def width(self, text: str) -> int:
        """Units of ``text``."""
        if text.isascii():
            return len(text)
        codec, size = _ENCODINGS[self.name]
        return len(text.encode(codec, "surrogatepass")) // size

    def column(self, text: str, character: int) -> tuple[int, bool]:
        """The column of a place in a line, or in a part of one, and whether it splits the character there."""
        if text.isascii() or self.name == "utf-32":
            return min(character, len(text)), False
        codec, size = _ENCODINGS[self.name]
        data = text.encode(codec, "surrogatepass")[: character * size]
        if self.name == "utf-8":
            while not _ends_whole(data):
                data = data[:-1]
            return len(data.decode(codec, "surrogatepass")), False
        head = data.decode(codec, "surrogatepass")
        if head and head[-1] != text[len(head) - 1]:
            return len(head) - 1, True
        return len(head), False


def without_break(line: str) -> str:
    """A line without its line break."""
    return line[:-2] if line.endswith("\r\n") else line[:-1] if line.endswith(("\n", "\r")) else line


def split_lines(text: str) -> list[str]:
    r"""Lines with their breaks: ``\n``, ``\r\n`` and ``\r`` alone are, and nothing else; the last one has none."""
    if "\r" not in text:
        parts = text.split("\n")
        return [f"{part}\n" for part in parts[:-1]] + parts[-1:]
    return re.split(r"(?<=\n)|(?<=\r)(?!\n)", text)


def join_surrogates(text: str) -> str:
    """``text`` with two halves of a character that came to stand side by side as that character."""
    if text.isascii():
        return text
    try:
        # Much faster than looking for surrogates.
        text.encode()
    except UnicodeEncodeError:
        pass
    else:
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def halves(character: str) -> str:
    """A character beyond the basic plane as its two surrogates."""
    number = ord(character) - 0x10000
    return chr(0xD800 + (number >> 10)) + chr(0xDC00 + (number & 0x3FF))


def whole_characters(text: str) -> str:
    """``text`` with a replacement character for each lone surrogate, which nothing but a client's buffer can hold."""
    return _SURROGATE.sub("\ufffd", text)


def path_of(uri: str) -> Path | None:
    """The absolute path of a ``file:`` URI; None for any other, and for what cannot be a path of this system."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    path = unquote(parts.path, errors="surrogateescape")
    if parts.scheme != "file" or parts.netloc not in ("", "localhost") or not path.startswith("/"):
        return None
    return Path(path) if _can_be_path(path) else None


def _can_be_path(path: str) -> bool:
    """Whether the system could have such a path: one that it can encode, without a NUL, and not too long."""
    try:
        data = os.fsencode(path)
    except UnicodeEncodeError:
        return False
    # The length counts a NUL at the end.
    return b"\0" not in data and len(data) < _LONGEST_PATH and max(map(len, data.split(b"/"))) <= _LONGEST_NAME


def uri_of(path: Path) -> str:
    """The ``file:`` URI of an absolute path."""
    return "file://" + quote(str(path).encode("utf-8", "surrogateescape"), safe="/~")


def language_of(path: str, language_id: str, head: str = "") -> str:
    """Our name of a document's language: what the editor says where we know it, else by name and contents."""
    named = by_name(_LANGUAGES.get(language_id.lower(), language_id.lower()))
    if named is not TEXT:
        return named.name
    return detect(path, head[:1000].encode("utf-8", "replace")).name


def range_of(units: Units, text: bytes, lines: Sequence[str], span: Span) -> types.Range:
    """A span of ``text`` (UTF-8, as in ``lines``) as the client counts."""
    return types.Range(
        _position_of(units, text, lines, span.start_byte, span.start_line - 1),
        _position_of(units, text, lines, span.end_byte, span.end_line - 1),
    )


def symbol_kind(kind: str) -> types.SymbolKind:
    """The protocol's kind for one of ``indexer.types.KINDS``."""
    return _KINDS.get(kind, types.SymbolKind.Variable)


def _position_of(units: Units, text: bytes, lines: Sequence[str], byte: int, near: int) -> types.Position:
    # A file's lines end at line feeds; a document's at lone carriage returns too, so count what stands before.
    start = text.rfind(b"\n", 0, byte) + 1
    before = text[start:byte].decode("utf-8", "replace")
    line = min(near, len(lines) - 1)
    return types.Position(line, units.width(before[: len(without_break(lines[line]))]))


def _ends_whole(data: bytes) -> bool:
    """Whether UTF-8 (lone surrogates included) ends with a whole character."""
    try:
        data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True
