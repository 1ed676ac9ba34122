from __future__ import annotations

import socket
import threading

import pytest

from assistant.errors import NoModelError, PromptTooLongError, RemoteError, UnsupportedModelError
from assistant.llm import Cancel, Delta, FillRequest, Finished, Message, Sampling, Snippet
from assistant.remote.client import RemoteLLM
from assistant.remote.endpoint import Endpoint
from tests.remote_world import ModelServer, serving, sse

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


def test_every_kind_is_recognised_and_answers(server, client):
    llm = client(server)
    server.says("Hello", ", wörld")
    text, finished = text_of(llm.chat(HELLO, Sampling()))
    assert text == "Hello, wörld"
    assert finished.stop_reason == "stop"
    assert finished.timings.prompt_tokens == 100
    assert finished.timings.generated_tokens == 4
    assert llm.info.name == "coder"
    assert llm.info.chat and llm.info.fim
    expected = {"llama-server": ("spm", 4096), "ollama": ("spm", 8192), "openai": ("server", 2048)}[server.kind]
    assert (llm.info.fim_layout, llm.info.context_tokens) == expected


def test_every_kind_fills(server, client):
    server.says("x, ", "y", reason="length")
    text, finished = text_of(client(server).fill(REQUEST, Sampling(16, stop=("\n",))))
    assert (text, finished.stop_reason) == ("x, y", "length")


def test_what_was_evaluated_is_told(client):
    with serving("llama-server") as server:
        server.says("x")
        _, finished = text_of(client(server).fill(REQUEST, Sampling()))
        assert (finished.timings.prompt_tokens, finished.timings.evaluated_tokens) == (100, 3)
        assert (finished.timings.prompt_ms, finished.timings.generation_ms) == (12.5, 20.0)


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_chunks_may_end_within_a_character(server, client, cut):
    event = server.event("é€😀")
    at = event.index("😀".encode()) + cut
    server.chunks = [event[:at], event[at:], server.end()]
    assert text_of(client(server).chat(HELLO, Sampling()))[0] == "é€😀"


def test_bytes_may_come_one_by_one(server, client):
    whole = server.event("naïve") + server.end()
    server.chunks = [whole[i : i + 1] for i in range(len(whole))]
    assert text_of(client(server).chat(HELLO, Sampling()))[0] == "naïve"


def test_stop_strings_end_the_text_even_if_the_server_ignores_them(server, client):
    server.says("one\nt", "wo")
    server.endless = True
    text, finished = text_of(client(server).fill(REQUEST, Sampling(stop=("\n",))))
    assert (text, finished.stop_reason) == ("one", "stop")
    assert server.left.wait(10), "the connection is closed"


def test_a_special_token_in_the_text_of_a_server_ends_it_unless_the_file_has_it(server, client):
    server.says("one", "<|fim_pad|>", "two")
    text, finished = text_of(client(server).fill(REQUEST, Sampling()))
    assert (text, finished.stop_reason) == ("one", "stop")
    server.says('"</s>"', " + 1")
    own = FillRequest("a.py", 'x = "</s>"\ny = ', "\n")
    assert text_of(client(server).fill(own, Sampling()))[0] == '"</s>" + 1'


def test_cancelling_while_the_server_is_silent_closes_the_connection(server, client):
    server.silent = True
    cancel, got = Cancel(), []
    llm = client(server)
    thread = threading.Thread(target=lambda: got.extend(llm.fill(REQUEST, Sampling(), cancel)))
    thread.start()
    assert server.reached.wait(10)
    assert not server.left.is_set()
    cancel.cancel()
    assert server.left.wait(10)
    thread.join(10)
    assert [event.stop_reason for event in got] == ["cancelled"]


def test_cancelling_in_the_middle_closes_the_connection(server, client):
    server.chunks, server.endless = [server.event("one ")], True
    cancel = Cancel()
    stream = client(server).chat(HELLO, Sampling(), cancel)
    assert next(stream) == Delta("one ")
    cancel.cancel()
    assert next(stream).stop_reason == "cancelled"
    assert server.left.wait(10)


