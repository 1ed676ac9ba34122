"""Text loses its secrets here before it is stored, or sent to a model that is not codemoat's own.

The rules are the index's (``indexer.secrets``). They read the path, so each kind of text gets one: a file its own, an
unsaved buffer without a name its language, typed text the language or file name of its fences, and settings outside
of fences, where ``KEY=value`` needs no quotes. Two things are added, because this text is not a finished file: a value
whose closing quote was not typed yet, and a value that another text of the same conversation showed to be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

SHORTEST = 6
"""Characters of the shortest secret that is masked wherever else it stands; shorter ones are found in ordinary text."""
PROBE = "q7Zx81LmPd02VtYw93RbK4sN6uHj"
"""Looks like a secret by every rule: where it is masked, a secret would stand."""
_CACHED = 64
_MOST_CACHED = 100_000
"""Characters of the longest text whose masked form is kept."""
_SETTINGS = "typed.env"
"""The path of text in which a value needs no quotes."""
_ALIASES = {"plaintext": "txt", "shellscript": "sh", "shell": "sh", "console": "sh", "dotenv": "env", "yml": "yaml"}
"""Names of languages in editors and fences that are neither extensions nor names of ``indexer.languages``."""

_FENCE = re.compile(
    r"^[ \t]*(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>[^`\n]*)\n(?P<body>.*?)(?:^[ \t]*(?P=fence)[`~]*[ \t]*$|\Z)",
    re.M | re.S,
)
_PLACE = re.compile(r"(?:\d+:\d+:)?(?P<path>[^:]*[./][^:]*)(?::\d+(?:-\d+)?)?")
"""A file name in a fence's info string, with lines after or before it."""
_VALUE_END = re.compile(rb"((?<![=:])[=:][ \t]?[^\s\"'`,;<>(){}\[\]$]{6,200})[ \t)\]}\"'`]")
"""In a sentence a value ends at a blank, a bracket or a quote, in a settings file at the end of its line."""
_UNCLOSED = re.compile(rb"[\"'`][^\"'`\n]{6,}$", re.M)
_TELLING = re.compile(rb"pass|pwd|secret|token|cred|key|auth", re.I)
"""What may be a value whose closing quote is missing, and names that may tell of one; ``mask_secrets`` decides."""
_QUOTES = b"\"'`"
_BLANK = re.compile(rb"\s")
_STOP = re.compile(rb"[,;)\]}\"'`]")
_MOST_ENDS = 8
_APOSTROPHE = re.compile(rb"(?<=[A-Za-z])'(?=[a-z]{1,2}\b)")
_STARS = re.compile(rb"\*+")


@dataclass(frozen=True, slots=True)
class Masked:
    """Text with every secret overwritten by ``*``, and the values that were. Lines and the bytes of UTF-8 stay."""

    text: str
    secrets: frozenset[str] = frozenset()


def mask_file(text: str, path: str, language: str = "") -> Masked:
    """The text of a file or a part of it. ``language`` (a name of an editor's) counts where the path says nothing."""
    mask = _mask_file if len(text) <= _MOST_CACHED else _mask_file.__wrapped__
    return mask(text, path_of(path, language))


@lru_cache(maxsize=_CACHED)
def _mask_file(text: str, path: str) -> Masked:
    data = encoded(text)
    return decoded(data, masked_bytes(data, path))


@lru_cache(maxsize=_CACHED)
def mask_typed(text: str) -> Masked:
    """What a person typed or a model said: prose, settings, and code in fences."""
    parts: list[Masked] = []
    end = 0
    for fence in _FENCE.finditer(text):
        parts += [_prose(text[end : fence.start("body")]), mask_file(fence["body"], _path_of_fence(fence["info"]))]
        end = fence.end("body")
    parts.append(_prose(text[end:]))
    secrets = frozenset().union(*(part.secrets for part in parts))
    return Masked(without("".join(part.text for part in parts), secrets), secrets)


def mask_all(texts: Sequence[str]) -> list[str]:
    """Typed texts that belong together: a secret that shows as one in any of them is masked in all."""
    masked = [mask_typed(text) for text in texts]
    secrets = frozenset().union(*(each.secrets for each in masked))
    return [without(each.text, secrets) for each in masked]


