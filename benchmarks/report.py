"""Write the tables of README.md from the raw results, between their markers.

usage: python -m benchmarks.report
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import report_completion, report_search, report_server
from benchmarks.common import RESULTS, ROOT, median, percentile, read_rows
from benchmarks.crash import WRONG

README = Path(__file__).resolve().parent / "README.md"
SCORER = ROOT.parent / "shared" / "bench" / "retrieval" / "score.py"
Row = dict[str, Any]


def main() -> None:
    """Replace every table whose raw results are there; the others stay as they are."""
    text = README.read_text("utf-8")
    for name, table in TABLES.items():
        made = table(read_rows(RESULTS / f"{name}.jsonl"))
        if made:
            marks = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
            text = marks.sub(lambda found, made=made: found[1] + made + found[2], text)
    README.write_text(text, "utf-8")


def markdown(head: Sequence[str], rows: Iterable[Sequence[object]], source: Row) -> str:
    """A table and a line that says what it was measured with."""
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    lines += [f"| {' | '.join(map(str, row))} |" for row in rows]
    return "\n".join(lines) + f"\n\n*Commit {source['commit']}, {source['machine']}, {source['date']}.*\n"


def startup(rows: list[Row]) -> str:
    """Ratios to ``import numpy``."""
    if not rows:
        return ""
    body = [(f"`{r['command']}`", f"{r['median_s'] * 1000:.0f} ms", f"{r['ratio']:.2f}") for r in rows]
    return markdown(("command, whole process", f"median of {rows[0]['runs']}", "× `import numpy`"), body, rows[-1])


def grep(rows: list[Row]) -> str:
    """Exact search beside ripgrep."""
    if not rows:
        return ""
    body = [
        (
            r["tree"],
            f"`{r['options']} '{r['pattern']}'`".replace("|", "\\|"),
            f"{r['lines']:,}",
            f"{r['candidates']:,}",
            f"{r['rg_s'] * 1000:.0f} ms",
            f"{r['codemoat_s'] * 1000:.0f} ms",
            f"{r['codemoat_all_s'] * 1000:,.0f} ms",
            f"{r['inside_s'] * 1000:.0f} ms",
        )
        for r in rows
    ]
    head = ("tree", "pattern", "lines", "candidates", "rg", "codemoat, 100", "codemoat, all", "open")
    return markdown(head, body, rows[-1])


def indexing(rows: list[Row]) -> str:
    """Medians a tree, codemoat and semble side by side."""
    if not rows:
        return ""
    groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        groups[row["tree"], row["system"]].append(row)
    body = []
    for (tree, system), own in groups.items():
        last, cell = own[-1], middle(own)
        size = f"{last['files']} files, {last['source_mb']} MB" if "files" in last else ""
        index = f"{last['index_mb']} MB" if "index_mb" in last else ""
        updates = (cell("unchanged_s", "{:.2f} s"), cell("one_file_s", "{:.2f} s"))
        body.append((tree, system, size, cell("cold_s", "{:.2f} s"), cell("peak_mb", "{:.0f} MB"), *updates, index))
    head = ("tree", "system", "size", "cold index", "peak memory", "no change", "one file edited", "index size")
    return markdown(head, body, rows[-1])


def middle(rows: list[Row]) -> Callable[[str, str], str]:
    """Formats the median of a column, empty where it was not measured."""
    return lambda key, form: form.format(median(r[key] for r in rows)) if key in rows[0] else ""


def masking(rows: list[Row]) -> str:
    """Rate of looking for secrets, a tree a row."""
    if not rows:
        return ""
    body = [(r["tree"], f"{r['mb']} MB", f"{r['mb_per_s']} MB/s", r["masked"]) for r in rows]
    return markdown(("tree", "size", "rate, one core", "items masked"), body, rows[-1])


def assistant(rows: list[Row]) -> str:
    """Seconds and evaluated tokens by kind of request, and how many answers were right."""
    if not rows:
        return ""
    body = []
    for kind in dict.fromkeys(row["kind"] for row in rows):
        own = [row for row in rows if row["kind"] == kind]
        note = ""
        if kind == "answer":
            shares = [f"{sum(bool(r.get(key)) for r in own)}/{len(own)} {says}" for key, says in ANSWER_CHECKS]
            note = ", ".join([*shares, f"first token after {median(r['first_token_s'] for r in own):.1f} s"])
        seconds, evaluated = median(r["seconds"] for r in own), median(r["evaluated"] for r in own)
        body.append((kind, f"{seconds:.2f} s", f"{evaluated:.0f}", note))
    return markdown(("request", "median", "tokens evaluated", ""), body, rows[-1])


def shifting(rows: list[Row]) -> str:
    """How often each way was right, over the moves that it was measured for, beside fresh evaluation of the same."""
    if not rows:
        return ""
    fresh = "evaluated afresh"
    body = []
    for way in ("shift", "freeze"):
        for move in (None, *dict.fromkeys(row["move"] for row in rows)):
            own = [row for row in rows if way in row and move in (None, row["move"])]
            if not own:
                continue

            def pair(key: str, own: list[Row] = own, way: str = way) -> str:
                return f"{sum(row[way][key] for row in own)} / {sum(row[fresh][key] for row in own)}"

            same = sum(row[way]["text"] == row[fresh]["text"] for row in own)
            evaluated = (f"{sum(row[kind]['evaluated'] for row in own) / len(own):.0f}" for kind in (way, fresh))
            body.append((way, move or "all", len(own), pair("exact"), pair("first8"), same, " / ".join(evaluated)))
    head = (
        "way",
        "move",
        "holes",
        "exact / afresh",
        "first 8 characters / afresh",
        "same text",
        "tokens evaluated / afresh",
    )
    return markdown(head, body, rows[-1])


def aborting(rows: list[Row]) -> str:
    """Milliseconds until a cancelled request has ended."""
    if not rows:
        return ""
    body: list[tuple[object, ...]] = []
    for kind in dict.fromkeys(row["kind"] for row in rows):
        own = [row for row in rows if row["kind"] == kind]
        times = [row["ms"] for row in own]
        loads = f"{min(row['load'] for row in own)}-{max(row['load'] for row in own)}"
        body.append(
            (f"cancel in {kind}", len(own), f"{median(times):.0f} ms", f"{percentile(times, 0.95):.0f} ms", loads)
        )
    return markdown(("", "runs", "p50", "p95", "load of the machine"), body, rows[-1])


def memory(rows: list[Row]) -> str:
    """The host's memory, a format of the default model a row."""
    if not rows:
        return ""
    keys = ("file_mb", "loaded_mb", "used_mb", "own_mb")
    body = [(r["format"] or "as it is", *(f"{r[key]:,} MB" for key in keys), f"{r['start_s']:.1f} s") for r in rows]
    head = ("file", "size", "loaded", "both contexts used", "of that its own", "start to the first token")
    return markdown(head, body, rows[-1])


