"""The rules of the house as functions over sources: each takes what it judges and returns what it found wrong.

A module is its dotted name and its syntax tree; a finding is one sentence that names file or module.
"""

from __future__ import annotations

import ast
import importlib.metadata
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement

FLOORS = ("indexer", "assistant", "lsp")
"""From the ground up: a floor imports itself and what lies below it."""

HOMES: Mapping[str, tuple[str, ...]] = {
    "tree_sitter": ("indexer.parse", "indexer.languages", "indexer.syntax"),
    "tree_sitter_language_pack": ("indexer.parse", "indexer.languages", "indexer.syntax"),
    "faiss": ("indexer.segment",),
    "onnxruntime": ("indexer.embed_onnx",),
    "tokenizers": ("indexer.embed_onnx", "assistant.adapt"),
    "sentence_transformers": ("indexer.embed", "assistant.adapt"),
    "torch": ("indexer.embed", "assistant.adapt"),
    "transformers": ("indexer.embed", "assistant.adapt"),
    "model2vec": ("indexer.embed", "assistant.adapt"),
    "git": ("indexer.git",),
    "re2": ("indexer.exact", "indexer.pattern_class", "indexer.secrets"),
    "regex": ("indexer.exact",),
    "watchfiles": ("indexer.events",),
    "detect_secrets": (),
    "llama_cpp": ("assistant.llama",),
    "huggingface_hub": ("assistant.models",),
    "httpx": ("assistant.models", "assistant.remote"),
    "typer": ("assistant.cli",),
    "rich": ("assistant.cli",),
    "pygls": ("lsp",),
    "lsprotocol": ("lsp",),
    "pydantic": (),
}
"""The only modules or packages that may import a heavy library. It is imported inside functions, except the two that
shape a whole floor:"""
MODULE_LEVEL_AT_HOME = ("typer", "pygls", "lsprotocol")

STARTERS = (
    "indexer.bounded",
    "indexer.git",
    "indexer.syntax_process",
    "indexer.workers",
    "assistant.adapt.corpus",
    "assistant.llama.measure",
    "assistant.llama.sandbox",
    "assistant.llama.starter",
    "assistant.models.wheels",
    "lsp.indexing",
)
"""The only modules that may start programs, or wait for one."""
GIT_HOME = "indexer.git"
"""The only one of them that may start git: it alone knows how git runs nothing that a repository names."""
_STARTING_MODULES = ("subprocess", "asyncio.subprocess", "multiprocessing", "pty")
_STARTING_CALLS = re.compile(
    r"(?:asyncio\.create_subprocess_\w+|os\.(?:system|popen|exec[lv]\w*|spawn[lv]\w*|posix_spawnp?|startfile))$"
)
_COMMAND_TAKERS = (
    "run", "Popen", "call", "check_call", "check_output", "getoutput", "getstatusoutput", "system", "popen",
    "create_subprocess_exec", "create_subprocess_shell",
)  # fmt: skip

MAX_LINES = 400
SOURCE_SUFFIXES = (".py", ".ts", ".mts", ".js", ".mjs", ".lua", ".sh")
NOT_OURS = ("node_modules", "__pycache__", "data", "results", "out", "dist")


@dataclass(frozen=True)
class Import:
    """One imported module. ``lazy``: inside a function; ``typing``: only for the type checker."""

    target: str
    line: int
    lazy: bool
    typing: bool


def modules(root: Path, packages: Iterable[str]) -> dict[str, ast.Module]:
    """Every module of the packages under ``root``, by dotted name; files that are data are none."""
    found = {}
    for package in packages:
        for path in sorted((root / package).rglob("*.py")):
            if "data" in path.relative_to(root).parts:
                continue
            name = ".".join(path.relative_to(root).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return found


def imports(name: str, tree: ast.Module, known: Iterable[str] = ()) -> Iterator[Import]:
    """Every import of a module; ``from a import b`` counts as ``a.b`` where that is a known module."""
    names = set(known)
    package = name if any(other.startswith(name + ".") for other in names) else name.rpartition(".")[0]
    for node, lazy, typing in _walk(tree, False, False):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, lazy, typing)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")
                base = ".".join([*above[: len(above) - node.level + 1], *([base] if base else [])])
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                yield Import(inner if inner in names else base, node.lineno, lazy, typing)


