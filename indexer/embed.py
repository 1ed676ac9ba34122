"""Texts → vectors: the static embedding that ships, an ONNX model, or any sentence-transformers model."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from indexer.errors import BadInputError, BrokenInstallError
from indexer.terms import parts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from indexer.embed_onnx import OnnxEmbedder

STATIC = "static"
"""Name of the shipped embedding in the configuration."""
_STATIC_VERSION = "static-code-256-1"
"""What an index records for it; changes whenever the shipped vectors or the way of using them change."""
_DATA = Path(__file__).parent / "data"
WORD = re.compile(r"\w+")
_LONGEST_PART = 40
_MEMO_LIMIT = 200_000


class Embedder(Protocol):
    """Turns texts into unit vectors, so that a dot product is a cosine."""

    name: str
    """What an index records; two embedders of one name give the same vectors."""
    dimension: int

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of ``texts``: float32, shape (len(texts), dimension), rows of length 1, or all 0."""
        ...

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """The vector of a query: float32, shape (dimension,)."""
        ...


def embedding_text(text: str, symbol: str | None) -> str:
    """What is embedded for a chunk: what it defines, and its text.

    Not its path, though that carries words too: ranking looks at paths by itself (with the path in front NDCG@10 was
    .8906, without it .8909), and so a renamed or copied file keeps its vectors.
    """
    return f"{symbol or ''}\n{text}"


def load_embedder(name: str, *, fetch: bool = False, vectors: Path | None = None) -> Embedder:
    """The embedder that the configuration names: ``static``, a model's folder, ``.onnx`` file or hub name.

    ``vectors``: a folder where vectors of slow models are kept for all indexes of this machine.
    A model named by its hub name must already be in the local cache unless ``fetch`` allows the network. Loaded once.
    Raises BadInputError when the model or the library it needs is missing, BrokenInstallError for a damaged package.
    """
    if name == STATIC:
        return _load_static()
    embedder = _load_onnx(name) or _load_transformer(name, fetch)
    if vectors is None:
        return embedder
    from indexer.vector_cache import CachedEmbedder

    return CachedEmbedder(embedder, vectors)


@lru_cache(maxsize=1)
def _load_static() -> StaticEmbedder:
    return StaticEmbedder(_DATA)


def is_word(word: str) -> bool:
    """Whether a lower-case word is one of the shipped embedding's 48,000: English, or frequent in code."""
    return _load_static().holds(word)


@lru_cache(maxsize=2)
def _load_onnx(name: str) -> OnnxEmbedder | None:
    """The embedder of a name that means an ONNX model, None for other names."""
    from indexer.embed_onnx import OnnxEmbedder, onnx_model

    model = onnx_model(name)
    return None if model is None else OnnxEmbedder(model)


@lru_cache(maxsize=2)
def _load_transformer(name: str, fetch: bool) -> TransformerEmbedder:
    return TransformerEmbedder(name, fetch=fetch)


