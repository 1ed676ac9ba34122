"""``codemoat config``: show settings with where each comes from, and write them."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated, Any

import typer

from assistant.cli.common import Json, Root, chosen_root
from assistant.cli.output import Output

Repository = Annotated[
    bool, typer.Option("--repository", help="The repository's own file (.codemoat.toml) instead of yours.")
]
_HIDDEN = "(set, not shown)"
Key = Annotated[str, typer.Argument(metavar="KEY", help="E.g. index.workers.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Show or change settings.", invoke_without_command=True, no_args_is_help=False)
    group.callback()(_show)
    group.command("get")(_get)
    group.command("set")(_set)
    group.command("unset")(_unset)
    group.command("path")(_path)
    app.add_typer(group, name="config")


def _show(ctx: typer.Context, path: Root = None, json: Json = False) -> None:
    """Show every setting, its value here, and where the value comes from."""
    if ctx.invoked_subcommand is not None:
        return
    from assistant.config import resolve, settings

    out = Output(as_json=json)
    resolved = resolve(chosen_root(path))
    rows = {
        key: {"value": value_of(resolved.config, key), "origin": origin, "description": settings()[key].description}
        for key, origin in resolved.origins.items()
    }
    if out.as_json:
        out.data({"settings": rows})
        return
    width = max(map(len, rows))
    for key, row in rows.items():
        origin = "" if row["origin"] == "default" else f"  ({row['origin']})"
        out.line((f"{key:<{width}}", "bold"), f" = {_toml(row['value'])}", (origin, "cyan"))


def _get(key: Key, path: Root = None, json: Json = False) -> None:
    """Show the value of one setting."""
    from assistant.config import find_setting, resolve

    out = Output(as_json=json)
    setting = find_setting(key, "command line")
    resolved = resolve(chosen_root(path))
    value = value_of(resolved.config, setting.key)
    if out.as_json:
        out.data({"key": key, "value": value, "origin": resolved.origins[key], "description": setting.description})
    else:
        out.line(_toml(value) if not isinstance(value, str) else value)


def _set(
    key: Key,
    value: Annotated[str, typer.Argument(metavar="VALUE", help="Lists: values separated by commas.")],
    path: Root = None,
    repository: Repository = False,
) -> None:
    """Write one setting to your settings file."""
    from assistant.config import find_setting, from_text, resolve
    from assistant.config_file import set_value

    out = Output()
    setting = find_setting(key, "command line")
    checked = from_text(setting, value, "command line")
    root = chosen_root(path)
    file = _file(root, repository=repository)
    set_value(file, setting, checked)
    out.line(f"{key} = {_HIDDEN if setting.secret else _toml(checked)} in {file}")
    origin = resolve(root).origins[key]
    if origin != str(file):
        out.note(f"It has no effect here: {origin} sets {key} too, and comes first.")


def _unset(key: Key, path: Root = None, repository: Repository = False) -> None:
    """Remove one setting from your settings file."""
    from assistant.config import find_setting
    from assistant.config_file import unset

    setting = find_setting(key, "command line")
    file = _file(chosen_root(path), repository=repository)
    unset(file, setting)
    Output().line(f"{key} is not set in {file}")


def _path(path: Root = None, repository: Repository = False) -> None:
    """Show where your settings file is (it need not exist)."""
    Output().line(str(_file(chosen_root(path), repository=repository)))


def _file(root: Path, *, repository: bool) -> Path:
    from assistant.config import REPOSITORY_FILE, user_file

    return root / REPOSITORY_FILE if repository else user_file()


def value_of(config: object, key: str) -> Any:
    """The value of a dotted key, as JSON has it; of a secret only whether it is set."""
    from assistant.config import SECRET_KEYS

    section, _, name = key.partition(".")
    value = getattr(getattr(config, section), name)
    if key in SECRET_KEYS and value:
        return _HIDDEN
    return list(value) if isinstance(value, tuple) else value


def _toml(value: object) -> str:
    # JSON's form of booleans, numbers, strings and lists is TOML's too.
    return json_module.dumps(list(value) if isinstance(value, tuple) else value)
