"""A file, or lines of it, that the user wants to talk about: ``PATH`` or ``PATH:START-END``."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.errors import BadInputError, StorageError
from indexer.probing import exists, is_file, is_folder

if TYPE_CHECKING:
    from assistant.engine import Engine
    from assistant.excerpts import Selection
    from indexer.config import IndexConfig

_LINES = re.compile(r"(?P<path>.+?):(?P<first>\d{1,9})(?:-(?P<last>\d{1,9}))?")


@dataclass(frozen=True, slots=True)
class ShownFile:
    """Lines ``first..last`` (1-based; ``last`` 0: to the end) of a file, read anew for every question."""

    path: Path
    name: str
    """Relative to the root where it lies in it, else the whole path."""
    first: int
    last: int
    config: IndexConfig

    @staticmethod
    def parse(text: str, engine: Engine) -> ShownFile:
        """What ``text`` names, read once. Raises BadInputError for a place that there is not, StorageError."""
        found = None if exists(Path(text)) else _LINES.fullmatch(text)
        path = Path(os.path.expanduser(found["path"] if found else text))  # noqa: PTH111
        if not is_file(path):
            what = "is a folder" if is_folder(path) else "is not there"
            raise BadInputError(f"The file {path} {what}.", "Give a file, as PATH or PATH:START-END.")
        first = int(found["first"]) if found else 1
        last = int(found["last"] or first) if found else 0
        if found and not 1 <= first <= last:
            raise BadInputError(
                f"Lines {first}-{last} are not possible.", "Lines count from 1, the first before the last."
            )
        real, root = path.resolve(), engine.root.resolve()
        name = real.relative_to(root).as_posix() if real.is_relative_to(root) else str(real)
        shown = ShownFile(real, name, first, last, engine.config.index_config())
        shown.read()
        return shown

    def read(self) -> Selection:
        """The lines as they are now, secrets masked. Raises BadInputError if they are not there or not to be shown."""
        from assistant.excerpts import Selection
        from assistant.stretches import LINE
        from indexer.reports import Skipped
        from indexer.source import buffer_source

        try:
            with self.path.open("rb") as file:
                raw = file.read(self.config.max_file_bytes + 1)
        except OSError as exc:
            raise StorageError.from_os_error(exc, "reading the file", self.path) from exc
        source = buffer_source(self.name, raw, self.config)
        if isinstance(source, Skipped):
            raise BadInputError(f"{self.name} is not shown to the model. {source.reason}", "Ask without it.")
        lines = LINE.findall(source.text.decode("utf-8", "replace"))
        if self.first > len(lines):
            raise BadInputError(f"{self.name} has {len(lines)} lines, no line {self.first}.", "Give lines that it has.")
        return Selection(self.name, "".join(lines[self.first - 1 : self.last or len(lines)]), self.first)

    def __str__(self) -> str:
        lines = f":{self.first}-{self.last}" if self.last else ""
        return f"{self.name}{lines}"
