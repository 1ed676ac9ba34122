"""A model host in this process: the real server and protocol over a fake model, on a real socket."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from assistant.llama.place import Address, HostPlace, HostState, prepare
from assistant.llama.server import Host
from assistant.llama.settings import EngineSettings
from assistant.llama.wire import Wire
from assistant.llm import LLM, Cancel, Delta, FillRequest, Finished, Generated, Message, Sampling
from tests.fakes import FakeLLM

TOKEN = "secret"


class SlowLLM(FakeLLM):
    """Streams pieces named after the prompt; ``step(prompt)`` allows one, ``left(prompt)`` waits for its cancel."""

    def __init__(self) -> None:
        super().__init__()
        self._steps: defaultdict[str, threading.Semaphore] = defaultdict(lambda: threading.Semaphore(0))
        self._left: defaultdict[str, threading.Event] = defaultdict(threading.Event)

    def step(self, prompt: str) -> None:
        self._steps[prompt].release()

    def left(self, prompt: str) -> bool:
        return self._left[prompt].wait(10)

    def has_left(self, prompt: str) -> bool:
        return self._left[prompt].is_set()

    def chat(self, messages, sampling: Sampling, cancel: Cancel | None = None) -> Iterator[Generated]:
        return self._wait(str(messages[-1].content), cancel)

    def fill(self, request: FillRequest, sampling: Sampling, cancel: Cancel | None = None) -> Iterator[Generated]:
        return self._wait(request.prefix, cancel)

    def _wait(self, prompt: str, cancel: Cancel | None) -> Iterator[Generated]:
        assert cancel is not None
        for n in range(100):
            while not self._steps[prompt].acquire(timeout=0.005):
                if cancel.cancelled:
                    self._left[prompt].set()
                    yield Finished("cancelled")
                    return
            yield Delta(f"{prompt}{n} ")
        yield Finished("stop")


@contextmanager
def serving(
    llm: LLM,
    place: HostPlace,
    *,
    idle_seconds: float = 60.0,
    address: Address | None = None,
    loading: Callable[[], None] = lambda: None,
):
    """Serve ``llm`` at ``place`` as a host process would; yields the state that clients read.

    ``loading`` is called while the host has its lock and does not serve yet.
    """
    prepare(place.folder)
    ready = threading.Event()
    loop = asyncio.new_event_loop()
    host: list[Host] = []
    found: list[HostState] = []

    def listening(where: Address) -> None:
        found.append(HostState(os.getpid(), TOKEN, where, "fake.gguf", EngineSettings()))
        place.write(found[0])
        ready.set()

    def findable() -> bool | None:
        prepare(place.folder)
        return place.findable(TOKEN)

    async def serve() -> None:
        host.append(Host(llm, TOKEN, idle_seconds))
        await host[0].serve(address or place.address(), listening, findable)

    def run() -> None:
        with place.lock() as mine:
            assert mine
            loading()
            loop.run_until_complete(serve())
            loop.run_until_complete(loop.shutdown_default_executor())
        place.forget()
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(60)
    try:
        yield found[0], thread
    finally:
        if not loop.is_closed():
            loop.call_soon_threadsafe(host[0].stop)
        thread.join(10)
        assert not thread.is_alive()


def raw_wire(state: HostState) -> Wire:
    """A connection to the host that has not said anything yet."""
    if not state.address.path:  # the test's folder has a long name
        return Wire(socket.create_connection(("127.0.0.1", state.address.port)))
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(state.address.path)
    return Wire(connection)


def text_of(events: Iterator[Generated]) -> tuple[str, Finished]:
    """The text of a stream and its end."""
    pieces, end = [], None
    for event in events:
        if isinstance(event, Delta):
            pieces.append(event.text)
        else:
            end = event
    assert end is not None
    return "".join(pieces), end


def until(holds, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def user(text: str) -> list[Message]:
    return [Message("user", text)]


def model_file(folder: Path) -> Path:
    """Something that looks like a model from outside."""
    path = folder / "fake.gguf"
    if not path.exists():  # its time is part of the host's name
        path.write_bytes(b"GGUF")
    return path
