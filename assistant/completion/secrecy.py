"""Secrets around the cursor: what a model of another server is shown, and which suggestions are not.

The text before and after the cursor's line is masked once and cached: typing leaves it as it is. The line itself is
masked with some lines around it, since a secret may be named on the line above.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise
from os.path import commonprefix

from assistant.completion.brackets import open_after
from assistant.completion.request import CompletionRequest
from assistant.completion.trim import Trimmed, opens
from assistant.masking import PROBE, SHORTEST, Masked, decoded, encoded, mask_file, masked_bytes, merged, path_of

SECRET_LINE, SECRET_TEXT, SECRET_CUT = "secret-line", "secret-text", "secret-cut"
"""``Completion.stop_reason``: the cursor's line holds a secret; the suggestion held one; it was cut before one."""
_REGION = 80_000
"""Characters before and after the cursor's line that are masked: more than any window holds. Lines further off are
empty in what another server's model is shown.
"""
_COPIED_FROM = 24_000
"""Characters before and after the cursor's line whose secrets a suggestion must not have: some times what a window of
the default size holds, and a private key.
"""
_NAMING_LINES = 3
"""Lines above that may name what the cursor's line holds."""
_NEAR = 2_000
"""Characters on either side that the cursor's line is masked with."""
_KEY = 20_000
"""Characters of the longest private key: where one may begin that the cursor, or the region's first line, is in."""
_COPIED = 8
"""Characters of a secret's beginning that tell a copy; fewer are an ordinary word."""
_BEGUN = 4
"""Characters of a secret's beginning that are not shown while the model still writes."""
_BLOCKS_OF_WORDS = frozenset({"bash", "lua", "ruby"})
"""Languages whose blocks end with a word."""
_STARS = re.compile(r"[\"'`][^\"'`\n]*\*{4}|[=:>][ \t]{0,2}\*{4}|\A\s*\*{16,}\s*\Z")
"""A masked value that a model copied: in quotes, after a sign, or a line of a key; comments have stars of their own."""


@dataclass(frozen=True, slots=True)
class Around:
    """The text before and after a cursor without its secrets, and these."""

    prefix: str
    suffix: str
    secrets: frozenset[str] = frozenset()


def mask_around(prefix: str, suffix: str, path: str, language: str = "") -> Around:
    """The text around a cursor as another server's model may see it. Every line stays a line."""
    hint = path_of(path, language)
    if _in_key(prefix, hint):
        return _mask_whole(prefix, suffix, hint)
    start, end = _cursor_line(prefix, suffix)
    above, below = _above(prefix[:start], hint), _below(suffix[end:], hint)
    secrets = above.secrets | below.secrets
    near_above, near_below = _last_lines(prefix[:start]), suffix[end : end + _NEAR].rpartition("\n")[0]
    pieces = [encoded(piece) for piece in (near_above, prefix[start:], suffix[:end], near_below)]
    data = b"".join(pieces)
    masked = masked_bytes(data, hint)
    if masked == data:
        return Around(above.text + prefix[start:], suffix[:end] + below.text, secrets)
    cuts = [0, *accumulate(map(len, pieces))]
    first, before, after, last = (masked[start:end] for start, end in pairwise(cuts))
    # Lines near the cursor are masked where they are in either way of looking at them.
    head, tail = encoded(above.text), encoded(below.text)
    far = len(head) - len(first)
    head = head[:far] + merged(head[far:], first)
    tail = merged(tail[: len(last)], last) + tail[len(last) :]
    return Around((head + before).decode(), (after + tail).decode(), secrets | decoded(data, masked).secrets)


def holds_secret(asked: CompletionRequest) -> bool:
    """Whether the cursor's line holds a secret, finished or not, or lies in a private key."""
    hint = path_of(asked.path, asked.language)
    before, after = _line(asked)
    return _line_holds(_naming(asked.prefix), before, after, hint) or _in_key(asked.prefix, hint)


def without_secrets(asked: CompletionRequest, trimmed: Trimmed) -> Trimmed:
    """The suggestion cut before the first line that would hold a secret or shows a masked value; or none at all.

    What is left may leave nothing open: it has passed the gate as a whole only.
    """
    if not trimmed.text:
        return trimmed
    lines = trimmed.text.split("\n")
    bad = _first_bad(asked, trimmed, lines)
    if bad is None:
        return trimmed
    kept = _balanced(asked, lines[:bad])
    if not kept.strip():
        return Trimmed("", SECRET_TEXT)
    return Trimmed(kept, SECRET_CUT, trimmed.replaces, done=True)


def may_begin(asked: CompletionRequest, words: str) -> bool:
    """Whether first words may be shown before the rest is known: not if they may turn out to begin a secret."""
    text = _line(asked)[0] + words
    probed = encoded(_naming(asked.prefix) + text + PROBE)
    if masked_bytes(probed, path_of(asked.path, asked.language)).endswith(b"*" * SHORTEST):
        return False
    return not any(
        text.endswith(secret[:size]) for secret in _secrets_around(asked) for size in range(_BEGUN, len(secret))
    )


def _balanced(asked: CompletionRequest, lines: list[str]) -> str:
    """The most of the first ``lines`` that leaves no bracket and no block open; "" where only a parser could tell."""
    if asked.language in _BLOCKS_OF_WORDS:
        return ""
    before = _line(asked)[0]
    while lines:
        last = lines[-1] if len(lines) > 1 else before + lines[-1]
        if lines[-1].strip() and not opens(last) and not open_after("\n".join(lines)):
            break
        lines = lines[:-1]
    return "\n".join(lines).rstrip()


