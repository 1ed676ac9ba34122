"""What search reads of an index: one generation, rows numbered over all of its segments."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, Protocol

from indexer.ranking import PathLook, PathWords
from indexer.types import Chunk, Symbol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from indexer.spelling import Spelling


class Definitions(NamedTuple):
    """Definitions of one name as parallel arrays: what ranking needs of thousands at once."""

    files: NDArray[np.int64]
    rows: NDArray[np.int64]
    """Row of the chunk that holds the first line."""
    kinds: NDArray[np.uint8]
    """Numbers in ``indexer.types.KINDS``."""
    start_lines: NDArray[np.int64]
    lines: NDArray[np.int64]
    """How many lines each covers."""
    exported: NDArray[np.bool_]
    exact: NDArray[np.bool_]
    """Whether the name is spelled as asked, not in another case."""
    scopes: NDArray[np.int64]
    """What encloses each, as ``Corpus.scope`` takes it; 0 at the top level."""

    @property
    def total(self) -> int:
        """How many there are."""
        return len(self.rows)

    def take(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> Definitions:
        """Some of them."""
        return Definitions(
            self.files[which],
            self.rows[which],
            self.kinds[which],
            self.start_lines[which],
            self.lines[which],
            self.exported[which],
            self.exact[which],
            self.scopes[which],
        )

    @staticmethod
    def joined(parts: Sequence[Definitions]) -> Definitions:
        """Several as one; of none there is none."""
        import numpy as np

        parts = [part for part in parts if part.total]
        if len(parts) == 1:
            return parts[0]
        if not parts:
            return _none()
        return Definitions(
            np.concatenate([part.files for part in parts]),
            np.concatenate([part.rows for part in parts]),
            np.concatenate([part.kinds for part in parts]),
            np.concatenate([part.start_lines for part in parts]),
            np.concatenate([part.lines for part in parts]),
            np.concatenate([part.exported for part in parts]),
            np.concatenate([part.exact for part in parts]),
            np.concatenate([part.scopes for part in parts]),
        )


@lru_cache(maxsize=1)
def _none() -> Definitions:
    import numpy as np

    nothing, flags = np.empty(0, np.int64), np.empty(0, np.bool_)
    return Definitions(nothing, nothing, np.empty(0, np.uint8), nothing, nothing, flags, flags, nothing)


class Near(NamedTuple):
    """Rows near to a vector and their cosines; ``floor`` is the mean cosine of all rows."""

    rows: NDArray[np.int64]
    cosines: NDArray[np.float32]
    floor: float


class Lookups(Protocol):
    """What only some queries read."""

    def files_that_may_hold(self, text: bytes, among: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
        """Live files (of those ``among``) that may hold ``text``, ascending; none of the others does."""
        ...

    def text_bytes(self, file_id: int) -> bytes:
        """A live file's text."""
        ...

    def chunk_starts(self, file_id: int) -> tuple[int, list[int]]:
        """The row of a live file's first chunk, and the byte at which each chunk starts."""
        ...

    def names_beginning(self, text: str) -> list[str]:
        """Names of definitions that begin with ``text``, in whatever ASCII case."""
        ...

    def terms_beginning(self, text: str) -> list[str]:
        """Terms that begin with ``text``."""
        ...


class Corpus(Protocol):
    """What search reads of one generation. A row is the dense number of a chunk over all of its segments."""

    @property
    def rows(self) -> int:
        """Number of rows, dead ones included."""
        ...

    @property
    def live_rows(self) -> int:
        """Number of rows that still exist."""
        ...

    @property
    def mean_length(self) -> float:
        """Terms in the average living chunk, at least 1."""
        ...

    @property
    def lengths(self) -> NDArray[np.float32]:
        """Terms in the chunk of each row, shape (rows,)."""
        ...

    @property
    def file_ids(self) -> NDArray[np.int32]:
        """File of each row, shape (rows,)."""
        ...

    def accumulator(self) -> NDArray[np.float32]:
        """Zeros, shape (rows,), to add scores up in; whoever takes it leaves zeros behind."""
        ...

    def postings(self, term: str) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
        """Live rows that hold ``term``, ascending, and how often each does (255: at least that)."""
        ...

    def nearest(self, vector: NDArray[np.float32], n: int, allowed: NDArray[np.bool_] | None) -> Near:
        """The ``n`` live rows (of those ``allowed``) nearest to a unit vector, best first, equal ones by row."""
        ...

    def files_with_path_term(self, term: str) -> NDArray[np.int32]:
        """Live files whose ``path_terms`` hold ``term``, ascending."""
        ...

    def files_in(self, language: str) -> NDArray[np.int32]:
        """Live files in a language, ascending."""
        ...

    def all_files(self) -> list[tuple[int, str]]:
        """Ids and paths of all live files."""
        ...

    def rows_of_kinds(self, kinds: Sequence[int]) -> NDArray[np.int64]:
        """Live rows in which a definition of one of these kinds (numbers in ``types.KINDS``) begins, some twice."""
        ...

    def definitions(self, name: str) -> Definitions:
        """Live definitions by bare name, in whatever ASCII case."""
        ...

    def scope(self, number: int) -> str:
        """Qualified name of a scope of ``Definitions``; empty for 0."""
        ...

    def close_terms(self, term: str, edits: int) -> tuple[Spelling, ...]:
        """The terms of living rows likeliest to be meant by one that no row holds, at most ``edits`` from it."""
        ...

    def close_names(self, name: str, edits: int) -> tuple[Spelling, ...]:
        """The same among names of living definitions, in whatever ASCII case."""
        ...

    def lookups(self) -> Lookups:
        """Texts by the bytes in them; names and terms by their beginnings."""
        ...

    def path(self, file_id: int) -> str:
        """Path of a file, relative to the root."""
        ...

    def language(self, file_id: int) -> str:
        """Language of a file."""
        ...

    def path_looks(self, file_ids: Sequence[int]) -> list[PathLook]:
        """What the path of each file says at a glance."""
        ...

    def path_words(self, file_id: int) -> PathWords:
        """The terms of a file's path."""
        ...

    def first_row(self, file_id: int) -> int | None:
        """Row of a file's first chunk; None if it has none."""
        ...

    def chunk(self, row: int) -> Chunk:
        """The chunk of a row."""
        ...

    def chunk_symbols(self, row: int) -> Sequence[Symbol]:
        """Definitions that overlap the chunk of a row, in the file's order."""
        ...
