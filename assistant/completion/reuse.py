"""Suggestions that were made already, and where else they answer: no model call for what is known.

Three kinds of hit, after llama.vim: the same place (exact), the same place in a window whose far lines changed
(trimmed), and a place some typed characters before this one whose suggestion began with just these (look-back).
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal

from assistant.completion.request import CompletionRequest

MOST = 250
"""Suggestions that are kept, the latest used."""
LOOK_BACK = 128
"""Typed characters over which a suggestion is still followed."""
_LINES_ABOVE = 12
"""Lines before the cursor that must be as they were for a trimmed hit."""
_LINES_BELOW = 3
_WINDOW = 8_000
"""Characters on either side that must be as they were for an exact hit."""

Kind = Literal["exact", "trimmed", "look-back"]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What was suggested at one place: ``text`` in place of the next ``replaces`` characters of the line."""

    text: str
    reason: str
    replaces: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """A suggestion for the place that was asked for, and how it was found."""

    suggestion: Suggestion
    kind: Kind


@dataclass(frozen=True, slots=True)
class _Kept:
    file: tuple[str, str]
    """Root and path."""
    suggestion: Suggestion
    window: int
    """Hash of everything the model saw of the document."""


class SuggestionCache:
    """The latest suggestions by place. One thread at a time."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: OrderedDict[int, _Kept] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def put(self, request: CompletionRequest, suggestion: Suggestion) -> None:
        """Remember what was suggested at ``request``'s place; empty suggestions too, with their reason."""
        file = request.root, request.path
        key = _near(file, request.prefix, request.suffix)
        self._kept[key] = _Kept(file, suggestion, _whole(request.prefix, request.suffix))
        self._kept.move_to_end(key)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def find(self, request: CompletionRequest) -> Found | None:
        """What is known to follow at ``request``'s place, or None."""
        file, prefix, suffix = (request.root, request.path), request.prefix, request.suffix
        kept = self._get(_near(file, prefix, suffix))
        if kept is not None:
            same = kept.window == _whole(prefix, suffix)
            if same or kept.suggestion.text:
                return Found(kept.suggestion, "exact" if same else "trimmed")
        below, near = _below(suffix), prefix[-_WINDOW - LOOK_BACK :]
        for typed in range(1, min(LOOK_BACK, len(near)) + 1):
            kept = self._get(hash((file, _above(near[:-typed]), below)))
            if kept is not None and (rest := follow(kept.suggestion, near[-typed:])) is not None:
                return Found(rest, "look-back")
        return None

    def forget(self, path: str, root: str = "") -> None:
        """Drop what was suggested in one file."""
        for key in [key for key, kept in self._kept.items() if kept.file == (root, path)]:
            del self._kept[key]

    def _get(self, key: int) -> _Kept | None:
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
        return kept


def follow(suggestion: Suggestion, typed: str) -> Suggestion | None:
    """What is left of a suggestion after ``typed`` was typed into it; None if that disagrees or nothing is left."""
    if not suggestion.text.startswith(typed) or len(suggestion.text) == len(typed):
        return None
    return Suggestion(suggestion.text[len(typed) :], suggestion.reason, suggestion.replaces)


def _near(file: tuple[str, str], prefix: str, suffix: str) -> int:
    return hash((file, _above(prefix), _below(suffix)))


def _above(prefix: str) -> str:
    """The last lines before the cursor."""
    at = len(prefix)
    for _ in range(_LINES_ABOVE + 1):
        at = prefix.rfind("\n", 0, at)
        if at < 0:
            return prefix[-_WINDOW:]
    return prefix[max(at + 1, len(prefix) - _WINDOW) :]


def _below(suffix: str) -> str:
    """The first lines after it."""
    at = -1
    for _ in range(_LINES_BELOW + 1):
        at = suffix.find("\n", at + 1)
        if at < 0:
            return suffix[:_WINDOW]
    return suffix[: min(at, _WINDOW)]


def _whole(prefix: str, suffix: str) -> int:
    return hash((prefix[-_WINDOW:], suffix[:_WINDOW]))
