"""Repositories whose git configuration names a program: each is built with a trap, and with a command that springs it.

A trap is a program that makes the file ``ran`` next to the repository. ``lure`` is what an ordinary git does there, to
show that the trap works on this machine.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from hostile_world import function, git, write

MINE, TWICE, LATER = "mine.py", "twice.py", "later.py"
"""In every one of the repositories: of the first commit, changed by the second, and new in it."""


@dataclass
class Place:
    """A folder ``root`` for a repository, and next to it what lies outside of it."""

    base: Path
    root: Path = field(init=False)

    def __post_init__(self) -> None:
        self.root = self.base / "root"

    @property
    def mark(self) -> Path:
        """There once the trap was sprung."""
        return self.base / "ran"

    @property
    def outside(self) -> Path:
        return self.base / "outside"

    @property
    def trap(self) -> Path:
        """A program that leaves the mark."""
        path = self.base / "trap"
        if not path.exists():
            path.write_text(f"#!/bin/sh\ntouch '{self.mark}'\n")
            path.chmod(0o755)
        return path

    def config(self, *settings: tuple[str, object], file: Path | None = None) -> None:
        """Append settings (full name, value) to a configuration file, the repository's own by default."""
        path = file or self.root / ".git" / "config"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as stream:
            for name, value in settings:
                section, _, rest = name.partition(".")
                subsection, _, key = rest.rpartition(".")
                head = f'{section} "{subsection}"' if subsection else section
                stream.write(f'[{head}]\n\t{key} = "{value}"\n')

    def commits(self) -> None:
        """Two commits, and a file that looks changed though it is not: git must look into it."""
        for name in (MINE, TWICE):
            write(self.root, name, function(Path(name).stem))
        git(self.root, "init", "-q", "-b", "main")
        git(self.root, "add", "-A")
        git(self.root, "commit", "-qm", "first")
        write(self.root, LATER, function("later"))
        write(self.root, TWICE, function("twice") + "\n" + function("again"))
        git(self.root, "add", "-A")
        git(self.root, "commit", "-qm", "second")
        touch(self.root / MINE)

    def lose_objects(self) -> None:
        """Make it a partial clone from which the blobs of the first commit and of .gitignore are missing."""
        write(self.root, ".gitignore", "*.log\n")
        git(self.root, "add", "-A")
        git(self.root, "commit", "-qm", "third")
        for revision in ("HEAD~2:" + TWICE, "HEAD:.gitignore"):
            name = git(self.root, "rev-parse", revision).strip()
            (self.root / ".git/objects" / name[:2] / name[2:]).unlink()
        # An ignore file outside the sparse part is read from the repository, not from the folder.
        git(self.root, "update-index", "--skip-worktree", ".gitignore")
        (self.root / ".gitignore").unlink()
        write(self.root, "untracked.py", function("untracked"))
        self.config(
            ("core.repositoryFormatVersion", 1), ("extensions.partialClone", "origin"), ("remote.origin.promisor", True)
        )


def touch(path: Path) -> None:
    """Other times than git remembers."""
    os.utime(path, ns=(1_000_000_000_000_000_000, 1_000_000_000_000_000_000))


def _settings(*names: str, attributes: str = "") -> Callable[[Place], None]:
    """Settings that all name the trap."""

    def build(place: Place) -> None:
        if attributes:
            write(place.root, ".gitattributes", f"*.py {attributes}\n")
        place.commits()
        place.config(*((name, place.trap) for name in names))

    return build


def _required_filter(place: Place) -> None:
    _settings("filter.must.clean", "filter.must.smudge", attributes="filter=must")(place)
    place.config(("filter.must.required", True))


def _included(place: Place) -> None:
    place.commits()
    place.config(("core.fsmonitor", place.trap), file=place.root / "docs/settings")
    place.config(("include.path", "../docs/settings"))


def _included_by_condition(place: Place) -> None:
    write(place.root, ".gitattributes", "*.py filter=far\n")
    place.commits()
    place.config(("filter.far.clean", place.trap), file=place.outside / "settings")
    place.config(("includeIf.gitdir:**/root/.git.path", place.outside / "settings"))


def _hook(name: str) -> Callable[[Place], None]:
    def build(place: Place) -> None:
        place.commits()
        hook = place.root / ".git/hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(place.trap.read_text())
        hook.chmod(0o755)

    return build


