"""Count which character follows which in the words of source trees: the table by which masking tells words from keys.

usage: python -m scripts.letter_pairs TREE [TREE ...]   (writes indexer/secrets/data/pairs.txt)

The table in the repository is from Python 3.11's standard library with some 200 MB of installed packages.
"""

from __future__ import annotations

import math
import re
import sys
from pathlib import Path

from indexer.config import IndexConfig
from indexer.files import list_files
from indexer.secrets.randomness import CLASSES, PAIRS_FILE, START, STEP, character_classes

_WORD = re.compile(rb"[!-~]{5,60}|[A-Za-z_][\w.-]{4,60}")
_IDENTIFIER = re.compile(rb"[A-Za-z_]\w{4,60}")
_NO_WORD = re.compile(rb"[A-Za-z0-9+/]{30}")
_LETTERS = re.compile(rb"[A-Za-z]{3}")
_SUFFIXES = (
    *(".py", ".pyi", ".js", ".ts", ".h", ".c", ".hpp", ".cpp", ".md"),
    *(".rst", ".yaml", ".toml", ".cu", ".cuh", ".txt"),
)
_PER_FILE = 60_000
"""Bytes of a file that count, so that no single one shapes the table."""


def words_of(tree: Path) -> set[bytes]:
    """Every different word of a tree's files that is no key itself."""
    found: set[bytes] = set()
    for file in list_files(tree, IndexConfig()).files:
        if not file.path.endswith(_SUFFIXES):
            continue
        head = (tree / file.path).read_bytes()[:_PER_FILE]
        words = (*_WORD.findall(head), *_IDENTIFIER.findall(head))
        found.update(word for word in words if _LETTERS.search(word) and not _NO_WORD.search(word))
    return found


def main() -> None:
    """Count, and write one line a class: bits of every class after it, in steps, as characters from ``!`` on."""
    counts = [[0.3] * CLASSES for _ in range(CLASSES)]
    classes = character_classes()
    for word in set().union(*(words_of(Path(tree)) for tree in sys.argv[1:])):
        before = START
        for character in word:
            after = classes[character]
            counts[before][after] += 1
            before = after
    lines = []
    for row in counts:
        bits = (-math.log2(count / sum(row)) for count in row)
        lines.append("".join(chr(33 + min(93, round(value / STEP))) for value in bits))
    PAIRS_FILE.write_text("\n".join(lines) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
