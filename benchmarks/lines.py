"""Lines begun in real files: how long the first words and the whole answer take, with the parser that judges them.

usage: python -m benchmarks.lines FILE:LINE... [--lines N]

In each file N lines from LINE on are begun one after the other, four characters of each, as if somebody filled them in;
nothing is known of them before, so each asks the model. The first of a file evaluates the whole prompt and is left out.
Two versions are compared by running this in turns from a work tree of each, with nothing else running.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from assistant.completion.completer import Completer
from assistant.completion.request import CompletionRequest
from assistant.completion.suggester import Suggester
from assistant.llama.engine import LocalLLM
from assistant.llama.settings import EngineSettings
from assistant.llama.threads import usable_cores
from assistant.models import DEFAULT_MODEL, resolve
from benchmarks.common import percentile
from indexer.languages import detect

_BEGUN, _LEAST = 4, 12
_COMMENTS = ("//", "*", "#", "/*")


def main() -> int:
    """Measure and print one line."""
    parser = argparse.ArgumentParser(description="Lines begun in real files.")
    parser.add_argument("places", nargs="+", metavar="FILE:LINE")
    parser.add_argument("--lines", type=int, default=10)
    args = parser.parse_args()
    llm = LocalLLM(resolve(DEFAULT_MODEL), EngineSettings(threads=usable_cores()))
    first: list[float] = []
    whole: list[float] = []
    for place in args.places:
        name, _, number = place.rpartition(":")
        suggester = Suggester(Completer(None, llm))
        times = [_asked(suggester, request) for request in _requests(Path(name), int(number), args.lines + 1)]
        suggester.close()
        first += [one for one, _ in times[1:]]
        whole += [all_ for _, all_ in times[1:]]
    llm.close()
    shares = (f"p50 {percentile(times, 0.5):.0f}, p95 {percentile(times, 0.95):.0f} ms" for times in (first, whole))
    print(f"{len(first)} lines; first words: {next(shares)}; whole: {next(shares)}")
    return 0


def _requests(file: Path, start: int, count: int) -> list[CompletionRequest]:
    lines = file.read_text(encoding="utf-8").split("\n")
    language = detect(file.name, "\n".join(lines[:20]).encode()).name
    found = []
    for number in range(start - 1, len(lines)):
        line = lines[number]
        if len(line.strip()) < _LEAST or line.strip().startswith(_COMMENTS):
            continue
        cut = len(line) - len(line.lstrip()) + _BEGUN
        before = "\n".join((*lines[:number], line[:cut]))
        found.append(CompletionRequest(file.name, language, number, before, "\n" + "\n".join(lines[number + 1 :])))
        if len(found) == count:
            break
    return found


def _asked(suggester: Suggester, request: CompletionRequest) -> tuple[float, float]:
    """Milliseconds to the first words and to the whole answer."""
    suggester.typed(request)
    started = time.perf_counter()
    done = suggester.suggest(request, begun="")
    first = time.perf_counter() - started
    while done.stop_reason == "begun":
        done = suggester.suggest(request, begun=done.text)
    return 1e3 * first, 1e3 * (time.perf_counter() - started)


if __name__ == "__main__":
    raise SystemExit(main())
