"""The completer: prompt layout, settings, what comes back, with a scripted model."""

from __future__ import annotations

import pytest

from assistant.completion.completer import LINE_TOKENS, Completer
from assistant.completion.request import CompletionRequest, CompletionSettings
from assistant.errors import UnsupportedModelError
from assistant.llm import Cancel, FillRequest
from tests.fakes import FakeLLM
from tests.small_index import SmallIndex
from tests.test_assistant_completion_nearby import CUT, FILES, PATH

PREFIX, SUFFIX = FILES[PATH][:CUT], FILES[PATH][CUT + len("net_price(item, country)") :]


def request(prefix: str, suffix: str = "\n", path: str = PATH) -> CompletionRequest:
    return CompletionRequest(path, "python", 1, prefix, suffix)


def test_a_line_stops_at_its_end_and_says_what_stood_in_the_prompt():
    llm = FakeLLM([" net_price(item, country)\n    more"])
    done = Completer(SmallIndex(FILES), llm).complete(request(PREFIX, SUFFIX))
    assert (done.text, done.stop_reason, done.reused) == ("net_price(item, country)", "line", False)
    ((asked, sampling),) = llm.calls
    assert isinstance(asked, FillRequest)
    assert (asked.prefix, asked.suffix, asked.path) == (PREFIX.removesuffix(" "), SUFFIX, PATH)
    assert sampling.stop == ("\n",)
    assert sampling.max_tokens == LINE_TOKENS
    assert sampling.temperature == 0.0
    assert [c.partition(":")[0] for c in done.context] == [s.path for s in asked.context]
    assert "shop/prices.py:1-2" in done.context
    assert done.timings.prompt_tokens > 0
    assert done.timings.retrieval_ms > 0


def test_the_span_is_empty_at_the_cursor_and_counts_bytes():
    done = Completer(None, FakeLLM(["1"])).complete(request("ä = 'ö'\nx = ", "\n"))
    assert done.replace.start_byte == done.replace.end_byte == len("ä = 'ö'\nx = ".encode())
    assert (done.replace.start_line, done.replace.end_line) == (2, 2)
    assert done.context == ()


def test_a_retyped_rest_is_replaced():
    done = Completer(None, FakeLLM(["a, b) -> int:"])).complete(request("def f(", ")\n"))
    assert (done.text, done.replace.start_byte, done.replace.end_byte) == ("a, b) -> int:", 6, 7)


def test_a_block_is_generated_until_it_is_complete():
    script = "    total = 0\n    return total\n\ndef other():\n" + "    pass\n" * 200
    llm = FakeLLM([script])
    done = Completer(None, llm).complete(request("def f(x):\n    ", "\n"))
    assert (done.text, done.stop_reason) == ("total = 0\n    return total", "block")
    assert done.timings.generated_tokens < 30
    assert llm.calls[0][1].stop == ()


def test_one_line_only_where_several_are_not_wanted():
    llm = FakeLLM(["total = 0\n    return total\n"])
    done = Completer(None, llm, CompletionSettings(multiline=False)).complete(request("def f(x):\n    ", "\n"))
    assert done.text == "total = 0"


def test_typing_leaves_context_and_suffix_of_the_prompt_as_they_are():
    llm = FakeLLM(["x"] * 3)
    completer = Completer(SmallIndex(FILES), llm)
    for typed in ("", "n", "ne"):
        completer.complete(request(PREFIX + typed, SUFFIX))
    first, second, third = (asked for asked, _ in llm.calls)
    assert first.context == second.context == third.context != ()
    assert first.suffix == second.suffix == third.suffix
    # The blank before the cursor joins the prompt with the word that follows it.
    assert (first.prefix, third.prefix) == (PREFIX[:-1], PREFIX + "ne")


def test_lines_are_counted_once():
    counted: list[str] = []

    class Counting(FakeLLM):
        def count(self, texts):
            counted.extend(texts)
            return super().count(texts)

        def count_fill(self, request):
            return 0

    completer = Completer(SmallIndex(FILES), Counting(["x"] * 2))
    completer.complete(request(PREFIX, SUFFIX))
    before = len(counted)
    completer.complete(request(PREFIX + "n", SUFFIX))
    assert len(counted) == before


