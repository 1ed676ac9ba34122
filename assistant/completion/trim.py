"""Generated text → what is worth inserting: one good line, or a block that ends where it should."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.completion.brackets import open_after, unmatched_closers
from assistant.completion.window import Window

BLOCK_LINES = 20
NEAR_LINES = 40
"""Lines on each side that are looked at for brackets left open."""

SPECIAL = re.compile(
    r"<\|[a-z_]+\|>|<\|[a-z_]*$|</s>|<fim[_-][a-z]+>|<(?:PRE|SUF|MID|EOT)>|\[(?:PREFIX|SUFFIX|MIDDLE)\]"
)
_WORD_AT_END = re.compile(r"\w+$")
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)", re.M)
_PROSE = re.compile(
    r"[A-Z][a-z']*(?:,? [A-Za-z'`]+){3,}[^;{}()=]*[.:!?]?$|(?:Here|This|In this|The|Note|Explanation)\b[^;{}=]*$"
)
_OPENER = re.compile(r"(?:[:{(\[]|=>|->|\b(?:do|then|begin|else))$")
_COMMENT = re.compile(r"\s+(?:#|//|--).*$")
_COMMENT_LINE = re.compile(r"\s*(?:#(?!include|define|if|endif|!)|//|--)")
_CLOSING_LINE = re.compile(r"(?:[)\]}]+[;,]*|end|fi|done|esac)\s*$")
_MARKUP = frozenset({"markdown", "rst", "text", "html", "asciidoc", "latex"})
"""Languages in which prose and fences are what one writes."""


@dataclass(frozen=True, slots=True)
class Trimmed:
    """``text`` to insert; ``replaces`` characters of the cursor line's rest go. ``reason`` as in ``Completion``.

    ``done``: more generated text would change nothing.
    """

    text: str
    reason: str
    replaces: int = 0
    done: bool = False


def wants_block(window: Window) -> bool:
    """Whether several lines are called for: an empty place that a block opener, a docstring or a comment announces."""
    if window.line_after.strip():
        return False
    before = window.line_before
    below = next((line for line in window.below if line.strip()), "")
    if before.strip():
        # After an open bracket one goes on writing on the same line.
        return _opens(before) and before.rstrip()[-1] not in "([" and indent(below) <= indent(before)
    above = next((line for line in reversed(window.above) if line.strip()), "")
    if _opens(above):
        return indent(below) <= indent(above)
    if above.rstrip().endswith(('"""', "'''", "*/")):
        return indent(below) < max(indent(before), 1) or not below
    return bool(_COMMENT_LINE.match(above)) and indent(above) == indent(before) and bool(window.above)


def blanks_at_end(line: str) -> str:
    """The blanks that ``line`` ends with."""
    return line[len(line.rstrip(" \t")) :]


def after_blanks(generated: str, window: Window) -> str:
    """What goes behind the cursor when the model was not shown the blanks before it and wrote its own.

    Where it indented less than the cursor stands, its further lines move along.
    """
    held = blanks_at_end(window.line_before)
    if not held or generated.startswith(held):
        return generated[len(held) :]
    first = generated.lstrip(" \t")
    own = generated[: len(generated) - len(first)]
    if window.line_before.strip() or not held.startswith(own):
        return first
    missing = held[len(own) :]
    head, *rest = first.split("\n")
    return "\n".join((head, *(missing + line if line.strip() else line for line in rest)))


def indent(line: str) -> int:
    """Columns of white space that ``line`` begins with; a tab counts to the next multiple of four."""
    expanded = line.expandtabs(4)
    return len(expanded) - len(expanded.lstrip())


def trim_line(generated: str, window: Window, language: str) -> Trimmed:
    """One line of ``generated`` text, without what the rest of the cursor's line or the next line says already."""
    text = _clean(generated, language).split("\n", 1)[0].rstrip()
    if not text.strip():
        return Trimmed("", "empty")
    if _says_next(window.line_before + text, window.below):
        return Trimmed("", "repeats")
    if language not in _MARKUP and not window.line_before.strip() and _PROSE.match(text.strip()):
        return Trimmed("", "prose")
    return _against_rest(text, window)


def trim_begun(generated: str, window: Window, language: str) -> Trimmed:
    """The first words of a line that is still being written; empty while they say nothing, or what stands next."""
    text, line_end, _ = generated.partition("\n")
    if not line_end:
        text = _WORD_AT_END.sub("", text).rstrip()
    following = next((line.strip() for line in window.below if line.strip()), "")
    if not any(c.isalnum() for c in text) or following.startswith((window.line_before + text).strip()):
        return Trimmed("", "begun")
    trimmed = trim_line(text, window, language)
    # What replaces the line's rest is known only when the line is whole.
    return Trimmed("" if trimmed.replaces else trimmed.text, "begun")


