"""Secrets by their place: in URLs, headers, options of commands, calls that log in, lines of password files."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from enum import Enum
from functools import cache
from typing import Any

from indexer.secrets.blocks import ARRAY_MARK, KEY_MARK, SECRET_MARK, array_spans, key_blocks, manifest_spans
from indexer.secrets.judging import Link, is_harmless, is_secret
from indexer.secrets.looking import Span, done_until, line_around, linear
from indexer.secrets.names import Strength, words
from indexer.secrets.randomness import bits, is_hexadecimal, is_mixed, is_random

Check = Callable[[bytes], bool]

_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{8,}={0,2}")
_ARGUMENT = re.compile(rb"(?<=[\"'`])(?P<v>[^\s\"'`]{12,200})(?=[\"'`])")
_KEY_START = b"LS0tLS1CRUdJTi"
"""``-----BEGIN`` in base64."""


def decoded(value: bytes) -> bytes:
    """Base64 decoded, or nothing if it is none."""
    if not _BASE64.fullmatch(value):
        return b""
    try:
        return base64.b64decode(
            value + b"=" * (-len(value) % 4), altchars=b"-_" if b"-" in value or b"_" in value else None
        )
    except (binascii.Error, ValueError):
        return b""


def is_basic(value: bytes) -> bool:
    """Whether a value is user and password as HTTP's basic authentication sends them."""
    user, colon, password = decoded(value).partition(b":")
    return bool(colon and password) and (user + password).isascii() and all(32 <= c < 127 for c in user + password)


def is_drawn(value: bytes) -> bool:
    """Whether a value is random enough without a name."""
    return len(value) >= 16 and not is_harmless(value) and is_random(value)


def is_argument(value: bytes) -> bool:
    """Whether an argument without a name is a secret: long, random, of three kinds of characters and no separators."""
    kinds = (rb"[a-z]", rb"[A-Z]", rb"[0-9]")
    if not all(re.search(kind, value) for kind in kinds) or is_harmless(value):
        return False
    return is_random(value) and (value.isalnum() or is_mixed(value)) and bits(value) > (6.5 if len(value) >= 16 else 7)


def is_url_password(value: bytes) -> bool:
    """Whether what is in the place of a URL's password is one."""
    if is_harmless(value) or re.match(rb"\d{1,5}/", value) or re.fullmatch(rb"[$%]\w+%?", value):
        return False
    rest = words().dummy.sub(b"", value)
    return len(rest) >= 3 and not (rest.isalpha() and rest.isupper())


def is_user_key(value: bytes) -> bool:
    """Whether a URL's user without a password is a key."""
    return is_hexadecimal(value) or (len(value) >= 20 and is_random(value))


def is_password(value: bytes) -> bool:
    """Whether the password option of a command has a secret."""
    return is_secret(value, Strength.PASSWORD, Link.ASSIGNED, strict=False)


def is_private_key(value: bytes) -> bool:
    """Whether base64 is that of a private key."""
    return b"PRIVATE KEY" in decoded(value[:80])


_TOOLS = (
    rb"(?:sshpass|docker|helm|podman|az|oc|redis-cli|ldap\w+|unzip|7z|rar|zip|smbclient|mongo\w*|sqlcmd|bcp|twine|skopeo"
    rb"|ipmitool)"
)
"""Commands with an option of one letter for the password."""

