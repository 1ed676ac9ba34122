"""Where ``codemoat search`` looks: which index, and which folders of it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from assistant.cli.common import chosen_root, engine_for
from assistant.cli.output import Output
from indexer.errors import BadInputError, CorruptIndexError
from indexer.filters import Filters
from indexer.location import find_root, index_folder, is_huge
from indexer.probing import exists, is_file, is_folder

if TYPE_CHECKING:
    from assistant.engine import Engine


@dataclass(frozen=True, slots=True)
class Place:
    """A folder to search: ``base`` of the index of ``root``; empty: all of it."""

    root: Path
    base: str = ""
    folders: tuple[str, ...] = ()
    """Only in these, relative to the root; none: everywhere."""
    given: bool = True
    """Whether the user named it."""

    @property
    def shown(self) -> Path:
        """The folder that paths in results are relative to: the one that the user named."""
        return self.root / self.base

    def filters(self, filters: Filters) -> Filters:
        """What was asked for, in this place."""
        return replace(filters, folders=self.folders, base=self.base)

    def name(self, path: str) -> str:
        """A path of the index as it is shown."""
        return path.removeprefix(f"{self.base}/") if self.base else path


def places_of(ctx: typer.Context, paths: Sequence[Path] | None) -> list[Place]:
    """The places that ``--path`` names, or the repository around here. Raises BadInputError."""
    return [_place(ctx, path) for path in paths] if paths else [Place(chosen_root(None), given=False)]


def _place(ctx: typer.Context, path: Path) -> Place:
    """A folder with an index of its own, or a part of the repository around it, where that is indexed."""
    folder = chosen_root(path)
    if _is_indexed(folder) or any(exists(folder / marker) for marker in (".git", ".codemoat")):
        return Place(folder)
    top = find_root(folder)
    for root in folder.parents:
        if is_huge(root) or (top != folder and not root.is_relative_to(top)):
            break
        if _is_indexed(root):
            base = folder.relative_to(root).as_posix()
            with engine_for(ctx, root) as engine:
                try:
                    holds = engine.has_index and engine.index.holds(base)
                except CorruptIndexError:
                    holds = True  # the search repairs it
            # What the repository ignores has no other index than its own.
            return Place(root, base) if holds else Place(folder)
    return Place(folder)


def _is_indexed(root: Path) -> bool:
    from assistant.config import load_config

    return exists(index_folder(root, load_config(root).index_config()))


def take_folders(
    words: Sequence[str], places: Sequence[Place], out: Output, *, exact: bool
) -> tuple[list[str], list[Place]]:
    """The words of a query without those that name a folder, and the places narrowed down to these folders.

    With words only what holds a ``/`` can be a folder, and one word must remain. With an ``exact`` text every argument
    is a folder or a file. Raises BadInputError for one that is not there, or not in any of the places.
    """
    kept: list[str] = []
    named: list[tuple[str, list[Path]]] = []
    for word in words:
        found = [*_existing(word, places, files=exact)] if exact or _may_be_folder(word) else []
        if found:
            named.append((word, found))
        elif exact:
            raise BadInputError(
                f"Give words, -e or -E, not two of them: there is no folder or file {word} to search in.",
                "Quote a text that has spaces in it.",
            )
        elif _may_be_folder(word) and word.endswith("/") and len(words) > 1:
            raise BadInputError(f"There is no folder {word}.", "Without the / at its end it is searched for as a word.")
        else:
            kept.append(word)
    if not named or not (kept or exact):
        return [*words], [*places]
    inside = [(place, _inside(place, named)) for place in places]
    for word, found in named:
        if not any(word in own for _, own in inside):
            where = " or ".join(str(place.shown) for place in places)
            raise BadInputError(
                f"{found[0]} is not below {where}.",
                f"Search there with --path {word}, or put all words in one pair of quotes to search for them.",
            )
    out.note(f"Searching only in {', '.join(word for word, _ in named)}.")
    narrowed = [replace(place, folders=tuple(own.values())) for place, own in inside if own]
    return kept, [replace(place, folders=()) if "" in place.folders else place for place in narrowed]


def empty_note(out: Output, engine: Engine, place: Place) -> None:
    """Say of which of the folders nothing is indexed."""
    for folder in place.folders:
        if not engine.index.holds(folder):
            out.note(f"No file in {folder} is indexed; `codemoat index --explain FILE` says why.")


def _may_be_folder(word: str) -> bool:
    return "/" in word and (re.search(r"\w", word) is not None or word in ("./", "../", "./.", "../.."))


def _existing(word: str, places: Sequence[Place], *, files: bool) -> Iterator[Path]:
    """The folders that ``word`` may name: from here, then in each place."""
    for start in dict.fromkeys((Path.cwd(), *(place.shown for place in places))):
        path = Path(os.path.normpath(start / word))
        if is_folder(path) or (files and is_file(path)):
            yield path


def _inside(place: Place, named: Sequence[tuple[str, list[Path]]]) -> dict[str, str]:
    """Those of the folders that are in a place, relative to its root; the root itself is the empty text."""
    own = {}
    for word, found in named:
        for path in (*found, *(path.resolve() for path in found)):
            if path.is_relative_to(place.shown):
                relative = path.relative_to(place.root).as_posix()
                own[word] = "" if relative in (".", place.base) else relative
                break
    return own
