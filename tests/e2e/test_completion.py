"""Completions by the real default model: it reads both sides of the cursor, and typing on costs next to nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assistant.completion.completer import Completer
from assistant.completion.instruct import InstructFill
from assistant.completion.request import Completion, CompletionRequest
from assistant.config import Config
from assistant.context import CodeIndex
from assistant.doctor import examine
from assistant.engine import Engine
from assistant.llm import LLM, Generated, ModelInfo

pytestmark = pytest.mark.e2e

PATH = "networkx/algorithms/dag.py"
BEFORE = '''def read_weights(lines):
    """Parse lines such as "a,b,3" into weighted edges."""
    edges = []
    for line in lines:
        '''
AFTER = """ = line.split(",")
        edges.append((first, second, float(weight)))
    return edges


"""


def split(root: Path) -> tuple[str, str]:
    """The text of a real file with an unfinished function in the middle: what stands before and after the cursor."""
    text = (root / PATH).read_text()
    at = text.index("def topological_generations(")
    at = text.rindex("\n\n\n", 0, at) + 3
    return text[:at] + BEFORE, AFTER + text[at:]


def complete(completer: Completer, prefix: str, suffix: str) -> Completion:
    return completer.complete(CompletionRequest(PATH, "python", 0, prefix, suffix))


def test_a_completion_needs_what_stands_before_and_after_the_cursor(
    real_llm: LLM, package_index: CodeIndex, package_root: Path
) -> None:
    completer = Completer(package_index, real_llm)
    prefix, suffix = split(package_root)
    done = complete(completer, prefix, suffix)
    # The names stand behind the cursor only, what they are split from and for before it.
    assert done.text == "first, second, weight"
    assert done.replace.start_byte == done.replace.end_byte == len(prefix.encode())
    assert done.timings.prompt_tokens > 500
    assert done.timings.prompt_tokens <= 1_300
    assert "first" not in complete(completer, prefix, "\n").text


def test_two_typed_characters_evaluate_at_most_four_tokens(
    real_llm: LLM, package_index: CodeIndex, package_root: Path
) -> None:
    completer = Completer(package_index, real_llm)
    prefix, suffix = split(package_root)
    first = complete(completer, prefix, suffix)
    assert first.context
    second = complete(completer, prefix + "fi", suffix)
    assert second.timings.evaluated_tokens <= 4
    assert second.timings.prompt_tokens > 500
    assert second.context == first.context
    assert second.text == "rst, second, weight"


def test_typing_on_in_the_middle_of_a_line_evaluates_at_most_four_tokens_each_time(
    real_llm: LLM, package_index: CodeIndex, package_root: Path
) -> None:
    completer = Completer(package_index, real_llm)
    prefix, suffix = split(package_root)
    complete(completer, prefix, suffix)
    for typed in ("first", "first,", "first, sec", "first, second,", "first, second, wei"):
        done = complete(completer, prefix + typed, suffix)
        assert done.timings.evaluated_tokens <= 4, typed
        assert typed + done.text == "first, second, weight", typed


def test_a_block_where_one_is_missing(real_llm: LLM) -> None:
    prefix = 'import json\n\n\ndef read_config(path):\n    """Read a JSON file."""\n    '
    suffix = "\n\n\nprint(read_config('settings.json'))\n"
    done = Completer(None, real_llm).complete(CompletionRequest("config.py", "python", 0, prefix, suffix))
    assert done.stop_reason == "block"
    whole = prefix + done.text + suffix
    compile(whole, "config.py", "exec")
    assert "json.load" in done.text
    assert "```" not in done.text


def test_a_model_that_can_only_chat_fills_easy_holes(llm: LLM) -> None:
    chat_only = ChatOnly(llm)
    completer = Completer(None, InstructFill(chat_only))
    prefix, suffix = "def add(first, second):\n    return first ", "\n\n\nprint(add(1, 2))\n"
    done = completer.complete(CompletionRequest("add.py", "python", 0, prefix, suffix))
    assert done.text == "+ second"
    # What stays comes first: the next keystroke evaluates the end of the prompt only.
    again = completer.complete(CompletionRequest("add.py", "python", 0, prefix + "+", suffix))
    assert again.text.strip() == "second"
    assert again.timings.evaluated_tokens < again.timings.prompt_tokens / 3
    assert chat_only.filled == 0


class ChatOnly:
    """A model without its fill-in-the-middle format."""

    def __init__(self, llm: LLM) -> None:
        self._llm = llm
        self.filled = 0

    @property
    def info(self) -> ModelInfo:
        return replace(self._llm.info, fim=False, fim_layout="")

    def fill(self, *_: object) -> Iterator[Generated]:
        self.filled += 1
        raise AssertionError("it cannot fill")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._llm, name)


def test_the_self_test_of_doctor_passes_with_the_default_model(real_llm: LLM, tmp_path: Path) -> None:
    found = {check.name: check for check in examine(Engine(Config(), tmp_path, llm=real_llm))}
    assert (found["fill"].status, found["fill"].detail) == (
        "ok",
        "3 of 3 holes filled right; text before the cursor last.",
    )
