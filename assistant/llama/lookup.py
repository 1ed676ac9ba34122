"""Prompt lookup: guessing the next tokens from where the last ones stood before, for the model to check in one step.

Code repeats itself: a name is used again, a call is written like the one above. One step over several tokens costs
little more than a step over one, because weights are read once; and a guess that the model would not have made is
dropped, so the text is the same. The method is speculative decoding with the prompt as the draft model (Saxena, 2023,
"Prompt lookup decoding").
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistant.llama.context import Context
    from assistant.llama.sampler import Sampler

LONGEST = 3
"""Tokens that are looked for; then one fewer."""
SHORTEST = 2


class Lookup:
    """Guesses from ``prompt`` and what was generated since. ``most``: tokens of a guess; 0 never guesses.

    A guess is as long as guesses lately held: it grows when one held whole and shrinks when one did not.
    """

    def __init__(self, prompt: Sequence[int], most: int) -> None:
        self._most = most
        self._length = most
        self._tokens = list(prompt) if most else []
        self._places: dict[tuple[int, ...], int] = {}
        """Where a run of tokens ended last."""
        for end in range(SHORTEST, len(self._tokens)):
            self._note(end)

    def add(self, token: int) -> None:
        """A token was generated."""
        if self._most:
            self._note(len(self._tokens))
            self._tokens.append(token)

    def guess(self) -> list[int]:
        """What probably comes next; empty where the last tokens are new."""
        if not self._length:
            return []
        for size in range(LONGEST, SHORTEST - 1, -1):
            at = self._places.get(tuple(self._tokens[-size:]))
            if at is not None:
                return self._tokens[at : at + self._length]
        return []

    def held(self, guessed: int, right: int) -> None:
        """Of ``guessed`` tokens the first ``right`` were the model's own."""
        if right == guessed:
            self._length = min(self._most, 2 * guessed)
        else:
            self._length = max(1, right)

    def _note(self, end: int) -> None:
        """The tokens that end before ``end`` have a successor there."""
        for size in range(SHORTEST, min(LONGEST, end) + 1):
            self._places[tuple(self._tokens[end - size : end])] = end


class Decoding:
    """The model's tokens one after the other, several evaluated in one step where a guess holds.

    ``extend`` evaluates tokens and says how many it did, as ``Context.extend``.
    """

    def __init__(self, context: Context, sampler: Sampler, extend: Callable[[list[int]], int], lookup: Lookup) -> None:
        self._context, self._sampler, self._extend, self._lookup = context, sampler, extend, lookup
        self._guess: list[int] = []
        """Evaluated behind the last accepted token on the chance that the model says the same."""
        self._right = 0
        """How many of them it did say."""

    def sample(self) -> int:
        """The model's next token."""
        return self._sampler.sample(self._right - len(self._guess) - 1)

    def accept(self, token: int, *, guess: bool = True) -> bool:
        """Make the context hold ``token``; False if that was cancelled. ``guess``: with what may come after it."""
        self._lookup.add(token)
        if self._right < len(self._guess) and token == self._guess[self._right]:
            self._right += 1
            return True
        self.finish()
        tokens = [token, *self._lookup.guess()] if guess else [token]
        taken = self._extend(tokens)
        self._guess = tokens[1:taken]
        return taken > 0

    def finish(self) -> None:
        """Drop what was guessed and not said."""
        if self._guess:
            self._lookup.held(len(self._guess), self._right)
            if self._right < len(self._guess):
                self._context.retract(len(self._guess) - self._right)
            self._guess, self._right = [], 0
