"""Which model hosts run, and how to stop them: for `codemoat status` and `codemoat doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from assistant.errors import HostError
from assistant.llama.place import HostPlace, HostState
from assistant.llama.settings import EngineSettings
from assistant.llama.wire import Wire, connect

_ANSWER_SECONDS = 5.0
_LEAVE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class HostStatus:
    """A host that answered. ``clients`` does not count who asks; ``memory_bytes`` includes the mapped model file."""

    pid: int
    model: str
    settings: EngineSettings
    clients: int
    busy: bool
    memory_bytes: int


def host_status(runtime_dir: Path) -> list[HostStatus]:
    """The hosts that run, by name of their files."""
    found = []
    for place in HostPlace.all(runtime_dir):
        state = place.read()
        wire = _reached(state, "status") if state is not None else None
        if state is None or wire is None:
            continue
        answer = _ask(wire, "ping")
        if isinstance(answer, dict) and all(type(answer.get(key)) is int for key in ("clients", "memory_bytes")):
            clients, memory = max(0, answer["clients"] - 1), answer["memory_bytes"]
            found.append(HostStatus(wire.pid, state.model, state.settings, clients, bool(answer.get("busy")), memory))
    return found


def stop_host(runtime_dir: Path, model: Path | None = None) -> int:
    """Stop the hosts of ``model``, or all; how many there were. Their clients' answers end with an error.

    When this returns, the hosts' files and model memory are gone, unless one takes longer than five seconds to leave.
    """
    stopped = 0
    for place in HostPlace.all(runtime_dir):
        state = place.read()
        if state is None or (model is not None and Path(state.model) != model.resolve()):
            continue
        wire = _reached(state, "stop")
        if wire is not None and _ask(wire, "stop"):
            stopped += 1
            with place.lock(_LEAVE_SECONDS):  # held for as long as the host lives
                pass
    return stopped


def _reached(state: HostState, name: str) -> Wire | None:
    """A connection to a host, None if there is none or it refuses."""
    try:
        return connect(state, name)
    except HostError:
        return None


def _ask(wire: Wire, op: str) -> object:
    """The result of one question, None if the host left instead of answering. Hangs up."""
    try:
        wire.send({"id": 1, "op": op})
        answer = wire.receive(_ANSWER_SECONDS)
    except (ConnectionError, HostError):
        return None
    finally:
        wire.close()
    return answer.get("result") if answer else None
