"""Questions about the repository → answers, streamed and cited, in a conversation that remembers (docs/chat.md)."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from dataclasses import asdict, dataclass, field, replace

from assistant.citations import Citation, CitationWriter, unverified
from assistant.context import CodeIndex, RequestTimings, Source
from assistant.conversation import Conversation, Turn, new_conversation, title_of
from assistant.excerpts import OpenFile, Selection
from assistant.llm import LLM, Cancel, Sampling, StopReason, WaitReason
from assistant.llm import Delta as Generated
from assistant.llm import Waiting as ModelWaiting
from assistant.planning import Plan, Planner
from assistant.prompts import messages
from assistant.stop import OwnStop
from indexer.errors import BadInputError, CodemoatError, StorageError

REPEAT_PENALTY = 1.05
"""Slight: a small model otherwise loops; more would keep it from saying a name twice."""
LOOP_CHARACTERS = 12
LOOP_TIMES = 3
ANOTHER_TEMPERATURE = 0.5
"""Least temperature of an answer that is asked for again: at 0 it would be the same one."""
NEAREST = "The sources are what is nearest to the rest of the question."
WAITING: dict[WaitReason, str] = {
    "": "",
    "completions": "Waiting: completions are being written for an editor…",
    "question": "Waiting: another question is answered first…",
}
"""What is shown to who waits for an answer."""
NOTHING_FOUND = "Nothing in the index seems to be about this question."


@dataclass(frozen=True, slots=True)
class AskSettings:
    """How to answer."""

    hits: int = 12
    """Chunks that are looked at."""
    snippet_tokens: int = 1000
    """Budget of the snippets. Cold, 1,000 tokens cost 5-7 s on two cores."""
    answer_tokens: int = 320
    """Most tokens of an answer."""
    temperature: float = 0.0


@dataclass(frozen=True, slots=True)
class Sources:
    """What the answer will rest on, before it begins. ``stale``: files changed since they were indexed."""

    sources: tuple[Source, ...]
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """Why the answer has not begun yet; an empty reason: the model works on nothing else now.

    What is shown of it goes with the first ``Delta``, or the end.
    """

    reason: WaitReason

    @property
    def text(self) -> str:
        """One sentence to show, or nothing."""
        return WAITING[self.reason]


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of the answer, citations already in their final form."""

    text: str


@dataclass(frozen=True, slots=True)
class Done:
    """The end. ``answer`` is all the deltas together."""

    answer: str
    sources: tuple[Source, ...]
    model: str
    """Name of the model; empty when it was not asked: nothing relevant was found, or what was asked is nowhere."""
    stop_reason: StopReason
    timings: RequestTimings = field(default_factory=RequestTimings)
    citations: tuple[Citation, ...] = ()
    """Checked against the sources and the index; other citations are not in the answer."""
    dropped: int = 0
    """Citations of the model that named nothing it was given, and were left out."""
    unverified: tuple[str, ...] = ()
    """Names in the answer that neither the sources nor the index know."""
    not_saved: str = ""
    """Why the conversation could not be saved, as one sentence; empty if it was, or was not to be."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The end when something went wrong; what was streamed before stays true as far as it goes."""

    error: CodemoatError


ChatEvent = Sources | Waiting | Delta | Done | Failed
"""One ``Sources``, any number of ``Waiting``, any number of ``Delta``, then ``Done``; ``Failed`` may end the stream at
any point.
"""