def _hooks_path(place: Place) -> None:
    place.commits()
    write(place.root, "tools/post-index-change", place.trap.read_text()).chmod(0o755)
    place.config(("core.hooksPath", "tools"))


def _lazy(url: str, *more: tuple[str, str]) -> Callable[[Place], None]:
    """A partial clone; TRAP in values is the program."""

    def build(place: Place) -> None:
        place.commits()
        place.lose_objects()
        subprocess.run(["git", "init", "-q", "--bare", str(place.outside)], check=True, capture_output=True)
        for setting in (("remote.origin.url", url), *more):
            filled = [text.replace("TRAP", str(place.trap)).replace("OUTSIDE", str(place.outside)) for text in setting]
            place.config((filled[0], filled[1]))

    return build


def _bare_inside(place: Place) -> None:
    """A repository without a working tree as ordinary files of a clone: git takes the folder for one."""
    bare = place.root / "docs"
    bare.mkdir(parents=True)
    git(bare, "init", "-q", "--bare")
    write(bare, "refs/heads/kept", "")
    write(bare, "objects/kept", "")
    place.config(("core.bare", False), ("core.worktree", ".."), ("core.fsmonitor", place.trap), file=bare / "config")
    place.commits()


def _gitfile_inside(place: Place) -> None:
    """The ``.git`` is a file that leads to a folder of the clone."""
    place.commits()
    place.config(("core.fsmonitor", place.trap), ("core.worktree", "../.."))
    (place.root / "vendor").mkdir()
    (place.root / ".git").rename(place.root / "vendor/evil")
    (place.root / ".git").write_text("gitdir: vendor/evil\n")


def _gitfile_outside(place: Place) -> None:
    place.commits()
    place.config(("core.fsmonitor", place.trap), ("core.worktree", place.root))
    (place.root / ".git").rename(place.outside)
    (place.root / ".git").write_text(f"gitdir: {place.outside}\n")


def _link_outside(place: Place) -> None:
    place.commits()
    place.config(("core.fsmonitor", place.trap))
    (place.root / ".git").rename(place.outside)
    (place.root / ".git").symlink_to(place.outside)


def _common_folder(place: Place) -> None:
    """Its configuration lies where ``commondir`` says."""
    place.commits()
    place.config(("core.fsmonitor", place.trap))
    evil = place.root / "vendor"
    evil.mkdir()
    for name in ("config", "objects", "refs"):
        (place.root / ".git" / name).rename(evil / name)
    (place.root / ".git/commondir").write_text("../vendor\n")


def _worktree_settings(place: Place) -> None:
    place.commits()
    place.config(("core.repositoryFormatVersion", 1), ("extensions.worktreeConfig", True))
    place.config(("core.fsmonitor", place.trap), file=place.root / ".git/config.worktree")


def _submodule(place: Place) -> None:
    """A submodule whose own settings name the trap, changed, so that git would look into it."""
    library = Place(place.base / "library")
    library.commits()
    place.commits()
    allowed = ("-c", "protocol.file.allow=always")
    git(place.root, *allowed, "submodule", "--quiet", "add", str(library.root), "lib")
    git(place.root, "commit", "-qm", "submodule")
    place.config(("core.fsmonitor", place.trap), file=place.root / ".git/modules/lib/config")
    place.config(("diff.ignoreSubmodules", "none"), ("diff.submodule", "log"))
    write(place.root, "lib/mine.py", function("mine_of_lib"))


def _nested(place: Place) -> None:
    """A repository inside that is no submodule."""
    place.commits()
    inner = Place(place.root / "inner")
    inner.commits()
    inner.config(("core.fsmonitor", place.trap))


def _linked_tree(place: Place) -> None:
    """Another working tree of a repository that lies outside."""
    owner = Place(place.base / "owner")
    owner.commits()
    git(owner.root, "worktree", "add", "-q", "-b", "other", str(place.root))
    owner.config(("core.fsmonitor", place.trap))
    touch(place.root / MINE)


