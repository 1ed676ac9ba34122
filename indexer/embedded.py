"""Languages inside a page: which stretches of HTML, Vue, Svelte or Astro are script, style or expression.

A query captures them as ``@embedded.script`` or ``@embedded.style`` (the tag says which language), ``@embedded.NAME``
(that language) and ``@embedded.expression`` (in the language of the page's scripts; only the names it uses count).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_PARTS = 1_000
"""Parts of one page that are parsed; each costs a parse of its own, and no page written by hand has as many."""

_ATTRIBUTE = re.compile(rb"""\b(lang|type)\s*=\s*["']?\s*([\w/+.-]+)""", re.IGNORECASE)
# By the subtype of a MIME type or the value of ``lang``. JSON, templates and shaders are data to the page.
_LANGUAGES = {
    "": "javascript", "javascript": "javascript", "ecmascript": "javascript", "x-javascript": "javascript",
    "js": "javascript", "mjs": "javascript", "jsx": "javascript", "module": "javascript", "babel": "javascript",
    "ts": "typescript", "typescript": "typescript", "tsx": "tsx",
    "css": "css", "postcss": "css", "pcss": "css", "scss": "scss",
}  # fmt: skip


class Part(NamedTuple):
    """Bytes ``[start, end)`` of a page in another language. Of an ``expression`` only the uses count."""

    language: str
    start: int
    end: int
    expression: bool = False


def parts(text: bytes, captures: Mapping[str, Sequence[Node]]) -> list[Part]:
    """What a page embeds, in order of position; what is in no known language is left out."""
    found: list[Part] = []
    for capture, nodes in captures.items():
        role, _, kind = capture.partition(".")
        if role != "embedded" or kind == "expression":
            continue
        for node in nodes:
            language = kind if kind not in ("script", "style") else language_of(text, node, kind)
            if language and node.end_byte > node.start_byte:
                found.append(Part(language, *node.byte_range))
    scripts = {part.language for part in found} - {"css", "scss"}
    language = max(scripts, default="javascript")  # TypeScript where any script is
    found += [Part(language, *node.byte_range, True) for node in captures.get("embedded.expression", ())]
    return sorted(found, key=lambda part: (part.expression, part.start))[:MAX_PARTS]


def language_of(text: bytes, node: Node, kind: str) -> str | None:
    """The language of the script or style ``node``, as its opening tag says; None if it is none that we parse.

    An example of a tag is ``<script lang="ts">``; ``lang`` outranks ``type``.
    """
    tag = text[node.parent.start_byte : node.start_byte] if node.parent else b""
    said = {match[1].lower(): match[2].decode("ascii", "replace").lower() for match in _ATTRIBUTE.finditer(tag)}
    value = said.get(b"lang") or said.get(b"type") or ("css" if kind == "style" else "")
    return _LANGUAGES.get(value.rpartition("/")[2])
