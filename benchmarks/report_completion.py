"""Tables of README.md about completion: typing replayed, HumanEval infilling, tuning."""

from __future__ import annotations

from typing import Any

from benchmarks.common import median
from benchmarks.infilling import interval
from benchmarks.typing import paired, summary

Row = dict[str, Any]
Table = tuple[tuple[str, ...], list[tuple[object, ...]], Row]


def typing(rows: list[Row]) -> Table | None:
    """Each figure beside the baseline's, and their ratio."""
    rows = paired(rows)
    ways = {way: summary([row for row in rows if row["way"] == way]) for way in dict.fromkeys(r["way"] for r in rows)}
    if "codemoat" not in ways:
        return None
    ours, theirs = ways["codemoat"], ways.get("llama.vim")
    body: list[tuple[object, ...]] = []
    for key, label in LABELS.items():
        own, other = ours[key], theirs[key] if theirs else ""
        ratio = f"{own / other:.3f}" if isinstance(other, float | int) and other and key in RATIOS else ""
        body.append((label, own, other, ratio))
    return ("", "codemoat", "llama-server as llama.vim drives it", "ratio"), body, rows[-1]


RATIOS = {
    "model_p50",
    "model_p95",
    "whole_p50",
    "whole_p95",
    "all_p50",
    "all_p95",
    "first",
    "evaluated_each",
    "generated_each",
}
LABELS = {
    "sessions": "sessions",
    "keystrokes": "keystrokes",
    "model_p50": "seconds until something is shown, keystrokes that need the model, p50",
    "model_p95": "… p95",
    "whole_p50": "seconds until a suggestion is whole, the same keystrokes, p50",
    "whole_p95": "… p95",
    "all_p50": "seconds until something is shown, all keystrokes, p50",
    "all_p95": "… p95",
    "first": "seconds to the first suggestion in a file, after 5 s of reading",
    "evaluated_each": "tokens evaluated a keystroke",
    "generated_each": "tokens generated a keystroke",
    "known_share": "share of keystrokes answered without the model",
    "into_known": "… of those typed into a shown suggestion",
    "answered_share": "share of keystrokes answered before the next",
    "shown_share": "share of keystrokes with a suggestion",
}


def infilling(rows: list[Row]) -> Table | None:
    """Exact match and pass@1 a model, with 95 % intervals."""
    body: list[tuple[object, ...]] = []
    for model in dict.fromkeys(row["model"] for row in rows):
        own = [row for row in rows if row["model"] == model]
        cells = []
        for name in ("exact", "passed"):
            share, low, high = interval(sum(row[name] for row in own), len(own))
            cells.append(f"{share:.3f} [{low:.3f}, {high:.3f}]")
        empty = sum(not row["shown"] for row in own) / len(own)
        body.append((model, len(own), *cells, f"{empty:.3f}"))
    return (("model", "tasks", "exact match", "pass@1", "nothing shown"), body, rows[-1]) if rows else None


def tuning(rows: list[Row]) -> Table | None:
    """Speeds before and after, medians of the runs."""
    if not rows:
        return None
    body: list[tuple[object, ...]] = []
    for key, label in (("prompt", "prompt"), ("generation", "generation")):
        before, after = (median(r["tuned"][name] for r in rows) for name in (f"{key}_before", key))
        ratio = median(r["tuned"][key] / r["tuned"][f"{key}_before"] for r in rows)
        body.append((f"{label}, tokens a second", f"{before:.0f}", f"{after:.0f}", f"{ratio:.2f} ×"))
    last = rows[-1]["tuned"]
    way = (
        f"{last['file'] or 'the file itself'}, {last['threads']} threads, "
        f"flash attention {'on' if last['flash_attention'] else 'off'}, steps of {last['micro_batch']}"
    )
    body.append(("what was chosen", "", way, ""))
    body.append(("holes' text less likely, nats a token", "", f"{last['loss']:+.3f}", ""))
    return ("", "llama.cpp's defaults", "tuned", "ratio"), body, rows[-1]
