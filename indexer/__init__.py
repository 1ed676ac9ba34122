"""Ground floor: bytes → symbols → chunks → vectors → search. No language model, no editor protocol.

The public face; its names are imported when they are first used, so that ``import indexer`` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from indexer.config import IndexConfig
    from indexer.filters import Filters
    from indexer.index import Index
    from indexer.types import Chunk, Hit, Symbol

__all__ = ["Chunk", "Filters", "Hit", "Index", "IndexConfig", "Symbol"]

_HOMES = {
    "Chunk": "indexer.types",
    "Filters": "indexer.filters",
    "Hit": "indexer.types",
    "Index": "indexer.index",
    "IndexConfig": "indexer.config",
    "Symbol": "indexer.types",
}


def __getattr__(name: str) -> Any:
    """Import a public name on first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names, imported or not."""
    return sorted({*globals(), *__all__})
