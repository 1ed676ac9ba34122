"""Stopping a generation for a reason of one's own."""

from __future__ import annotations

from assistant.llm import Cancel


class OwnStop(Cancel):
    """Cancelled when ``outer`` is, or by its holder without touching ``outer``, which belongs to the asker."""

    def __init__(self, outer: Cancel | None = None) -> None:
        super().__init__()
        self._outer = outer

    @property
    def cancelled(self) -> bool:
        """Whether the work should stop, for either reason."""
        return super().cancelled or (self._outer is not None and self._outer.cancelled)

    @property
    def asked(self) -> bool:
        """Whether the asker wants it to stop."""
        return self._outer is not None and self._outer.cancelled
