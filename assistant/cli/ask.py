"""``codemoat ask``: a question about the code, answered with citations."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import typer

from assistant.cli.answers import write_answer
from assistant.cli.common import (
    Json,
    Root,
    Stream,
    Update,
    Yes,
    chosen_root,
    engine_for,
    ready_index,
    ready_model,
    start_model,
)
from assistant.cli.output import Output
from indexer.errors import BadInputError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("ask")(_ask)


def _ask(
    ctx: typer.Context,
    question: Annotated[list[str], typer.Argument(metavar="QUESTION", help="In plain words.")],
    path: Root = None,
    k: Annotated[
        int | None, typer.Option("-k", "--limit", min=1, max=100, help="Chunks to look at; else the setting ask.hits.")
    ] = None,
    update: Update = False,
    yes: Yes = False,
    json: Json = False,
    stream: Stream = False,
) -> None:
    """Answer a question about the code, with the places it rests on."""
    out = Output(as_json=json, stream=stream)
    text = " ".join(question).strip()
    if not text:
        raise BadInputError("The question is empty.", "Ask something about the code.")
    overrides = {"ask.hits": k} if k else None
    with engine_for(ctx, chosen_root(path), overrides) as engine:
        ready_model(engine, out, yes=yes)
        ready_index(engine, out, explicit=path is not None, update=update)
        start_model(engine, out)
        # Closing stops the model, whatever stopped us.
        with closing(engine.chat().ask(text)) as events:
            write_answer(out, events)
