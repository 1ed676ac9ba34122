"""The text of open documents as the editor has it, and the edits that were made lately.

Documents are changed on the event loop only; threads read snapshots.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from lsprotocol import types

from lsp.convert import Place, Units, halves, join_surrogates, split_lines, whole_characters

MOST_CHARACTERS = 2_000_000
"""Of a document that suggestions and outlines are given for; a larger one is kept in step and nothing more."""
_EDITS_KEPT = 200
_EDIT_CHARACTERS = 2_000
"""Of an edit's text that the ring keeps on either side."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One change: ``removed`` at ``line`` (from 0) and ``column`` became ``inserted``; both cut to 2,000 characters."""

    uri: str
    version: int
    line: int
    column: int
    removed: str
    inserted: str
    at: float
    """Seconds of ``time.monotonic``."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A document at one version. ``lines`` keep their line breaks; there is at least one."""

    uri: str
    language_id: str
    version: int
    lines: Sequence[str]
    size: int
    """Characters."""

    @property
    def text(self) -> str:
        """The whole text, with a replacement character for each lone surrogate."""
        return whole_characters("".join(self.lines))

    def around(self, place: Place) -> tuple[str, str]:
        """The text before and behind a place."""
        line, column = place.line, place.column
        before = "".join(self.lines[:line]) + self.lines[line][:column]
        return whole_characters(before), whole_characters(self.lines[line][column:] + "".join(self.lines[line + 1 :]))


@dataclass(slots=True)
class Document:
    """An open document. ``notebook``: URI of the notebook whose cell it is."""

    uri: str
    language_id: str
    version: int
    lines: list[str]
    size: int = 0
    notebook: str | None = None
    told: bool = False
    """Whether its user was told that it is too large."""

    @classmethod
    def of(cls, item: types.TextDocumentItem, notebook: str | None = None) -> Document:
        """A document as it is opened."""
        text = join_surrogates(item.text)
        return cls(item.uri, item.language_id, item.version, split_lines(text), len(text), notebook)

    @property
    def too_large(self) -> bool:
        """Whether it is only kept in step."""
        return self.size > MOST_CHARACTERS

    def snapshot(self) -> Snapshot:
        """The document as it is now."""
        return Snapshot(self.uri, self.language_id, self.version, tuple(self.lines), self.size)

    def digest(self) -> str:
        """SHA-256 of the text in UTF-8; a lone surrogate counts as three bytes of its own."""
        return sha256("".join(self.lines).encode("utf-8", "surrogatepass")).hexdigest()

    def apply(self, change: types.TextDocumentContentChangeEvent, version: int, units: Units) -> Edit:
        """Change the text as the client did."""
        self.version = version
        if isinstance(change, types.TextDocumentContentChangePartial):
            edit = self._replace(change.range, change.text, units)
        else:
            text = join_surrogates(change.text)
            old = "".join(self.lines)[:_EDIT_CHARACTERS]
            self.lines, self.size = split_lines(text), len(text)
            edit = Edit(self.uri, version, 0, 0, old, text[:_EDIT_CHARACTERS], time.monotonic())
        return edit

    def _replace(self, where: types.Range, text: str, units: Units) -> Edit:
        lines = self.lines
        start, end = units.place(lines, where.start), units.place(lines, where.end)
        if end < start:
            start, end = end, start
        removed = _between(lines, start, end)
        first, last = start.line, end.line
        # Of a character that is cut in two, the half that stays is kept until its other half comes back.
        head = lines[first][: start.column] + (halves(lines[first][start.column])[0] if start.split else "")
        behind = end.column + 1 if end.split else end.column
        tail = (halves(lines[last][end.column])[1] if end.split else "") + lines[last][behind:]
        merged = head + text + tail
        # A line break of two characters may come to be, or be split, at either seam.
        if first > 0 and lines[first - 1].endswith("\r"):
            first -= 1
            merged = lines[first] + merged
        if last + 1 < len(lines) and merged.endswith("\r"):
            last += 1
            merged += lines[last]
        joined = join_surrogates(merged)
        self.size += len(joined) - sum(map(len, lines[first : last + 1]))
        fresh = split_lines(joined)
        if last + 1 < len(lines) and fresh[-1] == "":
            fresh.pop()
        lines[first : last + 1] = fresh
        kept = removed[:_EDIT_CHARACTERS], text[:_EDIT_CHARACTERS]
        return Edit(self.uri, self.version, start.line, start.column, *kept, time.monotonic())


