"""How much room an index takes on disk, and for what."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from indexer.store import SEGMENTS, VECTORS


def bytes_by_part(folder: Path) -> dict[str, int]:
    """Bytes of the files in an index folder: ``texts`` (and tables), ``words`` (and names), ``vectors``."""
    parts = {"texts": 0, "words": 0, "vectors": 0}
    inside = os.path.join(folder, SEGMENTS)  # noqa: PTH118  (os.walk gives texts)
    for place, _, names in os.walk(folder):
        for name in names:
            part = "vectors" if name == VECTORS else "words" if place.startswith(inside) else "texts"
            with suppress(FileNotFoundError):  # an update may be at work
                parts[part] += os.lstat(os.path.join(place, name)).st_size  # noqa: PTH118
    return parts
