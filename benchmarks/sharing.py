"""A question beside completions: how long its first word takes, and what completions lose meanwhile.

usage: python -m benchmarks.sharing [--runs N] [--clients N] [--pause SECONDS] [--tokens N] [--completions N]

In turns, with one model host of its own: completions alone, a question alone, the question beside completions. Each
client of the host completes without an end in a file of this repository: when one completion is whole, the next
characters of the file are typed and the next one begins, at once or after ``--pause``. The first client stands for an
editor, a further one for a command line; each has a file of its own. A question has some ``--tokens`` tokens of prompt
that no question before it had. Times are of the wall clock as the asker sees them.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from assistant.llama.client import HostedLLM, HostSettings
from assistant.llama.hosts import stop_host
from assistant.llm import Cancel, Delta, FillRequest, Message, Sampling
from assistant.models import DEFAULT_MODEL, resolve
from benchmarks.common import ROOT, Results, median, percentile

SEED = 14
_COMPLETION_TOKENS = 24
_ANSWER_TOKENS = 24
_TYPED = 12
"""Characters that are typed between two completions."""
_BEFORE, _AFTER = 2400, 800
"""Characters of the file before and after the cursor that a completion shows."""
_CHARACTERS_A_TOKEN = 3.6
"""Of Python code, roughly."""


@dataclass
class Completed:
    """Milliseconds to the first word and to the end of each completion."""

    first: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)


def main() -> None:
    """Measure, add a row a run, and print medians."""
    parser = argparse.ArgumentParser(description="A question beside completions.")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--clients", type=int, default=1, help="how many complete at once")
    parser.add_argument("--pause", type=float, default=0.0, help="seconds between a client's completions")
    parser.add_argument("--tokens", type=int, default=1500, help="of a question's prompt, roughly")
    parser.add_argument("--completions", type=int, default=6, help="of each run that are measured without a question")
    args = parser.parse_args()
    results = Results("sharing")
    texts = [path.read_text("utf-8") for path in sorted((ROOT / "indexer").glob("*.py"))]
    picks = random.Random(SEED)
    rows = []
    with tempfile.TemporaryDirectory(prefix="cm") as folder:
        settings = HostSettings(runtime_dir=Path(folder), idle_seconds=60)
        try:
            asker = HostedLLM(resolve(DEFAULT_MODEL), settings)
            first_word(asker, "Say yes.")  # loads the model, and makes both contexts
            clients = [HostedLLM(resolve(DEFAULT_MODEL), settings) for _ in range(args.clients)]
            for run in range(args.runs):
                with completing(clients, texts, args.pause) as done:
                    until(done, args.completions + 1)
                alone, alone_whole = first_word(asker, question(picks, texts, args.tokens))
                with completing(clients, texts, args.pause) as meanwhile:
                    begun = until(meanwhile, 2)
                    beside, beside_whole = first_word(asker, question(picks, texts, args.tokens))
                row = {
                    "run": run, "clients": args.clients, "pause_s": args.pause, "tokens": args.tokens,
                    "alone_s": round(alone, 2), "beside_s": round(beside, 2), "ratio": round(beside / alone, 2),
                    "alone_whole_s": round(alone_whole, 2), "beside_whole_s": round(beside_whole, 2),
                    "completion_ms": rounded(done.whole[1:]), "completion_beside_ms": rounded(meanwhile.whole[begun:]),
                    "word_ms": rounded(done.first[1:]), "word_beside_ms": rounded(meanwhile.first[begun:]),
                    "load": round(os.getloadavg()[0], 1),
                }  # fmt: skip
                results.add(row, SEED)
                rows.append(row)
                print(line(row), file=sys.stderr)
            for each in (asker, *clients):
                each.close()
        finally:
            stop_host(Path(folder))
    print(f"first word: {median(r['alone_s'] for r in rows):.1f} s alone, {median(r['beside_s'] for r in rows):.1f} s"
          f" beside completions, {median(r['ratio'] for r in rows):.2f} times (medians of {len(rows)})")  # fmt: skip


def until(done: Completed, number: int) -> int:
    """Wait for so many completions; how many there are then."""
    while len(done.whole) < number:
        time.sleep(0.01)
    return len(done.whole)


def first_word(llm: HostedLLM, text: str) -> tuple[float, float]:
    """Seconds from asking to the first word of the answer, and to its end."""
    started, first = time.perf_counter(), 0.0
    for event in llm.chat([Message("user", text)], Sampling(max_tokens=_ANSWER_TOKENS)):
        if isinstance(event, Delta) and not first:
            first = time.perf_counter() - started
    return first, time.perf_counter() - started


def question(picks: random.Random, texts: Sequence[str], tokens: int) -> str:
    """A prompt about some code that no other one begins with."""
    size = round(tokens * _CHARACTERS_A_TOKEN)
    text = "".join(picks.sample(list(texts), len(texts)))
    at = picks.randrange(max(1, len(text) - size))
    return f"{picks.random()}\n{text[at : at + size]}\nWhat does this code do?"


@contextmanager
def completing(clients: Sequence[HostedLLM], texts: Sequence[str], pause: float) -> Iterator[Completed]:
    """Completions of every client for as long as the block runs; times are added as they end."""
    done, stop = Completed(), Cancel()
    files = sorted(texts, key=len)[-len(clients) :]
    threads = [
        threading.Thread(target=complete, args=(llm, text, pause, done, stop))
        for llm, text in zip(clients, files, strict=True)
    ]
    for thread in threads:
        thread.start()
    try:
        yield done
    finally:
        stop.cancel()
        for thread in threads:
            thread.join()


def complete(llm: HostedLLM, text: str, pause: float, done: Completed, stop: Cancel) -> None:
    """Type a file and complete after every few characters."""
    at = _BEFORE
    while not stop.cancelled:
        at = at + _TYPED if at + _TYPED < len(text) else _BEFORE
        request = FillRequest("module.py", text[max(0, at - _BEFORE) : at], text[at : at + _AFTER])
        started, first = time.perf_counter(), 0.0
        for event in llm.fill(request, Sampling(max_tokens=_COMPLETION_TOKENS), stop):
            if isinstance(event, Delta) and not first:
                first = time.perf_counter() - started
        if not stop.cancelled:
            whole = time.perf_counter() - started
            done.first.append(1e3 * (first or whole))
            done.whole.append(1e3 * whole)
            time.sleep(pause)


def rounded(milliseconds: Sequence[float]) -> list[int]:
    """Median and 95th percentile; nothing where there are none."""
    return [round(median(milliseconds)), round(percentile(milliseconds, 0.95))] if milliseconds else []


def line(row: dict[str, object]) -> str:
    """What is printed for a run."""
    return (
        f"run {row['run']}: first word {row['alone_s']} s alone, {row['beside_s']} s beside ({row['ratio']} times), "
        f"answer {row['alone_whole_s']} and {row['beside_whole_s']} s; completion {row['completion_ms']} alone, "
        f"{row['completion_beside_ms']} ms beside; its first word {row['word_ms']} and {row['word_beside_ms']} ms"
    )


if __name__ == "__main__":
    main()
