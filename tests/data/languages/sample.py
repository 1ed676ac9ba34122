"""Module docstring."""
from __future__ import annotations

import os.path as osp
from collections.abc import Iterator
from .errors import (
    StoreError as Failure,
)

LIMIT = 10
default_name, other = "a", "b"
type Rows = list[int]

try:
    import fast
except ImportError:
    fast = None


@decorate(LIMIT)
class Index(Base):
    """An index."""

    path: str
    size: int = 0

    def __init__(self, path: str) -> None:
        self.path = path
        local = 1

    @property
    def rows(
        self,
        limit: int = LIMIT,
    ) -> Iterator[Rows]:
        def inner(x: int) -> Failure:
            return x.unusual_member

        yield from helper(inner, default_name)

    class Nested:
        pass


async def helper(rows: Rows) -> Index:
    return Index(osp.join("a", "b"))
