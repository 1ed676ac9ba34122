"""Jupyter notebooks: the code cells as one text, on the lines where they stand in the file."""

from __future__ import annotations

import json
import re
from typing import Any

_SOURCE_LINE = re.compile(r'^\s*"source"\s*:\s*(\[\s*\]?|".*")\s*,?\s*$')


class NotebookError(Exception):
    """The file is no notebook that can be read; the message says why, without a full stop."""


def code_of_notebook(text: bytes) -> tuple[bytes, str | None]:
    """The code cells of a notebook (UTF-8 JSON) and its kernel's language in lower case, if it names one.

    Where the JSON is laid out as Jupyter saves it, one source line a line, every code line keeps its line number in the
    file and all else is blank; otherwise the cells follow one another with an empty line between them.
    Raises NotebookError.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise NotebookError("its JSON is damaged") from exc
    if not isinstance(document, dict):
        raise NotebookError("it holds no cells")
    cells = _cells(document)
    code = _laid_out(text.decode("utf-8"), cells)
    if code is None:
        code = "\n\n".join("".join(lines).rstrip("\n") for kind, lines in cells if kind == "code")
    return code.encode("utf-8", "replace"), _language(document)


def _cells(document: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """(cell type, source lines) of every cell in order; format 3 kept them in worksheets, code under "input"."""
    found = document.get("cells")
    if not isinstance(found, list):
        sheets = document.get("worksheets")
        found = [
            cell
            for sheet in (sheets if isinstance(sheets, list) else [])
            if isinstance(sheet, dict)
            for cell in sheet.get("cells") or []
        ]
        if not found and not isinstance(sheets, list):
            raise NotebookError("it holds no cells")
    cells: list[tuple[str, list[str]]] = []
    for cell in found:
        if not isinstance(cell, dict):
            raise NotebookError("a cell is no object")
        source = cell.get("source", cell.get("input", ""))
        lines = source if isinstance(source, list) else [source]
        cells.append((str(cell.get("cell_type")), [line for line in lines if isinstance(line, str)]))
    return cells


def _laid_out(text: str, cells: list[tuple[str, list[str]]]) -> str | None:
    """The text with only code lines left, each on its own line; None when the layout is another one."""
    lines = text.split("\n")
    starts = [number for number, line in enumerate(lines) if _SOURCE_LINE.match(line)]
    if len(starts) != len(cells):
        return None
    placed = [""] * len(lines)
    for start, (kind, source) in zip(starts, cells, strict=True):
        if kind != "code":
            continue
        inline = _inline_source(lines[start])
        numbers = range(start, start + 1) if inline is not None else range(start + 1, start + 1 + len(source))
        if numbers.stop > len(lines):
            return None
        for number, code in zip(numbers, source, strict=False):
            written = inline if inline is not None else _json_string(lines[number])
            if written != code or "\n" in code.rstrip("\n"):
                return None
            placed[number] = code.rstrip("\n")
    return "\n".join(placed)


def _inline_source(line: str) -> str | None:
    """The string of ``"source": "…"`` on one line; None where a list starts."""
    match = _SOURCE_LINE.match(line)
    value = match.group(1) if match else ""
    return _json_string(value) if value.startswith('"') else None


def _json_string(line: str) -> str | None:
    """The string that a line of JSON consists of, but for spaces and a comma."""
    try:
        value = json.loads(line.strip().removesuffix(","))
    except ValueError:
        return None
    return value if isinstance(value, str) else None


def _language(document: dict[str, Any]) -> str | None:
    metadata = document.get("metadata")
    if not isinstance(metadata, dict):
        return None
    for section, key in (("language_info", "name"), ("kernelspec", "language")):
        part = metadata.get(section)
        name = part.get(key) if isinstance(part, dict) else None
        if isinstance(name, str) and name:
            return name.lower()
    return None
