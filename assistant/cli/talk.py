"""The conversation on a terminal: a prompt, a few commands, Ctrl-C for the answer and Ctrl-D for the end."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from assistant.cli.answers import write_answer, write_sources
from assistant.cli.common import interrupt_cancels
from assistant.cli.output import Output
from indexer.errors import BadInputError, CodemoatError

if TYPE_CHECKING:
    from assistant.chat import ChatEvent, ChatSession
    from assistant.cli.shown import ShownFile
    from assistant.engine import Engine
    from assistant.llm import Cancel

PROMPT = "\n> "
_ANSWER_CHARACTERS = 300
_COMMANDS = {
    "/again": "answer the last question anew",
    "/file PATH[:START-END]": "talk about a file or lines of it; /file alone ends that",
    "/help": "this list",
    "/history": "what was asked and answered",
    "/new": "begin a new conversation",
    "/quit": "leave (Ctrl-D does, too)",
    "/sources": "the places that the last answer rests on",
    "/title TEXT": "give the conversation another title",
}


class Talk:
    """A person at the terminal and a session."""

    def __init__(self, out: Output, engine: Engine, session: ChatSession, shown: ShownFile | None) -> None:
        self._out = out
        self._engine = engine
        self._session = session
        self._shown = shown

    def run(self) -> None:
        """Ask and answer until the user leaves."""
        with suppress(ImportError):
            import readline  # noqa: F401 - input() edits lines and remembers them once it is imported
        if self._session.turns:
            self._history()
        else:
            self._out.note("Ask about the code. Ctrl-C stops an answer, Ctrl-D leaves, /help lists commands.")
        while True:
            try:
                line = input(PROMPT).strip()
            except EOFError:
                self._out.line()
                break
            except KeyboardInterrupt:
                self._out.line()
                continue
            if line in ("/quit", "/exit"):
                break
            if line:
                self._take(line)
        self._say_goodbye()

    def _take(self, line: str) -> None:
        """One command or question; an error is said, and the conversation goes on."""
        try:
            if line.startswith("/"):
                self._command(line)
            else:
                selection = self._shown.read() if self._shown is not None else None
                self._answer(lambda cancel: self._session.ask(line, cancel, selection=selection))
        except CodemoatError as error:
            self._out.note(f"{error.message} {error.hint}".rstrip())
        except KeyboardInterrupt:
            # The second Ctrl-C in one answer: the stream was closed on its way here.
            self._out.line()

    def _answer(self, ask: Callable[[Cancel], Generator[ChatEvent, None, None]]) -> None:
        with interrupt_cancels() as cancel, closing(ask(cancel)) as events:
            write_answer(self._out, events)

    def _command(self, line: str) -> None:
        name, _, rest = line.partition(" ")
        rest = rest.strip()
        match name:
            case "/help":
                for command, meaning in _COMMANDS.items():
                    self._out.line((f"  {command:24}", "cyan"), meaning)
            case "/sources":
                self._sources()
            case "/history":
                self._history()
            case "/again":
                self._answer(self._session.regenerate)
            case "/new":
                self._say_goodbye()
                self._session = self._engine.chat(keep=True)
                self._out.note("A new conversation.")
            case "/file":
                self._show(rest)
            case "/title":
                self._session.rename(rest)
            case _:
                raise BadInputError(f"There is no command {name}.", "/help lists those that there are.")

    def _show(self, place: str) -> None:
        from assistant.cli.shown import ShownFile

        self._shown = ShownFile.parse(place, self._engine) if place else None
        self._out.note(f"Talking about {self._shown}." if self._shown is not None else "No file is shown any more.")

    def _sources(self) -> None:
        conversation = self._session.conversation
        sources = conversation.sources_of(conversation.turns[-1]) if conversation.turns else ()
        if sources:
            write_sources(self._out, sources)
        else:
            self._out.note("The last answer has no sources.")

    def _history(self) -> None:
        if not self._session.turns:
            self._out.note("Nothing was asked yet.")
        for turn in self._session.turns:
            answer = " ".join(turn.answer.split())
            cut = f"{answer[:_ANSWER_CHARACTERS].rstrip()}…" if len(answer) > _ANSWER_CHARACTERS else answer
            self._out.line((f"> {' '.join(turn.question.split())}", "bold"))
            self._out.line(cut)

    def _say_goodbye(self) -> None:
        if self._session.kept and self._session.turns:
            self._out.note(f"Saved; go on with `codemoat chat --resume {self._session.id}`.")
