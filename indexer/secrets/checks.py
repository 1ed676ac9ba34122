"""Whether what stands in the place of a secret is one: a check for each kind of place."""

from __future__ import annotations

import base64
import binascii
import re

from indexer.secrets.judging import Link, is_harmless, is_secret
from indexer.secrets.names import Strength, words
from indexer.secrets.randomness import bits, is_hexadecimal, is_mixed, is_random

_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{8,}={0,2}")
KEY_START = b"LS0tLS1CRUdJTi"
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


def is_machine_key(value: bytes) -> bool:
    """Whether an argument that is a key is drawn or chosen."""
    return is_secret(value, Strength.SECRET, Link.ASSIGNED, strict=False)


def is_key_in_path(value: bytes) -> bool:
    """Whether a part of a URL's path is a key."""
    return is_hexadecimal(value.lower()) or is_drawn(value)


def is_salt(value: bytes) -> bool:
    """Whether a short value is drawn."""
    return len(set(value)) > 4 and not is_harmless(value) and bits(value) > 5.5


def is_coded(value: bytes) -> bool:
    """Whether a value is a password as routers write it: hexadecimal digits with a number among them, or a hash."""
    return value.startswith(b"$") or (any(c in b"0123456789" for c in value) and len(set(value)) > 4)