def _first_bad(asked: CompletionRequest, trimmed: Trimmed, lines: list[str]) -> int | None:
    """The first line of a suggestion that must not be shown."""
    before, after = _line(asked)
    naming = _naming(asked.prefix)
    data = encoded(naming + before + trimmed.text + after[trimmed.replaces :])
    masked = masked_bytes(data, path_of(asked.path, asked.language))
    changed: set[int] = set()
    if masked != data:
        above = naming.count("\n")
        pairs = zip(data.split(b"\n")[above:], masked.split(b"\n")[above:], strict=True)
        changed = {number for number, (was, now) in enumerate(pairs) if was != now}
    secrets = _secrets_around(asked)
    for number, line in enumerate(lines):
        start = len(before) if number == 0 else 0
        whole = before + line if number == 0 else line
        if number in changed or _shows_masked(whole, start) or _copies(whole, start, secrets):
            return number
    return None


def _shows_masked(line: str, start: int) -> bool:
    """Whether a masked value stands in ``line``, and ends in what the model wrote: from ``start`` on."""
    return any(found.end() > start for found in _STARS.finditer(line))


def _copies(line: str, start: int, secrets: frozenset[str]) -> bool:
    """Whether a secret, or the first half of a long one, stands in ``line`` and ends in what the model wrote."""
    for secret in secrets:
        if len(secret) < SHORTEST:
            continue
        part = secret[: max(_COPIED, (len(secret) + 1) // 2)]
        at = line.find(part, max(0, start - len(secret) + 1))
        while at >= 0:
            if at + len(commonprefix((line[at:], secret))) > start:
                return True
            at = line.find(part, at + 1)
    return False


def _secrets_around(asked: CompletionRequest) -> frozenset[str]:
    """Secrets on the lines above and below the cursor's."""
    hint = path_of(asked.path, asked.language)
    start, end = _cursor_line(asked.prefix, asked.suffix)
    first = asked.prefix.find("\n", start - _COPIED_FROM, start) + 1 if start > _COPIED_FROM else 0
    last = asked.suffix.rfind("\n", end, end + _COPIED_FROM) + 1 if len(asked.suffix) - end > _COPIED_FROM else None
    return mask_file(asked.prefix[first:start], hint).secrets | mask_file(asked.suffix[end:last], hint).secrets


def _above(text: str, path: str) -> Masked:
    """The lines above the cursor's, masked; those before the region are empty."""
    if len(text) <= _REGION:
        return mask_file(text, path)
    cut = text.find("\n", len(text) - _REGION) + 1
    masked = mask_file(text[cut:], path)
    # The region may begin within a key, whose lines do not look like one without its first.
    doubtful = masked.text.find("\n", min(_KEY, len(masked.text))) + 1
    empty = "\n" * (text.count("\n", 0, cut) + masked.text.count("\n", 0, doubtful))
    return Masked(empty + masked.text[doubtful:], masked.secrets)


def _below(text: str, path: str) -> Masked:
    """The lines below the cursor's, masked; those after the region are empty."""
    if len(text) <= _REGION:
        return mask_file(text, path)
    cut = text.rfind("\n", 0, _REGION) + 1
    masked = mask_file(text[:cut], path)
    return Masked(masked.text + "\n" * text.count("\n", cut), masked.secrets)


@lru_cache(maxsize=512)
def _line_holds(naming: str, before: str, after: str, path: str) -> bool:
    """Whether a line holds a secret; ``naming``: the lines above."""
    above = len(encoded(naming))
    for line in dict.fromkeys((before, before + after)):
        data = encoded(naming + line)
        masked = masked_bytes(data, path)
        if masked[above:] != data[above:]:
            return True
    return False


def _in_key(prefix: str, path: str) -> bool:
    """Whether the text before the cursor ends within a private key: whether a line of one would be masked there."""
    begin = prefix.rfind("-----BEGIN ", max(0, len(prefix) - _KEY))
    if begin < 0 or prefix.find("-----END ", begin) >= 0:
        return False
    line = prefix.rfind("\n", begin) + 1
    if line == 0:
        return False
    data = encoded(prefix[begin:line] + PROBE + PROBE)
    return masked_bytes(data, path).endswith(b"*" * SHORTEST)


def _mask_whole(prefix: str, suffix: str, path: str) -> Around:
    before = encoded(prefix)
    data = before + encoded(suffix)
    masked = masked_bytes(data, path)
    parts = masked[: len(before)].decode(), masked[len(before) :].decode()
    return Around(*parts, decoded(data, masked).secrets)


def _cursor_line(prefix: str, suffix: str) -> tuple[int, int]:
    """Where the cursor's line begins in ``prefix`` and ends, its line break included, in ``suffix``."""
    return prefix.rfind("\n") + 1, suffix.find("\n") + 1 or len(suffix)


def _line(asked: CompletionRequest) -> tuple[str, str]:
    """The cursor's line before and after the cursor; of a very long one what is near."""
    start, end = _cursor_line(asked.prefix, asked.suffix)
    return asked.prefix[max(start, len(asked.prefix) - _NEAR) :], asked.suffix[: min(end, _NEAR)].rstrip("\r\n")


def _naming(prefix: str) -> str:
    """The lines above the cursor's, as many as may name what it holds."""
    end = prefix.rfind("\n") + 1
    start = end - 1
    for _ in range(_NAMING_LINES):
        start = prefix.rfind("\n", 0, max(0, start))
    return prefix[max(start + 1, end - _NEAR) : end] if end else ""


def _last_lines(above: str) -> str:
    """The last whole lines of at most ``_NEAR`` characters."""
    if len(above) <= _NEAR:
        return above
    return above[above.find("\n", len(above) - _NEAR) + 1 :]
