"""The models folder: where files lie, what is known about them, whether they are whole.

Beside ``NAME.gguf`` lies ``NAME.gguf.json`` with what its pull found out (size, sha256, source, date). Files are
written under hidden names and get their own only when they are complete, so a reader never meets half a model.
"""

from __future__ import annotations

import difflib
import glob
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.errors import DamagedModelError, NoModelError
from assistant.models.catalogue import ModelEntry, find_model, load_catalogue
from assistant.models.transfer import PullProgress, Transfer, cancelled
from indexer.errors import StorageError
from indexer.location import data_dir

if TYPE_CHECKING:
    from assistant.llm import Cancel

_MAGIC = b"GGUF"
_HASH_BYTES = 8 * 1024 * 1024
_LOCK_POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Record:
    """What a pull found out about a file. ``pinned``: the sha256 is the catalogue's, not only what was received."""

    name: str
    size: int
    sha256: str
    pinned: bool
    source: str
    date: str


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """A model file in the models folder. ``entry`` is its catalogue entry, if it has one."""

    name: str
    path: Path
    size: int
    entry: ModelEntry | None
    record: Record | None


@dataclass(frozen=True, slots=True)
class VerifiedModel:
    """A file that was hashed. ``compared_with``: "catalogue", "record" (of its pull) or "" where nothing is known."""

    name: str
    path: Path
    size: int
    sha256: str
    compared_with: str


def models_dir() -> Path:
    """The folder of the model files, in the user's data folder. It need not exist."""
    return data_dir() / "models"


def resolve(name_or_path: str) -> Path:
    """The file of a model: a catalogue name, the name of a file in the models folder, or a path to a GGUF file.

    Looks at size and magic number only, which is fast; ``verify`` hashes. Raises NoModelError, DamagedModelError,
    StorageError.
    """
    name, path, entry = _locate(name_or_path)
    again = f"Run `codemoat models pull {name}`."
    try:
        if not path.is_file():
            raise _missing(name_or_path, path, entry)
        check_file(path, entry, again if _is_managed(path) else "Fetch the file again.")
    except OSError as exc:
        raise StorageError.from_os_error(exc, "reading the model", path) from exc
    return path


def is_installed(name: str) -> bool:
    """Whether ``resolve(name)`` would find a file."""
    return _locate(name)[1].is_file()


def installed() -> tuple[InstalledModel, ...]:
    """Every model file in the models folder, by name."""
    by_file = {entry.file: entry for entry in load_catalogue()}
    found = []
    for path in sorted(models_dir().glob("[!.]*.gguf")):
        entry = by_file.get(path.name)
        name = entry.name if entry else path.stem
        found.append(InstalledModel(name, path, path.stat().st_size, entry, read_record(path)))
    return tuple(found)


def verify(
    name_or_path: str,
    *,
    progress: Callable[[PullProgress], None] | None = None,
    cancel: Cancel | None = None,
) -> VerifiedModel:
    """Hash the whole file and compare it with the catalogue's sha256, else with the one recorded by its pull.

    Raises what ``resolve`` raises, DamagedModelError when the hashes differ, CancelledError.
    """
    path = resolve(name_or_path)
    name, _, entry = _locate(name_or_path)
    record = read_record(path)
    transfer = Transfer(name, "", path, progress=progress, cancel=cancel)
    try:
        digest = sha256_of(path, transfer)
    except OSError as exc:
        raise StorageError.from_os_error(exc, "reading the model", path) from exc
    expected = (entry.sha256 if entry else "") or (record.sha256 if record else "")
    if expected and digest != expected:
        raise DamagedModelError(
            f"The file of {name} has sha256 {digest} instead of {expected}.",
            f"Run `codemoat models remove {name}` and `codemoat models pull {name}`.",
        )
    known = "catalogue" if entry and entry.sha256 else "record" if record else ""
    return VerifiedModel(name, path, path.stat().st_size, digest, known)


def remove(name: str) -> int:
    """Delete a model of the models folder, what is known about it, and what unfinished pulls left.

    Returns the bytes freed. Waits while another process is fetching the model. Raises NoModelError, StorageError;
    a path outside the models folder is never deleted.
    """
    _, path, entry = _locate(name)
    leftovers = partials(path)
    if not _is_managed(path) or not (path.is_file() or leftovers):
        raise _missing(name, path, entry)
    freed = 0
    try:
        with locked(path):
            for file in (path, record_path(path), *partials(path)):
                freed += _delete(file)
    except OSError as exc:
        raise StorageError.from_os_error(exc, "removing the model", path) from exc
    return freed


