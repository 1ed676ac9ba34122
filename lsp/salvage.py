"""Reading parameters of which a part is not understood: that part is left out, the rest holds.

Clients send values that are newer than this server, or wrong: a symbol kind of the next version of the protocol, a
folder without a name, null where a number belongs. The smallest branch that does not convert is dropped, or takes the
value of ``_INSTEAD``. A branch that is required and has no such value takes what holds it along.
"""

from __future__ import annotations

import types as python_types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn, Union, get_args, get_origin

import attrs
from lsprotocol import types

from lsp.documents import NO_VERSION

if TYPE_CHECKING:
    from cattrs import Converter

_MOST_ENTRIES = 10_000
"""Of a list that is looked through; a longer one is left out whole."""
_DEEPEST = 12
_INSTEAD: Mapping[tuple[type, str], Any] = {
    (types.InitializeParams, "capabilities"): {},
    (types.WorkspaceFolder, "name"): "",
    (types.WorkspaceFoldersChangeEvent, "added"): [],
    (types.WorkspaceFoldersChangeEvent, "removed"): [],
    (types.DidChangeConfigurationParams, "settings"): None,
    (types.TextDocumentItem, "languageId"): "",
    (types.TextDocumentItem, "version"): NO_VERSION,
    (types.VersionedTextDocumentIdentifier, "version"): NO_VERSION,
    (types.VersionedNotebookDocumentIdentifier, "version"): NO_VERSION,
    (types.NotebookDocument, "notebookType"): "",
    (types.NotebookDocument, "version"): NO_VERSION,
    (types.NotebookCell, "kind"): types.NotebookCellKind.Markup.value,
    (types.InlineCompletionParams, "context"): {"triggerKind": types.InlineCompletionTriggerKind.Invoked.value},
    (types.InlineCompletionContext, "triggerKind"): types.InlineCompletionTriggerKind.Invoked.value,
}
"""What a required value is taken for where it is missing or not understood; other required ones have no such value."""
_HARMLESS = frozenset({"metadata", "executionSummary", "rangeLength"})
"""Optional parts of a message about a document's text that can be left out without the text being another one."""


class _UnreadableError(Exception):
    """A branch cannot be kept."""


