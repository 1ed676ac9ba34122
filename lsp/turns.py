"""Whose turn it is to work: many folders are opened at once, and each one's indexing takes all cores that it gets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Set

MOST = 2
"""That work at the same time."""
URGENT = 1
"""More, for those that somebody works in: they need not wait for others that take minutes."""


class Turns:
    """Turns by key, in the order of the requests, urgent ones first. On the event loop."""

    def __init__(self, urgent: Callable[[], Set[str]]) -> None:
        """``urgent``: the keys that are, at this moment."""
        self._urgent = urgent
        self._working: set[str] = set()
        self._waiting: dict[str, asyncio.Future[None]] = {}

    @property
    def waiting(self) -> Set[str]:
        """The keys whose turn is to come."""
        return self._waiting.keys()

    async def take(self, key: str) -> None:
        """Wait for the turn of ``key``, which has none and asks only once."""
        future = asyncio.get_running_loop().create_future()
        self._waiting[key] = future
        self.look()
        try:
            await future
        except asyncio.CancelledError:
            self._waiting.pop(key, None)
            self.give_back(key)
            raise

    def give_back(self, key: str) -> None:
        """The work is done; doing so twice is no error."""
        self._working.discard(key)
        self.look()

    def look(self) -> None:
        """Let those begin whose turn it is now; what is urgent may have changed."""
        while self._waiting:
            urgent = self._urgent()
            key = next((each for each in self._waiting if each in urgent), next(iter(self._waiting)))
            if len(self._working) >= MOST + (URGENT if key in urgent else 0):
                return
            future = self._waiting.pop(key)
            if not future.done():  # one that is cancelled does not know yet
                self._working.add(key)
                future.set_result(None)
