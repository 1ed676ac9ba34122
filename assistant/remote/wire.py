"""HTTP to one model server: short questions over a connection that stays, and streams that end the moment one cancels.

httpx runs in an event loop of its own thread, because there a request can be cancelled wherever it is: connecting,
waiting for the first byte, or between two. Cancelling closes the connection, which is how servers learn to stop.
Redirects are not followed: text goes to the address that the user named and to no other.

A server is not trusted with this process: what it sends is bounded in bytes and in time, and is never decompressed
(a thousandth of the bytes could ask for all memory). Headers are bounded by httpx, at 100 kB.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import AsyncIterator, Generator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assistant.errors import RemoteError
from assistant.llm import Cancel
from assistant.remote.endpoint import Endpoint
from assistant.remote.events import Json, parse

if TYPE_CHECKING:
    import httpx

CONNECT_SECONDS = 5.0
QUESTION_SECONDS = 20.0
"""For what a server answers without computing."""
SILENCE_SECONDS = 300.0
"""The longest wait for the next byte of a stream: a cold model is loaded and a long prompt evaluated in it."""
_POLL_SECONDS = 0.02
"""How often a waiting call looks at its cancel flag and lets Ctrl-C through."""
_CLOSE_SECONDS = 5.0
_MOST_ERROR_BYTES = 65_536
_MOST_ANSWER_BYTES = 16_000_000
"""Of a whole answer; the largest are tokens of the texts of one request."""
_MOST_ANSWER_SECONDS = 120.0
"""For a whole answer, however steadily its bytes come."""
_MOST_STREAM_BYTES = 64_000_000
"""Of a streamed answer; a token has some 300 bytes in the wordiest of the protocols."""
_MOST_STREAM_SECONDS = 3_600.0


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer to a question."""

    status: int
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether the server did what it was asked."""
        return self.status == 200

    def json(self) -> Json:
        """The body as an object. Raises RemoteError if it is none."""
        return parse(self.body)


class StatusError(Exception):
    """A stream that the server refused to begin; what it means depends on the server. Never leaves the package."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class Wire:
    """Requests to one endpoint. Nothing is opened before the first; threads may share it."""

    def __init__(self, endpoint: Endpoint, *, silence_seconds: float = SILENCE_SECONDS) -> None:
        self.endpoint = endpoint
        self._silence = silence_seconds
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._client: httpx.AsyncClient | None = None

    def ask(self, method: str, path: str, payload: Json | None = None) -> Answer:
        """A question and its whole answer, whatever its status. Raises RemoteError if there is none."""

        async def run(client: httpx.AsyncClient) -> Answer:
            url = self.endpoint.url + path
            async with _in_time(_MOST_ANSWER_SECONDS), client.stream(method, url, json=payload) as response:
                return Answer(response.status_code, await _body(response, _MOST_ANSWER_BYTES))

        future = self._start(run)
        try:
            while True:
                with contextlib.suppress(TimeoutError):
                    answer: Answer = future.result(_POLL_SECONDS)
                    return answer
        except BaseException as exc:
            future.cancel()
            raise self._mapped(exc, streaming=False) from exc

    def stream(self, path: str, payload: Json, cancel: Cancel) -> Generator[bytes, None, None]:
        """Post ``payload`` and yield the answer's bytes as they come; ends early, and at once, when cancelled.

        Raises StatusError if the server does not answer 200, RemoteError if it cannot be reached or dies.
        """
        arrived: queue.SimpleQueue[bytes] = queue.SimpleQueue()

        async def run(client: httpx.AsyncClient) -> None:
            import httpx

            # A connection of its own, so that closing it stops nothing else.
            timeout = httpx.Timeout(self._silence, connect=CONNECT_SECONDS)
            headers = {"Connection": "close"}
            url = self.endpoint.url + path
            async with (
                _in_time(_MOST_STREAM_SECONDS),
                client.stream("POST", url, json=payload, timeout=timeout, headers=headers) as response,
            ):
                if response.status_code != 200:
                    raise StatusError(Answer(response.status_code, await _body(response, _MOST_ERROR_BYTES, cut=True)))
                async for data in _bytes(response, _MOST_STREAM_BYTES):
                    arrived.put(data)

        future = self._start(run)
        began = False
        try:
            while not cancel.cancelled:
                ended = future.done()  # looked at first: what came before the end is in the queue by then
                try:
                    data = arrived.get(timeout=0 if ended else _POLL_SECONDS)
                except queue.Empty:
                    if ended:
                        future.result()
                        return
                    continue
                began = True
                yield data
        except (GeneratorExit, StatusError):
            raise
        except BaseException as exc:
            raise self._mapped(exc, streaming=began) from exc
        finally:
            self._stop(future)

    def close(self) -> None:
        """End the connections and the thread. Safe to call twice; a later call opens anew."""
        with self._lock:
            loop, thread, client = self._loop, self._thread, self._client
            self._loop = self._thread = self._client = None
        if loop is None or thread is None:
            return
        asyncio.run_coroutine_threadsafe(_end(client), loop).result(_CLOSE_SECONDS)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_CLOSE_SECONDS)
        if not thread.is_alive():
            loop.close()

    def _start(self, run: Any) -> Future[Any]:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="codemoat-http", daemon=True)
                self._thread.start()
            return asyncio.run_coroutine_threadsafe(self._with_client(run), self._loop)

    async def _with_client(self, run: Any) -> Any:
        """Run with the client, which is made here so that it belongs to this loop."""
        if self._client is None:
            self._client = _client(self.endpoint)
        return await run(self._client)

    def _stop(self, future: Future[Any]) -> None:
        """See that the request is over and its connection closed before going on."""
        if future.done():
            return
        loop = self._loop
        future.cancel()
        if loop is not None and loop.is_running():
            with contextlib.suppress(TimeoutError):
                asyncio.run_coroutine_threadsafe(_settle(), loop).result(_CLOSE_SECONDS)

    def _mapped(self, error: BaseException, *, streaming: bool) -> BaseException:
        import httpx

        url = self.endpoint.url
        if isinstance(error, httpx.TimeoutException) and not isinstance(error, httpx.ConnectTimeout):
            return RemoteError(f"The model server at {url} gave no sign for too long.", "See what it is doing.")
        if isinstance(error, httpx.TransportError) and streaming:
            return RemoteError(
                "The model server stopped in the middle of the answer.", "See its log, and ask again when it runs."
            )
        if isinstance(error, httpx.ProtocolError | httpx.ReadError | httpx.WriteError):
            return RemoteError(
                f"The model server at {url} broke the connection off without an answer.",
                "See its log; it may have crashed.",
            )
        if isinstance(error, httpx.HTTPError | httpx.InvalidURL):
            return RemoteError(
                f"There is no model server to reach at {url} ({_reason(error)}).",
                "Start it, or correct model.url; `codemoat config unset model.url` goes back to the model here.",
            )
        return error