class ChatSession:
    """A conversation about what ``index`` finds, answered by ``llm``. A first question stands for itself.

    Usable from any thread; one question at a time, others end as ``Failed`` at once. ``keep`` is called with the
    conversation after every turn; it may raise StorageError.
    """

    def __init__(
        self,
        index: CodeIndex,
        llm: LLM,
        settings: AskSettings | None = None,
        *,
        conversation: Conversation | None = None,
        keep: Callable[[Conversation], None] | None = None,
    ) -> None:
        self._index = index
        self._llm = llm
        self._settings = settings or AskSettings()
        self._conversation = conversation or new_conversation()
        self._keep = keep
        self._busy = threading.Lock()
        self._saving = threading.Lock()

    @property
    def conversation(self) -> Conversation:
        """All of it, at this moment."""
        return self._conversation

    @property
    def id(self) -> str:
        """What it is resumed by."""
        return self._conversation.id

    @property
    def title(self) -> str:
        """The first question, or what it was renamed to; empty before the first turn."""
        return self._conversation.title

    @property
    def kept(self) -> bool:
        """Whether it is saved after each turn."""
        return self._keep is not None

    @property
    def turns(self) -> tuple[Turn, ...]:
        """Questions and answers, oldest first."""
        return self._conversation.turns

    def rename(self, title: str) -> None:
        """Give the conversation another title. Raises BadInputError for an empty one, and StorageError."""
        if not title.strip():
            raise BadInputError("The title is empty.", "Give some words.")
        self._conversation = replace(self._conversation, title=title_of(title))
        self.save()

    def save(self) -> None:
        """Keep the conversation, if it is one to be kept and has a turn. Raises StorageError."""
        with self._saving:
            if self._keep is not None and self._conversation.turns:
                self._keep(self._conversation)

    def forget(self) -> None:
        """Never save it again; an answer that runs goes on. Once this returns, nothing writes the conversation."""
        with self._saving:
            self._keep = None

    def ask(
        self,
        question: str,
        cancel: Cancel | None = None,
        *,
        selection: Selection | None = None,
        file: OpenFile | None = None,
    ) -> Generator[ChatEvent, None, None]:
        """Answer ``question``: sources first, then the text as it comes, then ``Done``.

        Errors that codemoat knows end the stream as ``Failed``; the model is not asked when nothing relevant was
        found. Cancelling ends with ``Done`` and ``stop_reason`` "cancelled"; what was said so far is its answer. What
        was said is a turn of the conversation, even if the stream is closed or fails; a turn without a word is none.
        """
        yield from self._alone(lambda: self._planner.plan(self._conversation, question, selection, file), cancel)

    def regenerate(self, cancel: Cancel | None = None) -> Generator[ChatEvent, None, None]:
        """Answer the last question anew, from the same sources and with some chance; ``ask`` has the events.

        The new answer takes the old one's place as soon as it has a word.
        """
        yield from self._alone(lambda: self._planner.again(self._conversation), cancel)

    @property
    def _planner(self) -> Planner:
        settings = self._settings
        return Planner(self._index, self._llm, settings.hits, settings.snippet_tokens, settings.answer_tokens)

    def _alone(self, plan: Callable[[], Plan], cancel: Cancel | None) -> Iterator[ChatEvent]:
        """The events of one question, while no other is answered."""
        if not self._busy.acquire(blocking=False):
            yield Failed(BadInputError("This conversation is still being answered.", "Wait for the end, or stop it."))
            return
        try:
            yield from self._events(plan(), cancel)
        except CodemoatError as error:
            yield Failed(error)
        finally:
            self._busy.release()

    def _events(self, plan: Plan, cancel: Cancel | None) -> Iterator[ChatEvent]:
        yield Sources(plan.sources, plan.stale)
        timings = RequestTimings(retrieval_ms=plan.retrieval_ms)
        opening = plan.turn.opening
        if not plan.relevant:
            text = opening or NOTHING_FOUND
            if plan.sources:
                text += f"\n\n{NEAREST}"
            not_saved = self._add(plan, replace(plan.turn, answer=text))
            yield Delta(text)
            yield Done(text, plan.sources, "", "stop", timings, not_saved=not_saved)
            return
        said = _Answer(CitationWriter(self._index, plan.known))
        if opening:
            opening += "\n\n"
            yield Delta(opening)
        not_saved = ""
        stop_reason: StopReason = "cancelled"
        stop = OwnStop(cancel)
        try:
            for piece in self._llm.chat(messages(plan.before, plan.turn), self._sampling(plan.turn), stop):
                if isinstance(piece, Generated):
                    if (text := said.feed(piece.text)) != "":
                        yield Delta(text)
                    if said.repeats:
                        stop.cancel()
                elif isinstance(piece, ModelWaiting):
                    yield Waiting(piece.reason)
                else:
                    stop_reason = "stop" if stop.cancelled and not stop.asked else piece.stop_reason
                    timings = RequestTimings(**asdict(piece.timings), retrieval_ms=plan.retrieval_ms)
            if (text := said.finish()) != "":
                yield Delta(text)
        finally:
            # Whatever stopped it: what the user saw is what the conversation has.
            said.finish()
            if said.generated:
                turn = replace(
                    plan.turn, answer=opening + said.shown, generated=said.generated, stop_reason=stop_reason
                )
                not_saved = self._add(plan, replace(turn, model=self._llm.info.name))
        yield Done(
            opening + said.shown,
            plan.sources,
            self._llm.info.name,
            stop_reason,
            timings,
            tuple(said.writer.citations),
            said.writer.dropped,
            unverified(said.shown, plan.turn.question, plan.known, self._index),
            not_saved,
        )

    def _add(self, plan: Plan, turn: Turn) -> str:
        """Make ``turn`` the last one; why it could not be saved, or nothing."""
        self._conversation = plan.before.with_turn(replace(turn, at=time.time()))
        try:
            self.save()
        except StorageError as error:
            return error.message
        return ""

    def _sampling(self, turn: Turn) -> Sampling:
        temperature = self._settings.temperature
        if turn.attempt:
            temperature = max(temperature, ANOTHER_TEMPERATURE)
        return Sampling(self._settings.answer_tokens, temperature, seed=turn.attempt, repeat_penalty=REPEAT_PENALTY)


class _Answer:
    """An answer as it comes: what the model says, and what is shown of it."""

    def __init__(self, writer: CitationWriter) -> None:
        self.writer = writer
        self._loop = _LoopGuard()
        self._generated: list[str] = []
        self._shown: list[str] = []
        self._ended = False
        self.repeats = False
        """Whether the model turns in circles."""

    @property
    def generated(self) -> str:
        """What the model said."""
        return "".join(self._generated)

    @property
    def shown(self) -> str:
        """What is shown, citations in their final form."""
        return "".join(self._shown)

    def feed(self, text: str) -> str:
        """Take a piece; returns what can be shown."""
        self._generated.append(text)
        self.repeats = self._loop.repeats(text)
        self._shown.append(self.writer.feed(text))
        return self._shown[-1]

    def finish(self) -> str:
        """The end; returns the rest. Nothing when called again."""
        if self._ended:
            return ""
        self._ended = True
        self._shown.append(self.writer.finish())
        return self._shown[-1]


class _LoopGuard:
    """Notices when a small model says the same line again and again."""

    def __init__(self) -> None:
        self._line = ""
        self._seen: Counter[str] = Counter()

    def repeats(self, text: str) -> bool:
        """Whether a line of some length came for the third time, ``text`` being the next piece of the stream."""
        *done, self._line = (self._line + text).split("\n")
        for line in done:
            if len(line.strip()) >= LOOP_CHARACTERS:
                self._seen[line.strip()] += 1
        return any(count >= LOOP_TIMES for count in self._seen.values())