def test_the_prompt_stays_within_the_budget_and_a_small_context():
    lines = "".join(f"value_{n} = compute({n})\n" for n in range(500))
    for settings, context in ((CompletionSettings(prompt_tokens=300), 4096), (CompletionSettings(), 600)):
        llm = FakeLLM(["x"], context_tokens=context)
        Completer(SmallIndex(FILES), llm, settings).complete(request(lines + "x = ", "\n" + lines))
        ((asked, sampling),) = llm.calls
        assert llm.count_fill(asked) + sampling.max_tokens <= min(context, settings.prompt_tokens + 200)


def test_cancelled_and_empty_say_so():
    cancel = Cancel()
    cancel.cancel()
    assert Completer(None, FakeLLM(["abc"])).complete(request("x = "), cancel).stop_reason == "cancelled"
    done = Completer(None, FakeLLM([""])).complete(request("x = "))
    assert (done.text, done.stop_reason) == ("", "empty")


def test_windows_line_ends_go_in_as_line_feeds_and_come_back():
    llm = FakeLLM(["    a = 1\n    return a\n"])
    done = Completer(None, llm).complete(request("import x\r\n\r\ndef f():\r\n    ", "\r\n"))
    assert "\r" not in llm.calls[0][0].prefix + llm.calls[0][0].suffix
    assert done.text == "a = 1\r\n    return a"
    assert done.replace.start_byte == len("import x\r\n\r\ndef f():\r\n    ")


def test_what_the_model_raises_comes_through():
    error = UnsupportedModelError("The model cannot fill.", "Choose another.")
    with pytest.raises(UnsupportedModelError):
        Completer(None, FakeLLM(["abc"], failure=error)).complete(request("x = "))


NEXT = "    return 1\n"
"""Stands behind the cursor."""


def test_a_second_guess_where_the_first_says_the_next_line():
    llm = FakeLLM(["    return 1", "    x = 1"], alternatives=True)
    done = Completer(None, llm).complete(request("def f():\n    y = 2\n", "\n" + NEXT))
    assert (done.text, done.stop_reason) == ("    x = 1", "line")
    (first, one), (second, other) = llm.calls
    assert first == second
    assert (one.alternative, other.alternative) == (0, 1)
    assert done.timings.prompt_tokens == llm.count_fill(first)
    assert done.timings.generated_tokens == 6


@pytest.mark.parametrize("suffix", ["\n" + NEXT, "return 1\n"])
def test_no_second_guess_from_a_model_without_alternatives(suffix):
    llm = FakeLLM(["return 1"], alternatives=False)
    done = Completer(None, llm).complete(request("def f():\n    y = 2\n    ", suffix))
    assert (done.text, done.stop_reason) == ("", "repeats")


@pytest.mark.parametrize("first", [")", "))", "= ]"])
def test_a_second_guess_where_the_first_says_the_rest_or_does_not_fit(first):
    llm = FakeLLM([first, "name)"], alternatives=True)
    done = Completer(None, llm).complete(request("x = open(", ")\n"))
    assert (done.text, len(llm.calls)) == ("name", 2)


def test_a_line_that_opens_a_block_comes_with_it():
    llm = FakeLLM(["    for n in x:", "        y += n\n    return y\n"], alternatives=True)
    done = Completer(None, llm).complete(request("def f(x):\n    y = 0\n    ", "\n    return y\n"))
    assert done.text == "for n in x:\n        y += n"
    asked, goes_on = (call[0] for call in llm.calls)
    assert goes_on.prefix == asked.prefix + "    for n in x:\n"


def test_a_line_whose_block_stands_in_the_file_is_complete():
    llm = FakeLLM(["for n in x:"], alternatives=True)
    done = Completer(None, llm).complete(request("def f(x):\n    y = 0\n    ", "\n        y += n\n    return y\n"))
    assert (done.text, done.stop_reason) == ("for n in x:", "line")


def test_a_second_guess_that_says_the_same_is_the_last():
    llm = FakeLLM(["    return 1", "    return 1"], alternatives=True)
    assert Completer(None, llm).complete(request("def f():\n    y = 2\n", "\n" + NEXT)).text == ""
