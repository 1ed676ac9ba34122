"""What tests of the store share: an index of a small tree, and a dump of all that it holds."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from fakes import HashEmbedder

from indexer import Index, IndexConfig
from indexer.analyse import analyse_file

TREE = {
    "app/main.py": "import os\nfrom app.model import Store\n\n\ndef run(path):\n    return Store(path).load_all()\n",
    "app/model.py": "class Store:\n    def load_all(self):\n        return parse_rows(self.path)\n\n\n"
    "def parse_rows(p):\n    return [row for row in open(p)]\n",
    "web/view.js": "export function renderTable(rows) {\n  return rows.map(renderRow)\n}\nfunction renderRow(r) {}\n",
    "docs/guide.md": "# Guide\n\nHow to load all rows of a store.\n",
    "empty.py": "",
}


class InlinePool:
    """Analyses in this process, in reverse order, as WorkerPool may: what comes back is unordered."""

    analysed: ClassVar[list[str]] = []

    def __init__(self, root: Path, config: IndexConfig) -> None:
        self.root, self.config = root, config

    def __enter__(self) -> InlinePool:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def start(self) -> None:
        return None

    def close(self) -> None:
        return None

    def analyse_buffer(self, path: str, raw: bytes) -> Any:
        self.analysed.append(path)
        return analyse_file(self.root, path, self.config, raw=raw)

    def analyse(self, paths: Iterable[str], cancel: object = None) -> Iterator[Any]:
        for path in reversed(list(paths)):
            self.analysed.append(path)
            yield analyse_file(self.root, path, self.config)


@dataclass
class Flag:
    cancelled: bool = False


@dataclass
class Tree:
    """A folder of files, with times in the past so that an edit always shows, and its index."""

    root: Path
    cache: Path
    opened: list[Index] = field(default_factory=list)
    clock: int = 1_600_000_000_123_456_789

    def write(self, files: dict[str, str]) -> None:
        for path, text in files.items():
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_text(text)
            self.age(path)

    def age(self, path: str) -> None:
        self.clock += 1_000_000_007
        os.utime(self.root / path, ns=(self.clock, self.clock))

    def config(self, cache: str = "cache", **settings: Any) -> IndexConfig:
        return IndexConfig(cache_dir=self.cache / cache, **settings)

    def open(self, cache: str = "cache", **options: Any) -> Index:
        options = {"create": True, "embedder": HashEmbedder(), **options}
        index = Index.open(self.root, self.config(cache), **options)
        self.opened.append(index)
        return index

    def folder(self, cache: str = "cache") -> Path:
        return self.open(cache, rebuild=True).folder

    def close(self) -> None:
        for index in self.opened:
            index.close()


def dump(index: Index) -> dict[str, Any]:
    """Everything an index says of its files, without its own numbers: equal for equal trees."""
    files: dict[str, Any] = {}
    names = set()
    with index._view() as snapshot:
        for path in snapshot.paths():
            rows = range(*snapshot.rows_of(path).indices(snapshot.rows))
            chunks = [snapshot.chunk(row) for row in rows]
            files[path] = {
                "text": snapshot.text(path),
                "symbols": snapshot.file_symbols(path),
                "imports": snapshot.imports(path),
                "chunks": [(c.span, c.text, c.symbol, c.language) for c in chunks],
                "lengths": snapshot.lengths[list(rows)].tolist(),
                "terms": [{} for _ in rows],
                "vectors": [],
            }
            names.update(s.name for s in files[path]["symbols"])
        live = np.ones(snapshot.rows, bool) if snapshot.alive is None else snapshot.alive
        row_path = [snapshot.path(int(f)) if ok else None for f, ok in zip(snapshot.file_ids, live, strict=True)]
        _dump_segments(snapshot, files, row_path, names)
        where = {name: found for name in sorted(names) if (found := _definitions(snapshot, name))}
        uses = {name: found for name in sorted(names) if (found := snapshot.lookups().references(name))}
        total = snapshot.generation[2:]
    return {"files": files, "definitions": where, "references": uses, "totals": total}


def _definitions(snapshot: Any, name: str) -> list[Any]:
    found = snapshot.definitions(name)
    columns = (found.kinds, found.start_lines, found.lines, found.exported, found.exact)
    chunks = [snapshot.chunk(row).span for row in found.rows.tolist()]
    paths = [snapshot.path(file_id) for file_id in found.files.tolist()]
    return sorted(
        zip(
            paths,
            map(str, chunks),
            map(snapshot.scope, found.scopes.tolist()),
            *(c.tolist() for c in columns),
            strict=True,
        )
    )


def _dump_segments(snapshot: Any, files: dict[str, Any], row_path: list[str | None], names: set[str]) -> None:
    terms = {t for segment in snapshot._segments for t in segment.terms.all()}
    for term in sorted(terms):
        rows, counts = snapshot.postings(term.decode())
        assert list(rows) == sorted(rows)
        for row, count in zip(rows.tolist(), counts.tolist(), strict=True):
            path = row_path[row]
            files[path]["terms"][row - snapshot.rows_of(path).start][term.decode()] = count
    base = 0
    for segment in snapshot._segments:
        names.update(n.decode() for n in segment.names.all())
        for own, code in enumerate(segment.codes()):
            path = row_path[base + own]
            if path is not None:
                files[path]["vectors"].append(code.tobytes())
        base += segment.rows


def without_flushing(monkeypatch: Any) -> None:
    """Tests of logic need not wait for the disk; what a crash leaves is tested in processes that do flush."""
    monkeypatch.setattr("os.fsync", lambda handle: None)
    monkeypatch.setattr("indexer.store.SYNCHRONOUS", "OFF")


def progress_log() -> tuple[list[Any], Callable[[Any], None]]:
    seen: list[Any] = []
    return seen, seen.append
