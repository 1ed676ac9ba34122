"""Texts → vectors: the static embedding that ships, an ONNX model, or any sentence-transformers model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from indexer.errors import BadInputError, BrokenInstallError
from indexer.terms import parts, split_words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from indexer.embed_onnx import OnnxEmbedder

STATIC = "static"
"""Name of the shipped embedding in the configuration."""
_STATIC_VERSION = "static-code-256-2"
"""What an index records for it; changes whenever the shipped vectors or the way of using them change."""
_DATA = Path(__file__).parent / "data"
_LONGEST_PART = 40
_MEMO_LIMIT = 200_000
_MOST_SCANS = 24
"""Searches through the text of the entries, 0.1 ms each, before a table of them is made."""


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


class PieceEmbedder(Embedder, Protocol):
    """One that needs only counts of word pieces, so that a text need not be looked at again for it."""

    pieces: int
    """Number of all pieces."""

    def pieces_of(self, found: Sequence[str]) -> Sequence[int]:
        """Numbers of the pieces of a word with these parts (``indexer.terms.parts``)."""
        ...

    def embed_pieces(
        self, ends: NDArray[np.int64], pieces: NDArray[np.uint32], counts: NDArray[np.uint32]
    ) -> NDArray[np.float32]:
        """Vectors of bags: bag i has ``counts`` of ``pieces``, ascending, from ``ends[i]`` up to ``ends[i + 1]``."""
        ...


def pieces_of(embedder: Embedder) -> PieceEmbedder | None:
    """The embedder, if counts of pieces are enough for it."""
    return embedder if isinstance(embedder, StaticEmbedder) else None


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
            # Without the memory map's class around it, which costs a microsecond whenever it is sliced.
            self._vectors: NDArray[np.int8] = np.asarray(np.load(folder / "static-vectors.npy", mmap_mode="r"))
            self._scales: NDArray[np.float32] = np.load(folder / "static-scales.npy")
            self._entries = (folder / "static-entries.txt").read_bytes()
        except (OSError, ValueError) as exc:
            raise BrokenInstallError(
                f"The embedding that ships with codemoat cannot be read: {exc}.", "Install codemoat again."
            ) from exc
        self.pieces = self._entries.count(b"\n") + 1
        if not self.pieces == len(self._vectors) == len(self._scales):
            raise BrokenInstallError("The embedding that ships with codemoat is damaged.", "Install codemoat again.")
        self.dimension = int(self._vectors.shape[1])
        self._asked = False
        """Whether there was a query: who asks again is better off with all entries in a table."""

    @cached_property
    def _pieces(self) -> Pieces:
        """Made when texts are embedded; the first query does without."""
        return Pieces(_numbered(self._entries))

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of ``texts``: float32, shape (len(texts), dimension); zeros for a text without any known word."""
        import numpy as np

        piece_numbers = self._pieces.__getitem__
        bags = [Counter(chain.from_iterable(map(piece_numbers, split_words(text)))) for text in texts]
        ends = np.cumsum([0, *map(len, bags)])
        pieces = np.fromiter((piece for bag in bags for piece in sorted(bag)), np.uint32, ends[-1])
        counts = np.fromiter((bag[piece] for bag in bags for piece in sorted(bag)), np.uint32, ends[-1])
        return self.embed_pieces(ends, pieces, counts)

    def pieces_of(self, found: Sequence[str]) -> tuple[int, ...]:
        """Numbers of the pieces of a word with these parts."""
        return self._pieces.of_parts(found)

    def embed_pieces(
        self, ends: NDArray[np.int64], pieces: NDArray[np.uint32], counts: NDArray[np.uint32]
    ) -> NDArray[np.float32]:
        """Vectors of bags of pieces: float32, shape (len(ends) - 1, dimension); zeros for an empty bag."""
        import numpy as np

        vectors = self._vectors
        weights = np.sqrt(counts.astype(np.float32)) * self._scales[pieces]
        out = np.zeros((len(ends) - 1, self.dimension), np.float32)
        # One product a bag: its sum is then the same whatever other bags there are.
        for row, (start, end) in enumerate(pairwise(ends.tolist())):
            if end > start:
                np.dot(weights[start:end], vectors[pieces[start:end]].astype(np.float32), out=out[row])
        norms = np.sqrt(np.einsum("ij,ij->i", out, out))[:, None]
        np.divide(out, norms, out=out, where=norms > 0)
        return out

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """The vector of a query: float32, shape (dimension,)."""
        if "_pieces" in self.__dict__ or self._asked:
            words = self._pieces
        else:
            words, self._asked = Pieces(_Scanned(self._entries), reach=(_ANY_LETTER, _ANY_LETTER)), True
        import numpy as np

        bag = Counter(chain.from_iterable(map(words.__getitem__, split_words(text))))
        pieces = sorted(bag)
        counts = [bag[piece] for piece in pieces]
        ends, numbers = np.array([0, len(pieces)]), np.array(pieces, np.uint32)
        vector: NDArray[np.float32] = self.embed_pieces(ends, numbers, np.array(counts, np.uint32))[0]
        return vector

    def holds(self, word: str) -> bool:
        """Whether ``word`` has a vector of its own."""
        if "_pieces" in self.__dict__:
            return self._pieces.holds(word)
        return _Scanned(self._entries).get(word) is not None


