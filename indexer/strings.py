"""Sorted tables of strings in a memory map: a segment's terms and names, numbered by their order.

Looked up by halves at first, so that opening a segment reads none of them; one that is asked again and again, as a
language server's is, gets a dictionary.
"""

from __future__ import annotations

import mmap
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

_ASKED_OFTEN = 32
"""Look-ups after which a dictionary pays: those of about three queries."""
_MOST_IN_DICTIONARY = 1 << 16
"""Strings of a table that may get one: about 10 MB, made in 30 ms."""


class Strings:
    """A sorted table of distinct byte strings; ``ends`` has one entry more than strings, counted from ``start``."""

    def __init__(self, data: mmap.mmap | bytes, start: int, ends: NDArray[Any]) -> None:
        self._data = data
        self._start = start
        # A memory view gives ints five times faster than an array does.
        self._ends = memoryview(np.ascontiguousarray(ends).data)
        self._asked = 0
        self._table: dict[bytes, int] | None = None

    def __len__(self) -> int:
        return max(0, len(self._ends) - 1)

    def __getitem__(self, number: int) -> bytes:
        start = self._start
        return self._data[start + self._ends[number] : start + self._ends[number + 1]]

    def find(self, key: bytes) -> int | None:
        """Number of ``key``, or None."""
        if self._table is not None:
            return self._table.get(key)
        if self._pays():
            self._table = {string: number for number, string in enumerate(self.all())}
            return self._table.get(key)
        low = self.first(key)
        return low if low < len(self) and self[low] == key else None

    def first(self, key: bytes) -> int:
        """Number of the first string that is not less than ``key``."""
        data, start, ends = self._data, self._start, self._ends
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) >> 1
            if data[start + ends[middle] : start + ends[middle + 1]] < key:
                low = middle + 1
            else:
                high = middle
        return low

    def _pays(self) -> bool:
        """Whether a dictionary of all strings pays. Counts a look-up."""
        self._asked += 1
        return self._asked > _ASKED_OFTEN and len(self) <= _MOST_IN_DICTIONARY

    def text(self) -> bytes:
        """All strings one after the other."""
        return self._data[self._start : self._start + self._ends[len(self)]] if len(self) else b""

    def numbers_at(self, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
        """Numbers of the strings that the bytes ``offsets`` of ``text`` belong to."""
        return np.searchsorted(np.asarray(self._ends), offsets, "right") - 1

    def extents(self, numbers: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where in ``text`` strings start, and how long they are."""
        ends = np.asarray(self._ends)
        starts = ends[numbers].astype(np.int64)
        return starts, ends[numbers + 1].astype(np.int64) - starts

    def all(self) -> list[bytes]:
        """Every string, in order."""
        data, ends = self.text(), self._ends.tolist()
        return [data[a:b] for a, b in pairwise(ends)]


class FoldedStrings(Strings):
    """Strings sorted by their ASCII lower case first, so that those that differ in case stand together."""

    _folded: dict[bytes, int] | None = None
    """Lower case → the first string with it."""

    def first(self, key: bytes) -> int:
        """Number of the first string whose lower case is not less than ``key``."""
        data, start, ends = self._data, self._start, self._ends
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) >> 1
            if data[start + ends[middle] : start + ends[middle + 1]].lower() < key:
                low = middle + 1
            else:
                high = middle
        return low

    def find_all(self, key: bytes) -> range:
        """Numbers of all strings that equal ``key`` but for ASCII case."""
        key = key.lower()
        if self._folded is None and self._pays():
            first_of: dict[bytes, int] = {}
            for number, string in enumerate(self.all()):
                first_of.setdefault(string.lower(), number)
            self._folded = first_of
        first = last = self.first(key) if self._folded is None else self._folded.get(key, len(self))
        while last < len(self) and self[last].lower() == key:
            last += 1
        return range(first, last)


def folded(name: bytes) -> tuple[bytes, bytes]:
    """The order of ``FoldedStrings``."""
    return name.lower(), name
