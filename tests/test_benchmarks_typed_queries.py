"""The queries of the benchmark of typed queries, and how its figures are counted."""

from __future__ import annotations

from collections import Counter

from benchmarks.typed_queries import DATA, Typed, read_queries


def test_every_kind_is_there_over_several_repositories_and_in_both_halves() -> None:
    queries = read_queries()
    kinds = Counter(query.kind for query in queries)
    assert {*kinds} >= {"identifier", "prefix", "typo", "error", "option", "operator", "trace", "config"}
    assert {*kinds} >= {"german", "chinese", "script"}
    assert min(kinds.values()) >= 6
    assert len({query.repo for query in queries}) >= 4
    for held_out in (False, True):
        assert {q.kind for q in queries if q.held_out == held_out} == {*kinds}
    assert len({(query.repo, query.query) for query in queries}) == len(queries)


def test_the_answers_in_the_shipped_repository_are_there() -> None:
    root = DATA / "scripts"
    texts = {str(path.relative_to(root)): path.read_text("utf-8") for path in root.rglob("*.py")}
    for query in read_queries():
        if query.repo == "scripts":
            assert any(query.fits(path, text) for path, text in texts.items()), query


def test_a_line_fits_in_its_file_only() -> None:
    query = Typed("a", "option", "--x", (("src/*.rs", "max-x"),))
    assert query.fits("src/deep/flags.rs", '"max-x"')
    assert not query.fits("docs/flags.rs", '"max-x"')
    assert not query.fits("src/flags.rs", '"max-y"')
    assert query.fits_path("src/flags.rs")
