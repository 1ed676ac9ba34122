"""Search with the words of developers: subjects of real commits, and the files that those commits changed.

usage: python -m benchmarks.natural --histories DIR [--most N] [--only NAME] [--no-semble] [--details F] [--fresh]

``natural.toml`` lists public histories and a revision of each; ``natural_tasks.py`` says by which rules commits become
tasks. A checkout goes back from task to task to the tree *before* the commit. codemoat and semble 0.7.0 (code only,
with the stand-in model of ``peers.py``) bring their indexes up to date from the ones before, as they do for users who
switch branches; codemoat searches all kinds of files. Plain BM25, over 50-line pieces and over whole files, is given
source files only. Ten files count; semble is asked for 50 chunks, so that it has ten files.

A line a repository in ``results/natural.jsonl``: NDCG@10, recall@10 and MRR@10 a system, and NDCG@10 task by task for
paired intervals. ``--details`` writes what each system found for each task.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.common import Results
from benchmarks.histories import environment, git_command
from benchmarks.natural_tasks import Task, choose, history, is_source
from benchmarks.plain_bm25 import PIECE_LINES, PlainBm25
from benchmarks.scores import DEPTH, MEASURES, distinct, measured
from benchmarks.semble_peer import Semble
from indexer.config import IndexConfig
from indexer.index import Index

LIST = Path(__file__).resolve().parent / "natural.toml"
CODEMOAT, SEMBLE, PIECES, FILES = "codemoat", "semble", f"bm25-{PIECE_LINES}-lines", "bm25-files"
_SEMBLE_CHUNKS = 50
_LARGEST_FILE = 1_000_000
"""Bytes; larger files are no source that somebody wrote."""
Found = dict[str, list[str]]


@dataclass(frozen=True)
class History:
    """One entry of ``natural.toml``."""

    name: str
    url: str
    language: str
    revision: str


def main(arguments: list[str] | None = None) -> int:
    """Measure every history that is there and has no row yet; 1 when one is missing, 2 when all are."""
    options = parse(arguments)
    histories = [h for h in read_list(options.list) if not options.only or h.name in options.only]
    clones = {h.name: clone_of(options.histories, h) for h in histories}
    missing = [h for h in histories if clones[h.name] is None]
    for wanted in missing:
        print(f"{wanted.name}: no clone with revision {wanted.revision[:12]} in {options.histories}. Fetch it with:\n"
              f"  git clone --bare {wanted.url} {options.histories / wanted.name}", file=sys.stderr)  # fmt: skip
    results = Results(options.results, fresh=options.fresh)
    with ExitStack() as stack:
        semble = None
        for one in histories:
            clone = clones[one.name]
            if clone is None or results.done(repo=one.name, revision=one.revision, most=options.most):
                continue
            if semble is None and not options.no_semble:
                semble = stack.enter_context(Semble())
            tasks = choose(history(clone, one.revision), options.most)
            row = measure(one, clone, tasks, semble, details_to(options.details, one.name))
            results.add({**row, "most": options.most}, options.seed)
            print(line(row), file=sys.stderr)
    return 0 if not missing else 2 if len(missing) == len(histories) else 1


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Command line of this script."""
    parser = argparse.ArgumentParser(description="Find the files that a commit changed by its subject.")
    parser.add_argument("--histories", type=Path, required=True, help="folder with a clone of each repository, or bare")
    parser.add_argument("--most", type=int, default=30, help="tasks a repository (default 30)")
    parser.add_argument("--only", action="append", help="name of a repository; again for more (default: all)")
    parser.add_argument("--list", type=Path, default=LIST)
    parser.add_argument("--results", default="natural", help="name of the file of raw results")
    parser.add_argument("--details", type=Path, help="write each task's answers here, a line each")
    parser.add_argument("--no-semble", action="store_true")
    parser.add_argument("--fresh", action="store_true", help="forget earlier rows")
    parser.add_argument("--seed", type=int, default=0, help="recorded; nothing is drawn at random")
    return parser.parse_args(arguments)


def read_list(path: Path) -> list[History]:
    """The histories of a list, in order."""
    return [History(**entry) for entry in tomllib.loads(path.read_text("utf-8"))["history"]]


def clone_of(folder: Path, one: History) -> Path | None:
    """A clone below ``folder`` that holds the revision: ``NAME``, ``NAME.git`` or ``OWNER+NAME/repo``."""
    owner, name = one.url.removesuffix(".git").split("/")[-2:]
    for place in (folder / one.name, folder / f"{one.name}.git", folder / f"{owner}+{name}" / "repo"):
        command = git_command(place, "cat-file", "-e", f"{one.revision}^{{commit}}")
        if place.is_dir() and subprocess.run(command, capture_output=True, env=environment()).returncode == 0:
            return place
    return None


