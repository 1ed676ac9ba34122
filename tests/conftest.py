"""What holds for all tests."""

from __future__ import annotations

import signal

from hypothesis import settings

# A test says the same of the same code, on a slow machine too. `pytest --hypothesis-profile=default` tries new values.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")


def pytest_configure() -> None:
    """Ctrl-C means something, here and in all child processes, even where a shell started pytest in the background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
