"""A question in a conversation → what it will be answered from: turns dropped, snippets found, sources numbered."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from assistant.context import CodeIndex, Source, for_question, header, not_given
from assistant.conversation import Conversation, Turn
from assistant.excerpts import OpenFile, Selection, excerpts
from assistant.follow_up import uses
from assistant.llm import LLM
from assistant.pasted import shown as shown_to_model
from assistant.pinned import ALONE_SHARE, LEAST_TOKENS, SHARE, pinned_sources
from assistant.stretches import LINE
from assistant.trimming import fitted
from assistant.understanding import Asked, understand
from indexer.errors import BadInputError

FOLLOW_UP_SHARE = 0.6
"""Part of the snippets' budget for a question that leans on the conversation: much of what it needs was given."""
SEARCH_SHARE = 0.75
"""Part of what is left for search where README or manifest come after it."""
_TASK_TOKENS = 150
"""What a question costs besides its own words and snippets; rather too much."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything about a question that is settled before the model speaks."""

    before: Conversation
    """The conversation so far, trimmed if need be."""
    turn: Turn
    """The turn without its answer."""
    sources: tuple[Source, ...]
    """What this question is about: earlier snippets that were found again, what is shown, new snippets."""
    known: tuple[Source, ...]
    """Every snippet that the answer may cite, where it stands now."""
    relevant: bool
    """Whether there is anything to answer from."""
    stale: bool = False
    retrieval_ms: float = 0.0


class Planner:
    """Plans questions; token counts are the budgets of ``AskSettings``."""

    def __init__(self, index: CodeIndex, llm: LLM, hits: int, snippet_tokens: int, answer_tokens: int) -> None:
        self._index = index
        self._llm = llm
        self._hits = hits
        self._snippet_tokens = snippet_tokens
        self._answer_tokens = answer_tokens

    def plan(
        self, conversation: Conversation, question: str, selection: Selection | None, file: OpenFile | None
    ) -> Plan:
        """What ``question`` is answered from. Raises BadInputError for text that must not be shown to a model."""
        started = time.perf_counter()
        before = self._trimmed(conversation, question)
        earlier = _standing(self._index, before.in_prompt)
        number = before.next_number
        shown = excerpts(self._index, question, selection, file, self._snippet_tokens, self._llm, number)
        new = tuple(source for source in shown if not _same(source, earlier))
        focus = shown[0].number if new else _same(shown[0], earlier) if shown else 0
        asked = understand(self._index, question, before.turns, shown, self._hits)
        about = asked.about

        budget = self._snippet_tokens - sum(self._llm.count([header(s) + s.text for s in new]))
        room = int(budget * (ALONE_SHARE if asked.mentions.alone else SHARE))
        pins = pinned_sources(self._index, asked.query, asked.mentions.pinned, room)
        named = not_given(pins, (*earlier, *new), budget, self._llm, number + len(new))
        if about.rephrases:
            last = {source.number for turn in before.prompted[-1:] for source in before.sources_of(turn)}
            chosen = tuple(source for source in earlier if source.number in last)
        else:
            own = tuple(source for source in named if source.number >= number + len(new))
            left = budget - sum(self._llm.count([header(s) + s.text for s in own]))
            if before.prompted and about.leans:
                left = int(FOLLOW_UP_SHARE * left)
            chosen = self._found(asked, left, (*earlier, *new, *own), number + len(new) + len(own))
        chosen = (*named, *(source for source in chosen if source not in named))
        again = [source.number for source in chosen if source.number < number]
        if focus and not new and focus not in again:
            again.insert(0, focus)
        fresh = (*new, *(source for source in chosen if source.number >= number + len(new)))

        sources = (*(source for n in again for source in earlier if source.number == n), *fresh)
        turn = Turn(question, "", "", fresh, tuple(again), focus, about.unsaid, asked.opening, asked.facts)
        relevant = bool(sources) or (about.leans and bool(before.prompted)) or asked.described
        relevant = relevant and not asked.nowhere
        spent = (time.perf_counter() - started) * 1e3
        return Plan(before, turn, sources, (*earlier, *fresh), relevant, asked.stale, spent)

    def _found(self, asked: Asked, budget: int, given: Sequence[Source], first: int) -> tuple[Source, ...]:
        """What search adds to what the question names: nothing where that is all that the question is about."""
        chosen: tuple[Source, ...] = ()
        after = asked.mentions.after
        if asked.searches and budget >= LEAST_TOKENS:
            room = int(budget * SEARCH_SHARE) if after else budget
            chosen = self._chosen(asked, room, given, first)
        if after and budget >= LEAST_TOKENS:
            new = [source for source in chosen if source.number >= first]
            left = budget - sum(self._llm.count([header(s) + s.text for s in new]))
            pins = pinned_sources(self._index, asked.query, after, left)
            more = not_given(pins, (*given, *new), left, self._llm, first + len(new))
            chosen = (*chosen, *(source for source in more if source not in chosen))
        return chosen

    def _chosen(self, asked: Asked, budget: int, given: Sequence[Source], first: int) -> tuple[Source, ...]:
        """Those of ``given`` that the question is about, and new snippets, numbered from ``first``."""
        about = asked.about
        if used := uses(self._index, asked.message.asked, about):
            return not_given(used, given, budget, self._llm, first)
        chosen = for_question(self._index, asked.query, asked.hits, budget, self._llm, given, first)
        telling = [source for source in chosen if about.tells(source)]
        if not about.brief or not telling:
            return chosen
        new = (source for source in telling if source.number >= first)
        again = (source for source in telling if source.number < first)
        return (*again, *(replace(source, number=n) for n, source in enumerate(new, first)))

    def again(self, conversation: Conversation) -> Plan:
        """The last question once more, from the same sources. Raises BadInputError if there is none."""
        if not conversation.turns:
            raise BadInputError("There is no answer yet that could be given again.", "Ask something first.")
        last, before = conversation.turns[-1], conversation.without_last()
        if not last.generated:
            return self.plan(before, last.question, None, None)
        turn = replace(last, answer="", generated="", attempt=last.attempt + 1)
        known = (*_standing(self._index, before.in_prompt), *last.given)
        return Plan(before, turn, conversation.sources_of(last), known, relevant=True)

    def _trimmed(self, conversation: Conversation, question: str) -> Conversation:
        if not conversation.prompted:
            return conversation
        needed = (
            self._answer_tokens + self._snippet_tokens + _TASK_TOKENS + self._llm.count([shown_to_model(question)])[0]
        )
        return fitted(conversation, self._llm, self._llm.info.context_tokens - needed, self._snippet_tokens)


def _same(source: Source, earlier: Sequence[Source]) -> int:
    """The number of an earlier snippet that is exactly this text, or 0."""
    place = (source.path, source.start_line, source.text)
    return next((old.number for old in earlier if (old.path, old.start_line, old.text) == place), 0)


def _standing(index: CodeIndex, sources: Sequence[Source]) -> tuple[Source, ...]:
    """The snippets that the index still has as they were given, at the lines where they are now.

    A file may be edited while it is talked about: what was changed counts as not given, and cannot be cited. Text of
    files that the index does not have is taken as it was.
    """
    out = []
    for source in sources:
        text = index.text(source.path)
        if text is None:
            if source.origin == "editor":
                out.append(source)
            continue
        lines = LINE.findall(text)
        if "".join(lines[source.start_line - 1 : source.end_line]) == source.text:
            out.append(source)
        elif text.count(source.text) == 1:
            start = text[: text.index(source.text)].count("\n") + 1
            out.append(replace(source, start_line=start, end_line=start + source.end_line - source.start_line))
    return tuple(out)
