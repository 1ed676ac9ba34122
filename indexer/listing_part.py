"""The part of a listing that concerns some paths, without listing the whole folder: what a save needs.

It obeys every rule of ``list_files`` because it is made by the same ``Lister``; where a path has a say over files that
are not below it, only a full listing can tell, and the answer is None.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterable
from pathlib import Path

from indexer.config import IndexConfig
from indexer.files import ENVIRONMENT_MARKS, Lister, Listing, checked_root
from indexer.ignore import CODEMOAT_IGNORE, GIT_IGNORE, IgnoreRules, by_gitignore
from indexer.reasons import printable
from indexer.repository import GIT_FOLDER_MARKS, git_names, lies_in_git_folder, untracked_folders

MAX_PATHS = 500
"""For more a full listing is no slower, and their names might not fit on a command line."""

_MAX_ARGUMENT_BYTES = 200_000
"""Linux takes two million bytes of command line and environment together."""

_DECISIVE_NAMES = frozenset([GIT_IGNORE, CODEMOAT_IGNORE, ".gitmodules"]) | GIT_FOLDER_MARKS
"""Files that say what else counts, and what makes the folder they are in git's own."""

_DECISIVE_IN_GIT = frozenset(["", "config", "config.worktree", "info", "info/exclude"])
"""The same within the root's ``.git``. Its index is not among them: it decides about paths that git was told of, and
whoever told it names them."""


def list_some(root: Path, config: IndexConfig, paths: Collection[str]) -> Listing | None:
    """What ``list_files`` says of ``paths`` and all below them, or None when only a full listing can tell.

    ``paths`` are relative to the root, POSIX: files or folders, there or gone. ``files`` and ``skipped`` are exactly
    the entries of the full listing that equal one of them or lie below one; what is deleted, ignored or below a folder
    that is left out does not occur. ``directories`` are those of the full listing at, below and above what was found.
    None for an ignore file, a repository inside this one, too many paths, the root itself, and wherever git or the
    walk meets a special case. Raises BadInputError and StorageError as ``list_files`` does.
    """
    root = checked_root(root)
    wanted = _wanted(paths)
    if wanted is None or lies_in_git_folder(root):
        return None
    lister = _PartLister(root, config, wanted)
    try:
        git = lister.take_part()
    except _OnlyAllCanTellError:
        return None
    shown = frozenset(map(printable, wanted))
    files = sorted((file for file in lister.files if _within(file.path, wanted)), key=lambda file: file.path)
    skipped = sorted((skip for skip in lister.skipped if _within(skip.path, shown)), key=lambda skip: skip.path)
    return Listing(tuple(files), tuple(skipped), tuple(lister.all_directories()), git)


class _OnlyAllCanTellError(Exception):
    """Never leaves this module."""


def _wanted(paths: Collection[str]) -> frozenset[str] | None:
    """The paths without those below another one and those in ``.git``; None when one decides about other files."""
    if len(paths) > MAX_PATHS or sum(map(len, paths)) > _MAX_ARGUMENT_BYTES:
        return None
    given = set()
    for path in paths:
        parts = path.split("/")
        decides = parts[-1] in _DECISIVE_NAMES and parts[0] != ".git"
        if decides or not {"", ".", ".."}.isdisjoint(parts) or ".git" in parts[1:]:
            return None
        if parts[0] != ".git":
            given.add(path)
        elif "/".join(parts[1:]) in _DECISIVE_IN_GIT:
            return None
    return frozenset(path for path in given if not _within(path.rpartition("/")[0], given))


def _within(path: str, folders: Collection[str]) -> bool:
    """Whether the path is one of ``folders`` or lies below one."""
    while path:
        if path in folders:
            return True
        path = path.rpartition("/")[0]
    return False


