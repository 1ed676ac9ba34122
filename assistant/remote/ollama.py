"""Ollama: the model's format is read off its template, and prompts are sent as text.

Where the template names a family that is known here, the prompt is built here (``raw``), with the text before the
cursor last where the family can, so that Ollama's own reuse of evaluated tokens works; for other models that can fill,
Ollama builds it from ``suffix``. There is no tokenizer to ask: tokens are estimated. Ollama cuts a prompt that is too
long without a word, so the context is set here (``num_ctx``) and prompts are kept within it.
"""

from __future__ import annotations

from collections.abc import Sequence

from assistant.errors import NoModelError, UnsupportedModelError
from assistant.llama import fim
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
from assistant.remote.events import Json
from assistant.remote.openai import headed
from assistant.remote.wire import Wire

_NANOSECONDS_A_MILLISECOND = 1e6


class Ollama:
    """One model of an Ollama server. ``names`` are those it has."""

    kind = "Ollama"

    def __init__(self, wire: Wire, names: Sequence[str], context_tokens: int) -> None:
        if not names:
            raise NoModelError(
                f"Ollama at {wire.endpoint.url} has no models.", "Fetch one there: `ollama pull qwen2.5-coder:1.5b`."
            )
        self._name = choose(wire.endpoint, names)
        answer = wire.ask("POST", "/api/show", {"model": self._name})
        if not answer.ok:
            raise failure(answer, wire.endpoint, self._name, names)
        shown = answer.json()
        details = shown.get("model_info")
        details = details if isinstance(details, dict) else {}
        architecture, template = text_of(details.get("general.architecture")), text_of(shown.get("template"))
        trained = int(number(details.get(f"{architecture}.context_length")))
        self._size = min(context_tokens, trained) if trained else context_tokens
        abilities = shown.get("capabilities")
        known = abilities if isinstance(abilities, list) else None
        self._spelling = fim.find_spelling(template, architecture, self._name)
        can_fill = "insert" in known if known is not None else ".Suffix" in template
        can_fill = can_fill or self._spelling is not None
        # Ollama gives base models a template that only passes the prompt on.
        can_chat = ".Messages" in template or ".System" in template or (not template and known is not None)
        layout = "" if not can_fill else self._layout()
        self.info = ModelInfo(self._name, self._size, can_fill, can_chat and "embedding" not in (known or ()), layout)

    def count(self, texts: Sequence[str]) -> list[int]:
        """About how many tokens each text has."""
        return [estimate(text) for text in texts]

    def chat(self, messages: Sequence[Message], sampling: Sampling) -> Call:
        """``/api/chat``, streamed."""
        if not self.info.chat:
            raise UnsupportedModelError(
                f"{self._name} cannot chat: it is a base model.", "Choose an instruct model with model.remote_name."
            )
        payload = {"model": self._name, "messages": wrote(messages), **self._options(sampling)}
        return Call("/api/chat", payload, "ndjson", read, estimate_chat(messages))

    def fill(self, request: FillRequest, sampling: Sampling) -> Call:
        """``/api/generate``, streamed: our own prompt as it is, or ``suffix`` for Ollama's template."""
        if not self.info.fim:
            raise unsupported(self.kind, self._name)
        payload = {"model": self._name, **self._options(sampling)}
        if self._spelling is not None:
            prompt = fim.write(self._spelling, request, harmless)
            return Call("/api/generate", payload | {"prompt": prompt, "raw": True}, "ndjson", read, estimate(prompt))
        prefix, suffix = headed(request), harmless(request.suffix)
        payload |= {"prompt": prefix, "suffix": suffix}
        return Call("/api/generate", payload, "ndjson", read, estimate(prefix) + estimate(suffix))

    def _layout(self) -> str:
        if self._spelling is None:
            return "server"
        order = self._spelling.order
        return "spm" if order.index("suffix") < order.index("prefix") else "psm"

    def _options(self, sampling: Sampling) -> Json:
        options: Json = {
            # Zero means no limit here; one token too many is dropped.
            "num_predict": max(1, sampling.max_tokens),
            "temperature": sampling.temperature,
            "seed": sampling.seed,
            "repeat_penalty": sampling.repeat_penalty,
            # The same with every request, for Ollama loads a model anew when it changes.
            "num_ctx": self._size,
        }
        if sampling.stop:
            options["stop"] = list(sampling.stop)
        return {"stream": True, "options": options}


def names_of(tags: Json) -> list[str] | None:
    """The models in an answer of ``/api/tags``; None if it is no such answer."""
    models = tags.get("models")
    if not isinstance(models, list):
        return None
    return [text_of(entry.get("name")) for entry in models if isinstance(entry, dict) and entry.get("name")]


def read(event: Json) -> Piece:
    """One line of ``/api/chat`` or ``/api/generate``."""
    message = event.get("message")
    text = text_of(message.get("content")) if isinstance(message, dict) else text_of(event.get("response"))
    if event.get("done") is not True:
        return Piece(text)
    reason: StopReason = "length" if event.get("done_reason") == "length" else "stop"
    # It tells how many tokens the prompt has, but not how many of them it evaluated; the time shows it.
    prompt = int(number(event.get("prompt_eval_count")))
    timings = Timings(
        prompt,
        prompt,
        int(number(event.get("eval_count"))),
        number(event.get("prompt_eval_duration")) / _NANOSECONDS_A_MILLISECOND,
        number(event.get("eval_duration")) / _NANOSECONDS_A_MILLISECOND,
    )
    return Piece(text, reason, timings)
