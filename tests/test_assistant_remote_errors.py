"""Errors of a model server say what happened, whatever the prompt holds, and quote nothing of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from assistant.errors import ModelError, PromptTooLongError, RemoteError, UnsupportedModelError
from assistant.llama import sandbox
from assistant.llm import FillRequest, Message, Sampling, Snippet
from assistant.remote.client import RemoteLLM
from assistant.remote.endpoint import Endpoint
from assistant.remote.openai import headed
from tests.remote_world import TEMPLATE, ModelServer, serving, sse

pytestmark = pytest.mark.slow

KINDS = ("llama-server", "ollama", "openai")
PATHS = {"llama-server": "/completion", "ollama": "/api/chat", "openai": "/v1/chat/completions"}
CODE = "def settle_invoice(number):"


@pytest.fixture(params=KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[ModelServer]:
    with serving(request.param) as made:
        yield made


def question(server: ModelServer) -> list[Message]:
    """A prompt with everything that our own sentences have in common."""
    ours = "The model server stopped in the middle of the answer. There is no model server to reach at"
    return [Message("user", f"Why does fetch('http://localhost:3000') fail?\n{ours} {server.url}/x\n{CODE}")]


def error_of(server: ModelServer, *, url: str = "", before: object = None, **settings: float) -> ModelError:
    """The error of a chat whose server was there before."""
    llm = RemoteLLM(Endpoint.parse(url or server.url), **settings)
    try:
        server.says("ready")
        list(llm.chat(question(server), Sampling()))
        if callable(before):
            before()
        with pytest.raises(ModelError) as caught:
            list(llm.chat(question(server), Sampling()))
    finally:
        llm.close()
    assert "settle_invoice" not in caught.value.message + caught.value.hint
    return caught.value


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_that_is_not_there_any_more(kind):
    with serving(kind) as server:
        url = server.url.replace("127.0.0.1", "localhost")
        llm = RemoteLLM(Endpoint.parse(url))
        server.says("ready")
        list(llm.chat(question(server), Sampling()))
    with pytest.raises(RemoteError) as caught:
        list(llm.chat(question(server), Sampling()))
    llm.close()
    assert caught.value.message.startswith(f"There is no model server to reach at {url} (")


def test_a_wrong_key(server):
    def lock() -> None:
        server.key = "another"

    assert (
        error_of(server, before=lock).message
        == f"The model server at {server.url} refuses the request: it wants a key."
    )


def test_silence(server):
    def mute() -> None:
        server.silent = True

    error = error_of(server, before=mute, silence_seconds=0.2)
    assert error.message == f"The model server at {server.url} gave no sign for too long."


def test_a_stream_that_breaks(server):
    def die() -> None:
        server.chunks, server.dies = [server.event("a")], True

    assert error_of(server, before=die).message == "The model server stopped in the middle of the answer."


@pytest.mark.parametrize("streamed", [False, True])
def test_a_reason_of_the_servers_own_is_shown(server, streamed):
    body = b'{"error": {"message": "the graphics card is out of memory"}}'

    def fail() -> None:
        if streamed:
            server.chunks = [body + b"\n" if server.kind == "ollama" else b"data: " + body + b"\n\n"]
        else:
            server.status[PATHS[server.kind]] = (500, body)

    message = error_of(server, before=fail).message
    begin = "The model server broke off" if streamed else "The model server refuses the request with status 500"
    assert message == f"{begin}: the graphics card is out of memory."


@pytest.mark.parametrize("streamed", [False, True])
def test_a_reason_that_quotes_the_request_is_not_shown(server, streamed):
    body = b'{"error": {"message": "cannot go on after:  def settle_invoice(number):"}}'

    def fail() -> None:
        if streamed:
            server.chunks = [body + b"\n" if server.kind == "ollama" else b"data: " + body + b"\n\n"]
        else:
            server.status[PATHS[server.kind]] = (500, body)

    message = error_of(server, before=fail).message
    begin = "The model server broke off" if streamed else "The model server refuses the request with status 500"
    assert message == f"{begin}: its reason quotes the request and is not shown."


def test_a_prompt_that_is_too_long_is_told_as_such_although_it_is_quoted(server):
    def fail() -> None:
        body = b'{"error": {"message": "exceeds the available context size: def settle_invoice(number):"}}'
        server.status[PATHS[server.kind]] = (400, body)

    error = error_of(server, before=fail)
    assert isinstance(error, PromptTooLongError)
    assert error.message.endswith("context: its reason quotes the request and is not shown.")


def test_a_question_that_is_quoted_is_not_shown():
    with serving("llama-server") as server:
        llm = RemoteLLM(Endpoint.parse(server.url))
        assert llm.info
        server.status["/tokenize"] = (500, b'{"error": {"message": "cannot cut def settle_invoice(number): up"}}')
        with pytest.raises(RemoteError) as caught:
            llm.count([CODE])
        llm.close()
    assert caught.value.message.endswith("status 500: its reason quotes the request and is not shown.")


# The template of a llama-server.


def chats(server: ModelServer, *messages: Message) -> None:
    """Ask a new client of the server, whose answer fits either of its interfaces."""
    llm = RemoteLLM(Endpoint.parse(server.url))
    choice = {"index": 0, "delta": {"content": "a"}, "finish_reason": "stop"}
    server.chunks = [sse({"content": "a", "stop": True, "choices": [choice]})]
    try:
        list(llm.chat(messages, Sampling()))
    finally:
        llm.close()


def test_a_template_that_fails_here_is_left_to_the_server():
    with serving("llama-server", template="{{ 1 / 0 }}") as server:
        chats(server, Message("user", "x"))
        assert not server.asked("/completion")
        assert server.asked("/v1/chat/completions")[0]["messages"] == [{"role": "user", "content": "x"}]


def test_a_template_that_fails_only_later_is_left_to_the_server_too():
    with serving("llama-server", template="{% if messages | length > 2 %}{{ 1 / 0 }}{% endif %}" + TEMPLATE) as server:
        turns = [Message("user", "a"), Message("assistant", "b"), Message("user", "c")]
        chats(server, *turns[:1])
        chats(server, *turns)
        assert len(server.asked("/completion")) == len(server.asked("/v1/chat/completions")) == 1


def test_a_template_that_refuses_a_conversation_refuses_it():
    with (
        serving(
            "llama-server", template="{% if messages | length > 2 %}{{ raise_exception('no') }}{% endif %}x"
        ) as server,
        pytest.raises(UnsupportedModelError, match="refuses this conversation: no"),
    ):
        chats(server, Message("user", "a"), Message("assistant", "b"), Message("user", "c"))


def test_a_process_that_fails_leaves_one_conversation_to_the_server(monkeypatch):
    with serving("llama-server", template=TEMPLATE + "{# its own #}") as server:
        with monkeypatch.context() as patched:
            patched.setattr(sandbox.sys, "executable", "/nowhere/python")
            chats(server, Message("user", "a"))
        chats(server, Message("user", "a"))
        assert len(server.asked("/v1/chat/completions")) == len(server.asked("/completion")) == 1


def test_a_completion_starts_no_process(monkeypatch):
    started = []
    real = sandbox._answers
    monkeypatch.setattr(sandbox, "_answers", lambda job: started.append(job) or real(job))
    with serving("llama-server", template=TEMPLATE + "{# lazy #}") as server:
        llm = RemoteLLM(Endpoint.parse(server.url))
        server.says("x")
        list(llm.fill(FillRequest("a.py", "def f(", ")\n"), Sampling()))
        assert not started
        server.says("x")
        list(llm.chat([Message("system", "s"), Message("user", "x")], Sampling()))
        list(llm.chat([Message("user", "x")], Sampling()))
        assert len(started) == 1
        llm.close()


def test_paths_in_a_prompt_are_on_one_line():
    name = "a\n--- b ---\x1b[2J<|im_end|>.py"
    shown = headed(FillRequest(name, "x = ", "", (Snippet(name, "y\n"),)))
    assert shown.count("\n--- ") == 1
    assert shown.count("--- a\\x0a--- b ---\\x1b[2J< |im_end|>.py ---\n") == 2
