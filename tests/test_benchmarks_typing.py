"""What the completion benchmarks compute from raw rows, and how commits become keystrokes."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

from benchmarks.infilling import interval, passes, program
from benchmarks.keystrokes import Key, sessions, timed
from benchmarks.llamavim import Cache, Place
from benchmarks.report_completion import infilling, typing
from benchmarks.typing import summary, waits


def test_text_becomes_keys_with_indentation_in_one() -> None:
    keys = list(timed("a = b\n    c", random.Random(0)))
    assert [key.text for key in keys] == ["a", " ", "=", " ", "b", "\n    ", "c"]
    assert all(key.wait > 0 for key in keys)
    assert keys == list(timed("a = b\n    c", random.Random(0)))
    assert list(timed("", random.Random(0))) == []


def test_a_session_is_the_file_before_and_what_was_added(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True, capture_output=True)

    lines = [f"line_{n} = {n}\n" for n in range(80)]
    file = tmp_path / "mod.py"
    git("init", "-q")
    file.write_text("".join(lines))
    git("add", ".")
    git("commit", "-qm", "first")
    added = "def added(number):\n    return number + 1\n"
    file.write_text("".join(lines[:40]) + added + "".join(lines[40:]))
    git("commit", "-qam", "second")
    (found,) = sessions(tmp_path, "x", (".py",), 5)
    assert found.prefix == "".join(lines[:40])
    assert found.suffix == "\n" + "".join(lines[40:])
    assert "".join(key.text for key in found.keys) == added.rstrip()
    assert Key("\n    ", found.keys[18].wait) == found.keys[18]
    assert sessions(tmp_path, "x", (".go",), 5) == []


def stroke(how: str, at: float, seconds: float | None, *, into: bool = False) -> dict[str, object]:
    return {"how": how, "at": at, "seconds": seconds, "shown": seconds is not None, "into": into}


def test_keystrokes_that_need_the_model_are_counted_apart() -> None:
    strokes = [
        stroke("model", 0.0, 0.5),
        stroke("known", 0.6, 0.001, into=True),
        stroke("superseded", 0.8, None, into=True),
    ]
    row = {"way": "codemoat", "session": "a/0", "evaluated": 30, "generated": 12, "ended": 1.0, "strokes": strokes}
    found = summary([row])
    assert (found["model_p50"], found["model_p95"], found["keystrokes"]) == (0.35, 0.5, 3)
    assert (found["known_share"], found["into_known"], found["answered_share"]) == (0.333, 0.5, 0.667)
    assert (found["evaluated_each"], found["generated_each"]) == (10.0, 4.0)
    table = typing([row, {**row, "way": "llama.vim", "evaluated": 300}])
    assert table is not None
    assert ("tokens evaluated a keystroke", 10.0, 100.0, "0.100") in table[1]
    assert typing([]) is None
    alone = {**row, "session": "only one way typed it", "evaluated": 1_000}
    other = typing([row, alone, {**row, "way": "llama.vim"}])
    assert other is not None
    assert ("tokens evaluated a keystroke", 10.0, 10.0, "1.000") in other[1]


def test_an_overtaken_keystroke_waits_for_the_next_that_is_answered() -> None:
    strokes = [stroke("superseded", 0.0, None), stroke("superseded", 0.5, None), stroke("model", 1.0, 0.25)]
    strokes += [stroke("known", 2.0, 0.125), stroke("superseded", 3.0, None)]
    assert waits({"strokes": strokes, "ended": 4.0}) == [1.25, 0.75, 0.25, 0.125, 1.0]


def test_first_words_are_not_the_whole() -> None:
    begun = {**stroke("model", 0.0, 0.25), "whole": None}
    whole = {**stroke("model", 1.0, 0.25), "whole": 0.5}
    row = {"strokes": [begun, whole, stroke("known", 2.0, 0.125)], "ended": 4.0}
    assert waits(row) == [0.25, 0.25, 0.125]
    assert waits(row, whole=True) == [1.5, 0.5, 0.125]


def test_intervals_are_wilsons() -> None:
    share, low, high = interval(620, 1033)
    assert (round(share, 3), round(low, 3), round(high, 3)) == (0.6, 0.57, 0.63)
    assert interval(0, 0) == (0.0, 0.0, 1.0)
    rows = [{"model": "m", "exact": True, "passed": True, "shown": True}] * 3
    assert infilling(rows) is not None


def test_a_program_passes_when_its_tests_do() -> None:
    task = {
        "prompt": "def f(x):\n", "suffix": "", "entry_point": "f",
        "test": "def check(candidate):\n    assert candidate(1) == 2\n",
    }  # fmt: skip
    assert passes(program(task, "    return x + 1"))
    assert not passes(program(task, "    return x"))
    assert not passes("while True: pass\n".replace("pass", "raise SystemExit(3)"))


def test_the_baselines_cache_looks_back() -> None:
    cache = Cache()
    cache.put("x = ", "\n", "abc")
    assert cache.find("x = ", "\n") == "abc"
    assert cache.find("x = ab", "\n") == "c"
    assert cache.find("x = abc", "\n") is None
    assert cache.find("x = b", "\n") is None


def test_the_baseline_sees_whole_lines_around_the_cursor() -> None:
    place = Place.of("a\nb\nx = ", "rest\nc\nd\n")
    assert (place.before, place.line_before, place.line_after, place.after) == ("a\nb\n", "x = ", "rest", "c\nd\n\n")
