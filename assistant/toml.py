"""Reading TOML, with errors that say where."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

from indexer.errors import BadInputError, StorageError

_MAX_REPOSITORY_FILE_BYTES = 65_536


def check_repository_file(path: Path) -> None:
    """Refuse a repository's settings file that is a link, no regular file, or large: it is hostile data.

    Raises BadInputError. A file that is not there is fine.
    """
    try:
        info = path.lstat()
    except OSError:
        return
    if not stat.S_ISREG(info.st_mode) or info.st_size > _MAX_REPOSITORY_FILE_BYTES:
        raise BadInputError(
            f"{path} must be a file of at most {_MAX_REPOSITORY_FILE_BYTES // 1024} KiB and no link.",
            "It belongs to the repository; look at what it is.",
        )


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a settings file; none if it does not exist.

    Raises BadInputError with the place of a syntax error, StorageError if the file cannot be read.
    """
    try:
        # A pipe or device under that name must not block us.
        if not stat.S_ISREG(path.stat().st_mode):
            raise BadInputError(f"{path} is not a regular file.", "Move it away; settings are read from there.")
        return parse_toml(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as exc:
        raise StorageError.from_os_error(exc, "reading the settings", path) from exc
    except UnicodeDecodeError as exc:
        raise BadInputError(f"{path} is not UTF-8 text.", "Save it as UTF-8.") from exc
    except ValueError as exc:
        raise BadInputError(f"{path} is not valid TOML: {exc}.", "Correct that line.") from exc


def parse_toml(text: str) -> dict[str, Any]:
    """TOML tables. Raises ValueError."""
    import tomllib

    try:
        return tomllib.loads(text)
    except RecursionError as exc:
        raise ValueError("nested too deeply") from exc
