"""What the editor shows → numbered snippets: a selection, or the part of the open file that matters; secrets masked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.context import CodeIndex, Source, within
from assistant.llm import LLM
from assistant.stretches import LINE, estimated_tokens
from indexer.errors import BadInputError
from indexer.types import Symbol

SHARE = 0.6
"""Most of the snippets' budget that shown text may take: the rest is for what it depends on."""
_POINTS_HERE = re.compile(r"\b(?:this|here|current|above|below|open file|my file)\b", re.I)
_ABOVE_CURSOR = 15
"""Lines shown above the cursor where no definition is known around it."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Whole lines that the user marked, ``start_line`` (1-based) the first; they may be unsaved.

    ``path`` is relative to the root where the file lies in it, else any name.
    """

    path: str
    text: str
    start_line: int = 1
    language: str = ""
    """The editor's name of it; masking goes by it where the path has no extension."""


@dataclass(frozen=True, slots=True)
class OpenFile:
    """The whole text of the file that the user has before them, unsaved changes included; ``line`` is the cursor's."""

    path: str
    text: str
    line: int = 1
    language: str = ""


def excerpts(
    index: CodeIndex,
    question: str,
    selection: Selection | None,
    file: OpenFile | None,
    budget: int,
    llm: LLM,
    first: int = 1,
) -> tuple[Source, ...]:
    """Snippets of what is shown, numbered from ``first``, within ``SHARE`` of ``budget`` tokens.

    A selection is always shown. The open file is, around the cursor, if the question points to it ("this file", "here")
    and nothing is selected. Raises BadInputError for a file that is taken to hold secrets.
    """
    room = int(SHARE * budget)
    if selection is not None and selection.text.strip():
        lines = LINE.findall(_selected(selection, file))
        start = max(1, selection.start_line)
        return within([_source(index, selection.path, lines, start)], room, llm, first)
    if file is None or not file.text.strip() or not _POINTS_HERE.search(question):
        return ()
    text = masked(file.path, file.text, file.language)
    lines = LINE.findall(text)
    # Where definitions lie is known of the text that the index has: the buffer's, if it was told of the buffer.
    symbols = index.file_symbols(file.path) if index.text(file.path) == text else []
    whole = estimated_tokens(lines) <= room or re.search(r"\bfile\b", question, re.I)
    start, end = (1, len(lines)) if whole else _around(lines, symbols, min(max(1, file.line), len(lines)), room)
    return within([_source(index, file.path, lines[start - 1 : end], start)], room, llm, first)


def masked(path: str, text: str, language: str = "") -> str:
    """``text`` of the file ``path`` with its secrets overwritten, as in the index, unfinished ones too.

    Raises BadInputError if the file is one that is never read, because it holds secrets as a whole.
    """
    from assistant.masking import encoded, mask_file
    from indexer.secrets import refuse_secret_content, refuse_secret_name

    if reason := refuse_secret_name(path) or refuse_secret_content(path, encoded(text)):
        raise BadInputError(f"{path} is not shown to the model. {reason}", "Ask without it.")
    return mask_file(text, path, language).text


def _selected(selection: Selection, file: OpenFile | None) -> str:
    """The selection, masked as a part of its file where that is known: a key's middle does not look like a key."""
    if file is not None and file.path == selection.path:
        before = LINE.findall(file.text)
        count = len(LINE.findall(selection.text))
        part = slice(selection.start_line - 1, selection.start_line - 1 + count)
        if "".join(before[part]).rstrip("\r\n") == selection.text.rstrip("\r\n"):
            return "".join(LINE.findall(masked(file.path, file.text, file.language))[part])
    return masked(selection.path, selection.text, selection.language)


def _source(index: CodeIndex, path: str, lines: Sequence[str], start: int) -> Source:
    end = start + len(lines) - 1
    inside = [s for s in index.file_symbols(path) if s.span.start_line <= start and end <= s.span.end_line]
    symbol = min(inside, key=lambda s: s.span.end_line - s.span.start_line).qualified if inside else None
    return Source(0, path, start, end, "".join(lines), symbol, "editor")


def _around(lines: Sequence[str], symbols: Sequence[Symbol], cursor: int, room: int) -> tuple[int, int]:
    """The largest definition around the cursor that fits, else the smallest, else the lines around it."""
    spans = sorted(
        ((s.span.start_line, s.span.end_line) for s in symbols if s.span.start_line <= cursor <= s.span.end_line),
        key=lambda span: span[0] - span[1],
    )
    fitting = [span for span in spans if estimated_tokens(lines[span[0] - 1 : span[1]]) <= room]
    around = (max(1, cursor - _ABOVE_CURSOR), len(lines))
    return fitting[0] if fitting else around if not spans or cursor - spans[-1][0] > _ABOVE_CURSOR else spans[-1]
