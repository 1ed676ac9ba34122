"""The language server over a model that answers from a script: for the soak, which is about the server."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from assistant.config import Config
from assistant.engine import Engine
from assistant.llm import Cancel, Delta, FillRequest, Finished, Generated, Message, ModelInfo, Sampling, Timings
from lsp.__main__ import few_arenas, serve_stdio
from lsp.server import Server


class ScriptedLLM:
    """Completes with the next of a few texts; a token is four characters."""

    def __init__(self) -> None:
        self._texts = itertools.cycle(["compute(first, second)", "1", "", "for each in values:", "return None"])
        self.info = ModelInfo("scripted", 8192, fim=True, chat=False, fim_layout="spm")

    def count(self, texts: Sequence[str]) -> list[int]:
        """As many as there are four characters."""
        return [len(text) // 4 + 1 for text in texts]

    def count_chat(self, messages: Sequence[Message]) -> int:
        """Of all messages."""
        return sum(self.count([message.content for message in messages]))

    def count_fill(self, request: FillRequest) -> int:
        """Of both sides of the hole."""
        return sum(self.count([request.prefix, request.suffix]))

    def chat(
        self, messages: Sequence[Message], sampling: Sampling, cancel: Cancel | None = None
    ) -> Iterator[Generated]:
        """Nothing: nobody chats here."""
        yield Finished("stop")

    def fill(self, request: FillRequest, sampling: Sampling, cancel: Cancel | None = None) -> Iterator[Generated]:
        """The next text of the script."""
        text = next(self._texts) if sampling.max_tokens else ""
        for start in range(0, len(text), 4):
            if cancel is not None and cancel.cancelled:
                break
            yield Delta(text[start : start + 4])
        yield Finished("stop", Timings(self.count_fill(request), 2, len(text) // 4, 1.0, 1.0))

    def close(self) -> None:
        """Nothing to close."""


def main() -> None:
    """Serve standard input and output."""
    few_arenas()

    async def serve() -> int:
        server = Server(make_engine=_engine)
        await serve_stdio(server, b"", answered=False)
        return server.exit_code

    os._exit(asyncio.run(serve()))


def _engine(config: Config) -> Engine:
    return Engine(config, Path("/"), llm=ScriptedLLM())


if __name__ == "__main__":
    main()