# Each: what RE2 looks for first; the expression on the line, whose group ``v`` is the secret; a check.
_PLACES: tuple[tuple[bytes, bytes, Check], ...] = (
    (
        rb"://[^\s/@\"'<>]*:[^\s@\"'<>]{3,}@",
        rb"://[^\s:/?#@\"'<>]{0,100}:(?P<v>[^\s@\"'<>`]{3,256})@(?=[\w$\[{])",
        is_url_password,
    ),
    (rb"://[^\s/:@\"'<>]{16,}@", rb"://(?P<v>[\w-]{16,256})@", is_user_key),
    (
        rb"hooks\.slack\.com/\w",
        rb"hooks\.slack\.com/(?:services|workflows|triggers)/(?P<v>[A-Z][A-Z0-9]{6,}/[\w/]{12,})",
        lambda value: not is_harmless(value) and len(set(value)) > 9,
    ),
    (rb"/api/webhooks/\d", rb"/api/webhooks/\d{16,22}/(?P<v>[\w-]{40,100})", is_drawn),
    (rb"/webhookb2/", rb"/webhookb2/(?P<v>[\w@-]{36,}/IncomingWebhook/[\w-]+/[\w-]+)", bool),
    (
        rb"(?i:bearer|ntlm|apikey|ssws|token|splunk)\s+[\w.~+/=-]{12}",
        rb"(?i)\b(?:bearer|ntlm|apikey|ssws|token|splunk)\s+(?P<v>[\w.~+/-]{12,4096}=*)",
        is_drawn,
    ),
    (rb"(?i:basic)\s+[\w+/=-]{8}", rb"(?i)\bbasic\s+(?P<v>[\w+/-]{8,4096}=*)", is_basic),
    (
        rb"auth[\"']?\s*[:=]\s*[\"']?[\w+/-]{8}",
        rb"\b_?auth[\"']?\s*[:=]\s*[\"']?(?P<v>[A-Za-z0-9+/]{8,4096}=*)",
        is_basic,
    ),
    (_KEY_START, rb"(?P<v>" + _KEY_START + rb"[\w+/=-]{40,100000})", is_private_key),
    # Options of commands.
    (
        rb"(?:mysql\w*|mariadb\w*)\b[^\n]*\s-p\S",
        rb"\b(?:mysql\w*|mariadb\w*)\b[^\n|]{0,300}?\s-p[\"']?(?P<v>[^\s\"'|]{5,128})",
        is_password,
    ),
    (
        rb"curl[^\n]*\s(?:-u|--user|--proxy-user|-U)[ =]?\S",
        rb"\s(?:-u|--user|--proxy-user|-U)[ =]?[\"']?[^\s\"':]{0,64}:(?P<v>[^\s\"']{4,128})",
        is_password,
    ),
    (
        _TOOLS + rb"\b[^\n]*\s-[pPawU]\s?\S",
        rb"\b" + _TOOLS + rb"\b[^\n|]{0,300}?\s-[pPawU] ?[\"']?(?P<v>[^\s\"'|-][^\s\"'|]{4,128})",
        is_password,
    ),
    (
        rb"htpasswd[^\n]*\s-\w*b",
        rb"\bhtpasswd\s(?:-\w+\s)*-?\w*b\w*\s(?:\S+\s){2}[\"']?(?P<v>[^\s\"']{5,128})",
        is_password,
    ),
    (rb"(?:pass|pw):\S", rb"[\s\"'](?:pass|pw):(?P<v>[^\s\"']{5,128})", is_password),
    (
        rb"(?:chpasswd|passwd --stdin|--password-stdin|sudo -S)",
        rb"\becho\s+(?:-\w\s+)?[\"']?(?:[\w.-]+:)?(?P<v>[^\s\"'|]{5,128})[\"']?\s*\|",
        is_password,
    ),
    (
        rb"(?i:sqlplus|rman|exp|imp)\s+\w+/\S",
        rb"(?i)\b(?:sqlplus|rman|expdp|impdp)\s+(?:-\w\s+)*\w+/[\"']?(?P<v>[^\s@\"']{5,128})@",
        is_password,
    ),
    (
        rb"openssl enc[^\n]*\s-(?:k|pass) ",
        rb"\bopenssl enc\b[^\n|]{0,300}?\s-k [\"']?(?P<v>[^\s\"']{5,128})",
        is_password,
    ),
    (rb":thin:\w*/", rb":thin:\w*/(?P<v>[^\s/@\"']{4,128})@", is_password),
    (rb"WiFi\.begin\(", rb"\bWiFi\.begin\([^,\n]{1,80},\s*[\"'](?P<v>[^\"'\n]{8,63})[\"']", is_password),
    (rb"net use[^\n]*/user:", rb"(?i)\bnet use[^\n]{0,200}/user:\S+\s+(?P<v>[^\s/]{5,128})", is_password),
    # Lines of password files: .netrc, .pgpass, htpasswd's old hashes.
    (
        rb"login\s+\S+\s+(?:account\s+\S+\s+)?password\s+\S",
        rb"\blogin\s+\S+\s+(?:account\s+\S+\s+)?password\s+(?P<v>\S{4,256})",
        is_password,
    ),
    (
        rb"\n?[\w.*-]+:(?:\d{2,5}|\*):[\w.*-]+:[\w.*-]+:\S",
        rb"^[\w.*-]+:(?:\d{2,5}|\*):[\w.*-]+:[\w.*-]+:(?P<v>[^\s:]{5,128})\s*$",
        is_password,
    ),
    (
        rb"-us[er]{0,2}\s|ConvertTo-SecureString",
        rb"ConvertTo-SecureString\s+(?:-String\s+)?[\"'](?P<v>[^\"'\s$]{5,256})[\"']",
        is_password,
    ),
    # Keys of JSON Web Keys, in the same object as their kind.
    (rb"[\"']kty[\"']", rb"[\"'](?:d|k|p|q|dp|dq|qi)[\"']\s*:\s*[\"'](?P<v>[\w-]{22,4096})[\"']", is_drawn),
    (rb"[\"'](?:d|k)[\"']\s*:\s*[\"'][\w-]{40}", rb"[\"'](?:d|k)[\"']\s*:\s*[\"'](?P<v>[\w-]{40,4096})[\"']", is_drawn),
)


