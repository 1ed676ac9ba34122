"""``codemoat log``: the learning log, looked at, taken along or erased."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from assistant.cli.common import Json
from assistant.cli.output import Output, size


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        help="What became of suggestions in your editor: on this disk only, if editor.learning_log is on.",
        no_args_is_help=True,
    )
    for name, function in (("show", _show), ("export", _export), ("erase", _erase)):
        group.command(name)(function)
    app.add_typer(group, name="log")


def _show(json: Json = False) -> None:
    """Count what was shown, accepted and kept, by language."""
    from assistant.config import load_config
    from assistant.learning import LearningLog, summary

    out, log = Output(as_json=json), LearningLog()
    kept, on = log.read(), load_config(None).editor.learning_log
    rows = summary(kept.events)
    if out.as_json:
        days = {"from": kept.events[0].at, "to": kept.events[-1].at} if kept.events else None
        events = {"events": len(kept.events), "damaged": kept.damaged, "days": days}
        out.data({"path": str(log.path), "on": on, **events, "languages": rows})
        return
    if not kept.events:
        way = "It is on." if on else "Switch it on: `codemoat config set editor.learning_log true`."
        out.line(f"The learning log is empty. {way}")
        return
    out.line(f"{'language':16} {'shown':>7} {'accepted':>9} {'':>6} {'kept':>6} {'':>6} {'rejected':>9}")
    for row in rows:
        out.line(
            f"{row['language']:16} {row['shown']:7} {row['accepted']:9} {_share(row['accepted_share']):>6} "
            f"{row['kept']:6} {_share(row['kept_share']):>6} {row['rejected']:9}"
        )
    if kept.damaged:
        out.note(f"{kept.damaged} lines of {log.path} are damaged and were passed over.")


def _export(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file, not to stdout.")] = None,
) -> None:
    """Write every event as a line of JSON."""
    import json

    from assistant.learning import LearningLog
    from indexer.errors import StorageError

    text = "".join(json.dumps(asdict(event)) + "\n" for event in LearningLog().read().events)
    if output is None:
        sys.stdout.write(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as exc:
        raise StorageError.from_os_error(exc, "writing the events", output) from exc


def _erase(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Delete the log."""
    from assistant.learning import LearningLog
    from indexer.errors import BadInputError, CancelledError

    out, log = Output(as_json=json), LearningLog()
    if not yes:
        answer = out.confirm(f"Delete {log.path}?")
        if answer is None:
            raise BadInputError("Nobody is there to be asked.", "Say --yes to delete the learning log.")
        if not answer:
            raise CancelledError("The learning log was kept.")
    freed = log.erase()
    if out.as_json:
        out.data({"path": str(log.path), "bytes": freed})
        return
    out.line(f"The learning log is gone ({size(freed)})." if freed else "There was no learning log.")


def _share(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.0f} %"
