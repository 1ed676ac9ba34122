"""What a question names → snippets of it that fit, before anything that search finds; and facts for the prompt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assistant.context import CodeIndex, Source
from assistant.mentions import Mention, Mentions
from assistant.path_names import PathNames
from assistant.stretches import LINE, FileText, Place, choose, estimated_tokens
from indexer.reasons import visible

ALONE_SHARE = 0.85
"""Most of the snippets' budget for what is named, where the question is about nothing else."""
SHARE = 0.6
FIRST_SHARE = 0.55
"""Most of that for the first of several."""
HEAD_SHARE = 0.55
"""Most of a file's room that its beginning gets."""
LEAST_TOKENS = 90.0
_LISTED_FILES = 40
_LISTED_NAMES = 24
_NAME_CHARACTERS = 80
"""Of a path or a name in a list: a longer one is cut in the middle."""
_LIST_CHARACTERS = 1_200
"""Of all names of a list."""
_SHORT_FILE = 60
"""Lines up to which a file's definitions need not be listed."""
_BEFORE = 2
"""Of the lines around one that matters, one in so many and less stands before it."""


def pinned_sources(index: CodeIndex, asked: str, mentions: Sequence[Mention], budget: int) -> list[Source]:
    """Snippets of what is named, without numbers, in order; each place once. ``budget``: tokens, estimated."""
    out: list[Source] = []
    left = float(budget)
    for number, mention in enumerate(mentions):
        text = index.text(mention.path)
        if text is None or not text.strip() or left < LEAST_TOKENS:
            continue
        rest = len(mentions) - number
        room = left if rest == 1 else max(left * (FIRST_SHARE if number == 0 else 1 / rest), LEAST_TOKENS)
        lines = LINE.findall(text)
        for source in _snippets(index, asked, mention, lines, room):
            left -= _add(out, source, lines)
    return out


def described(index: CodeIndex, names: PathNames, mentions: Mentions) -> str:
    """What the model must know of named files and folders beyond snippets: what lies in them."""
    out: list[str] = []
    for folder in mentions.folders[:2]:
        below = [path[len(folder) + 1 :] for path in names.below(folder)]
        below.sort(key=lambda path: (path.count("/"), path))
        out.append(f"The folder {_name(folder)}/ has {len(below)} files: {_listed(below, _LISTED_FILES)}. ")
    for mention in mentions.pinned:
        if mention.kind != "file":
            continue
        text = index.text(mention.path)
        if text is not None and not text.strip():
            out.append(f"{_name(mention.path)} is empty. ")
        elif text is not None and text.count("\n") > _SHORT_FILE:
            top = [s.name for s in index.file_symbols(mention.path) if s.parent is None and s.kind != "section"]
            if top := list(dict.fromkeys(top)):
                out.append(f"{_name(mention.path)} defines {_listed(top, _LISTED_NAMES)}. ")
    return "".join(out)


def _name(text: str) -> str:
    """A name as the prompt has it: on one line, and no longer than a name needs to be."""
    text = visible(text[:_NAME_CHARACTERS] + text[-_NAME_CHARACTERS:] if len(text) > 2 * _NAME_CHARACTERS else text)
    half = _NAME_CHARACTERS // 2
    return text if len(text) <= _NAME_CHARACTERS else f"{text[:half]}…{text[-half:]}"


def _listed(names: Sequence[str], most: int) -> str:
    """The first of ``names``, at most ``most`` and no more than there is room for, and how many there are besides."""
    shown: list[str] = []
    left = _LIST_CHARACTERS
    for name in map(_name, names[:most]):
        left -= len(name) + 2
        if left < 0:
            break
        shown.append(name)
    more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    return ", ".join(shown) + more


def _snippets(index: CodeIndex, asked: str, mention: Mention, lines: Sequence[str], room: float) -> Iterator[Source]:
    first, last = mention.first, mention.last or len(lines)
    if mention.line:
        first, last = _around(lines, first, min(last, len(lines)), mention.line, room)
        yield _source(mention.path, lines, first, last, mention.symbol)
        return
    if mention.first > 1 or mention.last or estimated_tokens(lines) <= room:
        yield _source(mention.path, lines, first, _fitting(lines, first, min(last, len(lines)), room), mention.symbol)
        return
    end = _fitting(lines, 1, len(lines), HEAD_SHARE * room)
    yield _source(mention.path, lines, 1, end, None)
    rest = room - estimated_tokens(lines[:end])
    whole = [Place(end + 1, len(lines), None)]
    file = FileText(mention.path, list(lines), index.file_symbols(mention.path), whole, 1.0)
    for stretch in choose([file], asked, int(rest)) if rest > LEAST_TOKENS else ():
        if stretch.first >= end:
            yield _source(mention.path, lines, stretch.first + 1, stretch.last, stretch.symbol)


def _fitting(lines: Sequence[str], first: int, last: int, room: float) -> int:
    """The last line of ``first..last`` with which they fit into ``room``; at least the first."""
    end = first
    while end < last and estimated_tokens(lines[first - 1 : end + 1]) <= room:
        end += 1
    while end > first and not lines[end - 1].strip():
        end -= 1
    return end


def _around(lines: Sequence[str], first: int, last: int, line: int, room: float) -> tuple[int, int]:
    """The lines of ``first..last`` around ``line`` that fit, most of them before it, where its values come from."""
    low = high = min(max(line, first), last)
    turn = 0
    while low > first or high < last:
        turn += 1
        up = low > first and (turn % (_BEFORE + 1) or high == last)
        wider = (low - 1, high) if up else (low, min(last, high + 1))
        if estimated_tokens(lines[wider[0] - 1 : wider[1]]) > room:
            break
        low, high = wider
    return low, high


def _source(path: str, lines: Sequence[str], first: int, last: int, symbol: str | None) -> Source:
    return Source(0, path, first, last, "".join(lines[first - 1 : last]), symbol)


def _add(out: list[Source], source: Source, lines: Sequence[str]) -> float:
    """Put ``source`` into ``out``, joined with one that it touches; what it costs in tokens."""
    for number, other in enumerate(out):
        between = lines[min(other.end_line, source.end_line) : max(other.start_line, source.start_line) - 1]
        if other.path == source.path and not "".join(between).strip():
            first, last = min(other.start_line, source.start_line), max(other.end_line, source.end_line)
            out[number] = _source(source.path, lines, first, last, other.symbol)
            return estimated_tokens(LINE.findall(out[number].text)) - estimated_tokens(LINE.findall(other.text))
    out.append(source)
    return estimated_tokens(LINE.findall(source.text))