def upward_imports(trees: Mapping[str, ast.Module]) -> list[str]:
    """Imports that climb a floor, or leave the house for tests and benchmarks."""
    wrong = []
    for name, tree in trees.items():
        floor = FLOORS.index(name.split(".")[0])
        forbidden = (*FLOORS[floor + 1 :], "tests", "benchmarks")
        wrong += [
            f"{name}:{found.line} imports {found.target}"
            for found in imports(name, tree, trees)
            if found.target.split(".")[0] in forbidden
        ]
    return wrong


def cycles(trees: Mapping[str, ast.Module]) -> list[str]:
    """Circles of modules that import each other, lazily or not; imports for the type checker alone do not count."""
    graph = {
        name: {i.target for i in imports(name, tree, trees) if i.target in trees and not i.typing and i.target != name}
        for name, tree in trees.items()
    }
    found: dict[frozenset[str], str] = {}
    for start in graph:
        trail = _way_back(graph, start)
        if trail:
            found.setdefault(frozenset(trail), " → ".join([*trail, start]))
    return list(found.values())


def homeless_imports(trees: Mapping[str, ast.Module]) -> list[str]:
    """Heavy libraries imported outside their home, or at module level."""
    wrong = []
    for name, tree in trees.items():
        for found in imports(name, tree):
            library = found.target.split(".")[0]
            if library not in HOMES or found.typing:
                continue
            if not any(name == home or name.startswith(home + ".") for home in HOMES[library]):
                wrong.append(f"{name}:{found.line} imports {library}, whose home is {HOMES[library] or 'nowhere'}")
            elif not found.lazy and library not in MODULE_LEVEL_AT_HOME:
                wrong.append(f"{name}:{found.line} imports {library} at module level")
    return wrong


def program_starts(trees: Mapping[str, ast.Module]) -> list[str]:
    """Programs started outside ``STARTERS``, and git started outside its home."""
    wrong = []
    for name, tree in trees.items():
        if name != GIT_HOME:
            wrong += [f"{name}:{node.lineno} starts git, whose home is {GIT_HOME}" for node in _git_commands(tree)]
        if name in STARTERS:
            continue
        found = [(i.line, i.target) for i in imports(name, tree) if i.target in _STARTING_MODULES and not i.typing]
        found += [
            (node.lineno, ast.unparse(node))
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and _STARTING_CALLS.match(ast.unparse(node))
        ]
        found += [
            (node.lineno, f"{node.module}.{alias.name}")
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
            if _STARTING_CALLS.match(f"{node.module}.{alias.name}")
        ]
        wrong += [f"{name}:{line} uses {what}, and is none of STARTERS" for line, what in found]
    return wrong


def python_starts(trees: Mapping[str, ast.Module]) -> list[str]:
    """Pythons started without ``-P``: the current folder, which may be a repository, would be searched for modules."""
    wrong = []
    for name, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.List | ast.Tuple):
                words = [ast.unparse(part) for part in node.elts]
            else:
                words = [ast.unparse(part) for part in node.args] if isinstance(node, ast.Call) else []
            for word, after in zip(words, [*words[1:], ""], strict=False):
                if word == "sys.executable" and after != "'-P'":
                    wrong.append(f"{name}:{node.lineno} starts Python without -P")
    return wrong


def _git_commands(tree: ast.Module) -> Iterator[ast.expr]:
    """Command lines of git: a list or tuple that begins with its name, or one text."""
    for node in ast.walk(tree):
        first = node.elts[0] if isinstance(node, ast.List | ast.Tuple) and node.elts else None
        if isinstance(first, ast.Constant) and first.value == "git":
            yield first
        if isinstance(node, ast.Call) and node.args and ast.unparse(node.func).rpartition(".")[2] in _COMMAND_TAKERS:
            text = node.args[0]
            if isinstance(text, ast.JoinedStr) and text.values:
                text = text.values[0]
            if isinstance(text, ast.Constant) and re.match(r"git\b", str(text.value)):
                yield text