def without(text: str, secrets: Iterable[str]) -> str:
    """``text`` with these values overwritten wherever they stand."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= SHORTEST and secret in text:
            text = text.replace(secret, "*" * len(secret))
    return text


def path_of(path: str, language: str = "") -> str:
    """The path whose masking rules hold for a text: its own, or one with the extension of its language."""
    name = path.rpartition("/")[2]
    if not language or "." in name or name.startswith(("Dockerfile", "Makefile")):
        return path
    return f"{path or 'typed'}.{_extension(language) or 'txt'}"


def masked_bytes(data: bytes, path: str) -> bytes:
    """UTF-8 text with its secrets overwritten, unfinished ones too; of the same length."""
    from indexer.secrets import mask_secrets

    masked = mask_secrets(data, path)[0]
    out: bytearray | None = None
    for candidate in _UNCLOSED.finditer(data):
        start, end = data.rfind(b"\n", 0, candidate.start()) + 1, candidate.end()
        if not _TELLING.search(data, start, candidate.start()):
            continue
        line = data[start:end]
        if (unfinished := _unclosed(line, path)) != line:
            out = out or bytearray(masked)
            out[start:end] = merged(masked[start:end], unfinished)
    return masked if out is None else bytes(out)


def merged(one: bytes, other: bytes) -> bytes:
    """The same text masked in two ways, masked where either is."""
    if one == other:
        return one
    return bytes(42 if 42 in pair else pair[0] for pair in zip(one, other, strict=True))


def encoded(text: str) -> bytes:
    """UTF-8, with a question mark for each lone surrogate, which no file can hold."""
    return text.encode("utf-8", "replace")


def decoded(data: bytes, masked: bytes) -> Masked:
    """Masked bytes as text, with the values that were overwritten in ``data``."""
    if masked == data:
        return Masked(data.decode())
    # What ends an unfinished value may have been taken for a part of it; elsewhere the value stands without.
    found = (data[run.start() : run.end()].strip(b"*").rstrip(b",;)]}>") for run in _STARS.finditer(masked))
    return Masked(masked.decode("utf-8", "replace"), frozenset(v.decode("utf-8", "replace") for v in found if v))


def _prose(text: str) -> Masked:
    data = encoded(text)
    masked = masked_bytes(data, _SETTINGS)
    lines = _VALUE_END.sub(rb"\1\n", data)
    if lines != data:
        # Only the secrets of this variant count, not its line ends.
        variant = masked_bytes(lines, _SETTINGS)
        if variant != lines:
            masked = bytes(42 if new != old else kept for new, old, kept in zip(variant, lines, masked, strict=True))
    return decoded(data, masked)


def _unclosed(line: bytes, path: str) -> bytes:
    """A line with an unfinished secret overwritten: one that a closing quote would make a secret."""
    from indexer.secrets import mask_secrets

    for opening in _lone_quotes(line):
        quote = line[opening : opening + 1]
        # Most values have no blanks, so the first one ends it; a bracket or a comma may be a part of it.
        blanks = [found.start() for found in _BLANK.finditer(line, opening + 1)][:_MOST_ENDS]
        others = [found.start() for found in _STOP.finditer(line, opening + 1)][-_MOST_ENDS:]
        for stop in (*blanks, len(line), *reversed(others)):
            if stop - opening <= SHORTEST:
                continue
            closed = line[:stop] + quote
            masked = mask_secrets(closed, path)[0]
            if masked[opening + 1 : -1] != closed[opening + 1 : -1]:
                return masked[:-1] + line[stop:]
    return line


def _lone_quotes(line: bytes) -> Iterator[int]:
    """Where quotes stand that have no second one on the line; pairs and apostrophes in words are passed over."""
    line = _APOSTROPHE.sub(b"_", line)
    at = 0
    while at < len(line):
        if line[at] == ord("\\"):
            at += 1
        elif line[at] in _QUOTES:
            closing = line.find(line[at : at + 1], at + 1)
            if closing < 0:
                yield at
            else:
                at = closing
        at += 1


def _path_of_fence(info: str) -> str:
    """The path for the code in a fence: the file that its info string names, else one of its language."""
    words = [word for word in re.split(r"[\s,={}\"']+", info) if word]
    for word in words:
        if found := _PLACE.fullmatch(word):
            return found["path"]
    extension = _extension(words[0]) if words else ""
    return f"typed.{extension}" if extension else _SETTINGS


def _extension(language: str) -> str:
    """The extension of a language by its name in an editor or a fence, without the dot; empty where it is not known."""
    from indexer.languages import detect, extension_of

    name = language.lower()
    if name in _ALIASES:
        return _ALIASES[name]
    if extension := extension_of(name):
        return extension.removeprefix(".")
    return name if detect(f"x.{name}").name != "text" else ""
