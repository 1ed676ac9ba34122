"""An outline → chunks: lossless, whole definitions where they fit, cut at syntax, then lines, then characters.

Every byte of the text is in exactly one chunk, in order. Cuts fall on line starts unless a line alone is as long as the
hard limit (twice the target), and never inside a UTF-8 character.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from indexer.analysis import ChunkRow
from indexer.outline import Block, ParsedFile

_TINY = 8
"""A piece smaller than target/8 (a class header, a closing brace) joins its neighbour even over the target."""


@dataclass(slots=True)
class _Piece:
    """A stretch that is not cut any more; ``group`` numbers the block whose part it is."""

    start: int
    end: int
    symbol: str | None
    group: int


def chunk(parsed: ParsedFile, text: bytes, target_bytes: int) -> list[ChunkRow]:
    """Cut ``text`` along ``parsed.outline`` into chunks of about ``target_bytes``, none above twice that.

    Uses nothing of ``parsed`` but the outline, so a file whose parse failed is cut by lines.
    """
    if not text:
        return []
    limit = 2 * target_bytes
    pieces = [
        piece
        for part in _along_outline(parsed.outline, _Lines(text, limit), len(text), limit)
        for piece in _by_lines(part, text, target_bytes)
    ]
    return list(_rows(_without_tiny(_merged(pieces, target_bytes), target_bytes), text))


def chunk_lines(text: bytes, target_bytes: int) -> list[ChunkRow]:
    """Cut ``text`` at blank lines and line ends only."""
    return chunk(ParsedFile("", ""), text, target_bytes)


class _Lines:
    """Where a cut may fall near a wanted offset."""

    def __init__(self, text: bytes, limit: int) -> None:
        self._text = text
        self._limit = limit

    def cut(self, wanted: int, after: int) -> int:
        """``wanted`` moved to the start of its line; stays mid-line only in lines of ``limit`` bytes and more.

        Returns ``after`` (no cut) if the line starts at or before it.
        """
        text = self._text
        low = max(0, wanted - self._limit)  # no further back: one long line may have very many blocks
        start = text.rfind(b"\n", low, wanted) + 1
        if start or not low:
            end = text.find(b"\n", wanted, start + self._limit)
            if end >= 0 or start + self._limit > len(text):
                return max(start, after)
        while wanted > after and wanted < len(text) and text[wanted] & 0xC0 == 0x80:
            wanted -= 1
        return max(wanted, after)


def _along_outline(outline: Sequence[Block], lines: _Lines, size: int, limit: int) -> Iterator[_Piece]:
    """Pieces that cover ``[0, size)``: blocks up to ``limit`` stay whole, larger ones are cut between their parts.

    What stands between two blocks (blank lines aside, mostly punctuation) goes with the one before it.
    """
    position, groups = 0, 0
    # Each entry: parts still to do (reversed), symbol of the block they are parts of, its group, where it ends.
    stack: list[tuple[list[Block], str | None, int, int]] = [(list(reversed(outline)), None, 0, size)]
    while stack:
        parts, symbol, group, end = stack[-1]
        if not parts:
            stack.pop()
            stop = size if not stack else lines.cut(end, position)
            if stop > position:
                yield _Piece(position, stop, symbol, group)
                position = stop
            continue
        block = parts.pop()
        start = lines.cut(block.start_byte, position)
        if start > position:
            yield _Piece(position, start, symbol, group)
            position = start
        if block.children and block.end_byte - block.start_byte > limit:
            groups += 1
            stack.append((list(reversed(block.children)), block.symbol or symbol, groups, block.end_byte))
            continue
        following = parts[-1].start_byte if parts else end
        stop = lines.cut(following, position) if parts else lines.cut(end, position)
        if stop > position:
            yield _Piece(position, stop, block.symbol or symbol, group)
            position = stop


def _by_lines(piece: _Piece, text: bytes, target: int) -> Iterator[_Piece]:
    """``piece`` itself if it fits, else parts of it cut at blank lines, line ends, or characters."""
    start, limit = piece.start, 2 * target
    while piece.end - start > limit:
        cut = text.rfind(b"\n\n", start + target // 2, start + target + target // 2) + 2
        if cut < 2:
            cut = text.rfind(b"\n", start + target // 2, start + target) + 1
        if cut < 1:
            cut = text.find(b"\n", start, start + limit) + 1
        if cut < 1:
            cut = start + limit
            while text[cut] & 0xC0 == 0x80:
                cut -= 1
        yield _Piece(start, cut, piece.symbol, piece.group)
        start = cut
    yield _Piece(start, piece.end, piece.symbol, piece.group)


def _merged(pieces: Sequence[_Piece], target: int) -> list[_Piece]:
    """Small neighbours of one block together, up to ``target``."""
    merged: list[_Piece] = []
    for piece in pieces:
        last = merged[-1] if merged else None
        if last and piece.group == last.group and piece.end - last.start <= target:
            last.end = piece.end
            last.symbol = last.symbol or piece.symbol
        else:
            merged.append(piece)
    return merged


def _without_tiny(pieces: Sequence[_Piece], target: int) -> list[_Piece]:
    """Tiny pieces join a neighbour, up to twice ``target``: a header what it heads, all else what stands before it."""
    kept: list[_Piece] = []
    for number, piece in enumerate(pieces):
        following = pieces[number + 1] if number + 1 < len(pieces) else None
        if (piece.end - piece.start) * _TINY < target:
            joins_next = following is not None and following.end - piece.start <= 2 * target
            joins_last = bool(kept) and piece.end - kept[-1].start <= 2 * target
            if following and joins_next and (not joins_last or _heads(piece.symbol, following.symbol)):
                following.start = piece.start
                following.symbol = piece.symbol or following.symbol
                continue
            if joins_last:
                kept[-1].end = piece.end
                kept[-1].symbol = kept[-1].symbol or piece.symbol
                continue
        kept.append(piece)
    return kept


def _heads(outer: str | None, inner: str | None) -> bool:
    """Whether ``inner`` is ``outer`` or a member of it."""
    return outer is not None and inner is not None and (inner == outer or inner.startswith(outer + "."))


def _rows(pieces: Sequence[_Piece], text: bytes) -> Iterator[ChunkRow]:
    line = 1
    for piece in pieces:
        feeds = text.count(b"\n", piece.start, piece.end)
        last = line + feeds - text.endswith(b"\n", piece.start, piece.end)
        yield ChunkRow(piece.start, piece.end, line, last, piece.symbol)
        line += feeds
