"""The weights of ranking, what each means, and what a path says about a file. Pure; no numpy."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from indexer.terms import parts, stem, terms

WEIGHTS: dict[str, float] = {
    "words": 0.45,
    "words_sum": 0.4,
    "meaning": 0.29,
    "meaning_sum": 0.37,
    "symbol_query": 2.0,
    "symbol": 0.65,
    "symbol_word": 0.46,
    "symbol_compound": 0.24,
    "file_name": 0.63,
    "file_name_words": 0.69,
    "folder": 0.63,
    "test": -0.72,
    "example": -0.54,
    "vendored": -0.54,
    "generated": -0.5,
    "documentation": -0.73,
    "configuration": -0.54,
    "shim": -0.33,
}
"""Feature → weight. Every feature lies in 0 … 1, so a weight is the most that it can move a score.

Fitted by ``benchmarks.fit_ranking``; docs/search.md says what each means and what it adds."""
FIXED = frozenset({"symbol_query"})
"""Not fitted: whoever asks for nothing but a name wants its definition first."""

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


class PathFacts(NamedTuple):
    """What a path says. ``kinds`` are names of weights."""

    name: str
    """The file's name without extension and separators, lowercased."""
    name_parts: frozenset[str]
    folder_terms: frozenset[str]
    kinds: frozenset[str]


@lru_cache(maxsize=65_536)
def path_facts(path: str, language: str) -> PathFacts:
    """Terms of the file's name and folders, and the kinds of file it is: test, example, vendored and so on."""
    *folders, file_name = path.split("/")
    base = file_name.rpartition(".")[0] or file_name
    lowered = {f.lower() for f in folders}
    kinds = set()
    if lowered & _TEST_FOLDERS or _TEST_NAME.search(base):
        kinds.add("test")
    if lowered & _EXAMPLE:
        kinds.add("example")
    if lowered & _VENDORED:
        kinds.add("vendored")
    if "generated" in lowered or _GENERATED.search(base):
        kinds.add("generated")
    if lowered & _SHIM or set(terms(base)) & _ASKS["shim"]:
        kinds.add("shim")
    if language in _DOCUMENTATION:
        kinds.add("documentation")
    elif language in _CONFIGURATION:
        kinds.add("configuration")
    if base.lower() in _NAMELESS and folders:
        base = folders[-1]
    name_parts = frozenset(stem(p) for p in parts(base) if len(p) > 1)
    return PathFacts(folded(base), name_parts, frozenset(terms(" ".join(folders))), frozenset(kinds))


def folded(name: str) -> str:
    """A name without what naming styles add: separators and case."""
    return re.sub(r"[\W_]", "", name).lower()


def asked_kinds(query_terms: frozenset[str]) -> frozenset[str]:
    """Kinds of file that the query names, which then cost nothing."""
    return frozenset(kind for kind, asking in _ASKS.items() if asking & query_terms)


_TYPES = frozenset({"class", "interface", "enum", "type", "module"})
_CALLABLES = frozenset({"function", "method", "constructor", "macro"})


def kind_share(kind: str) -> float:
    """How likely a query means a definition of this kind: types, then callables, then the rest."""
    return 1.0 if kind in _TYPES else 0.9 if kind in _CALLABLES else 0.6