@dataclass(slots=True)
class Documents:
    """The open documents by URI, notebooks' cells among them."""

    units: Units = field(default_factory=Units)
    open: dict[str, Document] = field(default_factory=dict)
    notebooks: dict[str, list[types.NotebookCell]] = field(default_factory=dict)
    """Cells in order, by the notebook's URI."""
    edits: deque[Edit] = field(default_factory=lambda: deque(maxlen=_EDITS_KEPT))

    def get(self, uri: str) -> Document | None:
        """The document, if it is open."""
        return self.open.get(uri)

    def put(self, item: types.TextDocumentItem, notebook: str | None = None) -> Document:
        """Open a document, or take its text anew."""
        self.open[item.uri] = document = Document.of(item, notebook)
        return document

    def change(
        self, identifier: types.VersionedTextDocumentIdentifier, changes: Iterable[types.TextDocumentContentChangeEvent]
    ) -> tuple[Document, Edit | None] | None:
        """Apply changes in their order; None if the document is not open. Gives the last edit."""
        document = self.open.get(identifier.uri)
        if document is None:
            return None
        edit = None
        for change in changes:
            edit = document.apply(change, identifier.version, self.units)
            self.edits.append(edit)
        return document, edit

    def drop(self, uri: str) -> None:
        """Close a document; no error if it is not open."""
        self.open.pop(uri, None)

    def open_notebook(self, notebook: types.NotebookDocument, cells: Iterable[types.TextDocumentItem]) -> None:
        """Open a notebook with the texts of its cells."""
        self.notebooks[notebook.uri] = list(notebook.cells)
        for item in cells:
            self.put(item, notebook.uri)

    def change_notebook(
        self, uri: str, change: types.NotebookDocumentChangeEvent
    ) -> list[tuple[Document, Edit | None]] | None:
        """Apply a notebook's change; None if it is not open. Gives the cells whose text changed."""
        cells = self.notebooks.get(uri)
        if cells is None:
            return None
        changed: list[tuple[Document, Edit | None]] = []
        if change.cells is not None:
            structure = change.cells.structure
            if structure is not None:
                start, count = structure.array.start, structure.array.delete_count
                cells[start : start + count] = structure.array.cells or []
                for item in structure.did_open or ():
                    self.put(item, uri)
                for gone in structure.did_close or ():
                    self.drop(gone.uri)
            for text in change.cells.text_content or ():
                found = self.change(text.document, text.changes)
                if found is not None:
                    changed.append(found)
        return changed

    def close_notebook(self, uri: str) -> None:
        """Close a notebook and its cells."""
        self.notebooks.pop(uri, None)
        for cell in [document.uri for document in self.open.values() if document.notebook == uri]:
            self.drop(cell)

    def around_cell(self, document: Document) -> tuple[str, str]:
        """The code of the notebook's cells before and behind a cell, in its language."""
        before: list[str] = []
        behind: list[str] = []
        side = before
        for cell in self.notebooks.get(document.notebook or "", ()):
            if cell.document == document.uri:
                side = behind
                continue
            other = self.open.get(cell.document) if cell.kind == types.NotebookCellKind.Code else None
            if other is not None and other.language_id == document.language_id:
                side.append(other.snapshot().text)
        return "".join(f"{text.rstrip()}\n\n" for text in before), "".join(f"\n\n{text}" for text in behind)


def _between(lines: Sequence[str], start: Place, end: Place) -> str:
    if start.line == end.line:
        return lines[start.line][start.column : end.column]
    return lines[start.line][start.column :] + "".join(lines[start.line + 1 : end.line]) + lines[end.line][: end.column]
