"""The learning log: on this disk only, off unless wanted, what became of suggestions (docs/log.md).

One JSON object a line in ``learning.jsonl`` of the data directory, readable for its owner alone. No text of files or
suggestions is in it, and no path: a file is a hash that differs from machine to machine.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout

from indexer.errors import StorageError
from indexer.location import data_dir
from indexer.private import make_folder, tighten

MOST_BYTES = 4 << 20
"""Of the file; when it is larger the older half of its lines goes. About 16,000 events."""
_LOCK_SECONDS = 2.0

Kind = Literal["shown", "accepted", "partially-accepted", "rejected", "kept", "changed"]
KINDS: tuple[Kind, ...] = ("shown", "accepted", "partially-accepted", "rejected", "kept", "changed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened to a suggestion."""

    at: float
    """Seconds since 1970."""
    kind: Kind
    """``kept`` and ``changed``: whether an accepted text still stood a while later."""
    suggestion: str
    """Names the suggestion within one run of the server."""
    run: str
    """Names that run."""
    language: str = ""
    file: str = ""
    """Keyed hash of the file's path."""
    characters: int = 0
    """Of the suggestion."""
    lines: int = 0
    accepted: int = 0
    """Characters that were accepted."""
    milliseconds: float = 0.0
    """The model's time for it; 0 where it was known."""
    reused: bool = False
    model: str = ""
    inferred: bool = False
    """Found out from the document, not told by the editor."""
    after: float = 0.0
    """Of ``kept`` and ``changed``: seconds since it was accepted; fewer than 30 where the document was closed."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What a log holds. ``damaged``: lines that are no events, such as the torn last one after a power cut."""

    events: tuple[Event, ...]
    damaged: int = 0


class LearningLog:
    """The log file. Several processes may append; threads may share an instance."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or data_dir() / "learning.jsonl"

    def append(self, event: Event) -> None:
        """Add an event. Raises StorageError."""
        line = json.dumps(asdict(event), separators=(",", ":")).encode() + b"\n"
        try:
            with self._locked():
                # A line that was torn by a power cut must not swallow this one.
                lead = b"\n" if self._torn() else b""
                # A link in its place is somebody else's file.
                flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
                tighten(self.path)
                with os.fdopen(os.open(self.path, flags, 0o600), "ab", buffering=0) as file:
                    file.write(lead + line)
                if self.path.stat().st_size > MOST_BYTES:
                    self._halve()
        except (OSError, Timeout) as exc:
            raise self._failed(exc, "writing the learning log") from exc

    def read(self) -> Kept:
        """Every event, oldest first; empty where there is no log. Raises StorageError."""
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return Kept(())
        except OSError as exc:
            raise self._failed(exc, "reading the learning log") from exc
        lines = [line for line in data.split(b"\n") if line.strip()]
        events = tuple(_events(lines))
        return Kept(events, len(lines) - len(events))

    def erase(self) -> int:
        """Delete the log and the key of its hashes; bytes freed. Raises StorageError."""
        freed = 0
        try:
            for path in (self.path, self._key_path):
                with contextlib.suppress(FileNotFoundError):
                    freed += path.stat().st_size
                    path.unlink()
        except OSError as exc:
            raise self._failed(exc, "deleting the learning log") from exc
        return freed

    def hashed(self, path: str) -> str:
        """A file's name in the log: a hash with a key of this machine's, so that nobody can try paths. StorageError."""
        try:
            with self._locked():
                if not self._key_path.exists():
                    descriptor = os.open(self._key_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                    with os.fdopen(descriptor, "wb") as file:
                        file.write(secrets.token_bytes(32))
                key = self._key_path.read_bytes()
        except (OSError, Timeout) as exc:
            raise self._failed(exc, "writing the learning log") from exc
        return hashlib.blake2b(path.encode("utf-8", "surrogatepass"), key=key, digest_size=8).hexdigest()

    @property
    def _key_path(self) -> Path:
        return self.path.with_suffix(".key")

    def _locked(self) -> FileLock:
        make_folder(self.path.parent)
        return FileLock(self.path.with_suffix(".lock"), timeout=_LOCK_SECONDS, mode=0o600)

    def _torn(self) -> bool:
        try:
            with self.path.open("rb") as file:
                file.seek(-1, os.SEEK_END)
                return file.read(1) != b"\n"
        except OSError:  # none yet, or empty
            return False

    def _halve(self) -> None:
        """Keep the newer half of the lines. Locked."""
        lines = self.path.read_bytes().splitlines(keepends=True)
        draft = self.path.with_suffix(".new")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.writelines(lines[len(lines) // 2 :])
        draft.replace(self.path)

    def _failed(self, exc: OSError, what: str) -> StorageError:
        return StorageError.from_os_error(exc, what, self.path)


def summary(events: Iterable[Event]) -> list[dict[str, Any]]:
    """For each language what was shown and what became of it, most shown first; shares are None over nothing."""
    counts: dict[str, dict[str, int]] = {}
    for event in events:
        own = counts.setdefault(event.language or "?", dict.fromkeys(KINDS, 0))
        own[event.kind] += 1
    rows = []
    for language, own in counts.items():
        taken, judged = own["accepted"] + own["partially-accepted"], own["kept"] + own["changed"]
        rows.append({
            "language": language,
            "shown": own["shown"],
            "accepted": taken,
            "accepted_share": round(taken / own["shown"], 4) if own["shown"] else None,
            "kept": own["kept"],
            "kept_share": round(own["kept"] / judged, 4) if judged else None,
            "rejected": own["rejected"],
        })  # fmt: skip
    return sorted(rows, key=lambda row: (-row["shown"], row["language"]))


def _events(lines: Iterable[bytes]) -> Iterator[Event]:
    names = {field.name for field in fields(Event)}
    for line in lines:
        try:
            data = json.loads(line)
            event = Event(**{key: value for key, value in data.items() if key in names})
        except (ValueError, TypeError, AttributeError):
            continue
        if event.kind in KINDS and isinstance(event.at, int | float):
            yield event