def _numbered(entries: bytes) -> dict[str, int]:
    return {entry: number for number, entry in enumerate(entries.decode().split("\n"))}


class _Scanned:
    """Numbers of entries, found by searching their text: faster than a table of all of them for a few look-ups."""

    def __init__(self, entries: bytes) -> None:
        self._entries = entries
        self._text = b"\n%b\n" % entries
        self._table: dict[str, int] | None = None
        self._left = _MOST_SCANS

    def get(self, entry: str) -> int | None:
        """The number of an entry."""
        if self._table is None and not self._left:
            self._table = _numbered(self._entries)
        if self._table is not None:
            return self._table.get(entry)
        self._left -= 1
        at = self._text.find(b"\n%b\n" % entry.encode("utf-8", "surrogatepass"))
        return None if at < 0 else self._text.count(b"\n", 0, at)


class _AnyLetter(dict[str, int]):
    """Entries may be of any length."""

    def get(self, _letter: str, _other: int = 0) -> int:  # type: ignore[override]
        return _LONGEST_PART + 2


_ANY_LETTER = _AnyLetter()


class Pieces(dict[str, tuple[int, ...]]):
    """Word of a text → numbers of its pieces, worked out once a word."""

    def __init__(
        self, entries: dict[str, int] | _Scanned, reach: tuple[dict[str, int], dict[str, int]] | None = None
    ) -> None:
        """``reach``: how long entries are at most by their first letter, at the start of a part and inside of one."""
        super().__init__()
        self._entries = entries
        self._parts: dict[str, tuple[int, ...]] = {}
        self._reach = reach or _reach(entries if isinstance(entries, dict) else {})

    def holds(self, piece: str) -> bool:
        """Whether ``piece`` is an entry."""
        return self._entries.get(piece) is not None

    def __missing__(self, word: str) -> tuple[int, ...]:
        if len(self) >= _MEMO_LIMIT:
            self.clear()
        found = self[word] = self.of_parts(parts(word))
        return found

    def of_parts(self, parts_of_word: Iterable[str]) -> tuple[int, ...]:
        """Numbers of the pieces of these parts, which are remembered: they are far fewer than words."""
        known = self._parts
        if len(known) >= _MEMO_LIMIT:
            known.clear()
        found: tuple[int, ...] = ()
        for part in parts_of_word:
            if 1 < len(part) <= _LONGEST_PART:
                pieces = known.get(part)
                if pieces is None:
                    pieces = known[part] = tuple(self._cut(part))
                found += pieces
        return found

    def _cut(self, part: str) -> list[int]:
        """Longest known pieces of ``part`` from the left; letters that start none are left out."""
        entries, (reach, reach_inside) = self._entries, self._reach
        found: list[int] = []
        number = None
        for end in range(min(reach.get(part[0], 0), len(part)), 0, -1):
            number = entries.get(part[:end])
            if number is not None:
                found.append(number)
                break
        rest = part[end:] if number is not None else part[1:]
        while rest:
            marked, taken = "##" + rest, 1
            for end in range(min(reach_inside.get(rest[0], 0), len(marked)), 2, -1):
                number = entries.get(marked[:end])
                if number is not None:
                    found.append(number)
                    taken = end - 2
                    break
            rest = rest[taken:]
        return found


def _reach(entries: Iterable[str]) -> tuple[dict[str, int], dict[str, int]]:
    """For ``Pieces``."""
    starting: dict[str, int] = {}
    inside: dict[str, int] = {}
    for entry in entries:
        reach, first = (inside, entry[2:3]) if entry.startswith("##") else (starting, entry[:1])
        if len(entry) > reach.get(first, 0):
            reach[first] = len(entry)
    return starting, inside


class TransformerEmbedder:
    """A sentence-transformers model from a folder or by its hub name."""

    def __init__(self, name: str, *, fetch: bool = False) -> None:
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as exc:
            raise BadInputError(
                f"The embedding model {name} needs the sentence-transformers library, which is not installed.",
                "In a clone of codemoat run: pip install -e '.[transformers]' — or set index.embedder to static.",
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
