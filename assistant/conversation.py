"""A conversation as it is kept: turns with their sources, where its prompt begins, and the form it has on disk.

Values are immutable: a session replaces its conversation as a whole, so that another thread always reads one moment.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from assistant.context import Source
from assistant.llm import StopReason

VERSION = 1
TITLE_CHARACTERS = 80
ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")
"""What every id looks like: the time (UTC) and something random. It is a file's name, so nothing else is accepted."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and its answer."""

    question: str
    answer: str
    """As shown: citations checked and in their final form."""
    generated: str
    """As the model said it, which is what the next prompt repeats; empty where the model was not asked."""
    given: tuple[Source, ...] = ()
    """Snippets that came with this question; their numbers go on through the conversation."""
    again: tuple[int, ...] = ()
    """Numbers of earlier snippets that this question is about too."""
    focus: int = 0
    """Number of the snippet that was selected in the editor; 0 without one."""
    about: str = ""
    """What "it" means in the question: a name that the conversation was about; empty where nothing needs to be said."""
    opening: str = ""
    """What the answer begins with before the model speaks: what the question names and the repository does not have."""
    facts: str = ""
    """What the prompt says of named files and folders besides snippets."""
    model: str = ""
    stop_reason: StopReason = "stop"
    attempt: int = 0
    """How often the answer was asked for again."""
    at: float = 0.0
    """When it was answered, in seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Recap:
    """What stands in a prompt for the turns that no longer do."""

    text: str = ""
    sources: tuple[Source, ...] = ()
    """Snippets that later turns still cite, under their old numbers."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """Turns about one repository, oldest first. ``turns[start:]`` are in the prompt, ``recap`` stands for the rest."""

    id: str
    root: str
    """The repository's resolved folder; empty for a conversation that is never kept."""
    title: str = ""
    """The first question, or what the user made of it; empty before the first turn."""
    created: float = 0.0
    turns: tuple[Turn, ...] = ()
    start: int = 0
    recap: Recap = Recap()
    version: int = VERSION

    @property
    def updated(self) -> float:
        """When the last turn was answered, in seconds since 1970."""
        return self.turns[-1].at if self.turns else self.created

    @property
    def prompted(self) -> tuple[Turn, ...]:
        """The turns that are in the prompt: not the dropped ones, nor those that the model was not asked about."""
        return tuple(turn for turn in self.turns[self.start :] if turn.generated)

    @property
    def in_prompt(self) -> tuple[Source, ...]:
        """Every snippet that the model has before it, by number."""
        return (*self.recap.sources, *(source for turn in self.prompted for source in turn.given))

    @property
    def next_number(self) -> int:
        """The number of the next new snippet."""
        return 1 + max((source.number for turn in self.turns for source in turn.given), default=0)

    def sources_of(self, turn: Turn) -> tuple[Source, ...]:
        """What a turn rests on, as its ``Done`` had it: what came with it, and what had come before."""
        known = {source.number: source for other in self.turns for source in other.given}
        return (*(known[number] for number in turn.again if number in known), *turn.given)

    def with_turn(self, turn: Turn) -> Conversation:
        """The conversation with one turn more; the first one names it, without its secrets."""
        return replace(self, turns=(*self.turns, turn), title=self.title or title_of(turn.question))

    def without_last(self) -> Conversation:
        """The conversation before its last turn."""
        return replace(self, turns=self.turns[:-1], start=min(self.start, len(self.turns) - 1))


def new_conversation(root: str = "") -> Conversation:
    """An empty conversation with an id of its own."""
    now = time.time()
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now))
    return Conversation(f"{stamp}-{os.urandom(3).hex()}", root, created=now)


def title_of(question: str) -> str:
    """A question as a title: one line of at most ``TITLE_CHARACTERS``, without secrets.

    Masked before it is cut: what is left of a secret that was cut off does not look like one.
    """
    from assistant.masking import mask_typed

    return shortened(mask_typed(question).text)


def shortened(question: str) -> str:
    """One line of at most ``TITLE_CHARACTERS``."""
    line = " ".join(question.split())
    return line if len(line) <= TITLE_CHARACTERS else line[: TITLE_CHARACTERS - 1].rstrip() + "…"


def encode(conversation: Conversation) -> bytes:
    """The conversation as JSON, for ``decode``."""
    import msgspec

    return msgspec.json.format(msgspec.json.encode(conversation), indent=1)


def decode(data: bytes) -> Conversation:
    """The conversation in ``data``. Raises ValueError in one phrase for anything that ``encode`` does not write."""
    import msgspec

    try:
        found = msgspec.json.decode(data, type=Conversation)
    except (msgspec.MsgspecError, RecursionError) as exc:
        raise ValueError("it is not in the form of a conversation") from exc
    if found.version != VERSION:
        raise ValueError(f"it has the form number {found.version}, which this codemoat does not know")
    if not ID.fullmatch(found.id) or not 0 <= found.start <= len(found.turns):
        raise ValueError("its id or its beginning is not possible")
    _check_sources([source for turn in found.turns for source in turn.given])
    _check_sources(found.recap.sources)
    return found


def _check_sources(sources: Sequence[Source]) -> None:
    """Raises ValueError for numbers or lines that no conversation has."""
    numbers = [source.number for source in sources]
    if any(low >= high for low, high in pairwise(numbers)) or min(numbers, default=1) < 1:
        raise ValueError("its snippets are not numbered in order")
    if any(not 1 <= source.start_line <= source.end_line for source in sources):
        raise ValueError("a snippet's lines are not possible")