def long_files(root: Path, folders: Iterable[str]) -> list[str]:
    """Our own source files that are not under 400 lines."""
    wrong = []
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            inside = path.relative_to(root)
            if path.suffix not in SOURCE_SUFFIXES or set(inside.parts) & set(NOT_OURS) or not path.is_file():
                continue
            lines = len(path.read_text(encoding="utf-8").splitlines())
            if lines >= MAX_LINES:
                wrong.append(f"{inside.as_posix()} has {lines} lines")
    return wrong


def package_differences(listed: Iterable[str], trees: Mapping[str, ast.Module], root: Path) -> list[str]:
    """Packages of pyproject.toml that are no folder, and folders with code that pyproject.toml does not list."""
    folders = {
        ".".join(path.parent.relative_to(root).parts)
        for floor in FLOORS
        for path in (root / floor).rglob("*.py")
        if "__pycache__" not in path.parts
    }
    given = set(listed)
    return [f"{name} is listed but has no code" for name in sorted(given - folders)] + [
        f"{name} has code but is not listed" for name in sorted(folders - given)
    ]


def undocumented_dependencies(requirements: Iterable[str], page: str) -> list[str]:
    """Requirements without exactly one row ``| `name` | reason |`` on the page, and rows of no requirement."""
    names = [re.split(r"[\s\[<>=!~;]", requirement, maxsplit=1)[0] for requirement in requirements]
    rows = re.findall(r"^\| `([^`]+)` \|[^|\n]*\S[^|\n]*\|", page, re.MULTILINE)
    wrong = [f"{name} has {rows.count(name)} rows" for name in names if rows.count(name) != 1]
    return wrong + [f"{row} is no dependency" for row in rows if row not in names]


def undeclared_imports(trees: Mapping[str, ast.Module], requirements: Iterable[str]) -> list[str]:
    """Imports that no requirement brings, however deep: what one environment happens to hold is missing in the next."""
    brought = _closure(requirements)
    providers = importlib.metadata.packages_distributions()
    ours = {name.partition(".")[0] for name in trees} | sys.stdlib_module_names
    wrong = []
    for name, tree in sorted(trees.items()):
        for found in imports(name, tree):
            top = found.target.partition(".")[0]
            if top not in ours and not brought & {_normal(each) for each in providers.get(top, ())}:
                wrong.append(f"{name}:{found.line} imports {top}, which no requirement brings")
    return wrong


def _closure(requirements: Iterable[str]) -> set[str]:
    """The names of the installed distributions that the requirements bring, their own requirements included."""
    waiting = [(Requirement(text), "") for text in requirements]
    seen: set[tuple[str, str]] = set()
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        for chosen in ("", *requirement.extras):
            key = (_normal(requirement.name), chosen)
            if key not in seen:
                seen.add(key)
                waiting += [(Requirement(text), chosen) for text in _requires(requirement.name)]
    return {name for name, _ in seen}


def _requires(distribution: str) -> list[str]:
    try:
        return importlib.metadata.requires(distribution) or []
    except importlib.metadata.PackageNotFoundError:
        return []


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _walk(node: ast.AST, lazy: bool, typing: bool) -> Iterator[tuple[ast.AST, bool, bool]]:
    for child in ast.iter_child_nodes(node):
        inside = lazy or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        if isinstance(child, ast.If) and _for_the_type_checker(child.test):
            for part in child.body:
                yield from _walk(_wrap(part), inside, True)
            for part in child.orelse:
                yield from _walk(_wrap(part), inside, typing)
            continue
        yield child, inside, typing
        yield from _walk(child, inside, typing)


def _for_the_type_checker(test: ast.expr) -> bool:
    return any("TYPE_CHECKING" in (getattr(node, "id", ""), getattr(node, "attr", "")) for node in ast.walk(test))


def _wrap(statement: ast.stmt) -> ast.Module:
    return ast.Module(body=[statement], type_ignores=[])


def _way_back(graph: Mapping[str, set[str]], start: str) -> list[str]:
    """A shortest trail of modules from ``start`` that leads back to it; empty where there is none."""
    trails = [[start]]
    seen = set()
    for trail in trails:
        for target in sorted(graph[trail[-1]]):
            if target == start:
                return trail
            if target not in seen:
                seen.add(target)
                trails.append([*trail, target])
    return []
