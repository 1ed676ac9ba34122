"""Loading the model makes the server ready for the first key."""

from __future__ import annotations

import subprocess
import sys

FIRST_KEY = """
import sys
from assistant.config import Config
from lsp.model import ModelRoom

class Engine:
    class llm:
        name = "a model"

    def start_model(self, progress):
        return self.llm

room = ModelRoom(Config, lambda request: None, lambda: None, make_engine=lambda config: Engine())
room.load()
before = set(sys.modules)
room.suggester
from assistant.completion.request import CompletionRequest
from assistant.completion.secrecy import holds_secret
holds_secret(CompletionRequest("a.py", "python", 1, "password = ", "\\n", ""))
print(sorted(name for name in set(sys.modules) - before if name.startswith(("assistant", "indexer", "lsp"))))
"""


def test_the_first_key_waits_for_no_import() -> None:
    done = subprocess.run([sys.executable, "-c", FIRST_KEY], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.strip() == "[]", done.stderr
