"""What the kinds of servers have in common: a call and how its stream is read, estimates, and what statuses mean."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from assistant.errors import ModelError, NoModelError, PromptTooLongError, RemoteError, UnsupportedModelError
from assistant.llm import FillRequest, Message, ModelInfo, Sampling, StopReason, Timings
from assistant.remote.endpoint import Endpoint
from assistant.remote.events import Form, Json
from assistant.remote.wire import Answer, Wire

BYTES_PER_TOKEN = 3
"""Code has 3 to 4 bytes a token in the vocabularies of code models; the estimate is meant to be too high."""
_QUOTED = 16
"""Characters in a row that an error has from the request, if it quotes it."""
MESSAGE_TOKENS = 8
"""What a chat template adds to a message, at most, in the usual ones."""
_MOST_NUMBER = 10**15
"""Nanoseconds of a generation are the largest numbers of an answer."""
_MOST_NAME = 100
_SPECIAL = re.compile(
    r"<(?=[|｜][^|｜\s<>]{1,40}[|｜]>|fim[_-]\w+>|/?s>|\[fim-\w+\]>|(?:PRE|SUF|MID|EOT|EOD)>|(?:start|end)_of_turn>)"
    r"|\[(?=(?:PREFIX|SUFFIX|MIDDLE|/?INST)\])"
)
_TOO_LONG = re.compile(
    r"exceed_context_size|context_length_exceeded|exceeds? the (?:available )?(?:model'?s )?(?:maximum )?context"
    r"|maximum context length|context (?:size|window|length)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Piece:
    """What one object of a stream says: some text, and at the end why it ended and what it cost."""

    text: str = ""
    stop_reason: StopReason | None = None
    timings: Timings | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A generation to ask for."""

    path: str
    payload: Json = field(repr=False)
    form: Form
    read: Callable[[Json], Piece]
    prompt_tokens: int = 0
    """Counted or estimated."""
    otherwise: Call | None = None
    """What to ask instead if the server does not understand this (status 400)."""


class Backend(Protocol):
    """One kind of server. ``info``, ``chat`` and ``fill`` raise what the LLM protocol says."""

    kind: str
    """For people."""
    info: ModelInfo

    def count(self, texts: Sequence[str]) -> list[int]:
        """Number of tokens of each text, or an estimate where the server does not tell."""
        ...

    def chat(self, messages: Sequence[Message], sampling: Sampling) -> Call:
        """The call that answers a conversation."""
        ...

    def fill(self, request: FillRequest, sampling: Sampling) -> Call:
        """The call that fills a hole. Raises UnsupportedModelError."""
        ...


def estimate(text: str) -> int:
    """About how many tokens a text has: a third of its bytes, rounded up."""
    return math.ceil(len(text.encode("utf-8", "surrogatepass")) / BYTES_PER_TOKEN)


def estimate_chat(messages: Iterable[Message]) -> int:
    """About how many prompt tokens a conversation has."""
    return sum(estimate(message.content) + MESSAGE_TOKENS for message in messages) + MESSAGE_TOKENS


def harmless(text: str) -> str:
    """``text`` with a space in what a server's tokenizer would take for a special token.

    Where a prompt is sent as text, ``<|im_end|>`` in a file would end its turn. Sent as tokens there is no need of it.
    """
    return _SPECIAL.sub(lambda match: match.group() + " ", text)


def wrote(messages: Sequence[Message]) -> list[Json]:
    """Messages as chat interfaces take them."""
    return [{"role": message.role, "content": harmless(message.content)} for message in messages]


def asked(wire: Wire, method: str, path: str, payload: Json | None = None, *, name: str = "") -> Json:
    """The answer to a question as an object. Raises what ``failure`` makes of another status, and RemoteError."""
    answer = wire.ask(method, path, payload)
    if not answer.ok:
        raise unquoted(failure(answer, wire.endpoint, name), _texts(payload or {}))
    return answer.json()


def _texts(payload: Json) -> list[str]:
    """The texts of a question."""
    values = [part for value in payload.values() for part in (value if isinstance(value, list) else [value])]
    return [part for part in values if isinstance(part, str)]


