"""The text of open documents as the editor has it, and the edits that were made lately.

Documents are changed on the event loop only; threads read snapshots.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple

from lsprotocol import types

from lsp.convert import Place, Position, Units, halves, join_surrogates, split_lines, whole_characters
from lsp.rope import Rope

MOST_CHARACTERS = 2_000_000
"""Of a document that suggestions and outlines are given for; a larger one is kept in step and nothing more."""
MOST_KEPT = 4_000_000
"""Characters of a document whose text is kept at all."""
MOST_LINES = 400_000
"""Of such a document: each line takes 60 bytes besides its text."""
MOST_DOCUMENTS = 10_000
MOST_CHANGES = 100_000
"""Of one message."""
MOST_CHARACTERS_OF_ALL = 100_000_000
"""Of all documents together whose texts are kept."""
NO_VERSION = -(2**31)
"""Of a document whose client does not say which version it is."""
OUT_OF_STEP = "A change of the document could not be read, so its text is not known. Close it and open it again."
_MANY = 32
"""Changes in one message from which on they are made in a rope."""
_EDITS_KEPT = 200
_EDIT_CHARACTERS = 2_000
"""Of an edit's text that the ring keeps on either side."""


class Change(NamedTuple):
    """A range that became ``text``; the whole document did if there is no range."""

    range: tuple[Position, Position] | None
    text: str


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
        """The text before and after a place."""
        line, column = place.line, place.column
        before = "".join(self.lines[:line]) + self.lines[line][:column]
        return whole_characters(before), whole_characters(self.lines[line][column:] + "".join(self.lines[line + 1 :]))


