"""The model's [n] → checked [path:start-end], in a stream that comes in any pieces."""

from __future__ import annotations

import pytest

from assistant.citations import Citation, CitationWriter, unverified
from assistant.context import Source
from tests.small_index import SmallIndex
from tests.test_assistant_context import ENGINE, OTHER

FILES = {"core/engine.py": ENGINE, "graph/colour.py": OTHER}
LINES = ENGINE.splitlines(keepends=True)
SOURCES = (
    Source(1, "core/engine.py", 4, 18, "".join(LINES[3:18]), "Engine"),
    Source(2, "graph/colour.py", 1, 2, OTHER, "colour"),
)
ENGINE_PLACE = "[core/engine.py:4-18]"
COLOUR_PLACE = "[graph/colour.py:1-2]"


def write(answer: str, size: int = 1000, sources=SOURCES, files=FILES) -> tuple[str, CitationWriter]:
    writer = CitationWriter(SmallIndex(files), sources)
    shown = [writer.feed(answer[i : i + size]) for i in range(0, len(answer), size)]
    return "".join(shown) + writer.finish(), writer


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Yes [1].", f"Yes {ENGINE_PLACE}."),
        ("Yes.[1]", f"Yes. {ENGINE_PLACE}"),
        ("Yes [2][1]", f"Yes {COLOUR_PLACE} {ENGINE_PLACE}"),
        ("Yes [1, 2].", f"Yes {ENGINE_PLACE} {COLOUR_PLACE}."),
        ("Yes [1-2].", f"Yes {ENGINE_PLACE} {COLOUR_PLACE}."),
        ("Yes [snippet 2].", f"Yes {COLOUR_PLACE}."),
        ("Yes [1] and [1].", f"Yes {ENGINE_PLACE} and."),
        ("See [graph/colour.py:1-2].", f"See {COLOUR_PLACE}."),
        ("See [core/engine.py:1-5].", "See [core/engine.py:4-5]."),
        ("See [2 graph/colour.py:2].", "See [graph/colour.py:2-2]."),
    ],
)
def test_numbers_and_places_become_checked_places(said, shown):
    text, writer = write(said)
    assert text == shown
    assert writer.dropped == 0
    assert writer.citations


@pytest.mark.parametrize(
    "said",
    ["Yes [7].", "Yes [0].", "Yes [setup/evil.py:1-9].", "Yes [core/engine.py:400-410].", "Yes [Source 12]."],
)
def test_what_was_never_given_is_dropped(said):
    text, writer = write(said)
    assert text == "Yes."
    assert writer.dropped == 1
    assert writer.citations == []


def test_a_source_that_the_index_no_longer_has_is_not_cited():
    text, writer = write("Yes [1].", files={"graph/colour.py": OTHER})
    assert (text, writer.dropped) == ("Yes.", 1)


def test_lines_beyond_the_file_are_not_cited():
    text, writer = write("Yes [1].", files=FILES | {"core/engine.py": "short = 1\n"})
    assert (text, writer.dropped) == ("Yes.", 1)


@pytest.mark.parametrize(
    "said",
    [
        "Take `items[1]` there",
        "Take items_list[1] there",
        "Take f(x)[1] there",
        "A [link](https://example.org) there",
        "A [word] there",
        "An [x] there [",
        "```python\nvalue = rows [1]\n```",
        "```\nvalue = rows [1]\n```\n",
        "~ [unfinished",
        "`[1]` there",
    ],
)
def test_other_brackets_stay(said):
    text, writer = write(said)
    assert text.startswith(said)
    assert writer.dropped == 0


@pytest.mark.parametrize("size", [1, 2, 3, 5, 11])
def test_the_pieces_of_the_stream_change_nothing(size):
    answer = (
        "The `Engine` class starts spiders [1] and colour gives 0 [2, 9].\n\n"
        "```python\nrows = [1]\n\nEngine().start(x)  # [2]\n```\n"
        "- `build_engine` makes an engine from settings\n- See [nowhere/at.py:3-4] [core/engine.py:1-400]\n"
    )
    assert write(answer, size)[0] == write(answer)[0]


def test_text_after_a_fence_is_cited_again():
    for fence in ("```", "```python", "````"):
        closing = fence.rstrip("python")
        text, _ = write(f"{fence}\nrows [1]\n{closing}\nThen `stop` it [1].")
        assert text == f"{fence}\nrows [1]\n{closing}\nThen `stop` it [core/engine.py:11-13]."


@pytest.mark.parametrize("size", [1, 4, 100])
def test_a_copied_heading_is_not_said_twice(size):
    text, _ = write("[1] core/engine.py:4-18 (Engine) starts it. See [2] graph/colour.py too.", size)
    assert text == f"{ENGINE_PLACE} (Engine) starts it. See {COLOUR_PLACE} graph/colour.py too."


def test_a_partial_bracket_is_held_back():
    writer = CitationWriter(SmallIndex(FILES), SOURCES)
    assert writer.feed("Starts spiders [") == "Starts spiders"
    assert writer.feed("1") == ""
    assert writer.feed("] well") == f" {ENGINE_PLACE} well"


def test_lines_are_narrowed_to_the_definition_that_the_sentence_names():
    assert write("Call `stop` to end it [1].")[0] == "Call `stop` to end it [core/engine.py:11-13]."
    assert write("Both start() and stop() are there [1].")[0].endswith("[core/engine.py:7-13].")
    assert write("Engine has stop [1].")[0].endswith("[core/engine.py:11-13].")
    text, _ = write("First `start` [1]. Then `stop` [1].")
    assert text == "First `start` [core/engine.py:7-9]. Then `stop` [core/engine.py:11-13]."


def test_an_uncited_paragraph_gets_the_source_that_it_speaks_of():
    text, writer = write("`build_engine` makes an engine from settings.\n\nThanks for asking, have a nice day.\n")
    assert text == (
        "`build_engine` makes an engine from settings. [core/engine.py:16-18]\n\nThanks for asking, have a nice day.\n"
    )
    assert writer.citations == [Citation("core/engine.py", 16, 18)]


def test_an_answer_that_is_all_code_is_attributed_as_a_whole():
    text, writer = write("```python\nengine = build_engine(settings)\nengine.start(spider)\n```")
    assert text.endswith("```\n[core/engine.py:7-18]")
    assert len(writer.citations) == 1


@pytest.mark.parametrize("said", ["I do not know.", "# Engine spiders settings", "Pizza needs flour, water, yeast."])
def test_a_text_that_shares_too_little_is_not_attributed(said):
    assert write(said)[0] == said


def test_names_that_nobody_knows_are_listed():
    answer = (
        "Call `Engine.start_all()` or `build_engine`, then flush_cache() in `core/missing.py`, not `core/engine.py`.\n"
        "```python\nmy_engine = make_it_up()\n```\nThen use `my_engine`.\n"
    )
    found = unverified(answer, "and my_question_name?", SOURCES, SmallIndex(FILES))
    assert found == ("start_all", "flush_cache", "core/missing.py")


def test_a_name_of_another_file_of_the_index_is_known():
    index = SmallIndex(FILES | {"util.py": "def flush_cache():\n    pass\n"})
    assert unverified("Use `flush_cache`.", "", SOURCES, index) == ()