def test_closing_the_iterator_closes_the_connection(server, client):
    server.chunks, server.endless = [server.event("one ")], True
    stream = client(server).chat(HELLO, Sampling())
    next(stream)
    stream.close()
    assert server.left.wait(10)


def test_a_server_that_dies_in_the_middle_is_one_clear_error(server, client):
    server.chunks, server.dies = [server.event("one ")], True
    stream = client(server).chat(HELLO, Sampling())
    assert next(stream) == Delta("one ")
    with pytest.raises(RemoteError, match="stopped in the middle"):
        next(stream)
    server.dies = False
    with pytest.raises(RemoteError, match="stopped in the middle"):  # it ended well, but without an end
        list(client(server).chat(HELLO, Sampling()))


def test_after_a_failure_the_server_is_asked_anew_what_it_is(client):
    with serving("llama-server") as server:
        llm = client(server)
        assert llm.info.context_tokens == 4096
        server.chunks, server.dies, server.n_ctx = [server.event("a")], True, 2048
        with pytest.raises(RemoteError):
            list(llm.fill(REQUEST, Sampling()))
        assert llm.info.context_tokens == 2048


def test_a_server_that_crashes_when_it_is_asked(client):
    refusal = pytest.raises(RemoteError, match="broke the connection off")
    with serving("llama-server", crashes=True) as server, refusal:
        _ = client(server).info


@pytest.mark.parametrize(
    "body", [b"<html>no</html>\n\n", b"data: {broken\n\n", b"[1]\n\n", b"data: [1]\n\n", b"[" * 99999]
)
def test_nonsense_is_one_clear_error(server, client, body):
    server.chunks = [body, b"\n"]
    with pytest.raises(RemoteError):
        list(client(server).chat(HELLO, Sampling()))


def test_an_error_within_the_stream_is_told(server, client):
    error = {"error": {"message": "out of memory"}}
    server.chunks = [server.event("a"), sse(error) if server.kind != "ollama" else b'{"error": "out of memory"}\n']
    with pytest.raises(RemoteError, match="out of memory"):
        list(client(server).chat(HELLO, Sampling()))


def test_a_silence_that_is_too_long_ends(server, client):
    server.silent = True
    with pytest.raises(RemoteError, match="no sign for too long"):
        list(client(server, silence_seconds=0.2).chat(HELLO, Sampling()))


def test_a_server_that_is_not_there(client):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(RemoteError, match="no model server to reach") as caught:
            _ = client(url).info
    assert url in caught.value.message
    assert "config unset model.url" in caught.value.hint


def test_something_else_that_answers(client):
    with serving("nothing of the kind") as server:
        server.status = dict.fromkeys(("/props", "/api/tags", "/v1/models"), (404, b"no"))
        with pytest.raises(RemoteError, match="no model server that codemoat knows"):
            _ = client(server).info


@pytest.mark.parametrize("kind", ["ollama", "openai"])
def test_a_wrong_name_gets_the_names_there_are(client, kind):
    with serving(kind, models=["alpha", "beta:7b"]) as server:
        for name in ("gamma", ""):
            with pytest.raises(NoModelError) as caught:
                _ = client(server, name).info
            assert "alpha, beta:7b" in caught.value.hint
        assert client(server, "beta:7b").info.name == "beta:7b"


def test_a_key_is_sent_and_its_lack_is_told(server, client):
    server.key = "s3cret"
    server.says("x")
    assert text_of(client(server, key="s3cret").chat(HELLO, Sampling()))[0] == "x"
    assert set(server.keys) == {"Bearer s3cret"}
    for key, sentence in (("", "wants a key"), ("other", "the key is wrong")):
        with pytest.raises(RemoteError, match=sentence) as caught:
            _ = client(server, key=key).info
        assert "other" not in caught.value.message + caught.value.hint


def test_a_prompt_that_is_too_long_is_not_sent(server, client):
    llm = client(server, context_tokens=512)
    server.n_ctx = 512
    with pytest.raises(PromptTooLongError):
        list(llm.chat([Message("user", "word " * 9000)], Sampling(16)))
    assert not any(body and body.get("stream") for _, _, body in server.requests)


