"""What client and host say to each other: one JSON object a line.

The first line of a connection is ``{"client", "nonce", "proof"}`` and is answered by ``{"ok": true, "pid", "proof"}``.
Each side proves that it knows the token without sending it, so that a program that took the address of a dead host
neither learns the token nor passes for the host. Then requests ``{"id", "op", ...}``; a connection may have several at
once. Answers carry the request's id and are one of
``{"result"}``, ``{"delta"}`` (any number), ``{"finished"}`` or ``{"error": {"code", "message", "hint"}}``; a chat may
have ``{"waiting": reason}`` before its first delta, with the reasons of ``assistant.llm.Waiting``. Operations:
info, count, count_chat, count_fill, chat, fill, cancel (``target`` is the id to stop), ping, stop. With
``"supersede": true`` a generation cancels the earlier ones of its lane and client. A fill of no tokens only evaluates
its prompt; any fill that somebody waits for cancels it. A fill with ``"ahead"`` in its sampling is cancelled by any
chat. Closing a connection cancels what runs for it.

Lines are bounded in length and nesting on both sides. A side that gets something else says so in one error line without
an id, and hangs up.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Literal, TypeVar, get_args

import assistant.errors as model_errors
from assistant.errors import HostError
from assistant.llm import (
    Answered,
    Delta,
    FillRequest,
    Finished,
    Message,
    ModelInfo,
    Role,
    Sampling,
    Snippet,
    Waiting,
)
from indexer.decoders import convert
from indexer.errors import CodemoatError

PROTOCOL = 4
"""Raised with every change that an older side would misread: sides of different versions never meet."""

GREETING_LIMIT = 1_024
"""Longest first line in bytes, before a side has proved anything; a real one has some 200."""

LINE_LIMIT = 16 << 20
"""Longest line in bytes. The largest context that can be set, 1,048,576 tokens, is some 4 MB of code; JSON writes a
character outside ASCII in up to twelve bytes.
"""

NESTING_LIMIT = 16
"""Deepest nesting of a line; real ones have four levels."""

_MOST_STOPS = 64
_MOST_ALTERNATIVES = 64
_ROLES = frozenset(get_args(Role))
_NESTING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[{]|[\]}]', re.DOTALL)
"""A string as a whole (one without an end as well, so that no input takes quadratic time), or a bracket outside."""

Json = dict[str, Any]
T = TypeVar("T")


def encode(message: Mapping[str, Any]) -> bytes:
    """One line."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def decode(line: bytes) -> Json:
    """The object of a line. Raises HostError if it is none, or is nested too deeply."""
    if nesting(line) > NESTING_LIMIT:
        raise HostError(f"A message between client and model host nests more than {NESTING_LIMIT} levels.", _RESTART)
    try:
        message = json.loads(line, parse_constant=_no_number)
    except (ValueError, RecursionError, MemoryError) as exc:
        raise HostError("The model host and its client do not understand each other.", _RESTART) from exc
    if not isinstance(message, dict):
        raise HostError("The model host and its client do not understand each other.", _RESTART)
    return message


def nesting(line: bytes) -> int:
    """How deep a line's arrays and objects nest; counting stops just above ``NESTING_LIMIT``."""
    if line.count(b"[") + line.count(b"{") <= NESTING_LIMIT:
        return 0
    depth = deepest = 0
    for found in _NESTING.finditer(line):
        first = found[0][:1]
        if first in (b"[", b"{"):
            depth += 1
            deepest = max(deepest, depth)
            if deepest > NESTING_LIMIT:
                break
        elif first != b'"':
            depth -= 1
    return deepest


def too_long(limit: int) -> HostError:
    """The error of a line above ``limit`` bytes."""
    return HostError(f"A message between client and model host has more than {limit:,} bytes.", _RESTART)


def proof(token: str, nonce: str, side: Literal["client", "host"]) -> str:
    """What only a side that knows the token can send: an HMAC-SHA-256 of the connection's nonce."""
    return hmac.new(token.encode(), f"{side}:{nonce}".encode(), hashlib.sha256).hexdigest()


