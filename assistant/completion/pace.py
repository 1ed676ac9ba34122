"""When to ask the model, and for how much: the typist's rhythm against the machine's speed. Pure but for its clock.

Waiting a fixed time after each keystroke is wrong twice: a fast machine could have answered, and a slow typist waits
for nothing. A run that a key overtakes costs little here, since what it evaluated is kept. So a request waits only in a
burst of keys, and where the machine is so slow that nothing can be answered while somebody types.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from assistant.llm import Timings

LONGEST_WAIT = 0.3
"""Seconds that a request waits at most; a pause this long is a pause."""
_PAUSE = 1.5
"""Intervals from here on are pauses, not rhythm."""
_REMEMBERED = 16
_RHYTHM = 0.8
"""Part of the usual interval after which the next keystroke is late."""
_BURST = 0.5
"""Below this part of the usual interval two keys are a burst, and after as much of it the burst is over."""
_HOPELESS = 4.0
"""Usual intervals that an answer takes on a machine which cannot keep up with the typist."""
PATIENCE = 3.0
"""Seconds that a prompt of full length may take before less of it is asked for."""
_SHARES = (1.0, 0.7, 0.5, 0.35)
"""Parts of the prompt's budget. Few steps: each change moves the windows' edges, and what was evaluated is lost."""
_LEAST_EVALUATED = 32
"""Tokens from which an evaluation tells the machine's speed."""
_BUSY = 0.5
"""Below this part of the best speed seen the machine is busy with something else."""


class Pace:
    """What is known of typist and machine. One thread at a time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last: float | None = None
        self._intervals: deque[float] = deque(maxlen=_REMEMBERED)
        self._speeds: deque[float] = deque(maxlen=_REMEMBERED)
        self._best = 0.0
        self._answers: deque[float] = deque(maxlen=_REMEMBERED)
        self._share = 0

    def keystroke(self) -> None:
        """Something was typed now."""
        now = self._clock()
        if self._last is not None and now - self._last < _PAUSE:
            self._intervals.append(now - self._last)
        self._last = now

    def answered(self, timings: Timings) -> None:
        """The model answered at this cost."""
        self._answers.append((timings.prompt_ms + timings.generation_ms) / 1e3)
        if timings.evaluated_tokens >= _LEAST_EVALUATED and timings.prompt_ms > 0:
            self._speeds.append(timings.evaluated_tokens / timings.prompt_ms * 1e3)
            self._best = max(self._best, self._speeds[-1])

    @property
    def tokens_a_second(self) -> float | None:
        """Prompt tokens that the machine evaluates lately; None before anything was."""
        return _median(self._speeds)

    @property
    def busy(self) -> bool:
        """Whether something else takes the machine's cores: it was twice as fast before."""
        lately = _median(list(self._speeds)[-3:])
        return lately is not None and lately < _BUSY * self._best

    def wait(self) -> float:
        """Seconds to wait for a further keystroke before the model is asked.

        Nothing when answers come before the next keystroke would; in a burst until it is over; else, where answers take
        far longer than a keystroke, until the next one is late.
        """
        interval, answer = _median(self._intervals), _median(self._answers)
        if interval is None or answer is None or answer <= interval:
            return 0.0
        if answer > _HOPELESS * interval:
            rest = _RHYTHM * interval
        elif self._intervals[-1] < _BURST * interval:
            rest = _BURST * interval
        else:
            return 0.0
        since = 0.0 if self._last is None else self._clock() - self._last
        return max(0.0, min(rest, LONGEST_WAIT) - since)

    def share(self, prompt_tokens: int) -> float:
        """Part of ``prompt_tokens`` that is worth its time on this machine: less where it is slow, or busy.

        It shrinks at once and grows only when there is room to spare, so that it does not swing.
        """
        speed = _median(list(self._speeds)[-3:])
        if speed is None:
            return _SHARES[self._share]
        affordable = speed * PATIENCE / max(1, prompt_tokens)
        wanted = next((n for n, share in enumerate(_SHARES) if share <= affordable), len(_SHARES) - 1)
        if wanted > self._share or affordable >= 1.3 * _SHARES[max(0, self._share - 1)]:
            self._share = wanted if wanted > self._share else self._share - 1 if self._share else 0
        return _SHARES[self._share]


def _median(values: deque[float] | list[float]) -> float | None:
    ordered = sorted(values)
    return ordered[len(ordered) // 2] if ordered else None
