from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path
from random import Random

import pytest

from assistant.adapt.corpus import Exclusion, SourceFile, exclusion, packages, source_files
from assistant.adapt.pairs import Pair, comment_above, first_sentences, pairs, spelled

PYTHON = b'''"""Reading and writing of the ledger of accounts."""


def open_ledger(path):
    """Open the ledger at a path and check its version.

    :param path: where it is
    """
    with path.open() as file:
        return Ledger(check(file.read()), path, writable=False)


def close_ledger(ledger):
    # Everything is written before the file is given back.
    ledger.flush(everything=True)
    ledger.file.close()
'''
RUST = b"""/// Adds a span to the list of spans that were seen.
#[inline]
pub fn push_span(&mut self, span: Span) {
    self.spans.push(span); self.count += 1; self.dirty = true;
}
"""
ELIXIR = b'''defmodule Store do
  @doc """
  Returns the value that is stored for a key.
  """
  @spec fetch_value(map, term) :: term
  def fetch_value(store, key) do
    Map.get(store.values, key, store.default_value) |> decode_value()
  end
end
'''
JAVA = b"""class Pool {
  /**
   * Takes a free connection out of the {@link Pool}.
   *
   * @return the connection
   */
  @Override
  public Connection takeConnection(long timeout) {
    return this.free.poll(timeout, TimeUnit.MILLISECONDS).orElseThrow();
  }
}
"""


def found(language: str, text: bytes, path: str = "src/some/file_name.x") -> list[Pair]:
    return list(pairs(SourceFile(path, language, text), Random(0)))


@pytest.mark.parametrize(
    ("language", "text", "query", "name"),
    [
        ("python", PYTHON, "Open the ledger at a path and check its version.", "open ledger"),
        ("rust", RUST, "Adds a span to the list of spans that were seen.", "push span"),
        ("elixir", ELIXIR, "Returns the value that is stored for a key.", "fetch value"),
        ("java", JAVA, "Takes a free connection out of the Pool .", "take connection"),
    ],
)
def test_documentation_and_name_go_with_the_code(language: str, text: bytes, query: str, name: str) -> None:
    rows = found(language, text)
    documented = {r.query: r.document for r in rows if r.kind == "documentation"}
    assert query in documented
    assert query[:20] not in documented[query]
    named = {r.query: r.document for r in rows if r.kind == "name"}
    assert name in named
    assert name.replace(" ", "_") not in named[name]


def test_pairs_of_one_definition_share_its_number() -> None:
    numbers = {(r.query, r.kind): r.code for r in found("python", PYTHON)}
    opened = numbers["open ledger", "name"]
    assert numbers["Open the ledger at a path and check its version.", "documentation"] == opened
    assert numbers["close ledger", "name"] != opened


def test_a_file_goes_with_its_opening_and_its_path() -> None:
    rows = {r.kind: r.query for r in found("python", PYTHON)}
    assert rows["file"] == "Reading and writing of the ledger of accounts."
    assert rows["path"] == "some file name"


def test_pairs_are_the_same_every_time() -> None:
    text = b"\n\n".join(b"def f%d(a):\n    return [a + %d for a in range(a, %d) if a %% 7 != 3]  # numbers" % (i, i, i)
                        for i in range(90))  # fmt: skip
    assert found("python", text) == found("python", text)


@pytest.mark.parametrize(
    "comment",
    ["// Copyright 2001 the authors of this", "# ---------", "// x = y + 1;", "/* foo */", "// Возвращает имя файла"],
)
def test_what_is_no_english_sentence_is_no_query(comment: str) -> None:
    assert first_sentences(comment) == ""


def test_a_comment_after_a_blank_line_belongs_to_nothing() -> None:
    assert comment_above(["// About the file.", "", "int f() {"], 2) == ""
    assert comment_above(["/** Adds", " * two. */", "@Test", "int f() {"], 3) == "/** Adds\n * two. */"


def test_names_are_spelled() -> None:
    assert spelled("parseHTTP2Header") == ["parse", "http", "header"]


@pytest.mark.parametrize(
    "path",
    [
        "node_modules/express/lib/router.js",
        "src/vendored/Newtonsoft.Json/JsonReader.cs",
        "lib/redis_store.rb",
        "include/nlohmann/json.hpp",
        "a/b/guzzlehttp-psr7/Uri.php",
        "src/kotlinx.coroutines/Job.kt",
        "go/pkg/github.com/go-chi/chi/mux.go",
        "python/requests/api.py",
        "tokio-util/src/codec.rs",
        "spdlog/fmt/bundled/core.h",
        "myfastapiplugin/app.py",
        "vendor/cats-core_2.13/Functor.scala",
    ],
)
def test_what_is_measured_on_is_excluded(path: str) -> None:
    assert exclusion().path(path)


@pytest.mark.parametrize(
    "path", ["src/machine.c", "lib/engine/origin.py", "core/tracking.rb", "a/onclick.js", "format.c"]
)
def test_a_short_name_inside_a_word_is_not_excluded(path: str) -> None:
    assert not exclusion().path(path)


def test_a_copy_with_an_author_is_excluded() -> None:
    assert exclusion().text(b"// JSON for Modern C++\n// (c) 2013 Niels Lohmann\nclass json {};")
    assert not exclusion().text(b"class json {};")


def test_every_package_is_pinned_and_none_is_excluded() -> None:
    listed = packages()
    assert all(len(p.sha256) == 64 and p.licence and p.version for p in listed)
    assert len({(p.registry, p.name) for p in listed}) == len(listed)
    assert len({p.language for p in listed}) >= 12


def archive(folder: Path, files: dict[str, bytes], *, wheel: bool) -> Path:
    if wheel:
        path = folder / "p-1-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as opened:
            for name, text in files.items():
                opened.writestr(name, text)
        return path
    path = folder / "p.tgz"
    with tarfile.open(path, "w:gz") as stream:
        for name, text in files.items():
            info = tarfile.TarInfo("package/" + name)
            info.size = len(text)
            stream.addfile(info, io.BytesIO(text))
        link = tarfile.TarInfo("package/link.py")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        stream.addfile(link)
    return path


@pytest.mark.parametrize("wheel", [True, False])
def test_archives_are_read_without_tests_builds_and_copies(tmp_path: Path, wheel: bool) -> None:
    code = b"def f():\n    return 1\n"
    files = {
        "p/good.py": code,
        "p/tests/test_a.py": code,
        "p/_vendor/other.py": code,
        "p/flask/app.py": code,
        "p/copied.py": b"# by Armin Ronacher\n" + code,
        "p/long.py": b"x = '" + b"a" * 3_000 + b"'\n",
        "p/data.json": b"{}",
    }
    check = Exclusion(["flask"], ["Armin Ronacher"])
    assert [f.path for f in source_files(archive(tmp_path, files, wheel=wheel), 1_000, check)] == ["p/good.py"]


def test_no_more_is_taken_than_the_limit(tmp_path: Path) -> None:
    files = {f"p/f{i}.py": b"x = 1\n" * 10 for i in range(20)}
    taken = source_files(archive(tmp_path, files, wheel=True), 300, Exclusion([], []))
    assert len(taken) == 5
    assert taken == source_files(archive(tmp_path, files, wheel=True), 300, Exclusion([], []))
