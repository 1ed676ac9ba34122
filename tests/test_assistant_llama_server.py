from __future__ import annotations

import shutil
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.errors import PromptTooLongError
from assistant.llama import protocol
from assistant.llama import server as module
from assistant.llama.client import HostedLLM, HostSettings
from assistant.llama.hosts import host_status, stop_host
from assistant.llama.place import Address, HostPlace, HostState
from assistant.llama.settings import EngineSettings
from assistant.llama.wire import connect
from assistant.llm import Cancel, Delta, FillRequest, Finished, Sampling, Snippet, Waiting
from tests.fakes import FakeLLM
from tests.host_world import TOKEN, SlowLLM, model_file, raw_wire, serving, text_of, until, user

SAMPLING = Sampling(max_tokens=50, stop=("\n",), seed=3)


@pytest.fixture
def hosted(tmp_path):
    """Makes (client, place) pairs for a model file that a served fake stands for."""
    clients = []

    def make():
        client = HostedLLM(model_file(tmp_path), HostSettings(runtime_dir=tmp_path / "run"))
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def place(tmp_path):
    return HostPlace.of(tmp_path / "run", model_file(tmp_path), EngineSettings())


def test_every_call_passes_through(hosted, place):
    fake = FakeLLM(["Hello world", "return x"])
    request = FillRequest("a.py", "P", "S", (Snippet("b.py", "x"),), "shop")
    with serving(fake, place):
        llm = hosted()
        assert llm.info == fake.info
        assert llm.count(["a b", ""]) == fake.count(["a b", ""])
        assert llm.count([]) == []
        assert llm.count_chat(user("hi")) == fake.count_chat(user("hi"))
        assert llm.count_fill(request) == fake.count_fill(request)
        assert text_of(llm.chat(user("hi"), SAMPLING))[0] == "Hello world"
        text, end = text_of(llm.fill(request, SAMPLING))
    assert (text, end.stop_reason, end.timings.generated_tokens) == ("return x", "stop", 2)
    assert fake.calls == [(tuple(user("hi")), SAMPLING), (request, SAMPLING)]


def test_errors_arrive_as_what_they_are(hosted, place):
    fake = FakeLLM(["abcdefgh"], failure=PromptTooLongError("Too long.", "Ask less."), fail_after=1)
    with serving(fake, place):
        stream = hosted().chat(user("hi"), SAMPLING)
        assert next(stream) == Delta("abcd")
        with pytest.raises(PromptTooLongError) as caught:
            next(stream)
    assert (caught.value.message, caught.value.hint) == ("Too long.", "Ask less.")


def test_cancelling_ends_the_stream(hosted, place):
    slow, cancel = SlowLLM(), Cancel()
    with serving(slow, place):
        stream = hosted().chat(user("q"), SAMPLING, cancel)
        slow.step("q")
        assert next(stream) == Delta("q0 ")
        cancel.cancel()
        assert text_of(stream) == ("", Finished("cancelled"))
        assert slow.has_left("q")


def test_nothing_is_asked_of_the_host_once_cancelled(hosted, tmp_path):
    cancel = Cancel()
    cancel.cancel()
    assert list(hosted().chat(user("q"), SAMPLING, cancel)) == [Finished("cancelled")]
    assert not (tmp_path / "run").exists()


def test_closing_the_stream_cancels_the_work(hosted, place):
    slow = SlowLLM()
    with serving(slow, place):
        stream = hosted().chat(user("q"), SAMPLING)
        slow.step("q")
        next(stream)
        stream.close()
        assert slow.left("q")


def test_chat_and_completion_have_lanes_of_their_own(hosted, place):
    slow = SlowLLM()
    with serving(slow, place):
        chat = hosted().chat(user("c"), SAMPLING)
        slow.step("c")
        next(chat)
        slow.step("f")
        fill = hosted().fill(FillRequest("a.py", "f", ""), SAMPLING)
        assert next(fill) == Delta("f0 ")
        chat.close()
        fill.close()


