"""Tables say what the raw rows say."""

from __future__ import annotations

from benchmarks.report import TABLES, concurrency, crash

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


def test_nothing_measured_is_no_table():
    assert [name for name, table in TABLES.items() if table([])] == []
