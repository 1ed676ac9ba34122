"""How fast secrets are looked for: megabytes a second of one core over whole trees, and how many items are masked.

usage: python -m benchmarks.masking [NAME=]TREE ..., where NAME is what the table calls the tree
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from benchmarks.common import Results
from indexer.config import IndexConfig
from indexer.files import list_files
from indexer.secrets import mask_secrets


def main() -> None:
    """Measure each tree named on the command line."""
    results = Results("masking", fresh=True)
    for argument in sys.argv[1:]:
        name, _, folder = argument.rpartition("=")
        tree = Path(folder)
        name = name or tree.name
        texts = [(f.path, (tree / f.path).read_bytes()) for f in list_files(tree, IndexConfig()).files]
        size = sum(len(text) for _, text in texts) / 1e6
        started = time.process_time()
        masked = sum(mask_secrets(text, path)[1] for path, text in texts)
        seconds = time.process_time() - started
        results.add({"tree": name, "mb": round(size, 1), "mb_per_s": round(size / seconds), "masked": masked})
        print(f"{name:16} {size:8.1f} MB {size / seconds:8.0f} MB/s {masked:5} masked")


if __name__ == "__main__":
    main()
