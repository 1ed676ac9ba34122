"""Git is asked about the folder that is meant, and git's own files are never listed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hostile_world import Watched, function
from test_indexer_files import paths, reasons, write
from test_indexer_files_git import git, plain_git, repository

from indexer import git as gatekeeper
from indexer.config import IndexConfig
from indexer.errors import BadInputError
from indexer.files import Verdict, explain, list_files
from indexer.git import git_environment, history
from indexer.listing_part import list_some
from indexer.repository import GIT_FOLDER, changed_since, is_git_folder

pytestmark = pytest.mark.slow
"""Processes of their own, for parts that seldom change."""

assert plain_git, "a fixture that every test here uses"
CONFIG = IndexConfig()
ROOT = Path(__file__).parent.parent


def asked_by_hand(folder: Path, *arguments: str) -> str:
    """What git says to somebody whose variables name no repository."""
    command = ["git", "-c", "core.quotePath=false", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    """Repositories a and b; b ignores a file, and does not track another."""
    a = repository(tmp_path / "a", only_in_a="1", both="2", secret="3")
    b = repository(tmp_path / "b", both="2", sub__deep="4")
    write(b, ".gitignore", "secret.py\n")
    write(b, "secret.py")
    write(b, "new.py")
    return a, b


VARIABLES = {
    "GIT_DIR": {"GIT_DIR": "{a}/.git"},
    "GIT_DIR and GIT_WORK_TREE": {"GIT_DIR": "{a}/.git", "GIT_WORK_TREE": "{a}"},
    "GIT_INDEX_FILE": {"GIT_INDEX_FILE": "{a}/.git/index"},
    "a relative GIT_INDEX_FILE": {"GIT_INDEX_FILE": ".git/index.of.a"},
    "all of a hook": {
        "GIT_DIR": "{a}/.git", "GIT_INDEX_FILE": "{a}/.git/index", "GIT_PREFIX": "sub/", "GIT_COMMON_DIR": "{a}/.git",
        "GIT_OBJECT_DIRECTORY": "{a}/.git/objects", "GIT_ALTERNATE_OBJECT_DIRECTORIES": "{a}/.git/objects",
    },
    "settings": {"GIT_CONFIG_PARAMETERS": "'core.excludesFile'='{a}/all'"},
    "counted settings": {
        "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.excludesFile", "GIT_CONFIG_VALUE_0": "{a}/all",
    },
    "a file of settings": {"GIT_CONFIG": "{a}/.git/config"},
    "other": {"GIT_GLOB_PATHSPECS": "1", "GIT_NAMESPACE": "x", "GIT_ICASE_PATHSPECS": "1", "GIT_EXTERNAL_DIFF": "false",
              "GIT_CEILING_DIRECTORIES": "{b}", "GIT_SHALLOW_FILE": "{a}/none", "GIT_NO_REPLACE_OBJECTS": "1"},
}  # fmt: skip


@pytest.mark.parametrize("variables", VARIABLES)
def test_variables_of_git_do_not_lead_to_another_repository(two, monkeypatch, variables):
    a, b = two
    write(a, "all", "*\n")
    shutil.copy(a / ".git/index", b / ".git/index.of.a")
    expected = set(asked_by_hand(b, "ls-files", "-co", "--exclude-standard").splitlines())
    changed = changed_since(b, "HEAD")
    for name, value in VARIABLES[variables].items():
        monkeypatch.setenv(name, value.format(a=a, b=b))
    listing = list_files(b, CONFIG)
    assert (listing.git, set(paths(listing)), listing.skipped) == (True, expected, ())
    assert set(paths(list_files(b / "sub", CONFIG))) == {"deep.py"}
    part = list_some(b, CONFIG, ["new.py", "secret.py", "both.py"])
    assert part is not None
    assert paths(part) == ["both.py", "new.py"]
    assert explain(b, "both.py", CONFIG).reason.startswith("Tracked by git")
    assert explain(b, "secret.py", CONFIG).reason.startswith("Ignored by git: .gitignore, line 1")
    assert changed_since(b, "HEAD") == changed
    assert history(b).rev_list("--all").strip() == history(b).rev_parse("HEAD").strip()


def test_every_variable_that_names_a_repository_is_dropped(monkeypatch):
    names = asked_by_hand(Path("/"), "rev-parse", "--local-env-vars").split()
    ours = {"GIT_CONFIG_COUNT"}
    for name in names:
        monkeypatch.setenv(name, "x")
    assert "GIT_DIR" in names
    assert set(git_environment()) & set(names) == ours
    assert git_environment()["GIT_CONFIG_COUNT"] != "x"


def test_the_users_own_settings_stay(tmp_path, monkeypatch):
    root = repository(tmp_path / "root", a="1")
    write(root, "x.scratch")
    write(tmp_path, "everywhere", "*.scratch\n")
    write(tmp_path, "gitconfig", f"[core]\n\texcludesFile = {tmp_path}/everywhere\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    assert paths(list_files(root, CONFIG)) == ["a.py"]


def test_a_hook_in_a_linked_tree_with_a_submodule_changes_nothing(tmp_path):
    library = repository(tmp_path / "library", lib="1")
    owner = repository(tmp_path / "owner", a="1", b__c="2")
    git(owner, "submodule", "add", "-q", str(library), "third/lib")
    git(owner, "commit", "-qm", "submodule")
    tree = tmp_path / "tree"
    git(owner, "worktree", "add", "-q", "-b", "other", str(tree))
    git(tree, "submodule", "--quiet", "update", "--init")
    write(tree, "fresh.py")
    code = (
        "import os, sys; from pathlib import Path; from indexer.config import IndexConfig\n"
        "from indexer.files import list_files; assert 'GIT_DIR' in os.environ and 'GIT_INDEX_FILE' in os.environ\n"
        "print(*(file.path for file in list_files(Path(sys.argv[1]), IndexConfig()).files), sep='\\n')"
    )
    write(tmp_path, "listing.py", code)
    hook = owner / ".git/hooks/post-commit"
    write(
        hook.parent,
        "post-commit",
        f"#!/bin/sh\nexec '{sys.executable}' '{tmp_path}/listing.py' '{tree}' >'{tmp_path}/seen'\n",
    )
    hook.chmod(0o755)
    write(tree, "committed.py")
    git(tree, "add", "committed.py")
    expected = ["a.py", "b/c.py", "committed.py", "fresh.py", "third/lib/lib.py"]
    assert [path for path in paths(list_files(tree, CONFIG)) if path.endswith(".py")] == expected
    subprocess.run(
        ["git", "-c", "user.name=T", "-c", "user.email=t@example.org", "commit", "-qm", "third"],
        cwd=tree, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    seen = (tmp_path / "seen").read_text().splitlines()
    assert [path for path in seen if path.endswith(".py")] == expected


@pytest.mark.parametrize(("call", "most"), [("list", 2), ("list of a folder", 3), ("some", 1), ("since", 4)])
def test_git_is_started_no_more_often_than_needed(tmp_path, monkeypatch, call, most):
    root = repository(tmp_path / "root", a="1", sub__b="2")
    real = shutil.which("git")
    write(tmp_path, "bin/git", f"#!/bin/sh\necho \"$@\" >>'{tmp_path}/calls'\nexec '{real}' \"$@\"\n").chmod(0o755)
    import git as gitpython  # looks for git itself when it is imported

    assert gitpython
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    match call:
        case "list":
            list_files(root, CONFIG)
        case "list of a folder":
            list_files(root / "sub", CONFIG)
        case "some":
            list_some(root, CONFIG, ["a.py"])
        case "since":
            changed_since(root, "HEAD")
    assert len((tmp_path / "calls").read_text().splitlines()) == most


def test_listing_by_git_needs_no_gitpython(tmp_path):
    root = repository(tmp_path, a="1")
    code = (
        "import sys; from pathlib import Path; from indexer.files import list_files; "
        "from indexer.config import IndexConfig; assert list_files(Path(sys.argv[1]), IndexConfig()).git; "
        "print('git' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(root)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_importing_gitpython_starts_no_git(tmp_path):
    """GitPython asks git for its version on import, in the environment of this process."""
    root = repository(tmp_path / "repository", a="a = 1\n")
    (root / "a.py").write_text("a = 2\n")
    trace, before = tmp_path / "trace", dict(os.environ)
    environment = {**before, "GIT_TRACE": str(trace), "GIT_INTERNAL_SUPER_PREFIX": "x/"}
    script = (
        "import os, sys; from pathlib import Path; from indexer.repository import changed_since\n"
        "before = dict(os.environ)\n"
        "assert changed_since(Path(sys.argv[1]), 'HEAD') == {'a.py'}\n"
        "assert 'git' in sys.modules and dict(os.environ) == before"
    )
    subprocess.run([sys.executable, "-c", script, str(root)], check=True, env=environment, cwd=ROOT)
    assert not trace.exists()


def test_a_huge_index_of_git_is_not_copied(tmp_path, monkeypatch):
    root = repository(tmp_path / "repository", a="a = 1\n")
    monkeypatch.setattr(gatekeeper, "_MAX_INDEX", (root / ".git" / "index").stat().st_size - 1)
    with pytest.raises(BadInputError, match="too large to copy"):
        changed_since(root, "HEAD")


@pytest.mark.parametrize("mark", [".git", "sub/.git"])
def test_a_git_that_is_a_link_to_a_name_too_long(tmp_path, mark):
    write(tmp_path / "tree", "sub/a.py", "a = 1\n")
    (tmp_path / "tree" / mark).symlink_to("b" * 300)
    assert paths(list_files(tmp_path / "tree" / "sub", IndexConfig())) == ["a.py"]


def test_names_mean_themselves(tmp_path):
    root = repository(tmp_path, a="1")
    write(root, ".gitignore", "build/\n")
    for name in (":x", ":(top)y", "s*r"):
        write(root, f"{name}/build/made.py")
        write(root, f"{name}/src/deep/z.py")
    listing = list_files(root, CONFIG)
    assert [path for path in paths(listing) if "build" in path] == []
    assert not [folder for folder in listing.directories if folder.endswith("build")]
    assert explain(root, ":x/build/made.py", CONFIG).reason == "Ignored by git: .gitignore, line 1: build/."


# --- git's own files -----------------------------------------------------------------------------------------------


def bare(origin: Path, place: Path) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    git(origin, "clone", "-q", "--bare", str(origin), str(place))
    return place


def bare_beside_trees(tmp_path: Path, origin: Path) -> tuple[Path, set[str], set[str]]:
    project = tmp_path / "project"
    bare(origin, project / ".bare")
    (project / ".git").write_text("gitdir: ./.bare\n")
    git(project, "worktree", "add", "-q", "main")
    git(project, "worktree", "add", "-q", "-b", "topic", "topic")
    write(project / "topic", ".gitignore", "made.py\n")
    write(project / "topic", "made.py")
    return project, {"main/a.py", "main/s/b.py", "topic/.gitignore", "topic/a.py", "topic/s/b.py"}, {".bare"}


def separate_folder(tmp_path: Path, origin: Path) -> tuple[Path, set[str], set[str]]:
    project = tmp_path / "project"
    project.mkdir()
    git(project, "clone", "-q", "--separate-git-dir", str(project / "code.git"), str(origin), str(project / "code"))
    return project, {"code/a.py", "code/s/b.py"}, {"code.git"}


def separate_folder_inside(tmp_path: Path, origin: Path) -> tuple[Path, set[str], set[str]]:
    project = tmp_path / "project"
    git(tmp_path, "clone", "-q", "--separate-git-dir", str(tmp_path / "data"), str(origin), str(project))
    (tmp_path / "data").rename(project / "data")
    (project / ".git").write_text("gitdir: data\n")
    return project, {"a.py", "s/b.py"}, {"data"}


def clones_of_many(tmp_path: Path, origin: Path) -> tuple[Path, set[str], set[str]]:
    """As the program repo lays them out, and mirrors in a folder of any name."""
    project = tmp_path / "project"
    bare(origin, project / ".repo/projects/x.git")
    bare(origin, project / "mirrors/x.git")
    bare(origin, project / "mirrors/deep/er/y")
    write(project, "x/a.py")
    return project, {"x/a.py"}, {".repo", "mirrors/x.git", "mirrors/deep/er/y"}


def committed(tmp_path: Path, origin: Path) -> tuple[Path, set[str], set[str]]:
    """Data for a test, say, which is tracked."""
    project = repository(tmp_path / "project", a="1")
    place = bare(origin, project / "tests/data/sample.git")
    write(place, "refs/heads/.keep", "")
    git(project, "add", "-A", "-f")
    git(project, "commit", "-qm", "sample")
    return project, {"a.py"}, {"tests/data/sample.git"}


LAYOUTS = [bare_beside_trees, separate_folder, separate_folder_inside, clones_of_many, committed]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_no_file_of_gits_own_is_listed(tmp_path, layout):
    origin = repository(tmp_path / "origin", a="1", s__b="2")
    root, expected, skipped = layout(tmp_path, origin)
    listing = list_files(root, CONFIG)
    assert set(paths(listing)) == expected
    assert set(reasons(listing)) == skipped
    assert set(reasons(listing).values()) <= {GIT_FOLDER, "Data of a version control system."}
    for place in skipped - {".repo"}:
        assert not [folder for folder in listing.directories if f"{folder}/".startswith(f"{place}/")]
        assert explain(root, f"{place}/HEAD", CONFIG).reason.startswith(f"It lies in {place}, which is left out: ")
        part = list_some(root, CONFIG, [f"{place}/config"])
        assert part is None or (part.files, part.skipped) == ((), ())
        assert list_some(root, CONFIG, [f"{place}/HEAD"]) is None, "it makes the folder git's: all must be looked at"


def test_a_bare_clone_as_root_is_one_sentence(tmp_path):
    origin = repository(tmp_path / "origin", a="1")
    root = bare(origin, tmp_path / "clone.git")
    with Watched(root, tmp_path / "cache") as watched:
        report = watched.update()
        assert (report.files, watched.said) == (0, {".": GIT_FOLDER})
        assert watched.index.search("anything").hits == ()
    assert explain(root, "HEAD", CONFIG).reason == explain(root, ".", CONFIG).reason == GIT_FOLDER
    assert list_some(root, CONFIG, ["config"]) is None
    with pytest.raises(BadInputError, match="no git repository"):
        changed_since(root, "HEAD")


def test_a_folder_that_becomes_gits_leaves_the_index(tmp_path):
    root = tmp_path / "root"
    write(root, "mine.py", function("mine"))
    write(root, "data/description", "a text that was there first\n")
    origin = repository(tmp_path / "origin", a="1")
    with Watched(root, tmp_path / "cache") as watched:
        watched.update()
        assert watched.index.paths() == ["data/description", "mine.py"]
        shutil.rmtree(root / "data")
        bare(origin, root / "data")
        watched.update()
        assert watched.index.paths() == ["mine.py"]
        shutil.rmtree(root / "data")
        write(root, "data/description", "a text again\n")
        watched.update()
        assert watched.index.paths() == ["data/description", "mine.py"]


def test_what_makes_a_folder_gits(tmp_path):
    origin = repository(tmp_path / "origin", a="1")
    place = bare(origin, tmp_path / "clone")
    assert is_git_folder(place) and is_git_folder(origin / ".git")
    assert not is_git_folder(origin) and not is_git_folder(tmp_path)
    # A working tree whose own folders have such names is no data of git's.
    for name in ("objects/o.py", "refs/r.py", "HEAD"):
        write(origin, name)
    git(origin, "add", "-A")
    assert not is_git_folder(origin)
    assert paths(list_files(origin, CONFIG)) == ["HEAD", "a.py", "objects/o.py", "refs/r.py"]
    for name in ("HEAD", "objects", "refs"):
        moved = (place / name).rename(tmp_path / name)
        assert not is_git_folder(place)
        moved.rename(place / name)


@pytest.mark.parametrize("inside", ["src/.git", "src/.git/hooks", "src/.git/new/deep", "bare.git/hooks"])
def test_a_root_within_gits_own_folders_is_gits(tmp_path, inside):
    origin = repository(tmp_path / "src", a="1")
    bare(origin, tmp_path / "bare.git")
    root = tmp_path / inside
    write(root, "hook.py", function("hook"))
    listing = list_files(root, CONFIG)
    assert paths(listing) == []
    assert [(skip.path, skip.reason) for skip in listing.skipped] == [(".", GIT_FOLDER)]
    assert list_some(root, CONFIG, ["hook.py"]) is None
    assert explain(root, "hook.py", CONFIG) == Verdict(False, GIT_FOLDER)


def test_a_git_folder_without_refs_is_known_by_its_name(tmp_path):
    write(tmp_path, "torn/.git/hooks/hook.py", function("hook"))
    assert paths(list_files(tmp_path / "torn" / ".git" / "hooks", CONFIG)) == []


def test_a_working_tree_within_a_bare_repository_is_indexed(tmp_path):
    place = bare(repository(tmp_path / "origin", a="1"), tmp_path / "bare.git")
    git(place, "worktree", "add", "-q", str(place / "trees" / "one"))
    tree = place / "trees" / "one"
    write(tree, "pkg/b.py", function("b"))
    assert paths(list_files(tree, CONFIG)) == ["a.py", "pkg/b.py"]
    assert paths(list_files(tree / "pkg", CONFIG)) == ["b.py"]
