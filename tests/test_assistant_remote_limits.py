"""What a hostile or broken model server can do: fail in one sentence."""

from __future__ import annotations

import pytest

from assistant.errors import RemoteError
from assistant.llm import Delta, FillRequest, Finished, Message, Sampling
from assistant.remote import wire
from assistant.remote.client import RemoteLLM
from assistant.remote.endpoint import Endpoint
from tests.remote_world import ModelServer, serving

pytestmark = pytest.mark.slow

KINDS = ("llama-server", "ollama", "openai")
REQUEST = FillRequest("a.py", "def f(", ")\n")
HELLO = [Message("user", "hello")]


@pytest.fixture
def client():
    """Makes clients, and closes them."""
    made = []

    def make(server: ModelServer | str, name: str = "", key: str = "", **settings) -> RemoteLLM:
        url = server if isinstance(server, str) else server.url
        made.append(RemoteLLM(Endpoint.parse(url, name, key), **settings))
        return made[-1]

    yield make
    for llm in made:
        llm.close()
        llm.close()


@pytest.fixture(params=KINDS)
def server(request):
    with serving(request.param) as made:
        yield made


def text_of(stream) -> tuple[str, Finished]:
    *deltas, finished = list(stream)
    assert isinstance(finished, Finished)
    return "".join(d.text for d in deltas if isinstance(d, Delta)), finished


@pytest.mark.parametrize("form", ["one line", "many lines", "empty events", "nothing but comments"])
def test_an_endless_stream_is_one_clear_error(server, client, monkeypatch, form):
    monkeypatch.setattr(wire, "_MOST_STREAM_BYTES", 300_000)
    chunk = {
        "one line": b"x" * 10_000,
        "many lines": server.event("") * 100,
        "empty events": b"\n" * 10_000,
        "nothing but comments": b": x\n\n" * 2_000 if server.kind != "ollama" else b" \n" * 5_000,
    }[form]
    server.chunks, server.endless = [chunk] * 200, True
    with pytest.raises(RemoteError, match="answer exceeds the limit of 300,000 bytes"):
        text_of(client(server).chat(HELLO, Sampling()))
    assert server.left.wait(10)


def test_a_stream_that_goes_on_for_too_long_is_one_clear_error(server, client, monkeypatch):
    llm = client(server)
    assert llm.info
    monkeypatch.setattr(wire, "_MOST_STREAM_SECONDS", 0.2)
    server.chunks, server.endless = [server.event("one ")], True
    with pytest.raises(RemoteError, match="exceeds the limit of 0 seconds"):
        text_of(llm.chat(HELLO, Sampling()))
    assert server.left.wait(10)


def test_an_answer_that_is_too_long_is_one_clear_error(server, client, monkeypatch):
    monkeypatch.setattr(wire, "_MOST_ANSWER_BYTES", 1_000)
    first = {"llama-server": "/props", "ollama": "/api/tags", "openai": "/v1/models"}[server.kind]
    server.status[first] = (200, b"x" * 2_000)
    with pytest.raises(RemoteError, match="answer exceeds the limit of 1,000 bytes"):
        _ = client(server).info


def test_a_long_reason_of_a_refusal_is_cut(server, client, monkeypatch):
    monkeypatch.setattr(wire, "_MOST_ERROR_BYTES", 1_000)
    llm = client(server)
    assert llm.info
    for path in ("/completion", "/api/chat", "/v1/chat/completions"):
        server.status[path] = (500, b"x" * 100_000)
    with pytest.raises(RemoteError, match="status 500: no reason given"):
        text_of(llm.chat(HELLO, Sampling()))


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"a":' * 100_000, b'{"default_generation_settings": ' + b"[" * 9_999]
)
def test_deeply_nested_answers_are_no_answers(client, body):
    with serving("llama-server") as server:
        server.status["/props"] = (200, body)
        with pytest.raises(RemoteError, match="no model server that codemoat knows"):
            _ = client(server).info


def test_numbers_that_none_can_be_count_as_not_told(client):
    with serving("llama-server") as server:
        server.says("x")
        server.chunks[-1] = (
            server.chunks[-1].replace(b"12.5", b"1e999").replace(b"97", b"-1").replace(b": 3,", b": 1e400,")
        )
        _, finished = text_of(client(server).fill(REQUEST, Sampling()))
        assert finished.timings.evaluated_tokens == 0


def test_compressed_answers_are_refused_before_they_are_read(server, client):
    server.headers = {"Content-Encoding": "gzip"}
    with pytest.raises(RemoteError, match="compressed"):
        _ = client(server).info


def test_headers_without_end_are_one_clear_error(server, client):
    server.headers = {f"X-{n}": "x" * 1_000 for n in range(400)}
    with pytest.raises(RemoteError, match="broke the connection off"):
        _ = client(server).info
