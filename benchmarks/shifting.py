"""What completions lose when evaluated tokens are moved, or the text behind the cursor is left as it was.

usage: python -m benchmarks.shifting [--holes N] [--walks N] [--threads N]

Rests of lines are punched out of real files. Each is completed three ways: with everything evaluated afresh; after a
neighbouring prompt, its tokens moved ("shift"); and, where the cursor moved down, with the suffix as that prompt had
it ("freeze"), so that the lines in between stand in the prompt twice. Temperature 0, at most 14 tokens; right is what
stood there. Moves: the cursor came from 1, 3 or 8 lines above or 3 below, by four moves of 2 lines each ("walk"), or
one of two snippets in front was replaced. On a long walk, 12 moves of 2 lines, nothing but the passed lines is ever
evaluated again; it is measured on holes of its own.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from assistant.completion.completer import Completer
from assistant.completion.request import CompletionRequest, CompletionSettings
from assistant.completion.trim import after_blanks
from assistant.llama.engine import LocalLLM
from assistant.llama.settings import EngineSettings
from assistant.llm import Delta, FillRequest, Finished, Sampling, Snippet
from assistant.models import DEFAULT_MODEL, resolve
from benchmarks.common import Results
from benchmarks.trees import tree

TREES = {"scrapy": "*.py", "django": "*.py", "networkx": "*.py", "linux-core": "*.c"}
MOVES: dict[str, tuple[int, ...]] = {
    "down 1": (-1,),
    "down 3": (-3,),
    "down 8": (-8,),
    "up 3": (3,),
    "walk down 4 × 2": (-8, -6, -4, -2),
    "snippet": (0,),
}
"""From where the cursor came, in lines (negative: above)."""
LONG_WALK = "walk down 12 × 2"
MOVES_OF_WALK = tuple(range(-24, 0, 2))
FARTHEST_FREEZE = 8
"""Lines after which the cursor has left the suffix."""
SETTINGS = CompletionSettings(prompt_tokens=480, prefix_share=0.6, suffix_share=0.3, context_share=0, multiline=False)
LINE = Sampling(max_tokens=14, stop=("\n",))
NOTHING = Sampling(max_tokens=0)
SEED = 11
SNIPPET_LINES = 8


@dataclass(frozen=True)
class Hole:
    """A place in a file: what stands before it, what was there, and the lines below."""

    path: str
    before: str
    truth: str
    below: str
    snippets: tuple[Snippet, ...]
    """Three from elsewhere in the tree."""


def main() -> None:
    """Measure hole after hole, each with the next kind of move; rows that are there are not measured again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--holes", type=int, default=80)
    parser.add_argument("--walks", type=int, default=32)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--fresh", action="store_true", help="forget earlier rows")
    args = parser.parse_args()
    results = Results("shifting", fresh=args.fresh)
    settings = EngineSettings(context_tokens=2048, threads=args.threads)
    llm = LocalLLM(resolve(DEFAULT_MODEL), settings, shift=True)
    completer = Completer(None, llm, SETTINGS)
    kinds = list(MOVES)
    wanted = [(number, hole, kinds[number % len(kinds)]) for number, hole in take(args.holes, SEED)]
    wanted += [(number, hole, LONG_WALK) for number, hole in take(args.walks, SEED + 1)]
    for number, hole, move in wanted:
        if not results.done(hole=number, path=hole.path, move=move):
            row = measure(llm, completer, hole, move)
            results.add({"hole": number, "path": hole.path, "move": move, **row}, SEED)
            print(number, move, results.rows[-1], flush=True)
    llm.close()


def take(count: int, seed: int) -> Iterator[tuple[int, Hole]]:
    """The first numbered holes of a seed."""
    return zip(range(count), holes(seed), strict=False)


