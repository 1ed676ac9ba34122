"""Any sequence of what people and git do to a tree, applied update by update, comes to what a fresh index says."""

from __future__ import annotations

import os
import random

import pytest
from crash_world import difference
from hostile_world import function, git, plain_git
from store_tools import InlinePool, Tree, dump, without_flushing

pytestmark = pytest.mark.slow

SUFFIXES = (".py", ".js", ".md", ".txt", ".go", ".PY", "")
IGNORED = ("*.log\n", "drafts/\n*.log\n", "", "src/\n")


class Repository:
    """A real git repository and the steps that may be taken in it, each by a name of its own."""

    def __init__(self, tree: Tree, rng: random.Random) -> None:
        self.tree, self.root, self.rng = tree, tree.root, rng
        self.branches = ["main"]
        self.names = 0
        self.log: list[str] = []
        git(self.root, "init", "-q", "-b", "main")
        tree.write({f"src/f{n}{SUFFIXES[n % len(SUFFIXES)]}": self.text() for n in range(14)})
        tree.write({".gitignore": IGNORED[0]})
        self.commit()
        self.steps = sorted(name for name in vars(Repository) if name.startswith("step_"))

    def step(self) -> str:
        """Take one step, and say which."""
        if not self.files():
            self.tree.write({f"again{self.names}.py": self.text()})
        name = self.rng.choice(self.steps)
        self.log.append(f"{name} {getattr(self, name)()}")
        return self.log[-1]

    def files(self) -> list[str]:
        found = [p for p in self.root.rglob("*") if ".git" not in p.relative_to(self.root).parts and p.is_file()]
        return sorted(p.relative_to(self.root).as_posix() for p in found)

    def text(self) -> str:
        """Few different texts, so that files often equal one another and renames find their like."""
        return function(f"name_{self.rng.randrange(6)}") * self.rng.randrange(3)

    def new_name(self) -> str:
        self.names += 1
        folder = self.rng.choice(("src", "src/deep/er", "drafts", "lib", "."))
        return f"{folder}/n{self.names}{self.rng.choice(SUFFIXES)}".removeprefix("./")

    def commit(self) -> None:
        git(self.root, "add", "-A")
        git(self.root, "commit", "-q", "--allow-empty", "-m", "step")

    def step_edit(self) -> str:
        path = self.rng.choice(self.files())
        self.tree.write({path: self.text()})
        return path

    def step_edit_now(self) -> str:
        """Same size, and the time of now: within the clock's tick of whatever git or an update did just before."""
        path = self.root / self.rng.choice(self.files())
        path.write_text(path.read_text().translate(str.maketrans("012345", "123450")))
        return path.name

    def step_add(self) -> str:
        path = self.new_name()
        self.tree.write({path: self.text()})
        return path

    def step_delete(self) -> str:
        path = self.rng.choice(self.files())
        (self.root / path).unlink()
        return path

    def step_rename(self) -> str:
        path, name = self.rng.choice(self.files()), self.new_name()
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).rename(self.root / name)
        return f"{path} → {name}"

    def step_swap(self) -> str:
        """Two files take each other's names."""
        one, other = self.rng.choices(self.files(), k=2)
        spare = self.root / "spare"
        (self.root / one).rename(spare)
        if one != other:
            (self.root / other).rename(self.root / one)
        spare.rename(self.root / other)
        return f"{one} ↔ {other}"

    def step_rename_case(self) -> str:
        path = self.root / self.rng.choice(self.files())
        if not (other := path.with_name(path.name.swapcase())).is_dir():
            path.rename(other)
        return path.name

    def step_copy(self) -> str:
        path, name = self.rng.choice(self.files()), self.new_name()
        self.tree.write({name: (self.root / path).read_text()})
        return f"{path} = {name}"

    def step_file_becomes_folder(self) -> str:
        path = self.root / self.rng.choice(self.files())
        path.unlink()
        self.tree.write({(path / "inner.py").relative_to(self.root).as_posix(): self.text()})
        return path.name

    def step_chmod(self) -> str:
        path = self.root / self.rng.choice(self.files())
        path.chmod(self.rng.choice((0o644, 0o755, 0o600)))
        return path.name

    def step_touch(self) -> str:
        path = self.rng.choice(self.files())
        self.tree.age(path)
        return path

    def step_ignore(self) -> str:
        rules = self.rng.choice(IGNORED)
        if (self.root / ".gitignore").is_dir():
            return "a folder"
        self.tree.write({".gitignore": rules})
        return repr(rules)

    def step_commit(self) -> str:
        self.commit()
        return ""

    def step_branch(self) -> str:
        """A new branch, or back to an old one, with what lies about committed first."""
        self.commit()
        if len(self.branches) < 4 and self.rng.random() < 0.5:
            self.branches.append(f"b{len(self.branches)}")
            git(self.root, "checkout", "-q", "-b", self.branches[-1], self.rng.choice(("HEAD", "HEAD~1", "main")))
        else:
            git(self.root, "checkout", "-q", self.rng.choice(self.branches))
        return git(self.root, "branch", "--show-current").strip()

    def step_stash(self) -> str:
        return git(self.root, "stash", "-u").strip()

    def step_clean(self) -> str:
        return git(self.root, "clean", "-fdx").strip()


@pytest.fixture
def tree(tmp_path, monkeypatch):
    without_flushing(monkeypatch)
    plain_git(monkeypatch.setenv, monkeypatch.delenv)
    monkeypatch.setattr("indexer.workers.WorkerPool", InlinePool)
    tree = Tree(tmp_path / "repo", tmp_path)
    tree.root.mkdir()
    yield tree
    tree.close()


@pytest.mark.parametrize("seed", range(int(os.environ.get("CODEMOAT_TEST_SEQUENCES", "2"))))
def test_any_sequence_of_changes_equals_a_fresh_index(tree, seed):
    """CODEMOAT_TEST_STEPS (16) updates, each after one to three steps; CODEMOAT_TEST_SEQUENCES (2) seeds."""
    repository = Repository(tree, random.Random(seed))
    index = tree.open()
    fresh = tree.open("fresh")
    for number in range(int(os.environ.get("CODEMOAT_TEST_STEPS", "16"))):
        steps = [repository.step() for _ in range(repository.rng.randrange(1, 4))]
        report = index.update()
        wanted = fresh.rebuild()
        found, want = dump(index), dump(fresh)
        done = "\n".join([*repository.log[: -len(steps)], f"before update {number}:", *steps, difference(found, want)])
        assert found == want, done
        assert report.skipped == wanted.skipped
        assert not index.stale()
    assert index.update().files_parsed == 0
