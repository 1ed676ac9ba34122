"""Git runs nothing that a repository names: thirty repositories with traps are indexed and searched, no trap runs."""

from __future__ import annotations

import hashlib
import os
import resource
import stat
from contextlib import suppress
from pathlib import Path

import pytest
from cli_world import Cli, furnish
from hostile_git import LATER, MINE, REPOSITORIES, TWICE, Place, build, lure
from hostile_world import Watched, function, plain_git, write

from indexer import Filters, IndexConfig
from indexer import git as gatekeeper
from indexer.errors import BadInputError
from indexer.files import explain, list_files
from indexer.git import history, repository_folder
from indexer.listing_part import list_some
from indexer.repository import changed_since

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def alone():
    with pytest.MonkeyPatch.context() as patch:
        plain_git(patch.setenv, patch.delenv)
        yield patch


@pytest.fixture
def place(request, tmp_path) -> Place:
    return build(request.param, tmp_path)


def state(folder: Path) -> dict[str, tuple[int, str]]:
    """Every file below ``folder``: modification time and contents."""
    found = {}
    for path in sorted(folder.rglob("*")):
        info = path.lstat()
        if stat.S_ISREG(info.st_mode):
            found[str(path)] = (info.st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
    return found


every_repository = pytest.mark.parametrize("place", REPOSITORIES, indirect=True)


@pytest.mark.parametrize("name", REPOSITORIES)
def test_an_ordinary_git_springs_the_trap(tmp_path, name):
    """Else the other tests would say nothing."""
    place = build(name, tmp_path)
    lure(place, REPOSITORIES[name][1])
    assert place.mark.exists()


@every_repository
def test_indexing_and_searching_run_nothing_and_change_nothing(place, tmp_path):
    before = state(place.base)
    with Watched(place.root, tmp_path / "cache") as watched:
        watched.update()
        assert MINE in watched.finds("mine")
        assert TWICE in watched.finds("again")
        assert LATER in watched.finds("later")
        assert watched.finds("outside_the_root") == []
        changed = watched.index.search("mine twice later", 20, filters=Filters(since="second~1")).hits
        assert {TWICE, LATER} <= {hit.chunk.path for hit in changed}
        assert MINE not in {hit.chunk.path for hit in changed}
        assert watched.update().files_parsed == 0
        indexed = watched.index.paths()
    assert not [path for path in indexed if path.startswith(".git/")]
    config = IndexConfig()
    for name in (MINE, "no/such.py", ".git/config"):
        explain(place.root, name, config)
    list_some(place.root, config, [MINE, "docs", "lib", "inner"])
    list_files(place.root, config)
    assert not place.mark.exists()
    assert state(place.base) == before


@every_repository
def test_the_command_line_runs_nothing(place, tmp_path, monkeypatch, capsys):
    furnish(monkeypatch, tmp_path / "own")
    monkeypatch.chdir(place.root)
    cli = Cli(capsys)
    assert cli("index", place.root, "--json").code == 0
    found = cli("search", "again", "--since", "second~1", "--path", place.root, "--json")
    assert found.code == 0, found.err
    assert TWICE in {hit["path"] for hit in found.json["hits"]}
    assert cli("search", "-e", "def ", "--since", "second~1", "--path", place.root).code == 0
    assert cli("index", "--explain", MINE, place.root).code == 0
    assert cli("status", "--path", place.root).code == 0
    assert not place.mark.exists()


@every_repository
def test_a_missing_revision_and_a_folder_inside_run_nothing(place):
    # In a partial clone a commit that is not there would be fetched.
    with pytest.raises(BadInputError, match="no revision"):
        changed_since(place.root, "1234567890123456789012345678901234567890")
    for folder in [path for path in place.root.iterdir() if path.is_dir() and path.name != ".git"]:
        list_files(folder, IndexConfig())
    assert not place.mark.exists()


def test_a_bare_repository_inside_is_no_repository_to_git(tmp_path):
    place = build("bare repository inside", tmp_path)
    assert "cannot use bare repository" in gatekeeper.run_git(place.root / "docs", "rev-parse", "HEAD").problem


@every_repository
def test_histories_run_nothing(place):
    reader = history(place.root)
    assert "second" in reader.log("--format=%s", "second", "--")
    assert TWICE in reader.diff("--name-only", "second~1", "second")
    assert "def later" in reader.show(f"second:{LATER}")
    for command in (["log", "-p", "-1"], ["log", "-p", "second"], ["show", "second"], ["diff", "second~1"]):
        # In a partial clone texts are missing.
        _, output, problem = reader.execute(["git", *command], with_extended_output=True, with_exceptions=False)
        assert output or "unable to read" in problem
    assert not place.mark.exists()


@pytest.mark.parametrize("name", [name for name in REPOSITORIES if name.startswith("fetch")])
def test_older_versions_fetch_nothing_either(tmp_path, monkeypatch, name):
    """They do not know how to be told not to fetch on demand: each transport is refused."""
    place = build(name, tmp_path)
    monkeypatch.delitem(gatekeeper._ENVIRONMENT, "GIT_NO_LAZY_FETCH")
    missing = gatekeeper.run_git(place.root, "cat-file", "-e", "HEAD:.gitignore")
    assert "not allowed" in missing.problem
    assert MINE in [file.path for file in list_files(place.root, IndexConfig()).files]
    for revision in ("second~1", "1234567890123456789012345678901234567890"):
        # Git may end when its fetch does, or go on without what is missing.
        with suppress(BadInputError):
            assert TWICE in changed_since(place.root, revision)
    assert not place.mark.exists()


@pytest.mark.parametrize(
    "command",
    ["gc", "fetch", "checkout", "-c", "status", "grep", "log --textconv", "show --ext-diff", "cat-file --filters",
     "diff --output=x", "log --show-signature"],
)  # fmt: skip
def test_histories_read_only(tmp_path, command):
    place = build("file monitor", tmp_path)
    with pytest.raises(ValueError, match="only reads"):
        history(place.root).execute(["git", *command.split(), "x"])


def test_too_many_filters_are_refused(tmp_path):
    place = build("filter", tmp_path)
    place.config(*((f"filter.{'x' * 1_000}{number}.clean", place.trap) for number in range(30)))
    with pytest.raises(BadInputError, match="too many filters"):
        changed_since(place.root, "second")


def pipe_at(place: Place, name: str) -> None:
    path = place.root / name
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    os.mkfifo(path)


PIPES = {
    ".gitignore": "its .gitignore is no file",
    ".gitattributes": "its .gitattributes is no file",
    ".git/config": "its .git/config is no file",
    ".git/HEAD": "its .git/HEAD is no file",
    ".git/index": "its .git/index is no file",
    ".git/info/exclude": "its .git/info/exclude is no file",
    "docs/.gitignore": "git did not answer within",
}


@pytest.mark.parametrize("name", PIPES)
def test_a_pipe_where_git_reads_a_file_keeps_nobody_waiting(tmp_path, monkeypatch, name):
    monkeypatch.setattr(gatekeeper, "DEADLINE", 1.0)
    place = Place(tmp_path / "place")
    write(place.root, "docs/x.py", function("of_docs"))
    place.commits()
    write(place.root, "docs/untracked.py", function("untracked"))
    pipe_at(place, name)
    with Watched(place.root, tmp_path / "cache") as watched:
        watched.update()
        assert PIPES[name] in watched.said["."]
        assert (watched.finds("mine"), watched.finds("of_docs")) == ([MINE], ["docs/x.py"])
        # It is not waited for again.
        started: list[object] = []
        monkeypatch.setattr(gatekeeper.subprocess, "Popen", lambda *given, **_: started.append(given))
        watched.update()
        assert "." in watched.said
        assert not [command for (command,) in started if command[0].endswith("git")]
    with pytest.raises(BadInputError):
        changed_since(place.root, "HEAD")


def test_a_pipe_outside_as_ignore_file_keeps_nobody_waiting(tmp_path, monkeypatch):
    monkeypatch.setattr(gatekeeper, "DEADLINE", 1.0)
    place = Place(tmp_path / "place")
    place.commits()
    write(place.root, "new.py", function("new"))
    os.mkfifo(place.base / "pipe")
    place.config(("core.excludesFile", place.base / "pipe"))
    with Watched(place.root, tmp_path / "cache") as watched:
        watched.update()
        assert "did not answer" in watched.said["."]
        assert watched.finds("new") == ["new.py"]


def test_a_difference_is_not_waited_for_for_ever(tmp_path, monkeypatch):
    place = Place(tmp_path / "place")
    write(place.root, "docs/x.py", function("of_docs"))
    place.commits()
    write(place.root, "docs/x.py", function("other"))
    pipe_at(place, "docs/.gitattributes")
    monkeypatch.setattr(gatekeeper, "DEADLINE", 1.0)
    with pytest.raises(BadInputError, match="did not answer within 1 seconds"):
        changed_since(place.root, "HEAD")


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux limits another process")
def test_an_endless_file_does_not_take_all_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(gatekeeper, "_MAX_MEMORY", 128 << 20)
    place = Place(tmp_path / "place")
    place.commits()
    place.config(("core.attributesFile", "/dev/zero"))
    assert list_files(place.root, IndexConfig()).git
    with pytest.raises(BadInputError, match="Out of memory"):
        changed_since(place.root, "HEAD~1")


def test_a_pipe_in_the_place_of_git_itself(tmp_path):
    place = Place(tmp_path / "place")
    write(place.root, MINE, function("mine"))
    os.mkfifo(place.root / ".git")
    assert repository_folder(place.root) is None
    assert [file.path for file in list_files(place.root, IndexConfig()).files] == [MINE]


@pytest.mark.parametrize("leads", ["to a folder", "to nothing", "to the root"])
def test_a_gitfile_can_only_name_a_folder_of_git(tmp_path, leads):
    """Else the watcher would put its watches there."""
    place = Place(tmp_path / "place")
    write(place.root, MINE, function("mine"))
    place.outside.mkdir()
    target = {"to a folder": place.outside, "to nothing": place.base / "nothing", "to the root": place.root}[leads]
    (place.root / ".git").write_text(f"gitdir: {target}\n")
    assert repository_folder(place.root) is None


def test_since_in_a_repository_of_another_user_names_the_reason(tmp_path, monkeypatch):
    place = Place(tmp_path / "place")
    place.commits()
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(BadInputError, match="belongs to another user") as caught:
        changed_since(place.root, "HEAD~1")
    assert "safe.directory" in caught.value.hint
    with pytest.raises(BadInputError, match="belongs to another user"):
        history(place.root).log("-1")