@dataclass(slots=True)
class Salvage:
    """One message's parameters. ``left_out``: the branches that are not in ``value``, as ``a.b[3].c``."""

    converter: Converter
    exact: bool = False
    """Whether the message changes a document: then no part of it may be missing but a harmless one."""
    left_out: list[str] = field(default_factory=list)

    def of(self, value: Any, kind: Any) -> Any:
        """What of ``value`` converts to ``kind``. Raises ValueError if nothing that makes sense does."""
        try:
            return self._of(value, kind, "", 0)
        except _UnreadableError as exc:
            raise ValueError("wrong parameters") from exc

    def _of(self, value: Any, kind: Any, path: str, depth: int) -> Any:
        if self._converts(value, kind):
            return value
        before, best = len(self.left_out), None
        for one in _alternatives(kind):
            try:
                found = self._part(value, one, path, depth)
            except _UnreadableError:
                del self.left_out[before:]
                continue
            lost = self.left_out[before:]
            del self.left_out[before:]
            if (best is None or len(lost) < len(best[1])) and self._converts(found, kind):
                best = found, lost
        if best is None:
            self._give_up()
        self.left_out += best[1]
        return best[0]

    def _part(self, value: Any, kind: Any, path: str, depth: int) -> Any:
        """``value`` without its bad branches, for one kind that is no union."""
        if depth > _DEEPEST:
            self._give_up()
        if isinstance(kind, type) and attrs.has(kind) and isinstance(value, dict):
            return self._members(value, kind, path, depth)
        origin = get_origin(kind)
        if isinstance(origin, type) and issubclass(origin, Sequence) and isinstance(value, list) and not self.exact:
            return self._entries(value, get_args(kind)[0], path, depth)
        if isinstance(origin, type) and issubclass(origin, Sequence) and isinstance(value, list):
            return [self._of(each, get_args(kind)[0], f"{path}[{at}]", depth + 1) for at, each in enumerate(value)]
        if not self._converts(value, kind):
            self._give_up()
        return value

    def _members(self, value: dict[str, Any], kind: type, path: str, depth: int) -> dict[str, Any]:
        members = attrs.fields(kind)
        names = {_camel(member.name) for member in members}
        # Null for what a kind does not have is nothing, and must not let it be taken for another kind.
        kept = {name: each for name, each in value.items() if each is not None or name in names}
        for member in members:
            name = _camel(member.name)
            here = f"{path}.{name}" if path else name
            required = member.default is attrs.NOTHING
            if name not in value:
                if required:
                    self._instead(kept, kind, name, here, missing=True)
                continue
            before = len(self.left_out)
            try:
                kept[name] = self._of(value[name], member.type, here, depth + 1)
                self._check(kept[name], member)
            except _UnreadableError:
                del self.left_out[before:]
                if required or (kind, name) in _INSTEAD:
                    self._instead(kept, kind, name, here, missing=value[name] is None)
                elif self.exact and name not in _HARMLESS:
                    raise
                else:
                    del kept[name]
                    self.left_out.append(here)
        return kept

    def _instead(self, kept: dict[str, Any], kind: type, name: str, path: str, *, missing: bool) -> None:
        """Give a required value that is not there, or not understood, what it is taken for."""
        if (kind, name) not in _INSTEAD:
            self._give_up()
        kept[name] = _INSTEAD[kind, name]
        if not missing:
            self.left_out.append(path)

    def _entries(self, value: list[Any], kind: Any, path: str, depth: int) -> list[Any]:
        if len(value) > _MOST_ENTRIES:
            self._give_up()
        kept = []
        for at, each in enumerate(value):
            before, here = len(self.left_out), f"{path}[{at}]"
            try:
                kept.append(self._of(each, kind, here, depth + 1))
            except _UnreadableError:
                del self.left_out[before:]
                self.left_out.append(here)
        return kept

    def _converts(self, value: Any, kind: Any) -> bool:
        try:
            self.converter.structure(value, kind)
        except Exception:  # noqa: BLE001
            # Whatever the library raises, the value is none of the kind.
            return False
        return True

    def _check(self, value: Any, member: attrs.Attribute[Any]) -> None:
        """What the object that gets the value checks of it, beyond its kind: the range of a number."""
        if member.validator is None:
            return
        try:
            member.validator(None, member, self.converter.structure(value, member.type or object))
        except (TypeError, ValueError, AttributeError):
            self._give_up()

    def _give_up(self) -> NoReturn:
        raise _UnreadableError


def strict(converter: Converter) -> None:
    """Let a converter take texts and numbers for what they are: by itself it makes the text "None" of null."""

    def text(value: Any, kind: Any) -> Any:
        if not isinstance(value, str):
            raise TypeError("not a text")
        return value if kind is str else kind(value)

    def integer(value: Any, kind: Any) -> Any:
        # Some JSON libraries write 3.0.
        number = int(value) if type(value) is float and value.is_integer() else value
        if type(number) is not int:
            raise TypeError("not an integer")
        return number if kind is int else kind(number)

    def boolean(value: Any, _: Any) -> bool:
        if not isinstance(value, bool):
            raise TypeError("not true or false")
        return value

    def token(value: Any, _: Any) -> Any:
        return value if isinstance(value, str) else integer(value, int)

    def language(value: Any, _: Any) -> Any:
        return text(value, str)

    # The first three are asked for enumerations of texts and numbers too.
    converter.register_structure_hook(str, text)
    converter.register_structure_hook(int, integer)
    converter.register_structure_hook(bool, boolean)
    converter.register_structure_hook(int | str, token)
    converter.register_structure_hook(int | str | None, lambda v, k: None if v is None else token(v, k))
    converter.register_structure_hook(types.LanguageKind | str, language)


def _alternatives(kind: Any) -> Iterator[Any]:
    """The members of a union, None left out; or the kind itself."""
    if get_origin(kind) in (Union, python_types.UnionType):
        for one in get_args(kind):
            if one is not type(None):
                yield from _alternatives(one)
    else:
        yield kind


def _camel(name: str) -> str:
    """An attribute's name as the protocol writes it."""
    first, *others = name.removesuffix("_").split("_")
    return first + "".join(part.title() for part in others)
