"""The LLM protocol over the model host: finds the host of a model or starts it, and streams from it.

One connection stays open for short questions and keeps the host alive; every generation has its own, so that closing it
cancels the work, whatever happens to this process.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.errors import HostError, NoModelError
from assistant.llama import protocol
from assistant.llama.place import HostPlace, prepare
from assistant.llama.protocol import Json
from assistant.llama.settings import DRAFT_TOKENS, MICRO_BATCH, EngineSettings
from assistant.llama.starter import start_host
from assistant.llama.wire import Wire, connect
from assistant.llm import Answered, Cancel, FillRequest, Finished, Generated, Message, ModelInfo, Sampling, Waiting
from indexer.errors import CancelledError

_POLL_SECONDS = 0.02
"""How often a waiting call looks at its cancel flag and lets Ctrl-C through."""
_CANCEL_SECONDS = 5.0
"""How long a cancelled generation is waited for; the host needs milliseconds."""
_START_SECONDS = 300.0
"""How long another process may take to start the host that both want."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSettings:
    """How the host opens the model, how long it stays without clients, and where its files are."""

    runtime_dir: Path
    context_tokens: int = 8192
    threads: int = 0
    gpu_layers: int = 0
    flash_attention: bool = False
    micro_batch: int = MICRO_BATCH
    draft_tokens: int = DRAFT_TOKENS
    idle_seconds: float = 900.0

    @property
    def engine(self) -> EngineSettings:
        """The part that makes a difference to the model: equal ones share a host."""
        return EngineSettings(
            context_tokens=self.context_tokens,
            threads=self.threads,
            gpu_layers=self.gpu_layers,
            flash_attention=self.flash_attention,
            micro_batch=self.micro_batch,
            draft_tokens=self.draft_tokens,
        )


