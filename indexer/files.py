"""Which files count: git's view where there is git, a walk with ignore rules elsewhere.

Listing looks at names, sizes and modes; what a file's content decides is found when it is read (``source.py``).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from indexer.config import IndexConfig, checked_includes
from indexer.errors import BadInputError, StorageError
from indexer.git import work_tree
from indexer.ignore import IgnoreRules, by_gitignore
from indexer.kinds import JUNK_FOLDERS, refuse_kind
from indexer.reasons import encodable, link_reason, os_reason, printable, special_reason
from indexer.reports import Skipped
from indexer.repository import (
    GIT_FOLDER,
    git_names,
    ignored_by,
    is_git_folder,
    is_tracked,
    lies_in_git_folder,
    untracked_folders,
)
from indexer.secrets import refuse_secret_name
from indexer.source import read_source
from indexer.timestamps import storable

INDEX_FOLDER = ".codemoat"

ENVIRONMENT_MARKS = frozenset(["pyvenv.cfg", "CACHEDIR.TAG"])
"""Files that mark the folder they are in as installed packages or a cache, whatever its name."""

_NOT_INCLUDED = "Not in one of the folders that the setting index.include names."

_MAX_DEPTH = 64
"""Repositories nested deeper than this are not looked into."""

_MAX_FOLDERS = 200
"""Folders nested deeper than this are not looked into: only a trap is that deep."""


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file that counts by its name and size. ``path`` is relative to the root, POSIX."""

    path: str
    size: int
    mtime_ns: int
    ctime_ns: int
    """When its inode last changed: also on a rename, a change of mode, or a write that put the other time back."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What lies below a root. ``directories`` are relative, ``.`` is the root: those that hold or could hold files.

    A file that comes or goes changes the modification time of one of them, a file that is edited its own.
    """

    files: tuple[ListedFile, ...]
    skipped: tuple[Skipped, ...]
    directories: tuple[str, ...]
    git: bool


def list_files(root: Path, config: IndexConfig) -> Listing:
    """All files below ``root`` that count, sorted by path, and what was left out by name, size, kind or rule.

    In a git repository (or a folder of one): tracked files that exist and untracked ones that git does not ignore,
    submodules and nested repositories included. Elsewhere: everything that ``.gitignore`` files do not exclude.
    ``.codemoatignore`` and ``config.exclude`` hold everywhere. Where git fails in a repository, a walk obeys its
    ``info/exclude`` and the user's ignore file too. What git itself ignores is not reported. Folders with
    git's own files (a bare clone, a ``.git`` under another name) are left out, tracked or not, as is a root in one.
    Raises BadInputError when ``root`` is no folder and StorageError when it may not be read.
    """
    root = checked_root(root)
    lister = Lister(root, config)
    if lies_in_git_folder(root):
        return Listing((), (Skipped(".", GIT_FOLDER),), (".",), False)
    git = lister.take(".", 0)
    if not git and not lister.files:
        lister.walk_again()
    files = sorted(lister.files, key=lambda listed: listed.path)
    skipped = sorted([*lister.skipped, *lister.problems()], key=lambda skip: skip.path)
    return Listing(tuple(files), tuple(skipped), tuple(lister.all_directories()), git)


