"""Chat templates of model files, rendered where they can do no harm.

A template is a program that came with a download. Jinja's sandbox keeps it from Python's objects, but not from
``{% for i in range(100000) %}`` within another, ``'a' * 10 ** 10``, ``x.replace('a', x)`` in a loop or
``'%9999999999d' % 1``; no list of forbidden operations is complete, and a thread cannot be killed. So a template is
rendered in a process of its own (``render_child``) with a limit of processor time and of memory, which is killed after
``WALL_SECONDS`` in any case. Where the system has no such limits (Windows; memory on macOS), that time alone ends it.

A template is at fault only if the process says so or ends by one of these limits. A process that does not start, or is
killed by something else, tells nothing about the template: that is an error of this one call.

A process costs a fifth of a second. Few are needed: contents are put in later, so what a template makes depends on the
roles alone, and one process also renders the turns that come next.
"""

from __future__ import annotations

import json
import re
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from assistant.errors import HostError
from assistant.llama.render_child import READY

MOST_TEMPLATE = 262_144
"""Characters of a template; the longest known ones have some 20,000."""
WALL_SECONDS = 60.0
"""For rendering; processor time ends it earlier, even on a machine that is busy."""
START_SECONDS = 60.0
"""For the interpreter and Jinja to load."""
_LEAVE_SECONDS = 5.0
"""For a process to end by itself, or once it is killed."""
_FROM_OUTSIDE = frozenset({"SIGHUP", "SIGINT", "SIGKILL", "SIGTERM"})
"""Signals that nothing of a template causes: the system is out of memory (SIGKILL), or somebody ends the process."""
_MOST_BYTES = 4 << 20
"""Most that is read from a process."""
_AHEAD = 8
"""Turns that are rendered with the one asked for."""
_MOST_KEPT = 256
_TOO_MUCH = "it takes too much time or memory"
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
    """One template. Threads may share it; a template that is at fault is not run again."""

    def __init__(self, template: str, bos_text: str, eos_text: str) -> None:
        self._template = template
        self._texts = (bos_text, eos_text)
        self._marker = f"[{secrets.token_hex(12)}:%d]"  # unguessable, so that no text of the template imitates it
        self._known: dict[tuple[date, tuple[str, ...]], Rendered] = {}
        self._fault = f"it has more than {MOST_TEMPLATE:,} characters" if len(template) > MOST_TEMPLATE else ""
        self._lock = threading.Lock()

    def render(self, *conversations: Sequence[str]) -> Rendered:
        """The template's text around messages of these roles; of several conversations, around those of the first.

        The others are rendered in the same process, and a fault in any of them is the template's. Raises HostError if
        that process could not do its work; nothing of it is kept, and the next call starts another one.
        """
        wanted = [tuple(roles) for roles in conversations]
        today = date.today()  # templates may write it
        with self._lock:
            if not self._fault and any((today, roles) not in self._known for roles in wanted):
                self._run(today, wanted)
            return Rendered(fault=self._fault) if self._fault else self._known[today, wanted[0]]

    def _run(self, today: date, wanted: Sequence[tuple[str, ...]]) -> None:
        """Render the conversations and the turns that probably come next; keep what succeeds."""
        batch = list(wanted)
        for roles in wanted:
            for _ in range(_AHEAD if roles and roles[-1] == "user" else 0):
                roles = (*roles, "assistant", "user")
                batch.append(roles)
        found = self._asked(batch, len(wanted))
        fault = next((rendered.fault for rendered in found[: len(wanted)] if rendered.fault), "")
        if fault or len(found) < len(wanted):
            self._fault = fault or _TOO_MUCH
            return
        for roles, rendered in zip(batch, found, strict=False):
            if not rendered.fault:
                self._known.pop((today, roles), None)  # the latest are kept
                self._known[today, roles] = rendered
        while len(self._known) > _MOST_KEPT:
            del self._known[next(iter(self._known))]

    def _asked(self, batch: Sequence[tuple[str, ...]], needed: int) -> list[Rendered]:
        """What the process answers for each conversation, as far as it comes. Raises HostError as ``render`` does."""
        bos, eos = self._texts
        conversations = [[(role, self._marker % i) for i, role in enumerate(roles)] for roles in batch]
        job = {"template": self._template, "bos": bos, "eos": eos, "conversations": conversations}
        lines, at_fault = _answers(json.dumps(job).encode())
        if len(lines) < needed and not at_fault:
            raise HostError(
                "The chat template could not be rendered: the process for it failed.",
                "Ask again; if it fails again, free memory, or install codemoat again.",
            )
        return [self._read(line, len(roles)) for line, roles in zip(lines, batch, strict=False)]

    def _read(self, line: bytes, messages: int) -> Rendered:
        try:
            answer = json.loads(line)
        except ValueError:
            return Rendered(fault=_TOO_MUCH)
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


def _answers(job: bytes) -> tuple[list[bytes], bool]:
    """The whole lines that a process writes, and whether the template is to blame where some are missing."""
    # -P: never import from the current directory, which may be a repository that nobody has read yet.
    command = [sys.executable, "-P", "-m", "assistant.llama.render_child"]
    pipe = subprocess.PIPE
    try:
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)
    except OSError:
        return [], False
    talk = _Talk(process, job)
    ended = False
    try:
        with suppress(RuntimeError):  # no thread can be started
            talk.start()
            talk.began.wait(START_SECONDS)
            if talk.ready:
                talk.join(WALL_SECONDS)
            ended = not talk.is_alive()
    finally:
        if not ended:
            process.kill()
        status = _reap(process)
    if talk.ready:
        talk.join(_LEAVE_SECONDS)
    at_fault = talk.ready and (not ended or (status is not None and not _from_outside(status)))
    return talk.output.split(b"\n")[:-1], at_fault


class _Talk(threading.Thread):
    """Writes a job to a process and reads what it answers. A thread, so that waiting for the process has an end."""

    def __init__(self, process: subprocess.Popen[bytes], job: bytes) -> None:
        super().__init__(name="codemoat-template", daemon=True)
        self._process = process
        self._job = job
        self.began = threading.Event()
        """The process is ready, or has ended before."""
        self.ready = False
        self.output = b""

    def run(self) -> None:
        """Ends with the process."""
        assert self._process.stdin is not None and self._process.stdout is not None
        with suppress(OSError), self._process.stdout as stdout:
            try:
                with suppress(OSError), self._process.stdin as stdin:  # it died; what it wrote before counts
                    stdin.write(self._job)
                self.ready = stdout.readline(len(READY)) == READY
            finally:
                self.began.set()
            if self.ready:
                self.output = stdout.read(_MOST_BYTES)


def _reap(process: subprocess.Popen[bytes]) -> int | None:
    """Exit status of a process that is leaving; one that does not is killed. None if even that does not end it."""
    for _ in range(2):
        with suppress(subprocess.TimeoutExpired):
            return process.wait(_LEAVE_SECONDS)
        process.kill()
    return None


def _from_outside(status: int) -> bool:
    """Whether a process was ended by a signal that has nothing to do with what it did."""
    return status < 0 and signal.Signals(-status).name in _FROM_OUTSIDE
