"""Holes in real files, filled by the real model: what is shown, and whether accepting it breaks the file.

usage: python -m benchmarks.holes record FOLDER... [--record FILE] [--holes N] [--seed N] [--threads N]
       python -m benchmarks.holes replay [--record FILE] [--json FILE] [--examples N [--harmful]]
       python -m benchmarks.holes control [--record FILE]

``record`` asks the model, 2 to 4 s a hole on two cores, and keeps what it wrote, untrimmed: so trimming can be changed
and measured again in a minute. A stopped run goes on. Its holes are punched into the repositories in the folders that
are named, evenly over languages and kinds (``benchmarks/punching.py``); other files are not in the prompt, so that no
copy of what was taken out can be. ``replay`` runs completion's trimming over what was kept and has the result judged by
parsers of its own (``benchmarks/oracle.py``). ``control`` has them judge what was taken out, as it was and with a
bracket too many: the first must never be called harmful, the second nearly always.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from assistant.completion.completer import Completer, Plan, better, final, second_guess, so_far
from assistant.completion.gate import Gate
from assistant.completion.request import CompletionRequest, CompletionSettings
from assistant.completion.trim import Trimmed, indent
from assistant.completion.window import same_lines
from assistant.llm import LLM, Cancel, Delta, FillRequest, Sampling, StopReason, Timings
from benchmarks.common import environment, read_rows
from benchmarks.oracle import Judgement, judge
from benchmarks.punching import KINDS, Hole, holes
from indexer.location import cache_dir

if TYPE_CHECKING:
    from assistant.completion.window import Window

SETTINGS = CompletionSettings(prompt_tokens=400, prefix_share=0.7, suffix_share=0.3, context_share=0.0)
"""Short prompts: a hole costs seconds, and what is measured is what comes after the model."""
BLOCK_TOKENS = 120
LINE_TOKENS = 64
MOST_LINES = 12
_CLOSER = re.compile(r"\s*(?:[)\]}]|end\b|fi\b|done\b|esac\b|else\b|elif\b|elsif\b|case\b|</|\*/|-->|\"\"\"|''')")
_GOES_ON = re.compile(r"(?:[-+*/=<>|&.,:({\[\\?]|\b(?:then|do|else|in|and|or|not|return))\s*$")
_HEADER = re.compile(
    r"\s*(?:(?:public|private|protected|static|export|async|local|override|internal|open|pub|default)\s+)*"
    r"(?:def|class|module|if|unless|while|until|for|case|match|function|fn|fun|func|struct|enum|begin|try|switch|with)\b"
)
_TAG = re.compile(r"<(/?)[A-Za-z][^<>]*?(/?)>")
_DOCUMENT = re.compile(r'"""|\'\'\'|`|/\*|<!--')


def record_path() -> Path:
    """Where a record lies that was not named."""
    return cache_dir() / "benchmarks" / "holes.jsonl"


def main(arguments: list[str] | None = None) -> int:
    """Record or replay. 2 when there is nothing to work on."""
    parser = argparse.ArgumentParser(description="Holes in real files: what is shown, and what it breaks.")
    steps = parser.add_subparsers(dest="step", required=True)
    step = steps.add_parser("record", help="ask the model and keep what it writes")
    step.add_argument("folders", type=Path, nargs="+", help="repositories")
    step.add_argument("--record", type=Path, default=record_path())
    step.add_argument("--holes", type=int, default=600)
    step.add_argument("--seed", type=int, default=0)
    step.add_argument("--kinds", nargs="+", choices=list(KINDS), default=[], help="only these")
    step.add_argument("--threads", type=int)
    step = steps.add_parser("replay", help="trim what was kept, judge it, print tables")
    step.add_argument("--record", type=Path, default=record_path())
    step.add_argument("--json", type=Path, help="write a JSON row a hole to this file")
    step.add_argument("--examples", type=int, default=0, help="so many examples of each language and kind")
    step.add_argument("--harmful", action="store_true", help="examples of what breaks the file only")
    step = steps.add_parser("control", help="judge what was taken out, whole and broken")
    step.add_argument("--record", type=Path, default=record_path())
    options = parser.parse_args(arguments)
    if options.step == "record":
        return _record(options)
    from benchmarks.holes_report import report

    rows = read_rows(options.record)
    if not rows:
        print(f"holes: skipped. {options.record} has no rows; see the head of benchmarks/holes.py.")
        return 2
    if options.step == "control":
        print(control(rows))
        return 0
    outcomes = [replayed(row) for row in rows]
    if options.json:
        lines = (json.dumps({**outcome.row, **asdict(outcome.judgement)}) for outcome in outcomes)
        options.json.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    print(report(outcomes, options.examples, harmful=options.harmful))
    return 0