class _PartLister(Lister):
    """Lists ``wanted`` and what is below it, by git's names or by a walk that starts there."""

    def __init__(self, root: Path, config: IndexConfig, wanted: frozenset[str]) -> None:
        super().__init__(root, config)
        self._wanted = sorted(wanted)
        self._open: dict[str, bool] = {".": True}

    def take_part(self) -> bool:
        """List the wanted paths; whether by git. Raises _OnlyAllCanTellError."""
        # No path at all would mean all of them to git; it never lists its own folder.
        names, problem = git_names(self.root, only=self._wanted or [".git"])
        if problem is not None:
            raise _OnlyAllCanTellError
        if names is None:
            self._walk_part()
            return False
        if any(self._holds_repository(path) for path in self._wanted):
            raise _OnlyAllCanTellError
        self.take_names(".", names, 0)
        folders = [path for path in self._wanted if self._is_folder(path)]
        for path in untracked_folders(self.root, folders) if folders else ():
            if self._folder_counts(path, self._own_rules) and not self._is_junk(path):
                self._directories.add(path)
        return True

    def _nested(self, path: str, tracked: bool, depth: int) -> None:
        raise _OnlyAllCanTellError

    def _holds_repository(self, path: str) -> bool:
        """Whether the path or a folder above it, below the root, is a repository of its own."""
        parts = path.split("/")
        places = ("/".join(parts[:end]) for end in range(1, len(parts) + 1))
        return any(os.path.lexists(f"{self._base}{place}/.git") for place in places)

    def _is_folder(self, path: str) -> bool:
        try:
            return stat.S_ISDIR(os.lstat(self._base + path).st_mode)
        except OSError:
            return False

    def _walk_part(self) -> None:
        if any(path.rpartition("/")[2] in ENVIRONMENT_MARKS for path in self._wanted):
            raise _OnlyAllCanTellError
        elsewhere = _CountsElsewhere(self.root, self.config, self._wanted)
        if not elsewhere.any():
            # A walk that finds no file at all is done again without .gitignore files. It is so, and was before these
            # paths changed, when they are excluded by name; else one of them may have decided it.
            if not elsewhere.gitignore_excludes() or not all(map(self._is_excluded, self._wanted)):
                raise _OnlyAllCanTellError
            self.drop_gitignore()
        for path in self._wanted:
            parent = path.rpartition("/")[0] or "."
            if not self._walks_into(parent):
                continue
            if self._is_folder(path):
                self._walk(path, inside=True)
            elif os.path.lexists(self._base + path):
                self._entry(path, self._all_rules)
            self._directories.add(parent)

    def _is_excluded(self, path: str) -> bool:
        """Whether a rule leaves the path out whatever is there."""
        return self._all_rules.file(path) is not None and self._all_rules.folder(path) is not None

    def _walks_into(self, folder: str) -> bool:
        """Whether a full walk would look into the folder; each one above it must let it through."""
        known = self._open.get(folder)
        if known is None:
            known = self._walks_into(folder.rpartition("/")[0] or ".") and self._lets_through(folder)
            self._open[folder] = known
        return known

    def _lets_through(self, folder: str) -> bool:
        if not self._is_folder(folder) or not self._folder_counts(folder, self._all_rules) or self._is_junk(folder):
            return False
        try:
            os.scandir(self._path(folder)).close()
        except OSError:
            return False
        return not any(os.path.lexists(f"{self._base}{folder}/{mark}") for mark in ENVIRONMENT_MARKS)


class _CountsElsewhere(Lister):
    """A walk that ends at the first file that counts and is not among some paths."""

    def __init__(self, root: Path, config: IndexConfig, apart_from: Iterable[str]) -> None:
        super().__init__(root, config)
        self._apart_from = frozenset(apart_from)

    def any(self) -> bool:
        self._walk(".", until=lambda: bool(self.files))
        return bool(self.files)

    def gitignore_excludes(self) -> bool:
        """Whether anything was excluded by a .gitignore file, once none counted."""
        return any(by_gitignore(skip) for skip in self.skipped)

    def _entry(self, path: str, rules: IgnoreRules) -> bool:
        return path in self._apart_from or super()._entry(path, rules)

    def _folder_counts(self, path: str, rules: IgnoreRules) -> bool:
        return path not in self._apart_from and super()._folder_counts(path, rules)
