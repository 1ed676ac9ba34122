"""``codemoat chat``: a conversation about the code, on a terminal or, question by question, from standard input."""

from __future__ import annotations

import io
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant.cli.common import (
    Json,
    Root,
    Stream,
    Update,
    Yes,
    chosen_root,
    engine_for,
    interrupt_cancels,
    ready_index,
    ready_model,
    start_model,
)
from assistant.cli.output import Output
from indexer.errors import BadInputError

if TYPE_CHECKING:
    from assistant.chat import ChatSession
    from assistant.cli.shown import ShownFile
    from assistant.conversation import Conversation
    from assistant.saved_chats import SavedChats


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("chat")(_chat)


def _chat(
    ctx: typer.Context,
    conversation: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="With --resume: which one, by the beginning of its id.")
    ] = None,
    path: Root = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with conversation ID, or the last one.")] = False,
    listing: Annotated[bool, typer.Option("--list", help="List the saved conversations about this folder.")] = False,
    delete: Annotated[str | None, typer.Option("--delete", metavar="ID", help="Delete a saved conversation.")] = None,
    file: Annotated[
        str | None, typer.Option("--file", metavar="PATH[:START-END]", help="A file, or lines of it, to talk about.")
    ] = None,
    update: Update = False,
    yes: Yes = False,
    json: Json = False,
    stream: Stream = False,
) -> None:
    """Talk about the code: each question may lean on the ones before.

    On a terminal Ctrl-C stops an answer and Ctrl-D leaves. Otherwise every line of standard input is a question.
    """
    out = Output(as_json=json, stream=stream)
    if conversation is not None and not resume:
        raise BadInputError(
            "A conversation was named without --resume.",
            f"Go on with it: `codemoat chat --resume {conversation}`; questions are typed once the chat runs.",
        )
    if sum((resume, listing, delete is not None)) > 1:
        raise BadInputError("--resume, --list and --delete exclude each other.", "Give one of them.")
    with engine_for(ctx, chosen_root(path)) as engine:
        if listing:
            _list(out, engine.chats)
            return
        if delete is not None:
            _deleted(out, engine.chats.delete(delete))
            return
        from assistant.cli.shown import ShownFile

        shown = ShownFile.parse(file, engine) if file is not None else None
        if resume:
            engine.chats.load(conversation or "")  # says that there is none before a model is loaded
        ready_model(engine, out, yes=yes)
        ready_index(engine, out, explicit=path is not None, update=update)
        start_model(engine, out)
        session = engine.chat(keep=True, resume=(conversation or "") if resume else None)
        if sys.stdin.isatty() and not out.as_json:
            from assistant.cli.talk import Talk

            Talk(out, engine, session, shown).run()
        else:
            _answer_lines(out, session, shown)


def _answer_lines(out: Output, session: ChatSession, shown: ShownFile | None) -> None:
    """Answer every line of standard input; the first error ends it."""
    from assistant.cli.answers import write_answer

    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")
    asked = False
    for line in sys.stdin:
        if not (question := line.strip()):
            continue
        if not out.as_json:
            if asked:
                out.line()
            out.line((f"> {question}", "bold"))
        asked = True
        selection = shown.read() if shown is not None else None
        with interrupt_cancels() as cancel, closing(session.ask(question, cancel, selection=selection)) as events:
            write_answer(out, events, {"conversation": session.id if session.kept else None})
        if cancel.cancelled:
            raise KeyboardInterrupt
    if not asked:
        raise BadInputError("Standard input holds no question.", "Give one on each line.")


def _list(out: Output, chats: SavedChats) -> None:
    found = chats.list()
    if out.as_json:
        conversations = [_summary(conversation) for conversation in found.conversations]
        out.data({"conversations": conversations, "problems": list(found.problems), "folder": str(chats.folder)})
        return
    for conversation in found.conversations:
        turns = len(conversation.turns)
        out.line((conversation.id, "cyan"), f"  {turns:3} turn{'s' * (turns != 1):1}  {conversation.title}")
    for problem in found.problems:
        out.note(problem)
    if not found.conversations:
        out.note(f"There is no saved conversation about {chats.root}.")


def _summary(conversation: Conversation) -> dict[str, Any]:
    return {
        "id": conversation.id,
        "title": conversation.title,
        "created": conversation.created,
        "updated": conversation.updated,
        "turns": len(conversation.turns),
    }


def _deleted(out: Output, identity: str) -> None:
    if out.as_json:
        out.data({"deleted": identity})
    else:
        out.line(f"Deleted {identity}.")
