"""Answers and completions of the default model on a real package: tokens evaluated and seconds, by what is reused.

usage: python -m benchmarks.assistant [--repeats N]

The package is Scrapy, pinned. Each round starts a model host of its own, so that its first request is cold. The
questions' facts are checked by a string that a right answer holds; figures count right answers too.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from assistant.chat import ChatSession, Done
from assistant.completion.completer import Completer
from assistant.completion.request import CompletionRequest
from assistant.llama.client import HostedLLM, HostSettings
from assistant.llama.hosts import stop_host
from assistant.models import DEFAULT_MODEL, resolve
from benchmarks.common import Results, median
from benchmarks.trees import tree
from indexer.config import IndexConfig
from indexer.index import Index

# Question, the file that answers it, what a right answer holds.
QUESTIONS = (
    ("What is the default value of RETRY_TIMES?", "scrapy/settings/default_settings.py", r"\b2\b"),
    ("Which class filters duplicate requests by default?", "scrapy/dupefilters.py", r"RFPDupeFilter"),
    ("Which exception should a pipeline raise to drop an item?", "scrapy/exceptions.py", r"DropItem"),
    ("Which function returns a retry request, or None when retries are used up?",
     "scrapy/downloadermiddlewares/retry.py", r"get_retry_request"),
    ("Which exception does a spider raise to stop the crawl?", "scrapy/exceptions.py", r"CloseSpider"),
    ("Which method of the scheduler stores a request received from the engine?",
     "scrapy/core/scheduler.py", r"enqueue_request"),
)  # fmt: skip
FILE = "scrapy/downloadermiddlewares/retry.py"
HOLE = "def total_retries(requests):\n    "


def main() -> None:
    """Measure in rounds; each adds a row a question and a row a kind of completion."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--fresh", action="store_true", help="forget earlier rows")
    args = parser.parse_args()
    results = Results("assistant", fresh=args.fresh)
    root = tree("scrapy")
    with (
        tempfile.TemporaryDirectory(prefix="cm") as folder,
        Index.open(root, IndexConfig(cache_dir=Path(folder)), create=True) as index,
    ):
        index.update()
        for repeat in range(args.repeats):
            if results.done(repeat=repeat, last=True):
                continue
            llm = HostedLLM(resolve(DEFAULT_MODEL), HostSettings(runtime_dir=Path(folder)))
            try:
                measure(index, llm, root, lambda row, repeat=repeat: results.add({**row, "repeat": repeat}))
            finally:
                llm.close()
                stop_host(Path(folder))
    for kind in dict.fromkeys(row["kind"] for row in results.rows):
        rows = [row for row in results.rows if row["kind"] == kind]
        print(
            f"{kind:34} {median(r['seconds'] for r in rows):6.2f} s  {median(r['evaluated'] for r in rows):6.0f} tokens"
        )


def measure(index: Index, llm: HostedLLM, root: Path, add: Callable[[dict[str, Any]], None]) -> None:
    """One round: host start, completions cold and typed on, then the questions."""
    started = time.perf_counter()
    assert llm.info.fim
    add({"kind": "model host start", "seconds": time.perf_counter() - started, "evaluated": 0})
    text = (root / FILE).read_text()
    at = text.index("\ndef get_retry_request") + 1
    completer = Completer(index, llm)
    for kind, typed in (("completion, first in a file", ""), ("completion, two characters typed", "re"),
                        ("completion, two more", "retu")):  # fmt: skip
        request = CompletionRequest(FILE, "python", 0, text[:at] + HOLE + typed, "\n\n\n" + text[at:])
        started = time.perf_counter()
        done = completer.complete(request)
        seconds = time.perf_counter() - started
        add({"kind": kind, "seconds": seconds, "evaluated": done.timings.evaluated_tokens, "text": done.text})
    for number, (question, path, fact) in enumerate(QUESTIONS):
        started = time.perf_counter()
        first = 0.0
        for event in ChatSession(index, llm).ask(question):
            if not first and type(event).__name__ == "Delta":
                first = time.perf_counter() - started
        seconds = time.perf_counter() - started
        row: dict[str, Any] = {"kind": "answer", "question": question, "seconds": seconds, "first_token_s": first}
        if isinstance(event, Done):
            row["evaluated"] = event.timings.evaluated_tokens
            row["right"] = bool(re.search(fact, event.answer))
            row["right_source"] = path in {source.path for source in event.sources}
            row["cited"] = path in {citation.path for citation in event.citations}
            row["answer"] = event.answer
        add({"evaluated": 0, "right": False, **row, "last": number == len(QUESTIONS) - 1})


if __name__ == "__main__":
    main()
