"""The fitting script keeps docs/search.md true."""

from __future__ import annotations

import re

from benchmarks.fit_ranking import DOCS, documented
from indexer.ranking import WEIGHTS


def test_the_documentation_shows_the_weights_that_ship() -> None:
    shown = dict(re.findall(r"(?m)^\| `(\w+)` \| (-?[\d.]+) \|", DOCS.read_text("utf-8")))
    assert shown == {name: f"{weight:.2f}" for name, weight in WEIGHTS.items()}


def test_figures_are_written_where_they_stand() -> None:
    groups = {"all": 0.1234, "semantic": 0.2, "architecture": 0.3, "symbol": 0.4}
    figures = {
        "adds": {name: [0.001, -0.002, 0.5] for name in WEIGHTS},
        "before": groups,
        "leave_one_repository_out": {**groups, "all": 0.9876},
        "leave_one_repository_out_by_language": {"all": 0.9, "cobol": 0.111},
        "held_out_minus_before": [0.25, 0.125, 0.375],
    }
    text = documented(DOCS.read_text("utf-8"), figures)
    assert text.count("+0.001 [-0.002, +0.500]") == len(WEIGHTS)
    assert "**leave-one-repository-out: 0.988**" in text
    assert "gave 0.123 (paired difference +0.250 [+0.125, +0.375])" in text
    assert "| leave-one-repository-out | 0.988 | 0.200 | 0.300 | 0.400 |" in text
    assert "each): cobol 0.111." in text
    assert documented(text, figures) == text