def _signed(place: Place) -> None:
    place.commits()
    tree, parent = (git(place.root, "rev-parse", name).strip() for name in ("HEAD^{tree}", "HEAD"))
    person = "T <t@example.org> 1700000000 +0000"
    signature = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----"
    text = f"tree {tree}\nparent {parent}\nauthor {person}\ncommitter {person}\n{signature}\n\nsigned\n"
    commit = write(place.base, "commit", text)
    name = git(place.root, "hash-object", "-t", "commit", "-w", str(commit)).strip()
    git(place.root, "update-ref", "HEAD", name)
    place.config(("gpg.program", place.trap), ("log.showSignature", True))


def _elsewhere(place: Place) -> None:
    """Git's working tree is a folder outside; it would list and look into that one."""
    write(place.outside, "secret.py", function("outside_the_root"))
    place.commits()
    place.config(("core.worktree", place.outside), ("core.fsmonitor", place.trap))


STATUS, DIFF = ("status",), ("diff", "HEAD~1")
LISTING = ("ls-files", "-co", "--exclude-standard")

REPOSITORIES: dict[str, tuple[Callable[[Place], None], tuple[str, ...]]] = {
    "file monitor": (_settings("core.fsmonitor"), STATUS),
    "hook": (_hook("post-index-change"), STATUS),
    "folder of hooks": (_hooks_path, STATUS),
    "filter": (_settings("filter.plain.clean", attributes="filter=plain"), DIFF),
    "filter with =": (_settings("filter.a=b.clean", "filter.a=b.smudge", attributes="filter=a=b"), DIFF),
    "filter with dots": (_settings("filter.x.y.clean.clean", attributes="filter=x.y.clean"), DIFF),
    "filter process": (_settings("filter.long.process", attributes="filter=long"), DIFF),
    "required filter": (_required_filter, DIFF),
    "included settings": (_included, STATUS),
    "settings on condition": (_included_by_condition, DIFF),
    "settings of a tree": (_worktree_settings, STATUS),
    "external diff": (_settings("diff.external"), DIFF),
    "diff driver": (_settings("diff.own.command", attributes="diff=own"), DIFF),
    "text converter": (_settings("diff.own.textconv", attributes="diff=own"), DIFF),
    "signature checker": (_signed, ("log", "-1")),
    "fetch by path": (_lazy("OUTSIDE", ("remote.origin.uploadpack", "TRAP")), LISTING),
    "fetch by file address": (_lazy("file://OUTSIDE", ("remote.origin.uploadpack", "TRAP")), LISTING),
    "fetch by ext": (_lazy("ext::TRAP %S", ("protocol.ext.allow", "always")), LISTING),
    "fetch by ssh": (_lazy("ssh://nowhere.invalid/x", ("core.sshCommand", "TRAP")), LISTING),
    "fetch by git": (_lazy("git://nowhere.invalid/x", ("core.gitProxy", "TRAP")), LISTING),
    "fetch by alias": (
        _lazy("https://nowhere.invalid/x", ("url.ext::TRAP .insteadOf", "https://nowhere.invalid/"),
              ("protocol.ext.allow", "always")),
        LISTING,
    ),
    "bare repository inside": (_bare_inside, ("-C", "docs", "status")),
    "gitfile inside": (_gitfile_inside, STATUS),
    "gitfile outside": (_gitfile_outside, STATUS),
    "link outside": (_link_outside, STATUS),
    "common folder": (_common_folder, STATUS),
    "submodule": (_submodule, STATUS),
    "nested repository": (_nested, ("-C", "inner/root", "status")),
    "linked tree": (_linked_tree, STATUS),
    "working tree elsewhere": (_elsewhere, STATUS),
}  # fmt: skip
"""Name → how it is built, and git's arguments that spring its trap."""


def lure(place: Place, arguments: tuple[str, ...]) -> None:
    """Do in the repository what springs its trap."""
    subprocess.run(["git", *arguments], cwd=place.root, capture_output=True, timeout=60, check=False)


def build(name: str, base: Path) -> Place:
    """The repository of that name below ``base``; its trap is set and was not sprung. The tag is its second commit."""
    place = Place(base / "place")
    place.root.mkdir(parents=True)
    REPOSITORIES[name][0](place)
    commits = git(place.root, "log", "--all", "--no-show-signature", "--format=%H %s").splitlines()
    second = next(line for line in commits if line.endswith(" second"))
    git(place.root, "update-ref", "refs/tags/second", second.split()[0])
    place.mark.unlink(missing_ok=True)
    return place
