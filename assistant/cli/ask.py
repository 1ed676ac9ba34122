"""``codemoat ask``: a question about the code, answered with citations."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import asdict
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
    ready_index,
    ready_model,
    start_model,
)
from assistant.cli.output import Output
from indexer.errors import BadInputError

if TYPE_CHECKING:
    from assistant.chat import ChatEvent, Done
    from assistant.context import Source


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
            _write(out, events)


def _write(out: Output, events: Iterable[ChatEvent]) -> None:
    from assistant.chat import Delta, Done, Failed, Sources

    began = False
    for event in events:
        match event:
            case Sources(sources, stale):
                if stale:
                    out.note("Files changed since the index was made; --update brings it up to date.")
                if out.stream:
                    out.data({"event": "sources", "sources": [_source(s) for s in sources], "stale": stale})
            case Delta(text):
                if out.stream:
                    out.data({"event": "delta", "text": text})
                elif not out.as_json:
                    out.piece(text)
                    began = True
            case Done():
                _finish(out, event, began=began)
            case Failed(error):
                if began:
                    out.line()
                raise error


def _finish(out: Output, done: Done, *, began: bool) -> None:
    if out.as_json:
        value = _answer(done)
        out.data({"event": "done", **value} if out.stream else value)
        return
    out.line(*(() if began else (done.answer,)))
    if done.sources:
        out.line()
        out.line(("Sources", "bold"))
    for source in done.sources:
        of = f"  {source.symbol}" if source.symbol else ""
        out.line(
            f"  [{source.number}] ", (f"{source.path}:{source.start_line}-{source.end_line}", "cyan"), (of, "green")
        )
    if done.stop_reason == "length":
        out.note("The answer was cut off; the setting ask.answer_tokens allows a longer one.")
    if done.unverified:
        out.note(f"Not found in the sources or the index: {', '.join(done.unverified)}. Check before you rely on it.")


def _answer(done: Done) -> dict[str, Any]:
    return {
        "answer": done.answer,
        "sources": [_source(source) for source in done.sources],
        "model": done.model,
        "timings": asdict(done.timings),
        "stop_reason": done.stop_reason,
        "citations": [asdict(citation) for citation in done.citations],
        "dropped": done.dropped,
        "unverified": list(done.unverified),
    }


def _source(source: Source) -> dict[str, Any]:
    value = asdict(source)
    del value["text"]
    return value
