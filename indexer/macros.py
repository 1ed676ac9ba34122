"""Macros of C and C++ out of the way of their grammars, which see the text before the preprocessor does.

``class MY_EXPORT Store {`` is no class to a grammar, and what follows a line ``Q_OBJECT`` is lost to it. Shape and
place tell which words are macros: nothing else can stand between ``class`` and a name, or before a type and its name.
They are blanked, so that all offsets stay; one that defines a function becomes the head of a function.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from indexer import macro_shapes as shapes

LANGUAGES = frozenset({"c", "cpp", "cuda"})
_NOT_LINE_END = re.compile(rb"[^\r\n]")
_NOT_PLAIN = re.compile(rb"\*/|/[*/]|\\\r?\n|\n[ \t]*#")
_SAME_LINE = re.compile(rb"[ \t]*[^\s]")
_LAST_WORD = re.compile(rb"([A-Za-z_]\w*)\s*\Z")
Span = tuple[int, int]
_SECTIONS = re.compile(rb"S(?:IGNALS|LOTS)|s(?:ignals|lots)[ \t]*:|P(?:RIVATE|UBLIC|ROTECTED)")
_MAX_HEAD = 2_000
"""Bytes that the parameters of a function are looked for backwards."""


class Head(NamedTuple):
    """A macro that defines a function: where the grammar sees its name, where the name is, what that belongs to."""

    seen: int
    name: Span
    whole: bool
    """Whether the name is a string."""
    parent: Span | None


class Readable(NamedTuple):
    """A text for a grammar, and what it cannot see in it."""

    text: bytes
    macros: list[Span]
    """Spans of the macros that were blanked."""
    words: list[Span]
    """Spans of the words among their arguments."""
    heads: list[Head]
    leads: list[Span]
    """Spans of blanked macros that stand before something in the same line, and are part of it."""


def readable(text: bytes, cpp: bool) -> Readable:
    """``text`` with blanks for macros, as long as it was."""
    return _Reader(text, cpp).read()


class _Reader:
    def __init__(self, text: bytes, cpp: bool) -> None:
        self._text = text
        self._cpp = cpp
        self._seen = bytearray(text)
        self._macros: list[Span] = []
        self._words: list[Span] = []
        self._heads: list[Head] = []
        self._leads: list[Span] = []

    def read(self) -> Readable:
        """The later steps look at the text as the earlier ones left it."""
        text, seen = self._text, self._seen
        for match in shapes.CLASS.finditer(text):
            self._remove(*match.span(match.lastindex or 0))
        for line in shapes.LINE.finditer(text):
            self._line_of(line.start())
        self._rare()
        for match in shapes.PLACED.finditer(seen):
            if match.lastgroup == "leading" or self._placed(match):
                self._remove(*match.span("macro"))
        for match in shapes.TRAILING.finditer(seen):
            if self._ends_parameters(match.start()):
                self._remove(*match.span(1))
        macros, words = self._in_code(self._macros), self._in_code(self._words)
        return Readable(bytes(seen), macros, words, self._heads, sorted(self._leads))

    def _line_of(self, at: int) -> None:
        """A line that begins with a macro: the head of a function, a type in brackets, or nothing but the macro."""
        text = self._text
        if match := shapes.FUNCTION.match(text, at):
            self._function(match)
        elif match := shapes.WRAPPED_TYPE.match(text, at):
            self._macros.append(match.span(1))
            self._lead(match.start(1), match.start(2))
            self._blank(match.start(1), match.start(2))
            self._blank(match.end(2), match.end(2) + 1)
        elif (match := shapes.LONE.match(self._seen, at)) and self._stands_alone(match):
            self._remove(*match.span(1))

    def _placed(self, match: re.Match[bytes]) -> bool:
        """Whether a macro stands after a type, before or after the name."""
        line, upcoming = self._line(match.start()), self._text[match.end("macro") : match.end("macro") + 80].lstrip()
        if b"(" in match["macro"] and upcoming.startswith((b"{", b"__")):
            return False  # the head of a function, maybe with attributes
        if match.lastgroup == "last":
            return shapes.DECLARED.fullmatch(line) is not None
        word = _LAST_WORD.search(line.rstrip(b"*& \t"))
        return word is not None and word[1] not in shapes.NO_TYPES

    def _rare(self) -> None:
        """What few files have, which a word in them tells."""
        text = self._text
        if b"DEFINE_" in text or b"DECLARE_" in text or b"LIST_HEAD" in text:
            for match in shapes.VARIABLE.finditer(text):
                self._variable(match)
        if b"PACKED" in text or b"__packed" in text or b"lign" in text or b"ALIGN" in text:
            for match in shapes.CLOSING.finditer(text):
                self._remove(*match.span(1))
        if b"UMETA" in text or b"_AVAILABLE" in text or b"_DEPRECATED" in text:
            for match in shapes.ENUMERATOR.finditer(text):
                self._remove(*match.span(1))
        if self._cpp and _SECTIONS.search(text):
            self._sections()

    def _line(self, end: int) -> bytes:
        """What stands before ``end`` in its line."""
        start = max(0, end - _MAX_HEAD)
        return bytes(self._seen[max(start, self._seen.rfind(b"\n", start, end) + 1) : end])

    def _blank(self, start: int, end: int) -> None:
        self._seen[start:end] = _NOT_LINE_END.sub(b" ", self._text[start:end])

    def _remove(self, start: int, end: int) -> None:
        """Blank the macros from ``start`` to ``end``, leaving keywords, and all in comments and directives."""
        line = self._line(start)
        if line.lstrip().startswith(b"#") or b"//" in line or _NOT_PLAIN.search(self._text, start, end):
            return
        if self._text.endswith((b"\\\n", b"\\\r\n"), 0, start - len(line)):
            return
        for match in shapes.MACRO.finditer(bytes(self._seen[start:end])):
            self._macros.append((start + match.start(1), start + match.end(1)))
            if match[2]:
                inner = (start + match.start(2), start + match.end(2))
                self._words += (word.span(1) for word in shapes.WORD_OR_STRING.finditer(self._text, *inner) if word[1])
            self._lead(start + match.start(), start + match.end())
            self._blank(start + match.start(), start + match.end())

    def _lead(self, start: int, end: int) -> None:
        if _SAME_LINE.match(self._text, end):
            self._leads.append((start, end))

    def _in_code(self, spans: list[Span]) -> list[Span]:
        """The spans that are in no comment, directive or string."""
        text, found = self._text, []
        opened = text.find(b"/*")
        closed = text.find(b"*/", opened + 2) if opened >= 0 else -1
        for start, end in sorted(set(spans)):
            while 0 <= closed < start:
                opened = text.find(b"/*", closed + 2)
                closed = text.find(b"*/", opened + 2) if opened >= 0 else -1
            if 0 <= opened < start:
                continue
            floor = max(0, start - _MAX_HEAD)
            before = text[max(floor, text.rfind(b"\n", floor, start) + 1) : start]
            if b"//" not in before and before.count(b'"') % 2 == 0 and not before.lstrip().startswith(b"#"):
                found.append((start, end))
        return found

    def _function(self, match: re.Match[bytes]) -> None:
        macro, head, end = match["macro"], match.start("macro"), match.end("arguments")
        if shapes.GROUP.fullmatch(macro):
            self._group(match)
        elif not shapes.NO_FUNCTION.search(macro) and (not match["indent"] or shapes.TEST.search(macro)):
            arguments = _split(self._text, match.start("arguments") + 1, end - 1)
            name, parent = self._named(macro, arguments)
            if name is None or end - head < len("int f()"):
                return
            self._macros += (span for span in (match.span("macro"), parent) if span)
            self._heads.append(Head(head + 4, name, self._text.startswith(b'"', name[0]), parent))
            self._rewrite(match, arguments if shapes.PAIRS.search(macro) else [])

    def _named(self, macro: bytes, arguments: list[Span]) -> tuple[Span | None, Span | None]:
        """The argument that names the function, and the one that names what it belongs to."""
        names = [span for span in arguments if shapes.NAME.fullmatch(self._text, *span)]
        names = [span for span in names if self._text[slice(*span)] not in shapes.TYPES]
        for span in arguments:
            if self._text.startswith(b'"', span[0]):
                return span, names[0] if names and names[0] < span else None
        if len(names) == len(arguments) == 2 and shapes.OF_TWO.search(macro) and not shapes.NAME_FIRST.search(macro):
            return names[1], names[0]
        return names[0] if names else None, None

    def _rewrite(self, match: re.Match[bytes], pairs: list[Span]) -> None:
        """``SYSCALL_DEFINE2(open, int, flags)`` → ``int f         (     int  flags)``; others have no parameters."""
        head, end = match.start("macro"), match.end("arguments")
        self._blank(head, end)
        self._blank(*match.span("decorators"))
        self._seen[head : head + 5] = b"int f"
        if len(pairs) > 1:
            self._seen[pairs[0][1]] = ord("(")
            for number, (start, stop) in enumerate(pairs[1:], 1):
                self._seen[start:stop] = self._text[start:stop]
                if number % 2 == 0 and number + 1 < len(pairs):
                    self._seen[stop] = ord(",")
            self._seen[end - 1] = ord(")")
        elif match["parameters"] is None:
            self._seen[end - 2 : end] = b"()"

    def _group(self, match: re.Match[bytes]) -> None:
        """``TEST_GROUP(Name)`` → ``struct     Name``."""
        (start, end), head = match.span("arguments"), match.start("macro")
        self._macros.append(match.span("macro"))
        self._blank(head, end)
        self._seen[start + 1 : end - 1] = self._text[start + 1 : end - 1]
        self._seen[head : head + 6] = b"struct"

    def _variable(self, match: re.Match[bytes]) -> None:
        """``DEFINE_MUTEX(lock)`` → ``int          lock``; ``DEFINE_PER_CPU(type, name)`` has its own type."""
        self._macros.append((match.start(), match.start() + match[0].index(b"(")))
        self._blank(*match.span())
        for start, end in (match.span(group) for group in ("type", "typed", "name")):
            if start >= 0:
                self._seen[start:end] = self._text[start:end]
        if match["type"] is None:
            self._seen[match.start() : match.start() + 3] = b"int"

    def _sections(self) -> None:
        """Qt's ``signals:``, ``public slots:`` and ``emit``, and sections that a macro names."""
        for match in shapes.SECTION.finditer(self._text):
            kind = match.lastgroup or ""
            self._blank(match.start(kind), match.end())
            if kind == "signals":
                self._seen[match.start(kind) : match.start(kind) + 6] = b"public"
            if not match[kind].islower():
                self._macros.append(match.span(kind))
        if b"emit " in self._text or b"Q_EMIT" in self._text:
            for match in shapes.EMIT.finditer(self._text):
                self._blank(*match.span())

    def _stands_alone(self, match: re.Match[bytes]) -> bool:
        """Whether a line of a macro only is no part of what stands around it."""
        text, after = self._text, shapes.NEXT.match(self._text, match.end())
        assert after is not None
        if not shapes.AFTER_LONE.match(text, after.end()):
            return False
        before = self._before(match.start(1))
        if before and before not in b";}{):":
            return False
        if match[2] or shapes.MARK.search(match[1]):
            return True
        clear = before in b";}"
        return clear and (text[after.end() : after.end() + 1] in b"}#[" or bool(shapes.CALLED.match(text, after.end())))

    def _before(self, at: int) -> bytes:
        """The last character of code before ``at`` (within a bounded distance), empty where there is none."""
        window = bytes(self._seen[max(0, at - _MAX_HEAD) : at]).rstrip()
        while window:
            line = window[window.rfind(b"\n") + 1 :]
            if window.endswith(b"*/") and b"/*" in window:
                window = window[: window.rfind(b"/*")].rstrip()
            elif line.lstrip().startswith(b"#") and not line.endswith(b"\\"):
                window = window[: len(window) - len(line)].rstrip()
            elif b"//" in line:
                window = window[: len(window) - len(line) + line.index(b"//")].rstrip()
            else:
                break
        return window[-1:]

    def _ends_parameters(self, at: int) -> bool:
        """Whether the bracket at ``at`` closes the parameters of a function, rather than a condition or a cast."""
        seen, depth, place = self._seen, 1, at
        floor = max(0, at - _MAX_HEAD)
        while depth:
            opened, closed = seen.rfind(b"(", floor, place), seen.rfind(b")", floor, place)
            if opened < 0:
                return False
            place = max(opened, closed)
            depth += 1 if closed > opened else -1
        before = bytes(seen[max(0, place - 60) : place])
        word = _LAST_WORD.search(before)
        if word is None:
            return b"operator" in before
        return not (word[1] in shapes.CONTROL or word[1].isupper() or shapes.EACH.search(word[1]))


def _split(text: bytes, start: int, end: int) -> list[Span]:
    """Spans of arguments between ``start`` and ``end``, without white space around them."""
    found, depth, at = [], 0, start
    for match in shapes.SPLIT.finditer(text, start, end):
        token = match[0]
        if token in b"([{<":
            depth += 1
        elif token in b")]}>":
            depth -= 1
        elif token == b"," and not depth:
            found.append((at, match.start()))
            at = match.end()
    found.append((at, end))
    return [span for span in (_trimmed(text, *span) for span in found) if span[0] < span[1]]


def _trimmed(text: bytes, start: int, end: int) -> Span:
    inner = text[start:end]
    return start + len(inner) - len(inner.lstrip()), start + len(inner.rstrip())
