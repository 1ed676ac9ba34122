"""Tables of README.md about the language server and its client in VS Code."""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]
Table = tuple[tuple[str, ...], list[tuple[object, ...]], Row]


def latency(rows: list[Row]) -> Table | None:
    """The latest run beside work and the latest without."""
    latest = {row["idle"]: row for row in rows}
    if not latest:
        return None
    body: list[tuple[object, ...]] = [
        (
            "nothing" if idle else f"{row['completions']} completions, {row['rebuilds']} full re-indexes",
            f"{row['edits']:,}",
            f"{row['p50_ms']:.1f} ms",
            f"{row['p99_ms']:.1f} ms",
            f"{row['max_ms']:.0f} ms",
            f"{row['initialize_ms']:.0f} ms",
        )
        for idle, row in sorted(latest.items(), reverse=True)
    ]
    return ("beside", "edits", "p50", "p99", "longest", "process start to `initialize` answered"), body, rows[-1]


def soak(rows: list[Row]) -> Table | None:
    """The latest session with each model."""
    latest = {row["model"]: row for row in rows}
    if not latest:
        return None
    body: list[tuple[object, ...]] = []
    for model, row in latest.items():
        early, late = row["early"], row["late"]
        counts = (f"{early[name]} → {late[name]}" for name in ("threads", "files", "children"))
        memory = f"{early['kilobytes'] / 1024:.0f} → {late['kilobytes'] / 1024:.0f} MB ({row['memory_growth']:+.1%})"
        body.append((model, f"{row['requests']:,}", memory, *counts))
    head = ("model", "requests", "memory, after a fifth → at the end", "threads", "open files", "child processes")
    return head, body, rows[-1]


def vscode(rows: list[Row]) -> Table | None:
    """The latest run."""
    if not rows:
        return None
    row = rows[-1]
    times = sorted(row["activation_ms"])
    body = [
        (
            str(len(times)),
            f"{times[len(times) // 2]:.0f} ms",
            f"{times[-1]:.0f} ms",
            f"{row['vsix_bytes'] / 1e6:.2f} MB",
        )
    ]
    return ("starts", "activation, median", "longest", "`.vsix`"), [tuple(body[0])], row
