"""A dictionary that is emptied when it has grown too large: for what is read again and again within a short time."""

from __future__ import annotations

from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Kept(Generic[K, V]):
    """Values by key until their sizes together exceed ``budget``; then only the newest stays."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._size = 0
        self._values: dict[K, V] = {}

    def get(self, key: K) -> V | None:
        """The value, if it is still kept."""
        return self._values.get(key)

    def put(self, key: K, value: V, size: int) -> V:
        """Keep a value of this size; returns it."""
        self._size += size
        if self._size > self._budget:
            self._values.clear()
            self._size = size
        self._values[key] = value
        return value
