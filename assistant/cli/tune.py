"""``codemoat models tune``: the fastest way to run a model on this machine, measured once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant.cli.common import Json
from assistant.cli.output import Output, size

if TYPE_CHECKING:
    from assistant.llama.tuning import Tried, Tuning
    from assistant.models.tuned import Tuned


def tune(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Without it, the configured model.")] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Go back to the model as it came; deletes the copy.")] = False,
    json: Json = False,
) -> None:
    """Measure how this machine runs a model best, and do so from then on.

    Takes some minutes, and half a gigabyte of disk if a faster copy of the model pays. Nothing else should run then.
    """
    from assistant.config import load_config
    from assistant.models import resolve, tuned

    out = Output(as_json=json)
    chosen = name or load_config(None).model.name
    path = resolve(chosen).resolve()
    if undo:
        freed = tuned.forget(path)
        if out.as_json:
            out.data({"name": chosen, "undone": freed is not None, "bytes": freed or 0})
        elif freed is None:
            out.line(f"{chosen} was not tuned on this machine.")
        else:
            out.line(f"{chosen} runs as it came again; {size(freed)} are free again.")
        return
    found, kept = _tuned(path, out)
    if out.as_json:
        out.data({"name": chosen, **_object(found, kept)})
        return
    _explain(out, chosen, found, kept)


def _tuned(path: Path, out: Output) -> tuple[Tuning, Tuned]:
    """Measure and remember; copies that do not pay are deleted."""
    from assistant.llama.measure import measure, quality
    from assistant.llama.native import requantise
    from assistant.llama.threads import usable_cores
    from assistant.llama.tuning import tune
    from assistant.models import tuned

    out.note("Measuring takes some minutes; close what else keeps the machine busy.")
    sha256 = tuned.file_sha256(path)
    made: list[Path] = []

    def copied(source: Path, form: str) -> Path:
        target = tuned.copy_path(source, sha256, form)
        if not target.exists():
            out.note(f"Making a copy in {form} …")
            requantise(source, target, form)
        made.append(target)
        return target

    try:
        found = tune(path, usable_cores(), measure, quality, copied, lambda tried: _progress(out, tried))
    except BaseException:
        for copy in made:
            copy.unlink(missing_ok=True)
        raise
    best = Path(found.best.setup.path)
    for copy in made:
        if copy != best:
            copy.unlink(missing_ok=True)
    stat = path.stat()
    kept = tuned.Tuned(
        source=str(path),
        size=stat.st_size,
        mtime_ns=stat.st_mtime_ns,
        sha256=sha256,
        cpu=tuned.cpu(),
        file="" if best == path else best.name,
        threads=found.best.setup.threads,
        flash_attention=found.best.setup.flash_attention,
        micro_batch=found.best.setup.micro_batch,
        draft_tokens=found.best.setup.draft_tokens,
        prompt_before=round(found.before.speed.prompt, 1),
        prompt=round(found.best.speed.prompt, 1),
        generation_before=round(found.before.speed.generation, 1),
        generation=round(found.best.speed.generation, 1),
        loss=round(next((q.loss for q in found.quantised if q.tried.setup.path == str(best)), 0.0), 4),
        date=tuned.today(),
    )
    tuned.remember(kept)
    return found, kept


def _progress(out: Output, tried: Tried) -> None:
    setup, speed = tried.setup, tried.speed
    flash = "flash attention" if setup.flash_attention else "no flash attention"
    out.note(
        f"{Path(setup.path).name}, {setup.threads} threads, {flash}, steps of {setup.micro_batch}, "
        f"{setup.draft_tokens or 'no'} tokens guessed: "
        f"{speed.prompt:.0f} tokens a second of prompt, {speed.generation:.1f} of answer"
    )


def _explain(out: Output, name: str, found: Tuning, kept: Tuned) -> None:
    prompt, generation = kept.prompt / kept.prompt_before, kept.generation / kept.generation_before
    out.line(
        f"{name} now reads {kept.prompt:.0f} tokens a second instead of {kept.prompt_before:.0f} ({prompt:.2f} ×) and "
        f"writes {kept.generation:.1f} instead of {kept.generation_before:.1f} ({generation:.2f} ×)."
    )
    for one in found.quantised:
        verdict = "kept" if one.kept else "not worth keeping"
        out.line(
            f"  copy in {one.format}: {verdict}; the fixed holes' text became {one.loss:+.3f} nats a token less likely "
            f"(at most {one.loss_at_most:+.3f})"
        )
    out.line(
        f"  {kept.threads} threads, flash attention {'on' if kept.flash_attention else 'off'}, steps of "
        f"{kept.micro_batch} tokens, {kept.draft_tokens or 'none'} guessed ahead; "
        "`codemoat models tune --undo` goes back."
    )


def _object(found: Tuning, kept: Tuned) -> dict[str, Any]:
    from dataclasses import asdict

    return {"tuned": asdict(kept), "quantised": [asdict(one) for one in found.quantised]}
