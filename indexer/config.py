"""What an index is made with."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from indexer.errors import BadInputError
from indexer.probing import is_folder


@dataclass(frozen=True, slots=True)
class IndexConfig:
    """Settings of one index. All sizes in bytes, times in seconds."""

    max_file_bytes: int = 1_000_000
    """Larger files are skipped and reported."""
    chunk_bytes: int = 1_500
    """Target size of a chunk; definitions up to twice this stay whole."""
    workers: int = 0
    """Parse processes; 0 means one a core, at most 8."""
    parse_deadline: float = 5.0
    """A file whose parse takes longer is taken by lines."""
    embedder: str = "static"
    """"static" (shipped), a sentence-transformers model by name or folder, or an ONNX folder."""
    in_repository: bool = False
    """Keep the index in ``.codemoat/`` inside the indexed folder instead of the user's cache directory."""
    cache_dir: Path | None = None
    """Where indexes live; None means the user's cache directory."""
    exclude: tuple[str, ...] = ()
    """Further patterns in .gitignore syntax, relative to the root."""
    include: tuple[str, ...] = ()
    """Folders, relative to the root, that alone are indexed; none means everything. For parts of a monorepo."""
    background: bool = False
    """Give way to everything else that wants the processor."""


def checked_includes(root: Path, include: tuple[str, ...]) -> list[str]:
    """The setting ``include`` as relative POSIX paths. Raises BadInputError for what is not a folder in the root."""
    found = []
    for name in include:
        path = os.path.normpath(name).replace(os.sep, "/")
        if path == ".":
            return []
        if path.startswith(("../", "/")) or path == ".." or not is_folder(root / path):
            raise BadInputError(
                f"index.include names {name}, which is not a folder in {root}.", "Give folders relative to the root."
            )
        found.append(path)
    return found
