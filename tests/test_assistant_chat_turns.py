"""A conversation of several turns: what its prompts repeat, what they add, what is kept when an answer is cut short."""

from __future__ import annotations

import threading
from itertools import pairwise

import pytest

from assistant.chat import AskSettings, ChatSession, Delta, Done, Failed, Sources
from assistant.conversation import Conversation
from assistant.errors import HostError
from assistant.llm import Cancel
from indexer.errors import BadInputError, StorageError
from tests.fakes import FakeLLM
from tests.small_index import SmallIndex

ENGINE = '''class Engine:
    """Starts and stops spiders."""

    def start_spider(self, spider):
        """Start a spider that it gets, and keep it."""
        self.spider = spider


def build_engine(settings):
    """Make an engine from settings."""
    return Engine()
'''
CRAWL = '''def crawl_site(runner, site):
    """Crawl it."""
    page = find(site)
    runner.start_spider(page)
    return site
'''
FILES = {"core/engine.py": ENGINE, "core/crawl.py": CRAWL, "graph/colour.py": "def colour(graph):\n    return {}\n"}
FIRST = "how does the Engine class keep what start_spider gets"
SAID = "`start_spider` keeps the spider [1]."


def session(*script: str, index: SmallIndex | None = None, settings=None, keep=None, **fake):
    llm = FakeLLM(list(script), **fake)
    settings = settings or AskSettings(snippet_tokens=400, answer_tokens=64)
    return ChatSession(index or SmallIndex(FILES), llm, settings, keep=keep), llm


def ask(chat: ChatSession, question: str, **shown) -> Done:
    *_, done = chat.ask(question, **shown)
    assert isinstance(done, Done), done
    return done


def test_the_next_prompt_begins_with_the_last_one_and_the_answer_as_it_was_generated():
    chat, llm = session(SAID, "In `crawl_site` [3].")
    first, second = ask(chat, FIRST), ask(chat, "and where is it called?")
    (before, _), (after, _) = llm.calls
    assert "[core/engine.py:" in first.answer
    assert after[: len(before)] == before
    assert (after[len(before)].role, after[len(before)].content) == ("assistant", SAID)
    assert len(after) == len(before) + 2
    new = llm.count([after[-1].content])[0]
    assert second.timings.evaluated_tokens == second.timings.prompt_tokens - second.timings.reused_tokens == new + 5


def test_a_use_outside_of_any_definition_is_found_and_an_import_is_none():
    files = {
        "core/engine.py": ENGINE,
        "run.py": "import engine\n\nengine.start_spider(None)\n",
        "lists.py": "from engine import (\n    other,\n    start_spider,\n)\n",
    }
    chat, _ = session(SAID, "There [2].", index=SmallIndex(files))
    ask(chat, FIRST)
    second = ask(chat, "and where is it called?")
    assert [source.path for source in second.sources] == ["run.py"]


def test_a_follow_up_finds_what_the_conversation_is_about_and_gives_nothing_twice():
    chat, llm = session(SAID, "In `crawl_site` [3].", "It returns nothing [1].")
    first, second = ask(chat, FIRST), ask(chat, "and where is it called?")
    assert {s.path for s in second.sources} == {"core/crawl.py"}
    assert [s.number for s in second.sources] == [max(s.number for s in first.sources) + 1]
    assert "start_spider" in llm.calls[1][0][-1].content.split("</snippets>")[1]
    assert [str(c) for c in second.citations] == ["[core/crawl.py:1-5]"]
    third = ask(chat, "What does it return?")
    assert chat.turns[2].given == (), "everything about it was given before"
    assert {s.number for s in third.sources} <= {1, 2, 3}
    assert third.citations[0].path == "core/engine.py", "earlier snippets can be cited"


def test_a_question_that_stands_for_itself_is_searched_for_as_it_is():
    index = SmallIndex(FILES)
    chat, _ = session(SAID, "In red [2].", index=index)
    ask(chat, FIRST)
    ask(chat, "how is the graph given a colour")
    assert index.queries == [FIRST, "how is the graph given a colour"]
    *_, done = chat.ask("how do I bake a sourdough pizza")
    assert done.model == ""
    assert len(chat.turns) == 3
    assert len(chat.conversation.prompted) == 2


def test_the_last_answer_in_other_words_needs_nothing_new():
    chat, llm = session(SAID, "It keeps it.")
    first, second = ask(chat, FIRST), ask(chat, "Explain that in simpler words")
    assert second.sources == first.sources
    assert "<snippets>" not in llm.calls[1][0][-1].content


def test_what_was_edited_meanwhile_is_given_anew_and_what_moved_is_cited_where_it_is():
    index = SmallIndex(FILES)
    chat, _ = session(SAID, "`start_spider` still does [1].", "Now [1] and [9].", index=index)
    one = ask(chat, FIRST).citations[0]
    index.files["core/engine.py"] = "import os\n\n" + ENGINE
    moved = ask(chat, "what does it keep?").citations[0]
    assert (moved.start_line, moved.end_line) == (one.start_line + 2, one.end_line + 2)
    index.files["core/engine.py"] = ENGINE.replace("self.spider = spider", "self.spiders.append(spider)")
    done = ask(chat, "what does it keep now?")
    assert any("append" in s.text for s in chat.turns[2].given)
    assert done.dropped == 2


