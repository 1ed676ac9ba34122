"""What search asks of an index's files: where their rows begin, what their paths say. Read once, kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from indexer.errors import REPAIR, CorruptIndexError
from indexer.ranking import PathLook, PathWords, path_look, path_words

if TYPE_CHECKING:
    from indexer.overlay import Overlay
    from indexer.store import Database


class File(NamedTuple):
    """A living file."""

    path: str
    language: str
    first_row: int | None
    """Row of its first chunk, over all segments; None for a file without chunks."""


class FileTable:
    """Files by id, buffers included. ``bases``: first row of each segment; ``overlay_base``: of the buffers'."""

    def __init__(self, database: Database, bases: Mapping[int, int], overlay: Overlay, overlay_base: int) -> None:
        self._database = database
        self._bases = bases
        self._overlay = overlay
        self._overlay_base = overlay_base
        self._files: dict[int, File] = {}
        self._looks: dict[int, PathLook] = {}
        self._words: dict[int, PathWords] = {}

    def __getitem__(self, file_id: int) -> File:
        file = self._files.get(file_id)
        if file is None:
            file = self._files[file_id] = self._read(file_id)
        return file

    def looks(self, file_ids: Iterable[int]) -> list[PathLook]:
        """What each file's path says at a glance."""
        known, found = self._looks, []
        for file_id in file_ids:
            look = known.get(file_id)
            if look is None:
                file = self[file_id]
                look = known[file_id] = path_look(file.path, file.language)
            found.append(look)
        return found

    def words(self, file_id: int) -> PathWords:
        """The terms of a file's path."""
        words = self._words.get(file_id)
        if words is None:
            words = self._words[file_id] = path_words(self[file_id].path)
        return words

    def _read(self, file_id: int) -> File:
        buffer = self._overlay.files.get(file_id)
        if buffer is not None:
            first = None if buffer.first_row is None else self._overlay_base + buffer.first_row
            return File(buffer.analysis.path, buffer.analysis.language, first)
        found = self._database.row("SELECT path, language, segment, first_row FROM files WHERE id = ?", (file_id,))
        if found is None:
            raise CorruptIndexError("The index is damaged: a segment names a file that is not there.", REPAIR)
        path, language, segment, first = found
        if not is_inside(path):
            raise CorruptIndexError("The index is damaged: it names a file outside of the folder.", REPAIR)
        base = self._bases.get(segment)
        return File(path, language, None if base is None else base + first)


def is_inside(path: object) -> bool:
    """Whether a path of a row is one that a listing gives: relative to the root, and below it."""
    return isinstance(path, str) and bool(path) and path[0] != "/" and ".." not in path.split("/")
