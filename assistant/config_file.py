"""Writing settings files: one key at a time, keeping the user's comments and order (tomlkit), atomically."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from assistant.config import REPOSITORY_FILE, REPOSITORY_KEYS, Setting, user_file
from assistant.toml import read_toml
from indexer.errors import BadInputError, StorageError, UnknownSettingError
from indexer.private import FILE_MODE, make_folder


def set_value(path: Path, setting: Setting, value: object) -> None:
    """Write ``value`` (already checked) under the setting's key in the file ``path``, making what is missing.

    Raises BadInputError if the file is not TOML, UnknownSettingError for a key that a repository may not set,
    StorageError if it cannot be written.
    """
    if path.name == REPOSITORY_FILE and setting.key not in REPOSITORY_KEYS:
        raise UnknownSettingError(
            f'A repository may not set "{setting.key}".', f"Without --repository it goes into {user_file()}"
        )
    _edit(path, setting, list(value) if isinstance(value, tuple) else value)


def unset(path: Path, setting: Setting) -> None:
    """Remove the setting's key from the file ``path``, so that a weaker source holds. Errors as ``set_value``."""
    if path.exists():
        _edit(path, setting, None)


def _edit(path: Path, setting: Setting, value: object) -> None:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    read_toml(path)  # names the place of a syntax error
    section, _, name = setting.key.partition(".")
    try:
        document = tomlkit.parse(path.read_text("utf-8")) if path.exists() else tomlkit.document()
        table = document.setdefault(section, tomlkit.table())
        if value is None:
            table.pop(name, None)
        else:
            table[name] = value
        text = tomlkit.dumps(document)
    except OSError as exc:
        raise StorageError.from_os_error(exc, "reading the settings", path) from exc
    except (TOMLKitError, TypeError, AttributeError) as exc:
        raise BadInputError(f'{path} holds no table "{section}" to write to.', "Edit the file by hand.") from exc
    _replace(path.resolve(), text, secret=setting.secret and value is not None)


def _replace(path: Path, text: str, *, secret: bool) -> None:
    """Write the whole file or nothing: a temporary file beside it takes its name. ``secret``: for its owner alone."""
    try:
        make_folder(path.parent)
        new = 0o644 if path.name == REPOSITORY_FILE else FILE_MODE
        mode = path.stat().st_mode & 0o777 if path.exists() else new
        mode = mode & 0o600 if secret else mode
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).chmod(mode)
            Path(temporary).replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
            raise
    except OSError as exc:
        raise StorageError.from_os_error(exc, "writing the settings", path) from exc
