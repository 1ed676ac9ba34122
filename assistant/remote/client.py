"""The LLM protocol over a server that already runs. What kind of server it is shows in what it answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from assistant.errors import ModelError, PromptTooLongError, RemoteError
from assistant.llama.fim import may_leak
from assistant.llama.streaming import TextStream
from assistant.llm import Cancel, Delta, FillRequest, Finished, Generated, Message, ModelInfo, Sampling, Timings
from assistant.remote.backend import Backend, Call, failure, in_stream
from assistant.remote.endpoint import Endpoint
from assistant.remote.events import Json, objects
from assistant.remote.llama_server import LlamaServer
from assistant.remote.ollama import Ollama, names_of
from assistant.remote.openai import OpenAI
from assistant.remote.wire import SILENCE_SECONDS, Answer, StatusError, Wire


class RemoteLLM:
    """A model behind ``endpoint``. Nothing is asked before the first call; threads may share an instance.

    ``context_tokens`` is the context to set or assume where the server does not tell its own.
    """

    def __init__(
        self, endpoint: Endpoint, *, context_tokens: int = 8192, silence_seconds: float = SILENCE_SECONDS
    ) -> None:
        self._wire = Wire(endpoint, silence_seconds=silence_seconds)
        self._context_tokens = context_tokens
        self._found: Backend | None = None
        self._lock = threading.Lock()

    @property
    def info(self) -> ModelInfo:
        """What the model is; asks the server the first time."""
        return self._backend().info

    @property
    def kind(self) -> str:
        """What kind of server it is, for people."""
        return self._backend().kind

    def count(self, texts: Sequence[str]) -> list[int]:
        """Number of tokens of each text; a third of its bytes where the server has no tokenizer to ask."""
        return self._backend().count(texts) if texts else []

    def count_chat(self, messages: Sequence[Message]) -> int:
        """Number of prompt tokens of a conversation, or an estimate."""
        return self._backend().chat(messages, Sampling()).prompt_tokens

    def count_fill(self, request: FillRequest) -> int:
        """Number of prompt tokens of a fill request, or an estimate."""
        return self._backend().fill(request, Sampling()).prompt_tokens

    def chat(
        self, messages: Sequence[Message], sampling: Sampling, cancel: Cancel | None = None
    ) -> Iterator[Generated]:
        """Answer a conversation. Raises RemoteError if the server fails on the way."""
        cancel = cancel or Cancel()
        if cancel.cancelled:
            yield Finished("cancelled")
            return
        sent = [message.content for message in messages]
        yield from self._run(self._backend().chat(messages, sampling), sampling, cancel, sent)

    def fill(self, request: FillRequest, sampling: Sampling, cancel: Cancel | None = None) -> Iterator[Generated]:
        """Complete the middle. Raises RemoteError if the server fails on the way."""
        cancel = cancel or Cancel()
        if cancel.cancelled:
            yield Finished("cancelled")
            return
        sent = [request.prefix, request.suffix, *(snippet.text for snippet in request.context)]
        call = self._backend().fill(request, sampling)
        ends = replace(sampling, stop=(*sampling.stop, *may_leak(request)))
        yield from self._run(call, ends, cancel, sent)

    def close(self) -> None:
        """End the connections. Safe to call twice."""
        self._wire.close()

    def _run(self, call: Call, sampling: Sampling, cancel: Cancel, sent: Sequence[str]) -> Iterator[Generated]:
        """The stream of a call. ``sent``: the texts in it, which no error may quote."""
        self._check_fits(call, sampling)
        text = TextStream(sampling.stop)
        started = time.perf_counter()
        first, pieces = 0.0, 0
        try:
            for event in self._events(call, cancel):
                if event.get("error"):
                    raise in_stream(event, sent)
                piece = call.read(event)
                if piece.text and sampling.max_tokens > 0:
                    pieces += 1
                    first = first or time.perf_counter()
                    if shown := text.push(piece.text.encode("utf-8", "surrogatepass")):
                        yield Delta(shown)
                cost = _cost(piece.timings, call, started, first, pieces)
                if text.stopped:
                    yield Finished("stop", cost)
                    return
                if piece.stop_reason is not None:
                    if shown := text.finish():
                        yield Delta(shown)
                    yield Finished(piece.stop_reason, cost)
                    return
        except StatusError as exc:
            if call.otherwise is not None and exc.answer.status == 400:
                yield from self._run(call.otherwise, sampling, cancel, sent)
                return
            raise failure(exc.answer, self._wire.endpoint, self.info.name, sent=sent) from exc
        except RemoteError:
            self._forget()
            raise
        if cancel.cancelled:
            yield Finished("cancelled", _cost(None, call, started, first, pieces))
            return
        self._forget()
        raise RemoteError(
            "The model server stopped in the middle of the answer.", "See its log, and ask again when it runs."
        )

    def _events(self, call: Call, cancel: Cancel) -> Iterator[Json]:
        chunks = self._wire.stream(call.path, call.payload, cancel)
        try:
            for event in objects(chunks, call.form):
                if cancel.cancelled:
                    return
                yield event
        finally:
            chunks.close()  # closes the connection

    def _check_fits(self, call: Call, sampling: Sampling) -> None:
        size, wanted = self.info.context_tokens, max(0, sampling.max_tokens)
        if call.prompt_tokens + wanted > size:
            raise PromptTooLongError(
                f"The prompt has about {call.prompt_tokens:,} tokens and up to {wanted:,} more were asked for, "
                f"but the server's context holds {size:,}.",
                "Ask with less text, or give the server (or model.context_tokens) a larger context.",
            )

    def _forget(self) -> None:
        """Ask anew next time what the server is: it may come back with another model."""
        with self._lock:
            self._found = None

    def _backend(self) -> Backend:
        with self._lock:
            if self._found is None:
                self._found = find_backend(self._wire, self._context_tokens)
            return self._found


def find_backend(wire: Wire, context_tokens: int) -> Backend:
    """Ask the endpoint what it is: a llama-server, Ollama, or something that speaks OpenAI's interface.

    Raises RemoteError if it cannot be reached, refuses or is none of them, NoModelError if it lacks the model.
    """
    endpoint = wire.endpoint
    if not endpoint.is_openai:
        props = wire.ask("GET", "/props")
        if (told := _object(props)) is not None and "default_generation_settings" in told:
            return LlamaServer(wire, told, context_tokens)
        if props.status == 503 or (props.status in (401, 403) and not endpoint.key):
            raise failure(props, endpoint)
        names = names_of(_object(wire.ask("GET", "/api/tags")) or {})
        if names is not None:
            return Ollama(wire, names, context_tokens)
    models = wire.ask("GET", f"{endpoint.openai}/models")
    if (listed := _object(models)) is not None and isinstance(listed.get("data"), list):
        return OpenAI(wire, models, context_tokens)
    if models.status in (404, 405) and endpoint.name:
        return OpenAI(wire, models, context_tokens)
    if models.status not in (200, 404, 405):
        raise failure(models, endpoint)
    raise RemoteError(
        f"What answers at {endpoint.url} is no model server that codemoat knows.",
        "model.url must name a llama-server, Ollama or an OpenAI-compatible endpoint (its address ends with /v1).",
    )


def _object(answer: Answer) -> Json | None:
    """A good answer as an object, None for any other."""
    try:
        return answer.json() if answer.ok else None
    except ModelError:
        return None


def _cost(told: Timings | None, call: Call, started: float, first: float, pieces: int) -> Timings:
    """What the server told, completed with what was seen from here."""
    now = time.perf_counter()
    first = first or now
    if told is None:
        told = Timings(call.prompt_tokens, call.prompt_tokens, pieces)
    if told.prompt_ms or told.generation_ms:
        return told
    return replace(told, prompt_ms=1000 * (first - started), generation_ms=1000 * (now - first))
