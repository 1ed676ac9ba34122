"""A small world for the tests of commands: folders of their own, a project, in-process runs, schemas."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from assistant.cli.main import main
from assistant.engine import Engine
from indexer.config import IndexConfig
from indexer.index import Index
from indexer.location import index_folder
from tests.fakes import FakeLLM

SCHEMAS = Path(__file__).parent.parent / "docs" / "schemas"
FILES = {
    "shop/prices.py": (
        "def discounted_price(price, percent):\n"
        '    """Price after a discount in percent."""\n'
        "    return price * (100 - percent) / 100\n"
        "\n\n"
        "class Basket:\n"
        '    """Items that a customer wants to buy."""\n'
        "\n"
        "    def total(self):\n"
        "        return sum(item.price for item in self.items)\n"
    ),
    "shop/greeting.js": "export function greet(name) {\n  return `Hello, ${name}`;\n}\n",
    "README.md": "# Shop\n\nA shop with baskets and discounts.\n",
}


@dataclass(frozen=True)
class Result:
    """What one command line came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


class Cli:
    """Runs command lines in this process; ``llm`` answers, ``engines`` are what was built."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.llm = FakeLLM()
        self.engines: list[Engine] = []

    def __call__(self, *argv: object, llm: bool = True) -> Result:
        def make_engine(config, root):
            engine = Engine(config, root, llm=self.llm if llm else None)
            self.engines.append(engine)
            return engine

        self._capsys.readouterr()
        code = main([str(part) for part in argv], make_engine)
        captured = self._capsys.readouterr()
        return Result(code, captured.out, captured.err)


def furnish(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Folders of their own for everything that codemoat keeps."""
    for name in ("CACHE", "DATA", "CONFIG", "RUNTIME"):
        monkeypatch.setenv(f"CODEMOAT_{name}_DIR", str(folder / name.lower()))
    # Three files are not worth a second process.
    monkeypatch.setenv("CODEMOAT_INDEX_WORKERS", "1")


def write_files(root: Path, files: dict[str, str] = FILES) -> Path:
    """Write ``files`` below ``root``."""
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


@cache
def _template() -> Path:
    """The project with an index, made once: starting a parse process for every test would take most of their time."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    root = write_files(folder / "root")
    with Index.open(root, IndexConfig(cache_dir=folder / "cache", workers=1), create=True) as index:
        index.update()
    return folder


def write_indexed(root: Path, cache: Path) -> Path:
    """``write_files`` and, in the ``cache`` folder, the index of them; the index's folder."""
    template = _template()
    shutil.copytree(template / "root", root, dirs_exist_ok=True)
    made = index_folder(template / "root", IndexConfig(cache_dir=template / "cache"))
    return Path(shutil.copytree(made, index_folder(root, IndexConfig(cache_dir=cache))))


def check_schema(name: str, values: Sequence[Any]) -> None:
    """Every value must be as docs/schemas/NAME.json says."""
    schema = json.loads((SCHEMAS / f"{name}.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    assert values
    for value in values:
        jsonschema.validate(value, schema, cls=jsonschema.Draft202012Validator)
