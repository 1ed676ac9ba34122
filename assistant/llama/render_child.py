"""Renders the chat template of a model file, in a process that may be killed.

``python -m assistant.llama.render_child`` is run by ``sandbox``. It reads one JSON object from standard input,
``{"template", "bos", "eos", "conversations"}``; a conversation is a list of ``[role, content]``. It writes a line of
JSON for each, in order, as soon as it is rendered: ``{"text"}``, ``{"refused"}`` if the template calls
``raise_exception``, or ``{"fault"}``. The limits of time and memory are set here, before anything of the template is
read; ``sandbox`` watches from outside.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

CPU_SECONDS = 5
"""Processor time for all conversations of a run; real templates take milliseconds."""
MEMORY_BYTES = 512 << 20
"""Address space of the process; an interpreter with Jinja has some 60 MB."""
MOST_CHARACTERS = 200_000
"""Of a rendered conversation, without its messages; real ones have some thousands."""
_MESSAGE_CHARACTERS = 200

_Conversation = Sequence[tuple[str, str]]


class RefusedError(Exception):
    """The template does not take this conversation, and says why."""


def main() -> int:
    """Render what standard input asks for; the exit status is 0 even if the template fails."""
    _limit()
    job = json.load(sys.stdin)
    render: Callable[[_Conversation], str] | None = None
    fault = ""
    try:
        render = _compiled(job["template"], job["bos"], job["eos"])
    except Exception as exc:  # noqa: BLE001 - a template may raise anything, at every stage
        fault = _described(exc)
    for conversation in job["conversations"]:
        answer = {"fault": fault} if render is None else _answer(render, conversation)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    return 0


def _limit() -> None:
    """Where the system has such limits: processor time, memory, no core file (it would hold the template only)."""
    with suppress(ImportError):
        import resource

        for kind, limit in (("CPU", CPU_SECONDS), ("AS", MEMORY_BYTES), ("CORE", 0), ("FSIZE", 0)):
            with suppress(AttributeError, ValueError, OSError):
                resource.setrlimit(getattr(resource, f"RLIMIT_{kind}"), (limit, limit))


def _compiled(template: str, bos: str, eos: str) -> Callable[[_Conversation], str]:
    """The template as a function of a conversation; environment as Hugging Face's ``apply_chat_template`` has it."""
    from jinja2.ext import loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
    compiled = environment.from_string(template)

    def render(conversation: _Conversation) -> str:
        values: dict[str, Any] = {
            "messages": [{"role": role, "content": content} for role, content in conversation],
            "add_generation_prompt": True,
            "bos_token": bos,
            "eos_token": eos,
            "raise_exception": _refuse,
            "strftime_now": lambda form: datetime.now().strftime(form),
        }
        pieces, characters = [], 0
        for piece in compiled.generate(values):
            pieces.append(piece)
            characters += len(piece)
            if characters > MOST_CHARACTERS:
                raise ValueError(f"it renders more than {MOST_CHARACTERS:,} characters")
        return "".join(pieces)

    return render


def _answer(render: Callable[[_Conversation], str], conversation: _Conversation) -> dict[str, str]:
    try:
        return {"text": render(conversation)}
    except RefusedError as exc:
        return {"refused": _shown(str(exc)) or "no reason given"}
    except Exception as exc:  # noqa: BLE001 - see main
        return {"fault": _described(exc)}


def _refuse(message: object = "") -> None:
    """What templates call to refuse a conversation."""
    raise RefusedError(str(message))


def _described(error: Exception) -> str:
    reason = _shown(str(error))
    return f"{type(error).__name__}: {reason}" if reason else type(error).__name__


def _shown(text: str) -> str:
    return " ".join(text.split())[:_MESSAGE_CHARACTERS].rstrip(".")


if __name__ == "__main__":
    sys.exit(main())
