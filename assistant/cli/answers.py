"""How an answer is written: as it streams, with its sources, or as JSON. ``ask`` and ``chat`` share it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from assistant.cli.output import Output

if TYPE_CHECKING:
    from assistant.chat import ChatEvent, Done
    from assistant.context import Source


def write_answer(out: Output, events: Iterable[ChatEvent], extra: Mapping[str, Any] | None = None) -> None:
    """Write the events of one question as they come; ``extra`` keys go into the JSON of the answer.

    Raises the error that ends the stream, after what was said.
    """
    with out.waiting() as waiting:
        _write(out, events, extra or {}, waiting)


def _write(out: Output, events: Iterable[ChatEvent], extra: Mapping[str, Any], waiting: Callable[[str], None]) -> None:
    from assistant.chat import Delta, Done, Failed, Sources, Waiting

    began = False
    for event in events:
        waiting(event.text if isinstance(event, Waiting) else "")
        match event:
            case Sources(sources, stale):
                if stale:
                    out.note("Files changed since the index was made; --update brings it up to date.")
                if out.stream:
                    out.data({"event": "sources", "sources": [source_json(s) for s in sources], "stale": stale})
            case Waiting(reason):
                if out.stream:
                    out.data({"event": "waiting", "reason": reason})
            case Delta(text):
                if out.stream:
                    out.data({"event": "delta", "text": text})
                elif not out.as_json:
                    out.piece(text)
                    began = True
            case Done():
                _finish(out, event, extra, began=began)
            case Failed(error):
                if began:
                    out.line()
                raise error


def write_sources(out: Output, sources: Sequence[Source]) -> None:
    """The numbered list below an answer."""
    out.line(("Sources", "bold"))
    for source in sources:
        of = f"  {source.symbol}" if source.symbol else ""
        out.line(
            f"  [{source.number}] ", (f"{source.path}:{source.start_line}-{source.end_line}", "cyan"), (of, "green")
        )


def source_json(source: Source) -> dict[str, Any]:
    """A source as it stands in JSON: without its text."""
    value = asdict(source)
    del value["text"]
    return value


def _finish(out: Output, done: Done, extra: Mapping[str, Any], *, began: bool) -> None:
    if out.as_json:
        value = {**_answer(done), **extra}
        out.data({"event": "done", **value} if out.stream else value)
        return
    out.text("" if began else done.answer)
    if done.sources and done.answer:
        out.line()
        write_sources(out, done.sources)
    if done.stop_reason == "length":
        out.note("The answer was cut off; the setting ask.answer_tokens allows a longer one.")
    if done.unverified:
        out.note(f"Not found in the sources or the index: {', '.join(done.unverified)}. Check before you rely on it.")
    if done.not_saved:
        out.note(done.not_saved)


def _answer(done: Done) -> dict[str, Any]:
    return {
        "answer": done.answer,
        "sources": [source_json(source) for source in done.sources],
        "model": done.model,
        "timings": asdict(done.timings),
        "stop_reason": done.stop_reason,
        "citations": [asdict(citation) for citation in done.citations],
        "dropped": done.dropped,
        "unverified": list(done.unverified),
    }