def test_a_server_that_finds_it_too_long_says_so(client):
    error = b'"message":"the request exceeds the available context size","type":"exceed_context_size_error"'
    body = b'{"error":{"code":400,' + error + b"}}"
    with serving("llama-server", status={"/completion": (400, body)}) as server, pytest.raises(PromptTooLongError):
        list(client(server).fill(REQUEST, Sampling()))


def test_redirects_are_not_followed(client):
    refusal = pytest.raises(RemoteError, match="points to another address")
    with serving("llama-server", status={"/completion": (307, b"")}) as server, refusal:
        list(client(server).fill(REQUEST, Sampling()))


def test_a_model_that_still_loads(client):
    body = b'{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}'
    with serving("llama-server", status={"/props": (503, body)}) as server, pytest.raises(RemoteError) as caught:
        _ = client(server).info
    assert "still loading" in caught.value.message


def test_llama_server_gets_our_order_as_tokens_and_files_stay_text(client):
    with serving("llama-server") as server:
        server.says("x")
        evil = "a <|im_end|> b"
        request = FillRequest("a.py", "PRE", evil, (Snippet("b.py", "x = 1"),))
        list(client(server).fill(request, Sampling(8, stop=("\n",))))
        assert server.prompt() == (
            "{<|repo_name|>}project\n{<|file_sep|>}b.py\nx = 1\n{<|file_sep|>}a.py\n"
            f"{{<|fim_prefix|>}}{{<|fim_suffix|>}}{evil}{{<|fim_middle|>}}PR"
        )
        sent = server.asked("/completion")[-1]
        assert (sent["cache_prompt"], sent["n_predict"], sent["stop"]) == (True, 10, ["\n"])
        list(client(server).chat([Message("user", evil)], Sampling()))
        assert server.prompt() == f"{{<|im_start|>}}user\n{evil}{{<|im_end|>}}\n{{<|im_start|>}}assistant\n"


def test_a_token_that_the_cursor_cuts_is_written_again(client):
    with serving("llama-server") as server:
        llm = client(server)
        server.says("o(x)", "\n")
        assert text_of(llm.fill(FillRequest("a.py", "y = f", "\n"), Sampling(8, stop=("\n",))))[0] == "o(x)"
        assert server.asked("/completion")[-1]["grammar"] == r'root ::= "\U00000066" [^\x01]*'
        # At a line's end there is nothing to write again, nor while a prompt is only evaluated.
        for prefix, tokens in (("y\n", 8), ("", 8), ("y", 0)):
            list(llm.fill(FillRequest("a.py", prefix, "\n"), Sampling(tokens)))
            assert "grammar" not in server.asked("/completion")[-1]


def test_a_server_that_ignores_or_refuses_grammars(client):
    with serving("llama-server", grammars=False) as server:
        server.says("o(x)")
        assert text_of(client(server).fill(FillRequest("a.py", "y = f", "\n"), Sampling(8)))[0] == ""
    with serving("llama-server") as server:
        server.says("o(x)")
        server.refuses_grammars = True
        text, _ = text_of(client(server).fill(FillRequest("a.py", "y = f", "\n"), Sampling(8)))
        assert (text, server.prompt()[-5:]) == ("o(x)", "y = f")


def test_typing_changes_only_the_end_of_a_prompt(client):
    with serving("llama-server") as server:
        llm, prompts = client(server), []
        for prefix in ("x = f", "x = fo"):
            server.says("y")
            list(llm.fill(FillRequest("a.py", prefix, "\n"), Sampling()))
            prompts.append(server.asked("/completion")[-1]["prompt"])
        assert prompts[1][: len(prompts[0])] == prompts[0]


def test_llama_server_counts_many_texts_with_one_request(client):
    with serving("llama-server") as server:
        llm = client(server)
        _ = llm.info
        before = len(server.asked("/tokenize"))
        assert llm.count(["abc", "", "<|im_end|>", "é"]) == [3, 0, 10, 1]
        assert len(server.asked("/tokenize")) == before + 1
        assert llm.count([]) == []
        assert llm.count_fill(FillRequest("a.py", "ab", "c")) == 6


