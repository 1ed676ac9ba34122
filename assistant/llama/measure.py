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
    from assistant.llama.context import Context
    from assistant.llama.native import Model

PROMPT_TOKENS = 768
"""As many stand before the text that is generated: with flash attention each token behind many is slower on CPUs."""
ROUNDS = 3
GENERATED_TOKENS = 24
GENERATED_HOLES = 4
"""Holes that text is generated for, spread over all: real text, because guesses hold or fail by what it says."""
CONTEXT_TOKENS = 2_048
_TIMEOUT = 900.0
HOLES = Path(__file__).with_name("holes.json")


@dataclass(frozen=True, slots=True)
class Setup:
    """One way to run a model.

    ``micro_batch``: tokens a step of prompt evaluation; ``draft_tokens``: tokens that prompt lookup guesses at most.
    """

    path: str
    threads: int
    flash_attention: bool
    micro_batch: int
    draft_tokens: int = 0


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
    command = [sys.executable, "-P", "-m", "assistant.llama.measure"]
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

    if question["holes"]:
        answer: dict[str, Any] = {"holes": _holes(model, context())}
    else:
        answer = _speed(model, context(), question["draft_tokens"])
    json.dump(answer, sys.stdout)


def _speed(model: Model, context: Context, draft_tokens: int) -> dict[str, float]:
    holes = json.loads(HOLES.read_text("utf-8"))
    asked = holes[:: len(holes) // GENERATED_HOLES]
    # Not their own text: prompt lookup would find the answers in it.
    text = "".join(hole["prefix"] + hole["middle"] + hole["suffix"] for hole in holes if hole not in asked)
    prompt = model.tokenise(text)
    prompt = (prompt * (PROMPT_TOKENS // len(prompt) + 1))[:PROMPT_TOKENS]
    context.evaluate(prompt[:64])
    prompts, generations = [], []
    for _ in range(ROUNDS):
        context.clear()
        started = time.perf_counter()
        context.evaluate(prompt)
        prompts.append(len(prompt) / (time.perf_counter() - started))
        generations.append(_generation(model, context, prompt, asked, draft_tokens))
    context.close()
    return {"prompt": median(prompts), "generation": median(generations)}


def _generation(
    model: Model, context: Context, before: list[int], holes: list[dict[str, str]], draft_tokens: int
) -> float:
    """Tokens a second of text for the holes; ``before`` stands before each and is evaluated already."""
    from assistant.llama.engine import generate
    from assistant.llm import Cancel, Finished, Sampling

    tokens, milliseconds = 0, 0.0
    for hole in holes:
        prompt = before + _prompt(model, hole)
        for event in generate(model, context, prompt, Sampling(GENERATED_TOKENS), Cancel(), draft_tokens=draft_tokens):
            if isinstance(event, Finished):
                tokens += event.timings.generated_tokens
                milliseconds += event.timings.generation_ms
    return 1e3 * tokens / milliseconds


def _holes(model: Model, context: Context) -> list[float]:
    out = []
    for hole in json.loads(HOLES.read_text("utf-8")):
        context.evaluate(_prompt(model, hole))
        total, tokens = 0.0, model.tokenise(hole["middle"])
        for token in tokens:
            total += context.log_probability(token)
            context.append(token)
        out.append(total / len(tokens))
    return out


def _prompt(model: Model, hole: dict[str, str]) -> list[int]:
    """What the model is asked for a hole."""
    from assistant.llama import fim
    from assistant.llm import FillRequest

    format = fim.find_format(model)
    if format is None:
        return model.tokenise(hole["prefix"])
    return fim.build(model, format, FillRequest(hole["path"], hole["prefix"], hole["suffix"]))


if __name__ == "__main__":
    main()
