"""Decoders of our types, each made once, by one thread at a time.

msgspec gathers what it has to know of a type when it first meets it. Two threads that do so at once crash the
interpreter: seen as a segmentation fault in a server whose first two requests came together.
"""

from __future__ import annotations

import threading
from typing import Any

import msgspec

_LOCK = threading.Lock()
_MADE: dict[Any, msgspec.msgpack.Decoder[Any]] = {}


def decoder(kind: Any) -> msgspec.msgpack.Decoder[Any]:
    """The MessagePack decoder of a type."""
    made = _MADE.get(kind)
    if made is None:
        with _LOCK:
            made = _MADE.setdefault(kind, msgspec.msgpack.Decoder(kind))
    return made


def convert(value: object, kind: Any) -> Any:
    """``value`` as a type. Raises msgspec.ValidationError. For what is converted now and then: one thread at a time."""
    with _LOCK:
        return msgspec.convert(value, kind)
