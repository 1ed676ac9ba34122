"""Which files a question is answered from: named files, folders, symbols, tracebacks, questions in other languages.

usage: python -m benchmarks.questions [--trees DIR] [--half tune|held|both] [--cases DIR] [--show]

``data/questions.toml`` says which files must be among the sources of a question (for a named file: first), and which of
its names must be said to occur nowhere. No model is asked: what is measured is what ``assistant.planning`` gives it.
Two trees are small ones of ``tests/data/ask``; the others are public repositories in ``--trees``; questions about those
that are not there are left out, with a message. Even numbers were for tuning, odd ones are held out: ``--half held``
prints shares and no question. ``--cases``: the folder ``../shared/cases/ask``, which is not part of this repository.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from assistant.chat import AskSettings
from assistant.conversation import new_conversation
from assistant.llm import LLM
from assistant.planning import Plan, Planner
from benchmarks.common import ROOT, Results
from indexer.config import IndexConfig
from indexer.index import Index

SET = Path(__file__).resolve().parent / "data" / "questions.toml"
SMALL = {"garden": "named-files", "shop": "pasted-errors"}
_CHARACTERS_A_TOKEN = 3.2
_OWN_ANSWERS = {
    "model downloads retried": ("assistant/models/transfer.py",),
    "memory of the index process": ("indexer/bounded.py", "lsp/memory.py", "lsp/index_child.py"),
    "Vektoren der Chunks": ("indexer/chunk.py", "indexer/segment_build.py", "indexer/words.py"),
    "CitationWriter": ("assistant/citations.py",),
    "mask_secrets": ("indexer/secrets/__init__.py",),
}
"""Parts of the questions that the cases ask about this repository, and the files that answer them."""


@dataclass(frozen=True)
class Question:
    """One entry of the set. ``files``: any of them must be a source; ``first``: the first one."""

    number: int
    tree: str
    kind: str
    ask: str
    files: tuple[str, ...] = ()
    first: bool = False
    absent: tuple[str, ...] = ()


class _Counting:
    """A model that only counts tokens, about as the default model does."""

    def count(self, texts: Sequence[str]) -> list[int]:
        return [round(len(text) / _CHARACTERS_A_TOKEN) + 1 for text in texts]


def main(arguments: list[str] | None = None) -> int:
    """Print the share of right ones by kind; 1 where one of the small trees' or cases' is wrong."""
    options = parse(arguments)
    questions = [q for q in read_set() if options.half == "both" or q.number % 2 == (options.half == "held")]
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    wrong: list[tuple[Question, Plan]] = []
    for tree in dict.fromkeys(q.tree for q in questions):
        root = root_of(tree, options.trees)
        own = [q for q in questions if q.tree == tree]
        if root is None:
            print(f"{tree}: not in {options.trees}; {len(own)} questions are left out", file=sys.stderr)
            continue
        for question, plan in plans(root, own):
            total[question.kind] += 1
            right[question.kind] += is_right(question, plan)
            if not is_right(question, plan):
                wrong.append((question, plan))
    rows = {kind: [right[kind], total[kind]] for kind in sorted(total)}
    for kind, (good, of) in rows.items():
        print(f"{kind:10} {good:3} of {of}")
    print(f"{'all':10} {right.total():3} of {total.total()}  {right.total() / max(1, total.total()):.1%}")
    if options.show:
        for question, plan in wrong:
            if question.number % 2 == 0:
                show(question, plan)
    if options.save:
        Results("questions", fresh=False).add({"half": options.half, "kinds": rows}, 0)
    return cases(options.cases) if options.cases else 0


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Command line of this script."""
    parser = argparse.ArgumentParser(description="Check the sources of questions, without a model.")
    parser.add_argument("--trees", type=Path, help="folder with checkouts of flask, gin, ripgrep, …, by name")
    parser.add_argument("--half", choices=("tune", "held", "both"), default="both")
    parser.add_argument("--cases", type=Path, help="the folder shared/cases/ask")
    parser.add_argument("--show", action="store_true", help="print wrong ones; never those held out")
    parser.add_argument("--save", action="store_true", help="add a row to results/questions.jsonl")
    return parser.parse_args(arguments)