def control(rows: Sequence[dict[str, Any]]) -> str:
    """How many texts the judge calls harmful that were taken out, and how many of those with a bracket too many.

    Where brackets are no syntax (comments, strings of several lines, HTML), none is added.
    """
    out = []
    for added in ("", ")", "\n}", " ("):
        prose = ("comment", "docstring or text block") if added else ()
        judged = [row for row in rows if row["kind"] not in prose and not (added and row["language"] == "html")]
        places = ((row["language"], row["prefix"], row["suffix"], row["removed"] + added) for row in judged)
        harmful = sum(judge(*place).harmful for place in places)
        out.append(f"{added.strip() or 'as it was':10} {harmful} harmful of {len(judged)}")
    return "\n".join(out)


def _record(options: argparse.Namespace) -> int:
    from assistant.llama.engine import LocalLLM
    from assistant.llama.settings import EngineSettings
    from assistant.llama.threads import usable_cores
    from assistant.models import DEFAULT_MODEL, resolve

    punched = holes(
        [folder for folder in options.folders if folder.is_dir()], options.holes, options.seed, options.kinds
    )
    if not punched:
        print("holes: skipped. No file in the folders has a place for a hole.")
        return 2
    options.record.parent.mkdir(parents=True, exist_ok=True)
    done = {row["id"] for row in read_rows(options.record)}
    llm = LocalLLM(resolve(DEFAULT_MODEL), EngineSettings(threads=options.threads or usable_cores()))
    started, made = time.monotonic(), environment(options.seed)
    with options.record.open("a", encoding="utf-8") as out:
        for number, hole in enumerate(punched, 1):
            if hole.id in done:
                continue
            llm.forget()
            row = {**hole.row(), **ask(Completer(None, llm, SETTINGS), hole), **made}
            out.write(json.dumps(row) + "\n")
            out.flush()
            if number % 10 == 0:
                print(f"{number}/{len(punched)} {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    llm.close()
    return 0


def ask(completer: Completer, hole: Hole) -> dict[str, Any]:
    """What the model writes in a hole, as the product asks it, but beyond a line's end: trimming may want more.

    Where nothing of it can be shown, also what it writes when asked for something else.
    """
    plan = completer.plan(CompletionRequest(hole.path, hole.language, 0, hole.prefix, hole.suffix))
    row: dict[str, Any] = {"block": plan.block, "above": len(plan.window.above), "below": len(plan.window.below)}
    sampling = Sampling(BLOCK_TOKENS if plan.block else LINE_TOKENS)
    row |= _written(completer.llm, plan, sampling)
    if second_guess(plan, _fitted({**hole.row(), **row}, row), completer.llm) is not None:
        row["second"] = _written(completer.llm, plan, replace(sampling, alternative=1))
    return row


def _written(llm: LLM, plan: Plan, sampling: Sampling) -> dict[str, Any]:
    """The model's text, and why it ended: ``enough`` where more could not matter."""
    cancel, text, reason, timings = Cancel(), "", "", Timings()
    for piece in llm.fill(plan.request, sampling, cancel):
        if isinstance(piece, Delta):
            text += "" if cancel.cancelled else piece.text
            if not cancel.cancelled and "\n" in piece.text and enough(text, plan.window, block=plan.block):
                cancel.cancel()
        else:
            reason, timings = piece.stop_reason, piece.timings
    if cancel.cancelled:
        reason, text = "enough", text[: text.rindex("\n") + 1]
    spent = {"tokens": timings.generated_tokens, "prompt": timings.prompt_tokens}
    times = {"prompt_ms": round(timings.prompt_ms), "generation_ms": round(timings.generation_ms)}
    return {"raw": text, "reason": reason, **spent, **times}


def enough(text: str, window: Window, *, block: bool) -> bool:
    """Whether nothing that is written after ``text``'s last line can matter to any trimming."""
    lines = text.split("\n")[:-1]
    blank = sum(not line.strip() for line in lines[1:])
    if len(lines) >= MOST_LINES or blank >= 2:
        return True
    least = indent(window.line_before)
    if any(line.strip() and indent(line) < least and not _CLOSER.match(line) for line in lines[1:]):
        return True
    if block or not lines[0].strip():
        return False
    # Within a line, what is shown is within the line too.
    return bool(window.line_after.strip()) or not _unfinished(window.line_before, lines)


def _unfinished(before: str, lines: Sequence[str]) -> bool:
    """Whether a line that was asked for may have begun more than itself; rather too often than too rarely."""
    text = "\n".join(lines)
    whole = before + text
    tags = sum(-1 if closes else not alone for closes, alone in _TAG.findall(whole))
    opened = sum(whole.count(a) - whole.count(b) for a, b in ("()", "[]", "{}"))
    begun = _HEADER.match(before + lines[0]) and len(lines) < 4
    odd = any(whole.count(quote) % 2 for quote in _DOCUMENT.findall(whole) if quote[0] not in "/<")
    return opened > 0 or tags > 0 or bool(begun) or odd or bool(_GOES_ON.search(lines[-1]))


@dataclass(frozen=True)
class Outcome:
    """A row of a record, what is shown of it, and what that does to the file."""

    row: dict[str, Any]
    shown: Trimmed
    judgement: Judgement


def replayed(row: dict[str, Any]) -> Outcome:
    """A recorded hole, trimmed and judged."""
    trimmed = shown(row)
    verdict = judge(row["language"], row["prefix"], row["suffix"], trimmed.text, trimmed.replaces, row["removed"])
    return Outcome(row, trimmed, verdict)


_GATE = Gate(seconds=5, patience=60)
"""No timing of the machine may change what is shown."""


def shown(row: dict[str, Any]) -> Trimmed:
    """What the product shows of a recorded hole: the one place that knows how trimming is called."""
    found = _fitted(row, row)
    model = SimpleNamespace(info=SimpleNamespace(alternatives="second" in row))
    again = second_guess(planned(row), found, model)  # type: ignore[arg-type]
    return found if again is None else _fitted(row, row["second"])


def _fitted(row: dict[str, Any], written: dict[str, Any]) -> Trimmed:
    """As ``Completer`` has it, with what was written for the model."""
    plan = planned(row)
    completer = Completer(None, None, SETTINGS, gate=_GATE)  # type: ignore[arg-type]  # no model is asked
    trimmed = _trimmed(plan, written)
    fitted = completer.fit(plan, trimmed)
    whole = completer.continued(plan, written["raw"], trimmed, fitted)
    return fitted if whole is None else better(fitted, completer.fit(whole, _trimmed(whole, written)))


def _trimmed(plan: Plan, written: dict[str, Any]) -> Trimmed:
    """A text trimmed as if the model wrote it now: line by line where it is a block, else up to its first line end."""
    raw = written["raw"]
    reason: StopReason = "stop" if written["reason"] == "stop" else "length"
    if not plan.block:
        line, end, _ = raw.partition("\n")
        return final(line, plan, "stop" if end else reason)
    lines = raw.splitlines(keepends=True)
    for number, line in enumerate(lines, 1):
        if line.endswith("\n") and (trimmed := so_far("".join(lines[:number]), plan)).done:
            return trimmed
    return final(raw, plan, reason)


def planned(row: dict[str, Any]) -> Plan:
    """The plan that a recorded hole was asked with."""
    asked = CompletionRequest(row["path"], row["language"], 0, row["prefix"], row["suffix"])
    window = _window(row)
    request = FillRequest(row["path"], window.prefix, window.suffix)
    return Plan(asked, request, (), window, row["block"], Sampling(BLOCK_TOKENS if row["block"] else LINE_TOKENS), 0.0)


def _window(row: dict[str, Any]) -> Window:
    from assistant.completion.window import Window

    lines = Window("", "", "", "", ("",) * row["above"], ("",) * row["below"])
    return same_lines(row["prefix"], row["suffix"], lines)


if __name__ == "__main__":
    raise SystemExit(main())