def test_a_newer_fill_supersedes_only_when_asked_and_only_its_own_client(hosted, place):
    slow = SlowLLM()
    with serving(slow, place) as (state, _):
        first = connect(state, "mine")
        second = connect(state, "mine")
        stranger = connect(state, "other")
        assert first is not None and second is not None and stranger is not None
        for wire, name, supersede in ((stranger, "s", False), (first, "f", False), (second, "n", True)):
            request = protocol.request_to_json(FillRequest("a.py", name, ""))
            sampling = protocol.sampling_to_json(SAMPLING)
            wire.send({"id": 1, "op": "fill", "request": request, "sampling": sampling, "supersede": supersede})
            wire.send({"id": 2, "op": "ping"})
            assert (wire.receive(5) or {}).get("id") == 2  # it is queued
        stranger.send({"id": 3, "op": "cancel", "target": 1})
        assert (stranger.receive(5) or {})["finished"]["stop_reason"] == "cancelled"
        assert (first.receive(5) or {})["finished"]["stop_reason"] == "cancelled"
        slow.step("n")
        assert (second.receive(5) or {})["delta"] == "n0 "
        for wire in (first, second, stranger):
            wire.close()
    assert not slow.has_left("f")  # it was cancelled before its turn came


def test_a_fill_cancels_what_only_evaluates_ahead_whoever_asked_for_it(hosted, place):
    slow, nothing = SlowLLM(), Sampling(max_tokens=0)
    with serving(slow, place) as (state, _):
        first = connect(state, "first")
        second = connect(state, "second")
        assert first is not None and second is not None
        for number, (prefix, sampling) in enumerate((("warm", nothing), ("next", nothing), ("asked", SAMPLING))):
            wire = second if prefix == "asked" else first
            request = protocol.request_to_json(FillRequest("a.py", prefix, ""))
            wire.send({"id": number, "op": "fill", "request": request, "sampling": protocol.sampling_to_json(sampling)})
            wire.send({"id": 9, "op": "ping"})
            assert (wire.receive(5) or {}).get("id") == 9  # it is queued; one does not cancel the other
        ends = [first.receive(5) or {}, first.receive(5) or {}]
        assert [end["finished"]["stop_reason"] for end in ends] == ["cancelled", "cancelled"]
        slow.step("asked")
        assert (second.receive(5) or {})["delta"] == "asked0 "
        first.close()
        second.close()


class Looks:
    """Counts how often the host looks whether an asker waits."""

    def __init__(self, monkeypatch) -> None:
        self.value = 0
        look = module.Host._look

        def counted(*arguments):
            self.value += 1
            look(*arguments)

        monkeypatch.setattr(module.Host, "_look", counted)


def test_who_asks_is_told_why_there_is_no_word_yet(hosted, place, monkeypatch):
    monkeypatch.setattr(module, "_WAITING_SECONDS", 0.02)
    slow, looked = SlowLLM(), Looks(monkeypatch)
    with serving(slow, place):
        fill = hosted().fill(FillRequest("a.py", "f", ""), SAMPLING)
        slow.step("f")
        next(fill)
        chat = hosted().chat(user("c"), SAMPLING)
        assert next(chat) == Waiting("completions")
        slow.step("c")
        assert next(chat) == Delta("c0 ")
        second = hosted().chat(user("d"), SAMPLING)
        assert next(second) == Waiting("question")
        fill.close()
        assert slow.left("f")
        seen = looked.value
        until(lambda: looked.value > seen + 6)
        slow.step("c")
        assert next(chat) == Delta("c1 ")  # nothing is told once it has begun
        chat.close()
        assert next(second) == Waiting("")
        slow.step("d")
        assert next(second) == Delta("d0 ")
        second.close()


def test_a_question_alone_is_told_nothing(hosted, place, monkeypatch):
    monkeypatch.setattr(module, "_WAITING_SECONDS", 0.001)
    slow, looked = SlowLLM(), Looks(monkeypatch)
    with serving(slow, place):
        chat = hosted().chat(user("c"), SAMPLING)
        asked = threading.Thread(target=lambda: (until(lambda: looked.value > 5), slow.step("c")))
        asked.start()
        assert next(chat) == Delta("c0 ")
        asked.join(60)
        chat.close()


def test_what_is_generated_ahead_never_goes_before_a_question(hosted, place):
    slow, ahead = SlowLLM(), replace(SAMPLING, ahead=True)
    with serving(slow, place):
        before = hosted().fill(FillRequest("a.py", "before", ""), ahead)
        slow.step("before")
        assert next(before) == Delta("before0 ")
        chat = hosted().chat(user("c"), SAMPLING)
        slow.step("c")
        assert next(chat) == Delta("c0 ")
        assert slow.left("before")
        assert text_of(before)[1].stop_reason == "cancelled"
        slow.step("after")
        assert next(hosted().fill(FillRequest("a.py", "after", ""), ahead)) == Finished("cancelled")
        asked = hosted().fill(FillRequest("a.py", "asked", ""), SAMPLING)  # somebody waits for this one
        slow.step("asked")
        assert next(asked) == Delta("asked0 ")
        asked.close()
        chat.close()


