from __future__ import annotations

import math
import random

import numpy as np
import pytest
from fakes import HashEmbedder
from memory_corpus import MemoryCorpus

from indexer.features import ROW
from indexer.filters import Allowed, Filters, resolve
from indexer.query import MAX_CHARACTERS, analyse
from indexer.ranking import FIXED, WEIGHTS, asked_kinds, path_look
from indexer.search import candidates
from indexer.search import search as ranked
from indexer.types import Hit

EMBEDDER = HashEmbedder(64)
PYTHON = "python"


def corpus(*files: tuple[str, list[str]], vectors: bool = False, definitions: dict[str, list] | None = None):
    """Files as (path, chunk texts of one line each); definitions by path as MemoryCorpus takes them."""
    out = MemoryCorpus()
    for path, texts in files:
        language = "markdown" if path.endswith(".md") else "go" if path.endswith(".go") else PYTHON
        chunks = [(i + 1, i + 1, text, None) for i, text in enumerate(texts)]
        out.add(path, language, chunks, (definitions or {}).get(path, ()))
    return out.freeze(EMBEDDER.embed([c.text for c in out.chunks]) if vectors else None)


def only(c: MemoryCorpus, language: str) -> Allowed:
    return resolve(c, Filters(languages=(language,)))


def search(*asked, **options) -> list[Hit]:
    return ranked(*asked, **options).hits


def paths(hits: list[Hit]) -> list[str]:
    return [hit.chunk.path for hit in hits]


def defined(name: str, kind: str, start: int = 1, end: int = 1, parent: str = "", exported: bool = True):
    return (name, f"{parent}.{name}" if parent else name, kind, start, end, exported)


# one retriever at a time


def test_words_alone_find_the_chunk() -> None:
    found = search(corpus(("a.py", ["nothing here", "opens the socket"]), ("b.py", ["reads"])), "socket open", None, 5)
    assert paths(found)[0] == "a.py"
    assert found[0].chunk.text == "opens the socket"
    assert set(found[0].reasons) <= {"words", "words_sum"}


def test_rare_words_count_more_and_long_chunks_less() -> None:
    c = corpus(
        ("common.py", ["request request request"]),
        ("rare.py", ["request throttle"]),
        ("long.py", ["request throttle " + "filler " * 200]),
        *((f"f{i}.py", ["request"]) for i in range(10)),
    )
    assert paths(search(c, "request throttle", None, 2)) == ["rare.py", "long.py"]


def test_a_file_about_a_thing_beats_one_that_mentions_it() -> None:
    once, often = ["retry policy backoff"], ["retry policy", "retry policy backoff", "policy backoff retry"]
    assert paths(search(corpus(("a.py", once), ("b.py", often)), "retry policy", None, 2)) == ["b.py", "a.py"]


def test_meaning_alone_finds_what_shares_no_term() -> None:
    c = corpus(("a.py", ["alpha"]), ("b.py", ["beta"]), ("c.py", ["gamma"]), vectors=True)
    found = search(c, "unheard", EMBEDDER.embed_query("beta"), 5)
    assert paths(found)[0] == "b.py"
    assert set(found[0].reasons) == {"meaning", "meaning_sum"}


def test_path_alone_finds_a_file() -> None:
    c = corpus(("net/retry_policy.py", ["x = 1", "y = 2"]), ("net/other.py", ["z = 3"]))
    found = search(c, "retry policy", None, 5)
    assert paths(found) == ["net/retry_policy.py"]
    assert (found[0].chunk.span.start_line, set(found[0].reasons)) == (1, {"file_name", "file_name_words"})


def test_a_file_without_chunks_is_no_result() -> None:
    assert (
        search(corpus(("retry/__init__.py", []), ("other.py", ["retry"])), "retry", None, 5)[0].chunk.path == "other.py"
    )


@pytest.mark.parametrize("query", ["flat_hash_map", "flat hash map", "FlatHashMap", "flatHashMap"])
def test_a_name_is_found_in_every_naming_style(query: str) -> None:
    c = corpus(
        ("a.py", ["flat map"]), ("b.py", ["other"]), ("z.py", ["class flat_hash_map"]),
        definitions={"z.py": [defined("flat_hash_map", "class")]},
    )  # fmt: skip
    if query == "flat hash map":
        assert "symbol_compound" in next(h for h in search(c, query, None, 5) if h.chunk.path == "z.py").reasons
    c = corpus(("a.py", ["flat x"]), ("b.py", ["other"]), ("z.py", ["flat_hash_map"]))
    assert paths(search(c, query, None, 5))[0] == "z.py"


