"""What a hostile or broken program on the model host's socket can do: end its own connection, and nothing else."""

from __future__ import annotations

import json
import socket
import threading

import pytest

from assistant.errors import HostError, PromptTooLongError
from assistant.llama import door, protocol
from assistant.llama import server as module
from assistant.llama import wire as wires
from assistant.llama.place import Address, HostPlace, HostState, prepare
from assistant.llama.settings import EngineSettings
from assistant.llama.wire import Wire, connect
from assistant.llm import Delta, FillRequest, Finished, Sampling
from tests.fakes import FakeLLM
from tests.host_world import TOKEN, SlowLLM, model_file, raw_wire, serving, user

MEGABYTE = 1_000_000
_SOCKETS = 20 * MEGABYTE
"""More than the buffers of two sockets hold; how much that is depends on the system and on who gets to run when."""


@pytest.fixture(autouse=True)
def _patient(monkeypatch):
    """Deadlines that only a failure reaches, on a busy machine too; the test of a deadline sets its own."""
    monkeypatch.setattr(module, "_GREETING_SECONDS", 60.0)
    monkeypatch.setattr(wires, "_CONNECT_SECONDS", 60.0)


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return HostPlace.of(tmp_path / "run", model_file(tmp_path), EngineSettings())


@pytest.fixture
def state(place):
    with serving(FakeLLM(), place) as (found, _):
        yield found


def admitted(state: HostState) -> Wire:
    wire = connect(state)
    assert wire is not None
    return wire


def works(state: HostState) -> bool:
    """Whether another client is served."""
    wire = admitted(state)
    wire.send({"id": 1, "op": "ping"})
    answer = wire.receive(30)
    wire.close()
    return answer is not None and answer["id"] == 1


def pour(wire: Wire, most: int) -> int:
    """Send a line without end; how many bytes the other side took before it hung up."""
    sent = 0
    block = b"x" * (1 << 16)
    while sent < most:
        try:
            wire._socket.sendall(block)
        except OSError:
            break
        sent += len(block)
    return sent


def last_words(wire: Wire) -> str:
    """The message of the error line before the other side hangs up."""
    answer = wire.receive(30)
    assert answer is not None
    with pytest.raises(ConnectionError):
        wire.receive(30)
    wire.close()
    return str(answer["error"]["message"])


def test_a_line_without_end_is_cut_off_early_before_the_token(state):
    wire = raw_wire(state)
    poured = pour(wire, 60 * MEGABYTE)
    wire.close()
    assert poured < _SOCKETS
    assert works(state)


def test_a_long_first_line_is_refused_in_one_sentence(state):
    wire = raw_wire(state)
    wire._socket.sendall(b'{"client": "' + b"x" * 2_000 + b'"}\n')
    assert "more than 1,024 bytes" in last_words(wire)


def test_a_line_without_end_is_cut_off_behind_the_token_too(state):
    wire = admitted(state)
    poured = pour(wire, 60 * MEGABYTE)
    wire.close()
    assert poured < protocol.LINE_LIMIT + _SOCKETS
    assert works(state)


@pytest.mark.parametrize(
    "line",
    [b"[" * 1_000, b'{"a":' * 150, b"\x00\xff nonsense", b"[]", b"NaN", b'"' + b'\\"' * 400, b"9" * 1_000, b"\xff" * 9],
    ids=lambda line: repr(line[:8]),
)
def test_what_is_no_message_is_answered_with_one_error_before_the_token(state, line):
    wire = raw_wire(state)
    wire._socket.sendall(line + b"\n")
    assert last_words(wire)
    assert works(state)


@pytest.mark.parametrize(
    "line",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"\x00\xff nonsense",
        b'"' + b'\\"' * 1_000_000,
        b"9" * 10_000,
        b'{"id": 1, "op": "ping", "x": NaN}',
        b'{"id": 1, "op": "chat", "messages": ' + b"[" * 20 + b"]" * 20 + b"}",
    ],
    ids=lambda line: f"{line[:12]!r}-{len(line)}",
)
def test_what_is_no_message_is_answered_with_one_error_behind_the_token(state, line):
    wire = admitted(state)
    wire._socket.sendall(line + b"\n")
    assert last_words(wire)
    assert works(state)


def sampling(**values: object) -> dict[str, object]:
    return {**protocol.sampling_to_json(Sampling()), **values}


