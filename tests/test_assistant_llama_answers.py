"""What a model host answers is checked where it is read: nonsense is one sentence, never an error of Python's."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from assistant.errors import HostError
from assistant.llama import protocol
from assistant.llama.client import HostedLLM, HostSettings
from assistant.llama.place import Address, HostPlace, HostState, prepare
from assistant.llama.settings import EngineSettings
from assistant.llama.wire import Wire
from assistant.llm import FillRequest, Finished, Message, ModelInfo, Timings

NO_NUMBERS = ["null", "true", "1e999", '"x"', "-1", "1.5", "[]", "{}"]


def answered(tmp_path: Path, result: str, ask: Callable[[HostedLLM], Any]) -> Any:
    """What a client makes of a result, given as JSON."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        llm = HostedLLM(tmp_path / "none.gguf", HostSettings(runtime_dir=tmp_path))
        llm._control = Wire(ours)
        theirs.sendall(f'{{"id":1,"result":{result}}}\n'.encode())
        return ask(llm)


@pytest.mark.parametrize("result", NO_NUMBERS)
@pytest.mark.parametrize(
    "ask",
    [lambda llm: llm.count_chat([Message("user", "x")]), lambda llm: llm.count_fill(FillRequest("a.py", "x", "y"))],
)
def test_a_number_of_tokens_that_is_none(tmp_path, result, ask):
    with pytest.raises(HostError, match="makes no sense"):
        answered(tmp_path, result, ask)
    assert answered(tmp_path, "7", ask) == 7


@pytest.mark.parametrize("result", [*NO_NUMBERS, "5", "[1]", "[1,2,3]", "[1,null]", '[1,"2"]', "[true,1]", "[1,1e999]"])
def test_numbers_of_tokens_that_are_none(tmp_path, result):
    with pytest.raises(HostError, match="makes no sense"):
        answered(tmp_path, result, lambda llm: llm.count(["a", "b"]))
    assert answered(tmp_path, "[1,2]", lambda llm: llm.count(["a", "b"])) == [1, 2]


def test_a_description_that_is_none(tmp_path):
    known = asdict(ModelInfo("m", 10, fim=True, chat=True))
    assert answered(tmp_path, json.dumps(known), lambda llm: llm.info) == ModelInfo("m", 10, fim=True, chat=True)
    for wrong in (None, 5, [], {**known, "name": 5}, {**known, "context_tokens": "x"}, {**known, "fim": 1}):
        with pytest.raises(HostError, match="makes no sense"):
            answered(tmp_path, json.dumps(wrong), lambda llm: llm.info)


def test_an_event_that_is_none():
    timings = asdict(Timings(1, 2, 3, 4.5, 5.5))
    sound = {"finished": {"stop_reason": "stop", "timings": timings}}
    assert protocol.event_from_json(sound) == Finished("stop", Timings(1, 2, 3, 4.5, 5.5))
    for wrong in (
        {"delta": 5},
        {"delta": None},
        {"finished": None},
        {"finished": {"stop_reason": 5, "timings": timings}},
        {"finished": {"stop_reason": "tired", "timings": timings}},
        {"finished": {"stop_reason": "stop", "timings": {**timings, "prompt_ms": "1"}}},
        {"finished": {"stop_reason": "stop", "timings": {**timings, "prompt_ms": float("inf")}}},
        {"finished": {"stop_reason": "stop", "timings": {**timings, "prompt_ms": 10**400}}},
        {"finished": {"stop_reason": "stop", "timings": {**timings, "prompt_tokens": None}}},
    ):
        with pytest.raises(HostError, match="makes no sense"):
            protocol.event_from_json(wrong)


@pytest.mark.parametrize("error", [{}, {"message": None}, {"message": 5}, {"message": ""}, {"code": []}, None, "x"])
def test_an_error_without_a_message_is_one_sentence(error):
    told = protocol.error_from_json(error)
    assert "makes no sense" in told.message
    assert protocol.error_from_json({"message": "Busy.", "hint": None}).hint == ""


@pytest.mark.parametrize("where", ["token", "model", "path"])
def test_a_state_whose_texts_cannot_be_bytes_is_no_state(tmp_path, monkeypatch, where):
    monkeypatch.chdir(tmp_path)
    place = HostPlace(tmp_path / "run", "host-0123456789abcdef")
    prepare(place.folder)
    texts = {"token": "secret", "model": "m.gguf", "path": "run/x.sock"}
    for text, known in (("a", True), ("\ud800", False)):
        given = {**texts, where: text}
        place.write(HostState(1, given["token"], Address(given["path"]), given["model"], EngineSettings()))
        assert (place.read() is not None) is known
