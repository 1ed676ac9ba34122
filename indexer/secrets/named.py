"""Secrets after a telling name: assignments, calls, settings, elements, comments, over several lines too.

A first look, linear in the text, finds the lines where a value may follow a telling name. What is there is then read
with bounded expressions from the name on, and judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from indexer.secrets.judging import LONGEST, Link, is_secret, is_written
from indexer.secrets.looking import Span, line_around, linear
from indexer.secrets.names import Strength, names_in, words
from indexer.secrets.paths import Rules, is_code, rules_of
from indexer.secrets.randomness import is_random

_FURTHER = 1_500
"""Bytes after a line in which a value that begins on a later line may end."""

_Q = rb"(?:\\{0,3}(?:\"{3}|'{3}|[\"'`])|&quot;|&#3[49];)"
_GAP = rb"(?>(?:[ \t]|\\?\r?\n[ \t]*(?:(?:#|//|\*)[ \t]*)?){0,12})"
"""Blanks and line ends; atomic, as several in a row would try every way to share them."""
_CLOSE = rb"(?P<close>" + _Q + rb"?[\])}]{0,2}" + _Q + rb"?)"

_VALUE_KEY = rb"[\"']?(?:value|val|default|defaultValue|default_value|content|string)[\"']?"
_SIGN = (
    rb"(?P<sign>"
    # Name and value as two pairs: lists of variables in YAML and JSON, attributes in XML.
    rb"[ \t]*,?" + _GAP + _VALUE_KEY + _GAP + rb"(?:=>|[:=])"
    # A variable of Terraform; a list of properties.
    rb"|[ \t]*\{[^{}]{0,400}?\bdefault[ \t]*=|[ \t]*:[ \t]*\{[^{}]{0,200}?\b" + _VALUE_KEY + rb"[ \t]*:"
    # What is taken where a variable is missing.
    rb"|[ \t]*(?:\|\||\?\?|\?:|\bor\b)"
    # Types between a name and its sign.
    rb"|[ \t]*(?:\[[^\]\n]{0,20}\])?[ \t]*(?::[ \t]*[&'\w.\[\]?|<>,; *]{1,40}?=|[ \t](?:as|As|AS)[ \t]+\w{1,20}[ \t]*=)"
    rb"|[ \t]*(?:\[[^\]\n]{0,20}\])?[ \t]*(?::=|=>|<-|->|=~|[?+|:]{0,2}={1,3}|!={1,2}|::?|>)"
    rb"|[ \t]*[,(]|[ \t]+(?:was|is|to|by|eq|with|BY|IS)\b|[ \t]+)"
)
_WRAPPED = _GAP + rb"(?:[\w.:&*<>!@\]-]{0,40}[(\[{|>]" + _GAP + rb"){0,3}(?:-[ \t]+)?[A-Za-z@]{0,3}"
_QUOTED = rb"(?P<q>" + _Q + rb")(?P<quoted>(?:(?!(?P=q))(?:\\[^\r\n]|[^\r\n\\])){1,%d})(?P=q)" % LONGEST

_AFTER_NAME = re.compile(_CLOSE + _SIGN + _WRAPPED + _QUOTED)
_PIECE = re.compile(rb"[ \t]*(?:\+|\.\.?|&|<>|\\)?" + _GAP + rb"[A-Za-z@]{0,2}" + _QUOTED)
_TEXT_BLOCK = re.compile(
    _CLOSE
    + _SIGN
    + rb"[ \t]*[\w(]{0,20}(?:\"{3}|'{3})\r?\n[ \t]*(?P<quoted>[^\s\"']{5,%d})\s{0,80}(?:\"{3}|'{3})" % LONGEST
)
_ITEM = re.compile(
    rb"[\"'`]?[ \t]*,?(?:[ \t]|\r?\n){0,40}"
    rb"(?:(?:-[ \t]+)?[\"'`](?P<q>[^\"'`\s]{5,300})[\"'`]|-[ \t]+(?P<b>[^\s\"'#]{5,300}))"
)
"""A further element of a list."""
_LIST = re.compile(rb"(?:\[\s*|\n[ \t]*-[ \t]+)[\"'`]?\Z")
_TAG = re.compile(rb"<(?:script|style|link)\b[^<>]*\Z")
_KEY_BEFORE = re.compile(rb"[ \t]*(?:(?:-|export|ENV|ARG|set)[ \t]+|[{,][ \t]*)?[\"']?(?:[\w.:-]*[\w.:-])?")
_SETTING = re.compile(
    rb"[\"']?[ \t]*(?:[?:]?=|:(?=[ \t]))[ \t]*(?:\"(?P<double>[^\"\r\n]{5,128})\"|'(?P<single>[^'\r\n]{5,128})'"
    rb"|(?P<bare>[^\s#\"'`,;{}\[\]<>|&*!%@$(][^\s,\"'(){}]{4,127}))[ \t,}]*(?:[#;][^\r\n]*)?\r?(?=\n|\Z)"
)
"""The rest of a line of settings after its name."""
_NEARBY = re.compile(rb"\\{0,3}[\"'`](?P<quoted>[^\s\"'`()\[\]{}<>\\]{10,%d})\\{0,3}[\"'`]" % LONGEST)
_BRACKETED = re.compile(
    rb"[ \t]*(?:=>?|:|,)[ \t]*(?:\[=*\[|%?[qQ][qQwW]?[{(\[/|])(?P<quoted>[^\]})/|\s]{4,200})[\]})/|]"
)
_BARE_SIGN = re.compile(
    _CLOSE
    + rb"(?P<sign>[ \t]*(?:[?+|:]{0,2}={1,3}|=>|<-|->|!=|[*_]{0,3}::?[*_]{0,3}|\||>"
    + _GAP
    + rb"<(?:string|value|Value)>|>)|</(?:key|name|Name|Key|string)>"
    + _GAP
    + rb"<(?:string|value|Value)>|[ \t]+(?:was|is)[ \t]*:?|"
    + _GAP
    + _VALUE_KEY
    + rb"[ \t]*[:=]|[ \t])[ \t]*"
    rb"(?P<block>[|>][-+]?\d?[ \t]*\r?\n[ \t]*|\\\r?\n[ \t]*|(?<=[:=>])\r?\n[ \t]+(?:-[ \t]+)?"
    rb"|<<[-~]?\"?[A-Z]{1,20}\"?[ \t]*\r?\n[ \t]*|<!\[CDATA\[)?"
)
_TO_BLANK = re.compile(rb"[^\s]{1,%d}" % LONGEST)
_IN_STRING = re.compile(rb"[^\s;&\"'`<>,()\\]{1,%d}" % LONGEST)
_ELEMENT = re.compile(rb"[^<\r\n]{1,%d}(?=\s{0,80}<)" % LONGEST)
_TO_LINE_END = re.compile(rb"[^\r\n]{1,200}")
_END_COMMENT = re.compile(rb"[ \t]+(?:#|//|;|<!--)[^\r\n]*$")
_COMMENT = re.compile(rb"(?:^|[ \t;,{}()])(?:#|//|/\*|<!--|--|%%|;;?|REM |\(\*)|^[ \t]*\*|^[ \t]*[%'][ \t]")
_DEFINE = re.compile(
    rb"(?i)(?:#[ \t]*define|%define|\(def\w*|\(setq|set|setenv|password|identified[\w ]*by"
    rb"|\buser\b[^\n]*with)[ \t]+[\w.-]*$"
)
_SQL = re.compile(rb"(?i)\b(?:identified[\w ]* by|(?:user|role|login|with|alter|set)\b.*\bpassword)$")
_KNOWN_CALL = re.compile(
    rb"(?i)(?:get_?env|environ(?:\.get)?|get|put|set\w*|define|env|add|append|with\w*|property|header|param)\([^()]{0,40}$"
)
_RUN = re.compile(rb"[^\s;&,<>]{150,%d}" % LONGEST)
_FURTHER_SETTING = re.compile(rb"[,;&][A-Za-z_][\w.-]*=")
_LISTED = re.compile(rb"[;&?]\s?[\w .-]{0,60}$")
_BEFORE = 160
"""Bytes before a name that tell what kind of place it is in."""
_OPTION = re.compile(rb"(?:^|[\s\"'=\[,(])--?[\w-]{0,30}$")
_ARN = re.compile(rb"arn:[^\s\"']*$")
_SET_BLANK = re.compile(
    rb"(?i)(?:^|\n)[ \t]*(?:ENV|ARG|set|setenv|export|SetEnv|default|machine[^\n]{0,80}|"
    rb"[^\n]{0,80}\blogin[ \t]+\S{1,60}|[\w.-]*)[ \t]*[\w.-]{0,40}$"
)


@cache
def _first_look(code: bool) -> Any:
    """Finds a telling name with something like a value after it, on its line or on the next.

    The same value for all names: with lengths by name RE2 runs out of states and takes three times as long.
    """
    quoted = rb"[\"'`][^\s\"'`]{4}|\[=?\[[^\s]{4}|\b[qQ][qQwW]?[{(\[/|][^\s]{4}|&quot;[^\s&]{4}"
    quoted += rb"|[\"'`][^\"'`\n]*[0-9@#$%^&*+=][^\"'`\n]*[\"'`]"
    quoted += rb"|(?:\"{3}|'{3})\r?\n[ \t]*[^\s\"']{5}"
    key = rb"(?i:[\"']?(?:value|val|default|content|string))"
    # In code an unquoted value has a digit; it stands in a string or comment.
    run = rb"[^\s\"'`,;()]"
    bare = rb"(?:" + run + rb"{3,}[0-9]|" + run + rb"*[0-9]" + run + rb"{3})" if code else rb"[^\s]{5}"
    later = (
        rb"(?:[^\s\"'`]?|<<[-~]?[A-Z]+)[ \t\\]*\r?\n[ \t]*(?:[#*/|>-]+[ \t]*)?(?:"
        + quoted
        + rb"|"
        + key
        + rb"|<[a-z]+>"
    )
    later += rb")" if code else rb"|[^\s]{5})"
    after = rb"[\w.-]*[\"'`\])}]*(?:[ \t]*(?:[:=<>!~?*|+-]{1,4}|was|is)|[ \t])[ \t]*(?:[\"'`|>]|<!\[CDATA\[)?" + bare
    names = b"|".join(words().anchors.values())
    block = rb"[\"'][^\n\"'={}]{0,3}\{[^{}]*\bdefault"
    return linear(rb"(?:%s)(?:[^\n]*?(?:%s|%s)|%s|%s)" % (names, quoted, later, after, block))


def named_spans(text: bytes, path: str) -> Iterator[Span]:
    """Where secrets after telling names are; ranges may overlap."""
    search = _first_look(is_code(path)).search
    position = seen = 0
    while candidate := search(text, position):
        first, last = candidate.span()
        # What looks like the beginning of a value may be the beginning of a name.
        position = max(first + 2, last - 8)
        start, end = line_around(text, first, last)
        rules = rules_of(path)
        for name, level in names_in(text, first, last):
            if name.start() < seen:
                continue
            yield from _after(text, name, start, end, level, rules)
            if run := _RUN.match(text, name.end()):
                # One value, whatever names seem to be in it: else a long one would be read again from each of them.
                seen = run.end()
                position = max(position, seen)


def _after(text: bytes, name: re.Match[bytes], start: int, end: int, level: Strength, rules: Rules) -> Iterator[Span]:
    """Secrets after one name."""
    limit = min(len(text), end + _FURTHER)
    if name.group()[:5].lower() == b"nonce" and _TAG.search(text[max(0, start, name.start() - 200) : name.start()]):
        return
    if rules.settings and level is Strength.PASSWORD and not name["rest"]:
        setting = _setting(text, name, start, limit, rules)
        if setting:
            yield setting
            return
    found = _AFTER_NAME.match(text, name.end(), limit)
    if found:
        link = _link(text, name, found, start)
        spans = [found.span("quoted"), *_pieces(text, found.end(), limit)]
        value = b"".join(text[first:last] for first, last in spans)
        if is_secret(_plain(value), level, link, strict=rules.strict):
            yield from spans
            if link is Link.ASSIGNED:
                yield from _items(text, spans[-1], limit, level, rules)
            return
        if is_secret(_plain(text[slice(*spans[0])]), level, link, strict=rules.strict):
            yield spans[0]
            return
    elif found := _BRACKETED.match(text, name.end(), limit) or _TEXT_BLOCK.match(text, name.end(), limit):
        if is_secret(found["quoted"], level, Link.ASSIGNED, strict=rules.strict):
            yield found.span("quoted")
            return
    bare = _bare(text, name, start, limit, level, rules)
    if bare:
        yield bare
        yield from _items(text, bare, limit, level, rules)
    elif level >= Strength.TOKEN:
        for near in _NEARBY.finditer(text, name.end(), min(end, name.end() + 400)):
            if is_secret(_plain(near["quoted"]), level, Link.NEAR, strict=rules.strict):
                yield near.span("quoted")


def _setting(text: bytes, name: re.Match[bytes], start: int, limit: int, rules: Rules) -> Span | None:
    """The value of a setting that is a password, whatever its characters."""
    before = text[max(start, name.start() - _BEFORE) : name.start()]
    if name.group().lower().startswith(b"pin") or not _KEY_BEFORE.fullmatch(before):
        return None
    if name.group().lower() == b"pass" and not before.strip():
        return None
    found = _SETTING.match(text, name.end(), limit)
    if not found:
        return None
    group = found.lastgroup or "bare"
    if b" " in found[group] and not rules.env:
        return None
    return found.span(group) if is_written(found[group]) else None


def _items(text: bytes, first: Span, limit: int, level: Strength, rules: Rules) -> Iterator[Span]:
    """Further secrets of a list whose first element is one."""
    if not _LIST.search(text[max(0, first[0] - 40) : first[0]]):
        return
    position = first[1]
    while (item := _ITEM.match(text, position, limit)) and item.lastgroup:
        if is_secret(item[item.lastgroup], level, Link.ASSIGNED, strict=rules.strict):
            yield item.span(item.lastgroup)
        position = item.end(item.lastgroup)


def _link(text: bytes, name: re.Match[bytes], found: re.Match[bytes], start: int) -> Link:
    """Whether a quoted value is assigned to its name, or only near it."""
    sign = found["sign"].strip()
    before = text[max(start, name.start() - 80) : name.start()]
    if sign in (b",", b"("):
        if b"\n" in found.group():
            return Link.NEAR
        if sign == b"," and re.search(rb"\{[\w.-]*$", before):
            return Link.ASSIGNED  # a tuple of Erlang
        if sign == b"," and found["close"]:
            return Link.ASSIGNED if _KNOWN_CALL.search(before) else Link.NEAR
        return Link.ASSIGNED if sign == b"(" and not found["close"] and b"." not in name["rest"] else Link.NEAR
    if sign[:1] == b":" and sign[-1:] == b"=" and len(sign) > 2 and found["close"]:
        return Link.NEAR  # no type between them, but another attribute
    if sign == b"or":
        return Link.ASSIGNED
    if not sign or sign.isalpha():
        before = re.sub(rb"[\w.-]*\Z", b"", before)
        if not before.strip() or before.endswith(b":"):
            return Link.ASSIGNED  # a line of settings or of a language without signs; a keyword
        return (
            Link.ASSIGNED
            if _DEFINE.search(before) or _SQL.search(text[max(start, name.start() - 80) : name.end()])
            else Link.NEAR
        )
    return Link.ASSIGNED


def _pieces(text: bytes, position: int, limit: int) -> list[Span]:
    """Further string literals that a language joins with the first."""
    pieces: list[Span] = []
    while len(pieces) < 40 and (piece := _PIECE.match(text, position, limit)):
        pieces.append(piece.span("quoted"))
        position = piece.end()
    return pieces


def _plain(value: bytes) -> bytes:
    """A value without the escapes of its literal: bytes written in hexadecimal as themselves."""
    if value.count(b"\\x") * 4 >= len(value) > 0:
        return re.sub(rb"\\x", b"", value)
    return re.sub(rb"\\([\"'\\/$])", rb"\1", value) if b"\\" in value else value


def _bare(text: bytes, name: re.Match[bytes], start: int, limit: int, level: Strength, rules: Rules) -> Span | None:
    """A secret without quotes: in settings, in a comment, or inside a string such as a connection string."""
    found = _BARE_SIGN.match(text, name.end(), limit)
    if not found or text[found.end() : found.end() + 1] in (b"", b"\n", b"\r"):
        return None
    before = text[start : name.start()]
    if before.rfind(b"{{") > before.rfind(b"}}"):
        return None  # in a template
    code = rules.code
    inside = _inside_string(before)
    before = before[-_BEFORE:]
    sign = found["sign"].strip()
    option = _OPTION.search(before[-40:]) is not None
    if (sign[-1:] == b">" and sign not in (b"=>", b"->")) or (found["block"] or b"").startswith(b"<!"):
        value = _ELEMENT.match(text, found.end(), limit)
    elif code and not (inside or option or _COMMENT.search(before)):
        # The line may be within a string of several lines: what is drawn is no name of a variable.
        value = _IN_STRING.match(text, found.end(), limit) if sign in (b":", b"=") else None
        if not value or not _drawn_of_all(value.group()):
            return None
    else:
        value = (_IN_STRING if inside or (code and option) else _TO_BLANK).match(text, found.end(), limit)
    if not value:
        return None
    if sign in (b":", b"=") and not inside and not code:
        whole = _whole_line(text, found.end(), limit)
        if b" " in text[slice(*whole)] and is_secret(text[slice(*whole)], level, Link.ASSIGNED, strict=rules.strict):
            return whole
    if sign == b":" and _ARN.search(before):
        return None
    first, last = value.span()
    if further := _FURTHER_SETTING.search(value.group()):
        last = first + further.start()
    while last > first and text[last - 1 : last] in b"\"'`,;.)":
        last -= 1
    while first < last and text[first : first + 1] in b"\"'`":
        first += 1
    found_value = text[first:last]
    if code and not (any(c in b"0123456789" for c in found_value) and re.search(rb"[A-Za-z]", found_value)):
        return None
    if not sign and not (re.search(rb"[0-9]", found_value) and re.search(rb"[A-Za-z]", found_value)):
        return None
    if (
        not sign
        and not option
        and (code or not _SET_BLANK.search(before))
        and not _stands_out(found_value, level, code)
    ):
        return None
    return (first, last) if is_secret(_plain(found_value), level, Link.ASSIGNED, strict=rules.strict) else None


def _drawn_of_all(value: bytes) -> bool:
    """Whether a value is random, with small and capital letters and digits."""
    return all(re.search(kind, value) for kind in (rb"[a-z]", rb"[A-Z]", rb"[0-9]")) and is_random(value)


def _stands_out(value: bytes, level: Strength, code: bool) -> bool:
    """Whether a word after a telling one, with a blank between only, cannot be the next word of a sentence."""
    if len(value) >= 16 and is_random(value):
        return True
    all_kinds = all(re.search(kind, value) for kind in (rb"[a-z]", rb"[A-Z]", rb"[0-9]"))
    return not code and level is Strength.PASSWORD and all_kinds and len(value) >= 8


def _inside_string(before: bytes) -> bool:
    """Whether a line's beginning leaves a string open, or a list of settings in one such as a connection string."""
    return any(before.count(quote) % 2 for quote in (b'"', b"'", b"`")) or _LISTED.search(before[-_BEFORE:]) is not None


def _whole_line(text: bytes, start: int, limit: int) -> Span:
    """The rest of a line without its comment and blanks."""
    match = _TO_LINE_END.match(text, start, limit)
    rest = match.group() if match else b""
    comment = _END_COMMENT.search(rest)
    kept = (rest[: comment.start()] if comment else rest).rstrip()
    return start, start + len(kept)