def failure(answer: Answer, endpoint: Endpoint, name: str = "", names: Sequence[str] = ()) -> ModelError:
    """One clear error for an answer that is not 200. ``name`` is the model asked for, ``names`` those there are."""
    reason = said(answer, endpoint)
    status = answer.status
    if status in (401, 403):
        wrong = "the key is wrong" if endpoint.key else "it wants a key"
        return RemoteError(
            f"The model server at {endpoint.url} refuses the request: {wrong}.",
            "Set it in the environment as CODEMOAT_MODEL_API_KEY, or as model.api_key in your settings.",
        )
    if 300 <= status < 400:
        return RemoteError(
            f"The model server at {endpoint.url} points to another address, which is not followed.",
            "Set model.url to the address itself.",
        )
    if status == 429:
        return RemoteError("The model server takes no more requests for now.", "Wait a moment, then ask again.")
    if status == 503 and "loading" in reason.lower():
        return RemoteError("The model server is still loading its model.", "Ask again in a moment.")
    if _TOO_LONG.search(reason):
        return PromptTooLongError(
            f"The prompt does not fit the server's context: {reason}",
            "Ask with less text, or start the server with a larger context.",
        )
    if status == 404 and "model" in reason.lower():
        return no_model(endpoint, name, names)
    return RemoteError(
        f"The model server refuses the request with status {status}: {reason}",
        "See its log; model.url and model.remote_name say where and what is asked.",
    )


def no_model(endpoint: Endpoint, name: str, names: Sequence[str]) -> NoModelError:
    """The error of a name that the server does not have."""
    there = ", ".join(name[:_MOST_NAME] for name in sorted(names)[:12]) or "it does not say which it has"
    what = f'has no model "{name}"' if name else "has several models" if names else "has no model"
    return NoModelError(f"The model server at {endpoint.url} {what}.", f"Set model.remote_name to one of: {there}.")


def choose(endpoint: Endpoint, names: Sequence[str]) -> str:
    """The model to ask for: the configured one, or the only one. Raises NoModelError naming those there are."""
    wanted = endpoint.name
    if not wanted and len(names) == 1:
        return names[0]
    if wanted in names or f"{wanted}:latest" in names:
        return wanted
    raise no_model(endpoint, wanted, names)


def unsupported(kind: str, name: str) -> UnsupportedModelError:
    """The error of a hole that cannot be filled."""
    return UnsupportedModelError(
        f"{name} cannot fill in the middle through this {kind}.",
        "Serve a code model that can (Qwen2.5-Coder, StarCoder2, Codestral) with llama-server, or set "
        "model.fill_by_chat to true.",
    )


def said(answer: Answer, endpoint: Endpoint) -> str:
    """What the server gives as the reason, one short sentence. Never more: some servers send the request back."""
    try:
        value: Any = answer.json()
    except ModelError:
        return "no reason given."
    for key in ("error", "detail", "message"):
        found = value.get(key)
        if isinstance(found, dict):
            found = " ".join(str(found[k]) for k in ("message", "type") if isinstance(found.get(k), str))
        if isinstance(found, list):
            found = "; ".join(str(entry["msg"]) for entry in found if isinstance(entry, dict) and "msg" in entry)
        if isinstance(found, str) and found.strip():
            text = " ".join(found.split())[:200]
            text = text.replace(endpoint.key, "…") if endpoint.key else text
            return text if text.endswith((".", "!", "?")) else text + "."
    return "no reason given."


def unquoted(error: ModelError, sent: Sequence[str]) -> ModelError:
    """The error, or another one without the server's reason where that quotes the request.

    Errors are shown and logged, and the request holds file contents.
    """
    message = error.message
    pieces = {message[at : at + _QUOTED] for at in range(len(message) - _QUOTED + 1)}
    said = [" ".join(text.split()) for text in sent]
    if not any(piece in text for text in said for piece in pieces):
        return error
    plain = "The model server refuses the request; its reason quotes the request and is not shown."
    return type(error)(plain, error.hint)


def in_stream(event: Json) -> RemoteError:
    """The error that a server sent in the middle of an answer."""
    found = event.get("error")
    reason = text_of(found.get("message")) if isinstance(found, dict) else text_of(found)
    shown = " ".join(reason.split())[:200] or "no reason given"
    return RemoteError(f"The model server broke off: {shown.rstrip('.')}.", "See its log.")


def number(value: Any) -> float:
    """A number of an answer, 0 for anything else, infinity among it."""
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return value if known and 0 <= value <= _MOST_NUMBER else 0


def text_of(value: Any) -> str:
    """A text of an answer, empty for anything else."""
    return value if isinstance(value, str) else ""
