"""Hits → numbered snippets: budgets, joining, exact lines, the relevance floor."""

from __future__ import annotations

import pytest

from assistant.context import Source, for_question, header, relevant
from indexer.types import Chunk, Hit, Span
from tests.fakes import FakeLLM
from tests.small_index import SmallIndex

ENGINE = '''"""Runs spiders."""


class Engine:
    """Starts and stops spiders."""

    def start(self, spider):
        """Start a spider."""
        self.spider = spider

    def stop(self):
        """Stop the spider."""
        self.spider = None


def build_engine(settings):
    """Make an engine from settings."""
    return Engine()
'''
OTHER = "def colour(graph):\n    return {node: 0 for node in graph}\n"
FILES = {"core/engine.py": ENGINE, "graph/colour.py": OTHER}


def lines_of(source: Source, files: dict[str, str] = FILES) -> str:
    return "".join(files[source.path].splitlines(keepends=True)[source.start_line - 1 : source.end_line])


def ask(question: str, budget: int = 1000, index: SmallIndex | None = None) -> tuple[Source, ...]:
    index = index or SmallIndex(FILES)
    return for_question(index, question, index.search(question).hits, budget, FakeLLM())


def test_stretches_that_touch_become_one_snippet_with_the_lines_of_the_file():
    body = "".join(f"        self.part_{n} = make_part(number={n})\n" for n in range(12))
    methods = "\n".join(f"    def {name}(self):\n{body}" for name in ("start", "stop", "more"))
    text = f"import parts\n\n\nclass Engine:\n{methods}"
    (source,) = ask("how do I start and stop it", 1000, SmallIndex({"a.py": text}))
    assert (source.start_line, source.end_line) == (5, 31)
    assert source.text == lines_of(source, {"a.py": text})


def test_snippets_are_numbered_from_one_best_first():
    index = SmallIndex({"b.py": "def spider_start(job):\n    pass\n", "a.py": "def spider():\n    start()\n"})
    sources = ask("start of a spider job", index=index)
    assert [(s.number, s.path) for s in sources] == [(1, "b.py"), (2, "a.py")]


@pytest.mark.parametrize("budget", [60, 90, 120])
def test_the_budget_holds_and_cut_snippets_are_whole_lines_of_their_file(budget):
    body = "".join(f"    step_{n} = prepare(step_{n - 1}, {n})\n" for n in range(1, 60))
    files = {"a.py": f'def resize(image):\n    """Resize an image."""\n{body}', "b.py": f"def other(image):\n{body}"}
    sources = ask("resize image", budget, SmallIndex(files))
    assert sources
    assert sum(FakeLLM().count([header(s) + s.text])[0] for s in sources) <= budget
    for source in sources:
        assert source.text == lines_of(source, files)


def test_when_space_is_short_a_definition_is_shown_from_its_signature():
    body = "".join(f"        step_{n} = prepare(step_{n - 1}, {n})\n" for n in range(1, 40))
    text = f'X = 1\n\nclass Image:\n    def resize(self):\n        """Resize an image."""\n{body}        image = 1\n'
    (source,) = ask("resize image", 120, SmallIndex({"a.py": text}))
    assert source.text.startswith("    def resize(self):\n")
    assert (source.start_line, source.symbol) == (4, "Image.resize")


def test_the_stretch_that_speaks_of_the_question_wins_over_the_beginning():
    filler = "".join(f"    filler_{n} = {n}\n" for n in range(60))
    text = f"def everything():\n{filler}    timeout = settings.download_timeout\n"
    (source,) = ask("download timeout setting", 120, SmallIndex({"a.py": text}))
    assert "download_timeout" in source.text
    assert source.end_line == text.count("\n")


def test_overlapping_chunks_are_said_once():
    text = "aa = 1\nbb = 2\ncc = 3\n"
    hits = [
        Hit(Chunk(2, "x.py", "python", Span(7, 21, 2, 3), text[7:], None), 2.0, {"lexical": 1.0}),
        Hit(Chunk(1, "x.py", "python", Span(0, 14, 1, 2), text[:14], None), 1.9, {"lexical": 1.0}),
    ]
    (source,) = for_question(SmallIndex({"x.py": text}), "aa bb cc", hits, 500, FakeLLM())
    assert (source.start_line, source.end_line, source.text) == (1, 3, text)


def test_form_feeds_do_not_shift_lines():
    text = "x = 1\n\x0c\ndef page():\n    return 'page'\n"
    hit = Hit(Chunk(1, "x.py", "python", Span(0, len(text), 1, 4), text, "page"), 1.0, {"lexical": 1.0})
    (source,) = for_question(SmallIndex({"x.py": text}), "page", [hit], 500, FakeLLM())
    assert (source.start_line, source.end_line) == (1, 4)


def test_nothing_relevant_gives_no_snippets():
    assert ask("how do I bake a sourdough pizza") == ()
    assert ask("how do I bake a sourdough pizza for my spider with olives") == ()
    assert for_question(SmallIndex(FILES), "anything", [], 500, FakeLLM()) == ()


def test_meaning_alone_is_no_evidence():
    index = SmallIndex(FILES, similarity=0.8)
    hits = index.search("sourdough pizza").hits
    assert hits
    assert relevant("sourdough pizza", hits) == []


def test_weak_hits_are_left_out():
    chunk = Chunk(1, "a.py", "python", Span(0, 5, 1, 1), "start\n", None)
    hits = [Hit(chunk, 10.0, {"lexical": 1.0}), Hit(chunk, 1.0, {"lexical": 0.1})]
    assert relevant("start", hits) == hits[:1]


def test_tokens_are_counted_in_one_batch():
    class Counting(FakeLLM):
        batches = 0

        def count(self, texts):
            self.batches += 1
            return super().count(texts)

    llm, index = Counting(), SmallIndex(FILES)
    for_question(index, "engine colour graph", index.search("engine colour graph").hits, 300, llm)
    assert llm.batches == 1
