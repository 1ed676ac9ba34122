"""Chat templates of model files, rendered where they can do no harm.

A template is a program that came with a download. Jinja's sandbox keeps it from Python's objects, but not from
``{% for i in range(100000) %}`` within another, ``'a' * 10 ** 10``, ``x.replace('a', x)`` in a loop or
``'%9999999999d' % 1``; no list of forbidden operations is complete, and a thread cannot be killed. So a template is
rendered in a process of its own (``render_child``) with a limit of processor time and of memory, which is killed after
``WALL_SECONDS`` in any case. Where the system has no such limits (Windows; memory on macOS), that time alone ends it.

A process costs a fifth of a second. Few are needed: contents are put in later, so what a template makes depends on the
roles alone, and one process also renders the turns that come next.
"""

from __future__ import annotations

import json
import re
import secrets
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

MOST_TEMPLATE = 262_144
"""Characters of a template; the longest known ones have some 20,000."""
WALL_SECONDS = 60.0
"""Longest life of a process; processor time ends it earlier, even on a machine that is busy."""
_MOST_BYTES = 4 << 20
"""Most that is read from a process."""
_AHEAD = 8
"""Turns that are rendered with the one asked for."""
_MOST_KEPT = 256
_MOST_REPEATS = 4
"""How often a template may use each message; nearly all use it once."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a template makes of some roles: its own text, and at odd places the number of a message.

    ``refusal`` and ``fault`` say why there is nothing: the template does not take these roles, or it fails.
    """

    pieces: tuple[str | int, ...] = ()
    refusal: str = ""
    fault: str = ""


class Sandbox:
    """One template. Threads may share it; a template that failed is not run again."""

    def __init__(self, template: str, bos_text: str, eos_text: str) -> None:
        self._template = template
        self._texts = (bos_text, eos_text)
        self._marker = f"[{secrets.token_hex(12)}:%d]"  # unguessable, so that no text of the template imitates it
        self._known: dict[tuple[date, tuple[str, ...]], Rendered] = {}
        self._fault = f"it has more than {MOST_TEMPLATE:,} characters" if len(template) > MOST_TEMPLATE else ""
        self._lock = threading.Lock()

    def render(self, roles: Sequence[str]) -> Rendered:
        """The template's text around messages of these roles. Raises nothing."""
        wanted = tuple(roles)
        today = date.today()  # templates may write it
        with self._lock:
            if self._fault:
                return Rendered(fault=self._fault)
            if (today, wanted) not in self._known:
                self._run(today, wanted)
            return self._known.get((today, wanted), Rendered(fault=self._fault))

    def _run(self, today: date, wanted: tuple[str, ...]) -> None:
        """Render the roles and the turns that probably come next; keep what succeeds."""
        batch = [wanted]
        while len(batch) <= _AHEAD and wanted and wanted[-1] == "user":
            batch.append((*batch[-1], "assistant", "user"))
        found = self._asked(batch)
        if not found or found[0].fault:
            self._fault = found[0].fault if found else "it takes too much time or memory"
            return
        for roles, rendered in zip(batch, found, strict=False):
            if not rendered.fault:
                self._known[today, roles] = rendered
        while len(self._known) > _MOST_KEPT:
            del self._known[next(iter(self._known))]

    def _asked(self, batch: Sequence[tuple[str, ...]]) -> list[Rendered]:
        """What the process answers for each conversation, as far as it comes."""
        bos, eos = self._texts
        conversations = [[(role, self._marker % i) for i, role in enumerate(roles)] for roles in batch]
        job = {"template": self._template, "bos": bos, "eos": eos, "conversations": conversations}
        lines = _answers(json.dumps(job).encode())
        return [self._read(line, len(roles)) for line, roles in zip(lines, batch, strict=False)]

    def _read(self, line: bytes, messages: int) -> Rendered:
        try:
            answer = json.loads(line)
        except ValueError:
            return Rendered(fault="it takes too much time or memory")
        if "text" not in answer:
            refusal = answer.get("refused", "")
            return Rendered(refusal=refusal, fault="" if refusal else answer.get("fault", "no reason given"))
        parts = re.split(re.escape(self._marker).replace("%d", r"(\d{1,9})"), answer["text"])
        pieces = tuple(int(part) if i % 2 else part for i, part in enumerate(parts))
        numbers = pieces[1::2]
        if any(int(number) >= messages for number in numbers) or len(numbers) > _MOST_REPEATS * messages:
            return Rendered(fault="it repeats or invents messages")
        return Rendered(pieces)


@lru_cache(maxsize=8)
def sandbox_of(template: str, bos_text: str, eos_text: str) -> Sandbox:
    """The sandbox of a template: one, however often its model is opened in this process."""
    return Sandbox(template, bos_text, eos_text)


def _answers(job: bytes) -> list[bytes]:
    """The whole lines that a process writes before it ends or is killed."""
    # -P: never import from the current directory, which may be a repository that nobody has read yet.
    command = [sys.executable, "-P", "-m", "assistant.llama.render_child"]
    pipe = subprocess.PIPE
    try:
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)
    except OSError:
        return []
    killer = threading.Timer(WALL_SECONDS, process.kill)
    killer.daemon = True
    killer.start()
    assert process.stdin is not None and process.stdout is not None
    try:
        try:
            process.stdin.write(job)
            process.stdin.close()
        except BrokenPipeError:  # it died; what it wrote before counts
            pass
        output = process.stdout.read(_MOST_BYTES)
    finally:
        killer.cancel()
        process.kill()
        process.wait()
        process.stdout.close()
    return output.split(b"\n")[:-1]
