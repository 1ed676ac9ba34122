"""Telling names: which words say that the value after them is a secret, read from ``data/names.toml``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from pathlib import Path
from typing import Any

from indexer.secrets.looking import linear

DATA = Path(__file__).parent / "data"

REST = rb"[\w.-]{0,40}"
"""What of a name may follow the telling word."""
_BEFORE = 40
"""Bytes of a name before the telling word that are looked at."""

_SHORTEST = 12
"""Bytes that hold a further name and the beginning of its value at least."""

_NAME_BEFORE = re.compile(rb"[\w-]*\Z")
_PART = re.compile(rb"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[\x80-\xff]+")
_NEUTRAL = frozenset(
    b"value val base b64 base64 encoded prod production dev staging stage old new current raw hex live plain plaintext"
    b" bytes str const default env local main global temp tmp legacy backup".split()
)
"""Last words of a name that change nothing."""


class Strength(IntEnum):
    """How much a name says. A plain ``key`` says little, a password may be any word."""

    KEY = 1
    TOKEN = 2
    SECRET = 3
    PASSWORD = 4


_GROUPS = tuple((level, level.name) for level in reversed(Strength))
_SECRET_ID = re.compile(rb"(?i)(?:private[-_. ]?key|secret)[-_. ]?id$")
"""Identifiers that are kept secret themselves: of keys of Google's service accounts, and of roles in Vault."""


@dataclass(frozen=True)
class Words:
    """The word lists as compiled expressions."""

    name: re.Pattern[bytes]
    """One telling word, in the group of its strength, with the rest of its name as ``rest``."""
    anchors: Mapping[Strength, bytes]
    """The same for RE2, without looking around: what it finds may turn out to be part of another word."""
    about: re.Pattern[bytes]
    apart: re.Pattern[bytes]
    dummy: re.Pattern[bytes]
    sentence: frozenset[bytes]
    calls: bytes
    code: frozenset[str]


@cache
def words() -> Words:
    """The lists, read once."""
    lists: dict[str, list[str]] = tomllib.loads((DATA / "names.toml").read_text(encoding="utf-8"))
    inside = {group: _either(lists[group]).replace(b"-", rb"[-_. ]?") for group in ("password", "secret", "token")}
    whole = {group: _either(lists[f"{group}_words"]) for group in ("password", "token", "key")}
    forms = [rb"(?P<PASSWORD>%s|%s)" % (inside["password"], _whole(whole["password"]))]
    forms += [rb"(?P<SECRET>%s)" % inside["secret"]]
    forms += [rb"(?P<TOKEN>%s|%s)" % (inside["token"], _whole(whole["token"]))]
    forms += [rb"(?P<KEY>%s)" % _whole(whole["key"])]
    plain = {group: re.sub(rb"\(\?![^()]*\)", b"", expression) for group, expression in inside.items()}
    anchors = {
        Strength.PASSWORD: rb"(?i:%s)|%s" % (plain["password"], _whole_word(lists["password_words"])),
        Strength.SECRET: rb"(?i:%s)" % plain["secret"],
        Strength.TOKEN: rb"(?i:%s)|%s" % (plain["token"], _whole_word(lists["token_words"])),
        Strength.KEY: _whole_word(lists["key_words"]),
    }
    return Words(
        name=re.compile(rb"(?i)(?:%s)(?P<rest>%s)" % (b"|".join(forms), REST)),
        anchors=anchors,
        about=re.compile(rb"(?i)(?:%s)s?" % _either(lists["about"])),
        apart=re.compile(rb"(?i)(?:%s)" % _either(lists["apart"])),
        dummy=re.compile(rb"(?i)%s" % _either(lists["dummy"])),
        sentence=frozenset(word.encode() for word in lists["sentence"]),
        calls=_either(lists["calls"]),
        code=frozenset(lists["code"]),
    )


def _either(expressions: list[str]) -> bytes:
    return "|".join(expressions).encode()


def _whole(expression: bytes) -> bytes:
    """A word that is a part of its own in ``snake_case``, ``kebab-case`` or ``camelCase``."""
    title = rb"(?-i:(?<=[a-z0-9])(?=[A-Z][a-z]))"
    end = rb"(?:(?![A-Za-z])|(?-i:(?<=[a-z])(?=[A-Z])))"
    return rb"(?:(?<![A-Za-z\x80-\xff])|%s)(?:%s)%s" % (title, expression, end)


def _whole_word(given: list[str]) -> bytes:
    """The same for RE2; a letter before the word may belong to the match."""
    lower, title = _either(given), _either([word.title() for word in given])
    return (
        rb"(?:\b|[_0-9])(?:(?i:%s)(?:\b|[_0-9])|(?:%s)[A-Z])" % (lower, lower)
        + rb"|[a-z0-9](?:%s)(?:\b|[_0-9A-Z])" % title
    )


@cache
def _anchors() -> Any:
    return linear(b"|".join(words().anchors.values()))


def names_in(text: bytes, start: int, end: int) -> Iterator[tuple[re.Match[bytes], Strength]]:
    """The telling names of a range, which begins with one or with what looks like one, and what they say."""
    name, search = words().name, _anchors().search
    position = start
    while True:
        # An anchor may begin with the last letter of the word before, and end with the first one of the next.
        match = name.match(text, position) or name.match(text, position + 1)
        level = _strength(match, text) if match else None
        if match and level is not None:
            yield match, level
        after = match.start("rest") if match else position + 1
        if end - after < _SHORTEST:
            return
        anchor = search(text, after, end)
        if not anchor:
            return
        position = anchor.start()


def _strength(match: re.Match[bytes], text: bytes) -> Strength | None:
    """What a match of ``Words.name`` in ``text`` says, or None where the name is about something else."""
    found = next(level for level, name in _GROUPS if match.start(name) >= 0)
    if found is Strength.SECRET and _SECRET_ID.match(match.group()):
        return Strength.TOKEN
    start = match.start()
    if text[start - 2 : start] == b"::":
        return None  # the name of a type
    if text[max(0, start - 7) : start].lower() == b"public ":
        return None
    identifier = _NAME_BEFORE.search(text[max(0, start - _BEFORE) : start])
    before = _PART.findall(identifier.group())[-3:] if identifier else []
    apart = words().apart
    if any(apart.fullmatch(part) for part in before):
        return None
    return None if match["rest"] and _about_something_else(match["rest"]) else found


def _about_something_else(rest: bytes) -> bool:
    """Whether the end of a name says that it is about the secret: ``TOKEN_URL``, ``passwordField``."""
    for part in reversed(_PART.findall(rest)):
        if part.isdigit() or part.lower() in _NEUTRAL:
            continue
        return words().about.fullmatch(part) is not None
    return False
