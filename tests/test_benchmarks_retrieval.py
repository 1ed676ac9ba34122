from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import retrieval
from benchmarks.common import read_rows

QUERIES = [
    {"repo": "tiny", "query": "open a socket", "category": "semantic"},
    {"repo": "tiny", "query": "Cache", "category": "symbol"},
]


@pytest.fixture
def options(tmp_path: Path) -> list[str]:
    """Command line for a made-up repository whose benchmark root is ``src``."""
    source = tmp_path / "repos" / "tiny" / "src"
    source.mkdir(parents=True)
    (source / "net.py").write_text("def connect(host):\n    # open a socket to the host\n    return host\n")
    (source / "store.py").write_text("class Cache:\n    def get(self, key):\n        return key\n")
    (tmp_path / "repos" / "tiny" / "outside.py").write_text("class Cache: pass\n")
    (tmp_path / "queries.jsonl").write_text("".join(json.dumps(q) + "\n" for q in QUERIES))
    (tmp_path / "repos.json").write_text(json.dumps([{"name": "tiny", "benchmark_root": "src"}]))
    names = {"queries": "queries.jsonl", "repos-json": "repos.json", "repos": "repos", "out": "out.jsonl", "cache": "c"}
    return [part for name, file in names.items() for part in (f"--{name}", str(tmp_path / file))]


def test_results_in_the_scorers_format(options: list[str], tmp_path: Path) -> None:
    times = tmp_path / "times.json"
    assert retrieval.main([*options, "--times", str(times), "--seed", "7"]) == 0
    rows = read_rows(tmp_path / "out.jsonl")
    assert [(r["repo"], r["query"]) for r in rows] == [("tiny", "open a socket"), ("tiny", "Cache")]
    assert [r["results"][0]["path"] for r in rows] == ["net.py", "store.py"]
    assert rows[1]["results"][0]["start_line"] == 1
    assert all(r["seed"] == 7 and r["commit"] and r["machine"] and r["milliseconds"] > 0 for r in rows)
    assert "outside.py" not in {x["path"] for r in rows for x in r["results"]}
    measured = json.loads(times.read_text())["repositories"]["tiny"]
    assert measured["files"] == 2
    assert measured["query_ms_p50"] <= measured["query_ms_p95"]


def test_a_stopped_run_goes_on_and_another_commit_is_measured_again(options: list[str], tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    retrieval.main(options)
    first, second = out.read_text().splitlines()
    out.write_text(first + "\n")
    retrieval.main(options)
    assert [r["query"] for r in read_rows(out)] == ["open a socket", "Cache"]
    assert out.read_text().startswith(first)
    out.write_text(json.dumps({**json.loads(first), "commit": "other"}) + "\n" + second + "\n")
    retrieval.main(options)
    assert [r["query"] for r in read_rows(out)] == ["open a socket", "Cache", "open a socket"]


def test_missing_repositories_are_named(options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    repos = tmp_path / "repos.json"
    repos.write_text(json.dumps([{"name": "gone", "benchmark_root": None}, {"name": "tiny", "benchmark_root": "src"}]))
    assert retrieval.main(options) == 1
    assert "gone" in capsys.readouterr().err
    repos.write_text(json.dumps([{"name": "gone"}]))
    assert retrieval.main(options) == 2