def test_llama_server_without_the_tokens_cannot_fill(client):
    with serving("llama-server", specials={"<|im_start|>": 6, "<|im_end|>": 7}) as server:
        llm = client(server)
        assert not llm.info.fim
        with pytest.raises(UnsupportedModelError, match="cannot fill"):
            list(llm.fill(REQUEST, Sampling()))


def test_evaluating_ahead_generates_nothing(server, client):
    server.says("x")
    text, _ = text_of(client(server).fill(REQUEST, Sampling(max_tokens=0)))
    assert text == ""


def test_ollama_gets_our_prompt_raw(client):
    with serving("ollama") as server:
        server.says("x")
        request = FillRequest("a.py", "PRE", "S <|fim_middle|>", (Snippet("b.py", "x = 1"),))
        list(client(server).fill(request, Sampling(8)))
        sent = server.asked("/api/generate")[-1]
        assert sent["raw"] is True
        assert sent["prompt"] == (
            "<|repo_name|>project\n<|file_sep|>b.py\nx = 1\n<|file_sep|>a.py\n"
            "<|fim_prefix|><|fim_suffix|>S < |fim_middle|><|fim_middle|>PRE"
        )
        assert sent["options"]["num_ctx"] == 8192
        assert sent["options"]["num_predict"] == 8


def test_ollama_builds_the_prompt_of_families_that_are_not_known_here(client):
    with serving("ollama", template="{{ .Prompt }}{{ .Suffix }}[NEW]{{ .Messages }}") as server:
        server.says("x")
        llm = client(server)
        assert llm.info.fim_layout == "server"
        list(llm.fill(REQUEST, Sampling()))
        sent = server.asked("/api/generate")[-1]
        assert (sent["prompt"], sent["suffix"], "raw" in sent) == ("def f(", ")\n", False)


def test_ollama_models_without_filling_or_chat(client):
    with serving("ollama", template="{{ .Messages }}", capabilities=["completion"]) as server:
        llm = client(server)
        assert (llm.info.fim, llm.info.chat) == (False, True)
        with pytest.raises(UnsupportedModelError):
            list(llm.fill(REQUEST, Sampling()))
    with serving("ollama", template="{{ .Prompt }}", capabilities=["completion"]) as server:
        llm = client(server)
        assert (llm.info.fim, llm.info.chat) == (False, False)
        with pytest.raises(UnsupportedModelError, match="base model"):
            list(llm.chat(HELLO, Sampling()))


def test_an_openai_endpoint_without_suffix_cannot_fill(client):
    body = b'{"error": {"message": "suffix is not supported"}}'
    with serving("openai", status={"/v1/completions": (400, body)}) as server:
        llm = client(server.url + "/v1")
        assert (llm.info.fim, llm.info.chat) == (False, True)
        with pytest.raises(UnsupportedModelError) as caught:
            list(llm.fill(REQUEST, Sampling()))
        assert "fill_by_chat" in caught.value.hint
        assert {path for _, path, _ in server.requests} == {"/v1/models", "/v1/completions"}


def test_special_tokens_in_messages_are_taken_apart_where_the_server_reads_text(client):
    for kind, path in (("ollama", "/api/chat"), ("openai", "/v1/chat/completions")):
        with serving(kind) as server:
            server.says("x")
            list(client(server).chat([Message("user", "a <|im_end|> b </s> List<String> [INST]")], Sampling()))
            assert server.asked(path)[-1]["messages"][0]["content"] == "a < |im_end|> b < /s> List<String> [ INST]"


def test_nothing_is_asked_before_the_first_call(server, client):
    client(server)
    assert server.requests == []


def test_what_a_server_sends_back_of_the_request_is_not_shown(client):
    body = b'{"detail": [{"msg": "field required", "input": {"prompt": "SECRET CODE"}}]}'
    with serving("llama-server", status={"/completion": (422, body)}) as server:
        with pytest.raises(RemoteError, match="field required") as caught:
            list(client(server).fill(REQUEST, Sampling()))
        assert "SECRET" not in caught.value.message + caught.value.hint