class Kind(Enum):
    """What a range is: a value, masked whole, or the body of a key, of which the lines stay."""

    VALUE = 1
    KEY_BLOCK = 2


@cache
def _first_look() -> Any:
    calls = rb"(?i:\b\w*(?:" + words().calls + rb")\w{0,12}\([^\n]*?[\"'`][^\s\"'`]{12})"
    return linear(b"|".join((*(first for first, _, _ in _PLACES), calls, KEY_MARK, ARRAY_MARK, SECRET_MARK)))


@cache
def _on_line() -> tuple[tuple[re.Pattern[bytes], Check], ...]:
    return tuple((re.compile(expression, re.M), check) for _, expression, check in _PLACES)


@cache
def _call() -> re.Pattern[bytes]:
    return re.compile(rb"(?i)\b\w{0,40}(?:%s)\w{0,12}\(" % words().calls)


def placed_spans(text: bytes) -> Iterator[tuple[Kind, Span]]:
    """Where secrets by their place are; ranges may overlap."""
    done = 0
    keys = manifests = False
    for candidate in _first_look().finditer(text):
        first, last = candidate.span()
        if text[first : first + 1] in b"({[&":
            yield from ((Kind.VALUE, span) for span in array_spans(text, first))
        elif text.startswith((b"PRIVATE", b"OpenVPN", b"Private"), first):
            keys = True
        elif text.startswith(b"kind", first):
            manifests = True
        elif last > done:
            start, end = line_around(text, max(done, first), last)
            yield from ((Kind.VALUE, span) for span in _of_line(text, start, end))
            done = done_until(text, last, end)
    if keys:
        yield from ((Kind.KEY_BLOCK, span) for span in key_blocks(text))
    if manifests:
        yield from ((Kind.VALUE, span) for span in manifest_spans(text))


def _of_line(text: bytes, start: int, end: int) -> Iterator[Span]:
    """Secrets in one line or window."""
    for expression, check in _on_line():
        for match in expression.finditer(text, start, end):
            if check(match["v"]):
                yield match.span("v")
    call = _call().search(text, start, end)
    for match in _ARGUMENT.finditer(text, call.end(), end) if call else ():
        if is_argument(match["v"]):
            yield match.span("v")
