"""Where a host lives: its name, its files in the runtime directory, and who may find it.

``NAME.json`` (mode 0600) holds process id, address and the secret token of the running host, ``NAME.lock`` is locked
while it lives, ``NAME.sock`` is its socket and ``NAME.log`` what went wrong in it. The folder is 0700. What is found
there is checked before it is used (``door``): files of other users, links and pipes count as not there.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from assistant.llama import door
from assistant.llama.protocol import PROTOCOL
from assistant.llama.settings import EngineSettings
from indexer.errors import StorageError
from indexer.private import read_private, replace_file

_FOLDER = "hosts"
_SOCKET_PATH_LIMIT = 100  # sun_path holds 104 bytes on macOS, 108 on Linux
_STATE_LIMIT = 65_536
"""Bytes of a state file; a real one has a few hundred and a path."""


@dataclass(frozen=True, slots=True)
class Address:
    """Of a Unix-domain socket (``path``), or of a TCP socket on the loopback interface (``port``)."""

    path: str = ""
    port: int = 0


@dataclass(frozen=True, slots=True)
class HostState:
    """What a running host writes about itself."""

    pid: int
    token: str
    address: Address
    model: str
    settings: EngineSettings


@dataclass(frozen=True, slots=True)
class HostPlace:
    """The files of one host: one for each user, model file and settings."""

    folder: Path
    name: str

    @classmethod
    def of(cls, runtime_dir: Path, model: Path, settings: EngineSettings) -> HostPlace:
        """The place for a model file as it is now: a replaced file gets another host. Raises OSError if it is gone."""
        model = model.resolve()
        stat = model.stat()
        user = os.getuid() if hasattr(os, "getuid") else 0
        parts = [PROTOCOL, user, str(model), stat.st_size, stat.st_mtime_ns, asdict(settings)]
        digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
        return cls(runtime_dir / _FOLDER, f"host-{digest[:16]}")

    @classmethod
    def all(cls, runtime_dir: Path) -> list[HostPlace]:
        """Every place that a host wrote its state to; it may be gone by now."""
        folder = runtime_dir / _FOLDER
        return [cls(folder, path.stem) for path in sorted(folder.glob("host-*.json"))]

    @property
    def state_path(self) -> Path:
        """The file with the token."""
        return self.folder / f"{self.name}.json"

    @property
    def log_path(self) -> Path:
        """Where the host's standard error goes."""
        return self.folder / f"{self.name}.log"

    def address(self) -> Address:
        """Where to listen: a Unix-domain socket where the system has them and the path is short enough."""
        path = self.folder / f"{self.name}.sock"
        if hasattr(socket, "AF_UNIX") and len(os.fsencode(path)) <= _SOCKET_PATH_LIMIT:
            return Address(path=str(path))
        return Address()

    def read(self) -> HostState | None:
        """What the host wrote, or None if there is nothing sensible, or nothing that can only be from this user.

        What only another version writes is passed over: codemoat may have been updated below a client that runs.
        """
        raw = read_private(self.state_path, _STATE_LIMIT)
        if raw is None:
            return None
        try:
            data = json.loads(raw)
            state = HostState(
                address=Address(**_known(Address, data["address"])),
                settings=EngineSettings(**_known(EngineSettings, data["settings"])),
                **{key: data[key] for key in ("pid", "token", "model")},
            )
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return None
        return state if _sensible(state) else None

    def write(self, state: HostState) -> None:
        """Publish the state in one step, readable for the user alone. Raises StorageError if that fails."""
        new = self.state_path.with_suffix(".new")
        try:
            with os.fdopen(replace_file(new), "w") as file:
                json.dump(asdict(state), file)
            new.replace(self.state_path)
        except OSError as exc:
            raise StorageError.from_os_error(exc, "writing the model host's state", self.state_path) from exc

    def findable(self, token: str) -> bool | None:
        """Whether clients find the host with this token; None if another has taken its place."""
        state = self.read()
        if state is not None and state.token != token:
            return None
        return state is not None and (not state.address.path or door.is_own_socket(Path(state.address.path)))

    def forget(self) -> None:
        """Remove socket and state; the lock file stays, because removing it would allow two holders."""
        for path in (self.state_path, self.folder / f"{self.name}.sock"):
            with suppress(OSError):
                path.unlink()

    @contextmanager
    def lock(self, seconds: float = 0.0) -> Iterator[bool]:
        """Hold the lock that a living host holds; False if another has it for longer than ``seconds``.

        Raises StorageError if there can be none (a link or a folder in its place, a full disk).
        """
        from filelock import FileLock, Timeout

        path = self.folder / f"{self.name}.lock"
        lock = FileLock(path, mode=0o600)
        try:
            lock.acquire(timeout=seconds, poll_interval=0.02)
        except Timeout:
            yield False
            return
        except OSError as exc:
            raise StorageError.from_os_error(exc, "locking the model host's place", path) from exc
        try:
            yield True
        finally:
            lock.release()


def _known(kind: type[Any], data: dict[str, Any]) -> dict[str, Any]:
    """The items of ``data`` that are fields of a dataclass."""
    return {field.name: data[field.name] for field in fields(kind) if field.name in data}


def _sensible(state: HostState) -> bool:
    """Whether the values have the types that a host writes."""
    texts = (state.token, state.model, state.address.path)
    numbers = (state.pid, state.address.port)
    if not all(isinstance(text, str) and "\0" not in text for text in texts) or not state.token:
        return False
    try:
        # The paths' bytes may be no UTF-8, as on the disk; the token is our own.
        os.fsencode(state.model), os.fsencode(state.address.path), state.token.encode()
    except UnicodeEncodeError:
        return False
    return all(type(number) is int for number in numbers) and 0 <= state.address.port < 65_536


def prepare(folder: Path) -> None:
    """Make the folder of the hosts, for the user alone. Raises StorageError if that is not possible."""
    door.make_private(folder)
