"""The server's language model: one suggester over one model, for all folders; missing, failing and coming back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.errors import ModelError, NoModelError
from indexer.errors import CodemoatError

if TYPE_CHECKING:
    from assistant.completion.completer import Completer
    from assistant.completion.request import CompletionRequest
    from assistant.completion.suggester import Suggester
    from assistant.config import Config
    from assistant.engine import Engine
    from assistant.llm import LLM
    from assistant.models import ModelEntry

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
"""Seconds without requests after a failure; doubled each time until one succeeds."""
_FIRST_NEEDED = ("assistant.completion.suggester", "indexer.secrets.masking")
"""Modules that the first key would wait for: they take some 20 to 40 ms, so they are imported while the model loads."""


class ModelRoom:
    """The model and what is asked of it. Usable from any thread; nothing is loaded before it is needed.

    ``state`` is ``unused``, ``loading``, ``ready``, ``missing`` or ``failed``; ``problem`` says why in a sentence.
    """

    def __init__(
        self,
        config: Callable[[], Config],
        completer: Callable[[CompletionRequest], Completer],
        changed: Callable[[], None],
        *,
        lost: Callable[[CodemoatError], None] | None = None,
        make_engine: Callable[[Config], Engine] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``changed`` is called, in any thread, after ``state`` changed, ``lost`` with errors nobody waited for.

        ``make_engine`` replaces the real model's.
        """
        self._config = config
        self._completer = completer
        self._changed = changed
        self._lost = lost
        self._make_engine = make_engine or _real_engine
        self._clock = clock
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._suggester: Suggester | None = None
        self._pause = 0.0
        self._not_before = 0.0
        self.state = "unused"
        self.problem = ""
        self.name = ""
        self.failures = 0

    @property
    def llm(self) -> LLM:
        """The model; its host starts with the first question. Raises NoModelError, DamagedModelError."""
        with self._lock:
            return self._opened().llm

    @property
    def suggester(self) -> Suggester:
        """What completion talks to. Raises what ``llm`` raises."""
        with self._lock:
            _ = self._opened().llm
            if self._suggester is None:
                from assistant.completion.suggester import Suggester

                self._suggester = Suggester(self._completer, failed=self._lost)
            return self._suggester

    @property
    def present(self) -> Suggester | None:
        """The suggester, if something was asked of it already."""
        return self._suggester

    @property
    def blocked(self) -> str | None:
        """Why nothing is asked of the model now: it failed a moment ago."""
        left = self._not_before - self._clock()
        return f"{self.problem} Tried again in {max(1, round(left))} s." if left > 0 else None

    def missing(self) -> ModelEntry | None:
        """What to fetch, if the configured model is in the catalogue and not on this machine."""
        with self._lock:
            return self._opened().missing_model

    def load(self, progress: Callable[[float], None] | None = None) -> None:
        """Load the model if no host has it. Raises ModelError; what happened is in ``state`` too."""
        self._enter("loading")
        for module in _FIRST_NEEDED:
            import_module(module)
        try:
            with self._lock:
                engine = self._opened()
            self.name = engine.start_model(progress).name
        except CodemoatError as exc:
            self.failed(exc)
            raise
        self.worked()

    def worked(self) -> None:
        """The model answered."""
        self._pause = self._not_before = 0.0
        self.problem = ""
        self._enter("ready")

    def failed(self, error: CodemoatError) -> bool:
        """The model did not answer; nothing is asked for a while. Whether this is news to the user."""
        news = not isinstance(error, ModelError) or self.state not in ("failed", "missing")
        self.problem = error.message
        if isinstance(error, NoModelError):
            self._enter("missing")
            return news
        self.failures += 1
        if self.state == "failed" and self.blocked is not None:
            return news  # of what was asked before: a host that dies fails all of it, and that is one failure
        self._pause = min(max(_FIRST_PAUSE, 2 * self._pause), _LONGEST_PAUSE)
        self._not_before = self._clock() + self._pause
        self._enter("failed")
        return news

    def reset(self) -> None:
        """Leave the model: its settings changed, or it was fetched. The next question starts anew."""
        with self._lock:
            suggester, self._suggester = self._suggester, None
            engine, self._engine = self._engine, None
        if suggester is not None:
            suggester.close()
        if engine is not None:
            engine.close()
        self._pause = self._not_before = 0.0
        self.problem = ""
        self._enter("unused")

    def _opened(self) -> Engine:
        """Locked."""
        if self._engine is None:
            self._engine = self._make_engine(self._config())
        return self._engine

    def _enter(self, state: str) -> None:
        if self.state != state:
            self.state = state
            self._changed()


def _real_engine(config: Config) -> Engine:
    from assistant.engine import Engine

    return Engine(config, Path.cwd())