ANSWER_CHECKS = (("right", "hold the fact"), ("right_source", "have the right file"), ("cited", "cite it"))


def retrieval(rows: list[Row]) -> str:
    """What the benchmark's own scorer says of the raw results."""
    if not rows or not SCORER.exists():
        return ""
    scores = RESULTS / "retrieval-scores.json"
    command = [sys.executable, str(SCORER), str(RESULTS / "retrieval.jsonl"), "--json", str(scores)]
    subprocess.run(command, check=True, capture_output=True)
    found = json.loads(scores.read_text("utf-8"))
    parts = {"all, mean of repositories": found["overall"]}
    parts |= {f"category {name}": value for name, value in found["by_category"].items()}
    parts |= {f"language {name}": value for name, value in found["by_language"].items()}
    body = [(name, *(f"{value[key]:.3f}" for key in ("ndcg10", "r@10", "mrr10"))) for name, value in parts.items()]
    return markdown(
        (f"{found['answered']} of {found['queries']} queries", "NDCG@10", "recall@10", "MRR@10"), body, rows[-1]
    )


def concurrency(rows: list[Row]) -> str:
    """Readers without and with a writer, and the ratio of their times."""
    if not rows:
        return ""
    idle = rows[0]
    body = [
        (
            r["phase"], f"{r['queries']} in {r['seconds']:.0f} s", r["errors"], f"{r['p50_ms']:.1f} ms",
            f"{r['p95_ms']:.1f} ms", f"{r['p50_ms'] / idle['p50_ms']:.2f}", f"{r['p95_ms'] / idle['p95_ms']:.2f}",
        )
        for r in rows
    ]  # fmt: skip
    return markdown(("writer", "queries", "errors", "p50", "p95", "× p50", "× p95"), body, rows[-1])


