"""The rules of the house hold, and each rule can fail: every one is shown a sample that breaks it."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import house_rules as rules
import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def house():
    """Every module of the three floors."""
    found = rules.modules(ROOT, rules.FLOORS)
    assert "indexer.index" in found
    assert "assistant.models" in found
    return found


def sample(**sources: str) -> dict[str, ast.Module]:
    """Modules from their text; ``__`` in a name stands for a dot."""
    return {name.replace("__", "."): ast.parse(source) for name, source in sources.items()}


def test_imports_run_downwards(house):
    assert rules.upward_imports(house) == []


def test_no_modules_import_each_other_in_a_circle(house):
    assert rules.cycles(house) == []


def test_heavy_libraries_stay_at_home_and_come_late(house):
    assert rules.homeless_imports(house) == []


def test_programs_are_started_at_home_and_git_by_its_gatekeeper(house):
    assert rules.program_starts(house) == []
    assert set(rules.STARTERS) <= set(house)


@pytest.mark.parametrize(
    ("module", "source", "finding"),
    [
        ("indexer__search", "import subprocess", "uses subprocess"),
        ("indexer__search", "def f():\n    from subprocess import run", "uses subprocess"),
        ("lsp__server", "import asyncio\nasync def f():\n    await asyncio.create_subprocess_exec('x')", "create_sub"),
        ("assistant__chat", "from asyncio import create_subprocess_shell", "create_subprocess_shell"),
        ("assistant__chat", "import os\nos.system('x')", "os.system"),
        ("assistant__chat", "import os\nos.execvp('x', ['x'])", "os.execvp"),
        ("assistant__chat", "from os import popen", "os.popen"),
        ("indexer__workers", "import subprocess\nsubprocess.run(['git', 'log'])", "starts git"),
        ("indexer__workers", "import subprocess\ncommand = ('git', '-C', root)", "starts git"),
        ("lsp__indexing", "import asyncio\nasyncio.create_subprocess_exec('git', 'log')", "starts git"),
        ("assistant__llama__measure", "import subprocess\nsubprocess.run(f'git log {x}', shell=True)", "starts git"),
        ("lsp__server", "def f():\n    import git", "whose home is"),
    ],
)
def test_a_program_started_elsewhere_is_found(module, source, finding):
    trees = sample(**{module: source})
    (found,) = rules.program_starts(trees) + rules.homeless_imports(trees)
    assert finding in found


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("indexer__git", "import subprocess\nsubprocess.run(['git', 'log'])"),
        ("indexer__workers", "import subprocess\nsubprocess.Popen([sys.executable])"),
        ("lsp__server", "import os\nos.getpid()\nTYPES = {'git'}"),
        ("lsp__server", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import subprocess"),
    ],
)
def test_a_program_started_at_home_is_no_finding(module, source):
    assert rules.program_starts(sample(**{module: source})) == []


def test_files_stay_under_400_lines():
    assert rules.long_files(ROOT, ["indexer", "assistant", "lsp", "tests", "benchmarks", "editors", "scripts"]) == []


def test_pyproject_lists_the_packages_that_there_are(house):
    assert rules.package_differences(PROJECT["tool"]["setuptools"]["packages"], house, ROOT) == []


def test_every_dependency_has_its_reason():
    extras = PROJECT["project"]["optional-dependencies"].values()
    requirements = [*PROJECT["project"]["dependencies"], *(name for extra in extras for name in extra)]
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    assert rules.undocumented_dependencies(requirements, page) == []


def test_every_import_is_brought_by_a_requirement(house):
    """One that only this environment happens to hold fails on the next machine."""
    project = PROJECT["project"]
    extras = project["optional-dependencies"]
    optional = [name for extra in ("transformers", "onnx") for name in extras[extra]]
    assert rules.undeclared_imports(house, [*project["dependencies"], *optional]) == []
    tests = {name.removeprefix("tests."): tree for name, tree in rules.modules(ROOT, ["tests"]).items()}
    floors = {floor: ast.Module([], []) for floor in (*rules.FLOORS, "tests", "benchmarks", "scripts")}
    assert rules.undeclared_imports(tests | floors, [*project["dependencies"], *optional, *extras["dev"]]) == []


def test_an_import_that_no_requirement_brings_is_found():
    trees = sample(lsp__bad="import hypothesis\nimport attrs, json, lsp.other")
    (found,) = rules.undeclared_imports(trees, ["pygls>=2", "nothing-of-this-name"])
    assert found == "lsp.bad:1 imports hypothesis, which no requirement brings"


@pytest.mark.parametrize(
    "source",
    [
        "import assistant.llm",
        "from lsp import server",
        "def f():\n    from assistant.models import pull",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from assistant.llm import Cancel",
        "import tests.fakes",
        "from benchmarks import common",
    ],
)
def test_an_upward_import_is_found(source):
    assert len(rules.upward_imports(sample(indexer__bad=source))) == 1


def test_imports_down_and_sideways_are_no_finding():
    assert rules.upward_imports(sample(assistant__fine="import indexer.index\nfrom assistant import llm")) == []


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("import indexer.two", "from indexer.one import x"),
        ("from indexer import two", "def late():\n    import indexer.one"),
        ("from . import two", "from .one import x"),
    ],
)
def test_a_circle_is_found_once(one, two):
    found = rules.cycles(sample(indexer="", indexer__one=one, indexer__two=two))
    assert found == ["indexer.one → indexer.two → indexer.one"]


def test_a_longer_circle_is_found():
    trees = sample(indexer__a="import indexer.b", indexer__b="import indexer.c", indexer__c="import indexer.a")
    assert rules.cycles(trees) == ["indexer.a → indexer.b → indexer.c → indexer.a"]


def test_an_import_for_the_type_checker_closes_no_circle():
    typing = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import indexer.one\nelse:\n    import json"
    assert rules.cycles(sample(indexer__one="import indexer.two", indexer__two=typing)) == []


@pytest.mark.parametrize(
    ("module", "source", "finding"),
    [
        ("indexer__index", "def f():\n    import faiss", "whose home is"),
        ("assistant__chat", "def f():\n    from llama_cpp import Llama", "whose home is"),
        ("assistant__models_other", "def f():\n    import httpx", "whose home is"),
        ("assistant__config", "def f():\n    import pydantic", "nowhere"),
        ("indexer__segment", "import faiss", "at module level"),
        ("indexer__parse", "class C:\n    from tree_sitter import Parser", "at module level"),
        ("assistant__models__x", "try:\n    import httpx\nexcept ImportError:\n    pass", "at module level"),
    ],
)
def test_a_heavy_library_away_from_home_or_too_early_is_found(module, source, finding):
    (found,) = rules.homeless_imports(sample(**{module: source}))
    assert finding in found


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("indexer__segment", "def f():\n    import faiss"),
        ("assistant__llama__host", "def f():\n    from llama_cpp import llama_cpp"),
        ("assistant__cli__main", "import typer"),
        ("lsp__server", "from pygls.lsp.server import LanguageServer"),
        ("assistant__chat", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import httpx"),
    ],
)
def test_a_heavy_library_at_home_is_no_finding(module, source):
    assert rules.homeless_imports(sample(**{module: source})) == []


def test_a_long_file_is_found_and_others_files_are_not(tmp_path):
    for name, lines in (("long.py", 400), ("short.py", 399), ("data/huge.py", 999), ("long.txt", 999)):
        path = tmp_path / "indexer" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n" * lines)
    assert rules.long_files(tmp_path, ["indexer"]) == ["indexer/long.py has 400 lines"]


def test_a_forgotten_package_and_one_too_many_are_found(tmp_path):
    for folder in ("indexer", "assistant/cli"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "x.py").write_text("")
    found = rules.package_differences(["indexer", "assistant"], {}, tmp_path)
    assert found == ["assistant is listed but has no code", "assistant.cli has code but is not listed"]


def test_a_dependency_without_a_row_or_with_two_is_found():
    page = (
        "| `numpy` | vectors |\n| `faiss-cpu` | search |\n| `faiss-cpu` | again |\n| `old` | gone |\n| `torch` |  |\n"
    )
    found = rules.undocumented_dependencies(["numpy>=1.26,<3", "faiss-cpu==1", "rich", "torch>=2.6"], page)
    assert found == ["faiss-cpu has 2 rows", "rich has 0 rows", "torch has 0 rows", "old is no dependency"]
