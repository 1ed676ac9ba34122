"""Filters: which files and rows a search is about, and one sentence for those that cannot be used."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from memory_corpus import MemoryCorpus
from store_tools import TREE, InlinePool, Tree, without_flushing
from test_indexer_files_git import git, plain_git, repository

from indexer import Filters
from indexer.errors import BadInputError
from indexer.filters import EVERYTHING, Globs, resolve
from indexer.repository import changed_since
from indexer.search import search

assert plain_git, "a fixture that every test here uses"

PATHS = (
    "a.py", "a.md", "src/a.py", "src/a.md", "src/net/tcp.c", "src/net/tcp.h", "src/net/test/tcp.c", "drivers/net/x.c",
    "drivers/x.c", "test/a.py", "docs/[a].md", "docs/b c.txt", "src.py/x.c", ".hidden/a.py",
)  # fmt: skip


def corpus() -> MemoryCorpus:
    out = MemoryCorpus()
    for n in range(400):
        out.add(f"lib/common{n}.py", "python", [(1, 1, "socket socket socket", None)])
    out.add("src/rare.py", "python", [(1, 1, "pad", None), (2, 2, "socket among many other words here", None)],
            [("Rare", "Rare", "class", 2, 2, True)])  # fmt: skip
    out.add("src/rare.go", "go", [(1, 1, "socket and very many other words than this", None)])
    return out.freeze()


def found(c: MemoryCorpus, **filters: object) -> list[tuple[str, int]]:
    hits = search(c, "socket", None, 5, allowed=resolve(c, Filters(**filters))).hits
    return [(hit.chunk.path, hit.chunk.span.start_line) for hit in hits]


def test_a_rare_match_in_a_filtered_set_is_found_although_others_fit_better():
    c = corpus()
    assert ("src/rare.py", 2) not in found(c)
    assert {path for path, _ in found(c, globs=("src/**",))} == {"src/rare.py", "src/rare.go"}
    assert found(c, globs=("src/",), languages=("go",)) == [("src/rare.go", 1)]
    assert {p for p, _ in found(c, globs=("!lib/",), languages=("go", "python"))} == {"src/rare.go", "src/rare.py"}
    assert found(c, globs=("nowhere/*",)) == []


def test_by_kind_only_chunks_that_define_one_are_shown():
    c = corpus()
    assert found(c, kinds=("class",)) == [("src/rare.py", 2)]
    assert found(c, kinds=("function", "class")) == [("src/rare.py", 2)]
    assert found(c, kinds=("function",)) == []
    by_path = search(c, "rare", None, 5, allowed=resolve(c, Filters(kinds=("class",)))).hits
    assert [(h.chunk.path, h.chunk.span.start_line) for h in by_path] == [("src/rare.py", 2)]


def test_no_filters_allow_everything():
    c = corpus()
    assert resolve(c, None) is resolve(c, Filters()) is EVERYTHING
    allowed = resolve(c, Filters(languages=("go",)))
    assert allowed.files is not None and allowed.rows is not None
    assert allowed.files.tolist() == [401]
    assert np.flatnonzero(allowed.rows).tolist() == [402]


GLOBS = [
    ("*.py",), ("src/**",), ("/src/*.py",), ("src/net/*",), ("*.c", "!**/test/**"), ("!*.md",), ("!src/",),
    ("!*", "*.py"),
    ("*.c", "!tcp.*", "tcp.c"), ("**/net/**",), ("!drivers", "drivers/net/*.c"), ("a.{py,md}",), ("[ab].py",),
    ("docs/b c.txt",),
    ("test",), ("!test",), ("tcp.?",), ("/a.py",), ("*/a.py",), ("src/*/tcp.c",),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("globs", GLOBS, ids=str)
def test_globs_mean_what_they_mean_to_ripgrep(tmp_path, globs):
    for path in PATHS:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("x\n")
    options = [part for glob in globs for part in ("-g", glob)]
    done = subprocess.run(["rg", "--files", "--hidden", *options], cwd=tmp_path, capture_output=True, check=False)
    theirs = set(done.stdout.decode().split("\n")) - {""}
    ours = {path for path in PATHS if Globs(globs).match(path)}
    if globs == ("test",):
        assert not theirs
        assert ours == {"src/net/test/tcp.c", "test/a.py"}, "unlike ripgrep's, a folder's name means what is in it"
    elif globs == ("a.{py,md}",):
        assert not ours, "unlike in ripgrep there are no alternatives in braces: .gitignore has none"
    else:
        assert ours == theirs


@pytest.mark.parametrize(
    ("filters", "says", "hint"),
    [
        ({"kinds": ("clas",)}, "no kind of symbol clas", "Did you mean class?"),
        ({"kinds": ("zzz",)}, "no kind of symbol zzz", "The kinds are class, interface"),
        ({"languages": ("pyton",)}, "no language pyton", "Did you mean python"),
        ({"languages": ("a\udcff",)}, "no valid text", "python"),
        ({"globs": ("",)}, "pattern '' is not valid", ".gitignore"),
        ({"globs": ("# x",)}, "is not valid", ".gitignore"),
        ({"globs": ("x" * 5_000,)}, "is not valid", ".gitignore"),
        ({"globs": ("a\udcff",)}, r"pattern 'a\xff' is not valid", ".gitignore"),
        ({"globs": ("a\ud800",)}, r"pattern 'a\ud800' is not valid", ".gitignore"),
        ({"since": "main"}, "no folder to ask git", ""),
    ],
)
def test_filters_that_cannot_be_used(filters, says, hint):
    with pytest.raises(BadInputError) as caught:
        resolve(corpus(), Filters(**filters))
    assert says in caught.value.message
    assert hint in caught.value.hint


def commit(folder: Path, message: str) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", message)


def test_changed_since_a_revision(tmp_path):
    root = repository(tmp_path / "r", a="1\n", b="1\n", sub__c="1\n", sub__d="1\n")
    git(root, "tag", "v1")
    (root / "sub" / "c.py").write_text("2\n")
    commit(root, "second")
    (root / "b.py").write_text("uncommitted\n")
    (root / "sub" / "new é.py").write_text("untracked\n")
    (root / ".gitignore").write_text("ignored.py\n")
    (root / "ignored.py").write_text("x\n")
    since_first = {"b.py", "sub/c.py", "sub/new é.py", ".gitignore"}
    assert changed_since(root, "v1") == changed_since(root, "HEAD~1") == since_first
    assert changed_since(root, "HEAD") == since_first - {"sub/c.py"}
    assert changed_since(root / "sub", "v1") == {"c.py", "new é.py"}


@pytest.mark.parametrize("revision", ["nowhere", "", "--all", "HEAD:a.py", "HEAD~9", "v1\0", "a\udcff", "HEAD..HEAD"])
def test_an_unknown_revision_is_said(tmp_path, revision):
    root = repository(tmp_path / "r", a="1\n")
    with pytest.raises(BadInputError, match="There is no revision"):
        changed_since(root, revision)


def test_outside_a_repository_there_is_no_since(tmp_path):
    with pytest.raises(BadInputError, match="no git repository"):
        changed_since(tmp_path, "HEAD")


def test_git_runs_no_program_that_the_repository_names(tmp_path):
    root = repository(tmp_path / "r", a="1\n")
    ran = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {ran}\ncat\n")
    os.chmod(program, 0o755)  # noqa: PTH101
    (root / ".gitattributes").write_text("*.py filter=evil diff=evil\n")
    for name in (
        "filter.evil.clean",
        "filter.evil.process",
        "diff.evil.command",
        "diff.evil.textconv",
        "diff.external",
    ):
        git(root, "config", name, str(program))
    git(root, "config", "filter.evil.required", "true")
    (root / "a.py").write_text("22\n")
    assert changed_since(root, "HEAD") == {"a.py", ".gitattributes"}
    assert not ran.exists()


def test_since_and_kinds_in_an_index(tmp_path, monkeypatch):
    without_flushing(monkeypatch)
    monkeypatch.setattr("indexer.workers.WorkerPool", InlinePool)
    tree = Tree(tmp_path / "repo", tmp_path)
    tree.root.mkdir()
    tree.write(TREE)
    git(tree.root, "init", "-q")
    commit(tree.root, "first")
    tree.write({"app/model.py": TREE["app/model.py"] + "\n\ndef added():\n    return load_all()\n"})
    index = tree.open()
    try:
        index.update()
        hits = index.search("load all rows", filters=Filters(since="HEAD")).hits
        assert {hit.chunk.path for hit in hits} == {"app/model.py"}
        hits = index.search("load all rows of a store", filters=Filters(kinds=("section",))).hits
        assert {hit.chunk.path for hit in hits} == {"docs/guide.md"}
        assert [m.path for m in index.grep("load_all()", filters=Filters(since="HEAD")).matches] == ["app/model.py"]
        with pytest.raises(BadInputError, match="no revision"):
            index.grep("load", filters=Filters(since="nowhere"))
    finally:
        tree.close()
