"""Names of files and folders as people type them → paths of the repository. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property

_WELL_KNOWN_LIST = """
    readme makefile dockerfile license licence changelog contributing gemfile rakefile procfile
    vagrantfile justfile jenkinsfile
"""
WELL_KNOWN = frozenset(_WELL_KNOWN_LIST.split())
"""Files that are named without an extension in the middle of any sentence."""
_EXTENSIONS_LIST = """
    ada adb ads astro avif bash bat bats bmp bzl c cc cfg clj cmake conf cpp cs css csv cts cxx dart diff doc docx
    ejs el elm erl ex exe exs f90 feature fish fs gif go gradle graphql groovy gz h haml hbs hcl hpp hrl hs htm html
    hxx ico in ini ipynb jar java jinja jl jpeg jpg js json json5 jsonc jsx kt kts less lock log lua m m4 md mdx mjs
    ml mm mod mov mp3 mp4 mts nim nix patch pdf php pl plist pm png po properties proto ps1 psql py pyc pyi pyx r
    rake rar rb rs rst sass sbt scala scss sh sol sql sum svelte svg swift tar tcl tex tf tgz tmpl toml ts tsx ttf
    txt v vb vhd vim vue wasm wat webp woff woff2 xls xlsx xml y yaml yml zig zip zsh
