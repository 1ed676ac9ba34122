"""How fast a cancelled request frees the model, as its client sees it.

usage: python -m benchmarks.aborting [--runs N]

Half of the runs cancel while the prompt is evaluated, half while text is generated; each at a random moment. The time
is from the cancel until the stream has ended. Evaluated tokens are those of the prompt that were done by then.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
import threading
import time
from pathlib import Path

from assistant.llama.client import HostedLLM, HostSettings
from assistant.llama.hosts import stop_host
from assistant.llm import Cancel, Delta, FillRequest, Finished, Sampling
from assistant.models import DEFAULT_MODEL, resolve
from benchmarks.common import Results
from benchmarks.trees import tree

SEED = 5
LATEST_MOMENT = 0.5
"""Seconds after its beginning in which a request is cancelled."""


def main() -> None:
    """Measure, and add a row a run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=40)
    args = parser.parse_args()
    results = Results("aborting", fresh=True)
    picks = random.Random(SEED)
    files = sorted(path for path in tree("django").rglob("*.py") if path.stat().st_size > 20_000)
    with tempfile.TemporaryDirectory(prefix="cm") as folder:
        llm = HostedLLM(resolve(DEFAULT_MODEL), HostSettings(runtime_dir=Path(folder)))
        try:
            for _ in llm.fill(FillRequest("a.py", "x = ", "\n"), Sampling(max_tokens=1)):
                pass
            for number in range(args.runs):
                text = picks.choice(files).read_text("utf-8")[:6000]
                prompt = number % 2 == 0
                request = FillRequest("a.py", "# ", text) if prompt else FillRequest("a.py", "def main():\n    ", "\n")
                found = cancelled(llm, request, picks.uniform(0, LATEST_MOMENT))
                if found is None:
                    continue
                seconds, evaluated = found
                kind = "prompt evaluation" if prompt else "generation"
                load = round(os.getloadavg()[0], 1)
                results.add({"kind": kind, "ms": round(seconds * 1e3, 1), "evaluated": evaluated, "load": load}, SEED)
        finally:
            llm.close()
            stop_host(Path(folder))


def cancelled(llm: HostedLLM, request: FillRequest, moment: float) -> tuple[float, int] | None:
    """Seconds from the cancel, ``moment`` seconds after the request, until its end; prompt tokens evaluated by then.

    None if it ended by itself before.
    """
    cancel = Cancel()
    at: list[float] = []

    def stop() -> None:
        at.append(time.perf_counter())
        cancel.cancel()

    timer = threading.Timer(moment, stop)
    timer.start()
    end = Finished("stop")
    for event in llm.fill(request, Sampling(max_tokens=500), cancel):
        if not isinstance(event, Delta):
            end = event
    ended = time.perf_counter()
    timer.join()
    return (ended - at[0], end.timings.evaluated_tokens) if end.stop_reason == "cancelled" else None


if __name__ == "__main__":
    main()