def scale(rows: list[Row]) -> str:
    """Growth from a thousand files to the whole kernel."""
    rows = sorted(rows, key=lambda row: row["files"])
    body = [
        (
            f"{r['files']:,}", f"{r['source_mb']:.0f} MB", f"{r['cold_s']:.0f} s",
            "" if r["ctags_s"] is None else f"{r['ctags_s']:.1f} s", f"{r['peak_mb']:,} MB", f"{r['share']:.2f}",
            f"{r['query_ms_p50']:.1f} / {r['query_ms_p95']:.1f} ms", f"{r['recall']:.2f}", f"{r['unchanged_s']:.2f} s",
        )
        for r in rows
    ]  # fmt: skip
    head = ("files", "source", "cold index", "ctags", "peak memory", "index ÷ source", "query p50 / p95",
            "recall@10 of vectors", "no change")  # fmt: skip
    return markdown(head, body, rows[-1]) if rows else ""


def changes(rows: list[Row]) -> str:
    """What one change costs in a repository of ten thousand files."""
    if not rows:
        return ""
    body = [(r["what"], r["runs"], f"{r['ms_p50']:.0f} ms", f"{r['ms_p95']:.0f} ms") for r in rows]
    return markdown((f"in {rows[0]['files']:,} files", "runs", "p50", "p95"), body, rows[-1])


def watching(rows: list[Row]) -> str:
    """Whatever a tree has been measured for, a tree a row."""
    if not rows:
        return ""
    keys = list(dict.fromkeys(key for row in rows for key in row if key.endswith(("_ms", "_s", "_percent"))))
    body = [(r["tree"], *(r.get(key, "") for key in keys)) for r in rows]
    return markdown(("tree", *(key.replace("_", " ") for key in keys)), body, rows[-1])


def natural(rows: list[Row]) -> str:
    """Developers' own words."""
    return report_search.natural(rows, markdown)


def beside(rows: list[Row]) -> str:
    """Codemoat and semble in turns."""
    return report_search.beside(rows, markdown)


def embedders(rows: list[Row]) -> str:
    """Other embedding models."""
    return report_search.embedders(rows, markdown)


CRASHES = {"kill": "`kill -9`", "full": "full disk", "harm": "ruined file"}


def crash(rows: list[Row]) -> str:
    """Events and what was counted after them, a test a row."""
    if not rows:
        return ""
    body = []
    for row in rows:
        what = [f"{count} × {CRASHES[kind]}" for kind, count in row["events"].items() if kind in CRASHES]
        counted = [row["wrong"].get(kind, 0) for kind in WRONG]
        name = row["test"].removeprefix("test_").replace("_", " ").replace("[", ": ").rstrip("]")
        body.append((name, ", ".join(what), *counted))
    return markdown(("test", "events", *WRONG), body, rows[-1])


def made(table: Callable[[list[Row]], report_completion.Table | None]) -> Callable[[list[Row]], str]:
    """A table of another file as Markdown."""

    def write(rows: list[Row]) -> str:
        found = table(rows)
        return "" if found is None else markdown(*found)

    return write


TABLES = {
    "startup": startup,
    "grep": grep,
    "indexing": indexing,
    "masking": masking,
    "assistant": assistant,
    "shifting": shifting,
    "aborting": aborting,
    "memory": memory,
    "typing": made(report_completion.typing),
    "infilling": made(report_completion.infilling),
    "tuning": made(report_completion.tuning),
    "lsp_latency": made(report_server.latency),
    "soak": made(report_server.soak),
    "vscode": made(report_server.vscode),
    "nvim": made(report_server.nvim),
    "retrieval": retrieval,
    "beside": beside,
    "natural": natural,
    "embedders": embedders,
    "concurrency": concurrency,
    "scale": scale,
    "changes": changes,
    "watching": watching,
    "crash": crash,
}


if __name__ == "__main__":
    main()
