"""The manifest of a segment: what lies where in its files, read and checked.

A segment may come from a repository, so that the manifest is believed in nothing: every number must fit the files whose
sizes it names, and those are compared when they are opened.
"""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any, NamedTuple

from indexer.errors import REPAIR, CorruptIndexError
from indexer.index_folder import COLUMNS, MANIFEST, VECTORS, Folder
from indexer.store import FORMAT

_MOST_BYTES = 1 << 20
"""Of a manifest; one has about 3 KB."""
_MOST_ROWS = (1 << 31) - 1
"""Rows are numbered with 32 bits."""
_MOST_DIMENSIONS = 1 << 16
_ITEM_BYTES = {"|u1": 1, "<u2": 2, "<u4": 4, "<u8": 8, "<f4": 4}
"""Types that a column may have. ``np.min_scalar_type`` gives the native ones, which are these here."""
_ROW_COLUMNS = ("row_file", "row_length")


class Lists(NamedTuple):
    """Where a vector file keeps its inverted lists: how many, and the offsets of centroids and of the first list."""

    total: int
    centroids_at: int
    at: int


class Column(NamedTuple):
    """Where a column lies in its file; ``entries`` of them from byte ``offset`` on."""

    dtype: str
    offset: int
    entries: int


class Sums(NamedTuple):
    """What a file of a segment must be."""

    size: int
    crc32: int
    tail_crc32: int


class Manifest(NamedTuple):
    """What a segment holds, and where."""

    rows: int
    dimension: int
    lists: Lists | None
    columns: dict[str, Column]
    files: dict[str, Sums]


def damaged(path: Path, why: str) -> CorruptIndexError:
    """The error for a file of the index that is not as it was written."""
    return CorruptIndexError(f"The index is damaged: {path}: {why}.", REPAIR)


def read_manifest(folder: Folder, vector_header: int) -> Manifest:
    """The manifest in a segment's folder; ``vector_header``: bytes before the codes of a flat vector file.

    FileNotFoundError, OSError, UnsafeIndexError; CorruptIndexError for one that is damaged or does not fit its files.
    """
    path = folder.path / MANIFEST
    with folder.open_file(MANIFEST) as file:
        data = file.read(_MOST_BYTES + 1)
    try:
        text, _, crc32 = data.rpartition(b"\n")
        if len(data) > _MOST_BYTES or int(crc32, 16) != zlib.crc32(text):
            raise ValueError("another checksum")
        manifest = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise damaged(path, "it cannot be read") from exc
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise damaged(path, "it is not a manifest")
    try:
        return _checked(manifest, vector_header)
    except (LookupError, TypeError, ValueError, AttributeError) as exc:
        raise damaged(path, "it does not fit its files") from exc


def _checked(manifest: dict[str, Any], vector_header: int) -> Manifest:
    files = {
        name: Sums(*(_number(manifest["files"][name][key]) for key in Sums._fields)) for name in (COLUMNS, VECTORS)
    }
    rows, dimension = _number(manifest["rows"], _MOST_ROWS), _number(manifest["dimension"], _MOST_DIMENSIONS)
    size = files[COLUMNS].size
    columns = {}
    for name, (dtype, offset, count) in manifest["columns"].items():
        columns[name] = column = Column(dtype, _number(offset, size), _number(count, size))
        _require(column.offset + column.entries * _ITEM_BYTES[dtype] <= size)
    _require(all(columns[name].entries == rows for name in _ROW_COLUMNS))
    lists, size = None, files[VECTORS].size
    if manifest["lists"] is None:
        _require(vector_header + rows * dimension <= size)
    else:
        lists = Lists(**{key: _number(manifest["lists"][key], size) for key in Lists._fields})
        _require(columns["list_end"].entries == lists.total + 1)
        _require(lists.centroids_at + lists.total * dimension * 4 <= size)
        _require(lists.at + rows * (dimension + 8) <= size)
    return Manifest(rows, dimension, lists, columns, files)


def _number(value: object, most: int = 1 << 62) -> int:
    """``value`` if it is a whole number from 0 to ``most``. ValueError."""
    if type(value) is not int or not 0 <= value <= most:
        raise ValueError(f"not a number up to {most}")
    return value


def _require(fits: bool) -> None:
    if not fits:
        raise ValueError("does not fit")
