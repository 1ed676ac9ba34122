"""Where a host lives: its name, its files in the runtime directory, and who may find it.

``NAME.json`` (mode 0600) holds process id, address and the secret token of the running host, ``NAME.lock`` is locked
while it lives, ``NAME.sock`` is its socket and ``NAME.log`` what went wrong in it. The folder is 0700.
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

from assistant.llama.protocol import PROTOCOL
from assistant.llama.settings import EngineSettings
from indexer.errors import StorageError

_FOLDER = "hosts"
_SOCKET_PATH_LIMIT = 100  # sun_path holds 104 bytes on macOS, 108 on Linux


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
        """What the host wrote, or None if there is nothing sensible.

        What only another version writes is passed over: codemoat may have been updated below a client that runs.
        """
        try:
            data = json.loads(self.state_path.read_text())
            return HostState(
                address=Address(**_known(Address, data["address"])),
                settings=EngineSettings(**_known(EngineSettings, data["settings"])),
                **{key: data[key] for key in ("pid", "token", "model")},
            )
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None

    def write(self, state: HostState) -> None:
        """Publish the state in one step, readable for the user alone."""
        new = self.state_path.with_suffix(".new")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(asdict(state), file)
        new.replace(self.state_path)

    def forget(self) -> None:
        """Remove socket and state; the lock file stays, because removing it would allow two holders."""
        for path in (self.state_path, self.folder / f"{self.name}.sock"):
            with suppress(OSError):
                path.unlink()

    @contextmanager
    def lock(self, seconds: float = 0.0) -> Iterator[bool]:
        """Hold the lock that a living host holds; False if another has it for longer than ``seconds``."""
        from filelock import FileLock, Timeout

        lock = FileLock(self.folder / f"{self.name}.lock", mode=0o600)
        try:
            lock.acquire(timeout=seconds, poll_interval=0.02)
        except Timeout:
            yield False
            return
        try:
            yield True
        finally:
            lock.release()


def _known(kind: type[Any], data: dict[str, Any]) -> dict[str, Any]:
    """The items of ``data`` that are fields of a dataclass."""
    return {field.name: data[field.name] for field in fields(kind) if field.name in data}


def prepare(folder: Path) -> None:
    """Make the folder of the hosts, for the user alone. Raises StorageError if that is not possible."""
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        if hasattr(os, "getuid") and folder.lstat().st_uid != os.getuid():
            raise StorageError(
                f"The folder {folder} belongs to another user.", "Set CODEMOAT_RUNTIME_DIR to a folder of your own."
            )
        folder.chmod(0o700)
    except OSError as exc:
        raise StorageError.from_os_error(exc, "preparing the model host's directory", folder) from exc