"""
_EXTENSIONS = frozenset(_EXTENSIONS_LIST.split())
_DIFFERENT = 0.84
"""How alike a name with a typo must be."""
_ASIDE = re.compile(
    r"(?:^|/)(?:\.\w[^/]*|tests?|specs?|__tests__|testdata|fixtures?|examples?|demos?|vendor|third_party|node_modules"
    r"|benches|benchmarks?|docs?)(?:/|$)",
    re.I,
)
_LIBRARIES = re.compile(
    r"site-packages/|dist-packages/|node_modules/|/lib/python\d|^/usr/(?:lib|include|share)/|go/pkg/mod/|/go/src/|\.cargo/"
    r"|/rustc/|/gems/|^node:|/jdk|\.m2/|/vendor/"
)
_TEST_NAME = re.compile(r"(?:^|/)(?:test_|conftest)|[._-](?:test|spec)s?\.", re.I)


@dataclass(frozen=True, slots=True)
class Found:
    """What a name leads to, the likeliest first."""

    paths: tuple[str, ...]
    exact: bool = True
    """False where only the name without its extension, or a similar one, is there."""


class PathNames:
    """The paths of one generation."""

    def __init__(self, paths: Sequence[str]) -> None:
        self.paths = paths

    def files(self, name: str) -> Found | None:
        """Files that ``name`` means: by its last parts, in whatever case, else without its extension."""
        wanted = _parts(name)
        if not wanted:
            return None
        low = [part.casefold() for part in wanted]
        named = self._by_name.get(low[-1], ())
        if found := _ending(named, wanted) or _ending(named, low, fold=True):
            return Found(tuple(sorted(found, key=nearness)))
        if named and len(wanted) > 1:
            # More folders than the repository has, or others: the one that shares most of the end.
            shared = {path: _shared(path, low) for path in named}
            most = max(shared.values())
            whole = [path for path in named if shared[path] == most and (most > 1 or shared[path] == _depth(path) + 1)]
            if whole:
                return Found(tuple(sorted(whole, key=nearness)))
        stem, _, ending = low[-1].rpartition(".")
        typed = bool(stem) and ending in _EXTENSIONS
        named = self._by_stem.get(stem if typed else low[-1], ())
        if found := _ending([*named], [*low[:-1], ""], fold=True, names=False):
            return Found(tuple(sorted(found, key=nearness)), exact=not typed)
        return None

    def similar(self, name: str) -> str | None:
        """The file whose name is likeliest meant by one with a typo."""
        wanted = _parts(name)
        if not wanted or len(wanted[-1]) < 5:
            return None
        close = get_close_matches(wanted[-1].casefold(), self._by_name, 1, _DIFFERENT)
        return min(self._by_name[close[0]], key=nearness) if close else None

    def folder(self, name: str) -> tuple[str, ...]:
        """Folders that end with ``name``, the nearest to the root first."""
        wanted = [part.casefold() for part in _parts(name)]
        if not wanted:
            return ()
        found = [folder for folder in self._folders if folder.casefold().split("/")[-len(wanted) :] == wanted]
        exact = [folder for folder in found if folder.split("/")[-len(wanted) :] == _parts(name)]
        return tuple(sorted(exact or found, key=nearness))

    def below(self, folder: str) -> list[str]:
        """Files in a folder and its folders, in order."""
        return [path for path in self.paths if path.startswith(folder + "/")]

    def frame(self, path: str) -> str | None:
        """The file of the repository that a path of another machine means: the one that shares most of its end."""
        wanted = [part.casefold() for part in _parts(path)]
        if not wanted:
            return None
        best: tuple[int, bool] = (0, False)
        found: list[str] = []
        for candidate in self._by_name.get(wanted[-1], ()):
            shared = _shared(candidate, wanted)
            score = shared, shared == _depth(candidate) + 1
            if score > best:
                best, found = score, []
            if score == best:
                found.append(candidate)
        # A name alone proves nothing where the frame lies in somebody else's library, or where there are several.
        alone = best[0] == 1 and len(wanted) > 1
        if not found or (alone and (_LIBRARIES.search(path) or len(found) > 1)):
            return None
        return min(found, key=nearness)

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        out: dict[str, list[str]] = defaultdict(list)
        for path in self.paths:
            out[path[path.rfind("/") + 1 :].casefold()].append(path)
        return dict(out)

    @cached_property
    def _by_stem(self) -> dict[str, list[str]]:
        out: dict[str, list[str]] = defaultdict(list)
        for name, paths in self._by_name.items():
            out[name.rpartition(".")[0] or name.lstrip(".")].extend(paths)
        return dict(out)

    @cached_property
    def _folders(self) -> set[str]:
        out: set[str] = set()
        for path in self.paths:
            end = path.rfind("/")
            while end > 0 and path[:end] not in out:
                out.add(path[:end])
                end = path.rfind("/", 0, end)
        return out


def nearness(path: str) -> tuple[bool, int, bool, str]:
    """A key for sorting: code of the project before tests, examples and documents, then the nearest to the root."""
    aside = bool(_ASIDE.search(path) or _TEST_NAME.search(path))
    return aside, _depth(path), path[path.rfind("/") + 1 :].startswith("."), path


def has_extension(name: str) -> bool:
    """Whether ``name`` ends as names of files do."""
    stem, _, ending = name.rpartition(".")
    return bool(stem) and ending.casefold() in _EXTENSIONS


def _parts(name: str) -> list[str]:
    name = re.sub(r"^[A-Za-z]:(?=[\\/])", "", name).replace("\\", "/")
    return [part for part in name.split("/") if part not in ("", ".", "..", "~")]


def _depth(path: str) -> int:
    return path.count("/")


def _shared(path: str, wanted: Sequence[str]) -> int:
    """How many parts at its end ``path`` has in common with ``wanted`` (casefolded)."""
    count = 0
    for own, other in zip(reversed(path.casefold().split("/")), reversed(wanted), strict=False):
        if own != other:
            break
        count += 1
    return count


def _ending(paths: Iterable[str], wanted: Sequence[str], *, fold: bool = False, names: bool = True) -> list[str]:
    """Those of ``paths`` that end with ``wanted``; without ``names`` the last part may be anything."""
    out = []
    last = len(wanted) if names else len(wanted) - 1
    for path in dict.fromkeys(paths):
        own = (path.casefold() if fold else path).split("/")[-len(wanted) :]
        if own[:last] == list(wanted[:last]) and len(own) == len(wanted):
            out.append(path)
    return out
