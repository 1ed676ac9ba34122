"""What tuning found out about a model on this machine: kept with the source file's sha256, beside the models.

``models/.tuned/SHA.json`` says how to run the file of that sha256, and names the requantised copy beside it, if there
is one. It holds for this kind of CPU only, and only while the source file is the one that was measured.
"""

from __future__ import annotations

import hashlib
import json
import platform
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from assistant.models.store import models_dir, read_record
from indexer.errors import StorageError

_HASH_BYTES = 8 << 20
FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuned:
    """How to run a model file. Speeds are tokens a second: as it is with llama.cpp's defaults, and this way."""

    source: str
    """The file that was tuned, with its size and modification time then."""
    size: int
    mtime_ns: int
    sha256: str
    cpu: str
    file: str
    """Name of the requantised copy; empty where the file itself is best."""
    threads: int
    flash_attention: bool
    micro_batch: int
    prompt_before: float
    prompt: float
    generation_before: float
    generation: float
    loss: float
    """Nats a token that the copy lost on the fixed holes."""
    date: str
    draft_tokens: int = 0
    """Tokens that prompt lookup guesses at most; 0 guesses nothing."""
    format: int = FORMAT

    @property
    def path(self) -> Path:
        """The file to open."""
        return folder() / self.file if self.file else Path(self.source)


def folder() -> Path:
    """Where outcomes and copies lie."""
    return models_dir() / ".tuned"


def copy_path(source: Path, sha256: str, form: str) -> Path:
    """Where a requantised copy of a file goes."""
    return folder() / f"{source.stem}-{form.lower()}-{sha256[:12]}.gguf"


def file_sha256(path: Path) -> str:
    """Hash of a whole file. Raises StorageError."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while data := file.read(_HASH_BYTES):
                digest.update(data)
    except OSError as exc:
        raise StorageError.from_os_error(exc, "reading the model", path) from exc
    return digest.hexdigest()


def remember(tuned: Tuned) -> None:
    """Keep an outcome, in place of an earlier one of the same file. Raises StorageError."""
    path = folder() / f"{tuned.sha256[:16]}.json"
    try:
        folder().mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".part")
        draft.write_text(json.dumps(asdict(tuned), indent=2) + "\n", encoding="utf-8")
        draft.replace(path)
    except OSError as exc:
        raise StorageError.from_os_error(exc, "writing what tuning found", path) from exc


def tuned_for(path: Path) -> Tuned | None:
    """How to run a model file, if it was tuned on this kind of CPU and is still the same file; takes no hashing."""
    try:
        path = path.resolve()
        stat = path.stat()
    except OSError:
        return None
    record = read_record(path)
    for found in _all():
        same = found.source == str(path) and (found.size, found.mtime_ns) == (stat.st_size, stat.st_mtime_ns)
        pulled = record is not None and record.sha256 == found.sha256 and record.size == stat.st_size
        if (same or pulled) and found.cpu == cpu() and found.path.is_file():
            return found
    return None


def forget(path: Path) -> int | None:
    """Undo the tuning of a model file: delete outcome and copy. Bytes freed, or None if there was nothing to undo.

    Raises StorageError.
    """
    found = tuned_for(path)
    if found is None:
        return None
    freed = 0
    try:
        if found.file:
            freed = found.path.stat().st_size
            found.path.unlink()
        (folder() / f"{found.sha256[:16]}.json").unlink()
    except OSError as exc:
        raise StorageError.from_os_error(exc, "removing what tuning found", folder()) from exc
    return freed


def cpu() -> str:
    """The kind of CPU that a measurement holds for."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def today() -> str:
    """The date, as records have it."""
    return time.strftime("%Y-%m-%d", time.gmtime())


def _all() -> list[Tuned]:
    """Every outcome that can be read."""
    out = []
    for path in sorted(folder().glob("*.json")):
        try:
            found = Tuned(**json.loads(path.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            continue
        if found.format == FORMAT:
            out.append(found)
    return out