@dataclass(slots=True)
class Document:
    """An open document. ``notebook``: URI of the notebook whose cell it is.

    The text is the client's, or it is not kept: ``lost`` says why. It comes back with the next whole text.
    """

    uri: str
    language_id: str
    version: int
    lines: list[str]
    size: int = 0
    """Characters; of a text that is not kept, those it had last."""
    notebook: str | None = None
    told: bool = False
    """Whether its user was told that it is too large."""
    lost: str = ""
    """Why the text is not kept, as a sentence."""

    @classmethod
    def of(cls, item: types.TextDocumentItem, notebook: str | None = None) -> Document:
        """A document as it is opened."""
        version = 0 if item.version == NO_VERSION else item.version
        document = cls(item.uri, item.language_id, version, [""], notebook=notebook)
        document._take(item.text)
        return document

    @property
    def too_large(self) -> bool:
        """Whether it is only kept in step, or not even that."""
        return bool(self.lost) or self.size > MOST_CHARACTERS

    @property
    def problem(self) -> str:
        """Why it gets no suggestions, as a sentence; empty if it does."""
        if self.lost or not self.too_large:
            return self.lost
        return f"The document is too large for suggestions and symbols: {self.size:,} characters."

    def snapshot(self) -> Snapshot:
        """The document as it is now; empty if its text is not kept."""
        return Snapshot(self.uri, self.language_id, self.version, tuple(self.lines), self.size)

    def digest(self) -> str:
        """SHA-256 of the text in UTF-8; a lone surrogate counts as three bytes of its own."""
        return sha256("".join(self.lines).encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def held(self) -> int:
        """Characters that are kept."""
        return 0 if self.lost else self.size

    def lose(self, why: str) -> None:
        """Forget the text: what would be kept is not the client's."""
        self.told = self.told and bool(self.lost)
        self.lines, self.lost = [""], why

    def change(self, changes: Sequence[Change], version: int, units: Units) -> Edit | None:
        """Change the text as the client did, one change after the other. Gives the last edit, None if it is not known.

        Takes time in proportion to the changes and the text together, not to their product.
        """
        self.version, edit = self.version + 1 if version == NO_VERSION else version, None
        whole = max((n for n, change in enumerate(changes) if change.range is None), default=-1)
        if whole >= 0:
            # What comes before a whole text is of no account.
            edit = self._replace_all(changes[whole].text)
            changes = changes[whole + 1 :]
        if len(changes) > _MANY and not self.lost:
            rope = Rope("".join(self.lines), units)
            for change in changes[:-1]:
                assert change.range is not None
                rope.replace(*change.range, change.text)
            self._take(rope.text)
            changes = changes[-1:]
        for change in changes:
            if self.lost:
                return None
            assert change.range is not None
            edit = self._replace(change.range, change.text, units)
            self._check(len(self.lines))
        return edit

    def apply(self, change: types.TextDocumentContentChangeEvent, version: int, units: Units) -> Edit | None:
        """Make one change of the protocol's."""
        return self.change([change_of(change)], version, units)

    def _replace_all(self, text: str) -> Edit:
        old = "".join(self.lines)[:_EDIT_CHARACTERS]
        self._take(text)
        return Edit(self.uri, self.version, 0, 0, old, text[:_EDIT_CHARACTERS], time.monotonic())

    def _take(self, text: str) -> None:
        """Hold a whole text from now on, if it is not beyond the limits."""
        self.lost, self.size = "", len(text)
        if self._check(text.count("\n") + text.count("\r")):
            text = join_surrogates(text)
            self.lines, self.size = split_lines(text), len(text)

    def _check(self, lines: int) -> bool:
        """Whether the text can be kept; if not, it is forgotten."""
        if self.lost:
            return False
        if self.size > MOST_KEPT:
            self.lose(f"The document is too large for codemoat: {self.size:,} characters, the limit is {MOST_KEPT:,}.")
        elif lines > MOST_LINES:
            self.lose(f"The document is too large for codemoat: {lines:,} lines, the limit is {MOST_LINES:,}.")
        return not self.lost

    def _replace(self, where: tuple[Position, Position], text: str, units: Units) -> Edit:
        lines = self.lines
        start, end = units.place(lines, where[0]), units.place(lines, where[1])
        if end < start:
            start, end = end, start
        removed = _between(lines, start, end)
        first, last = start.line, end.line
        # Of a character that is cut in two, the half that stays is kept until its other half comes back.
        head = lines[first][: start.column] + (halves(lines[first][start.column])[0] if start.split else "")
        end_column = end.column + 1 if end.split else end.column
        tail = (halves(lines[last][end.column])[1] if end.split else "") + lines[last][end_column:]
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
    """Of a message with several changes, the last one."""
    held: int = 0
    """Characters of all texts that are kept."""

    def get(self, uri: str) -> Document | None:
        """The document, if it is open."""
        return self.open.get(uri)

    def put(self, item: types.TextDocumentItem, notebook: str | None = None) -> Document:
        """Open a document, or take its whole text again. One too many is not kept, as if it had not been opened."""
        document = Document.of(item, notebook)
        if len(self.open) >= MOST_DOCUMENTS and item.uri not in self.open:
            document.lose(
                f"More than {MOST_DOCUMENTS:,} documents are open; codemoat gives no suggestions in the others."
            )
            return document
        self.drop(item.uri)
        self.open[item.uri] = document
        self._count(document, 0)
        return document

    def change(self, uri: str, version: int, changes: Sequence[Change]) -> tuple[Document, Edit | None] | None:
        """Apply changes in their order; None if the document is not open. Gives the last edit."""
        document = self.open.get(uri)
        if document is None:
            return None
        before = document.held
        edit = document.change(changes, version, self.units)
        self._count(document, before)
        if edit is not None:
            self.edits.append(edit)
        return document, edit

    def lose(self, document: Document, why: str) -> None:
        """Forget a document's text, which may not be the client's any more."""
        self.held -= document.held
        document.lose(why)

    def _count(self, document: Document, before: int) -> None:
        self.held += document.held - before
        if self.held > MOST_CHARACTERS_OF_ALL and not document.lost:
            limit = f"the open documents have more than {MOST_CHARACTERS_OF_ALL:,} characters together"
            self.lose(document, f"The document is too much for codemoat: {limit}. Close some and open it again.")

    def drop(self, uri: str) -> None:
        """Close a document; no error if it is not open."""
        document = self.open.pop(uri, None)
        if document is not None:
            self.held -= document.held

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
                found = self.change(text.document.uri, text.document.version, [*map(change_of, text.changes)])
                if found is not None:
                    changed.append(found)
        return changed

    def close_notebook(self, uri: str) -> None:
        """Close a notebook and its cells."""
        self.notebooks.pop(uri, None)
        for cell in [document.uri for document in self.open.values() if document.notebook == uri]:
            self.drop(cell)

    def around_cell(self, document: Document) -> tuple[str, str]:
        """The code of the notebook's cells before and after a cell, in its language."""
        before: list[str] = []
        after: list[str] = []
        side = before
        for cell in self.notebooks.get(document.notebook or "", ()):
            if cell.document == document.uri:
                side = after
                continue
            other = self.open.get(cell.document) if cell.kind == types.NotebookCellKind.Code else None
            if other is not None and other.language_id == document.language_id and not other.lost:
                side.append(other.snapshot().text)
        return "".join(f"{text.rstrip()}\n\n" for text in before), "".join(f"\n\n{text}" for text in after)


def change_of(change: types.TextDocumentContentChangeEvent) -> Change:
    """A change of the protocol's."""
    if not isinstance(change, types.TextDocumentContentChangePartial):
        return Change(None, change.text)
    start, end = change.range.start, change.range.end
    return Change((Position(start.line, start.character), Position(end.line, end.character)), change.text)


def _between(lines: Sequence[str], start: Place, end: Place) -> str:
    if start.line == end.line:
        return lines[start.line][start.column : end.column]
    return lines[start.line][start.column :] + "".join(lines[start.line + 1 : end.line]) + lines[end.line][: end.column]
