"""llama-server driven as the llama.vim plugin drives it: the baseline of `benchmarks.typing`.

After its sources (ggml-org/llama.vim, autoload/llama.vim): no debounce; while a request is under way a further key is
asked 100 ms later; 256 lines before and 64 after the cursor; 128 predicted tokens within 1,000 ms, 250 ms where
nothing was shown before; a cache of 250 answers, found again by up to 128 typed characters back; after showing a
suggestion it asks for the one that would follow its acceptance. Its ring of chunks of other buffers is left empty: one
file is open, so it would hold next to nothing.
"""

from __future__ import annotations

import subprocess
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

FLAGS = ("-b", "1024", "-ub", "1024", "--cache-reuse", "256", "-fa", "on", "-c", "8192", "-np", "1")
LINES_BEFORE, LINES_AFTER = 256, 64
PREDICT = 128
FIRST_MS, LATER_MS, PROMPT_MS = 250, 1000, 500
RETRY = 0.1
CACHED, LOOK_BACK = 250, 128


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer of the server: text, and the tokens that it evaluated and predicted."""

    text: str
    evaluated: int
    predicted: int


class Server:
    """A llama-server process on the loopback interface."""

    def __init__(self, binary: Path, model: Path, threads: int, port: int = 18_012) -> None:
        command = [
            str(binary),
            "-m",
            str(model),
            "-t",
            str(threads),
            "--port",
            str(port),
            "--host",
            "127.0.0.1",
            *FLAGS,
        ]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120, trust_env=False)
        for _ in range(600):
            try:
                if self._client.get("/health").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            if self._process.poll() is not None:
                raise RuntimeError(f"{binary} ended with {self._process.returncode}")
            time.sleep(0.1)
        raise RuntimeError(f"{binary} is not ready after a minute")

    def infill(self, place: Place, extra: list[dict[str, str]], predict_ms: int, predict: int = PREDICT) -> Reply:
        """One request as the plugin makes it."""
        body: dict[str, Any] = {
            "input_prefix": place.before,
            "prompt": place.line_before,
            "input_suffix": place.line_after + "\n" + place.after,
            "input_extra": extra,
            "n_predict": predict,
            "n_indent": len(place.line_before) - len(place.line_before.lstrip()),
            "top_k": 40,
            "top_p": 0.99,
            "samplers": ["top_k", "top_p", "infill"],
            "stream": False,
            "cache_prompt": True,
            "t_max_prompt_ms": PROMPT_MS,
            "t_max_predict_ms": predict_ms,
        }
        answer = self._client.post("/infill", json=body).raise_for_status().json()
        timings = answer.get("timings", {})
        return Reply(answer.get("content", ""), int(timings.get("prompt_n", 0)), int(timings.get("predicted_n", 0)))

    def close(self) -> None:
        """End the process."""
        self._client.close()
        self._process.terminate()
        self._process.wait()


@dataclass(frozen=True, slots=True)
class Place:
    """The document around a cursor, as the plugin cuts it."""

    before: str
    line_before: str
    line_after: str
    after: str

    @classmethod
    def of(cls, prefix: str, suffix: str) -> Place:
        """The window around the cursor between ``prefix`` and ``suffix``."""
        *above, line_before = prefix.split("\n")
        line_after, *below = suffix.split("\n")
        before = "".join(f"{line}\n" for line in above[-LINES_BEFORE:])
        return cls(before, line_before, line_after, "\n".join(below[:LINES_AFTER]) + "\n")


class Cache:
    """Answers by place, found again by what was typed since."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], str] = OrderedDict()

    def put(self, prefix: str, suffix: str, text: str) -> None:
        """Keep an answer."""
        self._kept[prefix, suffix] = text
        while len(self._kept) > CACHED:
            self._kept.popitem(last=False)

    def find(self, prefix: str, suffix: str) -> str | None:
        """The answer for a place, or what is left of one some characters before it."""
        for back in range(min(LOOK_BACK, len(prefix)) + 1):
            before = prefix[: len(prefix) - back]
            text = self._kept.get((before, suffix))
            if text is not None and text.startswith(prefix[len(before) :]) and len(text) > back:
                return text[back:]
        return None
