"""Secrets of several lines: private keys in armour, arrays of bytes, the data of Kubernetes secrets."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from indexer.secrets.judging import is_harmless
from indexer.secrets.looking import Span
from indexer.secrets.names import Strength, names_in
from indexer.secrets.randomness import is_random, is_sequence

_KEY_BLOCK = re.compile(
    rb"-----BEGIN (?P<kind>[A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?|OpenVPN Static key V1)-----(?P<body>"
    rb"(?:(?!-----BEGIN)[\s\S]){1,20000}?(?=-----END (?P=kind)-----)"
    rb"|(?:[^\n]{0,8}[A-Za-z0-9+/=]{32,200}[^\n]{0,8}(?:\n|$)|[ \t\r]*\n)+)"
)
_SSH2_BLOCK = re.compile(rb"---- BEGIN SSH2 (?:ENCRYPTED )?PRIVATE KEY ----(?P<body>[^-]{1,20000})")
_PUTTY_BLOCK = re.compile(rb"Private-Lines: \d{1,3}\r?\n(?P<body>(?:[A-Za-z0-9+/=]{1,80}\r?(?:\n|$)){1,100})")
_KEY_DATA = re.compile(rb"[0-9a-f]{32}|(?=\S{0,60}[0-9])(?=\S{0,60}[A-Z])(?=\S{0,60}[a-z])[A-Za-z0-9+/=]{24}")

_ELEMENT = rb"(?:0[xX][0-9A-Fa-f]{1,2}|'\\?[^\r\n]'|\d{1,3}|\"[^\"\r\n]\")(?:[uU]8|[uU])?"
_ARRAY = re.compile(
    rb"[\])]{0,2}[^={\n\"']{0,40}?[:=][ \t]*[\w.&*:\[\]<>]{0,24}[ \t]?[({\[]\s{0,80}(?:\[\s{0,20})?"
    rb"(?P<elements>" + _ELEMENT + rb"(?:\s{0,40},\s{0,80}" + _ELEMENT + rb"){7,511})"
)
_TELLING = re.compile(rb"(?i)key|secret|pass|token|pwd|salt|seed|cred|nonce|psk|auth|mnemonic")
"""A cheap look for names that tables of numbers seldom have."""
_SPACE = 16
_CHARACTER = re.compile(rb"[^\s,]")

_SECRET_KIND = re.compile(
    rb"^[ \t]*[\"']?kind[\"']?:[ \t]*[\"']?Secret[\"']?[ \t\r,]*$|\"kind\"\s{0,9}:\s{0,9}\"Secret\"", re.M
)
_JSON_DATA = re.compile(rb"\"(?:data|stringData)\"\s{0,9}:\s{0,9}\{(?P<body>[^{}]{0,65536})\}")
_JSON_ENTRY = re.compile(rb"\"[\w./-]{1,253}\"\s{0,9}:\s{0,9}\"(?P<value>[^\"]{4,65536})\"")
_DOCUMENT = re.compile(rb"^---", re.M)
_DATA_START = re.compile(rb"^(?P<indent>[ \t]*)(?:data|stringData):[ \t\r]*$", re.M)
_ENTRY = re.compile(
    rb"^[ \t]+[\"']?[\w./-]{1,253}[\"']?:[ \t]*[\"']?(?P<value>[^\s\"'|>&*!][^\s\"']{3,65536})[\"']?[ \t\r]*$", re.M
)
_BLOCK_LINE = re.compile(rb"^[ \t]+(?P<value>[^\s:#]{8,65536})[ \t\r]*$", re.M)


KEY_MARK = rb"PRIVATE KEY|OpenVPN Static|Private-Lines: "
ARRAY_MARK = rb"[({\[]\s*(?:0[xX][0-9A-Fa-f]{1,2}|'[^\n]')[uU]?8?\s*,|(?:[({\[]|&\[)\s*(?:\d{1,3},\s*){8}"
SECRET_MARK = rb"\bkind[\"']?:[ \t]*[\"']?Secret\b"
"""What a file has where one of the functions below may find something, for a first look."""


def key_blocks(text: bytes) -> Iterator[Span]:
    """Bodies of private keys, cut off ones too; not the mere markers, as programs that read keys have."""
    for pattern in (_KEY_BLOCK, _SSH2_BLOCK):
        for match in pattern.finditer(text):
            if _KEY_DATA.search(match["body"]):
                yield match.span("body")
    for match in _PUTTY_BLOCK.finditer(text):
        yield match.span("body")


def array_spans(text: bytes, opening: int) -> Iterator[Span]:
    """The elements of an array of bytes or characters that opens at ``opening``, if a telling name is before it."""
    line = max(text.rfind(b"\n", max(0, opening - 100), opening) + 1, opening - 100, 0)
    telling = _TELLING.search(text, line, opening)
    for name, level in names_in(text, telling.start(), opening + _SPACE) if telling else ():
        match = _ARRAY.match(text, name.end()) if level > Strength.KEY or not name["rest"] else None
        if match and _is_key_data(match["elements"]):
            start = match.start("elements")
            yield from ((start + c.start(), start + c.end()) for c in _CHARACTER.finditer(match["elements"]))
            return


def _is_key_data(elements: bytes) -> bool:
    """Whether an array holds drawn bytes: many different ones, neither counted up nor zero."""
    parts = [part.strip() for part in elements.split(b",")]
    numbers = []
    for part in parts:
        if part[:1] in b"'\"":
            numbers.append(part.strip(b"'\"")[-1] if part.strip(b"'\"") else 0)
        else:
            digits = part.rstrip(b"uU8") if part[:2].lower() != b"0x" else part.rstrip(b"uU")
            numbers.append(int(digits or b"0", 16 if digits[:2].lower() == b"0x" else 10) % 256)
    return len(set(numbers)) >= 6 and not is_sequence(bytes(numbers))


def manifest_spans(text: bytes) -> Iterator[Span]:
    """Values of the data of Kubernetes secrets, whatever their names."""
    borders = [0, *(match.start() for match in _DOCUMENT.finditer(text)), len(text)]
    for start, end in itertools.pairwise(borders):
        if not _SECRET_KIND.search(text, start, end):
            continue
        for data in _DATA_START.finditer(text, start, end):
            indent = data["indent"]
            over = re.compile(rb"^" + indent + rb"[^\s#-]", re.M).search(text, data.end(), end)
            last = over.start() if over else end
            for pattern in (_ENTRY, _BLOCK_LINE):
                for entry in pattern.finditer(text, data.end(), last):
                    if _is_data(entry["value"]):
                        yield entry.span("value")
        for data in _JSON_DATA.finditer(text, start, end):
            for entry in _JSON_ENTRY.finditer(text, data.start("body"), data.end("body")):
                if _is_data(entry["value"]):
                    yield entry.span("value")


def _is_data(value: bytes) -> bool:
    """Whether a value in a secret's data is one: whatever looks drawn, has a digit, or is base64."""
    return not is_harmless(value) and (is_random(value) or re.search(rb"[0-9=]", value) is not None)
