"""How many made-up secrets are masked, and how many harmless look-alikes with them.

Three parts. The corpus of `../shared/cases/secrets`, where that folder exists: a secret counts as found when its file
is never read or its value does not occur in the masked text. Generated values: every kind of `data/secrets/values.txt`,
`tokens.txt` and `passwords.txt`, spread over the placements of `placements.txt` in code, settings, URLs and bare.
Look-alikes of `harmless.txt`. A third of the corpus, of the placements and of the look-alikes is kept apart for
validation: rules are written against the other two thirds.

usage: python -m benchmarks.secrets [--values N] [--corpus FOLDER] [--missed]
"""

from __future__ import annotations

import argparse
import base64
import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from benchmarks.common import ROOT, Results
from indexer.secrets import mask_secrets, refuse_secret_content, refuse_secret_name

DATA = Path(__file__).parent / "data" / "secrets"
CORPUS = ROOT.parent / "shared" / "cases" / "secrets"
SEED = 20_240_511
PARTS = ("development", "validation")

_DRAW = re.compile(r"\[((?:\\.|[^\]\\])+)\]\{(\d+)\}")


@dataclass
class Placement:
    """Where a value stands: ``text`` holds ``§`` in its place."""

    group: str
    path: str
    form: str
    text: str
    part: str


@dataclass
class Count:
    """Found and all of one row, and what was missed (``what, text``)."""

    found: int = 0
    all: int = 0
    missed: list[tuple[str, str]] = field(default_factory=list)

    def add(self, found: bool, what: str, text: str) -> None:
        """Count one."""
        self.all += 1
        self.found += found
        if not found:
            self.missed.append((what, text))


def part_of(number: int) -> str:
    """Every third item is for validation only."""
    return PARTS[number % 3 == 2]


def alphabet(given: str) -> str:
    """The characters of a class: ranges, and single ones, a backslash before those that mean something."""
    found = ""
    for low, high, one in re.findall(r"(\w)-(\w)|\\?(.)", given):
        found += one or "".join(map(chr, range(ord(low), ord(high) + 1)))
    return found


def drawn(expression: str, rng: random.Random) -> str:
    """A value of the form ``expression``."""
    return _DRAW.sub(lambda m: "".join(rng.choices(alphabet(m[1]), k=int(m[2]))), expression)


def kinds(name: str) -> dict[str, str]:
    """Expression by kind of value, from a data file."""
    lines = (DATA / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split("\t", 1) for line in lines if line and not line.startswith("#"))


def blocks(name: str) -> Iterator[tuple[list[str], str]]:
    """Words of the head and text of every ``===`` block of a data file."""
    for block in (DATA / f"{name}.txt").read_text(encoding="utf-8").split("\n=== ")[1:]:
        head, _, text = block.partition("\n")
        yield head.split(), f"{text}\n"


def placements() -> list[Placement]:
    """All of them, in order, with their part of the split."""
    found = []
    for number, (head, text) in enumerate(blocks("placements")):
        group, path, *form = head
        found.append(Placement(group, path, form[0] if form else "", text, part_of(number)))
    return found


FORMS: dict[str, Callable[[str], str]] = {
    "": str,
    "xml": escape,
    "b64": lambda value: base64.b64encode(value.encode()).decode(),
}


def hidden(path: str, text: str, value: str) -> bool:
    """Whether a value is nowhere in what masking leaves of its file."""
    return value.encode() not in mask_secrets(text.encode(), path)[0]


def judge(kind: str, expression: str, places: list[Placement], number: int, count: Count) -> None:
    """Put ``number`` values of one kind in places in turn."""
    rng = random.Random(f"{SEED}:{kind}")
    for turn in range(number):
        place = places[turn % len(places)]
        value = FORMS[place.form](drawn(expression, rng))
        text = place.text.replace("§", value)
        count.add(hidden(place.path, text, secret_of(value)), f"{kind} in {place.path}", text)


