"""Which context stands in front of the prompt: what is relevant, but above all what is evaluated already.

A changed snippet costs the evaluation of everything behind it, most of the prompt: seconds. So while the windows around
the cursor stay, the context stays; when they move, or somebody only reads, snippets that are still relevant keep their
order and place, and only what follows the first that is not is chosen anew.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from assistant.completion.nearby import NearSnippet
from assistant.completion.outside import is_own

_FILES = 16
"""Files whose context is remembered."""

Snippets = tuple[NearSnippet, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """What decides whether the windows of a file are still the same."""

    prefix_start: int
    """Characters of the document before the prefix's window."""
    suffix: str


class SettledContext:
    """The context that each file's prompt had last. One thread at a time."""

    def __init__(self) -> None:
        self._last: OrderedDict[str, tuple[Place, Snippets]] = OrderedDict()

    def choose(self, path: str, place: Place, find: Callable[[], Snippets], *, anew: bool = False) -> Snippets:
        """The context for a place; ``find`` looks for what is relevant now, if that is worth it.

        ``anew``: nobody waits, so look even though the windows did not move.
        """
        place_before, before = self._last.get(path, (None, ()))
        chosen = before if place_before == place and not anew else settle(before, find(), path)
        self._last[path] = (place, chosen)
        self._last.move_to_end(path)
        while len(self._last) > _FILES:
            self._last.popitem(last=False)
        return chosen


def settle(before: Sequence[NearSnippet], found: Sequence[NearSnippet], path: str) -> Snippets:
    """What to show of ``found``: first, in their old order, those at the front of ``before`` that are still relevant.

    All of ``before`` where nothing new was found, but of the document ``path`` itself only what was found again: the
    rest may be in its window now, or have changed.
    """
    relevant = {snippet: snippet for snippet in found}
    before = [relevant.get(each, each) for each in before if each in relevant or not is_own(each.snippet.path, path)]
    if before and relevant.keys() <= set(before):
        return tuple(before)
    kept: list[NearSnippet] = []
    for snippet in before:
        if snippet not in relevant:
            break
        kept.append(snippet)
    return (*kept, *(snippet for snippet in found if snippet not in kept))
