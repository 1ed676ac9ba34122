"""What client and host say to each other: one JSON object a line.

The first line of a connection is ``{"token", "client"}`` and is answered by ``{"ok": true, "pid"}``. Then requests
``{"id", "op", ...}``; a connection may have several at once. Answers carry the request's id and are one of
``{"result"}``, ``{"delta"}`` (any number), ``{"finished"}`` or ``{"error": {"code", "message", "hint"}}``. Operations:
info, count, count_chat, count_fill, chat, fill, cancel (``target`` is the id to stop), ping, stop. With
``"supersede": true`` a generation cancels the earlier ones of its lane and client. A fill of no tokens only evaluates
its prompt; any fill that somebody waits for cancels it. Closing a connection cancels what runs for it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import assistant.errors as model_errors
from assistant.errors import HostError
from assistant.llm import (
    Delta,
    FillRequest,
    Finished,
    Generated,
    Message,
    ModelInfo,
    Sampling,
    Snippet,
    Timings,
)
from indexer.errors import CodemoatError

PROTOCOL = 2
"""Raised with every change that an older side would misread: sides of different versions never meet."""

LINE_LIMIT = 64 << 20
"""Longest line in bytes; a prompt of the largest context is far below it."""

Json = dict[str, Any]


def encode(message: Mapping[str, Any]) -> bytes:
    """One line."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def decode(line: bytes) -> Json:
    """The object of a line. Raises HostError if it is none."""
    try:
        message = json.loads(line)
    except ValueError as exc:
        raise HostError("The model host and its client do not understand each other.", _RESTART) from exc
    if not isinstance(message, dict):
        raise HostError("The model host and its client do not understand each other.", _RESTART)
    return message


_RESTART = "Run the command again; see `codemoat doctor`."


def messages_to_json(messages: Sequence[Message]) -> list[Json]:
    """A conversation."""
    return [{"role": m.role, "content": m.content} for m in messages]


def messages_from_json(data: Sequence[Json]) -> list[Message]:
    """A conversation."""
    return [Message(m["role"], str(m["content"])) for m in data]


def request_to_json(request: FillRequest) -> Json:
    """A fill request."""
    return asdict(request)


def request_from_json(data: Json) -> FillRequest:
    """A fill request."""
    context = tuple(Snippet(str(s["path"]), str(s["text"])) for s in data["context"])
    path, prefix, suffix, repository = (str(data[key]) for key in ("path", "prefix", "suffix", "repository"))
    return FillRequest(path, prefix, suffix, context, repository)


def sampling_to_json(sampling: Sampling) -> Json:
    """Sampling settings."""
    return asdict(sampling)


def sampling_from_json(data: Json) -> Sampling:
    """Sampling settings."""
    return Sampling(
        max_tokens=int(data["max_tokens"]),
        temperature=float(data["temperature"]),
        stop=tuple(str(s) for s in data["stop"]),
        seed=int(data["seed"]),
        repeat_penalty=float(data["repeat_penalty"]),
        alternative=int(data.get("alternative", 0)),
    )


def info_to_json(info: ModelInfo) -> Json:
    """What the model is."""
    return asdict(info)


def info_from_json(data: Json) -> ModelInfo:
    """What the model is."""
    return ModelInfo(**data)


def event_to_json(event: Generated | CodemoatError) -> Json:
    """A piece, the end of a stream, or what went wrong."""
    if isinstance(event, CodemoatError):
        return {"error": {"code": event.code, "message": event.message, "hint": event.hint}}
    if isinstance(event, Delta):
        return {"delta": event.text}
    return {"finished": {"stop_reason": event.stop_reason, "timings": asdict(event.timings)}}


def event_from_json(data: Json) -> Generated:
    """A piece or the end of a stream. Raises the error that the host sent, if it sent one."""
    if "delta" in data:
        return Delta(data["delta"])
    if "finished" in data:
        return Finished(data["finished"]["stop_reason"], Timings(**data["finished"]["timings"]))
    raise error_from_json(data.get("error"))


def error_from_json(data: object) -> CodemoatError:
    """The error with the class of its code; HostError for codes that only the other side knows."""
    if not isinstance(data, dict):
        return HostError("The model host gave an answer that makes no sense.", _RESTART)
    classes = {c.code: c for c in vars(model_errors).values() if isinstance(c, type) and issubclass(c, CodemoatError)}
    return classes.get(str(data.get("code")), HostError)(str(data.get("message")), str(data.get("hint", "")))
