"""Reading TOML, with errors that say where."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

from indexer.errors import BadInputError, StorageError


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
