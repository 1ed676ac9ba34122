"""What the measurement of a question beside completions asks for, and what it counts."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from assistant.llm import Delta, FillRequest, Finished, Generated
from benchmarks.sharing import completing, first_word, line, question, until
from tests.fakes import FakeLLM

TEXT = "".join(f"value_{number} = {number}\n" for number in range(1000))


class Quick(FakeLLM):
    """Completes at once; keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(["Yes."])
        self.asked: list[FillRequest] = []

    def fill(self, request: FillRequest, *_: Any) -> Iterator[Generated]:
        self.asked.append(request)
        return iter([Delta("1"), Finished("stop")])


def test_each_completion_is_of_a_changed_file_and_follows_the_last() -> None:
    clients: list[Any] = [Quick(), Quick()]
    with completing(clients, [TEXT, TEXT * 2], 0.0) as done:
        until(done, 20)
    assert len(done.first) == len(done.whole) >= 20
    for client in clients:
        prefixes = [request.prefix for request in client.asked[:50]]
        assert len(set(prefixes)) == len(prefixes)
        assert all(request.suffix and request.prefix + request.suffix in TEXT * 2 for request in client.asked)


def test_a_question_has_a_prompt_that_no_other_begins_with() -> None:
    picks = random.Random(1)
    first, second = (question(picks, [TEXT, TEXT[::-1]], 1500) for _ in range(2))
    assert first[:12] != second[:12]
    assert abs(len(first) / 3.6 - 1500) < 50
    word, whole = first_word(Quick(), first)  # type: ignore[arg-type]
    assert 0 < word <= whole


def test_a_run_is_said_in_one_line() -> None:
    keys = ("run", "alone_s", "beside_s", "ratio", "alone_whole_s", "beside_whole_s")
    row: dict[str, object] = {key: number for number, key in enumerate(keys)}
    row |= {key: [1, 2] for key in ("completion_ms", "completion_beside_ms", "word_ms", "word_beside_ms")}
    assert "1 s alone, 2 s beside (3 times)" in line(row)