def trim_block(generated: str, window: Window, language: str, *, final: bool) -> Trimmed:
    """Lines of ``generated`` that belong to the block at the cursor; ``final``: no more text comes.

    A block ends at a line indented no more than its opener (a closing bracket that is still owed is taken along), at a
    blank line where nothing opened it, at what the file says next, at a fence, at prose, or after 20 lines.
    """
    opener = _opener(window)
    clean = _clean(generated, language)
    cut = clean != generated.replace("\r\n", "\n")
    lines = clean.split("\n")
    if not (final or cut):
        lines = lines[:-1]
    kept: list[str] = []
    seen: Counter[str] = Counter()
    done = cut
    for number, line in enumerate(lines):
        whole = window.line_before + line if number == 0 else line
        if _ends_block(whole, number, kept, opener, window, language) or seen[whole.strip()] >= 3:
            done = True
            if opener is not None and indent(whole) == opener and _takes_along(whole, window):
                kept.append(line)
            break
        kept.append(line)
        seen[whole.strip()] += bool(whole.strip())
        if len(kept) >= BLOCK_LINES:
            done = True
            break
    while kept and not kept[-1].strip():
        kept.pop()
    text = _owed_only("\n".join(line.rstrip() for line in kept), window)
    return Trimmed(text, "block", 0, done) if text.strip() else Trimmed("", "empty", 0, done)


def _opens(line: str) -> bool:
    """Whether ``line`` ends with what opens a block."""
    return _OPENER.search(_COMMENT.sub("", line.rstrip())) is not None


def _opener(window: Window) -> int | None:
    """Indentation of the line that opens the block at the cursor; None when none does."""
    line = window.line_before
    if not line.strip():
        line = next((above for above in reversed(window.above) if above.strip()), "")
    if _opens(line):
        return indent(line)
    if line.rstrip().endswith(('"""', "'''")):
        return max(indent(line) - 1, 0) if indent(line) else None
    return None


def _clean(generated: str, language: str) -> str:
    """The text up to a special token or, in code, a Markdown fence."""
    text = generated.replace("\r\n", "\n")
    if special := SPECIAL.search(text):
        text = text[: special.start()]
    if language not in _MARKUP and (fence := _FENCE.search(text)):
        text = text[: fence.start()]
    return text


def _ends_block(line: str, number: int, kept: Sequence[str], opener: int | None, window: Window, language: str) -> bool:
    """Whether the block is over before ``line``."""
    if not line.strip():
        # A blank line ends what nothing opened, and two of them end anything.
        return number > 0 and bool(kept) and (opener is None or not kept[-1].strip())
    if _says_next(line, window.below):
        return True
    if language not in _MARKUP and _PROSE.match(line.strip()):
        return True
    if opener is not None:
        return number > 0 and indent(line) <= opener
    return number > 0 and indent(line) < indent(window.line_before)


def _takes_along(line: str, window: Window) -> bool:
    """Whether ``line``, a lone closer at the opener's indentation, is one that the file still owes."""
    if not _CLOSING_LINE.match(line.strip()) or _says_next(line, window.below):
        return False
    return line.strip()[0].isalpha() or _owed(window) > 0


def _says_next(line: str, below: Sequence[str]) -> bool:
    """Whether ``line`` is what stands next in the file anyway."""
    following = next((b.strip() for b in below if b.strip()), "")
    return bool(following) and line.strip() == following


def _owed(window: Window) -> int:
    """How many closers the text above owes that the text below does not pay."""
    above = open_after("".join(window.above[-NEAR_LINES:]) + window.line_before)
    below = unmatched_closers(window.line_after + "\n" + "".join(window.below[:NEAR_LINES]))
    return max(0, len(above) - len(below))


def _owed_only(text: str, window: Window) -> str:
    """``text`` up to the first closer that closes something which the file closes itself."""
    extra = unmatched_closers(text)[_owed(window) :]
    return text[: extra[0]].rstrip() if extra else text


def _against_rest(text: str, window: Window) -> Trimmed:
    """``text`` beside the rest of the cursor's line: said once, brackets closed once.

    Where the text ends with the whole rest, that end goes. Where it retyped the rest and went on, it replaces it.
    """
    rest = window.line_after.rstrip()
    said = rest.strip()
    if said and text.endswith(rest) and any(c.isalnum() for c in said):
        text = text[: -len(rest)]
        return Trimmed(text, "line") if text.strip() else Trimmed("", "repeats")
    if len(said) > 2 and any(c.isalnum() for c in said) and said in text:
        return Trimmed(text, "line", len(window.line_after))
    extra = unmatched_closers(text)[_owed(window) :]
    if not extra:
        return Trimmed(text, "line")
    tail = text[extra[0] :]
    if said and len(tail) > len(said) and _in_order(said, tail):
        return Trimmed(text, "line", len(window.line_after))
    text = text[: extra[0]].rstrip()
    return Trimmed(text, "line") if text.strip() else Trimmed("", "closes")


def _in_order(few: str, many: str) -> bool:
    """Whether the characters of ``few`` occur in ``many`` in their order."""
    rest = iter(many)
    return all(char in rest for char in few)
