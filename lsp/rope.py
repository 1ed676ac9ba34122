"""A text in blocks, for many edits one after the other: what an edit costs does not depend on the size of the text.

A list of lines is the better form for single edits and for reading, but an edit in a line copies the line, and one that
adds a line moves all lines after it. Here an edit copies a block or two, and finds its place from where the last one
was, since editors send many edits sorted.

After the chunked text of editors such as Xi and Zed, without the tree: the blocks are few enough to be walked.
"""

from __future__ import annotations

import re

from lsp.convert import Position, Units, halves, join_surrogates

_BREAK = re.compile(r"\r\n|\r|\n")
_SIZE = 2_048
"""Characters of a block; up to twice as many before it is cut."""
_LEAP = 64
"""Blocks that are passed over at once."""


class Rope:
    """One text, edited in place. No block ends inside of a line break or between two halves of a character."""

    def __init__(self, text: str, units: Units) -> None:
        self._units = units
        self._blocks: list[str] = []
        self._breaks: list[int] = []
        """Line breaks of each block."""
        self._widths: list[int] = []
        """Units of each block."""
        self._near, self._line = 0, 0
        """A block, and the line breaks before it: where the last edit was."""
        self.copied = 0
        """Characters that edits copied so far."""
        self._lines = 0
        self._put(0, 0, text)

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self._blocks)

    def replace(self, start: Position, end: Position, new: str) -> None:
        """Change a range as a client does; positions outside are moved to the nearest place."""
        first = self._find(start)
        more = end.character - max(0, start.character)
        if start.line == end.line and more >= 0 and self._blocks[first[0]].isascii():
            # Every unit is a character here, so the start is exactly where it was asked for, or at the line's end.
            second = self._walk(*first[:2], more)
        else:
            near = self._near, self._line
            second = self._find(end)
            self._near, self._line = near
        if second < first:
            first, second = second, first
        (at, column, split), (last, behind, cut) = first, second
        head = self._blocks[at][:column] + (halves(self._blocks[at][column])[0] if split else "")
        tail = self._blocks[last][behind:]
        if cut:
            tail = halves(tail[0])[1] + tail[1:]
        merged = head + new + tail
        # What stands at the seams may belong to one line break or character with what is beside it.
        if at > 0 and (not merged or _joins(self._blocks[at - 1][-1], merged[0])):
            at -= 1
            merged = self._blocks[at] + merged
        if last + 1 < len(self._blocks) and merged and _joins(merged[-1], self._blocks[last + 1][0]):
            last += 1
            merged += self._blocks[last]
        if len(merged) <= _SIZE // 4 and last + 1 < len(self._blocks):
            last += 1
            merged += self._blocks[last]
        while self._near > at:
            self._near -= 1
            self._line -= self._breaks[self._near]
        self._put(at, last + 1, join_surrogates(merged))

    def _put(self, start: int, end: int, text: str) -> None:
        """Put a text in the place of some blocks."""
        self.copied += len(text)
        before = sum(self._breaks[start:end])
        blocks = self._cut(text) if len(text) > 2 * _SIZE else [text]
        self._blocks[start:end] = blocks
        self._breaks[start:end] = breaks = [_count(block) for block in blocks]
        self._widths[start:end] = [self._units.width(block) for block in blocks]
        self._lines += sum(breaks) - before

    def _cut(self, text: str) -> list[str]:
        blocks, start = [], 0
        while start < len(text):
            end = min(start + _SIZE, len(text))
            if end < len(text) and _joins(text[end - 1], text[end]):
                end += 1
            blocks.append(text[start:end])
            start = end
        return blocks

    def _find(self, position: Position) -> tuple[int, int, bool]:
        """The block of a position, the place in it, and whether that splits a character."""
        line = max(0, position.line)
        if line > self._lines:
            return len(self._blocks) - 1, len(self._blocks[-1]), False
        block = self._seek(line)
        offset = _start_of(self._blocks[block], line - self._line, self._breaks[block]) if line else 0
        return self._walk(block, offset, max(0, position.character))

    def _seek(self, line: int) -> int:
        """The block that holds the line break before a line, the first one for the first line."""
        near, before, breaks = self._near, self._line, self._breaks
        while near >= _LEAP and before - (leap := sum(breaks[near - _LEAP : near])) >= line:
            near, before = near - _LEAP, before - leap
        while near > 0 and before >= line:
            near -= 1
            before -= breaks[near]
        while before + (leap := sum(breaks[near : near + _LEAP])) < line:
            near, before = near + _LEAP, before + leap
        while before + breaks[near] < line:
            before += breaks[near]
            near += 1
        self._near, self._line = near, before
        return near

    def _walk(self, at: int, offset: int, character: int) -> tuple[int, int, bool]:
        """So many units from a place on, but not beyond its line."""
        breaks, widths, leaps = self._breaks, self._widths, True
        while True:
            while leaps and offset == 0 and at + _LEAP < len(breaks):
                leap = sum(widths[at : at + _LEAP])
                leaps = leap < character and not any(breaks[at : at + _LEAP])
                if leaps:
                    at, character = at + _LEAP, character - leap
            block = self._blocks[at]
            if offset == 0 and not breaks[at]:
                if widths[at] < character and at + 1 < len(breaks):
                    character -= widths[at]
                    at += 1
                    continue
                piece, ends = block, False
            else:
                end = _end_of(block, offset)
                piece, ends = (block[offset:], False) if end < 0 else (block[offset:end], True)
            if not ends and at + 1 < len(self._blocks):
                width = self._units.width(piece)
                if width < character:
                    character -= width
                    at, offset = at + 1, 0
                    continue
            column, split = self._units.column(piece, character)
            return at, offset + column, split


def _count(text: str) -> int:
    """Line breaks."""
    feeds = text.count("\n")
    return feeds + text.count("\r") - text.count("\r\n") if "\r" in text else feeds


def _start_of(block: str, number: int, count: int) -> int:
    """Where the line after a block's ``number``-th line break of ``count`` begins."""
    if "\r" in block and block.count("\n") < count:  # some breaks are a carriage return alone
        return next(found.end() for index, found in enumerate(_BREAK.finditer(block), 1) if index == number)
    if 2 * number <= count:
        return len(block) - len(block.split("\n", number)[-1])
    return len(block.rsplit("\n", count - number + 1)[0]) + 1


def _end_of(block: str, offset: int) -> int:
    """Where the line of a place ends, -1 if not in this block."""
    feed, carriage = block.find("\n", offset), block.find("\r", offset)
    return max(feed, carriage) if min(feed, carriage) < 0 else min(feed, carriage)


def _joins(left: str, right: str) -> bool:
    """Whether two characters side by side are one line break or one character."""
    return (left == "\r" and right == "\n") or ("\ud800" <= left <= "\udbff" and "\udc00" <= right <= "\udfff")