def measure(
    one: History, clone: Path, tasks: list[Task], semble: Semble | None, tell: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    """The row of one history."""
    each: list[dict[str, dict[str, float]]] = []
    with tempfile.TemporaryDirectory() as folder:
        tree, config = Path(folder, one.name), IndexConfig(cache_dir=Path(folder, "cache"))
        git("clone", "-q", "--shared", "--no-checkout", str(clone), str(tree))
        for number, task in enumerate(tasks):
            check_out(tree, task.before)
            with Index.open(tree, config, create=number == 0) as index:
                index.update()
                found = answers(index, tree, task.query, semble)
            each.append({system: measured(paths, task.targets) for system, paths in found.items()})
            tell({**asdict(task), "named": task.named, "side": task.side, "found": found, "scores": each[-1]})
    systems = {
        system: {
            **{measure: round(sum(e[system][measure] for e in each) / len(each), 4) for measure in MEASURES},
            "ndcg10_each": [round(e[system]["ndcg10"], 4) for e in each],
        }
        for system in each[0]
    }
    kinds = {"side": [int(t.side) for t in tasks], "named": [int(t.named) for t in tasks]}
    head = {"repo": one.name, "language": one.language, "revision": one.revision, "tasks": len(tasks)}
    return {**head, **kinds, "systems": systems}


def check_out(tree: Path, commit: str) -> None:
    """Make ``tree`` that of ``commit``. A clone may lack large files that are no source; others must be there."""
    try:
        git("-C", str(tree), "-c", "core.autocrlf=false", "checkout", "-q", "-f", "--detach", commit)
    except subprocess.CalledProcessError as exc:
        lacking = git("-C", str(tree), "ls-files", "-z", "--deleted").split("\0")
        listed = git("-C", str(tree), "ls-tree", "-r", "-z", "--name-only", commit)
        if any(map(is_source, lacking)) or listed != git("-C", str(tree), "ls-files", "-z"):
            raise SystemExit(f"{commit} cannot be checked out from this clone:\n{exc.stderr}") from exc
        git("-C", str(tree), "update-ref", "--no-deref", "HEAD", commit)


def answers(index: Index, tree: Path, query: str, semble: Semble | None) -> Found:
    """The first ten files of each system."""
    found = {CODEMOAT: distinct(hit.chunk.path for hit in index.search(query, DEPTH).hits)}
    if semble is not None:
        semble.index(tree, keep=True)
        found[SEMBLE] = distinct(hit["path"] for hit in semble.search(query, _SEMBLE_CHUNKS)[1])[:DEPTH]
    texts = source_texts(tree)
    found[PIECES] = PlainBm25(texts, PIECE_LINES).files(query, DEPTH)
    found[FILES] = PlainBm25(texts, None).files(query, DEPTH)
    return found


def source_texts(tree: Path) -> dict[str, str]:
    """Source files that git tracks, by path."""
    listed = git("-C", str(tree), "ls-files", "-z").split("\0")
    paths = [p for p in listed if is_source(p) and (tree / p).is_file() and not (tree / p).is_symlink()]
    return {p: (tree / p).read_text("utf-8", "replace") for p in paths if (tree / p).stat().st_size <= _LARGEST_FILE}


def git(*arguments: str) -> str:
    """Output of a git command about a tree that ``measure`` made."""
    command = ["git", "-c", "advice.detachedHead=false", *arguments]
    env = environment(cloning=arguments[0] == "clone")
    return subprocess.run(command, check=True, capture_output=True, text=True, env=env).stdout


def details_to(path: Path | None, name: str) -> Callable[[dict[str, Any]], None]:
    """Writes one line a task to ``path``, or nothing."""

    def tell(task: dict[str, Any]) -> None:
        if path is not None:
            with path.open("a", encoding="utf-8") as out:
                out.write(json.dumps({"repo": name, **task}) + "\n")

    return tell


def line(row: dict[str, Any]) -> str:
    """What is printed for a history."""
    scores: Iterable[str] = (f"{system} {values['ndcg10']:.3f}" for system, values in row["systems"].items())
    return f"{row['repo']:12} {row['tasks']:3} tasks  NDCG@10: {'  '.join(scores)}"


if __name__ == "__main__":
    raise SystemExit(main())
