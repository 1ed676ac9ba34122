"""What changed: the listing of today against the manifest of the last generation."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Protocol

from indexer.store import KnownFile

if TYPE_CHECKING:
    from indexer.files import ListedFile

_FINE_WINDOW = 50_000_000
_COARSE_WINDOW = 2_000_000_000
_COARSE_TICK = 1_000_000_000


@dataclass(slots=True)
class Plan:
    """What an update has to do. Every path of the listing is in at most one of these."""

    analyse: list[ListedFile] = field(default_factory=list)
    """New or changed: read, parse, store. In path order."""
    touch: list[tuple[KnownFile, ListedFile]] = field(default_factory=list)
    """Same contents, another time: only the manifest's row changes."""
    move: list[tuple[KnownFile, ListedFile]] = field(default_factory=list)
    """Same contents and language under another name."""
    remove: list[KnownFile] = field(default_factory=list)
    """Gone, or about to be replaced by a fresh analysis."""

    @property
    def changes_contents(self) -> bool:
        """Whether a new generation comes of it."""
        return bool(self.analyse or self.move or self.remove)


def make_plan(
    root: Path,
    listed: Iterable[ListedFile],
    known: dict[str, KnownFile],
    started_ns: int,
    limit: int,
    lost: set[int],
) -> Plan:
    """Compare by size and time; hash (files of at most ``limit`` bytes) only where those differ or prove nothing.

    ``lost``: ids of files of which something stored is damaged, so that they are analysed again as they are.
    """
    plan = Plan()
    gone = dict(known)
    fresh: list[ListedFile] = []
    for file in listed:
        old = gone.pop(file.path, None)
        if old is None:
            fresh.append(file)
        elif old.id in lost:
            plan.remove.append(old)
            plan.analyse.append(file)
        elif old.settled and (old.size, *times(old)) == (file.size, *times(file)):
            continue
        elif old.size == file.size and digest(root / file.path, limit) == old.sha256:
            if (*times(old), old.settled) != (*times(file), int(settled(file.mtime_ns, started_ns))):
                plan.touch.append((old, file))
        else:
            plan.remove.append(old)
            plan.analyse.append(file)
    movable = {path: old for path, old in gone.items() if old.id not in lost}
    _find_moves(root, fresh, movable, plan, limit)
    for old, _ in plan.move:
        del gone[old.path]
    plan.remove.extend(gone.values())
    plan.analyse.sort(key=lambda file: file.path)
    return plan


class Timed(Protocol):
    """What has a file's times."""

    @property
    def mtime_ns(self) -> int:
        """When its contents changed."""
        ...

    @property
    def ctime_ns(self) -> int:
        """When its inode changed."""
        ...


def times(file: Timed) -> tuple[int, int]:
    """Both times; equal ones and an equal size mean equal contents, once they are settled.

    One alone does not: files of one size that swap their names keep the first, and copying tools set it back.
    """
    return file.mtime_ns, file.ctime_ns


def settled(mtime_ns: int, started_ns: int) -> bool:
    """Whether a later edit would show in the file's time: not if it was written within the clock's tick of our look.

    A file system that keeps whole seconds only (such times end in nine zeros) may need two of them.
    """
    window = _COARSE_WINDOW if mtime_ns % _COARSE_TICK == 0 else _FINE_WINDOW
    return not (started_ns - window <= mtime_ns)


def digest(path: Path, limit: int) -> str | None:
    """SHA-256 of a regular file of at most ``limit`` bytes, hexadecimal; None if it cannot be read as one."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return None
    try:
        info = os.fstat(handle)
        if not stat.S_ISREG(info.st_mode) or info.st_size > limit:
            return None
        hashed = hashlib.sha256()
        while block := os.read(handle, 1 << 20):
            hashed.update(block)
        return hashed.hexdigest()
    except OSError:
        return None
    finally:
        os.close(handle)


def _find_moves(root: Path, fresh: Iterable[ListedFile], gone: dict[str, KnownFile], plan: Plan, limit: int) -> None:
    """Sort new paths into moves of files that are gone and files to analyse."""
    by_size: dict[int, list[KnownFile]] = {}
    for old in gone.values():
        if old.skipped is None:
            by_size.setdefault(old.size, []).append(old)
    for file in fresh:
        candidates = by_size.get(file.size)
        hashed = digest(root / file.path, limit) if candidates else None
        source = next(
            (old for old in candidates or () if old.sha256 == hashed and _same_kind(old.path, file.path)), None
        )
        if source is None or candidates is None:
            plan.analyse.append(file)
            continue
        candidates.remove(source)
        plan.move.append((source, file))


def _same_kind(one: str, other: str) -> bool:
    """Whether two names lead to the same language and the same rules, so that an analysis holds for both."""
    from indexer.languages import detect
    from indexer.secrets import masking_rules

    suffixes = {PurePosixPath(one).suffix, PurePosixPath(other).suffix}
    return len(suffixes) == 1 and detect(one) == detect(other) and masking_rules(one) == masking_rules(other)
