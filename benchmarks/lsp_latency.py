"""How long an edit waits while the machine works: 1,000 edits, each followed by a request that sees the new text.

Beside them run one completion after the other with the real model, and the full re-indexing of a real package, over and
over. Measured from sending the edit to the answer's arrival.

    python -m benchmarks.lsp_latency [--edits N] [--idle]
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from pathlib import Path

from benchmarks.common import Results, percentile
from benchmarks.lsp_client import LspProcess, inline_params
from benchmarks.trees import tree

TEXT = "import networkx as nx\n\n\ndef longest(graph):\n    \n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edits", type=int, default=1_000)
    parser.add_argument("--idle", action="store_true", help="with nothing beside the edits")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        root = home / "networkx"
        shutil.copytree(tree("networkx"), root)
        row = measure(home, root, chosen.edits, idle=chosen.idle)
    print(row)
    Results("lsp_latency").add(row)


def measure(home: Path, root: Path, edits: int, *, idle: bool) -> dict[str, object]:
    """One run's figures, in milliseconds."""
    server = LspProcess(home, folders=[root])
    typed, other = (root / "typed.py").as_uri(), (root / "other.py").as_uri()
    server.open(typed, TEXT)
    server.open(other, TEXT)
    while server.ask("codemoat/status")["folders"][0]["state"] != "ready":
        time.sleep(0.2)
    if not idle:
        server.ask("textDocument/inlineCompletion", inline_params(other, 4, 4, invoked=True))
    reports, waits, running = 0, [], 0
    for version in range(2, edits + 2):
        if not idle and version % 40 == 2:
            # A place of its own, so that the model has to be asked.
            server.edit(other, version, (3, 0), (3, 0), f"value_{version} = {version}\n")
            server.begin("textDocument/inlineCompletion", inline_params(other, 5, 4, invoked=True))
            running += 1
        started = time.perf_counter()
        server.edit(typed, version, (4, 4 + (version - 2) % 60), (4, 4 + (version - 2) % 60), "x")
        found = server.ask("codemoat/document", {"textDocument": {"uri": typed}})
        waits.append((time.perf_counter() - started) * 1e3)
        assert found["version"] == version
        if not idle and version % 20 == 0 and server.ask("codemoat/status")["folders"][0]["state"] == "ready":
            server.begin("codemoat/index", {"do": "rebuild"})
            reports += 1
        time.sleep(0.02)
    seconds = server.close()
    return {
        "edits": edits,
        "idle": idle,
        "completions": running,
        "rebuilds": reports,
        "initialize_ms": round(server.initialize_ms, 1),
        "p50_ms": round(percentile(waits, 0.5), 2),
        "p99_ms": round(percentile(waits, 0.99), 2),
        "max_ms": round(max(waits), 2),
        "shutdown_ms": round(seconds * 1e3),
    }


if __name__ == "__main__":
    main()