def read_set() -> list[Question]:
    """All questions, numbered from 0."""
    out = []
    for number, entry in enumerate(tomllib.loads(SET.read_text("utf-8"))["question"]):
        lists: dict[str, Any] = {key: tuple(entry.pop(key, ())) for key in ("files", "absent")}
        out.append(Question(number, **entry, **lists))
    return out


def root_of(tree: str, trees: Path | None) -> Path | None:
    """Where a tree lies; None if it is not there."""
    if tree in SMALL:
        return ROOT / "tests" / "data" / "ask" / SMALL[tree]
    root = trees / tree if trees is not None else None
    return root if root is not None and root.is_dir() else None


def plans(root: Path, questions: Sequence[Question]) -> Iterator[tuple[Question, Plan]]:
    """Each question as the first of a conversation."""
    settings = AskSettings()
    with (
        tempfile.TemporaryDirectory() as cache,
        Index.open(root, IndexConfig(cache_dir=Path(cache)), create=True) as index,
    ):
        index.update()
        llm = cast("LLM", _Counting())
        planner = Planner(index, llm, settings.hits, settings.snippet_tokens, settings.answer_tokens)
        for question in questions:
            yield question, planner.plan(new_conversation(), question.ask, None, None)


def is_right(question: Question, plan: Plan) -> bool:
    """Whether the sources and what is said to be nowhere are as they must be."""
    paths = [source.path for source in plan.sources]
    opening = plan.turn.opening
    told = opening.count("occurs nowhere") + (0 if question.first else opening.count("There is no file"))
    if told != len(question.absent) or any(f"`{name}`" not in opening for name in question.absent):
        return False
    if question.first:
        return bool(paths) and paths[0] in question.files
    return not question.files or any(path in question.files for path in paths)


def show(question: Question, plan: Plan) -> None:
    """Print a wrong one."""
    print(f"\n{question.number} {question.tree} {question.kind}: {question.ask[-300:]!r}")
    print(f"  wanted {', '.join(question.files or question.absent)}")
    for source in plan.sources:
        print(f"  [{source.number}] {source.path}:{source.start_line}-{source.end_line} {source.symbol or ''}")
    print(f"  opening: {plan.turn.opening!r}")


def cases(folder: Path) -> int:
    """The questions of the shared cases; 1 if one is wrong."""
    if not folder.is_dir():
        print(f"{folder} is not there; its questions are left out", file=sys.stderr)
        return 0
    named = [q for q in read_set() if q.tree == "garden"]
    asked = [text.strip("\n") for text in (folder / "named-files-questions.txt").read_text("utf-8").split("@@")]
    wanted = {q.ask: q for q in named}
    sets = [(folder / "named-files", [wanted[text] for text in asked if text])]
    pasted = [t for name in ("q4.txt", "q5.txt", "tb3.txt") for t in (folder / name).read_text("utf-8").split("@@")]
    session = ("shop/session_store.py",)
    sets.append((folder / "pasted-errors", [Question(0, "", "", t.strip("\n"), session) for t in pasted if t.strip()]))
    own = [text.strip("\n") for text in (folder / "q6.txt").read_text("utf-8").split("@@") if text.strip()]
    sets.append((ROOT, [Question(0, "", "", text, _own(text)) for text in own]))
    bad = 0
    for root, questions in sets:
        found = list(plans(root, questions))
        wrong = [(question, plan) for question, plan in found if not is_right(question, plan)]
        print(f"{root.name}: {len(found) - len(wrong)} of {len(found)}")
        for question, plan in wrong:
            show(question, plan)
        bad += len(wrong)
    return 1 if bad else 0


def _own(text: str) -> tuple[str, ...]:
    """Where this repository answers a question of ``q6.txt``."""
    for part, files in _OWN_ANSWERS.items():
        if part in text:
            return files
    raise SystemExit(f"No answer is known to a question of q6.txt: {text[-100:]!r}")


if __name__ == "__main__":
    raise SystemExit(main())
