"""Parameters of our own methods: JSON checked against a type."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from indexer.decoders import convert
from indexer.errors import BadInputError

Params = TypeVar("Params")


class Named(msgspec.Struct):
    """A ``TextDocumentIdentifier``."""

    uri: str


def read(params: Any, kind: type[Params]) -> Params:
    """The parameters as a type. Raises BadInputError that says what is wrong with them."""
    try:
        found: Params = convert(_without_nulls(params), kind)
        return found
    except (msgspec.ValidationError, UnicodeEncodeError) as exc:
        raise BadInputError(f"Wrong parameters: {exc}.", "docs/protocol.md describes them.") from exc


def _without_nulls(params: Any) -> Any:
    """Null stands for a member that is not there: so every optional one may be null."""
    if not isinstance(params, dict):
        return params
    return {name: _without_nulls(each) for name, each in params.items() if each is not None}