def proves(given: object, token: str, nonce: str, side: Literal["client", "host"]) -> bool:
    """Whether ``given`` is the ``proof`` of that side."""
    return isinstance(given, str) and given.isascii() and hmac.compare_digest(given, proof(token, nonce, side))


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


_RESTART = "Run the command again; see `codemoat doctor`."


def messages_to_json(messages: Sequence[Message]) -> list[Json]:
    """A conversation."""
    return [{"role": m.role, "content": m.content} for m in messages]


def messages_from_json(data: Sequence[Json]) -> list[Message]:
    """A conversation. Raises KeyError, TypeError or ValueError for anything else."""
    found = [Message(m["role"], str(m["content"])) for m in data]
    if not all(isinstance(m.role, str) and m.role in _ROLES for m in found):
        raise ValueError("a role is not known")
    return found


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
    """Sampling settings. Raises KeyError, TypeError, ValueError or OverflowError for what none can be."""
    sampling = Sampling(
        max_tokens=int(data["max_tokens"]),
        temperature=float(data["temperature"]),
        stop=tuple(str(s) for s in data["stop"]),
        seed=int(data["seed"]),
        repeat_penalty=float(data["repeat_penalty"]),
        alternative=int(data.get("alternative", 0)),
        ahead=data.get("ahead", False) is True,
    )
    if not math.isfinite(sampling.temperature) or not math.isfinite(sampling.repeat_penalty):
        raise ValueError("a number is not finite")
    if len(sampling.stop) > _MOST_STOPS or not 0 <= sampling.alternative <= _MOST_ALTERNATIVES:
        raise ValueError("too many stop strings or alternatives")
    return sampling


def info_to_json(info: ModelInfo) -> Json:
    """What the model is."""
    return asdict(info)


def info_from_json(data: object) -> ModelInfo:
    """What the model is. Raises HostError for what is not a description."""
    return _typed(data, ModelInfo)


def count_from_json(data: object) -> int:
    """A number of tokens. Raises HostError for what is none."""
    if not isinstance(data, int) or isinstance(data, bool) or data < 0:
        raise _nonsense()
    return data


def counts_from_json(data: object, number: int) -> list[int]:
    """So many numbers of tokens. Raises HostError for what are not."""
    if not isinstance(data, list) or len(data) != number:
        raise _nonsense()
    return [count_from_json(each) for each in data]


def event_to_json(event: Answered | CodemoatError) -> Json:
    """A piece, why it waits, the end of a stream, or what went wrong."""
    if isinstance(event, CodemoatError):
        return {"error": {"code": event.code, "message": event.message, "hint": event.hint}}
    if isinstance(event, Delta):
        return {"delta": event.text}
    if isinstance(event, Waiting):
        return {"waiting": event.reason}
    return {"finished": {"stop_reason": event.stop_reason, "timings": asdict(event.timings)}}


def event_from_json(data: Json) -> Answered:
    """A piece, why it waits, or a stream's end. Raises the error that the host sent, and HostError for nonsense."""
    if "delta" in data:
        if not isinstance(data["delta"], str):
            raise _nonsense()
        return Delta(data["delta"])
    if "waiting" in data:
        return _typed({"reason": data["waiting"]}, Waiting)
    if "finished" in data:
        finished = _typed(data["finished"], Finished)
        if not math.isfinite(finished.timings.prompt_ms) or not math.isfinite(finished.timings.generation_ms):
            raise _nonsense()
        return finished
    raise error_from_json(data.get("error"))


def error_from_json(data: object) -> CodemoatError:
    """The error with the class of its code; HostError for codes that only the other side knows."""
    if not isinstance(data, dict) or not isinstance(data.get("message"), str) or not data["message"]:
        return _nonsense()
    classes = {c.code: c for c in vars(model_errors).values() if isinstance(c, type) and issubclass(c, CodemoatError)}
    return classes.get(str(data.get("code")), HostError)(data["message"], str(data.get("hint") or ""))


def _typed(data: object, kind: type[T]) -> T:
    """``data`` as ``kind``, the types of its fields checked. Raises HostError for anything else."""
    import msgspec

    try:
        found: T = convert(data, kind)
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError) as exc:
        raise _nonsense() from exc
    return found


def _nonsense() -> HostError:
    return HostError("The model host gave an answer that makes no sense.", _RESTART)