# symbols


def test_a_symbol_query_returns_its_definition_first_and_its_chunk() -> None:
    c = corpus(
        ("session.py", ["Session Session Session", "Session()"]),
        ("client.py", ["import os", "class Session: pass", "Session()"]),
        definitions={"client.py": [defined("Session", "class", 2, 2)]},
        vectors=True,
    )
    best = search(c, "Session", EMBEDDER.embed_query("Session"), 5)[0]
    assert (best.chunk.path, best.chunk.span.start_line) == ("client.py", 2)
    assert best.reasons["symbol_query"] > 0


@pytest.mark.parametrize(
    "query", ["Index.search", "Index::search", "Index#search", "index.search", "where is Index.search defined"]
)
def test_qualified_names_choose_the_scope(query: str) -> None:
    c = corpus(
        *((f"{n}.py", ["def search"]) for n in "abc"),
        ("z.py", ["class Index", "def search(self)"]),
        definitions={
            **{f"{n}.py": [defined("search", "function", 1, 1)] for n in "abc"},
            "z.py": [defined("Index", "class", 1, 2), defined("search", "method", 2, 2, "Index")],
        },
    )
    best = search(c, query, None, 5)[0]
    assert (best.chunk.path, best.chunk.span.start_line) == ("z.py", 2)


def test_a_module_path_is_a_scope() -> None:
    c = corpus(
        ("pkg/other.py", ["def fn"]), ("pkg/mod.py", ["def fn"]),
        definitions={p: [defined("fn", "function")] for p in ("pkg/other.py", "pkg/mod.py")},
    )  # fmt: skip
    assert paths(search(c, "pkg.mod.fn", None, 2)) == ["pkg/mod.py", "pkg/other.py"]


def test_types_public_and_large_definitions_come_first() -> None:
    texts = ["Status"] * 10
    c = corpus(
        ("a_variable.py", texts), ("b_private.py", texts), ("c_forward.py", texts), ("d_real.py", texts),
        definitions={
            "a_variable.py": [defined("Status", "variable", 1, 1)],
            "b_private.py": [defined("Status", "class", 1, 10, exported=False)],
            "c_forward.py": [defined("Status", "class", 1, 1)],
            "d_real.py": [defined("Status", "class", 1, 10)],
        },
    )  # fmt: skip
    assert paths(search(c, "Status", None, 4)) == ["d_real.py", "b_private.py", "c_forward.py", "a_variable.py"]


def test_case_decides_between_two_names() -> None:
    c = corpus(
        ("a.py", ["open"]), ("b.py", ["Open"]),
        definitions={"a.py": [defined("open", "function")], "b.py": [defined("Open", "function")]},
    )  # fmt: skip
    assert paths(search(c, "Open", None, 2)) == ["b.py", "a.py"]
    assert paths(search(c, "open", None, 2)) == ["a.py", "b.py"]


# kinds of file


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("tests/socket.py", "socket test"),
        ("src/test_socket.py", "socket test"),
        ("examples/socket.py", "socket example"),
        ("vendor/socket.py", "socket vendor"),
        ("socket_pb2.py", "socket generated"),
        ("socket.md", "socket documentation"),
        ("compat/socket.py", "socket compat"),
    ],
)
def test_kinds_rank_lower_unless_the_query_names_them(path: str, query: str) -> None:
    c = corpus((path, ["socket open read"]), ("zz/socket.py", ["socket open read"]))
    found = search(c, "socket open", None, 2)
    assert paths(found) == ["zz/socket.py", path]
    assert min(found[1].reasons.values()) < 0
    assert min(next(h for h in search(c, query, None, 2) if h.chunk.path == path).reasons.values()) >= 0


@pytest.mark.parametrize("path", ["latest.py", "contest.go", "attestation/run.py", "protest_march.py", "specific.py"])
def test_words_that_contain_test_are_no_tests(path: str) -> None:
    assert path_look(path, PYTHON).kinds == 0


def test_a_nameless_file_is_named_by_its_folder() -> None:
    assert path_look("json/mod.rs", "rust").name == "json"
    assert path_look("mod.rs", "rust").name == "mod"
    assert asked_kinds(frozenset({"socket"})) == frozenset()


# the list as a whole