class HostedLLM:
    """A model in its host process. Nothing is started before the first call; threads may share an instance.

    ``progress`` gets the loaded fraction (0 to 1) while a call waits for the host to start.
    """

    def __init__(
        self, model_path: Path, settings: HostSettings, *, progress: Callable[[float], None] | None = None
    ) -> None:
        self._model = model_path
        self._settings = settings
        self._progress = progress
        self._place: HostPlace | None = None
        self._control: Wire | None = None
        self._info: ModelInfo | None = None
        self._lock = threading.Lock()
        self._number = 0
        self._name = secrets.token_hex(8)

    @property
    def info(self) -> ModelInfo:
        """What the model is; starts the host if none runs."""
        if self._info is None:
            self._info = protocol.info_from_json(self._ask({"op": "info"}))
        return self._info

    @property
    def pid(self) -> int:
        """Process id of the host; starts it if none runs."""
        self._ask({"op": "ping"})
        assert self._control is not None
        return self._control.pid

    def count(self, texts: Sequence[str]) -> list[int]:
        """Number of tokens of each text, without special tokens."""
        if not texts:
            return []
        return protocol.counts_from_json(self._ask({"op": "count", "texts": list(texts)}), len(texts))

    def count_chat(self, messages: Sequence[Message]) -> int:
        """Number of prompt tokens of a conversation, template included."""
        question = {"op": "count_chat", "messages": protocol.messages_to_json(messages)}
        return protocol.count_from_json(self._ask(question))

    def count_fill(self, request: FillRequest) -> int:
        """Number of prompt tokens of a fill request."""
        question = {"op": "count_fill", "request": protocol.request_to_json(request)}
        return protocol.count_from_json(self._ask(question))

    def chat(self, messages: Sequence[Message], sampling: Sampling, cancel: Cancel | None = None) -> Iterator[Answered]:
        """Answer a conversation. Raises HostError if the host dies on the way; the next call starts a new one."""
        return self._stream("chat", {"messages": protocol.messages_to_json(messages)}, sampling, cancel)

    def fill(
        self, request: FillRequest, sampling: Sampling, cancel: Cancel | None = None, *, supersede: bool = False
    ) -> Iterator[Generated]:
        """Complete the middle. Raises HostError if the host dies on the way; the next call starts a new one.

        With ``supersede`` the fills that this client asked for before are cancelled.
        """
        payload = {"request": protocol.request_to_json(request), "supersede": supersede}
        with closing(self._stream("fill", payload, sampling, cancel)) as events:
            for event in events:
                if not isinstance(event, Waiting):  # only who asked a question is told
                    yield event

    def close(self) -> None:
        """Leave the host; it stays for others, and for a while after the last. Safe to call twice."""
        with self._lock:
            if self._control is not None:
                self._control.close()
                self._control = None

    def _stream(
        self, op: str, payload: Json, sampling: Sampling, cancel: Cancel | None
    ) -> Generator[Answered, None, None]:
        cancel = cancel or Cancel()
        if cancel.cancelled:
            yield Finished("cancelled")
            return
        wire = self._open(cancel)
        try:
            wire.send({"id": 1, "op": op, "sampling": protocol.sampling_to_json(sampling), **payload})
            yield from _events(wire, cancel)
        except ConnectionError as exc:
            raise HostError(
                "The model host stopped in the middle of the answer.",
                "Run the command again; a new one is started. If it happens again, see `codemoat doctor`.",
            ) from exc
        finally:
            wire.close()

    def _ask(self, question: Json) -> Any:
        """A short question over the connection that stays open; opened anew once if the host has gone meanwhile."""
        with self._lock:
            self._number += 1
            message = {"id": self._number, **question}
            if self._control is not None:
                try:
                    return _result(self._control, message)
                except ConnectionError:
                    self._control.close()
                    self._control = None
            self._control = self._open(Cancel())
            try:
                return _result(self._control, message)
            except ConnectionError as exc:
                raise HostError("The model host stopped while it was asked.", "Run the command again.") from exc

    def _open(self, cancel: Cancel) -> Wire:
        """A connection to the host, started if it does not run. Raises why it cannot start, and CancelledError."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if (wire := self._connect()) is not None:
                return wire
            if cancel.cancelled:
                raise CancelledError("Stopped while the model was loading.")
            place = self._place = self._find_place()  # again: the file may have been replaced, or be gone
            prepare(place.folder)
            with place.lock() as free:
                pass
            if free:
                start_host(
                    place,
                    self._model.resolve(),
                    self._settings.engine,
                    self._settings.idle_seconds,
                    self._progress,
                    cancel,
                )
            else:  # a host is loading for somebody else, or leaving
                time.sleep(_POLL_SECONDS)
        raise HostError("The model host did not start in time.", f"See the logs in {self._settings.runtime_dir}.")

    def _connect(self) -> Wire | None:
        """A connection to a host that runs. A known place is kept, so that a deleted model is served to the end."""
        if self._place is None:
            self._place = self._find_place()
        state = self._place.read()
        return connect(state, self._name) if state is not None else None

    def _find_place(self) -> HostPlace:
        try:
            return HostPlace.of(self._settings.runtime_dir, self._model, self._settings.engine)
        except OSError as exc:
            raise NoModelError(
                f"The model file {self._model} is not there.",
                "Fetch it with `codemoat models pull`, or name another model.",
            ) from exc


def _events(wire: Wire, cancel: Cancel) -> Iterator[Answered]:
    """The stream of request 1, cancelled when ``cancel`` is set."""
    cancelled_at: float | None = None
    while True:
        if cancel.cancelled and cancelled_at is None:
            cancelled_at = time.monotonic()
            wire.send({"id": 2, "op": "cancel", "target": 1})
        answer = wire.receive(_POLL_SECONDS)
        if answer is not None:
            event = protocol.event_from_json(answer)
            yield event
            if isinstance(event, Finished):
                return
        elif cancelled_at is not None and time.monotonic() > cancelled_at + _CANCEL_SECONDS:
            yield Finished("cancelled")
            return


def _result(wire: Wire, message: Json) -> Any:
    """Ask one question and wait for its answer."""
    wire.send(message)
    while (answer := wire.receive(_POLL_SECONDS)) is None or answer.get("id") != message["id"]:
        if answer is not None and "id" not in answer:  # the host hangs up, and says why
            raise protocol.error_from_json(answer.get("error"))
    if "result" not in answer:
        raise protocol.error_from_json(answer.get("error"))
    return answer["result"]
