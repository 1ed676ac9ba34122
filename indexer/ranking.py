"""The weights of ranking, what each means, and what a path says about a file. Pure; no numpy."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from indexer.terms import parts, stem, terms

WEIGHTS: dict[str, float] = {
    "words": 0.45,
    "words_sum": 0.39,
    "meaning": 0.29,
    "meaning_sum": 0.36,
    "literal": 2.0,
    "place": 3.0,
    "symbol_query": 2.0,
    "symbol": 0.66,
    "symbol_word": 0.47,
    "symbol_compound": 0.24,
    "file_name": 0.62,
    "file_name_words": 0.69,
    "folder": 0.63,
    "test": -0.72,
    "example": -0.54,
    "vendored": -0.54,
    "generated": -0.51,
    "documentation": -0.73,
    "configuration": -0.54,
    "shim": -0.33,
}
"""Feature → weight. Every feature lies in 0 … 1, so a weight is the most that it can move a score.

Fitted by ``benchmarks.fit_ranking``; docs/search.md says what each means and what it adds."""
FIXED = frozenset({"literal", "place", "symbol_query"})
"""Not fitted: whoever asks for nothing but a name wants its definition first, and whoever pastes a line wants that."""

_TEST_FOLDERS = frozenset({"test", "tests", "testing", "__tests__", "spec", "specs", "testdata", "fixtures", "e2e"})
_TEST_NAME = re.compile(
    r"^(test|tests|conftest)$|^test_|_tests?$|[._-](test|tests|spec|specs)$|[a-z](Test|Tests|Spec)$"
)
_EXAMPLE = frozenset({"example", "examples", "sample", "samples", "demo", "demos", "tutorial", "tutorials", "docs_src",
                      "benchmark", "benchmarks", "bench", "playground", "sandbox"})  # fmt: skip
_VENDORED = frozenset({"vendor", "vendored", "_vendor", "third_party", "thirdparty", "3rdparty", "node_modules", "deps",
                       "external", "extern", "bundled"})  # fmt: skip
_GENERATED = re.compile(r"(^|[._-])(generated|gen|pb2|pb|pb2_grpc|g|designer)$|\.d$", re.IGNORECASE)
_SHIM = frozenset({"compat", "compatibility", "shim", "shims", "polyfill", "polyfills", "deprecated", "legacy"})
_DOCUMENTATION = frozenset({"markdown", "rst", "text", "asciidoc", "html", "latex", "org"})
_CONFIGURATION = frozenset({"json", "yaml", "toml", "ini", "xml", "csv", "make", "cmake", "dockerfile", "css", "scss",
                            "svg", "properties", "gitignore", "sql"})  # fmt: skip
_NAMELESS = frozenset({"__init__", "__main__", "index", "init", "lib", "main", "mod", "package"})
"""File names that say nothing; the folder's name counts as the file's."""
_ASKED_BY = {
    "test": "test spec fixture mock",
    "example": "example sample demo tutorial benchmark",
    "vendored": "vendor vendored",
    "generated": "generate generated",
    "documentation": "documentation document doc readme changelog guide",
    "configuration": "config configure configuration json yaml toml css xml makefile cmake",
    "shim": " ".join(_SHIM),
}
_ASKS = {kind: frozenset(map(stem, words.split())) for kind, words in _ASKED_BY.items()}
"""Terms of a query that ask for a kind of file; they lift what the kind costs."""
_SHIM_HINT = re.compile("|".join(sorted(_ASKS["shim"])), re.IGNORECASE)
"""What is in a name that holds such a term: finding it is quicker than taking the name apart."""


KINDS_OF_FILE = ("test", "example", "vendored", "generated", "documentation", "configuration", "shim")
"""Kinds of file that cost something; names of weights. Bit ``n`` of ``PathLook.kinds`` stands for the ``n``-th."""
_BIT = {kind: 1 << n for n, kind in enumerate(KINDS_OF_FILE)}


class PathLook(NamedTuple):
    """What a path says at a glance."""

    name: str
    """The file's name without extension and separators, lowercased."""
    kinds: int
    """Bits for ``KINDS_OF_FILE``."""


class PathWords(NamedTuple):
    """The terms of a path."""

    name: frozenset[str]
    """Of the parts of the file's name."""
    folders: frozenset[str]


@lru_cache(maxsize=65_536)
def path_look(path: str, language: str) -> PathLook:
    """The file's name, and the kinds of file that it is: test, example, vendored and so on."""
    folders, base = _taken_apart(path)
    lowered = {f.lower() for f in folders}
    kinds = 0
    if not lowered.isdisjoint(_TEST_FOLDERS) or _TEST_NAME.search(base):
        kinds |= _BIT["test"]
    if not lowered.isdisjoint(_EXAMPLE):
        kinds |= _BIT["example"]
    if not lowered.isdisjoint(_VENDORED):
        kinds |= _BIT["vendored"]
    if "generated" in lowered or _GENERATED.search(base):
        kinds |= _BIT["generated"]
    if not lowered.isdisjoint(_SHIM) or (_SHIM_HINT.search(base) and not _ASKS["shim"].isdisjoint(terms(base))):
        kinds |= _BIT["shim"]
    if language in _DOCUMENTATION:
        kinds |= _BIT["documentation"]
    elif language in _CONFIGURATION:
        kinds |= _BIT["configuration"]
    return PathLook(folded(_named_by(folders, base)), kinds)


@lru_cache(maxsize=65_536)
def path_words(path: str) -> PathWords:
    """Terms of the file's name and of its folders."""
    folders, base = _taken_apart(path)
    name = frozenset(stem(p) for p in parts(_named_by(folders, base)) if len(p) > 1)
    return PathWords(name, frozenset(terms(" ".join(folders))))


def _taken_apart(path: str) -> tuple[list[str], str]:
    """Folders, and the name without its extension."""
    *folders, name = path.split("/")
    return folders, name.rpartition(".")[0] or name


def _named_by(folders: list[str], base: str) -> str:
    """The name that says what a file is about."""
    return folders[-1] if folders and base.lower() in _NAMELESS else base


_SEPARATORS = re.compile(r"[\W_]")


def folded(name: str) -> str:
    """A name without what naming styles add: separators and case."""
    return name.lower() if name.isalnum() else _SEPARATORS.sub("", name).lower()


def asked_kinds(query_terms: frozenset[str]) -> frozenset[str]:
    """Kinds of file that the query names, which then cost nothing."""
    return frozenset(kind for kind, asking in _ASKS.items() if asking & query_terms)


_TYPES = frozenset({"class", "interface", "enum", "type", "module"})
_CALLABLES = frozenset({"function", "method", "constructor", "macro"})


def kind_share(kind: str) -> float:
    """How likely a query means a definition of this kind: types, then callables, then the rest."""
    return 1.0 if kind in _TYPES else 0.9 if kind in _CALLABLES else 0.6