def test_reasons_sum_to_the_score_and_scores_fall() -> None:
    c = corpus(*((f"d{i}/file{i}.py", ["open socket", f"word{i} socket"]) for i in range(8)), vectors=True)
    found = search(c, "open socket file3", EMBEDDER.embed_query("open socket"), 20)
    assert len(found) == 16
    for hit in found:
        assert hit.score == pytest.approx(math.fsum(hit.reasons.values()))
        assert all(value for value in hit.reasons.values())
    scores = [round(hit.score, 6) for hit in found]
    assert scores == sorted(scores, reverse=True)


def test_every_file_comes_before_any_second_chunk() -> None:
    c = corpus(("a.py", ["socket socket", "socket read", "socket"]), ("b.py", ["a socket somewhere in here"]))
    found = search(c, "socket", None, 10)
    assert paths(found) == ["a.py", "b.py", "a.py", "a.py"]
    assert len({(h.chunk.path, h.chunk.span.start_line) for h in found}) == 4
    assert paths(search(c, "socket", None, 1)) == ["a.py"]


def test_the_order_does_not_depend_on_how_files_were_added() -> None:
    files = [(f"{name}.py", ["socket open"]) for name in "edcba"] + [("f.py", ["socket open close"])]
    orders = set()
    for seed in range(5):
        shuffled = files[:]
        random.Random(seed).shuffle(shuffled)
        c = corpus(*shuffled, vectors=True)
        orders.add(tuple(paths(search(c, "socket open", EMBEDDER.embed_query("socket open"), 4))))
    assert orders == {("a.py", "b.py", "c.py", "d.py")}


def test_dead_rows_are_never_found() -> None:
    c = corpus(("a.py", ["socket", "socket"]), ("b.py", ["socket"]), vectors=True)
    c.alive = np.array([False, True, True])
    found = search(c, "socket", EMBEDDER.embed_query("socket"), 5)
    assert {(h.chunk.path, h.chunk.span.start_line) for h in found} == {("a.py", 2), ("b.py", 1)}
    c = corpus(("retry.py", ["x", "y"]))
    c.alive = np.array([False, True])
    assert search(c, "retry", None, 5)[0].chunk.span.start_line == 2


def test_language_filter() -> None:
    c = corpus(
        ("a.py", ["socket"]), ("socket.go", ["nothing"]), ("b.go", ["socket"]), vectors=True,
        definitions={"a.py": [defined("socket", "class")]},
    )  # fmt: skip
    vector = EMBEDDER.embed_query("socket")
    assert set(paths(search(c, "socket", vector, 5, allowed=only(c, "go")))) == {
        "socket.go",
        "b.go",
    }
    assert set(paths(search(c, "socket", vector, 5, allowed=only(c, PYTHON)))) == {"a.py"}
    assert search(c, "socket", vector, 5, allowed=only(c, "cobol")) == []


@pytest.mark.parametrize("query", ["", "   ", "?!", "--- :: ...", "\x00", "\n\t"])
def test_a_query_without_words_finds_nothing(query: str) -> None:
    c = corpus(("a.py", ["socket"]), vectors=True)
    assert search(c, query, np.zeros(64, np.float32), 5) == []
    assert search(c, query, None, 5) == []


def test_an_empty_index_finds_nothing() -> None:
    c = corpus()
    assert search(c, "socket", EMBEDDER.embed_query("socket"), 5) == []
    assert search(c, "socket", EMBEDDER.embed_query("socket"), 5, allowed=only(c, PYTHON)) == []


@pytest.mark.parametrize("k", [0, -1])
def test_no_results_wanted(k: int) -> None:
    assert search(corpus(("a.py", ["socket"])), "socket", None, k) == []


def test_a_very_long_query_is_bounded() -> None:
    asked: list[str] = []
    c = corpus(("a.py", ["socket"]))
    original = c.postings
    c.postings = lambda term: asked.append(term) or original(term)  # type: ignore[method-assign,func-returns-value]
    assert paths(search(c, "socket " + " ".join(f"word{i}" for i in range(50_000)), None, 5)) == ["a.py"]
    assert len(asked) < 200
    assert analyse("x " * 100_000).terms == ()
    assert len(analyse("abc" * 100_000).names) <= 1
    assert len(analyse("a_b " * 100_000).terms) < MAX_CHARACTERS


