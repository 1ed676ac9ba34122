"""Is everything in place? One check a thing that can be missing or broken, each with its remedy."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from indexer.errors import CodemoatError, NoIndexError
from indexer.location import cache_dir, data_dir

if TYPE_CHECKING:
    from assistant.engine import Engine

_LOW_DISK_BYTES = 1_000_000_000
_HOLES = (
    ("add.py", "def add(first, second):\n    return first", " second\n", "+"),
    ("count.py", "for number in range(10):\n    print(", ")\n", "number"),
    ("point.py", "class Point:\n    def __init__(self, x, y):\n        self.x = x\n        self.y =", "\n", "y"),
)
"""(path, before, after, what every code model writes there)"""
_ORDERS = {
    "spm": "text before the cursor last",
    "psm": "text after the cursor last",
    "server": "the server's own format",
    "chat": "asked for by chat, for it has no fill-in-the-middle format",
}


Status = Literal["ok", "warning", "failed"]


@dataclass(frozen=True, slots=True)
class Check:
    """A finding. ``ok``: as it should be; ``warning``: works, but less well; ``failed``: something will not work."""

    name: str
    status: Status
    detail: str
    remedy: str = ""


def examine(engine: Engine, *, start_model: bool = True) -> Iterator[Check]:
    """All checks, cheap ones first. ``start_model``: also start the model, or ask its server, and let it fill holes."""
    yield _python()
    yield _packages()
    yield _git()
    yield _folder("cache folder", cache_dir(), "CODEMOAT_CACHE_DIR")
    yield _folder("data folder", data_dir(), "CODEMOAT_DATA_DIR")
    yield _index(engine)
    model = _model(engine)
    yield model
    if start_model and model.status != "failed":
        host = _host(engine)
        yield host
        if host.status == "ok":
            yield _fill(engine)


def failed(name: str, error: CodemoatError) -> Check:
    """A check that ended with ``error``."""
    return Check(name, "failed", error.message, error.hint)


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    return Check("python", "ok", f"Python {version} ({sys.executable})")


def _packages() -> Check:
    import re
    from importlib.metadata import PackageNotFoundError, requires, version

    missing, present = [], 0
    try:
        needed = [r for r in requires("codemoat") or () if "extra ==" not in r]
    except PackageNotFoundError:
        return Check("packages", "warning", "codemoat runs from a folder, not installed.", "Run `pip install -e .`.")
    for requirement in needed:
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        try:
            version(name)
            present += 1
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        return Check("packages", "failed", f"Missing: {', '.join(missing)}.", f"pip install {' '.join(missing)}")
    return Check("packages", "ok", f"All {present} required packages are installed.")


def _git() -> Check:
    path = shutil.which("git")
    if path is None:
        return Check("git", "warning", "git is not on the PATH.", "Install git: it knows best which files count.")
    return Check("git", "ok", path)


def _folder(name: str, folder: Path, variable: str) -> Check:
    existing = next(p for p in (folder, *folder.parents) if p.exists())
    if not os.access(existing, os.W_OK | os.X_OK):
        return Check(name, "failed", f"{folder} cannot be written.", f"Set {variable} to a folder that you may write.")
    free = shutil.disk_usage(existing).free
    if free < _LOW_DISK_BYTES:
        return Check(name, "warning", f"{folder}: only {free // 1_000_000} MB free.", "Free some space.")
    return Check(name, "ok", f"{folder} ({free / 1e9:.0f} GB free)")


def _index(engine: Engine) -> Check:
    try:
        status = engine.index.status()
        engine.index.verify()
    except NoIndexError as exc:
        return Check(
            "index", "warning", exc.message, "Run `codemoat index`; `search` and `ask` do it by themselves too."
        )
    except CodemoatError as exc:
        return failed("index", exc)
    detail = f"{status.files} files, {status.chunks} chunks, generation {status.generation} in {status.index_path}"
    if status.stale:
        return Check("index", "warning", f"{detail}; files changed since.", "Run `codemoat index`.")
    return Check("index", "ok", detail)


def _model(engine: Engine) -> Check:
    name, endpoint = engine.config.model.name, engine.config.model.endpoint
    if endpoint is not None:
        status: Status = "ok" if endpoint.is_local else "warning"
        remedy = "" if endpoint.is_local else "`codemoat config unset model.url` goes back to a model on this machine."
        return Check("model", status, endpoint.notice, remedy)
    try:
        engine.llm  # noqa: B018  # finds the file and checks its size
        return Check("model", "ok", f"{name} is there and of the right size{_tuning(name)}.")
    except CodemoatError as exc:
        return failed("model", exc)


def _tuning(name: str) -> str:
    """Whether it runs the way that was found fastest here; nothing for a model that is no file on this machine."""
    from assistant.models import resolve
    from assistant.models.tuned import tuned_for

    try:
        found = tuned_for(resolve(name))
    except CodemoatError:
        return ""
    if found is None:
        return "; `codemoat models tune` finds the fastest way to run it here"
    return ", and runs the way that was found fastest here"


def _host(engine: Engine) -> Check:
    """Whether the model loads and answers at all."""
    from assistant.llm import Answered, Delta, FillRequest, Message, Sampling

    name = "model server" if engine.config.model.url else "model host"
    began = time.monotonic()
    try:
        llm = engine.llm
        info = llm.info
        if info.fim:
            path, before, after, _ = _HOLES[0]
            stream: Iterator[Answered] = llm.fill(FillRequest(path, before, after), Sampling(max_tokens=4))
        else:
            stream = llm.chat([Message("user", "Say yes.")], Sampling(max_tokens=4))
        text = "".join(piece.text for piece in stream if isinstance(piece, Delta))
    except CodemoatError as exc:
        return failed(name, exc)
    seconds = time.monotonic() - began
    if not text:
        return Check(name, "failed", f"{info.name} answered nothing.", "Run `codemoat models verify`.")
    what = "filled a hole" if info.fim else "answered"
    return Check(name, "ok", f"{info.name} {what} in {seconds:.1f} s (loading included).")


def _fill(engine: Engine) -> Check:
    """Whether completion can work: holes with one right answer, in the format that was found for the model."""
    from assistant.llama.fim import may_leak
    from assistant.llm import Delta, FillRequest, Sampling

    remedy = "Choose a code model, e.g. `codemoat models use qwen2.5-coder-0.5b`."
    right, leak = 0, ""
    try:
        llm = engine.llm
        info = llm.info
        if not info.fim:
            return Check("fill", "warning", f"{info.name} cannot complete code, only answer.", remedy)
        for path, before, after, answer in _HOLES:
            request = FillRequest(path, before, after)
            stream = llm.fill(request, Sampling(max_tokens=8, stop=("\n",)))
            text = "".join(piece.text for piece in stream if isinstance(piece, Delta))
            right += text.strip().startswith(answer)
            leak = leak or next((token for token in may_leak(request) if token in text), "")
    except CodemoatError as exc:
        return failed("fill", exc)
    detail = f"{right} of {len(_HOLES)} holes filled right; {_ORDERS.get(info.fim_layout, info.fim_layout)}."
    if leak:
        detail = (
            f"The special token {leak} leaks into the text: the model's format is not the one that was found. {detail}"
        )
        return Check("fill", "failed", detail, f"The model's file may be mislabelled: fetch another one. {remedy}")
    if right == len(_HOLES):
        return Check("fill", "ok", detail)
    return Check("fill", "warning" if right else "failed", detail, remedy)