@pytest.mark.parametrize(
    "message",
    [
        b'{"id": 1, "op": "chat", "messages": [], "sampling": {"max_tokens": 1e999, "temperature": 0, "stop": [],'
        b' "seed": 0, "repeat_penalty": 1}}',
        {"id": 1, "op": "chat", "messages": [], "sampling": sampling(alternative=10**9)},
        {"id": 1, "op": "chat", "messages": [], "sampling": sampling(stop=["x"] * 1_000)},
        {"id": 1, "op": "chat", "messages": [{"role": "tool", "content": "x"}], "sampling": sampling()},
        {"id": 1, "op": "count_chat", "messages": [{"role": [], "content": "x"}]},
        {"id": 1, "op": "count_chat", "messages": ["x"]},
        {"id": [[1]], "op": "ping"},
        {"id": "x" * 1_000, "op": "ping"},
        {"op": "ping"},
        {"id": 1, "op": ["ping"]},
    ],
)
def test_a_request_with_impossible_values_is_refused_and_the_connection_stays(state, message):
    wire = admitted(state)
    wire._socket.sendall(message + b"\n" if isinstance(message, bytes) else protocol.encode(message))
    assert (wire.receive(30) or {})["error"]["code"] == "bad_input"
    wire.send({"id": 2, "op": "ping"})
    assert (wire.receive(30) or {})["id"] == 2
    wire.close()


def test_nesting_is_counted_outside_strings():
    deep = protocol.encode({"id": 1, "text": "[{" * 500 + '\\" [' * 500})
    assert protocol.nesting(deep) == 1
    assert protocol.nesting(b"[" * 16 + b"]" * 16) <= protocol.NESTING_LIMIT < protocol.nesting(b"[" * 17)
    assert protocol.decode(deep)["id"] == 1


def test_connections_that_say_nothing_keep_nobody_out(state, monkeypatch):
    idle = [raw_wire(state) for _ in range(module._MOST_WAITING)]
    for wire in idle:
        wire._socket.sendall(b'{"cl')
    assert works(state)
    more = [raw_wire(state) for _ in range(module._MOST_WAITING)]
    assert "Too many clients are connecting to the model host." in last_words(idle[0])
    assert works(state)
    for wire in [*idle[1:], *more]:
        wire.close()


def test_a_connection_that_says_nothing_is_closed_in_time(state, monkeypatch):
    monkeypatch.setattr(module, "_GREETING_SECONDS", 0.05)
    wire = raw_wire(state)
    wire._socket.sendall(b'{"client": "x"')
    with pytest.raises(ConnectionError):
        wire.receive(30)
    wire.close()


def test_connections_are_counted(state, monkeypatch):
    monkeypatch.setattr(module, "_MOST_CONNECTIONS", 2)
    held = [admitted(state), admitted(state)]
    with pytest.raises(HostError, match="Too many connections to the model host are open"):
        connect(state)
    for wire in held:
        wire.close()


def test_generations_of_one_connection_are_counted(place):
    slow = SlowLLM()
    with serving(slow, place) as (state, _):
        wire = admitted(state)
        request = protocol.request_to_json(FillRequest("a.py", "f", ""))
        for number in (*range(module._MOST_JOBS), 99, 0):
            wire.send({"id": number, "op": "fill", "request": request, "sampling": sampling()})
        for number in (99, 0):
            answer = wire.receive(30) or {}
            assert (answer["id"], answer["error"]["code"]) == (number, "bad_input")
        wire.close()


class _Talker(FakeLLM):
    """Streams without end, until cancelled."""

    def __init__(self) -> None:
        super().__init__()
        self.stopped = threading.Event()

    def chat(self, messages, sampling, cancel=None):
        while not cancel.cancelled:
            yield Delta("x" * 10_000)
        self.stopped.set()
        yield Finished("cancelled")


def test_a_client_that_reads_no_answers_is_disconnected(place, monkeypatch):
    monkeypatch.setattr(module, "_MOST_UNREAD", 100_000)
    llm = _Talker()
    with serving(llm, place) as (state, _):
        wire = admitted(state)
        messages = protocol.messages_to_json(user("q"))
        wire.send({"id": 1, "op": "chat", "messages": messages, "sampling": sampling()})
        assert llm.stopped.wait(60)
        assert works(state)
        wire.close()