def test_a_wrong_token_is_sent_away(place):
    with serving(FakeLLM(), place) as (state, _):
        wrong = HostState(state.pid, "guess", state.address, state.model, state.settings)
        assert connect(wrong) is None
        wire = raw_wire(state)
        wire.send({"id": 1, "op": "info"})
        with pytest.raises(ConnectionError):
            wire.receive(5)
        wire.close()
        right = connect(state)
        assert right is not None
        right.close()


@pytest.mark.parametrize(
    "message",
    [
        {"op": "dance"},
        {"op": "chat"},
        {"op": "chat", "messages": 3, "sampling": {}},
        {"op": "count", "texts": None},
        {"op": "count_fill", "request": {"path": "a"}},
        {"op": "cancel", "target": []},
        {},
    ],
)
def test_nonsense_is_refused_and_harms_nobody(place, message):
    with serving(FakeLLM(), place) as (state, _):
        wire = connect(state)
        assert wire is not None
        wire.send({"id": 1, **message})
        assert (wire.receive(5) or {})["error"]["code"] == "bad_input"
        wire.send({"id": 2, "op": "ping"})
        assert (wire.receive(5) or {})["id"] == 2
        wire.close()


def test_the_host_leaves_when_nobody_is_connected(hosted, place):
    with serving(FakeLLM(), place, idle_seconds=0.05) as (_, thread):
        client = hosted()
        assert client.info.name == "fake"
        thread.join(0.3)
        assert thread.is_alive()  # a client that is connected keeps it
        client.close()
        thread.join(10)
        assert not thread.is_alive()
    assert not place.state_path.exists()


def test_loopback_where_unix_sockets_lack(hosted, place):
    with serving(FakeLLM(["Hi"]), place, address=Address()) as (state, _):
        assert state.address.port > 0
        assert text_of(hosted().chat(user("q"), SAMPLING))[0] == "Hi"


def test_status_and_stop(hosted, place, tmp_path):
    runtime = tmp_path / "run"
    assert host_status(runtime) == []
    with serving(FakeLLM(), place) as (_, thread):
        hosted().count(["x"])
        status = host_status(runtime)
        assert [(s.model, s.clients, s.busy) for s in status] == [("fake.gguf", 1, False)]
        assert stop_host(runtime, tmp_path / "another.gguf") == 0
        assert stop_host(runtime) == 1
        thread.join(10)
        assert not thread.is_alive()
    assert host_status(runtime) == []


def remove_state(place, _state):
    place.state_path.unlink()


def damage_state(place, _state):
    place.state_path.write_text("{")


def remove_socket(_place, state):
    Path(state.address.path).unlink()


def remove_folder(place, _state):
    shutil.rmtree(place.folder)


@pytest.mark.parametrize("harm", [remove_state, damage_state, remove_socket, remove_folder])
def test_a_host_whose_files_were_taken_is_found_again(tmp_path, monkeypatch, harm):
    """Temporary folders are cleaned up; its lock keeps others from starting a host in its place."""
    monkeypatch.setattr(module, "_LOOK_SECONDS", 0.02)
    monkeypatch.chdir(tmp_path)
    runtime = Path("run")  # short enough for a socket
    place = HostPlace.of(runtime, model_file(tmp_path), EngineSettings())
    with serving(FakeLLM(), place) as (state, _):
        assert state.address.path
        harm(place, state)
        until(lambda: place.findable(TOKEN))
        client = HostedLLM(model_file(tmp_path), HostSettings(runtime_dir=runtime))
        assert client.count(["a b"]) == [3]
        client.close()


def test_a_host_whose_place_another_took_leaves_with_its_last_client(hosted, place, monkeypatch):
    monkeypatch.setattr(module, "_LOOK_SECONDS", 0.02)
    with serving(FakeLLM(), place) as (state, thread):
        client = hosted()
        client.count(["x"])
        place.write(replace(state, token="another's"))
        thread.join(0.3)
        assert thread.is_alive()
        assert client.count(["a b"]) == [3]
        client.close()
        thread.join(10)
        assert not thread.is_alive()
