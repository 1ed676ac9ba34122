"""How fast a model runs one way, and how well it fills holes: measured in a process of its own.

``python -m assistant.llama.measure`` reads one JSON object with the fields of ``Setup`` from standard input, and
``"holes": true`` to ask for quality, and writes one JSON object. A process of its own gives all memory back, and a way
that crashes llama.cpp costs only itself.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from assistant.errors import HostError

if TYPE_CHECKING:
    from collections.abc import Callable

    from assistant.llama.context import Context
    from assistant.llama.native import Model

PROMPT_TOKENS = 512
GENERATED_TOKENS = 32
ROUNDS = 3
CONTEXT_TOKENS = 2_048
_TIMEOUT = 900.0
HOLES = Path(__file__).with_name("holes.json")


@dataclass(frozen=True, slots=True)
class Setup:
    """One way to run a model. ``micro_batch``: tokens a step of prompt evaluation."""

    path: str
    threads: int
    flash_attention: bool
    micro_batch: int


@dataclass(frozen=True, slots=True)
class Speed:
    """Tokens a second, medians."""

    prompt: float
    generation: float

    def against(self, other: Speed) -> float:
        """How many times as fast as ``other``, prompt and generation counting alike (geometric mean)."""
        return math.sqrt(self.prompt / other.prompt * self.generation / other.generation)


def measure(setup: Setup) -> Speed:
    """Speed of one way, in a process of its own. Raises HostError if that fails."""
    found = _ask({**asdict(setup), "holes": False})
    return Speed(found["prompt"], found["generation"])


def quality(setup: Setup) -> list[float]:
    """Mean log-probability of a token of what belongs in each of the fixed holes. Raises HostError."""
    found: list[float] = _ask({**asdict(setup), "holes": True})["holes"]
    return found


def _ask(question: dict[str, Any]) -> dict[str, Any]:
    command = [sys.executable, "-m", "assistant.llama.measure"]
    try:
        done = subprocess.run(command, input=json.dumps(question), capture_output=True, text=True, timeout=_TIMEOUT)
        answer: dict[str, Any] = json.loads(done.stdout) if done.returncode == 0 else {}
    except (subprocess.TimeoutExpired, json.JSONDecodeError) as exc:
        raise _failed(question) from exc
    if not answer:
        raise _failed(question)
    return answer


def _failed(question: dict[str, Any]) -> HostError:
    name = Path(question["path"]).name
    return HostError(f"{name} could not be measured.", "Free some memory, close other programs and run it again.")


def main() -> None:
    """Answer one question."""
    from assistant.llama.context import Context
    from assistant.llama.native import Model

    question = json.load(sys.stdin)
    model = Model(Path(question["path"]))

    def context() -> Context:
        return Context(
            model,
            context_tokens=CONTEXT_TOKENS,
            threads=question["threads"],
            flash_attention=question["flash_attention"],
            micro_batch=question["micro_batch"],
        )

    answer = {"holes": _holes(model, context())} if question["holes"] else _speed(model, context)
    json.dump(answer, sys.stdout)


def _speed(model: Model, make: Callable[[], Context]) -> dict[str, float]:
    text = "".join(hole["prefix"] + hole["middle"] + hole["suffix"] for hole in json.loads(HOLES.read_text("utf-8")))
    prompt = model.tokenise(text)
    prompt = (prompt * (PROMPT_TOKENS // len(prompt) + 1))[:PROMPT_TOKENS]
    context = make()
    context.evaluate(prompt[:64])
    prompts, generations = [], []
    for _ in range(ROUNDS):
        context.clear()
        started = time.perf_counter()
        context.evaluate(prompt)
        prompts.append(len(prompt) / (time.perf_counter() - started))
        started = time.perf_counter()
        for token in prompt[:GENERATED_TOKENS]:
            context.append(token)
        generations.append(GENERATED_TOKENS / (time.perf_counter() - started))
    context.close()
    return {"prompt": median(prompts), "generation": median(generations)}


def _holes(model: Model, context: Context) -> list[float]:
    from assistant.llama import fim
    from assistant.llm import FillRequest

    format = fim.find_format(model)
    out = []
    for hole in json.loads(HOLES.read_text("utf-8")):
        if format is None:
            prompt = model.tokenise(hole["prefix"])
        else:
            prompt = fim.build(model, format, FillRequest(hole["path"], hole["prefix"], hole["suffix"]))
        context.evaluate(prompt)
        total, tokens = 0.0, model.tokenise(hole["middle"])
        for token in tokens:
            total += context.log_probability(token)
            context.append(token)
        out.append(total / len(tokens))
    return out


if __name__ == "__main__":
    main()
