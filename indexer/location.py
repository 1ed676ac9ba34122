"""Where things lie: the user's folders, the root of a repository, the folder of its index.

The one place that asks the environment for folders: ``CODEMOAT_CACHE_DIR``, ``CODEMOAT_DATA_DIR``,
``CODEMOAT_CONFIG_DIR`` and ``CODEMOAT_RUNTIME_DIR`` stand before the platform's own folders. Nothing here creates a
folder: reading must work where writing does not.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from indexer.config import IndexConfig

_MARKERS = (".git", ".codemoat")
_LINUX = {
    "user_cache_dir": ("XDG_CACHE_HOME", ".cache"),
    "user_config_dir": ("XDG_CONFIG_HOME", ".config"),
    "user_data_dir": ("XDG_DATA_HOME", ".local/share"),
}
"""What platformdirs says on Linux, without its import, which costs a search 10 ms."""


def cache_dir() -> Path:
    """Things that can be made again, above all indexes: ``CODEMOAT_CACHE_DIR`` or e.g. ``~/.cache/codemoat``."""
    return _override("CODEMOAT_CACHE_DIR") or _platform("user_cache_dir")


def data_dir() -> Path:
    """Conversations, and models, which cost a download: ``CODEMOAT_DATA_DIR`` or e.g. ``~/.local/share/codemoat``."""
    return _override("CODEMOAT_DATA_DIR") or _platform("user_data_dir")


def config_dir() -> Path:
    """The user's settings: ``CODEMOAT_CONFIG_DIR`` or e.g. ``~/.config/codemoat``."""
    return _override("CODEMOAT_CONFIG_DIR") or _platform("user_config_dir")


def runtime_dir() -> Path:
    """Sockets and tokens of this login: ``CODEMOAT_RUNTIME_DIR`` or e.g. ``/run/user/1000/codemoat``."""
    return _override("CODEMOAT_RUNTIME_DIR") or _platform("user_runtime_dir")


def find_root(start: Path) -> Path:
    """The nearest folder from ``start`` upwards that holds ``.git`` or ``.codemoat``; ``start`` itself without one.

    ``start`` may be a file (its folder counts then). The result is absolute with symlinks resolved.
    """
    start = start.resolve()
    if not start.is_dir():
        start = start.parent
    for folder in (start, *start.parents):
        if any((folder / marker).exists() for marker in _MARKERS):
            return folder
    return start


def is_huge(root: Path) -> bool:
    """Whether ``root`` is a home folder or holds one."""
    home = Path.home().resolve()
    return root == home or root in home.parents


def index_folder(root: Path, config: IndexConfig) -> Path:
    """The folder of ``root``'s index: ``root/.codemoat`` when asked, else ``<cache>/index/<name>-<hash>``.

    The hash is of the resolved root, so that two checkouts of one name do not share an index.
    """
    root = root.resolve()
    if config.in_repository:
        return root / ".codemoat"
    return (config.cache_dir or cache_dir()) / "index" / _folder_name(root)


def seal_file(root: Path, config: IndexConfig) -> Path | None:
    """The user's file with the seal of an index inside ``root`` (``indexer.seal``); None for one in the cache."""
    if not config.in_repository:
        return None
    return (config.cache_dir or cache_dir()) / "seals" / _folder_name(root.resolve())


def chats_folder(root: Path) -> Path:
    """The folder of the saved conversations about ``root``: ``<data>/chats/<name>-<hash>``."""
    return data_dir() / "chats" / _folder_name(root.resolve())


def _folder_name(root: Path) -> str:
    digest = _sha256()(os.fsencode(root)).hexdigest()[:12]
    name = re.sub(r"[^\w.-]+", "_", root.name)[:60] or "root"
    return f"{name}-{digest}"


def _override(variable: str) -> Path | None:
    value = os.environ.get(variable)
    return Path(value).expanduser() if value else None


def _sha256() -> Callable[[bytes], Any]:
    """SHA-256 by the interpreter itself where it has it: hashlib loads the whole of OpenSSL."""
    for module in ("_sha2", "_sha256"):  # Python 3.12 and later; 3.11
        with suppress(ImportError, AttributeError):
            own: Callable[[bytes], Any] = import_module(module).sha256
            return own
    from hashlib import sha256

    return sha256


def _platform(function: str) -> Path:
    if sys.platform == "linux" and function in _LINUX:
        variable, usual = _LINUX[function]
        given = os.environ.get(variable, "")
        home = Path(given) if given.startswith("/") else Path.home() / usual
        if home.is_absolute():
            return home / "codemoat"
    import warnings

    import platformdirs

    with warnings.catch_warnings():
        # Without XDG_RUNTIME_DIR platformdirs warns and names a folder under /tmp: a fallback that is fine here.
        warnings.simplefilter("ignore")
        return Path(getattr(platformdirs, function)("codemoat", appauthor=False))
