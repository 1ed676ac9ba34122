"""Whether a value is a secret: no template, placeholder, word or text, but something that was drawn or chosen."""

from __future__ import annotations

import re
from enum import IntEnum

from indexer.secrets.names import Strength, words
from indexer.secrets.randomness import bits, is_hexadecimal, is_mixed, is_random, is_sequence, is_uuid


class Link(IntEnum):
    """How a value hangs on its name."""

    NEAR = 1
    """On the same line: the value must look drawn."""
    ASSIGNED = 2
    """As its value: what people choose for passwords counts too."""


LONGEST = 4_096
"""Bytes of a value; longer ones are data."""

_ENOUGH = 256
"""Bytes of a value that are judged."""

_REFERENCE = re.compile(
    rb"\$\{[\w.:?!/ -]*\}?|\$\([\w./ -]+\)?|\{\{.*\}\}|\{%.*%\}|<%.*%>|#\{[\w.]+\}"
    rb"|%\(\w+\)[sdr]|%[A-Z_]{3,}%|(?:%[YmdHMSyjf][^%]?){2}"
    rb"|^%[sdrvq@]$|\*{3}|\.\.\.|^<[\w .:-]+>$|^\[[\w .:-]+\]$|^\{[A-Za-z_][\w.\[\]]*\}$|EXAMPLE"
    rb"|^![a-z_]+(?:[\s/:]|$)|^@\w+@$|^\{\{"
    rb"|^(?:vault|op|ssm|arn|secret|secretsmanager|env|file|keyring|gcp|aws|ref|urn|data|classpath|process\.env)[:.]"
    rb"|^ENC\[|^[a-z]+:/[a-z]|^/(?:etc|run|var|usr|opt|home|srv|tmp|proc)/"
    rb"|^-----BEGIN (?:\w{2,7} )?(?:PUBLIC|CERT)|^[A-Za-z][\w+.-]*://|^sha\d{1,3}[-:=]|^SHA256:|^h1:|^ssh-|^ecdsa-|^ssl:|^mailto:"
)
"""Templates, references to where the secret is, addresses, digests, public keys."""
_CALL = re.compile(rb"([A-Za-z_][\w.:>-]*)(?:\(|\[|::)")
_EXPRESSION = re.compile(
    rb"^[\w.]+\(\)|^(?:self|this|os|process|config|settings|env|args|var|local|module|request|req|ctx)\.\w|^new [A-Z]"
    rb"|\s(?:&&|\|\|)\s"
    rb"|^[a-z_]+=(?:True|False|None|\d+|[a-z_.]+)$|^\W*$"
)
_REGEX = re.compile(
    rb"\[\^?(?:[A-Za-z0-9]-[A-Za-z0-9]){2,}|\[[a-z0-9]-[a-z0-9]\]|\\[dwsbDWSB](?![a-z0-9])|\(\?[:=!<P]"
    rb"|^\^.*[\[(\\].*\$$|\.[*+]\??[$)]|[\])]\{\d+,?\d*\}"
)
_MARKUP = re.compile(rb"</?[a-zA-Z][^<>]*>")
_NUMBERS = re.compile(
    rb"v?\d+(?:[.,:_T/-]\d+)*(?:[a-z]{1,4}|[-.]?(?:rc|alpha|beta|dev|post|pre)[.-]?\d*|%)?Z?|#[0-9A-Fa-f]{3,8}|0x[0-9A-Fa-f]{1,16}[uUlL]*"
    rb"|[+(]?[\d ()+.-]{6,}"
)
_EMAIL = re.compile(rb"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_PATH = re.compile(
    rb"^[~.]{0,2}/[\w.@-]+(?:/[\w.@-]*)*$|^[A-Za-z]:\\|^[\w.@-]+/[\w.@-]+/[\w./@-]*$|\.(?:pem|key|crt|json|txt|ya?ml|py|js|ts|html?|xml|php|png|svg|toml|ini|cfg|env|sh)$"
)
_RELATIVE = re.compile(rb"\.{1,2}/[\w.-]+")
_DATA = re.compile(
    rb"^(?:MII[A-Za-z]{2}[A-Za-z]jAN|MFkwEwYH|MHYwEAYH|MCowBQYDK2Vw|MIGfMA0G|MIG[bJ]MB|LS0tLS1CRUdJTiBDRVJU|LS0tLS1CRUdJTiBQVUJM|AAAA[A-E]3N"
    rb"|iVBORw0KGgo|R0lGOD|/9j/4|PHN2Z|AGFzbQ|d09G|UklGR|JVBERi0|H4sI|AAEAAAA|T2dnUw)"
)
"""Public keys, certificates, pictures, fonts, programs in base64."""
_NAME = re.compile(rb"[A-Za-z_$][A-Za-z]*\d{0,4}(?:[_./:@ -]+[A-Za-z]*\d{0,4})*[=:]?")
_SEED_PHRASE = re.compile(rb"[a-z]{3,8}(?: [a-z]{3,8}){11,23}")
_NO_SEED = frozenset(b"the and for with are was not its your must should key keys".split())
_SETTING_WORDS = frozenset(
    b"string text number integer boolean object required optional hidden encrypted enabled disabled prompt interactive"
    b" plain plaintext allow deny never always empty unset blank missing unknown internal external readonly manual"
    b" basic digest sufficient requisite include false true null nil undefined public private sensitive protected"
    b" masked omitted removed stripped write create update delete nullable".split()
)
"""Words that settings and schemas have in the place of a password."""
_DOLLAR = re.compile(rb"\$\w+")
_SPECIAL = re.compile(rb"[!@#$%^&*+=?~|]")
_SYMBOLIC = re.compile(rb"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_BRACKET = re.compile(rb"[()\[\]{}<>\\]")
_BLANK = re.compile(rb"[\x00-\x20]")
_DIGIT = re.compile(rb"[0-9]")
_WORD = re.compile(rb"[^\s.,;:!?()\"']+")


def is_harmless(value: bytes) -> bool:
    """Whether a value is by its form a reference, an expression, a number, a path, an address or a picture."""
    if _DOLLAR.fullmatch(value):
        return not is_random(value[1:])
    if _NUMBERS.fullmatch(value) and not (value.isdigit() or is_hexadecimal(value)):
        return True
    if _REFERENCE.search(value) or _REGEX.search(value) or _MARKUP.search(value):
        return True
    call = _CALL.match(value)
    if call and bits(call[1]) < 6 and bits(value[call.end() :]) < 6:
        return True
    if _EMAIL.fullmatch(value) or _DATA.match(value) or _EXPRESSION.search(value):
        return True
    return _RELATIVE.match(value) is not None or (_PATH.search(value) is not None and bits(value) < 5.6)


def is_secret(value: bytes, level: Strength, link: Link, *, strict: bool) -> bool:
    """Whether ``value`` after a name of ``level`` is a secret; ``strict`` in tests and documentation."""
    value = value.strip()
    if not 4 < len(value) <= LONGEST:
        return False
    value = value[:_ENOUGH]
    if link is Link.ASSIGNED and level >= Strength.TOKEN and b" " in value and _is_seed_phrase(value):
        return True
    chosen = link is Link.ASSIGNED and level >= Strength.SECRET
    least = _least(level, link)
    if not chosen and (len(value) < least or (len(value) < min(20, least + 6) and not _DIGIT.search(value))):
        return False
    if len(set(value)) < 5 or (not chosen and not (is_mixed(value) or is_random(value))) or is_harmless(value):
        return False
    if _BLANK.search(value):
        if chosen and len(value) >= 30 and is_mixed(value.replace(b" ", b""), least=4):
            return not is_text(value)
        return chosen and level is Strength.PASSWORD and not strict and _is_passphrase(value)
    if value.isdigit():
        return chosen and level is Strength.PASSWORD and len(value) > 5 and not strict and not is_sequence(value)
    rest = words().dummy.sub(b"", value)
    return _is_drawn(value, rest, level, link) or (chosen and _is_chosen(value, rest, strict=strict))


def is_written(value: bytes) -> bool:
    """Whether what a file has in the place of a password is one; it may be of letters alone."""
    value = value.strip()
    if not 4 < len(value) <= 128 or len(set(value)) < 4 or is_harmless(value) or not value.isascii():
        return False
    if value.lower() in _SETTING_WORDS or is_sequence(value) or (value.isdigit() and len(value) < 6):
        return False
    parts = _WORD.findall(value.lower())
    if len(parts) > 6 or any(part in words().sentence for part in parts):
        return False
    return len(words().dummy.sub(b"", value)) > 4


def _is_seed_phrase(value: bytes) -> bool:
    """Whether a value is the words of a wallet: 12 to 24 of them, in steps of three."""
    parts = value.split(b" ")
    if len(parts) % 3 or not _SEED_PHRASE.fullmatch(value):
        return False
    return len(set(parts)) > 8 and not _NO_SEED.intersection(parts)


def _least(level: Strength, link: Link) -> int:
    """Characters that a drawn value has at least."""
    return 16 if level is Strength.KEY else 10


def _is_drawn(value: bytes, rest: bytes, level: Strength, link: Link) -> bool:
    """Whether a value is drawn, also without the words in it that made-up values have."""
    least = _least(level, link)
    if len(value) < least or not (is_random(value) or is_mixed(value)):
        return False
    if link is Link.NEAR and (_BRACKET.search(value) or (len(value) < 12 and not is_mixed(value))):
        return False
    if value.count(b"-") == 4 and is_uuid(value):
        return level > Strength.KEY and link is Link.ASSIGNED
    if is_hexadecimal(value):
        return level > Strength.KEY
    if _SYMBOLIC.fullmatch(value) and bits(value) < 7:
        return False
    if link is Link.NEAR or level is Strength.KEY:
        # Without an assignment letters alone may be an abbreviation.
        return len(rest) >= least - 2 and (
            any(c in b"0123456789" for c in rest) or (len(value) >= 20 and bits(value) > 6.2)
        )
    return len(rest) >= 7 and (len(rest) == len(value) or len(rest) >= 16 or is_random(rest))


def _is_chosen(value: bytes, rest: bytes, *, strict: bool) -> bool:
    """Whether a value is what people choose: letters with digits or punctuation, and no name."""
    digits = any(c in b"0123456789" for c in rest)
    special = _SPECIAL.search(rest) is not None
    letters = any(chr(c).isalpha() for c in rest)
    if not letters or not (digits or special) or is_sequence(value):
        return False
    if _NAME.fullmatch(value) and (not digits or re.search(rb"[_./:@ -]", value)) and bits(value) < 6.5:
        return False
    if strict:
        return digits and special and len(rest) >= 10
    return len(rest) >= 6 if digits else len(rest) >= 9 and not value.islower()


def is_text(value: bytes) -> bool:
    """Whether a value with blanks has several words of ordinary letters."""
    return len([part for part in _WORD.findall(value) if len(part) > 3 and part.isalpha()]) > 1


def _is_passphrase(value: bytes) -> bool:
    """Whether words with blanks between are a password: few, one with a digit or sign, none of a sentence's words."""
    parts = _WORD.findall(value.lower())
    if not 1 < len(parts) <= 8 or len(value) > 80 or words().sentence.intersection(parts):
        return False
    mixed = [part for part in parts if re.search(rb"[a-z]", part) and re.search(rb"[0-9@#$%^&*+=]", part)]
    return bool(mixed) and not re.search(rb"[(){}<>\[\]|;]|[:,] ", value)
