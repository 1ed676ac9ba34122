"""``python -m tests.leak_server``: the language server, its log and its standard error in files; for ``leak_world``.

``LEAK_MODEL=echo`` gives it a model that repeats what it is shown, the worst that a model can do.
"""

from __future__ import annotations

import os
import resource
import sys
import threading
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import lsp.server
from assistant.engine import Engine
from assistant.llm import Cancel, FillRequest, Generated, Message, Sampling
from lsp.__main__ import main
from tests.fakes import FakeLLM
from tests.leak_world import FAILS


def fail(text: str) -> None:
    """Fail as a library may: with a message that quotes what it was given."""
    raise ValueError(text)


class EchoLLM(FakeLLM):
    """Answers with the prompt, and completes with a line of the document that holds a secret."""

    def chat(
        self, messages: Sequence[Message], sampling: Sampling, cancel: Cancel | None = None
    ) -> Iterator[Generated]:
        said = messages[-1].content
        if FAILS in said:
            threading.Thread(target=fail, args=(said,)).start()
            fail(said)
        self.script = [said]
        return super().chat(messages, sampling, cancel)

    def fill(self, request: FillRequest, sampling: Sampling, cancel: Cancel | None = None) -> Iterator[Generated]:
        text = request.prefix + request.suffix
        secret = next((line for line in text.split("\n") if "API_KEY" in line), text)
        self.script = [secret if "\n" in sampling.stop else f"first = 1\n{text}"]
        return super().fill(request, sampling, cancel)


if __name__ == "__main__":
    os.dup2(os.open(os.environ["LEAK_STDERR"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), 2)
    most = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (most, most))
    if os.environ.get("LEAK_MODEL") == "echo":
        echo = EchoLLM()
        lsp.server.Server = partial(  # type: ignore[misc,assignment]
            lsp.server.Server, make_engine=lambda config: Engine(config, Path.cwd(), llm=echo)
        )
    sys.exit(main(["--log", os.environ["LEAK_LOG"]]))
