"""``codemoat complete``: what could stand at a place in a file."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant.cli.common import (
    Json,
    Root,
    Stream,
    Yes,
    chosen_root,
    engine_for,
    ready_index,
    ready_model,
    start_model,
)
from assistant.cli.output import Output
from assistant.cli.position import Place, column_at, parse_place, split_at
from indexer.errors import BadInputError, StorageError
from indexer.location import find_root, is_huge
from indexer.probing import exists, is_file

if TYPE_CHECKING:
    from assistant.completion.request import Completion
    from assistant.engine import Engine

_MAX_BYTES = 20_000_000


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("complete")(_complete)


def _complete(
    ctx: typer.Context,
    place: Annotated[str, typer.Argument(metavar="FILE:LINE:COL", help="Both from 1; COL in characters.")],
    path: Root = None,
    stdin: Annotated[
        bool, typer.Option("--stdin", help="The text comes from standard input; FILE only names it.")
    ] = False,
    yes: Yes = False,
    json: Json = False,
    stream: Stream = False,
) -> None:
    """Complete the code at a place in a file."""
    from assistant.completion.request import CompletionRequest
    from indexer.languages import detect

    out = Output(as_json=json, stream=stream)
    at = parse_place(place)
    text = _text(at, from_stdin=stdin)
    prefix, suffix = split_at(text, at)
    root = chosen_root(path) if path else find_root(at.file)
    name = _name(at.file, root)
    with engine_for(ctx, root) as engine:
        ready_model(engine, out, yes=yes)
        indexed = name is not None and _ready(engine, out, explicit=path is not None)
        named = name or at.file.name
        model = start_model(engine, out).name
        request = CompletionRequest(named, detect(named, text[:200].encode()).name, 0, prefix, suffix)
        completion = engine.completer(with_index=indexed, typing=False).complete(request)
    if out.as_json:
        value = _object(completion, text, model)
        out.data({"event": "done", **value} if out.stream else value)
    elif completion.text:
        out.text(completion.text)
    else:
        out.note(f"Nothing to complete there ({completion.stop_reason}).")


def _ready(engine: Engine, out: Output, *, explicit: bool) -> bool:
    """Whether there is an index for context. A repository's is built; a loose file goes without."""
    repository = explicit or (exists(engine.root / ".git") and not is_huge(engine.root))
    if repository:
        ready_index(engine, out, explicit=explicit)
    return repository or engine.has_index


def _name(file: Path, root: Path) -> str | None:
    """The file's path within the root, None if it lies outside."""
    absolute = file.resolve()
    return absolute.relative_to(root).as_posix() if absolute.is_relative_to(root) else None


def _text(place: Place, *, from_stdin: bool) -> str:
    from indexer.source import to_utf8

    file = place.file
    try:
        if from_stdin:
            raw = sys.stdin.buffer.read(_MAX_BYTES + 1)
        elif not exists(file):
            raise BadInputError(f"There is no file {file}.", "Check the spelling, or give the text with --stdin.")
        elif not is_file(file):
            raise BadInputError(f"{file} is not a file.", "Name a source file.")
        else:
            with file.open("rb") as stream:
                raw = stream.read(_MAX_BYTES + 1)
    except OSError as exc:
        raise StorageError.from_os_error(exc, "reading", file) from exc
    if len(raw) > _MAX_BYTES:
        raise BadInputError(f"{file} is too large to complete in.", f"The limit is {_MAX_BYTES // 1_000_000} MB.")
    text = to_utf8(raw)
    if text is None:
        raise BadInputError(f"{file} is not text.", "Name a source file.")
    return text.decode(errors="replace")


def _object(completion: Completion, text: str, model: str) -> dict[str, Any]:
    data = text.encode()
    span = completion.replace
    columns = {"start_column": column_at(data, span.start_byte), "end_column": column_at(data, span.end_byte)}
    return {
        "text": completion.text,
        "replace": asdict(span) | columns,
        "stop_reason": completion.stop_reason,
        "context": list(completion.context),
        "timings": asdict(completion.timings),
        "reused": completion.reused,
        "model": model,
    }
