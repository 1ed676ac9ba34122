"""semble in a process of its own environment, asked line by line, so that it answers in the same run as codemoat.

An ``index`` reads the tree anew unless one was kept in its cache. The stand-in model of ``benchmarks/peers.py`` is read
once, which semble itself does for every index: its times here are that much better. They are taken inside that process,
without the pipe.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.peers import SEMBLE_MODEL, SEMBLE_PYTHON

_WORKER = """
import json, sys, time
from pathlib import Path
answers, sys.stdout = sys.stdout, sys.stderr
import functools
from semble.index import SembleIndex, index as module
module.load_model = functools.lru_cache(module.load_model)
from semble.cache import save_index_to_cache
from semble.types import ContentType
index = None
for line in sys.stdin:
    asked = json.loads(line)
    started = time.perf_counter()
    if "index" in asked:
        root = Path(asked["index"])
        try:
            index = SembleIndex.from_path(root, content=[ContentType.CODE], model_path=sys.argv[1])
        except ValueError as exc:  # an empty tree
            index = None
        answer = {"chunks": len(index.chunks) if index else 0}
    else:
        found = index.search(asked["query"], top_k=asked["k"]) if index else []
        answer = {}
    answer["seconds"] = time.perf_counter() - started
    if asked.get("keep") and index:
        save_index_to_cache(index, asked["index"])
    if "query" in asked:
        answer["results"] = [
            {"path": hit.chunk.file_path, "start_line": hit.chunk.start_line, "end_line": hit.chunk.end_line}
            for hit in found
        ]
    print(json.dumps(answer), file=answers, flush=True)
"""


class Semble:
    """A running semble. Raises SystemExit with one sentence when its environment is not there or it dies."""

    def __init__(self) -> None:
        if not SEMBLE_PYTHON.exists() or not SEMBLE_MODEL.exists():
            raise SystemExit("semble is not set up. Run `python -m benchmarks.peers` first, or give --no-semble.")
        self._home = tempfile.mkdtemp()
        env = {**os.environ, "HOME": self._home, "XDG_CACHE_HOME": self._home, "HF_HUB_OFFLINE": "1"}
        env.pop("PYTHONPATH", None)
        self._errors = Path(self._home, "stderr").open("w+")  # noqa: SIM115
        self._process = subprocess.Popen(
            [str(SEMBLE_PYTHON), "-c", _WORKER, str(SEMBLE_MODEL)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=env,
            text=True,
        )

    def __enter__(self) -> Semble:
        return self

    def __exit__(self, *exc: object) -> None:
        self._process.kill()
        self._process.wait()
        self._errors.close()
        shutil.rmtree(self._home, ignore_errors=True)

    def index(self, root: Path, *, keep: bool = False) -> tuple[float, int]:
        """Index a tree: seconds inside semble, and chunks. ``keep``: in its cache, for the next one."""
        answer = self._ask({"index": str(root), "keep": keep})
        return answer["seconds"], answer["chunks"]

    def search(self, query: str, k: int) -> tuple[float, list[dict[str, Any]]]:
        """Seconds inside semble, and its best ``k`` chunks: path below the root, first and last line."""
        answer = self._ask({"query": query, "k": k})
        return answer["seconds"], answer["results"]

    def _ask(self, what: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        try:
            self._process.stdin.write(json.dumps(what) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass
        line = self._process.stdout.readline()
        if not line:
            self._errors.seek(0)
            raise SystemExit(f"semble ended while asked {what}:\n{self._errors.read()[-2000:]}")
        found: dict[str, Any] = json.loads(line)
        return found
