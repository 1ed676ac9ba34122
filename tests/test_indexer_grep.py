"""Exact search of an index: the lines that are there, from few files, whatever they are written in."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from fakes import HashEmbedder
from store_tools import TREE, Flag, InlinePool, Tree, without_flushing

from indexer import Filters, Index, IndexConfig
from indexer.errors import BadInputError, CancelledError
from indexer.grep import candidates
from indexer.required import ANYTHING

REPOSITORY = Path(__file__).resolve().parent.parent
MANY = {f"many/m{n:03}.py": f"def function_{n}():\n    return shared_thing({n})\n" for n in range(300)}


@pytest.fixture
def tree(tmp_path, monkeypatch):
    without_flushing(monkeypatch)
    monkeypatch.setattr("indexer.workers.WorkerPool", InlinePool)
    InlinePool.analysed = []
    tree = Tree(tmp_path / "repo", tmp_path)
    tree.root.mkdir()
    tree.write(TREE)
    yield tree
    tree.close()


def places(result):
    return [(match.path, match.line) for match in result.matches]


def indexed(tree):
    index = tree.open()
    index.update()
    return index


def test_lines_by_path_with_their_spans(tree):
    found = indexed(tree).grep("load_all")
    assert places(found) == [("app/main.py", 6), ("app/model.py", 2)]
    assert found.matches[1].text == "    def load_all(self):"
    assert found.matches[1].spans == ((8, 16),)
    assert (found.total, found.files, found.complete) == (2, 2, True)


def test_patterns_and_case(tree):
    index = indexed(tree)
    assert places(index.grep(r"^(class|function) \w+", regex=True)) == [("app/model.py", 1), ("web/view.js", 4)]
    assert places(index.grep("store:", ignore_case=True)) == [("app/model.py", 1)]
    assert places(index.grep("RENDER", regex=True, ignore_case=True)) == [("web/view.js", n) for n in (1, 2, 4)]
    assert index.grep("no such text").total == 0


def test_a_rare_text_is_looked_for_in_few_files(tree):
    tree.write(MANY)
    index = indexed(tree)
    found = index.grep("function_217")
    assert places(found) == [("many/m217.py", 1)]
    assert found.read == found.candidates <= 60
    assert index.grep("a text that nobody wrote anywhere").candidates == 0
    assert index.grep(r"function_(217|218)\(", regex=True).candidates <= 80
    assert index.grep("SHARED_THING", ignore_case=True).candidates == 300
    assert index.grep("x").candidates == len(MANY) + len(TREE) - 1, "too short for signatures; empty files hold nothing"


def test_a_limit_shows_the_first_and_counts_on_for_some_files(tree, monkeypatch):
    tree.write(MANY)
    index = indexed(tree)
    found = index.grep("shared_thing", limit=3)
    assert places(found) == [(f"many/m{n:03}.py", 2) for n in range(3)]
    assert (found.total, found.files, found.complete) == (300, 300, True)
    monkeypatch.setattr("indexer.grep._COUNTED_FILES", 10)
    found = index.grep("shared_thing", limit=3)
    assert (len(found.matches), found.total, found.files, found.read, found.candidates) == (3, 13, 13, 13, 300)
    assert not found.complete
    found = index.grep("shared_thing", limit=3, count=True)
    assert (len(found.matches), found.total, found.complete) == (3, 300, True)
    assert index.grep("shared_thing", limit=0, count=True).total == 300
    monkeypatch.setattr("indexer.grep._MANY_FILES", 10)
    assert places(index.grep("shared_thing", limit=3)) == [(f"many/m{n:03}.py", 2) for n in range(3)]


def test_filters_hold_for_exact_search(tree):
    tree.write(MANY)
    index = indexed(tree)
    assert places(index.grep("rows", filters=Filters(globs=("*.md",)))) == [("docs/guide.md", 3)]
    assert {p for p, _ in places(index.grep("rows", filters=Filters(languages=("javascript",))))} == {"web/view.js"}
    only = index.grep("return", filters=Filters(globs=("many/m21*",)))
    assert (only.candidates, only.total) == (10, 10)
    assert places(index.grep("return", filters=Filters(globs=("app/",), kinds=("method",)))) == [("app/model.py", 3)]
    assert places(index.grep("return", filters=Filters(globs=("app/",), kinds=("class",)))) == [("app/model.py", 3)]


def test_signatures_follow_changes_deletions_renames_and_merges(tree):
    index = indexed(tree)
    for n in range(12):
        tree.write({f"more/new{n}.py": f"fresh_name_{n} = 1\nold_name = 2\n"})
        index.update()
    tree.write({"more/new3.py": "changed_name = 3\n"})
    (tree.root / "more/new4.py").unlink()
    (tree.root / "more/new5.py").rename(tree.root / "more/moved.py")
    index.update()
    assert len(index.grep("old_name").matches) == 10
    assert places(index.grep("changed_name")) == [("more/new3.py", 1)]
    assert index.grep("fresh_name_3").total == index.grep("fresh_name_4").total == 0
    assert places(index.grep("fresh_name_5")) == [("more/moved.py", 1)]
    with index._view() as snapshot:
        living = sorted(map(snapshot.path, candidates(snapshot, ANYTHING, None).tolist()))
    assert living == sorted({*index.paths()} - {"empty.py"})


def test_an_unsaved_buffer_is_searched_in_place_of_its_file(tree):
    index = indexed(tree)
    index.put_buffer("app/main.py", "launch_rocket()\n")
    assert places(index.grep("launch_rocket")) == [("app/main.py", 1)]
    assert places(index.grep("load_all")) == [("app/model.py", 2)]
    index.drop_buffer("app/main.py")
    assert index.grep("launch_rocket").total == 0


def test_a_masked_secret_can_neither_be_found_nor_seen(tree):
    secret = "ghp_" + "a1B2c3D4e5F6" * 3
    tree.write({"settings.py": f'first = 1\nTOKEN = "{secret}"  # of the robot\n'})
    index = indexed(tree)
    assert index.grep(secret).total == index.grep("ghp_a1B2", ignore_case=True).total == 0
    (match,) = index.grep("of the robot").matches
    assert match.line == 2
    assert secret not in match.text
    assert match.spans == ((match.text.index("of the robot"), match.text.index("of the robot") + 12),)


def test_encodings_line_ends_and_long_lines(tree):
    long = "x" * 20_000
    files = {
        "crlf.txt": b"one\r\ntwo\r\n\r\nlast", "utf16.txt": "caf\xe9 one\ntwo\n".encode("utf-16"),
        "bad.txt": b"\xff\xfeone"[2:] + b" \xff two\n", "bom.txt": b"\xef\xbb\xbfone\n",
        "long.txt": f"one {long} two {long}\n".encode(), "blank.txt": b"\n\n\n",
    }  # fmt: skip
    for name, raw in files.items():
        (tree.root / name).write_bytes(raw)
    index = indexed(tree)
    only = Filters(globs=("*.txt",))
    texts = ("bad.txt", "bom.txt", "crlf.txt", "long.txt", "utf16.txt")
    assert places(index.grep("one", filters=only)) == [(name, 1) for name in texts]
    assert places(index.grep("^one", regex=True, filters=only)) == [(name, 1) for name in texts[:4]]
    assert places(index.grep("two$", regex=True, filters=only)) == [("bad.txt", 1), ("utf16.txt", 2)]
    assert places(index.grep("café", filters=only)) == [("utf16.txt", 1)]
    assert places(index.grep("^$", regex=True, filters=only)) == [("blank.txt", 1), ("blank.txt", 2), ("blank.txt", 3)]
    assert index.grep("one", filters=Filters(globs=("crlf.txt",))).matches[0].text == "one\r"
    assert places(index.grep("^\r$", regex=True, filters=only)) == [("crlf.txt", 3)]
    assert places(index.grep("last$", regex=True)) == [("crlf.txt", 4)]


def test_a_search_can_be_cancelled(tree):
    index = indexed(tree)
    with pytest.raises(CancelledError):
        index.grep("e", cancel=Flag(cancelled=True))
    assert index.grep("e", cancel=Flag()).total > 5


@pytest.mark.parametrize("pattern", ["", "two\nlines", "a\udcff"])
def test_texts_that_cannot_be_lines_are_refused(tree, pattern):
    index = indexed(tree)
    with pytest.raises(BadInputError):
        index.grep(pattern)


REAL = [
    "def ", "IndexConfig", "self._", "no such text anywhere", "é", "…", "→", "raise BadInputError", '"""', "\t", "x",
]  # fmt: skip
REAL_REGEX = [
    r"^class \w+\(.*Error\):$", r"\bself\b", r"\bé", r"ü\b", r"^\s*$", "^$", r"\s+$", r"(get|set)_\w+\(", "x*",
    r"\d{4,}",
    r"[[:upper:]]{4,}_", r"[^\x00-\x7f]+", r"\p{Lu}\p{Ll}+Error\b", r'"[^"]*%s[^"]*"', r"(?i)todo|fixme", r"\W\d\W",
    r"import\s+(os|sys)$", r"[^\W_]{25,}", r".{119,}", r"return (None|True|False)\b", r"\[\[.*\]\]", r"(?x) def \s+ _ ",
]  # fmt: skip


