"""Tables of a replay: what is shown, and what it breaks, by kind and by language."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.holes import Outcome

FIGURES = ("holes", "shown", "exact", "adds errors", "left open", "repeats", "harmful")
_WIDTH = 110


def report(outcomes: Sequence[Outcome], examples: int = 0, *, harmful: bool = False) -> str:
    """All tables, in Markdown; ``examples`` of each language and kind, of ``harmful`` texts only if asked for."""
    parts = [
        table("kind", _by(outcomes, lambda o: o.row["kind"]), outcomes),
        table("language", _by(outcomes, lambda o: o.row["language"]), outcomes),
        grid(outcomes),
        reasons(outcomes),
    ]
    if examples:
        parts.append(_examples(outcomes, examples, harmful=harmful))
    return "\n\n".join(parts)


def counts(outcomes: Iterable[Outcome]) -> Counter[str]:
    """How many holes, and how many of them had each outcome."""
    out: Counter[str] = Counter()
    for outcome in outcomes:
        verdict = outcome.judgement
        out["holes"] += 1
        if outcome.shown.text.strip():
            out["shown"] += 1
            out["exact"] += verdict.exact
            out["adds errors"] += verdict.adds_errors
            out["left open"] += verdict.left_open
            out["repeats"] += verdict.repeats
            out["harmful"] += verdict.harmful
    return out


def table(name: str, groups: dict[str, list[Outcome]], outcomes: Sequence[Outcome]) -> str:
    """One row a group, and one for all."""
    rows = [(key, counts(group)) for key, group in sorted(groups.items())]
    lines = [f"| {name} | {' | '.join(FIGURES)} |", "|---" * (len(FIGURES) + 1) + "|"]
    for key, found in [*rows, ("**all**", counts(outcomes))]:
        lines.append(f"| {key} | {' | '.join(str(found[figure]) for figure in FIGURES)} |")
    found = counts(outcomes)
    share = 100 * found["shown"] / max(1, found["holes"])
    exact = 100 * found["exact"] / max(1, found["holes"])
    return "\n".join([*lines, "", f"Shown: {share:.1f} % of {found['holes']} holes. Exact: {exact:.1f} %."])


def grid(outcomes: Sequence[Outcome]) -> str:
    """Harmful of shown texts, of so many holes, for each language and kind."""
    kinds = sorted({outcome.row["kind"] for outcome in outcomes})
    cells = _by(outcomes, lambda o: f"{o.row['language']}\0{o.row['kind']}")
    lines = [f"| harmful / shown / holes | {' | '.join(kinds)} |", "|---" * (len(kinds) + 1) + "|"]
    for language in sorted({outcome.row["language"] for outcome in outcomes}):
        found = [counts(cells.get(f"{language}\0{kind}", ())) for kind in kinds]
        shares = (f"{c['harmful']} / {c['shown']} / {c['holes']}" for c in found)
        lines.append(f"| {language} | {' | '.join(shares)} |")
    return "\n".join(lines)


def reasons(outcomes: Sequence[Outcome]) -> str:
    """Why nothing was shown, how often."""
    found = Counter(outcome.shown.reason for outcome in outcomes if not outcome.shown.text.strip())
    lines = ["| nothing shown because | holes |", "|---|---|"]
    return "\n".join([*lines, *(f"| {reason} | {count} |" for reason, count in found.most_common())])


def _examples(outcomes: Sequence[Outcome], most: int, *, harmful: bool) -> str:
    lines = [
        "| language | kind | before ‸ after the cursor | the model wrote | shown | judged |",
        "|---|---|---|---|---|---|",
    ]
    cells = _by(outcomes, lambda o: f"{o.row['language']}\0{o.row['kind']}")
    for _, group in sorted(cells.items()):
        wanted = [outcome for outcome in group if outcome.judgement.harmful or not harmful]
        lines += [f"| {' | '.join(_example(outcome))} |" for outcome in wanted[:most]]
    return "\n".join(lines)


def _example(outcome: Outcome) -> Iterable[str]:
    row, text = outcome.row, outcome.shown.text
    before = "\n".join(row["prefix"].split("\n")[-2:])
    after = "\n".join(row["suffix"].split("\n")[:2])
    yield row["language"]
    yield row["kind"]
    yield _code(before[-_WIDTH // 2 :] + "‸" + after[: _WIDTH // 2])
    yield _code(row["raw"])
    instead = f" (in place of {outcome.shown.replaces})" if outcome.shown.replaces else ""
    yield _code(text) + instead if text.strip() else f"nothing: {outcome.shown.reason}"
    yield _verdict(outcome)


def _verdict(outcome: Outcome) -> str:
    if not outcome.shown.text.strip():
        return ""
    verdict = outcome.judgement
    found = {"adds errors": verdict.adds_errors, "left open": verdict.left_open, "repeats": verdict.repeats}
    wrong = ", ".join(name for name, yes in found.items() if yes)
    return wrong or ("exact" if verdict.exact else "whole")


def _code(text: str) -> str:
    """On one line of a table; line ends are shown as ``⏎``."""
    short = text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…"
    return f"<code>{html.escape(short).replace('|', '&#124;').replace(chr(10), '⏎')}</code>"


def _by(outcomes: Iterable[Outcome], key: Callable[[Outcome], str]) -> dict[str, list[Outcome]]:
    out: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        out.setdefault(key(outcome), []).append(outcome)
    return out