def checked_root(root: Path) -> Path:
    """The root as an absolute path without links. Raises BadInputError or StorageError when it cannot be listed."""
    try:
        resolved = root.resolve(strict=True)
        os.scandir(resolved).close()
    except (FileNotFoundError, RuntimeError):
        raise BadInputError(f"There is no such folder: {root}.", "Check the path.") from None
    except NotADirectoryError:
        raise BadInputError(f"{root} is a file, not a folder.", "Give the folder that holds the code.") from None
    except OSError as exc:
        raise StorageError.from_os_error(exc, "reading the folder", root) from exc
    return resolved


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a path is in the index, and why or why not, as one sentence."""

    included: bool
    reason: str


def explain(root: Path, path: str | Path, config: IndexConfig) -> Verdict:
    """Why ``path`` (absolute, or relative to ``root``) is indexed or not, by the same rules as ``list_files``.

    Raises BadInputError or StorageError when the root cannot be listed.
    """
    root = checked_root(root)
    relative = _below(root, Path(path))
    if relative is None:
        return Verdict(False, f"It lies outside the indexed folder {root}.")
    listing = list_files(root, config)
    if lies_in_git_folder(root):
        return Verdict(False, GIT_FOLDER)
    if any(listed.path == relative for listed in listing.files):
        source = read_source(root, relative, config)
        if isinstance(source, Skipped):
            return Verdict(False, source.reason)
        hidden = f" Secrets masked in it: {source.masked}." if source.masked else ""
        return Verdict(True, f"{_how_found(root, relative, listing.git)}, a text of {source.size:,} bytes.{hidden}")
    if relative in listing.directories:
        return Verdict(True, "A folder of the index: the files in it are judged one by one.")
    return Verdict(False, _why_not(root, relative, listing))


def _below(root: Path, path: Path) -> str | None:
    """The path relative to the root, its last component not followed if it is a link; None when it lies outside."""
    absolute = Path(os.path.normpath(root / path))
    for candidate in (absolute, absolute.parent.resolve() / absolute.name):
        if candidate.is_relative_to(root):
            return candidate.relative_to(root).as_posix()
    return None


def _how_found(root: Path, relative: str, git: bool) -> str:
    if not git:
        return "No ignore rule excludes it"
    tracked = is_tracked(*_repository_of(root, relative))
    return "Tracked by git" if tracked else "Not tracked by git, but not ignored either"


def _repository_of(root: Path, relative: str) -> tuple[Path, str]:
    """The innermost repository (or the root) that a path lies in, and the path relative to it."""
    for parent in (root / relative).parents:
        if parent == root or os.path.lexists(parent / ".git"):
            return parent, (root / relative).relative_to(parent).as_posix()
    return root, relative


def _why_not(root: Path, relative: str, listing: Listing) -> str:
    """The reason that the listing gave for the path or a folder above it, else what git or the disk says."""
    given = {skip.path: skip.reason for skip in listing.skipped if skip.path != "."}
    place = relative
    while place:
        if (reason := given.get(printable(place))) is not None:
            return reason if place == relative else f"It lies in {printable(place)}, which is left out: {reason}"
        place = place.rpartition("/")[0]
    parts = relative.split("/")
    if INDEX_FOLDER in parts:
        return "Codemoat's own data is never indexed."
    if not os.path.lexists(root / relative):
        return "It does not exist."
    junk = next((part for part in parts if part in JUNK_FOLDERS), None)
    if junk is not None:
        return f"{junk} is left out: {JUNK_FOLDERS[junk]}"
    rule = ignored_by(*_repository_of(root, relative))
    return f"Ignored by git: {rule}." if rule else "Git does not list it."


class Lister:
    """Gathers one listing. Paths are relative to the root, POSIX; ``.`` is the root itself."""

    def __init__(self, root: Path, config: IndexConfig) -> None:
        self.root = root
        self.config = config
        self.files: list[ListedFile] = []
        self.skipped: list[Skipped] = []
        self._directories: set[str] = {"."}
        self._included = frozenset(checked_includes(root, config.include))
        self._counts: dict[str, bool] = {".": True}
        """Folder → whether what is in it counts; if not, ``skipped`` says why, once."""
        self._base = f"{root}/".replace("//", "/")
        self._junk: dict[str, bool] = {".": False}
        self._git_failed = False
        self._own_rules = IgnoreRules(root, config.exclude, gitignore=False)
        self._all_rules = IgnoreRules(root, config.exclude, gitignore=True)

    def take(self, folder: str, depth: int) -> bool:
        """List ``folder``, by git if it can, else by a walk; whether git could."""
        names, problem = git_names(self._path(folder), nested=folder != ".")
        if problem is not None:
            why = f"Git could not list this folder ({problem}); its files were found by a walk with its ignore rules."
            self.skipped.append(Skipped(folder, why))
            self._git_failed = True
            if folder == "." and (top := work_tree(self.root)) is not None:
                self._all_rules.reach_up_to(top)
        if names is None:
            self._walk(folder)
            return False
        self.take_names(folder, names, depth)
        prefix = "" if folder == "." else folder + "/"
        for name in untracked_folders(self._path(folder)):
            path = prefix + name
            if self._folder_counts(path, self._own_rules) and not self._is_junk(path):
                self._directories.add(path)
        return True

    def take_names(self, folder: str, names: list[tuple[bool, str]], depth: int) -> None:
        """Judge what git listed in ``folder``: (tracked, name) relative to it."""
        prefix = "" if folder == "." else folder + "/"
        for tracked, name in names:
            path = prefix + name
            parent = path.rpartition("/")[0] or "."
            if not self._folder_counts(parent, self._own_rules) or (not tracked and self._is_junk(parent)):
                continue
            self._directories.add(parent)
            if name.endswith("/"):
                self._nested(path[:-1], tracked, depth)
            elif not self._entry(path, self._own_rules):
                self._nested(path, tracked, depth)

    def walk_again(self) -> None:
        """Without .gitignore files, if they left nothing: some packages' exclude all that their repository lacks.

        A repository in which git failed is no such package: what it hides stays hidden.
        """
        if not self._git_failed and any(map(by_gitignore, self.skipped)):
            self.skipped = [skip for skip in self.skipped if skip.path == "."]
            self.skipped.append(Skipped(".", "Its .gitignore excludes every file, so it was not followed."))
            self._counts, self._junk = {".": True}, {".": False}
            self.drop_gitignore()
            self._walk(".")

    def drop_gitignore(self) -> None:
        """Walk without .gitignore files from now on; what a repository below hides elsewhere stays hidden."""
        self._all_rules = IgnoreRules(self.root, self.config.exclude, gitignore=False, excludes=True)

    def problems(self) -> list[Skipped]:
        """What is to be said about ignore files that are not applied whole."""
        said = dict.fromkeys([*self._own_rules.problems, *self._all_rules.problems])
        return [Skipped(".", problem) for problem in said]

    def all_directories(self) -> list[str]:
        """The folders that hold or could hold files, and all above them, sorted."""
        found = {"."}
        for folder in self._directories:
            while folder not in found:
                found.add(folder)
                folder = folder.rpartition("/")[0] or "."
        return sorted(found)

    def _path(self, relative: str) -> Path:
        return self.root if relative == "." else self.root / relative

    def _nested(self, path: str, tracked: bool, depth: int) -> None:
        """A submodule, or a repository inside this one that is none."""
        if not self._folder_counts(path, self._own_rules) or (not tracked and self._is_junk(path)):
            return
        if depth >= _MAX_DEPTH:
            self.skipped.append(Skipped(path, "Repositories are nested too deep here."))
        elif tracked and not os.path.lexists(self._path(path) / ".git"):
            self.skipped.append(Skipped(path, "Submodule that is not checked out."))
        else:
            self.take(path, depth + 1)

    def _walk(self, top: str, *, inside: bool = False, until: Callable[[], bool] | None = None) -> None:
        """Take the files below ``top`` that no ignore file excludes, without following links.

        ``inside``: what is in ``top`` may mark it as no source, as with any folder below it. ``until`` is asked after
        every file whether that is enough.
        """
        pending = [top]
        while pending:
            folder = pending.pop()
            if not self._folder_counts(folder, self._all_rules) or self._is_junk(folder):
                continue
            try:
                with os.scandir(self._path(folder)) as entries:
                    found = list(entries)
            except OSError as exc:
                self.skipped.append(Skipped(printable(folder), os_reason(exc)))
                continue
            if (inside or folder != top) and any(entry.name in ENVIRONMENT_MARKS for entry in found):
                self.skipped.append(Skipped(printable(folder), "Virtual environment or cache, as a file in it says."))
                continue
            self._directories.add(folder)
            for entry in found:
                path = entry.name if folder == "." else f"{folder}/{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    pending.append(path)
                elif entry.name != ".git":  # a file of that name leads to a repository, or was meant to
                    self._entry(path, self._all_rules)
                    if until is not None and until():
                        return

    def _entry(self, path: str, rules: IgnoreRules) -> bool:
        """Take or skip a file; False when it is a folder. One that is gone (deleted, though tracked) is no matter."""
        try:
            info = os.lstat(self._base + path)
        except (FileNotFoundError, NotADirectoryError):
            return True
        except OSError as exc:
            self.skipped.append(Skipped(printable(path), os_reason(exc)))
            return True
        if stat.S_ISDIR(info.st_mode):
            return False
        reason = self._refuse(path, info, rules)
        if reason is None:
            self.files.append(ListedFile(path, info.st_size, storable(info.st_mtime_ns), storable(info.st_ctime_ns)))
        else:
            self.skipped.append(Skipped(printable(path), reason))
        return True

    def _refuse(self, path: str, info: os.stat_result, rules: IgnoreRules) -> str | None:
        if not path.isascii() and not encodable(path):
            return "Its name is not valid UTF-8."
        if stat.S_ISLNK(info.st_mode):
            return link_reason(self.root, path)
        if not stat.S_ISREG(info.st_mode):
            return special_reason(info.st_mode)
        rule = rules.file(path)
        if rule is not None:
            return f"Excluded by {rule}."
        if self._included and not self._is_included(path.rpartition("/")[0]):
            return _NOT_INCLUDED
        return refuse_secret_name(path) or refuse_kind(path, info.st_size, self.config)

    def _folder_counts(self, path: str, rules: IgnoreRules) -> bool:
        """Whether the folder is a real one that no rule excludes, nor one above it; says why not, once."""
        counts = self._counts.get(path)
        if counts is None and path.count("/") >= _MAX_FOLDERS:
            top = "/".join(path.split("/")[:_MAX_FOLDERS])
            if self._counts.setdefault(top, True):
                self._counts[top] = False
                self.skipped.append(Skipped(printable(top), "Folders are nested too deep here."))
            return False
        if counts is None:
            counts = self._folder_counts(path.rpartition("/")[0] or ".", rules)
            reason = self._refuse_folder(path, rules) if counts else None
            if reason is not None:
                counts = False
                if reason:
                    self.skipped.append(Skipped(printable(path), reason))
            self._counts[path] = counts
        return counts

    def _refuse_folder(self, path: str, rules: IgnoreRules) -> str | None:
        """Why nothing below the folder counts; empty when that needs no saying."""
        if path.rpartition("/")[2] == INDEX_FOLDER:
            return ""
        try:
            mode = os.lstat(self._base + path).st_mode
        except OSError as exc:
            # Tracked files below a folder that was deleted: gone, like any deleted file.
            return "" if isinstance(exc, FileNotFoundError | NotADirectoryError) else os_reason(exc)
        if stat.S_ISLNK(mode):
            return link_reason(self.root, path)
        if is_git_folder(self._base + path):
            return GIT_FOLDER
        rule = rules.folder(path)
        if rule is not None:
            return f"Excluded by {rule}."
        if self._included and not self._is_included(path) and not any(i.startswith(path + "/") for i in self._included):
            return _NOT_INCLUDED
        return None

    def _is_included(self, folder: str) -> bool:
        """Whether the folder is one of those that alone count, or lies below one."""
        while folder:
            if folder in self._included:
                return True
            folder = folder.rpartition("/")[0]
        return False

    def _is_junk(self, path: str) -> bool:
        """Whether the folder, or one above it, is known to hold no source of this project; says so once."""
        junk = self._junk.get(path)
        if junk is None:
            junk = self._is_junk(path.rpartition("/")[0] or ".")
            reason = JUNK_FOLDERS.get(path.rpartition("/")[2])
            if not junk and reason is not None:
                junk = True
                self.skipped.append(Skipped(printable(path), reason))
            self._junk[path] = junk
        return junk
