"""codemoat on the public queries as ``beside`` measures it, and what the tables make of raw rows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import beside
from benchmarks.common import read_rows
from benchmarks.report import TABLES
from benchmarks.report_search import spent

SCORER = """
import pathlib
import json
def evaluate(path, repos):
    assert repos == {"tiny"}
    for line in pathlib.Path(path).read_text().splitlines():
        row = json.loads(line)
        first = row["results"][0]["path"] if row["results"] else ""
        yield {"query": row["query"], "category": row["query"][:1]}, {"ndcg10": float(first == "net.py")}, True
"""
MACHINE = {"commit": "abc", "machine": "m, 2 cores", "date": "2026-01-01"}


@pytest.fixture
def options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Command line for a made-up benchmark with one repository of two."""
    monkeypatch.setattr("benchmarks.common.RESULTS", tmp_path / "results")
    shared, source = tmp_path / "shared", tmp_path / "repos" / "tiny"
    shared.mkdir()
    source.mkdir(parents=True)
    (source / "net.py").write_text("def connect(host):\n    return socket(host)\n")
    (source / "store.py").write_text("class Cache:\n    def evict(self):\n        pass\n")
    asked = [{"repo": "tiny", "query": q, "language": "python"} for q in ("connect to host", "evict")]
    (shared / "queries.jsonl").write_text("".join(json.dumps(query) + "\n" for query in asked))
    (shared / "repos.json").write_text(json.dumps([{"name": "gone"}, {"name": "tiny", "benchmark_root": None}]))
    (shared / "score.py").write_text(SCORER)
    return ["--shared", str(shared), "--repos", str(tmp_path / "repos"), "--no-semble", "--runs", "2"]


def test_every_run_is_timed_and_the_first_one_judged(options: list[str], tmp_path: Path, capsys) -> None:
    assert beside.main(options) == 1
    assert "gone" in capsys.readouterr().err
    rows = read_rows(tmp_path / "results" / "beside.jsonl")
    assert [(r["run"], r["system"]) for r in rows] == [(0, "codemoat"), (0, "bm25-50-lines"), (1, "codemoat")]
    assert [r.get("ndcg10_each") for r in rows] == [[1, 0], [1, 0], None]
    assert rows[0]["categories"] == ["c", "e"]
    assert len(rows[2]["query_ms"]) == 2
    assert rows[2]["chunks"] == 2
    beside.main(options)
    assert len(read_rows(tmp_path / "results" / "beside.jsonl")) == 3


def test_without_the_benchmark_it_says_so(tmp_path: Path, capsys) -> None:
    assert beside.main(["--shared", str(tmp_path), "--repos", str(tmp_path)]) == 2
    assert "are not in" in capsys.readouterr().err


def row(system: str, repo: str, run: int, index_s: float, ms: list[float], **more: object) -> dict[str, object]:
    return {"system": system, "repo": repo, "run": run, "index_s": index_s, "query_ms": ms, **MACHINE, **more}


def cells(table: str, first: str) -> list[str]:
    line = next(line for line in table.splitlines() if line.startswith(f"| {first} "))
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


def test_a_run_that_was_stopped_counts_for_no_time() -> None:
    rows = [row("codemoat", repo, run, 2.0, [1.0, 3.0]) for repo, run in (("a", 0), ("b", 0), ("a", 1))]
    assert spent(rows) == [(2.0, 3.0, 4.0)]


def test_qualities_are_means_of_repositories_and_ratios_are_of_the_same_run() -> None:
    def judged(language: str, scores: list[float]) -> dict[str, object]:
        return {"language": language, "ndcg10_each": scores, "categories": ["symbol", "semantic", "semantic"]}

    a, b = judged("go", [1, 0.5, 0.5]), judged("c", [0, 0, 0])
    rows = [row("codemoat", "a", 0, 1, [1, 1, 1], **a), row("codemoat", "b", 0, 3, [1, 1, 1], **b)]
    rows += [row("semble", "a", 0, 2, [2, 2, 2], **a), row("semble", "b", 0, 6, [2, 2, 2], **b)]
    rows += [{"system": "bm25-50-lines", "repo": "b", "run": 0, **b, **MACHINE}]
    table = TABLES["beside"](rows)
    assert cells(table, "codemoat") == ["0.333", "0.250", "0.500", "1.00", "1.00", "4.0"]
    assert cells(table, "BM25, 50 lines") == ["0.000", "0.000", "0.000", "", "", ""]
    assert cells(table, "codemoat ÷ semble") == ["", "", "", "0.50", "0.50", "0.50"]
    assert cells(table, "go") == ["0.667", "0.667", ""]


def test_developers_words_are_told_apart_by_what_is_to_be_found() -> None:
    def systems(ours: list[float], theirs: list[float]) -> dict[str, object]:
        return {
            name: {"ndcg10": sum(e) / 2, "recall10": 0.5, "mrr10": 0.25, "ndcg10_each": e}
            for name, e in (("codemoat", ours), ("bm25-files", theirs))
        }

    one = {
        "repo": "a",
        "language": "go",
        "tasks": 2,
        "side": [1, 0],
        "named": [0, 0],
        "systems": systems([0, 1], [0, 0.5]),
    }
    two = {**one, "repo": "b", "side": [0, 0], "systems": systems([0.5, 0.5], [0, 0])}
    table = TABLES["natural"]([{**one, **MACHINE}, {**two, **MACHINE}])
    assert cells(table, "**mean NDCG@10**") == ["", "", "**0.500**", "**0.125**"]
    assert cells(table, "NDCG@10, source files to find") == ["", "3", "0.750", "0.250"]
    assert cells(table, "NDCG@10, tests or examples to find") == ["", "1", "0.000", "0.000"]
    assert "the query holds a file's stem" not in table
    assert "BM25, whole files +0.375 [" in table


def test_embeddings_are_summed_over_repositories() -> None:
    base = {"embedder": "m", "what": "mini", "megabytes": 90.4, "dimension": 384, **MACHINE}
    rows = [
        {
            **base,
            "repo": "a",
            "chunks": 100,
            "embed_s": 3,
            "query_ms": [2, 4],
            "alone_each": [1, 0],
            "ndcg10_each": [1, 1],
        },
        {**base, "repo": "b", "chunks": 300, "embed_s": 5, "query_ms": [9], "alone_each": [1], "ndcg10_each": [0.5]},
    ]
    assert cells(TABLES["embedders"](rows), "mini") == ["0.750", "0.750", "20.0 s", "4.00 ms", "90 MB", "384"]
