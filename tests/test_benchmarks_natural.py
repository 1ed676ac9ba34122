"""Which commits become search tasks, what plain BM25 finds, and what the figures of a ranking are."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from benchmarks import natural, natural_tasks
from benchmarks.common import read_rows
from benchmarks.natural_tasks import Commit, choose, cleaned, is_noise, is_side, is_source, names_target, targets_of
from benchmarks.plain_bm25 import PlainBm25, parts
from benchmarks.scores import interval, mean_of_means, measured, ndcg, only


def commit(subject: str, *changes: str, **other: object) -> Commit:
    """A commit with changes like ``M src/a.py``."""
    pairs = tuple((change[0], change[2:]) for change in changes)
    number = str(other.pop("number", 1))
    return Commit(f"c{number}", (f"p{number}",), str(other.get("author", "A. Person")), subject, pairs)


@pytest.mark.parametrize(
    ("subject", "query"),
    [
        ("fix(core): close sockets on error (#123)", "close sockets on error"),
        ("[PR #12/ab backport][3.1] Fix base64 edge cases (#13509) (#13510)", "Fix base64 edge cases"),
        ("feat!: add `--fast` to the parser.", "add --fast to the parser"),
        ("🎨 Move the wheel job", "Move the wheel job"),
        ("Raise without source information, closes #1306", "Raise without source information"),
        ("use t.TempDir() for permissions", "use t.TempDir() for permissions"),
        ("http: custom header overrides", "http: custom header overrides"),
    ],
)
def test_a_subject_loses_what_no_user_types(subject: str, query: str) -> None:
    assert cleaned(subject) == query


@pytest.mark.parametrize(
    "subject",
    [
        "Fix crash", "Bump idna from 3.18 to 3.19", "v11.18.0", "Release 7.8.1 of it all", "fix typo in the router",
        "Update the changelog for that", "Revert that other change", "run gofmt over everything",
        "Merge branch one into two", "Start version 3.1.3 of flask", "update dev dependencies of all",
    ],
)  # fmt: skip
def test_noise_is_no_query(subject: str) -> None:
    assert is_noise(subject)


@pytest.mark.parametrize("subject", ["close sockets on error", "Handle cipher suites", "speed up circle drawing"])
def test_what_says_something_is_no_noise(subject: str) -> None:
    assert not is_noise(subject)


def test_kinds_of_files() -> None:
    assert [is_source(p) for p in ("a/b.py", "a/b.RS", "README.md", "docs/conf.py", "x")] == [
        True,
        True,
        False,
        False,
        False,
    ]
    tests = ["tests/a.py", "pkg/foo_test.go", "src/test_x.py", "lib/a.spec.ts", "java/FooTest.java", "examples/a.js"]
    assert all(map(is_side, tests))
    assert not any(map(is_side, ["src/latest.py", "lib/attestation.go", "contest.c", "src/Testable.java"]))


def test_files_to_find_are_the_source_that_was_changed() -> None:
    assert targets_of([("M", "b.py"), ("M", "a.py"), ("M", "tests/t.py"), ("M", "README.md")]) == ("a.py", "b.py")
    assert targets_of([("M", "tests/t.py"), ("A", "tests/new.py")]) == ("tests/t.py",)
    assert targets_of([("M", "a.py"), ("A", "tests/new.py")]) == ("a.py",)


@pytest.mark.parametrize(
    "changes",
    [
        [("M", "README.md")],
        [("M", "a.py"), ("A", "b.py")],
        [("M", "a.py"), ("D", "b.py")],
        [("A", "tests/new.py")],
        [("M", f"f{i}.py") for i in range(6)],
        [("M", "a.py"), *(("M", f"{i}.txt") for i in range(20))],
    ],
)
def test_commits_whose_answer_is_not_in_the_tree_before_are_left_out(changes: list[tuple[str, str]]) -> None:
    assert targets_of(changes) == ()


def test_a_query_that_holds_the_answer_is_none() -> None:
    assert names_target("leak in HTTP2.c on close", ["lib/http2.c"])
    assert not names_target("leak in http2 on close", ["lib/http2.c"])
    task = natural_tasks.task_of(commit("cookie, http: keep the order of entries", "M lib/cookie.c"))
    assert task
    assert (task.query, task.named, task.side) == ("keep the order of entries", False, False)
    assert natural_tasks.task_of(commit("lib: keep the cookie order", "M lib/cookie.c")).named


def test_tasks_are_the_newest_of_each_subject_and_tree() -> None:
    history = [
        commit("Close sockets on error", "M a.py", number=1),
        commit("close sockets on error (#9)", "M a.py", number=2),
        commit("Bump the version to 2", "M a.py", number=3),
        commit("Read headers in order", "M a.py", number=4, author="renovate[bot]"),
        commit("Read headers in order", "M a.py", number=5),
        commit("chore(deps): use newer parser", "M a.py", number=6),
        Commit("c7", ("p", "q"), "A", "Merge what others did", (("M", "a.py"),)),
        commit("Write headers in order", "M b.py", number=8),
    ]
    assert [task.commit for task in choose(history, 9)] == ["c1", "c5", "c8"]
    assert [task.commit for task in choose(history, 2)] == ["c1", "c5"]
    assert choose(history, 2)[0].before == "p1"


def test_identifiers_are_cut_into_parts() -> None:
    assert parts("getUserByID2 HTTPServer snake_case") == [
        "get",
        "user",
        "by",
        "id",
        "2",
        "http",
        "server",
        "snake",
        "case",
    ]


def test_plain_bm25_ranks_files_by_their_best_piece() -> None:
    filler = "\n".join(f"word{i} other" for i in range(200))
    texts = {"long.py": f"openSocket\n{filler}", "short.py": "open it\nsocket", "none.py": "nothing here"}
    assert PlainBm25(texts, None).files("open socket", 10) == ["short.py", "long.py"]
    assert PlainBm25(texts, 2).files("openSocket", 10) == ["short.py", "long.py"]
    assert PlainBm25(texts, 50).files("socket socket", 1) == ["short.py"]
    assert PlainBm25(texts, 50).files("absent", 10) == []
    assert PlainBm25({}, 50).files("absent", 10) == []


def test_plain_bm25_gives_the_known_score_an_order() -> None:
    # A rare word outweighs a frequent one, and a short piece a long one.
    texts = {"a": "common rare", "b": "common common", "c": "common", "d": "rare " + "x " * 50}
    assert PlainBm25(texts, None).files("rare common", 10) == ["a", "b", "c", "d"]


def test_figures_of_a_ranking() -> None:
    assert ndcg(["x", "a", "b"], {"a", "b"}) == pytest.approx((1 / 1.584962 + 1 / 2) / (1 + 1 / 1.584962), abs=1e-6)
    assert measured(["a"], {"a"}) == {"ndcg10": 1, "recall10": 1, "mrr10": 1}
    found = measured([*"0123456789", "a"], {"a"})
    assert found == {"ndcg10": 0, "recall10": 0, "mrr10": 0}
    assert measured(["x", "y", "b"], {"a", "b"}) == pytest.approx(
        {"ndcg10": 0.306574, "recall10": 0.5, "mrr10": 1 / 3}, abs=1e-5
    )


def test_an_interval_is_paired_and_of_repositories() -> None:
    one = {"a": [0.5, 0.9, 0.1], "b": [0.2] * 10}
    same = interval(one, one)
    assert same == (0, 0, 0)
    shifted = {name: [value - 0.1 for value in values] for name, values in one.items()}
    assert interval(one, shifted) == pytest.approx((0.1, 0.1, 0.1))
    mixed = {"a": [0.1, 0.1, 0.1], "b": [0.3] * 10}
    mean, low, high = interval(one, mixed)
    assert mean == pytest.approx((0.4 - 0.1) / 2)
    assert low == pytest.approx(-0.1)
    assert low < mean < high
    assert interval(one, mixed) == (mean, low, high)


def test_means_leave_out_what_has_no_task() -> None:
    values = {"a": [0.0, 1.0], "b": [0.5]}
    kept = only(values, {"a": [0, 1], "b": [0]})
    assert kept == {"a": [1.0], "b": []}
    assert mean_of_means(kept) == 1.0


@pytest.fixture
def clones(tmp_path: Path) -> Path:
    """A folder with one history: two files, then a change of each."""
    tree = tmp_path / "clones" / "tiny"
    tree.mkdir(parents=True)

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(tree), "-c", "user.name=N", "-c", "user.email=n@example.org", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "-q")
    (tree / "net.py").write_text("def connect(host):\n    return socket(host)\n")
    (tree / "store.py").write_text("class Cache:\n    def evict(self):\n        pass\n")
    (tree / "notes.md").write_text("connect host socket evict cache\n")
    git("add", ".")
    git("commit", "-q", "-m", "Begin with two files")
    for file, subject in (
        ("net.py", "fix: connect to the host twice (#1)"),
        ("store.py", "Evict when the cache is full"),
    ):
        (tree / file).write_text((tree / file).read_text() + "# changed\n")
        git("commit", "-q", "-am", subject)
    entry = {
        "name": "tiny",
        "url": "https://example.org/o/tiny.git",
        "language": "python",
        "revision": git("rev-parse", "HEAD"),
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in entry.items()]
    (tmp_path / "list.toml").write_text("[[history]]\n" + "\n".join(lines) + "\n")
    return tree.parent


def test_a_history_is_searched_in_the_trees_before_its_commits(clones: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("benchmarks.common.RESULTS", tmp_path / "results")
    command = [
        "--histories",
        str(clones),
        "--list",
        str(tmp_path / "list.toml"),
        "--no-semble",
        "--details",
        str(tmp_path / "d"),
    ]
    assert natural.main(command) == 0
    (row,) = read_rows(tmp_path / "results" / "natural.jsonl")
    assert (row["repo"], row["tasks"], row["side"], row["named"]) == ("tiny", 2, [0, 0], [0, 0])
    assert {s: v["ndcg10"] for s, v in row["systems"].items()} == {"codemoat": 1, "bm25-50-lines": 1, "bm25-files": 1}
    details = read_rows(tmp_path / "d")
    assert [d["query"] for d in details] == ["Evict when the cache is full", "connect to the host twice"]
    assert details[0]["found"]["bm25-files"] == ["store.py"]
    assert natural.main(command) == 0
    assert len(read_rows(tmp_path / "results" / "natural.jsonl")) == 1


def test_a_missing_history_is_named_with_the_way_to_get_it(clones: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr("benchmarks.common.RESULTS", tmp_path / "results")
    command = ["--histories", str(tmp_path / "empty"), "--list", str(tmp_path / "list.toml"), "--no-semble"]
    assert natural.main(command) == 2
    assert "git clone --bare https://example.org/o/tiny.git" in capsys.readouterr().err


def test_the_committed_list_is_sound() -> None:
    histories = natural.read_list(natural.LIST)
    assert len(histories) >= 8
    assert len({h.language for h in histories}) >= 6
    assert len({h.name for h in histories}) == len(histories)
    assert all(len(h.revision) == 40 and h.url.endswith(".git") for h in histories)
