"""Cold index, no-change update and one-file update of whole trees, beside semble on the same trees in one run.

usage: python -m benchmarks.indexing [--repeats N] [--no-semble] TREE [TREE ...]

Each tree is indexed in a fresh cache directory. semble runs from its own environment with a stand-in static model
(``python -m benchmarks.peers`` makes both); its default model lives on a hub and is of the same size and kind.
Memory is the peak of the proportional set size summed over all processes of the run.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.common import CODEMOAT, Results, median, run_measured
from benchmarks.peers import SEMBLE_MODEL, SEMBLE_PYTHON

SEMBLE = """
import sys, time
from pathlib import Path
started = time.perf_counter()
from semble.index import SembleIndex
from semble.types import ContentType
loaded = time.perf_counter()
index = SembleIndex.from_path(Path(sys.argv[1]), content=[ContentType.CODE], model_path=sys.argv[2])
print(len(index.chunks), time.perf_counter() - loaded)
"""


def main() -> None:
    """Measure every tree; a tree that has its rows already is not measured again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trees", nargs="+", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--no-semble", action="store_true")
    parser.add_argument("--fresh", action="store_true", help="forget earlier rows")
    args = parser.parse_args()
    results = Results("indexing", fresh=args.fresh)
    for tree in args.trees:
        for repeat in range(args.repeats):
            if not results.done(tree=tree.name, repeat=repeat, system="codemoat"):
                results.add({"tree": tree.name, "repeat": repeat, "system": "codemoat", **measure_codemoat(tree)})
            if not args.no_semble and not results.done(tree=tree.name, repeat=repeat, system="semble"):
                results.add({"tree": tree.name, "repeat": repeat, "system": "semble", **measure_semble(tree)})
        rows = [row for row in results.rows if row["tree"] == tree.name]
        for system in ("codemoat", "semble"):
            own = [row for row in rows if row["system"] == system]
            if own:
                print(f"{tree.name:16} {system:9} cold {median(r['cold_s'] for r in own):7.2f} s", end="")
                print(f"  peak {median(r['peak_mb'] for r in own):6.0f} MB  {own[-1]}")


def measure_codemoat(tree: Path) -> dict[str, Any]:
    """Whole-process figures of ``codemoat index``: cold, unchanged, after one file was edited (then restored)."""
    with tempfile.TemporaryDirectory() as cache:
        env = {"CODEMOAT_CACHE_DIR": cache}
        command = [str(CODEMOAT), "index", str(tree), "--json"]
        cold = run_measured(command, env=env)
        report = json.loads(cold.stdout)
        unchanged = run_measured(command, env=env)
        edited = _edit_one(tree, command, env)
        size = sum(f.stat().st_size for f in Path(report["index_path"]).rglob("*") if f.is_file())
    return {
        "cold_s": round(cold.seconds, 3),
        "peak_mb": round(cold.peak_bytes / 1e6),
        "unchanged_s": round(unchanged.seconds, 3),
        "one_file_s": round(edited, 3),
        "files": report["files"],
        "chunks": report["chunks"],
        "symbols": report["symbols"],
        "references": report["references"],
        "source_mb": round(report["bytes"] / 1e6, 1),
        "index_mb": round(size / 1e6, 1),
    }


def _edit_one(tree: Path, command: list[str], env: dict[str, str]) -> float:
    target = next(
        f for f in sorted(tree.rglob("*.py")) + sorted(tree.rglob("*.[chjt]*")) if 200 < f.stat().st_size < 50_000
    )
    original, stat = target.read_bytes(), target.stat()
    try:
        target.write_bytes(original + b"\n")
        return run_measured(command, env=env).seconds
    finally:
        target.write_bytes(original)
        os.utime(target, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def measure_semble(tree: Path) -> dict[str, Any]:
    """Whole-process figures of semble's own indexing call with a cold cache; ``build_s`` leaves out its imports."""
    home = tempfile.mkdtemp()
    try:
        env = {"HOME": home, "XDG_CACHE_HOME": home, "HF_HUB_OFFLINE": "1"}
        run = run_measured([str(SEMBLE_PYTHON), "-c", SEMBLE, str(tree), str(SEMBLE_MODEL)], env=env)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    if run.returncode:
        raise SystemExit(f"semble failed on {tree}:\n{run.stderr[-2000:]}")
    chunks, build = run.stdout.split()
    return {
        "cold_s": round(run.seconds, 3),
        "peak_mb": round(run.peak_bytes / 1e6),
        "build_s": round(float(build), 3),
        "chunks": int(chunks),
    }


if __name__ == "__main__":
    main()
