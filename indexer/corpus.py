"""What search reads of an index: one generation, rows numbered over all of its segments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from indexer.types import Chunk

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Definition:
    """A defined symbol and the row of the chunk that holds its first line."""

    file_id: int
    row: int
    name: str
    qualified: str
    """Dotted name within the file, e.g. ``Index.search``."""
    kind: str
    start_line: int
    end_line: int
    exported: bool


class Corpus(Protocol):
    """What search reads of one generation. A row is the dense number of a chunk over all of its segments."""

    @property
    def rows(self) -> int:
        """Number of rows, dead ones included."""
        ...

    @property
    def file_count(self) -> int:
        """Number of live files."""
        ...

    @property
    def lengths(self) -> NDArray[np.float32]:
        """Terms in the chunk of each row, shape (rows,)."""
        ...

    @property
    def file_ids(self) -> NDArray[np.int32]:
        """File of each row, shape (rows,)."""
        ...

    @property
    def alive(self) -> NDArray[np.bool_] | None:
        """Which rows still exist, shape (rows,); None when all do."""
        ...

    def postings(self, term: str) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Live rows that hold ``term``, ascending, and how often each does."""
        ...

    def similarities(self, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        """Cosine of every row with ``vector``, shape (rows,); -inf where it was not looked at."""
        ...

    def files_with_path_term(self, term: str) -> NDArray[np.int32]:
        """Live files whose ``path_terms`` hold ``term``, ascending."""
        ...

    def definitions(self, name: str) -> list[Definition]:
        """Live definitions by bare name: the exact ones first, then those that differ in case only."""
        ...

    def path(self, file_id: int) -> str:
        """Path of a file, relative to the root."""
        ...

    def language(self, file_id: int) -> str:
        """Language of a file."""
        ...

    def chunk(self, row: int) -> Chunk:
        """The chunk of a row."""
        ...
