"""Fetching a model: one source after the other, checked before the file gets its name."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.errors import DamagedModelError, NetworkError
from assistant.models.catalogue import HubSource, ModelEntry, PathSource, Source, UrlSource, find_model, parse_source
from assistant.models.sources import fetch
from assistant.models.store import (
    Record,
    check_file,
    is_gguf,
    locked,
    models_dir,
    partial_path,
    partials,
    read_record,
    record_path,
    sha256_of,
    write_record,
)
from assistant.models.transfer import PullProgress, Transfer, check_space
from indexer.errors import BadInputError, StorageError

if TYPE_CHECKING:
    from assistant.llm import Cancel


@dataclass(frozen=True, slots=True)
class _Target:
    """What is to be fetched. ``size`` and ``sha256`` are 0 and empty where they are not known for certain."""

    name: str
    path: Path
    entry: ModelEntry | None
    sources: tuple[Source, ...]
    size: int
    sha256: str


def pull(
    name: str,
    *,
    source: str | None = None,
    progress: Callable[[PullProgress], None] | None = None,
    cancel: Cancel | None = None,
) -> Path:
    """Bring a model to this machine and return its file; at once if it is here and whole.

    ``name`` is a catalogue name, or ``https://…``, ``hf:OWNER/REPO/FILE`` or a path for a model that is in no catalogue
    (it is then called after its file). ``source``, written the same way, stands in for a catalogue model's own sources;
    the catalogue's sha256 holds all the same.

    Interrupted pulls go on where they stopped. Raises BadInputError, StorageError (no space, no permission),
    NetworkError (no source worked; the message names each reason), DamagedModelError (what came is not the model),
    CancelledError.
    """
    target = _target(name, source)
    waiting = Transfer(target.name, "", target.path, progress=progress, cancel=cancel)
    try:
        if not _is_whole(target):
            target.path.parent.mkdir(parents=True, exist_ok=True)
            with locked(target.path, waiting):
                # Whoever held the lock may have brought it meanwhile.
                if not _is_whole(target):
                    _fetch_any(target, progress, cancel)
    except OSError as exc:
        raise StorageError.from_os_error(exc, f"fetching {target.name}", target.path.parent) from exc
    waiting.report("done", message=_closing(target))
    return target.path


def _target(name: str, source: str | None) -> _Target:
    if entry := find_model(name):
        sources = (_checked(parse_source(source)),) if source else entry.sources
        size = entry.size if entry.verified else 0
        return _Target(entry.name, models_dir() / entry.file, entry, sources, size, entry.sha256)
    where = _checked(parse_source(source or name))
    file = _file_name(where) if source is None else f"{Path(name).name.removesuffix('.gguf')}.gguf"
    return _Target(file.removesuffix(".gguf"), models_dir() / file, None, (where,), 0, "")


def _checked(source: Source) -> Source:
    """The source, if it could name a model file at all."""
    if isinstance(source, PathSource):
        if source.path.is_file():
            return source
        raise BadInputError(
            f"{source.path} is neither a known model nor a file.",
            "`codemoat models list` shows the known models; others come as https://…/FILE.gguf, "
            "hf:OWNER/REPO/FILE.gguf or a path.",
        )
    if _file_name(source) and not (isinstance(source, HubSource) and "" in source.repo.split("/")):
        return source
    raise BadInputError(f"{source} names no GGUF file.", "Write https://…/FILE.gguf or hf:OWNER/REPO/FILE.gguf.")


def _file_name(source: Source) -> str:
    """The name a file from ``source`` gets; empty where the source names no GGUF file."""
    match source:
        case HubSource():
            file = source.file.rsplit("/", 1)[-1]
        case UrlSource():
            file = source.url.partition("?")[0].partition("#")[0].rsplit("/", 1)[-1]
        case PathSource():
            file = source.path.stem + ".gguf"
        case _:
            file = ""
    return file if file.endswith(".gguf") and not file.startswith(".") else ""


def _is_whole(target: _Target) -> bool:
    try:
        check_file(target.path, target.entry, "")
    except (FileNotFoundError, DamagedModelError):
        return False
    return True


def _fetch_any(target: _Target, progress: Callable[[PullProgress], None] | None, cancel: Cancel | None) -> None:
    """Try the sources in turn until one brought the right file."""
    reasons: list[str] = []
    damaged = False
    for number, source in enumerate(target.sources, start=1):
        transfer = Transfer(
            target.name,
            str(source),
            partial_path(target.path, type(source).__name__.removesuffix("Source").lower()),
            file=target.path.name,
            size=target.size,
            patient=number == len(target.sources),
            progress=progress,
            cancel=cancel,
        )
        expected = target.size or (target.entry.size if target.entry else 0)
        check_space(target.path.parent, expected - transfer.have(), target.name)
        transfer.report("contact", transfer.have(), target.size, f"asking {source}")
        try:
            announced = fetch(source, transfer)
            return _accept(target, transfer, announced)
        except DamagedModelError as exc:
            transfer.discard()
            damaged = True
            reason = exc.message
        except NetworkError as exc:
            reason = exc.message
        reasons.append(f"{source}: {reason}")
        transfer.report("failed", message=reason)
    error = DamagedModelError if damaged else NetworkError
    raise error(
        f"{target.name} could not be fetched: {'; '.join(reasons)}.",
        f"Try again later, or give another place: `codemoat models pull {target.name} --from URL_OR_PATH`.",
    )


def _accept(target: _Target, transfer: Transfer, announced: str) -> None:
    """Check what came, record it, and give it its name. Raises DamagedModelError, OSError."""
    size = transfer.have()
    if not is_gguf(transfer.partial):
        raise DamagedModelError("what came is no GGUF file")
    if target.size and size != target.size:
        raise DamagedModelError(f"what came has {size:,} bytes instead of {target.size:,}")
    digest = sha256_of(transfer.partial, transfer)
    earlier = read_record(target.path)
    expected = target.sha256 or (earlier.sha256 if earlier else "") or announced
    if expected and digest != expected:
        raise DamagedModelError(f"what came has sha256 {digest} instead of {expected}")
    with transfer.partial.open("rb") as file:
        os.fsync(file.fileno())
    now = datetime.now(UTC).isoformat(timespec="seconds")
    write_record(target.path, Record(target.name, size, digest, bool(target.sha256), transfer.source, now))
    transfer.partial.replace(target.path)
    for leftover in partials(target.path):
        if leftover.is_file():
            leftover.unlink()


def _closing(target: _Target) -> str:
    record = read_record(target.path)
    if target.sha256 or record is None:
        return f"{target.name} is at {target.path}"
    return (
        f"{target.name} is at {target.path}; no sha256 is pinned for it, so the one received was recorded "
        f"in {record_path(target.path).name}: {record.sha256}"
    )
