"""The lines of the edited document that its window leaves out.

Definitions of the document's own come from here, never from the index: what was indexed may still hold the lines that
were deleted, or that are being written, and the model would copy them.
"""

from __future__ import annotations

from assistant.completion.trim import indent
from assistant.completion.window import Window
from assistant.stretches import LINE


def is_own(path: str, other: str) -> bool:
    """Whether a path of the index names the edited document; where case does not tell files apart, it may differ."""
    return path == other or path.casefold() == other.casefold()


class Outside:
    """The whole lines of a document before and after ``window``, as the editor has them now."""

    def __init__(self, prefix: str, suffix: str, window: Window) -> None:
        above = LINE.findall(prefix)[: -1 if window.line_before else None]
        below = LINE.findall(suffix.partition("\n")[2])
        first = prefix.count("\n") + 2 + len(window.below)
        self._parts = (
            (1, above[: len(above) - len(window.above)]),
            (first, below[len(window.below) :]),
        )
        self._places: dict[str, tuple[int, int]] | None = None

    def definition(self, header: str, most: int) -> tuple[int, list[str]] | None:
        """Line number and at most ``most`` lines of the definition that begins with the line ``header``.

        It ends before the window, and before a line that is indented no more and is no bracket. None if there is no
        such line outside.
        """
        if self._places is None:
            places = [(n, at) for n, (_, lines) in enumerate(self._parts) for at in range(len(lines))]
            self._places = {self._parts[n][1][at].strip(): (n, at) for n, at in reversed(places)}
        place = self._places.get(header.strip()) if header.strip() else None
        if place is None:
            return None
        number, at = place
        first, lines = self._parts[number]
        least, shown = indent(lines[at]), lines[at : at + 1]
        for line in lines[at + 1 : at + most]:
            if line.strip() and indent(line) <= least and line.strip()[0] not in "()[]{}":
                break
            shown.append(line)
        return first + at, shown