def check_file(path: Path, entry: ModelEntry | None, hint: str) -> None:
    """Raise DamagedModelError unless size (where known) and magic number are right. Raises OSError."""
    record = read_record(path)
    size = path.stat().st_size
    expected = entry.size if entry and entry.verified else record.size if record else size
    if size != expected:
        raise DamagedModelError(
            f"The model file {path} has {size:,} bytes instead of {expected:,}: it is truncated or was changed.", hint
        )
    if not is_gguf(path):
        raise DamagedModelError(f"{path} is no GGUF file.", hint)


def is_gguf(path: Path) -> bool:
    """Whether the file begins as GGUF files do. Raises OSError."""
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def sha256_of(path: Path, transfer: Transfer) -> str:
    """Hash a file, reporting to and stopping with ``transfer``. Raises OSError, CancelledError."""
    digest = hashlib.sha256()
    total, done = path.stat().st_size, 0
    with path.open("rb") as file:
        while data := file.read(_HASH_BYTES):
            digest.update(data)
            done += len(data)
            transfer.report("verify", done, total, "checking the sha256", always=False)
            transfer.check_cancelled()
    return digest.hexdigest()


def record_path(path: Path) -> Path:
    """Where the record of a model file lies."""
    return path.with_name(path.name + ".json")


def read_record(path: Path) -> Record | None:
    """The record of a model file, or None where there is none that can be read."""
    try:
        return Record(**json.loads(record_path(path).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write_record(path: Path, record: Record) -> None:
    """Write the record of a model file, whole or not at all. Raises OSError."""
    draft = path.with_name(f".{path.name}.record")
    draft.write_text(json.dumps(asdict(record), indent=2) + "\n", encoding="utf-8")
    draft.replace(record_path(path))


def partial_path(path: Path, kind: str) -> Path:
    """Where a pull of ``path`` from a kind of source collects its bytes."""
    return path.with_name(f".{path.name}.{kind}.partial")


def partials(path: Path) -> list[Path]:
    """Everything that unfinished pulls of ``path`` left."""
    return sorted(path.parent.glob(f".{glob.escape(path.name)}.*.partial*"))


@contextmanager
def locked(path: Path, transfer: Transfer | None = None) -> Iterator[None]:
    """Hold the lock of a model file; while another process has it, say so once and keep asking.

    The lock goes with its process, so a killed one leaves nothing to clean up. Raises OSError, CancelledError.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(path.with_name(f".{path.name}.lock"))
    told = False
    while True:
        try:
            lock.acquire(timeout=_LOCK_POLL_SECONDS)
            break
        except Timeout:
            if transfer is None:
                continue
            if not told:
                transfer.report("wait", message="another process is fetching this model")
                told = True
            if transfer.cancel is not None and transfer.cancel.cancelled:
                raise cancelled(transfer.model) from None
    try:
        yield
    finally:
        lock.release()


def _locate(name_or_path: str) -> tuple[str, Path, ModelEntry | None]:
    """Name, file and catalogue entry of a model; the file need not exist."""
    if entry := find_model(name_or_path):
        return entry.name, models_dir() / entry.file, entry
    path = Path(name_or_path).expanduser()
    if path.suffix == ".gguf" or len(path.parts) > 1:
        entry = next((e for e in load_catalogue() if _is_managed(path) and e.file == path.name), None)
        return entry.name if entry else path.stem, path, entry
    return name_or_path, models_dir() / f"{name_or_path}.gguf", None


def _is_managed(path: Path) -> bool:
    return path.absolute().parent == models_dir().absolute()


def _missing(asked: str, path: Path, entry: ModelEntry | None) -> NoModelError:
    if entry is not None:
        return NoModelError(
            f"The model {entry.name} is not on this machine.", f"Run `codemoat models pull {entry.name}`."
        )
    if path.suffix == ".gguf" and path.name != f"{asked}.gguf":
        what = "a folder" if path.is_dir() else "no file"
        return NoModelError(f"There is {what} at {path}, so no model.", "Give the path of a GGUF file.")
    names = [entry.name for entry in load_catalogue()] + [model.name for model in installed()]
    near = difflib.get_close_matches(asked.lower(), names, n=1)
    hint = f"Did you mean `{near[0]}`? " if near else ""
    return NoModelError(f"There is no model called {asked}.", hint + "`codemoat models list` shows all of them.")


def _delete(path: Path) -> int:
    """Delete a file or folder; the bytes freed. Raises OSError."""
    if path.is_dir():
        size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
        shutil.rmtree(path)
        return size
    try:
        size = path.stat().st_size
        path.unlink()
    except FileNotFoundError:
        return 0
    return size
