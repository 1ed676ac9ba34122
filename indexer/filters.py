"""Which part of an index a search is about: by path, language, kind of symbol, and what changed since a revision.

``resolve`` is the one place where that becomes file ids and rows; retrievers get those before they cut their
candidates, so that a rare match in a small part is found.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from indexer.errors import BadInputError
from indexer.reasons import encodable, visible
from indexer.types import KINDS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from indexer.corpus import Corpus


@dataclass(frozen=True, slots=True)
class Filters:
    """All that are given must hold; within one of them, any of its values."""

    globs: tuple[str, ...] = ()
    """Patterns of paths as in ``rg -g``: the syntax of .gitignore, ``!`` in front leaves out, the last one decides."""
    languages: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    """Of ``types.KINDS``: search looks at chunks that define such a symbol, grep at lines within such symbols."""
    since: str | None = None
    """A git revision: files that differ from it, uncommitted and untracked ones included."""
    folders: tuple[str, ...] = ()
    """Files in one of these folders, or these files; relative to the root, POSIX."""
    base: str = ""
    """Only files in this folder, and ``globs`` are relative to it; empty: the root."""

    @property
    def any(self) -> bool:
        """Whether anything is left out."""
        return bool(self.globs or self.languages or self.kinds or self.since is not None or self.folders or self.base)


class Allowed(NamedTuple):
    """What filters came to: ids of files, ascending, and a mask over rows; None where all are allowed."""

    files: NDArray[np.int64] | None = None
    rows: NDArray[np.bool_] | None = None


EVERYTHING = Allowed()


def resolve(corpus: Corpus, filters: Filters | None, root: Path | None = None) -> Allowed:
    """Files and rows that ``filters`` allow in a generation; ``root`` is the indexed folder, for ``since``.

    Raises BadInputError for an unknown kind, language or revision, a pattern that is none, and no git repository.
    """
    if filters is None or not filters.any:
        return EVERYTHING
    import numpy as np

    files: NDArray[np.int64] | None = None
    if filters.languages:
        files = _in_languages(corpus, filters.languages)
    if filters.globs or filters.since is not None or filters.folders or filters.base:
        known = corpus.all_files()
        inside = f"{filters.base}/" if filters.base else ""
        if inside:
            known = [(file_id, path) for file_id, path in known if path.startswith(inside)]
        if filters.folders:
            known = [(file_id, path) for file_id, path in known if _is_in(path, filters.folders)]
        if filters.globs:
            wanted = Globs(filters.globs)
            known = [(file_id, path) for file_id, path in known if wanted.match(path.removeprefix(inside))]
        if filters.since is not None:
            changed = _changed(root, filters.since)
            known = [(file_id, path) for file_id, path in known if path in changed]
        found = np.array([file_id for file_id, _ in known], np.int64)
        files = np.sort(found) if files is None else np.intersect1d(files, found)
    rows: NDArray[np.bool_] | None = None
    if files is not None:
        rows = np.isin(corpus.file_ids, files)
    if filters.kinds:
        of_kinds = np.zeros(corpus.rows, np.bool_)
        of_kinds[corpus.rows_of_kinds(kind_numbers(filters.kinds))] = True
        rows = of_kinds if rows is None else rows & of_kinds
        files = np.unique(corpus.file_ids[rows]).astype(np.int64)
    return Allowed(files, rows)


def kind_numbers(kinds: Sequence[str]) -> list[int]:
    """Numbers of kinds in ``KINDS``. Raises BadInputError for an unknown one."""
    for kind in kinds:
        if kind not in KINDS:
            raise _unknown("kind of symbol", kind, KINDS, f"The kinds are {', '.join(KINDS)}.")
    return [KINDS.index(kind) for kind in kinds]


class Globs:
    """Patterns of paths. One that names a folder, or leaves it out, holds for all that is in it."""

    def __init__(self, patterns: Sequence[str]) -> None:
        """Raises BadInputError for one that is no pattern."""
        from indexer.ignore import RuleFile
        from indexer.ignore_pattern import parse_pattern

        for pattern in patterns:
            if pattern.startswith("#") or not encodable(pattern) or parse_pattern(pattern) is None:
                raise BadInputError(
                    f"The path pattern '{visible(pattern)}' is not valid.",
                    "Write it as in .gitignore: '*.py', 'src/**', '!tests/'.",
                )
        self._rules = RuleFile("--glob", patterns)
        self._by_default = all(pattern.startswith("!") for pattern in patterns)
        self._folders: dict[str, bool | None] = {"": None}

    def match(self, path: str) -> bool:
        """Whether a file is meant: its own last pattern decides, else that of the nearest folder that has one.

        As in ripgrep, what a left-out folder holds stays out. Without any pattern that matches, all are meant if every
        pattern only leaves out.
        """
        above = self._folder(path.rpartition("/")[0])
        if above is False:
            return False
        own = self._rules.decide(path, False)
        if own is not None:
            return own[0]
        return self._by_default if above is None else above

    def _folder(self, path: str) -> bool | None:
        if path not in self._folders:
            above = self._folder(path.rpartition("/")[0])
            own = self._rules.decide(path, True) if above is not False else None
            means_folder = own is not None and (not own[0] or _names_folder(own[1].pattern))
            self._folders[path] = own[0] if own is not None and means_folder else above
        return self._folders[path]


def _names_folder(pattern: str) -> bool:
    """Whether all that is in a folder is meant, as by ``src/`` and ``src``; ``src/*`` and ``*.py`` mean files."""
    return pattern.endswith("/") or not set("*?[") & set(pattern.rpartition("/")[2])


def _is_in(path: str, folders: Sequence[str]) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


def _in_languages(corpus: Corpus, languages: Sequence[str]) -> NDArray[np.int64]:
    import numpy as np

    from indexer.languages import names

    found = []
    for language in languages:
        if not encodable(language):
            raise BadInputError("The name of the language is no valid text.", "Give a name like python.")
        files = corpus.files_in(language)
        if not len(files) and language not in names() and language != "text":
            raise _unknown("language", language, names(), "`codemoat status` lists the languages of an index.")
        found.append(files.astype(np.int64))
    return np.unique(np.concatenate(found))


def _changed(root: Path | None, revision: str) -> set[str]:
    if root is None:
        raise BadInputError("There is no folder to ask git about.", "Leave the revision out.")
    from indexer.repository import changed_since

    return changed_since(root, revision)


def _unknown(what: str, given: str, known: Iterable[str], otherwise: str) -> BadInputError:
    near = get_close_matches(given.lower(), list(known), n=3, cutoff=0.6)
    return BadInputError(
        f"There is no {what} {visible(given)}.", f"Did you mean {' or '.join(near)}?" if near else otherwise
    )
