"""``codemoat doctor``: check everything and name the remedies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.cli.common import Json, Root, chosen_root, engine_of
from assistant.cli.output import Output
from indexer.errors import CodemoatError

if TYPE_CHECKING:
    from pathlib import Path

    from assistant.doctor import Check

_STYLES = {"ok": "green", "warning": "yellow", "failed": "bold red"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(_doctor)


def _doctor(
    ctx: typer.Context,
    path: Root = None,
    no_model: Annotated[bool, typer.Option("--no-model", help="Do not start the model, nor ask its server.")] = False,
    json: Json = False,
) -> None:
    """Check that everything works.

    Settings, Python, packages, git, disk, index, model, completion; each finding with its remedy. Exit code 1 if one is
    broken.
    """
    out = Output(as_json=json)
    checks = []
    for check in _checks(ctx, chosen_root(path), start_model=not no_model):
        checks.append(check)
        if not out.as_json:
            out.line((f"{check.status:<8} ", _STYLES[check.status]), (f"{check.name}: ", "bold"), check.detail)
            if check.remedy:
                out.line(f"         {check.remedy}")
    broken = any(check.status == "failed" for check in checks)
    if out.as_json:
        out.data({"ok": not broken, "checks": [asdict(check) for check in checks]})
    if broken:
        raise typer.Exit(1)


def _checks(ctx: typer.Context, root: Path, *, start_model: bool) -> Iterator[Check]:
    from assistant.config import Config, load_config
    from assistant.doctor import Check, examine, failed

    config = Config()
    try:
        config = load_config(root)
        yield Check("settings", "ok", "All settings files and variables are right.")
    except CodemoatError as exc:
        # The other checks are still worth doing, with the defaults.
        yield failed("settings", exc)
    with engine_of(ctx, config, root) as engine:
        yield from examine(engine, start_model=start_model)
