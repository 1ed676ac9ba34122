"""A suggester over a model that writes what the test hands it, when it hands it."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from assistant.completion.completer import Completer
from assistant.completion.request import Completion, CompletionRequest, CompletionSettings
from assistant.completion.suggester import Suggester
from assistant.llm import Cancel, Delta, FillRequest, Finished, Generated, Sampling, Timings
from tests.fakes import FakeLLM

END = object()
CANCELLED = object()


class SteppedLLM(FakeLLM):
    """Writes what the test hands it, when it hands it: ``write`` for each call; ``END``, ``CANCELLED`` end one."""

    def __init__(self) -> None:
        super().__init__(alternatives=True)
        self.pieces: list[queue.SimpleQueue[object]] = []
        self.begun = threading.Semaphore(0)
        self.ends: list[str] = []
        self._model = threading.Lock()

    def fill(self, request: FillRequest, sampling: Sampling, cancel: Cancel | None = None) -> Iterator[Generated]:
        self.calls.append((request, sampling))
        pieces: queue.SimpleQueue[object] = queue.SimpleQueue()
        self.pieces.append(pieces)
        self.begun.release()
        return self._write(pieces, cancel or Cancel())

    def _write(self, pieces: queue.SimpleQueue[object], cancel: Cancel) -> Iterator[Generated]:
        with self._model:  # one after the other, as the model's host takes them
            yield from self._writing(pieces, cancel)

    def _writing(self, pieces: queue.SimpleQueue[object], cancel: Cancel) -> Iterator[Generated]:
        count = 0
        while not cancel.cancelled:
            try:
                piece = pieces.get(timeout=0.005)
            except queue.Empty:
                continue
            if piece is END:
                self.ends.append("stop")
                yield Finished("stop", Timings(100, 100, count, 1000.0, 50.0))
                return
            if piece is CANCELLED:
                break
            count += 1
            yield Delta(str(piece))
        self.ends.append("cancelled")
        yield Finished("cancelled", Timings(100, 100, count))

    def write(self, *pieces: object, call: int = -1) -> None:
        for piece in pieces:
            self.pieces[call].put(piece)

    def wait_for_call(self) -> None:
        assert self.begun.acquire(timeout=60)


def at(prefix: str, suffix: str = "\n", path: str = "a.py") -> CompletionRequest:
    return CompletionRequest(path, "python", 1, prefix, suffix)


class Typist:
    """A suggester over a stepped model, asked from threads as a server would."""

    def __init__(self, *, patience: float = 60.0, multiline: bool = True) -> None:
        self.llm = SteppedLLM()
        completer = Completer(None, self.llm, CompletionSettings(multiline=multiline))
        self.suggester = Suggester(completer, patience=patience)
        self._pool = ThreadPoolExecutor(4)

    def ask(self, prefix: str, suffix: str = "\n", cancel: Cancel | None = None) -> Future[Completion]:
        return self._pool.submit(self.suggester.suggest, at(prefix, suffix), cancel)

    def begun(self, prefix: str, suffix: str = "\n", words: str = "") -> Future[Completion]:
        """Asked by somebody who takes first words."""
        return self._pool.submit(lambda: self.suggester.suggest(at(prefix, suffix), begun=words))

    def until_waited_for(self, number: int) -> None:
        """Until so many wait for the run."""
        deadline = time.monotonic() + 60
        while self.suggester._run is None or self.suggester._run.waiting != number:
            assert time.monotonic() < deadline
            time.sleep(0.001)

    def close(self) -> None:
        self.suggester.close()
        self._pool.shutdown()


def text(future: Future[Completion]) -> str:
    return future.result(timeout=60).text
