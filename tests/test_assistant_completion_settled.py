"""Context that stays where it is evaluated."""

from __future__ import annotations

from assistant.completion.nearby import NearSnippet
from assistant.completion.settled import Place, SettledContext, settle
from assistant.llm import Snippet

A, B, C, D = (NearSnippet(Snippet(f"{name}.py", name), 1, 2) for name in "abcd")


def test_relevant_snippets_keep_order_and_place() -> None:
    assert settle((), (A, B), "x.py") == (A, B)
    assert settle((A, B), (B, A), "x.py") == (A, B)
    assert settle((A, B), (C, B, A), "x.py") == (A, B, C)
    assert settle((A, B, C), (C, A, D), "x.py") == (A, C, D)
    assert settle((A, B), (B, C), "x.py") == (B, C)
    assert settle((A, B, C), (B,), "x.py") == (A, B, C)


def test_nothing_is_looked_for_while_the_windows_stay() -> None:
    looked: list[int] = []

    def found(*snippets: NearSnippet):
        def find():
            looked.append(1)
            return snippets

        return find

    settled = SettledContext()
    place = Place(0, "below\n")
    assert settled.choose("x.py", place, found(A)) == (A,)
    assert settled.choose("x.py", place, found(B)) == (A,)
    assert len(looked) == 1
    assert settled.choose("x.py", place, found(A, B), anew=True) == (A, B)
    assert settled.choose("x.py", Place(64, "below\n"), found(C, A)) == (A, C)
    assert settled.choose("y.py", place, found(B)) == (B,)
    assert settled.choose("x.py", Place(64, "below\n"), found(D)) == (A, C)


def test_the_oldest_file_is_forgotten() -> None:
    settled = SettledContext()
    for n in range(20):
        settled.choose(f"{n}.py", Place(0, ""), lambda: (A,))
    assert settled.choose("0.py", Place(0, ""), lambda: (B,)) == (B,)
    assert settled.choose("19.py", Place(0, ""), lambda: (B,)) == (A,)
