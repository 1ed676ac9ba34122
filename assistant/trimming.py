"""When a conversation outgrows the context: the oldest turns go, many at once, and a recap stands for them.

Dropping turns changes the prompt's beginning, so all that is kept is evaluated again. Therefore half of the room is
made free, not just enough for the next question: the next turns are then as cheap as the first ones were.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from assistant.context import Source, within
from assistant.conversation import Conversation, Recap, Turn
from assistant.llm import LLM
from assistant.masking import mask_all
from assistant.names import identifiers, is_compound
from assistant.prompts import messages

KEPT = 0.5
"""Part of the room that turns may still take after some were dropped."""
RECAP_SHARE = 0.4
"""Most of the snippets' budget that snippets of dropped turns may take in the recap."""
_MOST_QUESTIONS = 6
_MOST_NAMES = 8
_QUESTION_CHARACTERS = 120
_NUMBER = re.compile(r"\[(\d+)\]")


def fitted(conversation: Conversation, llm: LLM, room: int, snippet_tokens: int) -> Conversation:
    """The conversation with so many of its oldest turns dropped that its prompt has at most ``room`` tokens.

    If any must go, what stays has at most ``KEPT`` of the room, its recap included.
    """
    if not conversation.prompted or _tokens(conversation, llm) <= room:
        return conversation
    for start in range(conversation.start + 1, len(conversation.turns) + 1):
        shorter = replace(conversation, start=start)
        if start < len(conversation.turns) and not conversation.turns[start].generated:
            continue
        shorter = replace(shorter, recap=_recap(shorter, llm, int(RECAP_SHARE * snippet_tokens)))
        if _tokens(shorter, llm) <= KEPT * room:
            return shorter
    return replace(conversation, start=len(conversation.turns), recap=Recap())


def _tokens(conversation: Conversation, llm: LLM) -> int:
    return llm.count_chat(messages(conversation, Turn("", "", "")))


def _recap(conversation: Conversation, llm: LLM, budget: int) -> Recap:
    """What the dropped turns asked and named, and those of their snippets that the turns after them cite."""
    dropped = [turn for turn in conversation.turns[: conversation.start] if turn.generated]
    # Masked before they are cut: what is left of a secret that was cut off does not look like one.
    texts = mask_all([text for turn in dropped for text in (turn.question, turn.generated)])
    questions = [_short(text) for text in texts[::2][-_MOST_QUESTIONS:]]
    names: dict[str, None] = {}
    for question, said in reversed(list(zip(texts[::2], texts[1::2], strict=True))):
        names.update(dict.fromkeys(n for n in identifiers(f"{question} {said}") if is_compound(n)))
    recap = f"Earlier the user asked: {' '.join(questions)}"
    if names:
        recap += f" Named were {', '.join(list(names)[:_MOST_NAMES])}."
    return Recap(recap, _cited(conversation, dropped, llm, budget))


def _cited(conversation: Conversation, dropped: Sequence[Turn], llm: LLM, budget: int) -> tuple[Source, ...]:
    """Snippets of dropped turns that kept ones rest on (without any: the last dropped one), within ``budget``."""
    known = {source.number: source for turn in dropped for source in turn.given}
    numbers: dict[int, None] = {}
    for turn in reversed(conversation.prompted or dropped[-1:]):
        numbers.update(dict.fromkeys((turn.focus, *map(int, _NUMBER.findall(turn.generated)), *turn.again)))
    kept = within([known[number] for number in numbers if number in known], budget, llm)
    return tuple(sorted(kept, key=lambda source: source.number))


def _short(question: str) -> str:
    line = " ".join(question.split())
    return line if len(line) <= _QUESTION_CHARACTERS else line[:_QUESTION_CHARACTERS].rstrip() + "…"
