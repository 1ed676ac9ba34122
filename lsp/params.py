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
        found: Params = convert(params, kind)
        return found
    except (msgspec.ValidationError, UnicodeEncodeError) as exc:
        raise BadInputError(f"Wrong parameters: {exc}.", "docs/protocol.md describes them.") from exc
