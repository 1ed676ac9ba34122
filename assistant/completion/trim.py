"""Generated text → what is worth inserting at most: one line, or a block that ends where it should.

These are rules on lines: where a block ends, what the file says next, where a model drifts into prose. Whether brackets
and quotes fit the file is not for them to say but for the parser (``gate``).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.completion.brackets import open_after
from assistant.completion.window import Window

BLOCK_LINES = 20

_WORD_AT_END = re.compile(r"(?<!\w)\w+$")
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)", re.M)
_PROSE = re.compile(
    r"[A-Z][a-z']*(?:,? [A-Za-z'`]+){2},? [A-Za-z'`][^;{}()=]*$|(?:Here|This|In this|The|Note|Explanation)\b[^;{}=]*$"
)
_OPENER = re.compile(r"(?:[:{(\[]|=>|->|\b(?:do|then|begin|else))$")
_COMMENT = re.compile(r"(?<!\s)\s+(?:#|//|--).*$")
_COMMENT_LINE = re.compile(r"\s*(?:#(?!include|define|if|endif|!)|//|--)")
CLOSING_LINE = re.compile(r"(?:[)\]}]+[;,]*|end|fi|done|esac|</[\w:.-]+>)\s*$")
_START_TAG = re.compile(r"<[A-Za-z][\w:.-]*(?:\s[^<>]*)?(?<!/)>$")
PAGES = frozenset({"html", "vue", "svelte", "astro", "xml"})
MARKUP = frozenset({"markdown", "rst", "text", "html", "asciidoc", "latex"})
"""Languages in which prose and fences are what one writes."""
_COMMENTS = (("/*", "*/"), ("<!--", "-->"))
_LONG_STRINGS = ('"""', "'''")


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
        return opens(before) and before.rstrip()[-1] not in "([" and indent(below) <= indent(before)
    if in_text(window.prefix):
        return False
    above = next((line for line in reversed(window.above) if line.strip()), "")
    if opens(above):
        return indent(below) <= indent(above)
    if above.rstrip().endswith(('"""', "'''", "*/")):
        return indent(below) < max(indent(before), 1) or not below
    return bool(_COMMENT_LINE.match(above)) and indent(above) == indent(before) and bool(window.above)


def blanks_at_end(line: str) -> str:
    """The blanks that ``line`` ends with."""
    return line[len(line.rstrip(" \t")) :]


