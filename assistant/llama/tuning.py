"""Which way this machine runs a model best: measured once, remembered with the model's sha256, undone at will.

One thing after the other is varied (coordinate descent: threads, flash attention, micro-batch), then the file itself:
requantised to a format whose products this CPU does faster, if that is worth it and the fixed holes are filled as well
as before, and at last how far prompt lookup guesses ahead. ``models.tuned`` keeps the outcome.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean, stdev

from assistant.llama.measure import Setup, Speed

WORTH = 1.03
"""A change must be this much faster: measurements differ by as much by themselves."""
FILE_WORTH = 1.15
"""Another copy of the weights must be this much faster: it takes half a gigabyte of disk."""
LOSS_EXCLUDED = 0.03
"""Nats a token that the holes' true text must not become less likely by, with 95 % confidence.

A copy of the default model in Q4_0 loses .012, at most .064, and then fills 4 of 100 lines of HumanEval worse; one in
Q8_0 loses nothing on either.
"""
MICRO_BATCHES = (64, 128, 256)
"""Not larger: a step that a newer keystroke interrupts is lost."""
DRAFTS = (2, 4, 8)
"""How many tokens prompt lookup may guess; it guesses nothing where that is not faster."""
FORMATS = ("Q8_0", "Q4_0")
"""What a file may be requantised to: formats with kernels for Intel AMX, or weights repacked for wide registers."""

Measure = Callable[[Setup], Speed]
Quality = Callable[[Setup], list[float]]


@dataclass(frozen=True, slots=True)
class Tried:
    """One way and its speed."""

    setup: Setup
    speed: Speed


@dataclass(frozen=True, slots=True)
class Quantised:
    """A requantised file that was looked at. ``loss``: nats a token, with the upper end of its 95 % interval."""

    format: str
    tried: Tried
    loss: float
    loss_at_most: float
    kept: bool


@dataclass(frozen=True, slots=True)
class Tuning:
    """The outcome. ``before`` is the file as it is with llama.cpp's defaults."""

    before: Tried
    best: Tried
    tried: tuple[Tried, ...]
    quantised: tuple[Quantised, ...]


def tune(
    path: Path,
    cores: int,
    measure: Measure,
    quality: Quality,
    requantise: Callable[[Path, str], Path],
    progress: Callable[[Tried], None] | None = None,
) -> Tuning:
    """Find the best way to run ``path`` on a machine of so many ``cores``. Raises what the functions given raise.

    ``requantise`` makes another file of a format's name; one that is not kept is for the caller to delete.
    """
    tried: list[Tried] = []

    def look(setup: Setup) -> Tried:
        known = next((t for t in tried if t.setup == setup), None)
        if known is None:
            known = Tried(setup, measure(setup))
            tried.append(known)
            if progress is not None:
                progress(known)
        return known

    before = look(Setup(str(path), cores, flash_attention=True, micro_batch=512))
    best = look(replace(before.setup, micro_batch=128))
    best = _better(best, map(look, (replace(best.setup, threads=n) for n in _thread_counts(cores))))
    best = _better(best, [look(replace(best.setup, flash_attention=not best.setup.flash_attention))])
    best = _better(best, map(look, (replace(best.setup, micro_batch=n) for n in MICRO_BATCHES)))
    quantised: list[Quantised] = []
    for form in FORMATS:
        other = requantise(path, form)
        found = look(replace(best.setup, path=str(other)))
        loss, most = lost(quality(before.setup), quality(found.setup))
        if most <= LOSS_EXCLUDED:
            found = _better(found, [look(replace(found.setup, flash_attention=not found.setup.flash_attention))])
            found = _better(found, map(look, (replace(found.setup, micro_batch=n) for n in MICRO_BATCHES)))
        kept = found.speed.against(best.speed) >= FILE_WORTH and most <= LOSS_EXCLUDED
        quantised.append(Quantised(form, found, loss, most, kept))
        if kept:
            best = found
    best = _better(best, map(look, (replace(best.setup, draft_tokens=n) for n in DRAFTS)))
    return Tuning(before, best, tuple(tried), tuple(quantised))


def lost(before: Sequence[float], after: Sequence[float]) -> tuple[float, float]:
    """By how many nats a token the holes' text became less likely: mean over holes, upper end of the 95 % interval."""
    differences = [b - a for b, a in zip(before, after, strict=True)]
    spread = 1.96 * stdev(differences) / math.sqrt(len(differences)) if len(differences) > 1 else math.inf
    return mean(differences), mean(differences) + spread


def _better(best: Tried, others: Iterable[Tried]) -> Tried:
    for other in others:
        if other.speed.against(best.speed) >= WORTH:
            best = other
    return best


def _thread_counts(cores: int) -> list[int]:
    """All counts on a small machine; a few around the number of cores on a large one."""
    if cores <= 4:
        return list(range(1, cores + 1))
    return sorted({cores // 2, cores - 2, cores - 1, cores})
