"""Any endpoint that speaks OpenAI's interface: chat, and filling by ``suffix`` where the server can.

There is no tokenizer to ask: tokens are estimated (``backend.estimate``), and the server applies the chat template.
"""

from __future__ import annotations

from collections.abc import Sequence

from assistant.errors import NoModelError, RemoteError
from assistant.llm import FillRequest, Message, ModelInfo, Sampling, StopReason, Timings
from assistant.remote.backend import (
    Call,
    Piece,
    choose,
    estimate,
    estimate_chat,
    failure,
    harmless,
    number,
    text_of,
    unsupported,
    wrote,
)
from assistant.remote.events import Json, garbage
from assistant.remote.wire import Answer, Wire
from indexer.reasons import visible

_MOST_STOPS = 4
"""What the interface allows; further ones are looked for here."""


class OpenAI:
    """An OpenAI-compatible endpoint. ``models`` is what its ``/models`` answered."""

    kind = "OpenAI-compatible endpoint"

    def __init__(self, wire: Wire, models: Answer, context_tokens: int) -> None:
        self._wire = wire
        self._base = wire.endpoint.openai
        self._name, size = _choose(wire, models)
        context = min(context_tokens, size) if size else context_tokens
        can_fill = self._can_fill()
        self.info = ModelInfo(self._name, context, can_fill, True, "server" if can_fill else "")

    def count(self, texts: Sequence[str]) -> list[int]:
        """About how many tokens each text has."""
        return [estimate(text) for text in texts]

    def chat(self, messages: Sequence[Message], sampling: Sampling) -> Call:
        """``/chat/completions``, streamed."""
        payload = chat_payload(self._name, messages, sampling)
        return Call(f"{self._base}/chat/completions", payload, "sse", read_chat, estimate_chat(messages))

    def fill(self, request: FillRequest, sampling: Sampling) -> Call:
        """``/completions`` with a suffix, streamed."""
        if not self.info.fim:
            raise unsupported(self.kind, self._name)
        prefix, suffix = headed(request), harmless(request.suffix)
        payload = self._completion(prefix, suffix, sampling) | {"stream": True}
        tokens = estimate(prefix) + estimate(suffix)
        return Call(f"{self._base}/completions", payload, "sse", read_text, tokens)

    def _completion(self, prefix: str, suffix: str, sampling: Sampling) -> Json:
        return _model(self._name) | {"prompt": prefix, "suffix": suffix} | _sampling(sampling)

    def _can_fill(self) -> bool:
        """Whether the server takes a suffix: there is no way to know but to ask for one token."""
        payload = self._completion("def add(a, b):\n    return a", "b\n", Sampling(max_tokens=1))
        answer = self._wire.ask("POST", f"{self._base}/completions", payload)
        if answer.status in (401, 403, 429):
            raise failure(answer, self._wire.endpoint, self._name)
        return answer.ok and _has_text(answer)


def headed(request: FillRequest) -> str:
    """The text before the cursor, with other files in front under plain headings."""
    parts = [f"--- {visible(s.path)} ---\n{s.text.rstrip()}\n\n" for s in request.context]
    if parts:
        parts.append(f"--- {visible(request.path)} ---\n")
    return harmless("".join(parts) + request.prefix)


def chat_payload(name: str, messages: Sequence[Message], sampling: Sampling) -> Json:
    """What ``/chat/completions`` is asked."""
    return _model(name) | {"messages": wrote(messages), "stream": True} | _sampling(sampling)


def read_chat(event: Json) -> Piece:
    """One event of ``/chat/completions``."""
    choice = _first(event)
    delta = choice.get("delta")
    text = text_of(delta.get("content")) if isinstance(delta, dict) else ""
    return Piece(text, _reason(choice), _usage(event))


def read_text(event: Json) -> Piece:
    """One event of ``/completions``."""
    choice = _first(event)
    return Piece(text_of(choice.get("text")), _reason(choice), _usage(event))


def _model(name: str) -> Json:
    return {"model": name} if name else {}


def _sampling(sampling: Sampling) -> Json:
    # Zero tokens, which only evaluate the prompt elsewhere, are no valid number here; what comes is dropped.
    values: Json = {"max_tokens": max(1, sampling.max_tokens), "temperature": sampling.temperature}
    if sampling.stop:
        values["stop"] = list(sampling.stop[:_MOST_STOPS])
    if sampling.temperature > 0:
        values["seed"] = sampling.seed
    return values


def _first(event: Json) -> Json:
    """The first choice; none in an event that only tells what was used. Raises RemoteError for nonsense."""
    choices = event.get("choices")
    if choices == [] or (choices is None and "usage" in event):
        return {}
    if not isinstance(choices, list) or not isinstance(choices[0], dict):
        raise garbage()
    first: Json = choices[0]
    return first


def _reason(choice: Json) -> StopReason | None:
    ended = choice.get("finish_reason")
    return None if not ended else "length" if ended == "length" else "stop"


def _usage(event: Json) -> Timings | None:
    usage = event.get("usage")
    if not isinstance(usage, dict):
        return None
    prompt, details = int(number(usage.get("prompt_tokens"))), usage.get("prompt_tokens_details")
    cached = int(number(details.get("cached_tokens"))) if isinstance(details, dict) else 0
    return Timings(prompt, max(0, prompt - cached), int(number(usage.get("completion_tokens"))))


def _choose(wire: Wire, models: Answer) -> tuple[str, int]:
    """The model to ask for and its context, 0 if it is not told."""
    endpoint = wire.endpoint
    listed = models.json().get("data") if models.ok else None
    entries = [e for e in listed if isinstance(e, dict) and text_of(e.get("id"))] if isinstance(listed, list) else []
    if not entries:
        if not endpoint.name:
            raise NoModelError(
                f"The model server at {endpoint.url} does not say which models it has.", "Name one: model.remote_name."
            )
        return endpoint.name, 0
    name = choose(endpoint, [entry["id"] for entry in entries])
    entry = next(entry for entry in entries if entry["id"] in (name, f"{name}:latest"))
    return name, int(number(entry.get("max_model_len")) or number(entry.get("context_length")))


def _has_text(answer: Answer) -> bool:
    try:
        return "text" in _first(answer.json())
    except RemoteError:
        return False