def _client(endpoint: Endpoint) -> httpx.AsyncClient:
    import httpx

    headers = {"User-Agent": "codemoat", "Accept-Encoding": "identity"}
    if endpoint.key:
        headers["Authorization"] = f"Bearer {endpoint.key}"
    return httpx.AsyncClient(
        headers=headers,
        timeout=httpx.Timeout(QUESTION_SECONDS, connect=CONNECT_SECONDS),
        follow_redirects=False,
        # What stays on this machine must not take the way through a proxy.
        trust_env=not endpoint.is_local,
        # Reading the certificates takes longer than many an answer.
        verify=endpoint.secure or not endpoint.is_local,
    )


async def _body(response: httpx.Response, most: int, *, cut: bool = False) -> bytes:
    """The whole body. Raises RemoteError for one of more than ``most`` bytes, or cuts it there."""
    data = bytearray()
    try:
        async for chunk in _bytes(response, most):
            data += chunk
    except RemoteError:
        if not cut:
            raise
    return bytes(data)


async def _bytes(response: httpx.Response, most: int) -> AsyncIterator[bytes]:
    """The body as it comes, as it is sent. Raises RemoteError once it has more than ``most`` bytes."""
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise RemoteError(
            "The model server sends a compressed answer, which was not asked for.", "See which proxy stands before it."
        )
    count = 0
    async for chunk in response.aiter_raw():
        count += len(chunk)
        if count > most:
            raise RemoteError(
                f"The model server's answer does not end: it has more than {most:,} bytes.",
                "See whether model.url names a model server, and its log.",
            )
        yield chunk


@contextlib.asynccontextmanager
async def _in_time(seconds: float) -> AsyncIterator[None]:
    """End the block after a time. Raises RemoteError then, not TimeoutError, which means here: look again."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as exc:
        raise RemoteError(
            f"The model server's answer does not end: it takes more than {seconds:.0f} seconds.", "See its log."
        ) from exc


async def _end(client: httpx.AsyncClient | None) -> None:
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    if client is not None:
        await client.aclose()
    await asyncio.get_running_loop().shutdown_asyncgens()
    await asyncio.get_running_loop().shutdown_default_executor()


async def _settle() -> None:
    """Wait until the tasks that were cancelled have ended."""
    until = time.monotonic() + _CLOSE_SECONDS
    here = asyncio.current_task()
    while time.monotonic() < until and any(t.cancelling() for t in asyncio.all_tasks() if t is not here):
        await asyncio.sleep(0)


def _reason(error: BaseException) -> str:
    text = str(error).strip()
    return text.splitlines()[0][:120] if text else type(error).__name__
