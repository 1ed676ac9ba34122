"""How an index grows, from a thousand files of the kernel to all of them, beside universal-ctags; queries and recall.

usage: python -m benchmarks.scale [--fresh] [FILES …]      default 1000 3000 10000 30000 0 (0: the whole tree)

Every size is a folder of hard links to every n-th file of the tree, so that all parts of it are in each. Memory is the
peak of the proportional set size over all processes of the run. Recall: of the 10 rows nearest to a query in all
vectors, how many are among the 10 that a search of the inverted lists gives.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import CODEMOAT, ROOT, Results, median, percentile, run_measured
from benchmarks.trees import tree
from indexer.config import IndexConfig
from indexer.embed import load_embedder
from indexer.files import list_files
from indexer.index import Index

SIZES = (1_000, 3_000, 10_000, 30_000, 0)
PICTURE = ROOT / "docs" / "scale.svg"
ROUNDS = 5
QUERIES = """
how are pages reclaimed under memory pressure
spin_lock_irqsave
tcp congestion control window update
where is the root filesystem mounted at boot
ext4 journal commit
usb device probe
parse kernel command line
schedule next task on a cpu
copy data from user space
network driver transmit queue timeout
allocate a page
struct inode
kmalloc
interrupt handler registration
read file from disk into page cache
bpf verifier checks pointer arithmetic
i2c transfer
dma mapping error
amdgpu display core clock
firmware load
init
probe
driver device register read write
handle page fault
rcu callback offload
workqueue flush
mutex lock slow path
netfilter nat table
btrfs extent tree
signal delivery to process
futex wait
kvm vcpu run
crypto aes encrypt
sysfs attribute show store
clk_get_rate
PCI config space access
sound card pcm open
bluetooth l2cap connect
sk_buff::len
how does the scheduler balance load between cpus
""".strip().splitlines()


def main() -> None:
    """Measure each size that has no row yet, then draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=int, default=SIZES)
    parser.add_argument("--fresh", action="store_true", help="forget earlier rows")
    options = parser.parse_args()
    results = Results("scale", fresh=options.fresh)
    linux = tree("linux")
    for wanted in options.files:
        if not results.done(wanted=wanted):
            with tempfile.TemporaryDirectory(dir=linux.parent) as work:
                root = part_of(linux, Path(work) / "part", wanted) if wanted else linux
                results.add({"wanted": wanted, **measure(root, Path(work)), **ctags(root, Path(work))})
            print(results.rows[-1], flush=True)
    draw(sorted(results.rows, key=lambda row: row["files"]))


def part_of(linux: Path, part: Path, wanted: int) -> Path:
    """About ``wanted`` files of the tree, taken evenly from all of it."""
    files = list_files(linux, IndexConfig()).files
    step = len(files) / wanted
    for number in range(wanted):
        source = files[int(number * step)].path
        (part / source).parent.mkdir(parents=True, exist_ok=True)
        os.link(linux / source, part / source)
    return part


def measure(root: Path, work: Path) -> dict[str, Any]:
    """Whole-process figures of a cold ``codemoat index``, then queries in this process."""
    cache = work / "cache"
    run = run_measured([str(CODEMOAT), "index", str(root), "--json"], env={"CODEMOAT_CACHE_DIR": str(cache)})
    if run.returncode:
        raise SystemExit(run.stderr)
    report = json.loads(run.stdout)
    size = sum(f.stat().st_size for f in Path(report["index_path"]).rglob("*") if f.is_file())
    row = {
        "files": report["files"],
        "source_mb": round(report["bytes"] / 1e6, 1),
        "cold_s": round(run.seconds, 2),
        "peak_mb": round(run.peak_bytes / 1e6),
        "index_mb": round(size / 1e6, 1),
        "share": round(size / report["bytes"], 3),
        "chunks": report["chunks"],
        "symbols": report["symbols"],
        "references": report["references"],
    }
    with Index.open(root, IndexConfig(cache_dir=cache)) as index:
        row |= {"segments": index.status().segments, **queries(index), "recall": recall(index)}
        started = time.perf_counter()
        unchanged = index.update()
        row["unchanged_s"] = round(time.perf_counter() - started, 2)
        if unchanged.files_parsed:
            raise SystemExit("an unchanged tree was read again")
    return row


def queries(index: Index) -> dict[str, float]:
    """Milliseconds of a query in a warm process; the first round warms it."""
    spent = []
    for number in range(ROUNDS + 1):
        for query in QUERIES:
            started = time.perf_counter()
            index.search(query)
            if number:
                spent.append((time.perf_counter() - started) * 1000)
    return {"query_ms_p50": round(median(spent), 2), "query_ms_p95": round(percentile(spent, 0.95), 2)}


def recall(index: Index) -> float:
    """Share of the true ten nearest rows that a search finds, over the queries."""
    embedder, found = load_embedder("static"), []
    with index._view() as snapshot:
        for query in QUERIES:
            vector = embedder.embed_query(query)
            exact = np.concatenate([segment.similarities(vector) for segment in snapshot._segments])
            tenth = np.partition(exact, -10)[-10]
            near = snapshot.nearest(vector, 10, None)
            found.append(float((exact[near.rows] >= tenth).mean()))
    return round(sum(found) / len(found), 3)


def ctags(root: Path, work: Path) -> dict[str, Any]:
    """universal-ctags over the same tree: one process, definitions only, no text, no vectors."""
    program = shutil.which("ctags")
    if program is None or b"Universal" not in subprocess.run([program, "--version"], capture_output=True).stdout:
        return {"ctags_s": None}
    out = work / "tags"
    started = time.perf_counter()
    command = [program, "-R", "--links=no", "--fields=+neKS", "-f", str(out), str(root)]
    subprocess.run(command, check=True, capture_output=True)
    seconds = time.perf_counter() - started
    return {"ctags_s": round(seconds, 2), "ctags_mb": round(out.stat().st_size / 1e6, 1)}


def draw(rows: list[dict[str, Any]]) -> None:
    """Time, memory and disk over the number of files."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "codemoat"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 4, figsize=(15, 3.6), layout="constrained")
    files = [row["files"] / 1000 for row in rows]
    curves = (
        ("cold index, seconds", [("codemoat", "cold_s"), ("universal-ctags", "ctags_s")]),
        ("peak memory of all processes, MB", [("codemoat", "peak_mb")]),
        ("on disk, MB", [("index", "index_mb"), ("source", "source_mb"), ("tags file of ctags", "ctags_mb")]),
        ("query in a warm process, ms", [("median", "query_ms_p50"), ("95th percentile", "query_ms_p95")]),
    )
    for plot, (title, lines) in zip(axes, curves, strict=True):
        for label, key in lines:
            if all(row.get(key) is not None for row in rows):
                plot.plot(files, [row[key] for row in rows], marker="o", label=label)
        plot.set(title=title, xlabel="thousand files", xlim=(0, None), ylim=(0, None))
        plot.grid(alpha=0.3)
        plot.legend(frameon=False)
    figure.savefig(PICTURE, metadata={"Date": None})
    print(f"drew {PICTURE}")


if __name__ == "__main__":
    main()
