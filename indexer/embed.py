"""Texts → vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Embedder(Protocol):
    """Turns texts into unit vectors, so that a dot product is a cosine."""

    name: str
    """What an index records; two embedders of one name give the same vectors."""
    dimension: int

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of ``texts``: float32, shape (len(texts), dimension), rows of length 1 (0 for a text without words)."""
        ...

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """The vector of a query: float32, shape (dimension,)."""
        ...