def after_blanks(generated: str, window: Window) -> str:
    """What goes after the cursor when the model was not shown the blanks before it and wrote its own.

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


def opens(line: str) -> bool:
    """Whether ``line`` ends with what opens a block."""
    return _OPENER.search(_COMMENT.sub("", line.rstrip())) is not None


def opens_tag(line: str, language: str) -> bool:
    """Whether ``line`` ends with the start tag of an element, in a language of pages."""
    return language in PAGES and _START_TAG.search(line.rstrip()) is not None


def in_text(before: str) -> bool:
    """Whether a place seems to be in a comment or a string of several lines, by what stands before it."""
    line = before.rpartition("\n")[2]
    if _COMMENT_LINE.match(line) or any(before.rfind(begin) > before.rfind(end) for begin, end in _COMMENTS):
        return True
    return any(before.count(mark) % 2 for mark in _LONG_STRINGS)


def opens_text(before: str, line: str) -> bool:
    """Whether ``line`` after ``before`` opens a comment or string of several lines, and does not close it."""
    return in_text(before + line + "\n") and not in_text(before)


def reads_like_prose(line: str) -> bool:
    """Whether ``line`` is a sentence rather than code."""
    return _PROSE.match(line.strip()) is not None


def trim_line(generated: str, window: Window, language: str) -> Trimmed:
    """One line of ``generated`` text; empty where the next line says the same."""
    text = _clean(generated, window, language).split("\n", 1)[0].rstrip()
    if not text.strip():
        return Trimmed("", "empty")
    if _says_next(window.line_before + text, window):
        return Trimmed("", "repeats")
    return Trimmed(text, "line")


def trim_begun(generated: str, window: Window, language: str) -> Trimmed:
    """The first words of a line that is still being written; empty while they say nothing, or what stands next."""
    text, line_end, _ = generated.partition("\n")
    if not line_end:
        text = _WORD_AT_END.sub("", text).rstrip()
    following = next((line.strip() for line in window.below if line.strip()), "")
    if not any(c.isalnum() for c in text) or following.startswith((window.line_before + text).strip()):
        return Trimmed("", "begun")
    return Trimmed(trim_line(text, window, language).text, "begun")


def trim_block(generated: str, window: Window, language: str, *, final: bool) -> Trimmed:
    """Lines of ``generated`` that may belong to the block at the cursor; ``final``: no more text comes.

    A comment of several lines ends with itself. Otherwise a block ends at a line indented no more than its opener (a
    closing line is taken along, the file may owe it), at a blank line where nothing opened it, at what the file says
    next, at a fence, at prose, or after 20 lines.
    """
    clean = _clean(generated, window, language)
    cut = clean != generated.replace("\r\n", "\n")
    lines = clean.split("\n")
    if not (final or cut):
        lines = lines[:-1]
    opener = _opener(window, lines[0] if lines else "", language)
    comment = opener is None and bool(lines) and opens_text(window.prefix, lines[0])
    kept: list[str] = []
    seen: Counter[str] = Counter()
    done = cut
    for number, line in enumerate(lines):
        whole = window.line_before + line if number == 0 else line
        if _ends_block(whole, number, kept, opener, window, language) or seen[whole.strip()] >= 3:
            done = True
            if opener is not None and number and _may_close(whole, opener, window):
                kept.append(line)
            break
        kept.append(line)
        if comment and number and not in_text(window.prefix + "\n".join([*kept, ""])):
            done = True
            break
        seen[whole.strip()] += bool(whole.strip()) and not CLOSING_LINE.match(whole.strip())
        if len(kept) >= BLOCK_LINES:
            done = True
            break
    while kept and not kept[-1].strip():
        kept.pop()
    text = "\n".join(line.rstrip() for line in kept)
    if text.strip():
        return Trimmed(text, "block", 0, done)
    repeats = bool(lines) and _says_next(window.line_before + lines[0], window)
    return Trimmed("", "repeats" if repeats else "empty", 0, done)


def _opener(window: Window, first: str, language: str) -> int | None:
    """Indentation of the line that opens the block at the cursor, or that the first generated line opens; or None."""
    line = window.line_before
    if not line.strip():
        line = next((above for above in reversed(window.above) if above.strip()), "")
    if opens(line):
        return indent(line)
    if line.rstrip().endswith(_LONG_STRINGS):
        return max(indent(line) - 1, 0) if indent(line) else None
    begun = window.line_before + first
    return indent(begun) if opens(begun) or opens_tag(begun, language) else None


def _clean(generated: str, window: Window, language: str) -> str:
    """The text up to a Markdown fence, unless the cursor is where these are written."""
    text = generated.replace("\r\n", "\n")
    if language not in MARKUP and (fence := _FENCE.search(text)) and not in_text(window.prefix):
        text = text[: fence.start()]
    return text


def _ends_block(line: str, number: int, kept: Sequence[str], opener: int | None, window: Window, language: str) -> bool:
    """Whether the block is over before ``line``."""
    if not line.strip():
        # A blank line ends what nothing opened, and two of them end anything.
        return number > 0 and bool(kept) and (opener is None or not kept[-1].strip())
    if _says_next(line, window):
        return True
    if reads_like_prose(line) and language not in MARKUP and not in_text(window.prefix + "\n".join([*kept, ""])):
        return True
    if opener is not None:
        return number > 0 and indent(line) <= opener
    return number > 0 and indent(line) < indent(window.line_before) and not open_after("\n".join(kept))


def _may_close(line: str, opener: int, window: Window) -> bool:
    """Whether ``line`` closes the block that is opened at depth ``opener``, and the file does not do so next."""
    if indent(line) != opener or not CLOSING_LINE.match(line.strip()):
        return False
    following = next((below for below in window.below if below.strip()), "")
    return (indent(following), following.strip()) != (opener, line.strip())


def _says_next(line: str, window: Window) -> bool:
    """Whether ``line`` is what stands next in the file, at the same depth: a guard may well repeat the last line.

    Closing brackets alone tell nothing: the parser knows whose they are.
    """
    following = next((below for below in window.below if below.strip()), "")
    if line.strip() != following.strip() or CLOSING_LINE.match(line.strip()):
        return False
    return indent(line) == indent(following)