def test_only_what_is_nearer_than_the_average_counts() -> None:
    c = corpus(("a.py", ["one"]), ("b.py", ["two"]), ("c.py", ["three"]), vectors=True)
    c.vectors = np.array([[0.2, 0.0], [0.8, 0.0], [0.2, 0.0]], np.float32)
    assert paths(search(c, "unheard", np.array([1.0, 0.0], np.float32), 5)) == ["b.py"]


def test_common_terms_are_scored_for_what_rarer_ones_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over the limit of postings the best hit and its score stay, and the common term still tells rows apart."""
    files = [(f"f{i:03}.py", ["common common"]) for i in range(50)]
    files += [("only.py", ["rare filler filler"]), ("both.py", ["rare common"])]
    c = corpus(*files)
    exact = search(c, "rare common", None, 60)
    monkeypatch.setattr("indexer.features._MOST_POSTINGS", 10)
    pruned = search(c, "rare common", None, 60)
    assert paths(pruned) == ["both.py", "only.py"]
    assert [h.score for h in pruned] == [h.score for h in exact[:2]]
    assert len(exact) == 52
    alone = paths(search(c, "common", None, 60))
    assert len(alone) == 51, "a common term alone is scored in full"


def test_a_name_defined_everywhere_offers_its_best_definitions_in_a_fixed_order() -> None:
    files = [(f"f{i:03}.py", ["def init"]) for i in range(100)]
    definitions = {path: [defined("init", "function", exported=path != "f000.py")] for path, _ in files}
    orders = set()
    for seed in range(3):
        shuffled = files[:]
        random.Random(seed).shuffle(shuffled)
        found = candidates(corpus(*shuffled, definitions=definitions), "init", None)
        assert int((found.features[ROW["symbol_query"]] > 0).sum()) == 64
        hits = search(corpus(*shuffled, definitions=definitions), "init", None, 64)
        orders.add(tuple(paths(hits)))
    assert orders == {tuple(f"f{i:03}.py" for i in range(1, 65))}


def test_every_feature_has_a_weight_and_lies_between_0_and_1() -> None:
    c = corpus(
        ("tests/retry_test.py", ["retry"]), ("docs/retry.md", ["retry policy"]), ("net/retry.py", ["class Retry", "x"]),
        definitions={"net/retry.py": [defined("Retry", "class"), defined("retry_policy", "function")]}, vectors=True,
    )  # fmt: skip
    for query in ("Retry", "retry policy for Retry and retry_policy"):
        found = candidates(c, query, EMBEDDER.embed_query(query))
        assert found.features.shape == (len(WEIGHTS), len(found.files))
        assert found.features.min() >= 0
        assert found.features.max() <= 1 + 1e-6
    assert len(WEIGHTS) <= 30
    assert set(WEIGHTS) >= FIXED


def test_candidates_say_in_which_line_the_query_stands():
    made = MemoryCorpus()
    made.add("a.py", PYTHON, [(1, 3, "x = 1\ny = 2\nz <=> 3\n", None), (4, 5, "q = 4\nr <=> s <=> t\n", None)])
    made.add("b.py", PYTHON, [(1, 1, "nothing\n", None)])
    found = candidates(made.freeze(), "<=>", None)
    assert found.literal
    assert dict(found.lines) == {0: 3, 1: 5}
    assert dict(candidates(made, "at a.py:4", None).lines) == {1: 4}


def test_a_phrase_of_plain_words_is_looked_for_only_where_its_words_are_likeliest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    c = corpus(*((f"{n:02}.py", ["error handling"]) for n in range(60)))
    read: list[int] = []
    own = c.text_bytes
    monkeypatch.setattr(c, "files_that_may_hold", lambda _, among=None: np.arange(60) if among is None else among)
    monkeypatch.setattr(c, "text_bytes", lambda file_id: read.append(file_id) or own(file_id))
    assert "literal" in search(c, "error handling", None, 5)[0].reasons
    assert len(read) == 24
    read.clear()
    search(c, "'error handling'", None, 5)
    assert len({*read}) == 60, "in quotes it is meant as it stands"


@pytest.mark.parametrize(("kind", "first"), [("field", "application.js"), ("function", "express.js")])
def test_a_plain_word_that_is_only_a_field_s_name_does_not_outweigh_the_file_of_that_name(
    kind: str, first: str
) -> None:
    c = corpus(
        ("lib/application.js", ["starts the application with its settings", "application settings"]),
        ("lib/express.js", ["exports application"]),
        definitions={"lib/express.js": [defined("application", kind)]},
    )
    assert paths(search(c, "application", None, 5))[0] == f"lib/{first}"