class _Patient(FakeLLM):
    """Answers questions only once ``go`` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()
        self.asked = 0

    def count(self, texts):
        self.asked += 1
        assert self.go.wait(60)
        return [1 for _ in texts]


def test_questions_beyond_a_number_are_not_read_before_one_is_answered(place, monkeypatch):
    monkeypatch.setattr(module, "_MOST_QUESTIONS", 2)
    llm = _Patient()
    with serving(llm, place) as (state, _):
        wire = admitted(state)
        for number in range(20):
            wire.send({"id": number, "op": "count", "texts": ["x"]})
        assert works(state)
        assert llm.asked <= 2
        llm.go.set()
        assert sorted((wire.receive(30) or {})["id"] for _ in range(20)) == list(range(20))
        wire.close()


def test_a_request_that_no_host_would_read_is_not_sent(state, monkeypatch):
    monkeypatch.setattr(protocol, "LINE_LIMIT", 10_000)
    wire = admitted(state)
    with pytest.raises(PromptTooLongError, match="longer than any model's context"):
        wire.send({"id": 1, "op": "count", "texts": ["x" * 20_000]})
    wire.send({"id": 2, "op": "ping"})
    assert (wire.receive(30) or {})["id"] == 2
    wire.close()


class _Impostor:
    """A program that took a dead host's address and says ``says``."""

    def __init__(self, says: bytes, address: Address) -> None:
        self.heard = b""
        self.sent = 0
        self._says = says
        self._server = socket.socket(socket.AF_UNIX if address.path else socket.AF_INET)
        self._server.bind(address.path or ("127.0.0.1", 0))
        self._server.listen()
        self.port = 0 if address.path else self._server.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._server.accept()
        with connection:
            self.heard = connection.recv(1 << 16)
            try:
                for _ in range(1_000):
                    connection.sendall(self._says)
                    self.sent += len(self._says)
                    if self._says.endswith(b"\n"):
                        break
                connection.recv(1)
            except OSError:
                pass

    def close(self) -> None:
        self._thread.join(30)
        assert not self._thread.is_alive()
        self._server.close()


IMPOSTORS = [
    b'{"ok": true, "pid": 7}\n',
    b'{"ok": true, "pid": 7, "proof": "' + b"0" * 64 + b'"}\n',
    b"[" * 900 + b"\n",
    b"x" * 100_000,
    b"220 mail.example.org\n",
]


@pytest.mark.parametrize("says", IMPOSTORS)
def test_a_program_that_took_the_address_of_a_host_learns_no_token_and_passes_for_no_host(tmp_path, says):
    impostor = _Impostor(says, Address())
    state = HostState(7, TOKEN, Address(port=impostor.port), "m.gguf", EngineSettings())
    assert connect(state) is None
    impostor.close()
    assert TOKEN.encode() not in impostor.heard
    assert b"proof" in impostor.heard
    assert impostor.sent < 20 * MEGABYTE


def test_an_endless_line_of_a_host_ends_in_one_sentence(monkeypatch):
    monkeypatch.setattr(protocol, "LINE_LIMIT", 10_000)
    ours, theirs = socket.socketpair()
    theirs.sendall(b"x" * 20_000)
    with pytest.raises(HostError, match="more than 10,000 bytes"):
        Wire(ours).receive(30, protocol.LINE_LIMIT)
    ours.close()
    theirs.close()


@pytest.mark.parametrize(
    "data",
    [{"finished": {}}, {"finished": 3}, {"error": 3}, {}, {"finished": {"stop_reason": "x", "timings": {"y": 1}}}],
)
def test_a_host_that_answers_nonsense_ends_in_one_sentence(data):
    with pytest.raises(HostError, match="makes no sense"):
        protocol.event_from_json(data)
    with pytest.raises(HostError, match="makes no sense"):
        protocol.info_from_json({"unknown": 1})


def test_nothing_is_sent_to_a_socket_whose_process_is_another_users(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    prepare(tmp_path / "hosts")
    impostor = _Impostor(b"{}\n", Address(path="hosts/h.sock"))
    state = HostState(7, TOKEN, Address(path="hosts/h.sock"), "m.gguf", EngineSettings())
    monkeypatch.setattr(wires.door, "peer_is_user", lambda _: False)
    assert connect(state) is None
    impostor.close()
    assert impostor.heard == b""


@pytest.mark.skipif(not hasattr(socket, "SO_PEERCRED"), reason="only Linux tells who is at the other end")
def test_the_other_ends_user_is_told(monkeypatch):
    ours, theirs = socket.socketpair()
    assert door.peer_is_user(ours)
    other = door.os.geteuid() + 1
    monkeypatch.setattr(door.os, "geteuid", lambda: other)
    assert not door.peer_is_user(ours)
    ours.close()
    theirs.close()


def test_json_of_the_largest_context_fits_a_line():
    text = "x = y\n" * (4 * 1_048_576 // 6)  # four bytes a token
    assert len(json.dumps(text)) < protocol.LINE_LIMIT