def secret_of(value: str) -> str:
    """What of a value must be hidden: of a connection string the key."""
    return value.partition("AccountKey=")[2] or value


def generated(number: int) -> dict[tuple[str, str, str], Count]:
    """Counts by group, kind and part of the split, of ``number`` values each."""
    counts: dict[tuple[str, str, str], Count] = {}
    every = placements()
    for group, name in (("code", "values"), ("settings", "values"), ("url", "passwords"), ("bare", "tokens")):
        for part in PARTS:
            places = [place for place in every if (place.group, place.part) == (group, part)]
            for kind, expression in kinds(name).items():
                count = counts[group, kind, part] = Count()
                judge(kind, expression, places, number if part == PARTS[0] else number // 2, count)
    return counts


def corpus(folder: Path) -> dict[tuple[str, str], Count]:
    """Counts by ``secret`` or ``harmless`` and part of the split."""
    counts: dict[tuple[str, str], Count] = {}
    for number, record in enumerate(json.loads((folder / "corpus.json").read_text(encoding="utf-8"))):
        text, path = record["text_reversed"][::-1], record["path"]
        unread = refuse_secret_name(path) or refuse_secret_content(path, text.encode())
        for item in record["items"]:
            value = item["value_reversed"][::-1]
            found = bool(unread) or hidden(path, text, value)
            count = counts.setdefault((item["what"], part_of(number)), Count())
            count.add(found, f"{item['kind']} in {path}", text[:300])
    return counts


def harmless() -> dict[str, Count]:
    """Counts of look-alikes that were masked, by part of the split; ``missed`` holds the masked ones."""
    counts = {part: Count() for part in PARTS}
    for number, (head, text) in enumerate(blocks("harmless")):
        masked = mask_secrets(text.encode(), head[0])[0].decode()
        counts[part_of(number)].add(masked == text, head[0], masked)
    return counts


def main() -> None:
    """Measure and print a table; the lowest kinds of each group are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--values", type=int, default=1000)
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--missed", action="store_true", help="print what was missed in development")
    given = parser.parse_args()
    results = Results("secrets", fresh=True)
    if (given.corpus / "corpus.json").exists():
        for (what, part), count in sorted(corpus(given.corpus).items()):
            masked = "masked" if what == "harmless" else "found"
            report(results, "corpus", what, part, count, masked)
            show(given.missed and part == PARTS[0], count if what == "secret" else Count())
    else:
        print(f"The corpus is missing: no {given.corpus / 'corpus.json'}. Only generated values are measured.")
    groups: dict[tuple[str, str], Count] = {}
    for (group, kind, part), count in generated(given.values).items():
        report(results, group, kind, part, count, "found")
        total = groups.setdefault((group, part), Count())
        total.found += count.found
        total.all += count.all
        if given.missed and part == PARTS[0]:
            common = Counter(what for what, _ in count.missed).most_common(4)
            print(*(f"    {number} of {what}\n" for what, number in common), sep="", end="")
    for (group, part), count in groups.items():
        report(results, group, "all", part, count, "found")
    for part, count in harmless().items():
        report(results, "look-alikes", "left alone", part, count, "left alone")
        show(given.missed and part == PARTS[0], count)


def report(results: Results, group: str, kind: str, part: str, count: Count, says: str) -> None:
    """One row: printed and kept."""
    results.add({"group": group, "kind": kind, "part": part, "found": count.found, "all": count.all}, SEED)
    print(f"{group:12}{kind:22}{part:12} {count.found:5} of {count.all:5} {says} ({count.found / count.all:6.1%})")


def show(wanted: bool, count: Count) -> None:
    """The texts of what was missed."""
    for what, text in count.missed if wanted else ():
        print(f"    {what}\n" + "".join(f"        {line}\n" for line in text.splitlines()), end="")


if __name__ == "__main__":
    main()