@pytest.mark.slow
def test_a_real_tree_gives_what_ripgrep_gives(tmp_path):
    """This repository, every pattern with and without case."""
    root, cache = tmp_path / "copy", tmp_path / "cache"
    subprocess.run(["git", "clone", "-q", "--depth=1", f"file://{REPOSITORY}", str(root)], check=True)
    with Index.open(root, IndexConfig(cache_dir=cache), create=True, embedder=HashEmbedder()) as index:
        index.update()
        with index._view() as snapshot:
            masked = {path for (path,) in snapshot.database.rows("SELECT path FROM files WHERE masked > 0")}
        known = set(index.paths()) - masked
        assert len(known) > 100
        wanted = [(p, regex, i) for ps, regex in ((REAL, False), (REAL_REGEX, True)) for p in ps for i in (False, True)]
        for pattern, regex, ignore_case in wanted:
            found = index.grep(pattern, regex=regex, ignore_case=ignore_case)
            ours = [(m.path, m.line, m.text) for m in found.matches if m.path in known]
            theirs = ripgrep(root, pattern, *([] if regex else ["-F"]), *(["-i"] if ignore_case else []))
            assert ours == sorted(match for match in theirs if match[0] in known), pattern


def ripgrep(root, pattern, *options):
    shape = ("-n", "--no-heading", "--with-filename", "--null", "--hidden", "--no-ignore", "--color=never")
    done = subprocess.run(["rg", *shape, *options, "-e", pattern, "."], cwd=root, capture_output=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    for line in done.stdout.split(b"\n")[:-1]:
        path, _, rest = line.partition(b"\0")
        number, _, text = rest.partition(b":")
        yield path.decode().removeprefix("./"), int(number), text.decode("utf-8", "replace")