class StaticEmbedder:
    """Weighted mean of one vector a word piece, after model2vec (made by ``assistant.adapt``); numpy only.

    Identifiers are cut into their parts, parts into the longest known pieces from the left (WordPiece: Schuster &
    Nakajima, 2012). A piece counts with the square root of its occurrences, so that a repeated word does not drown
    the others. int8 vectors stay memory-mapped; opening takes milliseconds.
    """

    name = _STATIC_VERSION

    def __init__(self, folder: Path) -> None:
        import numpy as np

        try:
            self._vectors: NDArray[np.int8] = np.load(folder / "static-vectors.npy", mmap_mode="r")
            self._scales: NDArray[np.float32] = np.load(folder / "static-scales.npy")
            entries = (folder / "static-entries.txt").read_text("utf-8").split("\n")
        except (OSError, ValueError) as exc:
            raise BrokenInstallError(
                f"The embedding that ships with codemoat cannot be read: {exc}.", "Install codemoat again."
            ) from exc
        if not len(entries) == len(self._vectors) == len(self._scales):
            raise BrokenInstallError("The embedding that ships with codemoat is damaged.", "Install codemoat again.")
        self.dimension = int(self._vectors.shape[1])
        self._pieces = Pieces(dict(zip(entries, range(len(entries)), strict=True)))

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of ``texts``: float32, shape (len(texts), dimension); zeros for a text without any known word."""
        import numpy as np

        pieces_of = self._pieces.__getitem__
        out = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in enumerate(texts):
            counts = Counter(chain.from_iterable(map(pieces_of, WORD.findall(text))))
            if counts:
                ids = np.fromiter(counts.keys(), np.int32, len(counts))
                weights = np.sqrt(np.fromiter(counts.values(), np.float32, len(counts))) * self._scales[ids]
                out[row] = weights @ self._vectors[ids].astype(np.float32)
        norms = np.sqrt(np.einsum("ij,ij->i", out, out))[:, None]
        np.divide(out, norms, out=out, where=norms > 0)
        return out

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """The vector of a query: float32, shape (dimension,)."""
        vector: NDArray[np.float32] = self.embed([text])[0]
        return vector

    def holds(self, word: str) -> bool:
        """Whether ``word`` has a vector of its own."""
        return self._pieces.holds(word)


class Pieces(dict[str, tuple[int, ...]]):
    """Word of a text → numbers of its pieces, worked out once a word."""

    def __init__(self, entries: dict[str, int]) -> None:
        super().__init__()
        self._entries = entries
        self._longest = max(map(len, entries), default=0)

    def holds(self, piece: str) -> bool:
        """Whether ``piece`` is an entry."""
        return piece in self._entries

    def __missing__(self, word: str) -> tuple[int, ...]:
        if len(self) >= _MEMO_LIMIT:
            self.clear()
        found: list[int] = []
        for part in parts(word):
            if 1 < len(part) <= _LONGEST_PART:
                found.extend(self._cut(part))
        self[word] = tuple(found)
        return self[word]

    def _cut(self, part: str) -> list[int]:
        """Longest known pieces of ``part`` from the left; letters that start none are left out."""
        found: list[int] = []
        start = 0
        while start < len(part):
            mark = "##" if start else ""
            for end in range(min(len(part), start + self._longest), start, -1):
                number = self._entries.get(mark + part[start:end])
                if number is not None:
                    found.append(number)
                    start = end
                    break
            else:
                start += 1
        return found


class TransformerEmbedder:
    """A sentence-transformers model from a folder or by its hub name."""

    def __init__(self, name: str, *, fetch: bool = False) -> None:
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as exc:
            raise BadInputError(
                f"The embedding model {name} needs the sentence-transformers library, which is not installed.",
                "Install it with: pip install 'codemoat[transformers]' — or set index.embedder to static.",
            ) from exc
        folder = Path(name).expanduser()
        local = folder.is_dir()
        try:
            self._model: Any = SentenceTransformer(str(folder) if local else name, local_files_only=local or not fetch)
        except (OSError, ValueError, RuntimeError, KeyError, TypeError) as exc:
            if local:
                message = f"The folder {folder} does not hold a sentence-transformers model that can be loaded."
                raise BadInputError(message, "Give a folder with modules.json or config.json and the weights.") from exc
            raise BadInputError(
                f"The embedding model {name} is not on this machine.",
                f"Fetch it with: hf download {name} — or give the folder of a model, or set index.embedder to static.",
            ) from exc
        # A folder's own name, so that an index stays valid when the folder moves.
        self.name = folder.resolve().name if local else name
        self.dimension = int(self._model.get_embedding_dimension())

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of ``texts``: float32, shape (len(texts), dimension), rows of length 1."""
        import numpy as np

        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        vectors = self._model.encode_document(list(texts), normalize_embeddings=True, show_progress_bar=False)
        return np.ascontiguousarray(vectors, np.float32)

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """The vector of a query, with the model's query prompt where it has one: float32, shape (dimension,)."""
        import numpy as np

        vector = self._model.encode_query(text, normalize_embeddings=True, show_progress_bar=False)
        return np.ascontiguousarray(vector, np.float32)
