"""Bytes of an HTTP body → the JSON objects that stream in it: server-sent events, or one object a line.

Bytes are joined to lines before they are decoded, so that a chunk may end in the middle of a character.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Literal

from assistant.errors import RemoteError

Json = dict[str, Any]
Form = Literal["sse", "ndjson"]

_MOST_BYTES = 8_000_000
"""A line longer than this is no piece of an answer."""


def objects(chunks: Iterable[bytes], form: Form) -> Iterator[Json]:
    """Every object of the stream, in order; ends at ``[DONE]``. Raises RemoteError for what is none."""
    for text in _events(_lines(chunks)) if form == "sse" else _lines(chunks):
        if not text.strip():
            continue
        if text.strip() == "[DONE]":
            return
        yield parse(text)


def parse(text: str | bytes) -> Json:
    """The JSON object that ``text`` is. Raises RemoteError for anything else."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise garbage() from exc
    if not isinstance(value, dict):
        raise garbage()
    return value


def garbage() -> RemoteError:
    """The error of an answer that is not what its protocol says."""
    return RemoteError(
        "The model server's answer makes no sense.",
        "See whether model.url names a llama-server, Ollama or an OpenAI-compatible endpoint.",
    )


def _lines(chunks: Iterable[bytes]) -> Iterator[str]:
    held = b""
    for chunk in chunks:
        *lines, held = (held + chunk).split(b"\n")
        if len(held) > _MOST_BYTES:
            raise garbage()
        yield from (line.removesuffix(b"\r").decode("utf-8", "replace") for line in lines)
    if held:
        yield held.removesuffix(b"\r").decode("utf-8", "replace")


def _events(lines: Iterable[str]) -> Iterator[str]:
    """The data of each server-sent event (its other fields and comments say nothing here)."""
    data: list[str] = []
    for line in lines:
        name, _, value = line.partition(":")
        if not line:
            if data:
                yield "\n".join(data)
            data = []
        elif name in ("data", "error"):  # llama-server once sent errors in a field of their own
            data.append(value.removeprefix(" "))
    if data:
        yield "\n".join(data)
