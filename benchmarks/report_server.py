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


def nvim(rows: list[Row]) -> Table | None:
    """What the Neovim plugin costs, beside its limits."""
    latest = {row["what"]: row for row in rows}
    if len(latest) != 2:
        return None
    start, key = latest["startup"], latest["keystrokes"]
    body: list[tuple[object, ...]] = [
        ("start-up with the plugin", f"{start['with_ms'] - start['without_ms']:+.2f} ms", "2 ms"),
        ("start-up with the plugin and `setup()`", f"{start['setup_ms'] - start['without_ms']:+.2f} ms", "2 ms"),
    ]
    for name, label in (("processor", "processor time"), ("wall", "wall time")):
        for point, text in (("p50", "median"), ("mean", "mean"), ("p95", "p95")):
            body.append((f"plugin, a key: {label}, {text}", f"{key[f'{name}_{point}_ms']:.2f} ms", "0.5 ms"))
    body.append(("editor process more than without, a key", f"{key['process_ms']:.2f} ms", ""))
    head = (f"medians of {start['runs']} starts; {key['keys']:,} keys, {key['suggested']} of a suggestion", "", "limit")
    return head, body, rows[-1]
