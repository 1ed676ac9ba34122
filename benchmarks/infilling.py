"""HumanEval single-line infilling (Bavarian et al., 2022), all 1,033 tasks: exact match and pass@1 with intervals.

usage: python -m benchmarks.infilling [--data FILE.jsonl.gz] [--model NAME] [--format F] [--limit N] [--threads N]

The data is ``data/HumanEval-SingleLineInfilling.jsonl.gz`` of the public repository openai/human-eval-infilling (MIT):
``git clone https://github.com/openai/human-eval-infilling`` and name the file. Completions go the way that an editor's
do (``Completer``: prompt layout, healing, trimming), one line, no other files, each task from an empty context (with
``--moved`` tokens of the task before are reused, as after a cursor's move). A task passes when the program with the
completion in it passes its tests in a process of its own, within 5 seconds. A stopped run goes on.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from assistant.completion.completer import Completer
from assistant.completion.request import CompletionRequest, CompletionSettings
from assistant.llama.engine import LocalLLM
from assistant.llama.native import requantise
from assistant.llama.settings import EngineSettings
from assistant.llama.threads import usable_cores
from assistant.models import DEFAULT_MODEL, resolve
from benchmarks.common import Results

DATA = Path(os.environ.get("CODEMOAT_INFILLING", "HumanEval-SingleLineInfilling.jsonl.gz"))
SECONDS = 5
MEMORY = 2 << 30
"""Bytes of address space that a task's program may take."""


def main(arguments: list[str] | None = None) -> int:
    """Complete and test what is missing in the results; print the figures. 2 when the data is not there."""
    parser = argparse.ArgumentParser(description="HumanEval single-line infilling.")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--limit", type=int, help="only every n-th task, so that so many are left")
    parser.add_argument("--moved", action="store_true", help="reuse moved tokens of the task before")
    parser.add_argument("--format", help="requantised to this first, as `codemoat models tune` does: Q8_0, Q4_0")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--fresh", action="store_true", help="forget earlier rows")
    options = parser.parse_args(arguments)
    if not options.data.exists():
        print(f"infilling: skipped. {options.data} is not there; see the head of benchmarks/infilling.py.")
        return 2
    tasks = read(options.data)
    if options.limit:
        tasks = tasks[:: max(1, len(tasks) // options.limit)][: options.limit]
    results = Results("infilling", fresh=options.fresh)
    name = options.model + (" moved" if options.moved else "") + (f" in {options.format}" if options.format else "")
    path = resolve(options.model)
    if options.format:
        path = Path(tempfile.gettempdir()) / f"infilling-{path.stem}-{options.format.lower()}.gguf"
        requantise(resolve(options.model), path, options.format)
    llm = LocalLLM(path, EngineSettings(threads=options.threads or usable_cores()))
    completer = Completer(None, llm, CompletionSettings(multiline=False))
    for number, task in enumerate(tasks):
        if results.done(task=task["task_id"], model=name):
            continue
        if not options.moved:
            llm.forget()
        results.add({"task": task["task_id"], "model": name, **complete(completer, task)})
        if number % 50 == 49:
            print(f"{number + 1}/{len(tasks)}", file=sys.stderr)
    llm.close()
    if options.format:
        path.unlink()
    rows = [row for row in results.rows if row["model"] == name]
    for figure in ("exact", "passed"):
        share, low, high = interval(sum(row[figure] for row in rows), len(rows))
        print(f"{figure:7} {share:.3f} [{low:.3f}, {high:.3f}] of {len(rows)}")
    return 0


def read(path: Path) -> list[dict[str, Any]]:
    """The tasks, in order."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def complete(completer: Completer, task: dict[str, Any]) -> dict[str, Any]:
    """One task: whether the line is exactly the one that was taken out, and whether the program works."""
    request = CompletionRequest("solution.py", "python", 0, task["prompt"], "\n" + task["suffix"])
    done = completer.complete(request)
    wanted = task["canonical_solution"].rstrip()
    line = done.text.rstrip()
    exact = line == wanted
    return {
        "exact": exact,
        "passed": exact or passes(program(task, line)),
        "shown": bool(line),
        "reason": done.stop_reason,
        "evaluated": done.timings.evaluated_tokens,
        "generated": done.timings.generated_tokens,
    }


def program(task: dict[str, Any], line: str) -> str:
    """The task's function with ``line`` in it, and its tests."""
    return f"{task['prompt']}{line}\n{task['suffix']}\n{task['test']}\ncheck({task['entry_point']})\n"


def passes(text: str) -> bool:
    """Whether a program ends without an error; in an empty folder, without the network's environment, for 5 seconds."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            ended = subprocess.run(
                [sys.executable, "-I", "-c", text],
                cwd=folder,
                env={"PATH": ""},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=SECONDS,
                preexec_fn=_limited,
            )
        except (subprocess.TimeoutExpired, ValueError):
            return False
    return ended.returncode == 0


def _limited() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))


def interval(hits: int, total: int) -> tuple[float, float, float]:
    """A share with its 95 % interval (Wilson, 1927)."""
    if not total:
        return 0.0, 0.0, 1.0
    share, z = hits / total, 1.96
    middle = share + z * z / (2 * total)
    spread = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    whole = 1 + z * z / total
    return share, (middle - spread) / whole, (middle + spread) / whole


if __name__ == "__main__":
    raise SystemExit(main())
