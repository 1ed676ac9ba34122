"""The ignore files of git that lie outside the working tree, for when a walk takes git's place.

What they hide stays hidden when git does not answer, refuses a repository or is not installed. They are, from the
strongest: ``info/exclude`` in git's own folder, the repository's ``core.excludesFile``, and the user's (or
``~/.config/git/ignore``). See gitignore(5).
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from indexer.git import MAX_GITFILE, repository_folder, run_git
from indexer.probing import is_folder

_ASKED_SECONDS = 5.0
_MAX_CONFIG_BYTES = 1_000_000

_EXCLUDES_FILE = re.compile(r"^[ \t]*(?:\[core\][ \t]*)?excludesfile[ \t]*=[ \t]*(.+?)[ \t\r]*$", re.I | re.M)
"""Read without git, so without its conditions and includes; a match too many only hides more."""


def repository_excludes(top: Path) -> list[Path]:
    """Paths of the ignore files of the repository whose working tree ``top`` is (it holds a ``.git``), the first wins.

    They may be relative to ``top``, and need not exist. As for git, the configuration of a repository of another user
    names none.
    """
    folder = _common_folder(top)
    return [folder / "info" / "exclude", *_named_in(folder / "config", owner=os.geteuid())]


def user_excludes() -> list[Path]:
    """Paths of the user's own ignore files, as above: what the configuration names, else git's default."""
    anywhere = Path(os.sep)  # no repository is there, so the system's and the user's configuration answer
    answer = run_git(anywhere, "config", "-z", "--type=path", "--get", "core.excludesFile", deadline=_ASKED_SECONDS)
    if answer.status == 0:
        return [Path(os.fsdecode(answer.output.removesuffix(b"\0")))]
    settings = Path(os.environ.get("XDG_CONFIG_HOME") or _expanded("~/.config")) / "git"
    default = settings / "ignore"
    if answer.status == 1:  # nothing names one
        return [default]
    own = os.environ.get("GIT_CONFIG_GLOBAL")
    places = [Path(own)] if own is not None else [Path(_expanded("~/.gitconfig")), settings / "config"]
    return [*(path for place in places for path in _named_in(place)), default]


def _common_folder(top: Path) -> Path:
    """Git's folder with ``info`` and ``config``: of a further working tree it is that of the first one."""
    mark = top / ".git"
    folder = mark if is_folder(mark) else repository_folder(top) or mark
    text = _text(folder / "commondir", MAX_GITFILE).strip()
    return Path(os.path.normpath(folder / text)) if text else folder


def _named_in(config: Path, owner: int | None = None) -> list[Path]:
    named = _EXCLUDES_FILE.findall(_text(config, _MAX_CONFIG_BYTES, owner))
    return [Path(_expanded(value.strip('"'))) for value in reversed(named)]


def _expanded(path: str) -> str:
    return os.path.expanduser(path)  # noqa: PTH111  (that of a Path raises for a user that does not exist)


def _text(path: Path, most: int, owner: int | None = None) -> str:
    """What a regular file (of ``owner``) begins with; empty when there is none."""
    try:
        info = path.stat()
        if not stat.S_ISREG(info.st_mode) or owner not in (None, info.st_uid):
            return ""
        with path.open("rb") as stream:
            return os.fsdecode(stream.read(most))
    except (OSError, ValueError):
        return ""