def test_stopping_keeps_what_was_said_and_the_next_question_goes_on():
    chat, llm = session("one two three four five six seven", "more [1]")
    cancel = Cancel()
    for event in chat.ask(FIRST, cancel):
        if isinstance(event, Delta):
            cancel.cancel()
    (turn,) = chat.turns
    assert turn.stop_reason == "cancelled"
    assert turn.generated.startswith("one")
    assert "seven" not in turn.generated
    ask(chat, "and why does it?")
    assert llm.calls[1][0][2].content == turn.generated


def test_a_closed_stream_keeps_what_was_said_and_frees_the_conversation():
    chat, _ = session("one two three four five six seven", "more [1]")
    events = chat.ask(FIRST)
    assert isinstance(next(events), Sources)
    next(events)
    events.close()
    assert chat.turns[0].answer.startswith("one")
    ask(chat, "and why does it?")


def test_a_model_that_dies_leaves_what_was_said_and_a_silent_one_no_turn():
    chat, llm = session("one two three", failure=HostError("The host died."), fail_after=2)
    assert isinstance(list(chat.ask(FIRST))[-1], Failed)
    assert chat.turns[0].answer.startswith("one")
    llm.script, llm.fail_after = ["four"], 0
    assert isinstance(list(chat.ask("and why does it?"))[-1], Failed)
    assert len(chat.turns) == 1


def test_only_one_question_at_a_time_from_whatever_thread():
    chat, _ = session("one two three four", "five")
    events = chat.ask(FIRST)
    next(events)
    other: list[object] = []
    thread = threading.Thread(target=lambda: other.extend(chat.ask("and why?")))
    thread.start()
    thread.join()
    (failed,) = other
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, BadInputError)
    list(events)
    assert len(chat.turns) == 1
    ask(chat, "and why does it?")


def test_an_answer_is_given_again_from_the_same_prompt_with_some_chance():
    chat, llm = session(SAID, "Another one [1].", "A third one.", failure=None)
    first = ask(chat, FIRST)
    *_, second = chat.regenerate()
    assert (llm.calls[0][0], llm.calls[1][0]) == (llm.calls[0][0],) * 2
    assert second.sources == first.sources
    assert second.timings.evaluated_tokens == 1
    assert llm.calls[1][1].temperature > 0
    list(chat.regenerate())
    assert llm.calls[1][1].seed != llm.calls[2][1].seed
    assert [turn.answer.split(" [")[0] for turn in chat.turns] == ["A third one."]
    (failed,) = session()[0].regenerate()
    assert isinstance(failed, Failed)


def test_a_new_answer_that_says_nothing_leaves_the_old_one():
    chat, llm = session(SAID, "")
    ask(chat, FIRST)
    llm.failure, llm.script = HostError("The host died."), ["x"]
    assert isinstance(list(chat.regenerate())[-1], Failed)
    assert len(chat.turns) == 1


def test_a_conversation_that_outgrows_the_context_drops_its_oldest_turns_and_many_at_once():
    questions = ["what does it keep?", "and why does it?", "and where is it called?", "why is that so?"] * 3
    settings = AskSettings(snippet_tokens=150, answer_tokens=40)
    chat, llm = session(SAID, *["word " * 30 + "[1]"] * 12, settings=settings, context_tokens=1500)
    done = [ask(chat, FIRST), *(ask(chat, question) for question in questions)]
    assert len(chat.turns) == 13
    assert all(d.timings.prompt_tokens + 40 <= 1500 for d in done)
    starts = [call[0][1].content for call in llm.calls]
    cuts = sum(a != b for a, b in pairwise(starts))
    assert 1 <= cuts <= 3
    conversation = chat.conversation
    assert conversation.start > 0
    assert "Earlier the user asked" in starts[-1]
    assert "start_spider" in starts[-1]
    assert all(d.timings.evaluated_tokens < 0.4 * d.timings.prompt_tokens for d in done[-1:])


def test_every_turn_is_handed_over_and_a_full_disk_is_said_once_it_is_answered():
    kept: list[Conversation] = []
    chat, _ = session(SAID, "More.", keep=kept.append)
    ask(chat, FIRST)
    assert (kept[0].title, len(kept[0].turns)) == (FIRST, 1)
    chat.rename("  Spiders \n and engines ")
    assert kept[1].title == chat.title == "Spiders and engines"
    with pytest.raises(BadInputError):
        chat.rename(" ")

    def full(_: Conversation) -> None:
        raise StorageError("The disk is full.", "Free some space.")

    chat, _ = session(SAID, keep=full)
    assert ask(chat, FIRST).not_saved == "The disk is full."
    assert len(chat.turns) == 1