def measure(llm: LocalLLM, completer: Completer, hole: Hole, move: str) -> dict[str, object]:
    """The figures of one hole: for each way the text was right, its first 8 characters were, tokens evaluated."""
    target = request(completer, hole, 0, hole.snippets[1:] if move == "snippet" else ())
    lines = MOVES.get(move, MOVES_OF_WALK)
    steps = [request(completer, hole, line, hole.snippets[:2] if move == "snippet" else ()) for line in lines]
    if move == "snippet":  # the first of two was replaced
        steps[0] = replace(steps[0], context=(hole.snippets[0], hole.snippets[2]))
    row: dict[str, object] = {"truth": hole.truth}

    def ask(way: str, asked: FillRequest) -> None:
        text, end = fill(llm, asked, LINE)
        text = shown(completer, hole, text)
        timings = end.timings
        row[way] = {
            "exact": text.rstrip() == hole.truth,
            "first8": text[:8] == hole.truth[:8],
            "evaluated": timings.evaluated_tokens,
            "text": text,
        }

    llm.forget()
    ask("evaluated afresh", target)
    row["prompt_tokens"] = llm.count_fill(target)
    llm.forget()
    fill(llm, steps[0], NOTHING)
    if -FARTHEST_FREEZE <= lines[0] < 0:
        ask("freeze", replace(target, suffix=steps[0].suffix))
        fill(llm, steps[0], NOTHING)  # as it was before: one token
    for step in steps[1:]:
        fill(llm, step, NOTHING)
    ask("shift", target)
    return row


def fill(llm: LocalLLM, asked: FillRequest, sampling: Sampling) -> tuple[str, Finished]:
    """The text and its end."""
    pieces: list[str] = []
    for event in llm.fill(asked, sampling):
        if not isinstance(event, Delta):
            return "".join(pieces), event
        pieces.append(event.text)
    raise AssertionError("a stream has an end")


def request(completer: Completer, hole: Hole, lines: int, context: Sequence[Snippet]) -> FillRequest:
    """What is asked of the model ``lines`` below the hole, at the line's end; negative ones are above."""
    before, below = hole.before, hole.below
    if lines < 0:
        above = before.splitlines(keepends=True)[:-1]
        line = above[lines].rstrip("\n")
        below = "\n" + "".join(above[len(above) + lines + 1 :]) + before.splitlines()[-1] + below
        before = "".join(above[: len(above) + lines]) + line
    elif lines > 0:
        rest = below.splitlines(keepends=True)[1:]
        before += "\n" + "".join(rest[:lines]).rstrip("\n")
        below = "\n" + "".join(rest[lines:])
    asked = CompletionRequest(hole.path, "", 0, before, below)
    return replace(completer.plan(asked).request, context=tuple(context))


def shown(completer: Completer, hole: Hole, text: str) -> str:
    """The text less the blanks that stand before the cursor already."""
    return after_blanks(text, completer.window(CompletionRequest(hole.path, "", 0, hole.before, hole.below)))


def holes(seed: int) -> Iterator[Hole]:
    """Places in real files, from one tree after the other."""
    picks = random.Random(seed)
    files = {name: sorted(tree(name).rglob(pattern)) for name, pattern in TREES.items()}
    while True:
        for name, paths in files.items():
            hole = None
            while hole is None:
                hole = _punch(tree(name), picks.choice(paths), [picks.choice(paths) for _ in range(3)], picks)
            yield hole


def _punch(root: Path, path: Path, others: Sequence[Path], picks: random.Random) -> Hole | None:
    """A hole in the middle of a line that says something; None where this file is of no use."""
    lines = path.read_text("utf-8", "replace").splitlines(keepends=True)
    if len(lines) < 80:
        return None
    at = picks.randrange(40, len(lines) - 20)
    line = lines[at].rstrip("\n")
    words = [i for i in range(1, len(line)) if line[i].isalnum() and not line[i - 1].isalnum() and line[:i].strip()]
    column = picks.choice(words) if words else 0
    truth = line[column:].rstrip()
    if not words or not 8 <= len(truth) <= 30 or line.strip().startswith(("#", "*", "/", '"')):
        return None
    snippets = [_snippet(root, other, picks) for other in others]
    # A snippet of the file itself might hold what was taken out.
    if path in others or not all(snippet.text.strip() for snippet in snippets):
        return None
    relative = path.relative_to(root).as_posix()
    return Hole(relative, "".join(lines[:at]) + line[:column], truth, "\n" + "".join(lines[at + 1 :]), tuple(snippets))


def _snippet(root: Path, path: Path, picks: random.Random) -> Snippet:
    lines = path.read_text("utf-8", "replace").splitlines(keepends=True)
    at = picks.randrange(max(1, len(lines) - SNIPPET_LINES))
    return Snippet(path.relative_to(root).as_posix(), "".join(lines[at : at + SNIPPET_LINES]))


if __name__ == "__main__":
    main()
