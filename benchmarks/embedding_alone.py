"""The embedding by itself on the public code search benchmark: files ranked by the best cosine of their chunks.

usage: python -m benchmarks.embedding_alone --queries F --repos-json F --repos DIR --out RESULTS.jsonl [--data FOLDER]

Chunks are those of the index, without paths, and nothing else has a say: no words, names or kinds of file. ``--data``
is the folder of another static embedding than the shipped one; ``--cache`` keeps the indexes between runs.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from benchmarks.retrieval import RESULTS_EACH, by_repository, cache_folder, root_of
from indexer.chunk import chunk
from indexer.config import IndexConfig
from indexer.embed import Embedder, StaticEmbedder, embedding_text, load_embedder
from indexer.index import Index
from indexer.languages import detect
from indexer.parse import parse


def main(arguments: list[str] | None = None) -> int:
    """Rank every repository's files for its queries."""
    parser = argparse.ArgumentParser(description="Rank files by the embedding alone.")
    parser.add_argument("--queries", type=Path, required=True)
    parser.add_argument("--repos-json", type=Path, required=True)
    parser.add_argument("--repos", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", type=Path, help="folder of a static embedding")
    parser.add_argument("--cache", type=Path, help="keep the indexes here (default: a temporary folder)")
    options = parser.parse_args(arguments)
    queries = by_repository(options.queries)
    embedder = StaticEmbedder(options.data) if options.data else load_embedder("static")
    with options.out.open("w", encoding="utf-8") as out, cache_folder(options.cache) as cache:
        for repository in json.loads(options.repos_json.read_text("utf-8")):
            root = root_of(options.repos, repository)
            if not root.is_dir():
                print(f"{repository['name']} is not there", file=sys.stderr)
                continue
            paths, texts = chunks(root, cache)
            vectors = embedder.embed(texts)
            for query in queries.get(repository["name"], ()):
                results = [
                    {"path": p, "start_line": None, "end_line": None}
                    for p in ranked(query["query"], paths, vectors, embedder)
                ]
                out.write(json.dumps({"repo": repository["name"], "query": query["query"], "results": results}) + "\n")
    return 0


def chunks(root: Path, cache: Path) -> tuple[list[str], list[str]]:
    """Path and embedded text of every chunk below ``root``."""
    paths, texts = [], []
    config = IndexConfig(cache_dir=cache)
    with Index.open(root, config, create=True) as index:
        index.update()
        for path in index.paths():
            text = (index.text(path) or "").encode()
            parsed = parse(path, text, detect(path, text), block_bytes=2 * config.chunk_bytes)
            for row in chunk(parsed, text, config.chunk_bytes):
                paths.append(path)
                texts.append(embedding_text(text[row.start_byte : row.end_byte].decode(), row.symbol))
    return paths, texts


def ranked(query: str, paths: list[str], vectors: np.ndarray, embedder: Embedder) -> list[str]:
    """The files with the best chunks, best first."""
    scores = vectors @ embedder.embed_query(query)
    order = np.argsort(-scores, kind="stable")
    return list(dict.fromkeys(paths[i] for i in order))[:RESULTS_EACH]


if __name__ == "__main__":
    sys.exit(main())
