"""``codemoat models``: which models there are, fetching, checking and choosing them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant.cli.common import Json, fetch_model, interrupt_cancels, show_transfer
from assistant.cli.output import Output, size
from assistant.cli.tune import tune

if TYPE_CHECKING:
    from assistant.models import InstalledModel, ModelEntry

Name = Annotated[str, typer.Argument(metavar="NAME", help="A name from `codemoat models list`.")]
OptionalName = Annotated[str | None, typer.Argument(metavar="[NAME]", help="Without it, the configured model.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="List, fetch, check and choose models.", invoke_without_command=True)
    group.callback()(_default)
    for name, function in (
        ("list", _list),
        ("pull", _pull),
        ("path", _path),
        ("verify", _verify),
        ("remove", _remove),
        ("use", _use),
        ("tune", tune),
    ):
        group.command(name)(function)
    app.add_typer(group, name="models")


def _default(ctx: typer.Context) -> None:
    if ctx.invoked_subcommand is None:
        _list()


def _list(json: Json = False) -> None:
    """Show the known models, what they cost and allow, and which are here."""
    from assistant.models import find_model, installed, load_catalogue

    out = Output(as_json=json)
    here = {model.name: model for model in installed()}
    rows = [_row(entry, here.get(entry.name)) for entry in load_catalogue()]
    rows += [_found(model) for model in here.values() if find_model(model.name) is None]
    used = _configured()
    if out.as_json:
        out.data({"models": [row | {"used": row["name"] == used} for row in rows]})
        return
    width = max(len(row["name"]) for row in rows)
    for row in rows:
        mark = "*" if row["name"] == used else " "
        state = "here" if row["installed"] else ""
        can = "+".join(ability for ability in ("fim", "chat") if row.get(ability))
        licence = row["licence"] + ("" if row["commercial"] else ", not for commercial use")
        checked = "" if row["verified"] else "  unverified"
        out.line(
            (mark, "bold green"),
            f" {row['name']:<{width}}  {size(row['size']):>7}  {state:<5} {can:<9} {licence}",
            (checked, "yellow"),
        )
    out.line()
    out.line("* in use   unverified: size and hash were not computed from the file by this project")


def _pull(
    name: OptionalName = None,
    source: Annotated[
        str | None, typer.Option("--from", metavar="SOURCE", help="https://…, hf:OWNER/REPO/FILE or a file instead.")
    ] = None,
    json: Json = False,
) -> None:
    """Fetch a model and check it; goes on where an interrupted fetch stopped."""
    out = Output(as_json=json)
    chosen = name or _configured()
    path = fetch_model(chosen, out, source)
    if out.as_json:
        out.data({"name": chosen, "path": str(path), "size": path.stat().st_size})
    else:
        out.line(str(path))


def _path(name: OptionalName = None, json: Json = False) -> None:
    """Show where a model's file is."""
    from assistant.models import resolve

    out = Output(as_json=json)
    chosen = name or _configured()
    path = resolve(chosen)
    if out.as_json:
        out.data({"name": chosen, "path": str(path), "size": path.stat().st_size})
    else:
        out.line(str(path))


def _verify(name: OptionalName = None, json: Json = False) -> None:
    """Hash a model's file and compare it with what it should be."""
    from assistant.models import verify

    out = Output(as_json=json)
    with interrupt_cancels() as cancel, out.progress() as display:
        found = verify(name or _configured(), progress=lambda p: show_transfer(p, display, out), cancel=cancel)
    if out.as_json:
        out.data(asdict(found) | {"path": str(found.path)})
        return
    against = {"catalogue": "as in the catalogue", "record": "as when it was fetched"}.get(found.compared_with)
    out.line(f"{found.name} has sha256 {found.sha256}: {against or 'there is nothing to compare it with'}.")


def _remove(name: Name, json: Json = False) -> None:
    """Delete a model from this machine."""
    from assistant.models import remove

    out = Output(as_json=json)
    freed = remove(name)
    if out.as_json:
        out.data({"name": name, "bytes": freed})
    else:
        out.line(f"{name} is removed; {size(freed)} are free again.")


def _use(name: Name) -> None:
    """Choose the model for questions and completion (writes model.name to your settings)."""
    from assistant.config import find_setting, resolve, user_file
    from assistant.config_file import set_value
    from assistant.models import find_model, is_installed
    from assistant.models import resolve as locate

    out = Output()
    if find_model(name) is None:
        path = locate(name)  # it must be there and be a model
        # The setting holds in every folder, so a path must not depend on this one.
        name = str(path.absolute()) if Path(name).expanduser().is_file() else name
    set_value(user_file(), find_setting("model.name", "command line"), name)
    out.line(f"model.name = {name} in {user_file()}")
    if not is_installed(name):
        out.note(f"It is not on this machine yet: `codemoat models pull {name}` fetches it.")
    found = resolve(None)
    if found.config.model.url:
        out.note("It has no effect while model.url names a model server: `codemoat config unset model.url`.")
    origin = found.origins["model.name"]
    if origin != str(user_file()):
        out.note(f"It has no effect here: {origin} sets model.name too, and comes first.")


def _configured() -> str:
    from assistant.config import load_config

    return load_config(None).model.name


def _row(entry: ModelEntry, here: InstalledModel | None) -> dict[str, Any]:
    row = {name: value for name, value in asdict(entry).items() if name not in ("file", "sources")}
    return row | {"installed": here is not None, "path": str(here.path) if here else None}


def _found(model: InstalledModel) -> dict[str, Any]:
    """A file in the models folder that the catalogue does not know."""
    return {
        "name": model.name,
        "licence": "unknown",
        "commercial": False,
        "verified": False,
        "size": model.size,
        "installed": True,
        "path": str(model.path),
    }
