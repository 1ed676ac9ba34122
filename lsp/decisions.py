"""Why there was a suggestion, or none: the latest answers, for ``codemoat/why``, and what became of them."""

from __future__ import annotations

import itertools
import time
from collections import Counter, OrderedDict
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assistant.completion.request import Completion, CompletionRequest

ACCEPT = "codemoat.accept"
"""The command that tells that a suggestion was taken; its argument is the suggestion's id."""
_KEPT = 100
_OFFERS_KEPT = 8
"""Suggestions whose request, the whole document, is kept for generating ahead."""

REASONS: Mapping[str, str] = {
    "line": "The model completed the line.",
    "block": "The model completed the block.",
    "begun": "The model is still writing; these are the first words.",
    "other": "Another suggestion for the same place.",
    "length": "The model's text was cut at the limit of complete.max_tokens.",
    "cancelled": "A newer request took its place, or the editor cancelled it.",
    "empty": "The model had nothing to add here.",
    "repeats": "The suggestion repeats the text after the cursor.",
    "syntax": "What the model wrote would have broken the file's syntax, or that could not be checked in time.",
    "secret-line": "This line holds a secret, so nothing is suggested on it.",
    "secret-text": "The suggestion held a secret or a masked value, so it is not shown.",
    "secret-cut": "The suggestion was cut before a line that would hold a secret or a masked value.",
}
"""What ``Completion.stop_reason`` means to people."""


@dataclass(slots=True)
class Decision:
    """One answer. ``line`` and ``character`` as the client counts; ``shown``: what became of it, as the client told."""

    id: str
    uri: str
    version: int
    line: int
    character: int
    trigger: str
    """``automatic``, ``invoked`` or ``popup``."""
    outcome: str
    """``suggested``, ``nothing``, ``cancelled``, ``off`` or ``failed``."""
    reason: str
    """One sentence."""
    text: str = ""
    begun: bool = False
    """First words of a line that the model still writes."""
    reused: bool = False
    context: tuple[str, ...] = ()
    timings: dict[str, float] = field(default_factory=dict)
    """``total_ms`` from the request to the answer, and what the model's run took, which may have begun earlier."""
    fate: str = ""
    """What the client told last: ``shown``, ``accepted``, ``partially-accepted`` or ``rejected``."""
    accepted_characters: int = 0
    at: float = field(default_factory=time.time)
    """When the request came; Unix time, seconds."""


@dataclass(slots=True)
class Offer:
    """What was asked and answered, kept for what follows: generating ahead once it is shown."""

    request: CompletionRequest
    completion: Completion


class Decisions:
    """The latest hundred. On the event loop."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._kept: OrderedDict[str, Decision] = OrderedDict()
        self._offers: OrderedDict[str, Offer] = OrderedDict()
        self.counts: Counter[str] = Counter()
        """By outcome and by fate."""

    def add(self, decision: Decision, offer: Offer | None = None) -> Decision:
        """Keep an answer under its id."""
        self._kept[decision.id] = decision
        self.counts[decision.outcome] += 1
        if offer is not None:
            self._offers[decision.id] = offer
        while len(self._offers) > _OFFERS_KEPT:
            self._offers.popitem(last=False)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return decision

    def add_other(self, decision: Decision, offer: Offer) -> None:
        """Keep a further suggestion of the latest answer, which stays the latest and is counted once."""
        latest = self._kept.popitem()
        self._kept[decision.id] = decision
        self._kept[latest[0]] = latest[1]
        self._offers[decision.id] = offer

    def next_id(self) -> str:
        """An id for the next answer."""
        return str(next(self._numbers))

    def find(self, id_: str | None = None, uri: str | None = None) -> Decision | None:
        """The answer of that id, else the latest for the document, else the latest."""
        if id_ is not None:
            return self._kept.get(id_)
        return next((d for d in reversed(self._kept.values()) if uri is None or d.uri == uri), None)

    def why(self, uri: str | None, *, told: bool) -> Decision | None:
        """What somebody means who asks why: the suggestion that was shown last, of a document or of all.

        The latest refusal, if the text has changed since. ``told``: whether the client tells what it shows.
        """
        refused: Decision | None = None
        unseen: Decision | None = None
        for each in reversed(self._kept.values()):
            if uri is not None and each.uri != uri:
                continue
            if each.outcome == "suggested" and (each.fate or not told):
                newer = refused is not None and (refused.uri != each.uri or refused.version > each.version)
                return refused if newer else each
            if each.outcome in ("nothing", "off", "failed") and refused is None:
                refused = each
            elif each.outcome == "suggested" and unseen is None:
                unseen = each
        # A request that a newer one cancelled explains nothing, unless it is all there is.
        return refused or unseen or self.find(uri=uri)

    def offer(self, id_: str) -> Offer | None:
        """What was suggested under an id."""
        return self._offers.get(id_)

    def tell(self, id_: str, fate: str, characters: int = 0) -> bool:
        """Note what became of a suggestion; whether it is known."""
        decision = self._kept.get(id_)
        if decision is None:
            return False
        decision.fate = fate
        decision.accepted_characters = characters or (len(decision.text) if fate == "accepted" else 0)
        self.counts[fate] += 1
        return True


def as_json(decision: Decision) -> dict[str, Any]:
    """A decision as ``codemoat/why`` answers it (``docs/schemas/lsp/why.json``)."""
    found = asdict(decision)
    del found["begun"]  # the reason says so
    found["acceptedCharacters"] = found.pop("accepted_characters")
    return found
