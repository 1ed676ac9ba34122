"""Tables say what the raw rows say."""

from __future__ import annotations

from benchmarks.report import TABLES, aborting, concurrency, crash, shifting

MACHINE = {"commit": "abc", "machine": "m, 2 cores", "date": "2026-01-01"}


def lines(table: str) -> list[str]:
    return [line for line in table.splitlines() if line.startswith("| ")]


def test_readers_with_a_writer_are_compared_with_those_without():
    row = {"queries": 400, "seconds": 10.04, "errors": 0, "p50_ms": 5.0, "p95_ms": 20.0, "phase": "idle", **MACHINE}
    busy = {**row, "phase": "full re-index", "errors": 2, "p50_ms": 10.0, "p95_ms": 25.0}
    assert lines(concurrency([row, busy]))[1:] == [
        "| idle | 400 in 10 s | 0 | 5.0 ms | 20.0 ms | 1.00 | 1.00 |",
        "| full re-index | 400 in 10 s | 2 | 10.0 ms | 25.0 ms | 2.00 | 1.25 |",
    ]


def test_crashes_are_counted_by_what_went_wrong():
    row = {"test": "test_stopped_at_any_change[full disk]", "events": {"full": 9, "nothing": 2}, **MACHINE}
    assert lines(crash([{**row, "wrong": {"lost": 3}}]))[1:] == [
        "| stopped at any change: full disk | 9 × full disk | 0 | 0 | 3 | 0 | 0 | 0 |"
    ]


def test_ways_are_compared_with_fresh_evaluation_of_the_same_holes():
    way = {"exact": True, "first8": True, "evaluated": 4, "text": "a"}
    row = {"move": "down 1", "evaluated afresh": {**way, "evaluated": 100}, "shift": way, **MACHINE}
    other = {**row, "move": "up 3", "shift": {**way, "exact": False, "text": "b"}}
    frozen = {**row, "freeze": {**way, "exact": False, "first8": False, "text": "c"}}
    table = lines(shifting([row, other, frozen]))
    assert table[1] == "| shift | all | 3 | 2 / 3 | 3 / 3 | 2 | 4 / 100 |"
    assert table[4] == "| freeze | all | 1 | 0 / 1 | 0 / 1 | 0 | 4 / 100 |"


def test_aborts_are_told_with_the_load():
    row = {"kind": "generation", "ms": 10.0, "load": 1.5, **MACHINE}
    assert lines(aborting([row, {**row, "ms": 30.0, "load": 0.5}]))[1:] == [
        "| cancel in generation | 2 | 20 ms | 30 ms | 0.5-1.5 |"
    ]


def test_memory_is_told_a_format_a_row():
    row = {"format": "", "file_mb": 468, "loaded_mb": 666, "used_mb": 1030, "own_mb": 713, "start_s": 2.21, **MACHINE}
    assert lines(TABLES["memory"]([row, {**row, "format": "Q8_0"}]))[1:] == [
        f"| {name} | 468 MB | 666 MB | 1,030 MB | 713 MB | 2.2 s |" for name in ("as it is", "Q8_0")
    ]


def test_the_latest_run_of_the_server_counts():
    row = {"idle": False, "edits": 1000, "completions": 25, "rebuilds": 16, "p50_ms": 0.7, "p99_ms": 4.6, **MACHINE}
    old = {**row, "max_ms": 99.0, "initialize_ms": 80.0}
    table = TABLES["lsp_latency"]([old, {**old, "max_ms": 67.2}])
    assert lines(table)[1:] == ["| 25 completions, 16 full re-indexes | 1,000 | 0.7 ms | 4.6 ms | 67 ms | 80 ms |"]
    early = {"kilobytes": 102_400, "threads": 10, "files": 24, "children": 3}
    soak = {"model": "scripted", "requests": 20_000, "memory_growth": 0.02, "early": early, **MACHINE}
    assert lines(TABLES["soak"]([{**soak, "late": {**early, "kilobytes": 104_448}}]))[1:] == [
        "| scripted | 20,000 | 100 → 102 MB (+2.0%) | 10 → 10 | 24 → 24 | 3 → 3 |"
    ]


def test_nothing_measured_is_no_table():
    assert [name for name, table in TABLES.items() if table([])] == []
